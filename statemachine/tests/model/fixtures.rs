//! What the model and the property tests make their runs of.

use std::collections::BTreeMap;

use jiff::Timestamp;
use statemachine::gate::{Comparison, Criterion, Finite, Gate, MetricPath, Report, Threshold};
use statemachine::queue::Concurrency;
use statemachine::run::{
    ApprovalMode, BatchSpec, DEADLINE_SECONDS, DeploymentSpec, Evaluation, EvaluationSpec, Inputs, ObjectVersion,
    RunSpec, TrainedModel, Trigger,
};
use statemachine::{Event, EventKind, RunId};

/// A pipeline, as far as the protocol cares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kind {
    pub concurrency: Concurrency,
    pub collects: bool,
    /// `None` for a pipeline that only trains.
    pub deploys: Option<ApprovalMode>,
}

pub const QUIET_SECONDS: u64 = 60;

pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

/// The `number`th object that arrives.
pub fn object(number: u8) -> ObjectVersion {
    ObjectVersion {
        bucket: "data".into(),
        key: format!("raw/p/{number}.csv"),
        version_id: Some(format!("v{number}")),
        etag: None,
        size: 1,
        sequencer: None,
    }
}

pub fn spec(kind: Kind) -> RunSpec {
    let threshold = Threshold { comparison: Comparison::AtLeast, value: Finite::new(0.9).unwrap() };
    let criterion = Criterion::new(MetricPath::new("accuracy").unwrap(), Some(threshold), None).unwrap();
    let evaluation = EvaluationSpec { training_step: "train".into(), report: "s3://data/{execution}.json".into() };
    let deployment = |approval| DeploymentSpec {
        endpoint: "p".into(),
        image: "image".into(),
        program: "inference.py".into(),
        source: "s3://data/code.tar.gz".into(),
        instance_type: "ml.m5.large".into(),
        instances: 1,
        approval,
    };
    RunSpec {
        pipeline: "p".into(),
        pipeline_arn: "arn:p".into(),
        code: "code".into(),
        definition: "definition".into(),
        evaluation: kind.deploys.map(|_| evaluation),
        gate: kind.deploys.map(|_| Gate::new(vec![criterion]).unwrap()),
        deployment: kind.deploys.map(deployment),
        role_arn: "role".into(),
        concurrency: kind.concurrency,
        batch: kind.collects.then_some(BatchSpec { quiet_seconds: QUIET_SECONDS, longest_seconds: 600 }),
        deadline_seconds: DEADLINE_SECONDS,
    }
}

/// The run that the `number`th object begins.
pub fn id(number: u8) -> RunId {
    RunId::arrival("p", &object(number))
}

/// The event of an object that begins a run, or a collection.
pub fn requested(kind: Kind, number: u8) -> Event {
    let object = object(number);
    let trigger = match kind.collects {
        true => Trigger::Batch { first: object.clone() },
        false => Trigger::Arrival { object: object.clone() },
    };
    let inputs = Inputs { uri: format!("s3://data/runs/p/{}/", id(number)), objects: vec![object], exact: true };
    let kind = EventKind::Requested { trigger, spec: Box::new(spec(kind)), inputs, parameters: BTreeMap::new() };
    Event { at: at(10 * i64::from(number)), kind }
}

pub fn evaluation(good: bool) -> Evaluation {
    let report: &[u8] = if good { br#"{"accuracy":0.97}"# } else { br#"{"accuracy":0.5}"# };
    Evaluation {
        model: TrainedModel { data: "s3://data/m".into(), job_arn: "job".into(), image: "image".into() },
        report_uri: "s3://data/report".into(),
        report: Report::parse(report),
    }
}

pub fn package(number: u8) -> String {
    format!("package/{number}")
}
