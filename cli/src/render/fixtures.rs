//! Runs as `decide` makes them, at fixed times.

use std::collections::BTreeMap;

use jiff::Timestamp;
use statemachine::gate::{Comparison, Criterion, Finite, Gate, MetricPath, Report, Threshold};
use statemachine::queue::Concurrency;
use statemachine::run::{
    ApprovalMode, Command, CommandId, DEADLINE_SECONDS, DeploymentSpec, EndpointStatus, Evaluation, EvaluationSpec,
    ExecutionStatus, Failure, Inputs, ObjectVersion, Outcome, Run, RunSpec, StepChange, StepStatus, TrainedModel,
    Trigger,
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
    let objects = match &trigger {
        Trigger::Arrival { object } => vec![object.clone()],
        _ => Vec::new(),
    };
    let inputs = Inputs { uri: "s3://data/runs/tumours/input/".into(), objects, exact: true };
    let parameters = BTreeMap::from([("InputDataUri".to_owned(), "s3://data/runs/tumours/input/".to_owned())]);
    let requested = match &trigger {
        Trigger::Manual => {
            EventKind::Adopted { execution_arn: execution(), spec: Box::new(spec()), inputs, parameters }
        }
        _ => EventKind::Requested { trigger, spec: Box::new(spec()), inputs, parameters },
    };
    let mut run: Option<Run> = None;
    let mut around = Around { endpoint: Endpoint::new("tumours"), queue: Queue::default() };
    for (second, kind) in [(0, requested)].into_iter().chain(events) {
        let decision = decide(run.as_ref(), &around, &Event { at: at(second), kind });
        let Outcome::Changed { run: now, endpoint: endpoint_now, .. } = decision.outcome else {
            panic!("an event without effect: {}", decision.because)
        };
        run = Some(*now);
        around.endpoint = endpoint_now.unwrap_or(around.endpoint);
    }
    let mut run = run.unwrap();
    // The schedule of its deadline was made.
    run.outbox.retain(|pending| !matches!(pending.command, Command::Wake { .. }));
    (run, around.endpoint)
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
