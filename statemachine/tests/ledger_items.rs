//! Items of the ledger, as each version wrote them. What an older version wrote is read, keeps its keys and can be
//! decided on; what this version writes is kept here, so that a change of the schema is seen.
//!
//! `UPDATE_GOLDEN=1 cargo test -p statemachine --test ledger_items` writes today's items anew. Once a version was
//! released, its folder does not change any more: a change of the schema begins another.

// Tests read files; the crate under test may not.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::disallowed_methods)]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use statemachine::endpoint::Deployment;
use statemachine::gate::{Comparison, Criterion, Finite, Gate, MetricPath, Report, Threshold};
use statemachine::queue::Concurrency;
use statemachine::run::*;
use statemachine::{Around, Endpoint, Event, EventKind, Queue, Run, RunId, decide};

/// The folder of the items that this version writes.
const TODAY: &str = "2";

const EXECUTION: &str = "arn:aws:sagemaker:us-east-1:000000000000:pipeline/tumours/execution/abcdefghijkl";
const PACKAGE: &str = "arn:aws:sagemaker:us-east-1:000000000000:model-package/tumours/1";

const GOOD: &str = r#"{"accuracy":{"value":0.97},"note":"good"}"#;

fn folder(version: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/ledger").join(version)
}

/// The items of a version whose files begin so, by their names.
fn items(version: &str, kind: &str) -> BTreeMap<String, Value> {
    let files = fs::read_dir(folder(version)).unwrap().map(|entry| entry.unwrap().path());
    let of_kind = files.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(kind));
    let items: BTreeMap<_, _> = of_kind
        .map(|path| {
            let value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            (path.file_stem().unwrap().to_str().unwrap().to_owned(), value)
        })
        .collect();
    assert!(!items.is_empty(), "version {version} has no item `{kind}…`");
    items
}

fn versions() -> [&'static str; 2] {
    ["1", TODAY]
}

/// Everything that `before` holds, `after` holds too; it may hold more.
fn keeps(before: &Value, after: &Value, place: &str) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            for (key, value) in before {
                let now = after.get(key).unwrap_or_else(|| panic!("{place}.{key} is lost"));
                keeps(value, now, &format!("{place}.{key}"));
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            assert_eq!(before.len(), after.len(), "{place}");
            for (position, (before, after)) in before.iter().zip(after).enumerate() {
                keeps(before, after, &format!("{place}[{position}]"));
            }
        }
        _ => assert_eq!(before, after, "{place}"),
    }
}

fn read<T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug>(name: &str, item: &Value) -> T {
    // The ledger holds text.
    let read: T = serde_json::from_str(&item.to_string()).unwrap_or_else(|error| panic!("{name}: {error}"));
    let written = serde_json::to_value(&read).unwrap();
    keeps(item, &written, name);
    assert_eq!(serde_json::from_value::<T>(written).unwrap(), read, "{name}");
    read
}

#[test]
fn items_of_every_version_are_read_and_lose_nothing() {
    for version in versions() {
        for (name, item) in items(version, "run-") {
            let run: Run = read(&name, &item);
            let phase = run.phase.words().replace(' ', "-");
            assert!(name.starts_with(&format!("run-{phase}")), "{name} is in the phase {phase}");
        }
        for (name, item) in items(version, "endpoint-") {
            read::<Endpoint>(&name, &item);
        }
    }
    for (name, item) in items(TODAY, "queue-") {
        read::<Queue>(&name, &item);
    }
}

#[test]
fn what_version_1_did_not_have_gets_its_default() {
    for (name, item) in items("1", "run-") {
        let run: Run = read(&name, &item);
        assert_eq!(run.spec.concurrency, Concurrency::Unlimited, "{name}");
        assert_eq!((run.spec.batch, run.spec.deadline_seconds), (None, DEADLINE_SECONDS), "{name}");
        assert!(!run.spec.has_queue(), "{name}");
        assert_eq!((run.heard, run.batch, run.deadline, &run.stop), (None, None, None, &None), "{name}");
        assert!(run.inputs.objects.iter().all(|object| object.sequencer.is_none()), "{name}");
        assert!(run.outbox.iter().all(|pending| pending.attempts == 0), "{name}");
        // Of a run of which nothing was heard, the creation is the last that was heard.
        let silence = jiff::SignedDuration::from_mins(15);
        let due = if !run.outbox.is_empty() {
            Some(run.created)
        } else if run.phase.is_end() {
            None
        } else {
            Some(run.created + silence)
        };
        assert_eq!(run.due(silence), due, "{name}");
    }
}

#[test]
fn runs_of_every_version_go_on() {
    for version in versions() {
        for (name, item) in items(version, "run-") {
            let run: Run = read(&name, &item);
            let around = Around::default();
            let give = |kind: EventKind| decide(Some(&run), &around, &Event { at: at(100_000), kind }).outcome;
            let Outcome::Changed { run: swept, .. } = give(EventKind::Swept) else { panic!("{name} cannot be swept") };
            assert_eq!(swept.heard, Some(at(100_000)), "{name}");
            assert_eq!((swept.phase, &swept.outbox), (run.phase, &run.outbox), "{name}");
            // Its trigger, delivered once more.
            if run.trigger != Trigger::Manual && run.phase != Phase::Missed {
                let (trigger, spec) = (run.trigger.clone(), Box::new(run.spec.clone()));
                let (inputs, parameters) = (run.inputs.clone(), run.parameters.clone());
                let again = EventKind::Requested { trigger: trigger.clone(), spec, inputs, parameters };
                assert_eq!(RunId::of(&run.spec.pipeline, &trigger), Some(run.id.clone()), "{name} is named anew");
                assert_eq!(give(again), Outcome::Ignored, "{name} begins again");
            }
            if run.phase == Phase::Running {
                let status = ExecutionStatus::Succeeded;
                let execution_arn = run.execution.clone().unwrap().arn;
                let ended = give(EventKind::ExecutionChanged { execution_arn, status, failure: None });
                let Outcome::Changed { run: ended, .. } = ended else { panic!("{name} cannot end") };
                assert_eq!(ended.phase, Phase::Evaluating, "{name}");
            }
        }
    }
}

#[test]
fn items_are_written_as_this_version_writes_them() {
    let mut written: BTreeMap<String, String> = BTreeMap::new();
    let mut write = |name: String, item: Value| {
        written.insert(format!("{name}.json"), format!("{}\n", serde_json::to_string_pretty(&item).unwrap()));
    };
    for phase in Phase::ALL {
        let world = world_in(phase);
        let run = world.run.unwrap();
        assert_eq!(run.phase, phase);
        let name = phase.words().replace(' ', "-");
        write(format!("run-{name}"), serde_json::to_value(&run).unwrap());
        if world.around.endpoint != Endpoint::new("tumours") {
            write(format!("endpoint-{name}"), serde_json::to_value(&world.around.endpoint).unwrap());
        }
        if world.around.queue != Queue::new("tumours") {
            write(format!("queue-{name}"), serde_json::to_value(&world.around.queue).unwrap());
        }
    }
    let mut world = world_in(Phase::Evaluating);
    world.evaluate(GOOD);
    write("run-evaluating-registers".to_owned(), serde_json::to_value(&world.run).unwrap());
    let folder = folder(TODAY);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(&folder).unwrap();
        written.iter().for_each(|(name, item)| fs::write(folder.join(name), item).unwrap());
    }
    let kinds = ["run-", "endpoint-", "queue-"];
    let kept: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| kinds.iter().any(|kind| name.starts_with(kind)))
        .collect();
    for name in &kept {
        assert!(written.contains_key(name), "{name} is not written any more");
    }
    for (name, item) in &written {
        let stored = fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert!(
            stored == *item,
            "the item {name} is written in another form than version {TODAY}'s: begin another version, or, where \
             {TODAY} was never released, set UPDATE_GOLDEN=1\n{item}"
        );
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

fn object(version: &str) -> ObjectVersion {
    ObjectVersion {
        bucket: "data".into(),
        key: format!("raw/tumours/{version}.csv"),
        version_id: Some(version.into()),
        etag: Some("e".into()),
        size: 10,
        sequencer: Some("0062E99A88DC407460".into()),
    }
}

fn other() -> RunId {
    RunId::arrival("tumours", &object("v0"))
}

fn spec() -> RunSpec {
    let threshold = Threshold { comparison: Comparison::AtLeast, value: Finite::new(0.9).unwrap() };
    let criterion = Criterion::new(MetricPath::new("accuracy").unwrap(), Some(threshold), None).unwrap();
    RunSpec {
        pipeline: "tumours".into(),
        pipeline_arn: "arn:aws:sagemaker:us-east-1:000000000000:pipeline/tumours".into(),
        code: "c0de".into(),
        definition: "def1".into(),
        evaluation: Some(EvaluationSpec {
            training_step: "train".into(),
            report: "s3://data/runs/tumours/{execution}/evaluate/evaluation/evaluation.json".into(),
        }),
        gate: Some(Gate::new(vec![criterion]).unwrap()),
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
        deadline_seconds: 7200,
    }
}

/// A run, and what stands around it.
struct World {
    run: Option<Run>,
    around: Around,
}

impl World {
    fn give(&mut self, second: i64, kind: EventKind) {
        let event = Event { at: at(second), kind };
        let decision = decide(self.run.as_ref(), &self.around, &event);
        let Outcome::Changed { run, endpoint, queue, .. } = decision.outcome else { panic!("{}", decision.because) };
        self.run = Some(*run);
        if let Some(endpoint) = endpoint {
            self.around.endpoint = endpoint;
        }
        if let Some(queue) = queue {
            self.around.queue = queue;
        }
    }

    fn request(&mut self, trigger: Trigger, spec: RunSpec) {
        let id = RunId::of("tumours", &trigger).unwrap();
        let uri = format!("s3://data/runs/tumours/{id}/input/");
        let inputs = Inputs { uri, objects: vec![object("v1")], exact: true };
        let parameters = [("InstanceType".to_owned(), "ml.m5.large".to_owned())].into();
        self.give(0, EventKind::Requested { trigger, spec: Box::new(spec), inputs, parameters });
    }

    fn start(&mut self) {
        self.give(1, EventKind::ExecutionStarted { execution_arn: EXECUTION.into() });
    }

    fn end(&mut self, status: ExecutionStatus) {
        let failure = Failure { step: Some("train".into()), reason: "AlgorithmError: no".into() };
        let failure = (status == ExecutionStatus::Failed).then_some(failure);
        self.give(10, EventKind::ExecutionChanged { execution_arn: EXECUTION.into(), status, failure });
    }

    fn evaluate(&mut self, report: &str) {
        let model = TrainedModel {
            data: "s3://data/model.tar.gz".into(),
            job_arn: "arn:job".into(),
            image: "training-image".into(),
        };
        let (report_uri, report) = ("s3://data/evaluation.json".into(), Report::parse(report.as_bytes()));
        self.give(11, EventKind::Evaluated(Box::new(Evaluation { model, report_uri, report })));
    }

    /// A good model, registered.
    fn register(&mut self) {
        self.start();
        self.end(ExecutionStatus::Succeeded);
        self.evaluate(GOOD);
        self.give(12, EventKind::Registered { package: PACKAGE.into() });
    }

    fn serve(&mut self, config: String) {
        self.give(13, EventKind::Done { command: CommandId::deploy() });
        let (status, reason) = (EndpointStatus::InService, None);
        self.give(14, EventKind::EndpointChanged { status, config, reason });
    }
}

/// A run in each phase. Among them are every trigger, every kind of concurrency, and every command.
fn world_in(phase: Phase) -> World {
    let around = Around { endpoint: Endpoint::new("tumours"), queue: Queue::new("tumours") };
    let mut world = World { run: None, around };
    let arrival = || Trigger::Arrival { object: object("v1") };
    let with = |concurrency: Concurrency| RunSpec { concurrency, ..spec() };
    match phase {
        Phase::Batching => {
            let batch = Some(BatchSpec { quiet_seconds: 60, longest_seconds: 600 });
            world.request(Trigger::Batch { first: object("v1") }, RunSpec { batch, ..spec() });
            world.give(5, EventKind::ObjectArrived { object: object("v2") });
        }
        Phase::Queued => {
            world.around.queue.active.push(other());
            world.request(arrival(), with(Concurrency::Wait { at_most: 1 }));
        }
        Phase::Skipped => {
            world.around.queue.active.push(other());
            world.request(arrival(), with(Concurrency::Skip));
        }
        Phase::Starting => {
            let scheduled_time = at(0);
            world.request(Trigger::Schedule { name: "nightly".into(), scheduled_time }, with(Concurrency::Replace));
            let command = CommandId::start();
            world.give(1, EventKind::Postponed { command, reason: "ThrottlingException: Rate exceeded".into() });
        }
        Phase::Running => {
            world.around.queue.active.push(other());
            world.request(Trigger::Replay { of: other(), attempt: 2 }, with(Concurrency::Wait { at_most: 3 }));
            world.start();
            let (step, kind) = ("preprocess".into(), "Processing".into());
            let change = StepChange { step, kind, status: StepStatus::Succeeded, reason: None };
            world.give(5, EventKind::StepChanged { execution_arn: EXECUTION.into(), change });
            let by = Some(RunId::arrival("tumours", &object("v9")));
            world.give(6, EventKind::StopRequested(Stop { reason: "a newer run takes its place".into(), by }));
        }
        Phase::Evaluating => {
            let inputs = Inputs { uri: "s3://data/raw/tumours/".into(), objects: vec![object("v1")], exact: false };
            let (execution_arn, spec) = (EXECUTION.into(), Box::new(spec()));
            let parameters = [("InputDataUri".to_owned(), inputs.uri.clone())].into();
            world.give(0, EventKind::Adopted { execution_arn, spec, inputs, parameters });
            world.end(ExecutionStatus::Succeeded);
        }
        Phase::AwaitingApproval => {
            let mut spec = spec();
            spec.deployment.as_mut().unwrap().approval = ApprovalMode::Manual;
            world.request(arrival(), spec);
            world.register();
        }
        Phase::AwaitingTurn | Phase::Superseded => {
            let config = format!("tumours-{}", other());
            world.around.endpoint.deploying =
                Some(Deployment { run: other(), config, since: at(0), overtakes: vec![] });
            world.request(arrival(), spec());
            world.register();
            if phase == Phase::Superseded {
                world.give(20, EventKind::Superseded { by: RunId::arrival("tumours", &object("v9")) });
            }
        }
        Phase::Deploying => {
            let mut spec = spec();
            spec.deployment.as_mut().unwrap().approval = ApprovalMode::Manual;
            world.request(arrival(), spec);
            world.register();
            let approval = Approval::Approved;
            world.give(13, EventKind::ApprovalChanged { approval, package: PACKAGE.into() });
        }
        Phase::Live => {
            world.request(arrival(), spec());
            world.register();
            world.around.endpoint.waiting.push(other());
            let config = format!("tumours-{}", world.run.as_ref().unwrap().id);
            world.serve(config);
        }
        Phase::RolledBack => {
            world.request(arrival(), spec());
            world.register();
            world.serve("old".into());
        }
        Phase::Succeeded => {
            world.request(arrival(), RunSpec { evaluation: None, gate: None, deployment: None, ..spec() });
            world.start();
            world.end(ExecutionStatus::Succeeded);
        }
        Phase::Rejected => {
            world.request(arrival(), spec());
            world.start();
            world.end(ExecutionStatus::Succeeded);
            world.evaluate(r#"{"accuracy":NaN}"#);
        }
        Phase::Failed => {
            world.request(arrival(), spec());
            world.start();
            world.end(ExecutionStatus::Failed);
        }
        Phase::Stopped => {
            world.request(arrival(), spec());
            world.start();
            world.give(5, EventKind::StopRequested(Stop { reason: "stopped by someone".into(), by: None }));
            world.end(ExecutionStatus::Stopped);
        }
        Phase::Missed => {
            let (trigger, reason) = (Trigger::Expected { due: at(0) }, "no data came under raw/tumours/".into());
            world.give(120, EventKind::Missed { trigger, spec: Box::new(spec()), reason });
        }
    }
    world
}

#[test]
fn every_trigger_command_and_wait_is_among_the_items() {
    let mut found = std::collections::BTreeSet::new();
    for item in items(TODAY, "run-").values() {
        found.insert(format!("trigger {}", item["trigger"]["kind"].as_str().unwrap()));
        found.insert(format!("concurrency {}", item["spec"]["concurrency"]));
        for pending in item["outbox"].as_array().unwrap() {
            found.insert(format!("do {}", pending["command"]["do"].as_str().unwrap()));
            found.insert(format!("is {}", pending["state"]["is"].as_str().unwrap()));
        }
    }
    for wanted in [
        "trigger arrival",
        "trigger batch",
        "trigger replay",
        "trigger expected",
        "trigger schedule",
        "trigger manual",
        "concurrency \"unlimited\"",
        "concurrency \"skip\"",
        "concurrency \"replace\"",
        "concurrency {\"wait\":{\"at_most\":1}}",
        "do start",
        "do evaluate",
        "do register",
        "do deploy",
        "do stop",
        "do wake",
        "do alert",
        "do tell",
        "is unclaimed",
        "is waiting",
    ] {
        assert!(found.contains(wanted), "no item holds `{wanted}`; there are {found:?}");
    }
}
