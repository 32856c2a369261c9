//! What AWS and people hand to the functions: events, errands, requests of CloudFormation, manifests.

use std::fmt::{Debug, Display};

use handlers::intake::{
    Errand, Scope, StatusChange, manifest_keys, read_arrival, read_endpoint_status, read_errand, read_model_package,
    read_pipeline_status,
};
use handlers::resource::{Answer, Envelope, Kind, PhysicalId};
use serde_json::Value;
use statemachine::RunId;

const BUCKET: &str = "tidegate-data";

/// EventBridge delivers no larger event, in bytes.
const EVENT_LIMIT: usize = 256 * 1024;

fn scope() -> Scope {
    Scope::of_function("arn:aws:lambda:us-east-1:000000000000:function:f", "")
}

/// As Lambda's runtime reads it; nothing else reaches a function.
fn event(data: &[u8]) -> Option<Value> {
    let value = || serde_json::from_slice(data).ok();
    (data.len() <= EVENT_LIMIT).then(value).flatten()
}

/// What is refused is told in one short line, which goes into a log and into a dead-letter queue.
fn told<T: Debug, E: Display>(read: Result<T, E>) -> Option<T> {
    let error = match read {
        Ok(read) => return Some(read),
        Err(error) => error.to_string(),
    };
    assert!((1..=8000).contains(&error.len()), "an error of {} bytes", error.len());
    assert!(!error.chars().any(char::is_control), "{error:?}");
    None
}

/// Whatever is taken says that it is from where it must be from.
fn is_ours(event: &Value, source: &str) {
    assert_eq!(event["source"], source);
    assert_eq!(event["account"], "000000000000");
    assert_eq!(event["region"], "us-east-1");
}

/// `Object Created`.
pub fn arrival(data: &[u8]) {
    let Some(event) = event(data) else { return };
    let Some(Some(arrived)) = told(read_arrival(event.clone(), &scope(), BUCKET)) else { return };
    is_ours(&event, "aws.s3");
    assert_eq!(arrived.object.bucket, BUCKET);
    let id = RunId::arrival("p", &arrived.object);
    assert_eq!(RunId::parse(id.as_str()), Ok(id));
    assert!(!arrived.object.is_older_than(&arrived.object));
    // It becomes a sort key, and is stored whole.
    let _ = arrived.object.version();
    let stored = serde_json::to_string(&arrived.object).expect("an object is JSON");
    assert_eq!(serde_json::from_str(&stored).ok(), Some(arrived.object));
    let stored: Option<jiff::Timestamp> = format!("{:.3}", arrived.at).parse().ok();
    assert_eq!(stored.map(|at| at.as_second()), Some(arrived.at.as_second()));
}

/// The status of an execution or of a step.
pub fn pipeline_status(data: &[u8]) {
    let Some(event) = event(data) else { return };
    let Some(news) = told(read_pipeline_status(event.clone(), &scope())) else { return };
    is_ours(&event, "aws.sagemaker");
    match told(news.change()) {
        Some(StatusChange::Execution(status)) => {
            assert_eq!(event["detail"]["currentPipelineExecutionStatus"], status.as_str());
        }
        Some(StatusChange::Step(change)) => assert_eq!(event["detail"]["currentStepStatus"], change.status.as_str()),
        None => {}
    }
}

/// The state of an endpoint.
pub fn endpoint_status(data: &[u8]) {
    let Some(event) = event(data) else { return };
    let Some(news) = told(read_endpoint_status(event.clone(), &scope())) else { return };
    is_ours(&event, "aws.sagemaker");
    assert_eq!(event["detail"]["EndpointName"], news.name);
}

/// A change of a model package.
pub fn model_package(data: &[u8]) {
    let Some(event) = event(data) else { return };
    let Some(Some(decided)) = told(read_model_package(event.clone(), &scope())) else { return };
    is_ours(&event, "aws.sagemaker");
    assert_eq!(event["detail"]["ModelApprovalStatus"], format!("{:?}", decided.approval));
}

/// What the function on-schedule is asked for.
pub fn schedule(data: &[u8]) {
    let Some(event) = event(data) else { return };
    let fires = event.get("kind").is_none();
    let Some(errand) = told(read_errand(event)) else { return };
    assert_eq!(matches!(errand, Errand::Fire(_)), fires);
}

/// A request of CloudFormation: read, and answered within what CloudFormation takes.
pub fn resource_request(data: &[u8]) {
    let Some(event) = event(data) else { return };
    let Some(envelope) = told(Envelope::parse(&event)) else { return };
    let answer = match Kind::parse(&envelope) {
        Err(error) => Answer::failed(PhysicalId::when_failed(&envelope), &error.to_string()),
        Ok(Kind::Settings(properties)) => match told(properties.into_deployment(&envelope)) {
            Some(_) => Answer::done(PhysicalId::settings(), Value::Null),
            None => return,
        },
        Ok(Kind::PipelineGone(Some(name))) => {
            assert!(name.len() <= 256, "{name}");
            return;
        }
        Ok(_) => return,
    };
    let body = answer.body(&envelope);
    // What CloudFormation itself gave comes back whole; the rest is cut.
    let given = [
        &envelope.stack_id,
        &envelope.request_id,
        &envelope.logical_id,
        envelope.physical_id.as_ref().unwrap_or(&envelope.stack_id),
    ];
    let given: usize = given.iter().map(|text| text.len() * 6).sum();
    assert!(body.len() <= 4096 + given, "an answer of {} bytes", body.len());
    assert!(serde_json::from_str::<Value>(&body).is_ok());
}

/// A manifest: keys of this bucket, under `raw/`, each once.
pub fn manifest(data: &[u8]) {
    match manifest_keys(data, BUCKET) {
        Err(reason) => assert!((1..=8000).contains(&reason.len()), "{} bytes", reason.len()),
        Ok(keys) => {
            assert!(keys.len() <= 500);
            assert!(keys.iter().all(|key| key.starts_with("raw/") && key.len() <= 1024));
            let once: std::collections::BTreeSet<&String> = keys.iter().collect();
            assert_eq!(once.len(), keys.len());
        }
    }
}
