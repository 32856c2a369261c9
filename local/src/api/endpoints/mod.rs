//! Endpoints: their state. What serves them is in `hosting`.

mod deployment;

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use deployment::Deployment;
use deployment::resolve;

use super::listing::{ListRequest, Listed, Usually, list as list_page};
use super::tags::{self, Tag};
use super::{Error, Operation, Result, epoch, operations, put};
use crate::engine::Engine;
use crate::hosting;
use crate::store::Document;

/// The operations of this module.
pub(super) fn operations() -> &'static [Operation] {
    operations! {
        "CreateEndpoint" => create,
        "UpdateEndpoint" => update,
        "DeleteEndpoint" => delete,
        "DescribeEndpoint" => describe,
        "ListEndpoints" => list,
    }
}

/// What an endpoint is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// The first deployment starts.
    Creating,
    /// Another deployment starts beside the one that serves.
    Updating,
    /// The other deployment did not start; the old one serves.
    RollingBack,
    /// It serves.
    InService,
    /// The first deployment did not start.
    Failed,
    /// It is being deleted.
    Deleting,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::Creating => "Creating",
            Self::Updating => "Updating",
            Self::RollingBack => "RollingBack",
            Self::InService => "InService",
            Self::Failed => "Failed",
            Self::Deleting => "Deleting",
        }
    }

    /// The same in an event, where it is upper snake case.
    fn event_name(self) -> &'static str {
        match self {
            Self::Creating => "CREATING",
            Self::Updating => "UPDATING",
            Self::RollingBack => "ROLLING_BACK",
            Self::InService => "IN_SERVICE",
            Self::Failed => "FAILED",
            Self::Deleting => "DELETING",
        }
    }
}

/// An endpoint. Its key in the store is its name in lower case.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Endpoint {
    /// Name.
    pub name: String,
    /// ARN.
    pub arn: String,
    /// The configuration that serves, or that was to serve first.
    pub config_name: String,
    /// Status.
    pub status: Status,
    /// Why the last deployment failed.
    pub failure_reason: Option<String>,
    /// Time of creation.
    pub creation_time: Timestamp,
    /// Time of the last change.
    pub last_modified_time: Timestamp,
    /// What serves.
    pub live: Option<Deployment>,
    /// What is starting.
    pub pending: Option<Deployment>,
    /// `DeploymentConfig` of the last update, told back only.
    pub deployment_config: Option<Value>,
}

impl Document for Endpoint {
    const KIND: &'static str = "endpoint";
}

impl Listed for Endpoint {
    fn name(&self) -> &str {
        &self.name
    }
    fn created(&self) -> Timestamp {
        self.creation_time
    }
    fn modified(&self) -> Timestamp {
        self.last_modified_time
    }
    fn status(&self) -> &str {
        self.status.name()
    }
}

/// The endpoint of this name.
///
/// # Errors
/// `ValidationException`, as SageMaker answers for a missing endpoint.
pub fn find(engine: &Engine, name: &str) -> Result<Endpoint> {
    engine.store.get::<Endpoint>(&name.to_lowercase())?.ok_or_else(|| missing(engine, name))
}

fn missing(engine: &Engine, name: &str) -> Error {
    Error::validation(format!("Could not find endpoint \"{}\".", arn(engine, name)))
}

fn arn(engine: &Engine, name: &str) -> String {
    engine.arn(&format!("endpoint/{}", name.to_lowercase()))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    endpoint_name: String,
    endpoint_config_name: String,
    deployment_config: Option<Value>,
    #[serde(default)]
    tags: Vec<Tag>,
}

async fn create(engine: Arc<Engine>, request: Request) -> Result {
    tags::check(&request.tags)?;
    let deployment = resolve(&engine, &request.endpoint_config_name)?;
    let now = engine.now();
    let endpoint = Endpoint {
        arn: arn(&engine, &request.endpoint_name),
        name: request.endpoint_name,
        config_name: deployment.config_name.clone(),
        status: Status::Creating,
        failure_reason: None,
        creation_time: now,
        last_modified_time: now,
        live: None,
        pending: Some(deployment),
        deployment_config: request.deployment_config,
    };
    in_order(&engine, || {
        if !engine.store.create(&endpoint.name.to_lowercase(), &endpoint)? {
            return Err(Error::validation(format!("Cannot create already existing endpoint \"{}\".", endpoint.arn)));
        }
        tags::set(&engine, &endpoint.arn, request.tags)?;
        emit(&engine, &endpoint, endpoint.status.event_name())
    })?;
    hosting::roll_out(&engine, &endpoint.name);
    Ok(json!({"EndpointArn": endpoint.arn}))
}

async fn update(engine: Arc<Engine>, request: Request) -> Result {
    find(&engine, &request.endpoint_name)?;
    let deployment = resolve(&engine, &request.endpoint_config_name)?;
    let endpoint = change(&engine, &request.endpoint_name, |endpoint| {
        match endpoint.status {
            Status::InService => {}
            Status::Failed => {
                return Err(Error::validation(format!(
                    "Cannot update failed endpoint \"{}\"; it can only be deleted.",
                    endpoint.arn
                )));
            }
            _ => return Err(in_progress(endpoint)),
        }
        endpoint.status = Status::Updating;
        endpoint.pending = Some(deployment);
        endpoint.deployment_config = request.deployment_config;
        Ok(())
    })?;
    hosting::roll_out(&engine, &endpoint.name);
    Ok(json!({"EndpointArn": endpoint.arn}))
}

fn in_progress(endpoint: &Endpoint) -> Error {
    Error::validation(format!("Cannot update in-progress endpoint \"{}\".", endpoint.arn))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NameRequest {
    endpoint_name: String,
}

async fn delete(engine: Arc<Engine>, request: NameRequest) -> Result {
    let endpoint = change(&engine, &request.endpoint_name, |endpoint| {
        if !matches!(endpoint.status, Status::InService | Status::Failed) {
            return Err(in_progress(endpoint));
        }
        endpoint.status = Status::Deleting;
        Ok(())
    })?;
    hosting::take_down(&engine, &endpoint.name);
    Ok(Value::Null)
}

async fn describe(engine: Arc<Engine>, request: NameRequest) -> Result {
    let endpoint = find(&engine, &request.endpoint_name)?;
    let mut answer = json!({
        "EndpointName": endpoint.name,
        "EndpointArn": endpoint.arn,
        "EndpointConfigName": endpoint.config_name,
        "EndpointStatus": endpoint.status.name(),
        "CreationTime": epoch(endpoint.creation_time),
        "LastModifiedTime": epoch(endpoint.last_modified_time),
    });
    put(&mut answer, "FailureReason", endpoint.failure_reason);
    put(&mut answer, "ProductionVariants", endpoint.live.as_ref().map(|live| json!([summary(live)])));
    put(&mut answer, "LastDeploymentConfig", endpoint.deployment_config);
    if let (Status::Updating | Status::RollingBack, Some(pending)) = (endpoint.status, &endpoint.pending) {
        let pending = json!({
            "EndpointConfigName": pending.config_name,
            "StartTime": epoch(pending.requested),
            "ProductionVariants": [summary(pending)],
        });
        put(&mut answer, "PendingDeploymentSummary", Some(pending));
    }
    Ok(answer)
}

fn summary(deployment: &Deployment) -> Value {
    let image = deployment.container.image.as_deref().unwrap_or_default();
    json!({
        "VariantName": deployment.variant,
        "DeployedImages": [{
            "SpecifiedImage": image,
            "ResolvedImage": image,
            "ResolutionTime": epoch(deployment.requested),
        }],
        "CurrentWeight": deployment.weight,
        "DesiredWeight": deployment.weight,
        "CurrentInstanceCount": deployment.instances,
        "DesiredInstanceCount": deployment.instances,
    })
}

async fn list(engine: Arc<Engine>, request: ListRequest) -> Result {
    let all = engine.store.list::<Endpoint>()?;
    let found = list_page("ListEndpoints", all, &request, Usually::Descending)?;
    let endpoints = found.items.into_iter().map(|endpoint| {
        json!({
            "EndpointName": endpoint.name,
            "EndpointArn": endpoint.arn,
            "CreationTime": epoch(endpoint.creation_time),
            "LastModifiedTime": epoch(endpoint.last_modified_time),
            "EndpointStatus": endpoint.status.name(),
        })
    });
    let mut answer = json!({"Endpoints": endpoints.collect::<Vec<Value>>()});
    put(&mut answer, "NextToken", found.next_token);
    Ok(answer)
}

/// Holds changes of endpoints and their events in one order.
#[derive(Debug, Default)]
struct Order(Mutex<()>);

fn in_order<T>(engine: &Engine, change: impl FnOnce() -> Result<T>) -> Result<T> {
    let order: Arc<Order> = engine.part();
    let _held = order.0.lock().unwrap_or_else(PoisonError::into_inner);
    change()
}

/// Changes an endpoint, sets its time, and tells the local EventBridge when its status changed.
///
/// # Errors
/// The closure's own, with nothing changed; `ValidationException` when there is no such endpoint.
pub(crate) fn change(
    engine: &Engine,
    name: &str,
    change: impl FnOnce(&mut Endpoint) -> Result<()>,
) -> Result<Endpoint> {
    let now = engine.now();
    in_order(engine, || {
        let changed = engine.store.update(&name.to_lowercase(), |endpoint: &mut Endpoint| {
            let before = endpoint.status;
            change(endpoint)?;
            endpoint.last_modified_time = now;
            Ok::<_, Error>((endpoint.clone(), before != endpoint.status))
        })?;
        let (endpoint, moved) = changed.ok_or_else(|| missing(engine, name))?;
        if moved {
            emit(engine, &endpoint, endpoint.status.event_name())?;
        }
        Ok(endpoint)
    })
}

/// Forgets an endpoint, once nothing serves it.
pub(crate) fn forget(engine: &Engine, name: &str) -> Result<()> {
    in_order(engine, || {
        if let Some(mut endpoint) = engine.store.delete::<Endpoint>(&name.to_lowercase())? {
            endpoint.last_modified_time = engine.now();
            emit(engine, &endpoint, "DELETED")?;
            tags::forget(engine, &endpoint.arn)?;
        }
        Ok(())
    })
}

fn emit(engine: &Engine, endpoint: &Endpoint, status: &str) -> Result<()> {
    let variants: Vec<Value> = endpoint
        .live
        .iter()
        .chain(&endpoint.pending)
        .take(1)
        .map(|deployment| {
            json!({
                "VariantName": deployment.variant,
                "DesiredWeight": deployment.weight,
                "DesiredInstanceCount": f64::from(deployment.instances),
            })
        })
        .collect();
    // Times are milliseconds in this event, and a double.
    let milliseconds = |time: Timestamp| epoch(time).as_f64().map(|seconds| (seconds * 1000.0).round());
    let detail = json!({
        "EndpointName": endpoint.name,
        "EndpointArn": endpoint.arn,
        "EndpointConfigName": endpoint.config_name,
        "ProductionVariants": variants,
        "EndpointStatus": status,
        "CreationTime": milliseconds(endpoint.creation_time),
        "LastModifiedTime": milliseconds(endpoint.last_modified_time),
        "Tags": tags::object(engine, &endpoint.arn)?,
    });
    engine.events.emit("SageMaker Endpoint State Change", std::slice::from_ref(&endpoint.arn), &detail)?;
    Ok(())
}
