//! Runs as `decide` makes them, at fixed times.

use std::collections::BTreeMap;

use handlers::ledger::PipelineRecord;
use jiff::Timestamp;
use statemachine::endpoint::Deployment;
use statemachine::gate::{Comparison, Criterion, Finite, Gate, MetricPath, Report, Threshold};
use statemachine::queue::Concurrency;
use statemachine::run::{
    Approval, ApprovalMode, BatchSpec, Command, CommandId, DEADLINE_SECONDS, DeploymentSpec, EndpointStatus,
    Evaluation, EvaluationSpec, ExecutionStatus, Failure, Inputs, ObjectVersion, Outcome, Run, RunSpec, StepChange,
    StepStatus, Stop, TrainedModel, Trigger,
};
use statemachine::{Around, Endpoint, Event, EventKind, Queue, RunId, decide};

const PIPELINE: &str = "arn:aws:sagemaker:us-east-1:000000000000:pipeline/tumours";

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

fn execution() -> String {
    format!("{PIPELINE}/execution/abcdefghijkl")
}

fn spec() -> RunSpec {
    let threshold = Threshold { comparison: Comparison::AtLeast, value: Finite::new(0.9).unwrap() };
    let criterion = |metric: &str| Criterion::new(MetricPath::new(metric).unwrap(), Some(threshold), None).unwrap();
    RunSpec {
        pipeline: "tumours".into(),
        pipeline_arn: PIPELINE.into(),
        code: "c0de".into(),
        definition: "def1".into(),
        evaluation: Some(EvaluationSpec { training_step: "train".into(), report: "s3://data/evaluation.json".into() }),
        gate: Some(Gate::new(vec![criterion("accuracy"), criterion("auc")]).unwrap()),
        deployment: Some(DeploymentSpec {
            endpoint: "tumours".into(),
            image: "image".into(),
            program: "inference.py".into(),
            source: "s3://data/code/sourcedir.tar.gz".into(),
            instance_type: "ml.m5.large".into(),
            instances: 1,
            approval: ApprovalMode::Automatic,
        }),
        role_arn: "arn:aws:iam::000000000000:role/tidegate-job".into(),
        concurrency: Concurrency::Unlimited,
        batch: None,
        deadline_seconds: DEADLINE_SECONDS,
    }
}

/// A run and its endpoint after these events, beside the request at second 0.
fn after(trigger: Trigger, events: Vec<(i64, EventKind)>) -> (Run, Endpoint) {
    let around = Around { endpoint: Endpoint::new("tumours"), queue: Queue::new("tumours") };
    let (run, around) = story(spec(), trigger, around, events);
    (run, around.endpoint)
}

/// The same under a configuration and in surroundings of one's own.
fn story(spec: RunSpec, trigger: Trigger, mut around: Around, events: Vec<(i64, EventKind)>) -> (Run, Around) {
    let objects = match &trigger {
        Trigger::Arrival { object } | Trigger::Batch { first: object } => vec![object.clone()],
        _ => Vec::new(),
    };
    let inputs = Inputs { uri: "s3://data/runs/tumours/input/".into(), objects, exact: true };
    let parameters = BTreeMap::from([("InputDataUri".to_owned(), "s3://data/runs/tumours/input/".to_owned())]);
    let requested = match &trigger {
        Trigger::Manual => EventKind::Adopted { execution_arn: execution(), spec: Box::new(spec), inputs, parameters },
        _ => EventKind::Requested { trigger, spec: Box::new(spec), inputs, parameters },
    };
    let mut run: Option<Run> = None;
    for (second, kind) in [(0, requested)].into_iter().chain(events) {
        let decision = decide(run.as_ref(), &around, &Event { at: at(second), kind });
        let Outcome::Changed { run: now, endpoint: endpoint_now, queue: queue_now, .. } = decision.outcome else {
            panic!("an event without effect: {}", decision.because)
        };
        run = Some(*now);
        around.endpoint = endpoint_now.unwrap_or(around.endpoint);
        around.queue = queue_now.unwrap_or(around.queue);
    }
    let mut run = run.unwrap();
    // The schedule of its deadline was made.
    run.outbox.retain(|pending| !matches!(pending.command, Command::Wake { .. }));
    (run, around)
}

fn started() -> (i64, EventKind) {
    (2, EventKind::ExecutionStarted { execution_arn: execution() })
}

fn status(second: i64, status: ExecutionStatus, failure: Option<Failure>) -> (i64, EventKind) {
    (second, EventKind::ExecutionChanged { execution_arn: execution(), status, failure })
}

fn evaluated(second: i64, report: &str) -> (i64, EventKind) {
    let evaluation = Evaluation {
        model: TrainedModel {
            data: "s3://data/model.tar.gz".into(),
            job_arn: "arn:job".into(),
            image: "training-image".into(),
        },
        report_uri: "s3://data/evaluation.json".into(),
        report: Report::parse(report.as_bytes()),
    };
    (second, EventKind::Evaluated(Box::new(evaluation)))
}

fn arrival(name: &str) -> Trigger {
    Trigger::Arrival {
        object: ObjectVersion {
            bucket: "data".into(),
            key: format!("raw/tumours/{name}"),
            version_id: Some("v1".into()),
            etag: Some("e".into()),
            size: 1024,
            sequencer: None,
        },
    }
}

pub(crate) fn live() -> (Run, Endpoint) {
    let change =
        StepChange { step: "train".into(), kind: "Training".into(), status: StepStatus::Succeeded, reason: None };
    let trigger = arrival("a.csv");
    let Trigger::Arrival { object } = &trigger else { panic!("an arrival") };
    let config = format!("tumours-{}", RunId::arrival("tumours", object));
    let package = "arn:aws:sagemaker:us-east-1:000000000000:model-package/tumours/1".to_owned();
    after(
        trigger,
        vec![
            started(),
            (60, EventKind::StepChanged { execution_arn: execution(), change }),
            status(70, ExecutionStatus::Succeeded, None),
            evaluated(71, r#"{"accuracy":0.97,"auc":0.99}"#),
            (72, EventKind::Registered { package }),
            (73, EventKind::Done { command: CommandId::deploy() }),
            (90, EventKind::EndpointChanged { status: EndpointStatus::InService, config, reason: None }),
        ],
    )
}

pub(crate) fn rejected() -> (Run, Endpoint) {
    let trigger = Trigger::Schedule { name: "nightly".into(), scheduled_time: at(-3600) };
    let report = r#"{"accuracy":0.52}"#;
    after(trigger, vec![started(), status(70, ExecutionStatus::Succeeded, None), evaluated(71, report)])
}

pub(crate) fn failed() -> (Run, Endpoint) {
    let failure = Failure { step: Some("preprocess".into()), reason: "AlgorithmError: no\u{1b}[2J column\n`x`".into() };
    after(arrival("broken.csv"), vec![started(), status(9, ExecutionStatus::Failed, Some(failure))])
}

pub(crate) fn running() -> (Run, Endpoint) {
    after(Trigger::Manual, vec![])
}

/// A pipeline of which nothing was asked but a prefix, a suffix and a schedule.
pub(crate) fn pipeline(name: &str) -> PipelineRecord {
    PipelineRecord {
        name: name.to_owned(),
        arrival_prefix: Some(format!("raw/{name}/")),
        arrival_suffix: Some(".csv".to_owned()),
        min_size: None,
        max_size: None,
        complete: None,
        expected: None,
        spec: RunSpec { pipeline: name.to_owned(), ..spec() },
        parameters: BTreeMap::new(),
        schedules: BTreeMap::from([("nightly".to_owned(), "arn:schedule".to_owned())]),
        config: serde_json::Value::Null,
        applied: at(-86_400),
    }
}

/// An object that arrived.
pub(crate) fn object(name: &str) -> ObjectVersion {
    match arrival(name) {
        Trigger::Arrival { object } => object,
        _ => panic!("an arrival"),
    }
}

/// A run in each phase, and in some that look different from within, each with its surroundings.
pub(crate) fn every_phase() -> Vec<(&'static str, Run, Around)> {
    let other = RunId::manual("arn:other");
    let free = || Around { endpoint: Endpoint::new("tumours"), queue: Queue::new("tumours") };
    let busy = || Around { queue: Queue { active: vec![other.clone()], ..Queue::new("tumours") }, ..free() };
    let bounded = |concurrency| RunSpec { concurrency, ..spec() };
    let collecting = || RunSpec { batch: Some(BatchSpec { quiet_seconds: 120, longest_seconds: 1800 }), ..spec() };
    let manual = || {
        let mut spec = spec();
        if let Some(deployment) = &mut spec.deployment {
            deployment.approval = ApprovalMode::Manual;
        }
        spec
    };
    let good = || evaluated(71, r#"{"accuracy":0.97,"auc":0.99}"#);
    let succeeded = || status(70, ExecutionStatus::Succeeded, None);
    let package = || "arn:aws:sagemaker:us-east-1:000000000000:model-package/tumours/1".to_owned();
    let registered = || (72, EventKind::Registered { package: package() });
    let stop = |by: Option<RunId>, reason: &str| EventKind::StopRequested(Stop { reason: reason.into(), by });
    let deployed = || (73, EventKind::Done { command: CommandId::deploy() });
    let in_service = |second, config: &str| {
        let reason = Some("an alarm went off".to_owned());
        (second, EventKind::EndpointChanged { status: EndpointStatus::InService, config: config.into(), reason })
    };
    let training = |status, second| {
        let change = StepChange { step: "train".into(), kind: "Training".into(), status, reason: None };
        (second, EventKind::StepChanged { execution_arn: execution(), change })
    };
    let elsewhere = || {
        let deployment = Deployment { run: other.clone(), config: "c".into(), since: at(60), overtakes: Vec::new() };
        Around { endpoint: Endpoint { deploying: Some(deployment), ..Endpoint::new("tumours") }, ..free() }
    };
    let live = format!("tumours-{}", RunId::arrival("tumours", &object("a.csv")));
    let of = |name, (run, around): (Run, Around)| (name, run, around);
    let plain = |events| story(spec(), arrival("a.csv"), free(), events);
    let mut superseded = plain(vec![started(), succeeded(), good(), registered(), deployed(), in_service(90, &live)]);
    if let Some(champion) = &mut superseded.1.endpoint.champion {
        champion.run = other.clone();
    }
    let event = Event { at: at(200), kind: EventKind::Superseded { by: other.clone() } };
    if let Outcome::Changed { run, .. } = decide(Some(&superseded.0), &superseded.1, &event).outcome {
        superseded.0 = *run;
    }
    let missed = EventKind::Missed {
        trigger: Trigger::Schedule { name: "nightly".into(), scheduled_time: at(-900) },
        spec: Box::new(spec()),
        reason: "schedule `nightly` was due at 22:58 and has not fired".into(),
    };
    let Outcome::Changed { run: missed, .. } = decide(None, &free(), &Event { at: at(0), kind: missed }).outcome else {
        panic!("a firing that is missed is a run")
    };
    let refused =
        EventKind::Postponed { command: CommandId::start(), reason: "ResourceLimitExceeded: 20 executions".into() };
    let batch = Trigger::Batch { first: object("a.csv") };
    let second = EventKind::ObjectArrived { object: object("b.csv") };
    let replay = Trigger::Replay { of: other.clone(), attempt: 1 };
    let no = EventKind::ApprovalChanged { approval: Approval::Rejected, package: package() };
    let failure = Failure { step: Some("preprocess".into()), reason: "AlgorithmError: no\u{1b}[2J column".into() };
    let mut trains = spec();
    trains.deployment = None;
    vec![
        of("it collects", story(collecting(), batch, free(), vec![(30, second)])),
        of("it waits for a place", story(bounded(Concurrency::Wait { at_most: 1 }), arrival("a.csv"), busy(), vec![])),
        of("it is asked for", plain(vec![])),
        of("there is no room at SageMaker", plain(vec![(2, refused)])),
        of(
            "it is executed",
            plain(vec![started(), training(StepStatus::Starting, 9), training(StepStatus::Executing, 12)]),
        ),
        of("it is being stopped", plain(vec![started(), (9, stop(None, "stopped by ada"))])),
        of("its report is read", plain(vec![started(), succeeded()])),
        of(
            "it awaits approval",
            story(manual(), arrival("a.csv"), free(), vec![started(), succeeded(), good(), registered()]),
        ),
        of(
            "it awaits its turn",
            story(spec(), arrival("a.csv"), elsewhere(), vec![started(), succeeded(), good(), registered()]),
        ),
        of("it is rolled out", plain(vec![started(), succeeded(), good(), registered()])),
        of("it is live", plain(vec![started(), succeeded(), good(), registered(), deployed(), in_service(90, &live)])),
        of("it trained", story(trains, arrival("a.csv"), free(), vec![started(), succeeded(), good()])),
        of("the gate refused", plain(vec![started(), succeeded(), evaluated(71, r#"{"accuracy":0.52,"auc":0.99}"#)])),
        of(
            "a person refused",
            story(manual(), replay, free(), vec![started(), succeeded(), good(), registered(), (99, no)]),
        ),
        of("a step failed", plain(vec![started(), status(9, ExecutionStatus::Failed, Some(failure))])),
        of(
            "a person stopped it",
            plain(vec![started(), (9, stop(None, "stopped by ada")), status(12, ExecutionStatus::Stopped, None)]),
        ),
        of(
            "it was rolled back",
            plain(vec![started(), succeeded(), good(), registered(), deployed(), in_service(90, "tumours-old")]),
        ),
        of("a newer model is live", superseded),
        of("another was under way", story(bounded(Concurrency::Skip), arrival("a.csv"), busy(), vec![])),
        of("a newer run took its place", {
            let by = stop(Some(other.clone()), &format!("replaced by run {other}"));
            story(bounded(Concurrency::Wait { at_most: 1 }), arrival("a.csv"), busy(), vec![(5, by)])
        }),
        of("its schedule did not fire", (*missed, free())),
    ]
}

/// Compares with a file of `golden/`. `UPDATE_GOLDEN=1` writes it instead; read what changed before it is committed.
#[track_caller]
pub(crate) fn golden(name: &str, text: &str) {
    let file = format!("{}/src/render/golden/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&file, format!("{text}\n")).unwrap();
    }
    let golden = std::fs::read_to_string(&file).unwrap();
    assert_eq!(text, golden.trim_end_matches('\n'), "{file}; UPDATE_GOLDEN=1 writes it anew");
}
