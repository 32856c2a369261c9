//! One attempt at a step.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::definition::{Step, StepKind};
use super::events::iso;
use super::expr::{self, Scope};
use super::record::{Execution, StepStatus};
use super::retry::Failure;
use super::step::{Break, Done, Run};
use super::{cache, condition, names};
use crate::jobs::{self, Kind, Status, transfer};

/// How often an endpoint is looked at until it is in service.
const POLL: Duration = Duration::from_millis(300);

/// Makes the step's request anew.
pub(super) async fn start(run: &Run, step: &Step) -> Result<Done, Break> {
    if run.stop.is_cancelled() {
        return Err(Break::Stopped);
    }
    let execution = run.execution()?;
    let scope = scope(run, step, &execution).await?;
    let arguments = expr::resolve(&step.arguments, &scope);
    let arguments = arguments.map_err(|reason| Break::Failed(Failure::client(&reason)))?;
    match step.kind {
        StepKind::Condition => decide(&arguments),
        StepKind::Fail => {
            let message = arguments.get("ErrorMessage").and_then(Value::as_str).unwrap_or_default();
            Err(Break::Failed(Failure { kinds: &[], reason: message.to_owned() }))
        }
        StepKind::Processing => job(run, step, Kind::Processing, &execution, arguments).await,
        StepKind::Training => job(run, step, Kind::Training, &execution, arguments).await,
        StepKind::Model => resource(run, step, "Model", &execution, arguments).await,
        StepKind::EndpointConfig => resource(run, step, "EndpointConfig", &execution, arguments).await,
        StepKind::Endpoint => {
            let done = resource(run, step, "Endpoint", &execution, arguments).await?;
            let name = done.properties.get("EndpointName").and_then(Value::as_str).unwrap_or_default();
            in_service(run, name).await
        }
        StepKind::RegisterModel => register(run, step, &execution, arguments).await,
    }
}

/// Goes on with what an earlier engine started: `name` is the job or endpoint it made, or was about to make.
pub(super) async fn take_up(run: &Run, step: &Step, name: &str) -> Result<Done, Break> {
    let kind = match step.kind {
        StepKind::Training => Kind::Training,
        StepKind::Processing => Kind::Processing,
        StepKind::Endpoint => return in_service(run, name).await,
        _ => return start(run, step).await,
    };
    match jobs::find(&run.engine, kind, name)? {
        Some(_) => follow(run, step, kind, name).await,
        None => start(run, step).await,
    }
}

/// What the step's expressions are resolved against.
async fn scope(run: &Run, step: &Step, execution: &Execution) -> Result<Scope, Break> {
    let mut scope = Scope::default();
    for parameter in &run.definition.parameters {
        let value = match execution.parameters.get(&parameter.name) {
            Some(text) => Some(parameter.value_of(text).map_err(|reason| Break::Failed(Failure::client(&reason)))?),
            None => parameter.default.clone(),
        };
        scope.parameters.extend(value.map(|value| (parameter.name.clone(), value)));
    }
    scope.execution = [
        ("PipelineExecutionId", execution.id.clone()),
        ("PipelineExecutionArn", execution.arn.clone()),
        ("PipelineName", execution.pipeline_name.clone()),
        ("PipelineArn", execution.pipeline_arn.clone()),
        ("StartDateTime", iso(execution.created)),
        ("CurrentDateTime", iso(run.engine.now())),
    ]
    .map(|(name, value)| (name.to_owned(), Value::from(value)))
    .into();
    scope.steps = execution.steps.iter().map(|record| (record.name.clone(), record.properties.clone())).collect();
    let wanted = expr::property_files(&step.arguments).map_err(|reason| Break::Failed(Failure::client(&reason)))?;
    for (from, file) in wanted {
        let content = property_file(run, &scope, &from, &file).await;
        scope.files.insert((from, file), content);
    }
    Ok(scope)
}

/// The content of a property file, from the S3 output that holds it.
async fn property_file(run: &Run, scope: &Scope, step: &str, name: &str) -> Result<Value, String> {
    let known = run.definition.step(step).and_then(|step| step.property_files.iter().find(|file| file.name == name));
    let known = known.ok_or_else(|| format!("the step `{step}` has no property file `{name}`"))?;
    let path = super::path::parse("ProcessingOutputConfig.Outputs")?;
    let outputs = scope.steps.get(step).and_then(|properties| super::path::get(properties, &path));
    let output = outputs.and_then(Value::as_array).and_then(|outputs| {
        outputs.iter().find(|output| output.get("OutputName").and_then(Value::as_str) == Some(&known.output))
    });
    let uri = output.and_then(|output| output.pointer("/S3Output/S3Uri")).and_then(Value::as_str);
    let uri = uri.ok_or_else(|| format!("the step `{step}` has no output `{}`", known.output))?;
    let uri = format!("{}/{}", uri.trim_end_matches('/'), known.path);
    let (bucket, key) = transfer::split_uri(&uri).map_err(|error| error.to_string())?;
    let content = transfer::read(&run.engine.s3, bucket, key).await;
    let content = content.map_err(|error| format!("the property file `{name}` cannot be read: {error}"))?;
    serde_json::from_slice(&content).map_err(|error| format!("the property file `{uri}` is not JSON: {error}"))
}

fn decide(arguments: &Value) -> Result<Done, Break> {
    let conditions = arguments.get("Conditions").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let outcome = condition::all(conditions).map_err(|reason| Break::Failed(Failure::client(&reason)))?;
    let shown = if outcome { "True" } else { "False" };
    Ok(Done {
        properties: json!({"Outcome": shown}),
        metadata: member("Condition", json!({"Outcome": shown})),
        outcome: Some(outcome),
        cache_hit: None,
    })
}

/// A training or processing job, or the result of an earlier one.
async fn job(run: &Run, step: &Step, kind: Kind, execution: &Execution, arguments: Value) -> Result<Done, Break> {
    let name_member = format!("{}JobName", kind.name());
    let mut request = into_object(arguments)?;
    let prefix = request.remove(&name_member);
    let key = cache::key(step.kind, &Value::Object(request.clone()));
    if let Some(age) = step.cache {
        let executions: Vec<Execution> =
            run.engine.store.list_prefix(&super::record::key(&execution.pipeline_name, ""))?;
        if let Some((source, earlier)) = cache::find(&executions, &step.name, &key, age, run.engine.now()) {
            return Ok(Done {
                properties: earlier.properties.clone(),
                metadata: earlier.metadata.clone(),
                outcome: None,
                cache_hit: Some(source.arn.clone()),
            });
        }
    }
    let name = names::resource(&execution.id, &step.name, prefix.as_ref().and_then(Value::as_str));
    // The name is kept before the job exists, so that a later engine finds the job.
    run.change(step, |record| {
        record.job = Some(name.clone());
        record.cache_key = Some(key);
    })?;
    request.insert(name_member, name.as_str().into());
    let answer = call(run, &format!("Create{}Job", kind.name()), Value::Object(request)).await?;
    let arn = answer.get(format!("{}JobArn", kind.name())).cloned().unwrap_or_default();
    run.change(step, |record| {
        record.status = StepStatus::Executing;
        record.metadata = member(&format!("{}Job", kind.name()), json!({"Arn": arn}));
    })?;
    follow(run, step, kind, &name).await
}

/// Waits for a job's end; stops it when the execution is stopped.
async fn follow(run: &Run, step: &Step, kind: Kind, name: &str) -> Result<Done, Break> {
    let wait = jobs::wait(&run.engine, kind, name);
    tokio::pin!(wait);
    let job = tokio::select! {
        job = &mut wait => job?,
        () = run.stop.cancelled() => {
            run.change(step, |record| record.status = StepStatus::Stopping)?;
            jobs::stop(&run.engine, kind, name)?;
            wait.await?
        }
    };
    let Some(job) = job else {
        return Err(Break::Failed(Failure::client(&format!("the job `{name}` is gone"))));
    };
    match job.status {
        Status::Completed => Ok(Done { properties: job.describe(), ..Done::default() }),
        Status::Failed => Err(Break::Failed(Failure::of_job(job.failure_reason.as_deref().unwrap_or_default()))),
        Status::Stopped if run.stop.is_cancelled() => Err(Break::Stopped),
        Status::Stopped => {
            Err(Break::Failed(Failure::client(&format!("the job `{name}` was stopped ({})", job.secondary()))))
        }
        Status::InProgress | Status::Stopping if run.engine.shutdown.is_cancelled() => Err(Break::Shutdown),
        Status::InProgress | Status::Stopping => Err(Break::Failed(Failure::of_job(&format!(
            "InternalServerError: the job `{name}` ended without a result"
        )))),
    }
}

/// A resource that is there when its request is answered: model, endpoint configuration, endpoint.
async fn resource(run: &Run, step: &Step, kind: &str, execution: &Execution, arguments: Value) -> Result<Done, Break> {
    let name_member = format!("{kind}Name");
    let mut request = into_object(arguments)?;
    let name = match request.get(&name_member).and_then(Value::as_str) {
        Some(name) => name.to_owned(),
        None => names::resource(&execution.id, &step.name, None),
    };
    request.insert(name_member.clone(), name.as_str().into());
    let answer = call(run, &format!("Create{kind}"), Value::Object(request)).await?;
    let arn = answer.get(format!("{kind}Arn")).cloned().unwrap_or_default();
    let metadata = member(kind, json!({"Arn": arn}));
    run.change(step, |record| {
        record.status = StepStatus::Executing;
        record.job = Some(name.clone());
        record.metadata = metadata.clone();
    })?;
    let properties = call(run, &format!("Describe{kind}"), Value::Object(member(&name_member, name.into()))).await?;
    Ok(Done { properties, metadata, ..Done::default() })
}

async fn in_service(run: &Run, name: &str) -> Result<Done, Break> {
    loop {
        let properties = call(run, "DescribeEndpoint", json!({"EndpointName": name})).await?;
        match properties.get("EndpointStatus").and_then(Value::as_str) {
            Some("InService") => return Ok(Done { properties, ..Done::default() }),
            Some("Creating" | "Updating" | "SystemUpdating") => {}
            other => {
                let reason = properties.get("FailureReason").and_then(Value::as_str).unwrap_or_default();
                let status = other.unwrap_or("gone");
                return Err(Break::Failed(Failure::client(&format!("the endpoint `{name}` is {status}: {reason}"))));
            }
        }
        tokio::select! {
            () = tokio::time::sleep(POLL) => {}
            () = run.stop.cancelled() => return Err(Break::Stopped),
            () = run.engine.shutdown.cancelled() => return Err(Break::Shutdown),
        }
    }
}

/// A model package. Its group is made if there is none, as SageMaker does for this step.
async fn register(run: &Run, step: &Step, execution: &Execution, arguments: Value) -> Result<Done, Break> {
    let mut request = into_object(arguments)?;
    if let Some(group) = request.get("ModelPackageGroupName").cloned() {
        let group = json!({"ModelPackageGroupName": group});
        if run.engine.call("DescribeModelPackageGroup", group.clone()).await.is_err() {
            call(run, "CreateModelPackageGroup", group).await?;
        }
    }
    if let Some(properties) = request.entry("MetadataProperties").or_insert_with(|| json!({})).as_object_mut() {
        properties.entry("GeneratedBy").or_insert_with(|| execution.arn.as_str().into());
    }
    let answer = call(run, "CreateModelPackage", Value::Object(request)).await?;
    let arn = answer.get("ModelPackageArn").cloned().unwrap_or_default();
    let metadata = member("RegisterModel", json!({"Arn": arn}));
    run.change(step, |record| {
        record.status = StepStatus::Executing;
        record.metadata = metadata.clone();
    })?;
    let properties = call(run, "DescribeModelPackage", Value::Object(member("ModelPackageName", arn))).await?;
    Ok(Done { properties, metadata, ..Done::default() })
}

async fn call(run: &Run, operation: &str, request: Value) -> Result<Value, Break> {
    let answer = run.engine.call(operation, request).await;
    answer.map_err(|error| Break::Failed(Failure::of_call(operation, &error)))
}

fn member(name: &str, value: Value) -> Map<String, Value> {
    Map::from_iter([(name.to_owned(), value)])
}

fn into_object(arguments: Value) -> Result<Map<String, Value>, Break> {
    match arguments {
        Value::Object(object) => Ok(object),
        other => Err(Break::Failed(Failure::client(&format!("`{other}` is no request")))),
    }
}
