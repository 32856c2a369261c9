//! Pipeline executions.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::listing::{ListRequest, Listed, Usually, list as list_page};
use super::{Error, Operation, Result, epoch, operations, page, pipelines, put};
use crate::engine::Engine;
use crate::execution::control::{self, Start};
use crate::execution::definition::Definition;
use crate::execution::record::{Execution, StepRecord};

/// The operations of this module.
pub(super) fn operations() -> &'static [Operation] {
    operations! {
        "StartPipelineExecution" => start,
        "StopPipelineExecution" => stop,
        "RetryPipelineExecution" => retry,
        "UpdatePipelineExecution" => update,
        "DescribePipelineExecution" => describe,
        "DescribePipelineDefinitionForExecution" => describe_definition,
        "ListPipelineExecutions" => list,
        "ListPipelineExecutionSteps" => list_steps,
        "ListPipelineParametersForExecution" => list_parameters,
    }
}

impl Listed for Execution {
    /// What `SortBy=PipelineExecutionArn` sorts by, within one pipeline.
    fn name(&self) -> &str {
        &self.arn
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

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parallelism {
    max_parallel_execution_steps: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parameter {
    name: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StartRequest {
    pipeline_name: String,
    pipeline_execution_display_name: Option<String>,
    pipeline_execution_description: Option<String>,
    #[serde(default)]
    pipeline_parameters: Vec<Parameter>,
    client_request_token: String,
    parallelism_configuration: Option<Parallelism>,
    selective_execution_config: Option<Value>,
    pipeline_version_id: Option<u64>,
}

async fn start(engine: Arc<Engine>, request: StartRequest) -> Result {
    if request.selective_execution_config.is_some() {
        return Err(Error::validation("the local engine does not have selective execution"));
    }
    if let Some(version) = request.pipeline_version_id {
        let pipeline = pipelines::find(&engine, &request.pipeline_name)?;
        if version != pipeline.version {
            return Err(Error::not_found(format!(
                "Pipeline version {version} of '{}' does not exist; the local engine keeps the last one, {}.",
                pipeline.arn, pipeline.version
            )));
        }
    }
    let start = Start {
        pipeline: request.pipeline_name,
        display_name: request.pipeline_execution_display_name,
        description: request.pipeline_execution_description,
        parameters: request.pipeline_parameters.into_iter().map(|given| (given.name, given.value)).collect(),
        token: request.client_request_token,
        max_parallel: request.parallelism_configuration.map(|limit| limit.max_parallel_execution_steps),
    };
    control::start(&engine, start).map(answer)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ArnRequest {
    pipeline_execution_arn: String,
    #[serde(default)]
    client_request_token: String,
    parallelism_configuration: Option<Parallelism>,
}

async fn stop(engine: Arc<Engine>, request: ArnRequest) -> Result {
    control::stop(&engine, &request.pipeline_execution_arn)?;
    Ok(answer(request.pipeline_execution_arn))
}

async fn retry(engine: Arc<Engine>, request: ArnRequest) -> Result {
    let most = request.parallelism_configuration.map(|limit| limit.max_parallel_execution_steps);
    control::retry(&engine, &request.pipeline_execution_arn, &request.client_request_token, most)?;
    Ok(answer(request.pipeline_execution_arn))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateRequest {
    pipeline_execution_arn: String,
    pipeline_execution_description: Option<String>,
    pipeline_execution_display_name: Option<String>,
    parallelism_configuration: Option<Parallelism>,
}

async fn update(engine: Arc<Engine>, request: UpdateRequest) -> Result {
    control::change(&engine, &request.pipeline_execution_arn, |execution| {
        if let Some(name) = request.pipeline_execution_display_name {
            execution.display_name = name;
        }
        if let Some(limit) = request.parallelism_configuration {
            execution.max_parallel = Some(limit.max_parallel_execution_steps);
        }
        execution.description = request.pipeline_execution_description.or(execution.description.take());
        Ok(())
    })?;
    Ok(answer(request.pipeline_execution_arn))
}

fn answer(arn: String) -> Value {
    json!({"PipelineExecutionArn": arn})
}

async fn describe(engine: Arc<Engine>, request: ArnRequest) -> Result {
    let execution = control::find(&engine, &request.pipeline_execution_arn)?;
    let mut answer = json!({
        "PipelineArn": execution.pipeline_arn,
        "PipelineExecutionArn": execution.arn,
        "PipelineExecutionDisplayName": execution.display_name,
        "PipelineExecutionStatus": execution.status.name(),
        "CreationTime": epoch(execution.created),
        "LastModifiedTime": epoch(execution.modified),
        "CreatedBy": {},
        "LastModifiedBy": {},
    });
    put(&mut answer, "PipelineExecutionDescription", execution.description);
    put(&mut answer, "FailureReason", execution.failure);
    let parallelism = execution.max_parallel.map(|most| json!({"MaxParallelExecutionSteps": most}));
    put(&mut answer, "ParallelismConfiguration", parallelism);
    Ok(answer)
}

async fn describe_definition(engine: Arc<Engine>, request: ArnRequest) -> Result {
    let execution = control::find(&engine, &request.pipeline_execution_arn)?;
    Ok(json!({"PipelineDefinition": execution.definition, "CreationTime": epoch(execution.definition_time)}))
}

async fn list(engine: Arc<Engine>, mut request: Value) -> Result {
    let name = request.get("PipelineName").and_then(Value::as_str).unwrap_or_default();
    let pipeline = pipelines::find(&engine, name)?;
    if request.get("SortBy").and_then(Value::as_str) == Some("PipelineExecutionArn") {
        put(&mut request, "SortBy", Some("Name"));
    }
    let request: ListRequest = super::read(request)?;
    let executions = control::of_pipeline(&engine, &pipeline.name)?;
    let listing = format!("ListPipelineExecutions {}", pipeline.arn);
    let found = list_page(&listing, executions, &request, Usually::Descending)?;
    let summaries = found.items.into_iter().map(|execution| {
        let mut summary = json!({
            "PipelineExecutionArn": execution.arn,
            "StartTime": epoch(execution.created),
            "PipelineExecutionStatus": execution.status.name(),
            "PipelineExecutionDisplayName": execution.display_name,
        });
        put(&mut summary, "PipelineExecutionDescription", execution.description);
        put(&mut summary, "PipelineExecutionFailureReason", execution.failure);
        summary
    });
    let mut answer = json!({"PipelineExecutionSummaries": summaries.collect::<Vec<Value>>()});
    put(&mut answer, "NextToken", found.next_token);
    Ok(answer)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PageRequest {
    pipeline_execution_arn: Option<String>,
    next_token: Option<String>,
    max_results: Option<usize>,
    sort_order: Option<String>,
}

async fn list_steps(engine: Arc<Engine>, request: PageRequest) -> Result {
    let arn = request.pipeline_execution_arn.unwrap_or_default();
    let execution = control::find(&engine, &arn)?;
    let definition = Definition::parse(&execution.definition).unwrap_or_default();
    let ascending = request.sort_order.as_deref() == Some("Ascending");
    let mut steps = execution.steps;
    steps.sort_by_key(|step| step.started);
    if !ascending {
        steps.reverse();
    }
    let listing = format!("ListPipelineExecutionSteps {arn} {ascending}");
    let key = |step: &StepRecord| step.name.clone();
    let found = page(&listing, steps, key, request.max_results, request.next_token.as_deref())?;
    let steps: Vec<Value> = found.items.iter().map(|step| described(step, &definition)).collect();
    let mut answer = json!({"PipelineExecutionSteps": steps});
    put(&mut answer, "NextToken", found.next_token);
    Ok(answer)
}

fn described(step: &StepRecord, definition: &Definition) -> Value {
    let mut answer = json!({
        "StepName": step.name,
        "StartTime": epoch(step.started),
        "StepStatus": step.status.name(),
        "AttemptCount": step.attempts,
        "Metadata": step.metadata,
    });
    let defined = definition.step(&step.name);
    put(&mut answer, "StepDisplayName", defined.and_then(|step| step.display_name.clone()));
    put(&mut answer, "StepDescription", defined.and_then(|step| step.description.clone()));
    put(&mut answer, "EndTime", step.ended.map(epoch));
    put(&mut answer, "FailureReason", step.failure.clone());
    let hit = step.cache_hit.as_ref().map(|source| json!({"SourcePipelineExecutionArn": source}));
    put(&mut answer, "CacheHitResult", hit);
    answer
}

async fn list_parameters(engine: Arc<Engine>, request: PageRequest) -> Result {
    let arn = request.pipeline_execution_arn.unwrap_or_default();
    let execution = control::find(&engine, &arn)?;
    let definition = Definition::parse(&execution.definition).unwrap_or_default();
    let mut parameters = Vec::new();
    for parameter in &definition.parameters {
        let default =
            parameter.default.as_ref().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        if let Some(value) = execution.parameters.get(&parameter.name).cloned().or(default) {
            parameters.push((parameter.name.clone(), value));
        }
    }
    let listing = format!("ListPipelineParametersForExecution {arn}");
    let found =
        page(&listing, parameters, |(name, _)| name.clone(), request.max_results, request.next_token.as_deref())?;
    let parameters: Vec<Value> =
        found.items.into_iter().map(|(name, value)| json!({"Name": name, "Value": value})).collect();
    let mut answer = json!({"PipelineParameters": parameters});
    put(&mut answer, "NextToken", found.next_token);
    Ok(answer)
}
