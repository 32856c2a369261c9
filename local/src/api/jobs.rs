//! Processing and training jobs.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::listing::{ListRequest, Listed, Usually, list as list_page};
use super::{Error, Operation, Result, operations, put, tags};
use crate::engine::Engine;
use crate::jobs::{self, Job, Kind, Status};

/// The operations of this module.
pub(super) fn operations() -> &'static [Operation] {
    operations! {
        "CreateTrainingJob" => create_training,
        "DescribeTrainingJob" => describe_training,
        "StopTrainingJob" => stop_training,
        "ListTrainingJobs" => list_training,
        "CreateProcessingJob" => create_processing,
        "DescribeProcessingJob" => describe_processing,
        "StopProcessingJob" => stop_processing,
        "ListProcessingJobs" => list_processing,
    }
}

impl Listed for Job {
    fn name(&self) -> &str {
        &self.name
    }
    fn created(&self) -> Timestamp {
        self.created
    }
    fn modified(&self) -> Timestamp {
        self.modified
    }
    fn status(&self) -> &str {
        self.status.name()
    }
}

async fn create_training(engine: Arc<Engine>, request: Map<String, Value>) -> Result {
    create(&engine, Kind::Training, request)
}

async fn create_processing(engine: Arc<Engine>, request: Map<String, Value>) -> Result {
    create(&engine, Kind::Processing, request)
}

async fn describe_training(engine: Arc<Engine>, request: Value) -> Result {
    describe(&engine, Kind::Training, &request)
}

async fn describe_processing(engine: Arc<Engine>, request: Value) -> Result {
    describe(&engine, Kind::Processing, &request)
}

async fn stop_training(engine: Arc<Engine>, request: Value) -> Result {
    stop(&engine, Kind::Training, &request)
}

async fn stop_processing(engine: Arc<Engine>, request: Value) -> Result {
    stop(&engine, Kind::Processing, &request)
}

async fn list_training(engine: Arc<Engine>, request: ListRequest) -> Result {
    list(&engine, Kind::Training, &request)
}

async fn list_processing(engine: Arc<Engine>, request: ListRequest) -> Result {
    list(&engine, Kind::Processing, &request)
}

fn create(engine: &Arc<Engine>, kind: Kind, mut request: Map<String, Value>) -> Result {
    let tags = tags::take(&mut request)?;
    let job = jobs::create(engine, kind, request)?;
    tags::set(engine, &job.arn, tags)?;
    let mut answer = json!({});
    put(&mut answer, &format!("{}JobArn", kind.name()), Some(job.arn));
    Ok(answer)
}

fn describe(engine: &Engine, kind: Kind, request: &Value) -> Result {
    let name = name(kind, request);
    let job = jobs::find(engine, kind, name)?.ok_or_else(|| missing(kind, name))?;
    Ok(job.describe())
}

fn stop(engine: &Engine, kind: Kind, request: &Value) -> Result {
    let name = name(kind, request);
    match jobs::stop(engine, kind, name)? {
        None => Err(missing(kind, name)),
        Some(Status::InProgress | Status::Stopping) => Ok(Value::Null),
        Some(status) => Err(Error::validation(format!(
            "The request was rejected because the {} job is in status {}.",
            kind.name().to_lowercase(),
            status.name()
        ))),
    }
}

fn list(engine: &Engine, kind: Kind, request: &ListRequest) -> Result {
    let listing = format!("List{}Jobs", kind.name());
    let found = list_page(&listing, jobs::all(engine, kind)?, request, Usually::Descending)?;
    let mut answer = json!({});
    let summaries: Vec<Value> = found.items.iter().map(Job::summary).collect();
    put(&mut answer, &format!("{}JobSummaries", kind.name()), Some(summaries));
    put(&mut answer, "NextToken", found.next_token);
    Ok(answer)
}

fn name(kind: Kind, request: &Value) -> &str {
    request.get(format!("{}JobName", kind.name())).and_then(Value::as_str).unwrap_or_default()
}

/// SageMaker answers these with `ValidationException`, whatever its model says.
fn missing(kind: Kind, name: &str) -> Error {
    match kind {
        Kind::Training => Error::validation("Requested resource not found."),
        Kind::Processing => Error::validation(format!("Could not find requested job with name: {name}")),
    }
}
