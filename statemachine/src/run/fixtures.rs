//! A run in every phase, for tests here.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::*;
use crate::endpoint::{Deployment, Endpoint};
use crate::gate::{Comparison, Criterion, Finite, Gate, MetricPath, Report, Threshold};
use crate::queue::{Concurrency, Queue};

pub(crate) const EXECUTION: &str = "arn:aws:sagemaker:us-east-1:000000000000:pipeline/tumours/execution/abcdefghijkl";
pub(crate) const PACKAGE: &str = "arn:aws:sagemaker:us-east-1:000000000000:model-package/tumours/1";

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

pub(crate) fn object(version: &str) -> ObjectVersion {
    ObjectVersion {
        bucket: "data".into(),
        key: "raw/tumours/a.csv".into(),
        version_id: Some(version.into()),
        etag: Some("e".into()),
        size: 10,
        sequencer: None,
    }
}

pub(crate) fn spec(approval: ApprovalMode) -> RunSpec {
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
            approval,
        }),
        role_arn: "arn:aws:iam::000000000000:role/tidegate-job".into(),
        concurrency: Concurrency::Unlimited,
        batch: None,
        deadline_seconds: DEADLINE_SECONDS,
    }
}

pub(crate) fn requested(version: &str, approval: ApprovalMode) -> Event {
    let object = object(version);
    let id = RunId::arrival("tumours", &object);
    let inputs =
        Inputs { uri: format!("s3://data/runs/tumours/{id}/input/"), objects: vec![object.clone()], exact: true };
    let kind = EventKind::Requested {
        trigger: Trigger::Arrival { object },
        spec: Box::new(spec(approval)),
        inputs,
        parameters: BTreeMap::new(),
    };
    Event { at: at(0), kind }
}

pub(crate) fn status(second: i64, status: ExecutionStatus) -> Event {
    let failure = (status == ExecutionStatus::Failed)
        .then(|| Failure { step: Some("train".into()), reason: "AlgorithmError: no".into() });
    Event { at: at(second), kind: EventKind::ExecutionChanged { execution_arn: EXECUTION.into(), status, failure } }
}

pub(crate) fn step(second: i64, name: &str, status: StepStatus) -> Event {
    let change = StepChange { step: name.into(), kind: "Processing".into(), status, reason: None };
    Event { at: at(second), kind: EventKind::StepChanged { execution_arn: EXECUTION.into(), change } }
}

pub(crate) fn evaluated(second: i64, report: &str) -> Event {
    let evaluation = Evaluation {
        model: TrainedModel {
            data: "s3://data/model.tar.gz".into(),
            job_arn: "arn:job".into(),
            image: "training-image".into(),
        },
        report_uri: "s3://data/evaluation.json".into(),
        report: Report::parse(report.as_bytes()),
    };
    Event { at: at(second), kind: EventKind::Evaluated(Box::new(evaluation)) }
}

pub(crate) fn registered(second: i64) -> Event {
    Event { at: at(second), kind: EventKind::Registered { package: PACKAGE.into() } }
}

pub(crate) fn approval(second: i64, approval: Approval) -> Event {
    Event { at: at(second), kind: EventKind::ApprovalChanged { approval, package: PACKAGE.into() } }
}

pub(crate) fn endpoint_is(second: i64, status: EndpointStatus, config: &str) -> Event {
    let kind = EventKind::EndpointChanged { status, config: config.into(), reason: Some("reason".into()) };
    Event { at: at(second), kind }
}

pub(crate) const BATCH: BatchSpec = BatchSpec { quiet_seconds: 60, longest_seconds: 600 };

pub(crate) fn missed(second: i64) -> Event {
    let kind = EventKind::Missed {
        trigger: Trigger::Schedule { name: "nightly".into(), scheduled_time: at(0) },
        spec: Box::new(spec(ApprovalMode::Automatic)),
        reason: "schedule `nightly` did not fire".into(),
    };
    Event { at: at(second), kind }
}

pub(crate) fn arrived(second: i64, object: ObjectVersion) -> Event {
    Event { at: at(second), kind: EventKind::ObjectArrived { object } }
}

pub(crate) fn postponed(second: i64, command: CommandId) -> Event {
    let reason = "20 executions are running".to_owned();
    Event { at: at(second), kind: EventKind::Postponed { command, reason } }
}

pub(crate) fn stop(second: i64, by: Option<RunId>) -> Event {
    Event { at: at(second), kind: EventKind::StopRequested(Stop { reason: "reason".into(), by }) }
}

pub(crate) fn done(second: i64, command: CommandId) -> Event {
    Event { at: at(second), kind: EventKind::Done { command } }
}

/// A world of one run and its endpoint, to which events are given in turn.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct World {
    pub(crate) run: Option<Run>,
    pub(crate) around: Around,
}

impl World {
    pub(crate) fn new() -> Self {
        Self { run: None, around: Around { endpoint: Endpoint::new("tumours"), queue: Queue::new("tumours") } }
    }

    pub(crate) fn give(&mut self, event: &Event) -> Decision {
        let decision = decide(self.run.as_ref(), &self.around, event);
        if let Outcome::Changed { run, endpoint, queue, .. } = &decision.outcome {
            self.run = Some((**run).clone());
            if let Some(endpoint) = endpoint {
                self.around.endpoint = endpoint.clone();
            }
            if let Some(queue) = queue {
                self.around.queue = queue.clone();
            }
        }
        decision
    }

    pub(crate) fn after(events: &[Event]) -> Self {
        let mut world = Self::new();
        for event in events {
            world.give(event);
        }
        world
    }

    pub(crate) fn run(&self) -> &Run {
        self.run.as_ref().unwrap()
    }

    pub(crate) fn pending(&self) -> Vec<String> {
        // The deadline is a matter of its own tests.
        let ids = self.run().outbox.iter().map(|pending| pending.id.to_string());
        ids.filter(|id| !id.starts_with("wake:deadline")).collect()
    }
}

pub(crate) fn run() -> Run {
    World::after(&[requested("v1", ApprovalMode::Automatic)]).run.unwrap()
}

/// The events that bring a run into a phase.
pub(crate) fn road_to(phase: Phase) -> Vec<Event> {
    let mode = match phase {
        Phase::AwaitingApproval => ApprovalMode::Manual,
        _ => ApprovalMode::Automatic,
    };
    let mut road = vec![requested("v1", mode)];
    let started = Event { at: at(1), kind: EventKind::ExecutionStarted { execution_arn: EXECUTION.into() } };
    let good = evaluated(11, r#"{"accuracy":0.97}"#);
    let succeeded = status(10, ExecutionStatus::Succeeded);
    let id = RunId::arrival("tumours", &object("v1"));
    let ours = format!("tumours-{id}");
    let deploying = [started.clone(), succeeded.clone(), good, registered(12)];
    match phase {
        Phase::Starting => {}
        Phase::Running => road.push(started),
        Phase::Evaluating => road.extend([started, succeeded]),
        Phase::AwaitingApproval | Phase::AwaitingTurn | Phase::Deploying => road.extend(deploying),
        Phase::Live => {
            road.extend(deploying);
            road.extend([done(13, CommandId::deploy()), endpoint_is(14, EndpointStatus::InService, &ours)]);
        }
        Phase::RolledBack => {
            road.extend(deploying);
            road.extend([done(13, CommandId::deploy()), endpoint_is(14, EndpointStatus::InService, "old")]);
        }
        Phase::Rejected => road.extend([started, succeeded, evaluated(11, r#"{"accuracy":0.5}"#)]),
        Phase::Failed => road.extend([started, status(10, ExecutionStatus::Failed)]),
        Phase::Stopped => road.extend([started, status(10, ExecutionStatus::Stopped)]),
        Phase::Succeeded | Phase::Superseded => road.extend([started, succeeded]),
        Phase::Batching | Phase::Queued | Phase::Skipped => {}
        Phase::Missed => road = vec![missed(0)],
    }
    road
}

/// A world in which the run is in the phase.
pub(crate) fn world_in(phase: Phase) -> World {
    let mut world = World::new();
    let mut road = road_to(phase);
    match phase {
        Phase::Succeeded => {
            if let Some(Event { kind: EventKind::Requested { spec, .. }, .. }) = road.first_mut() {
                spec.evaluation = None;
            }
        }
        Phase::AwaitingTurn => world.around.endpoint.deploying = Some(other_deployment()),
        Phase::Superseded => {
            let mut world = world_in(Phase::AwaitingTurn);
            let by = RunId::arrival("tumours", &object("v9"));
            world.give(&Event { at: at(20), kind: EventKind::Superseded { by } });
            return world;
        }
        _ => {}
    }
    let other = RunId::arrival("tumours", &object("v0"));
    if let Some(Event { kind: EventKind::Requested { trigger, spec, .. }, .. }) = road.first_mut() {
        match phase {
            Phase::Batching => {
                *trigger = Trigger::Batch { first: object("v1") };
                spec.batch = Some(BATCH);
            }
            Phase::Queued => spec.concurrency = Concurrency::Wait { at_most: 1 },
            Phase::Skipped => spec.concurrency = Concurrency::Skip,
            _ => {}
        }
    }
    if matches!(phase, Phase::Queued | Phase::Skipped) {
        world.around.queue.active.push(other);
    }
    for event in &road {
        world.give(event);
    }
    assert_eq!(world.run().phase, phase);
    world
}

pub(crate) fn other_deployment() -> Deployment {
    let run = RunId::arrival("tumours", &object("v0"));
    let config = format!("tumours-{run}");
    Deployment { run, config, since: at(0), overtakes: vec![] }
}

/// An example of every event, seen from a run, with what to call it.
pub(crate) fn every_event(run: &Run, _around: &Around) -> Vec<(String, Event)> {
    let ours = format!("tumours-{}", run.id);
    let named = |events: Vec<Event>| events.into_iter().map(|event| (event.kind.name(), event));
    let mut events: Vec<(String, Event)> = named(vec![requested("v1", ApprovalMode::Automatic)]).collect();
    events.extend(named(vec![Event {
        at: at(100),
        kind: EventKind::ExecutionStarted { execution_arn: EXECUTION.into() },
    }]));
    events.extend(named(ExecutionStatus::ALL.into_iter().map(|s| status(100, s)).collect()));
    events.push(("execution Executing, late".into(), status(5, ExecutionStatus::Executing)));
    let mut foreign = status(100, ExecutionStatus::Succeeded);
    if let EventKind::ExecutionChanged { execution_arn, .. } = &mut foreign.kind {
        *execution_arn = "arn:other".into();
    }
    events.push(("execution Succeeded, of another execution".into(), foreign));
    events.extend(named(vec![step(100, "train", StepStatus::Executing)]));
    events.push(("evaluated, good".into(), evaluated(100, r#"{"accuracy":0.99}"#)));
    events.push(("evaluated, bad".into(), evaluated(100, r#"{"accuracy":0.1}"#)));
    events.push(("evaluated, unreadable".into(), evaluated(100, "NaN")));
    events.extend(named(vec![registered(100), approval(100, Approval::Approved), approval(100, Approval::Rejected)]));
    let in_service = EndpointStatus::InService;
    events.push(("endpoint InService, this run's model".into(), endpoint_is(100, in_service, &ours)));
    events.push(("endpoint InService, another model".into(), endpoint_is(100, in_service, "old")));
    for status in [EndpointStatus::InTransition, EndpointStatus::Failed, EndpointStatus::Deleted] {
        events.extend(named(vec![endpoint_is(100, status, &ours)]));
    }
    events.extend(named(vec![
        Event { at: at(100), kind: EventKind::YourTurn },
        Event { at: at(100), kind: EventKind::Superseded { by: RunId::arrival("tumours", &object("v9")) } },
    ]));
    let later = ObjectVersion { key: "raw/tumours/b.csv".into(), ..object("v2") };
    events.extend(named(vec![
        arrived(100, later),
        Event { at: at(100), kind: EventKind::BatchDue },
        Event { at: at(10_000), kind: EventKind::BatchDue },
        Event { at: at(100), kind: EventKind::SlotFree },
        stop(100, None),
        stop(100, Some(RunId::arrival("tumours", &object("v9")))),
        postponed(100, CommandId::start()),
        Event { at: at(100), kind: EventKind::DeadlinePassed },
        Event { at: at(100_000), kind: EventKind::DeadlinePassed },
        Event { at: at(100), kind: EventKind::Swept },
        missed(100),
    ]));
    for command in [CommandId::start(), CommandId::evaluate(), CommandId::register(), CommandId::deploy()] {
        let kind = EventKind::CommandFailed { command: command.clone(), reason: "no".into() };
        events.push((format!("command failed: {command}"), Event { at: at(100), kind }));
    }
    events.push(("command done: deploy".into(), done(100, CommandId::deploy())));
    events
}
