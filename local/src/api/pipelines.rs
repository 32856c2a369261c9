//! Pipelines: the definitions that executions run.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::listing::{ListRequest, Listed, Usually, list as list_page};
use super::tags::{self, Tag};
use super::{Error, Operation, Result, epoch, operations, put};
use crate::engine::Engine;
use crate::execution::{Definition, control};
use crate::store::Document;

/// SageMaker's quota of pipelines in an account and region.
const MOST: usize = 500;
/// The longest definition in bytes.
const LONGEST_DEFINITION: usize = 1_048_576;

/// The operations of this module.
pub(super) fn operations() -> &'static [Operation] {
    operations! {
        "CreatePipeline" => create,
        "UpdatePipeline" => update,
        "DeletePipeline" => delete,
        "DescribePipeline" => describe,
        "ListPipelines" => list,
    }
}

/// A pipeline. Its key in the store is its name in lower case, see [`key`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Pipeline {
    /// Name, as it was written at creation.
    pub name: String,
    /// ARN.
    pub arn: String,
    /// Name for people; the pipeline's name if none was given.
    pub display_name: String,
    /// Description.
    pub description: Option<String>,
    /// The definition, JSON, checked.
    pub definition: String,
    /// The role that steps have.
    pub role_arn: String,
    /// Most steps at once in an execution, when the pipeline bounds them.
    pub max_parallel_steps: Option<u32>,
    /// Time of creation.
    pub creation_time: Timestamp,
    /// Time of the last update.
    pub last_modified_time: Timestamp,
    /// Time of the last start of an execution.
    pub last_run_time: Option<Timestamp>,
    /// The token that it was created with.
    pub client_request_token: String,
    /// Counts updates, from 1.
    pub version: u64,
}

impl Document for Pipeline {
    const KIND: &'static str = "pipeline";
}

impl Listed for Pipeline {
    fn name(&self) -> &str {
        &self.name
    }
    fn created(&self) -> Timestamp {
        self.creation_time
    }
    fn modified(&self) -> Timestamp {
        self.last_modified_time
    }
}

/// The pipeline's key in the store, from a name or an ARN.
#[must_use]
pub fn key(name_or_arn: &str) -> String {
    super::last_part(name_or_arn).to_lowercase()
}

/// The pipeline of this name or ARN.
///
/// # Errors
/// `ResourceNotFound`.
pub fn find(engine: &Engine, name_or_arn: &str) -> Result<Pipeline> {
    let key = key(name_or_arn);
    engine.store.get::<Pipeline>(&key)?.ok_or_else(|| missing(engine, &key))
}

fn missing(engine: &Engine, key: &str) -> Error {
    Error::not_found(format!("Pipeline '{}' does not exist.", engine.arn(&format!("pipeline/{key}"))))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct S3Location {
    bucket: String,
    object_key: String,
    version_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parallelism {
    max_parallel_execution_steps: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateRequest {
    pipeline_name: String,
    pipeline_display_name: Option<String>,
    pipeline_definition: Option<String>,
    pipeline_definition_s3_location: Option<S3Location>,
    pipeline_description: Option<String>,
    client_request_token: String,
    role_arn: String,
    #[serde(default)]
    tags: Vec<Tag>,
    parallelism_configuration: Option<Parallelism>,
}

async fn create(engine: Arc<Engine>, request: CreateRequest) -> Result {
    tags::check(&request.tags)?;
    let key = key(&request.pipeline_name);
    let definition = definition(&engine, request.pipeline_definition, request.pipeline_definition_s3_location).await?;
    let Some(definition) = definition else {
        return Err(Error::validation("Either PipelineDefinition or PipelineDefinitionS3Location must be provided."));
    };
    let now = engine.now();
    let pipeline = Pipeline {
        arn: engine.arn(&format!("pipeline/{key}")),
        display_name: request.pipeline_display_name.unwrap_or_else(|| request.pipeline_name.clone()),
        name: request.pipeline_name,
        description: request.pipeline_description,
        definition,
        role_arn: request.role_arn,
        max_parallel_steps: request.parallelism_configuration.map(|limit| limit.max_parallel_execution_steps),
        creation_time: now,
        last_modified_time: now,
        last_run_time: None,
        client_request_token: request.client_request_token,
        version: 1,
    };
    if engine.store.get::<Pipeline>(&key)?.is_none() && engine.store.list::<Pipeline>()?.len() >= MOST {
        return Err(Error::limit(format!("the account has {MOST} pipelines, which is the most")));
    }
    if engine.store.create(&key, &pipeline)? {
        tags::set(&engine, &pipeline.arn, request.tags)?;
    } else {
        let there = find(&engine, &key)?;
        if there.client_request_token != pipeline.client_request_token {
            return Err(Error::validation(format!(
                "Pipeline names must be unique within an AWS account and region. Pipeline with name ({}) already exists.",
                pipeline.name
            )));
        }
        if there.version == 1 && (&there.definition, &there.role_arn) != (&pipeline.definition, &pipeline.role_arn) {
            return Err(Error::conflict("the ClientRequestToken was used to create this pipeline with other content"));
        }
    }
    Ok(json!({"PipelineArn": pipeline.arn}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateRequest {
    pipeline_name: String,
    pipeline_display_name: Option<String>,
    pipeline_definition: Option<String>,
    pipeline_definition_s3_location: Option<S3Location>,
    pipeline_description: Option<String>,
    role_arn: Option<String>,
    parallelism_configuration: Option<Parallelism>,
}

async fn update(engine: Arc<Engine>, request: UpdateRequest) -> Result {
    let key = key(&request.pipeline_name);
    find(&engine, &key)?;
    let definition = definition(&engine, request.pipeline_definition, request.pipeline_definition_s3_location).await?;
    let now = engine.now();
    let updated = engine.store.update(&key, |pipeline: &mut Pipeline| {
        if let Some(name) = request.pipeline_display_name {
            pipeline.display_name = name;
        }
        if let Some(definition) = definition {
            pipeline.definition = definition;
        }
        if let Some(role) = request.role_arn {
            pipeline.role_arn = role;
        }
        if let Some(limit) = request.parallelism_configuration {
            pipeline.max_parallel_steps = Some(limit.max_parallel_execution_steps);
        }
        pipeline.description = request.pipeline_description.or(pipeline.description.take());
        pipeline.last_modified_time = now;
        pipeline.version += 1;
        Ok::<_, Error>((pipeline.arn.clone(), pipeline.version))
    })?;
    let (arn, version) = updated.ok_or_else(|| missing(&engine, &key))?;
    Ok(json!({"PipelineArn": arn, "PipelineVersionId": version}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NameRequest {
    pipeline_name: String,
    pipeline_version_id: Option<u64>,
}

async fn delete(engine: Arc<Engine>, request: NameRequest) -> Result {
    let pipeline = find(&engine, &request.pipeline_name)?;
    let running = control::of_pipeline(&engine, &pipeline.name)?.iter().filter(|one| !one.status.is_final()).count();
    if running > 0 {
        return Err(Error::conflict(format!(
            "Pipeline '{}' has running executions ({running}); stop them before deleting it.",
            pipeline.arn
        )));
    }
    engine.store.delete::<Pipeline>(&key(&pipeline.name))?;
    tags::forget(&engine, &pipeline.arn)?;
    Ok(json!({"PipelineArn": pipeline.arn}))
}

async fn describe(engine: Arc<Engine>, request: NameRequest) -> Result {
    let pipeline = find(&engine, &request.pipeline_name)?;
    if let Some(version) = request.pipeline_version_id.filter(|version| *version != pipeline.version) {
        return Err(Error::not_found(format!(
            "Pipeline version {version} of '{}' does not exist; the local engine keeps the last one, {}.",
            pipeline.arn, pipeline.version
        )));
    }
    let mut answer = json!({
        "PipelineArn": pipeline.arn,
        "PipelineName": pipeline.name,
        "PipelineDisplayName": pipeline.display_name,
        "PipelineDefinition": pipeline.definition,
        "RoleArn": pipeline.role_arn,
        "PipelineStatus": "Active",
        "CreationTime": epoch(pipeline.creation_time),
        "LastModifiedTime": epoch(pipeline.last_modified_time),
        "CreatedBy": {},
        "LastModifiedBy": {},
    });
    put(&mut answer, "PipelineDescription", pipeline.description);
    put(&mut answer, "LastRunTime", pipeline.last_run_time.map(epoch));
    let parallelism = pipeline.max_parallel_steps.map(|most| json!({"MaxParallelExecutionSteps": most}));
    put(&mut answer, "ParallelismConfiguration", parallelism);
    Ok(answer)
}

async fn list(engine: Arc<Engine>, request: ListRequest) -> Result {
    let found = list_page("ListPipelines", engine.store.list::<Pipeline>()?, &request, Usually::Descending)?;
    let summaries = found.items.into_iter().map(|pipeline| {
        let mut summary = json!({
            "PipelineArn": pipeline.arn,
            "PipelineName": pipeline.name,
            "PipelineDisplayName": pipeline.display_name,
            "RoleArn": pipeline.role_arn,
            "CreationTime": epoch(pipeline.creation_time),
            "LastModifiedTime": epoch(pipeline.last_modified_time),
        });
        put(&mut summary, "PipelineDescription", pipeline.description);
        put(&mut summary, "LastExecutionTime", pipeline.last_run_time.map(epoch));
        summary
    });
    let mut answer = json!({"PipelineSummaries": summaries.collect::<Vec<Value>>()});
    put(&mut answer, "NextToken", found.next_token);
    Ok(answer)
}

/// The definition of a request, checked; `None` when it has none.
async fn definition(engine: &Engine, body: Option<String>, location: Option<S3Location>) -> Result<Option<String>> {
    let text = match (body, location) {
        (Some(_), Some(_)) => {
            return Err(Error::validation(
                "Only one of PipelineDefinition and PipelineDefinitionS3Location can be provided.",
            ));
        }
        (None, None) => return Ok(None),
        (Some(body), None) => body,
        (None, Some(location)) => fetch(engine, &location).await?,
    };
    Definition::parse(&text).map_err(Error::validation)?;
    Ok(Some(text))
}

async fn fetch(engine: &Engine, location: &S3Location) -> Result<String> {
    let uri = format!("s3://{}/{}", location.bucket, location.object_key);
    let request = engine.s3.get_object().bucket(&location.bucket).key(&location.object_key);
    let object = request.set_version_id(location.version_id.clone()).send().await;
    let object = object.map_err(|error| super::s3_refusal("pipeline definition", &uri, error))?;
    let body = object.body.collect().await;
    let body = body.map_err(|error| Error::internal(format!("cannot read {uri}: {error}")))?.into_bytes();
    if body.len() > LONGEST_DEFINITION {
        return Err(Error::validation(format!(
            "The pipeline definition at {uri} has {} bytes; the most is {LONGEST_DEFINITION}.",
            body.len()
        )));
    }
    String::from_utf8(body.to_vec())
        .map_err(|_| Error::validation(format!("The pipeline definition at {uri} is not UTF-8.")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Code;
    use crate::engine::testing::{engine, folder};

    fn definition(message: &str) -> String {
        let step = json!({"Name": "F", "Type": "Fail", "Arguments": {"ErrorMessage": message}});
        json!({"Version": "2020-12-01", "Steps": [step]}).to_string()
    }

    fn request(token: &str, message: &str) -> Value {
        json!({"PipelineName": "My-Pipe", "PipelineDefinition": definition(message), "RoleArn": "arn:r",
            "ClientRequestToken": token, "Tags": [{"Key": "k", "Value": "v"}]})
    }

    #[tokio::test]
    async fn a_token_makes_one_pipeline() {
        let folder = folder();
        let engine = engine(&folder.0);
        let made = engine.call("CreatePipeline", request("t", "no")).await.unwrap();
        assert_eq!(made["PipelineArn"], "arn:aws:sagemaker:us-east-1:000000000000:pipeline/my-pipe");
        assert_eq!(engine.call("CreatePipeline", request("t", "no")).await.unwrap(), made);
        assert_eq!(engine.call("CreatePipeline", request("t", "yes")).await.unwrap_err().code, Code::Conflict);
        let taken = engine.call("CreatePipeline", request("u", "no")).await.unwrap_err();
        assert!(taken.code == Code::Validation && taken.message.contains("(My-Pipe) already exists"), "{taken}");
        let tags = engine.call("ListTags", json!({"ResourceArn": made["PipelineArn"]})).await.unwrap();
        assert_eq!(tags["Tags"], json!([{"Key": "k", "Value": "v"}]));
    }

    #[tokio::test]
    async fn an_update_changes_what_it_names_and_nothing_when_it_is_wrong() {
        let folder = folder();
        let engine = engine(&folder.0);
        engine.call("CreatePipeline", request("t", "no")).await.unwrap();
        let update = |change: Value| {
            let mut request = json!({"PipelineName": "My-Pipe"});
            request.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            engine.call("UpdatePipeline", request)
        };
        let wrong = update(json!({"PipelineDefinition": "{", "RoleArn": "arn:other"})).await.unwrap_err();
        assert_eq!(wrong.code, Code::Validation);
        update(json!({"PipelineDefinition": definition("yes")})).await.unwrap();
        let now = engine.call("DescribePipeline", json!({"PipelineName": "my-pipe"})).await.unwrap();
        assert_eq!(now["PipelineDefinition"], definition("yes"));
        assert_eq!((&now["RoleArn"], &now["PipelineName"]), (&json!("arn:r"), &json!("My-Pipe")));
    }

    #[tokio::test]
    async fn a_missing_pipeline_is_not_found_by_its_arn() {
        let folder = folder();
        let engine = engine(&folder.0);
        for operation in ["DescribePipeline", "UpdatePipeline", "DeletePipeline"] {
            let error = engine.call(operation, json!({"PipelineName": "Nope"})).await.unwrap_err();
            assert_eq!(error.code, Code::ResourceNotFound, "{operation}");
            let arn = "arn:aws:sagemaker:us-east-1:000000000000:pipeline/nope";
            assert_eq!(error.message, format!("Pipeline '{arn}' does not exist."));
        }
    }
}
