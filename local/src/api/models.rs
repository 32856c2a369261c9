//! Models: a container and the data it serves.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::listing::{ListRequest, Listed, Usually, list as list_page};
use super::tags;
use super::{Error, Operation, Result, epoch, model_packages, operations, put, security};
use crate::engine::Engine;
use crate::jobs::transfer::split_uri;
use crate::store::Document;

/// The operations of this module.
pub(super) fn operations() -> &'static [Operation] {
    operations! {
        "CreateModel" => create,
        "DescribeModel" => describe,
        "DeleteModel" => delete,
        "ListModels" => list,
    }
}

/// A model. Its key in the store is its name in lower case.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Model {
    /// Name.
    pub name: String,
    /// ARN.
    pub arn: String,
    /// Time of creation.
    pub creation_time: Timestamp,
    /// What CreateModel was sent, without the tags.
    pub request: Map<String, Value>,
}

/// The parts of a container definition that decide what is served.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Container {
    /// Image URI.
    pub image: Option<String>,
    /// `s3://` URI of the model's tar.gz, or of a folder when it ends in a slash.
    pub model_data_url: Option<String>,
    /// The same said in the longer form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_data_source: Option<Value>,
    /// Environment of the container.
    pub environment: BTreeMap<String, String>,
    /// Name or ARN of a model package that gives image and data.
    pub model_package_name: Option<String>,
}

impl Document for Model {
    const KIND: &'static str = "model";
}

impl Listed for Model {
    fn name(&self) -> &str {
        &self.name
    }
    fn created(&self) -> Timestamp {
        self.creation_time
    }
}

impl Model {
    /// The containers: the primary one, or those of an inference pipeline in their order.
    ///
    /// # Errors
    /// When the stored request does not hold containers, which creation has ruled out.
    pub fn containers(&self) -> Result<Vec<Container>> {
        let one = self.request.get("PrimaryContainer").filter(|value| !value.is_null());
        let many = self.request.get("Containers").and_then(Value::as_array);
        one.into_iter().chain(many.into_iter().flatten()).map(Container::of).collect()
    }
}

impl Container {
    /// A container definition of a request, its data always as `model_data_url`.
    pub(crate) fn of(definition: &Value) -> Result<Self> {
        let mut container: Self = super::read(definition.clone())?;
        if definition.get("Mode").is_some_and(|mode| mode == "MultiModel") {
            return Err(Error::validation("The local engine does not have containers of the mode MultiModel."));
        }
        let Some(source) = container.model_data_source.take() else { return Ok(container) };
        if container.model_data_url.is_some() {
            return Err(Error::validation("Only one of ModelDataUrl and ModelDataSource can be provided."));
        }
        let text = |name: &str| source.pointer(&format!("/S3DataSource/{name}")).and_then(Value::as_str);
        let uri = text("S3Uri").unwrap_or_default();
        container.model_data_url = match (text("S3DataType"), text("CompressionType")) {
            (Some("S3Object"), Some("Gzip")) => Some(uri.to_owned()),
            (Some("S3Prefix"), Some("None")) => Some(format!("{}/", uri.trim_end_matches('/'))),
            (kind, compression) => {
                return Err(Error::validation(format!(
                    "The local engine does not read model data as {} with compression {}.",
                    kind.unwrap_or("an unknown type"),
                    compression.unwrap_or("unset")
                )));
            }
        };
        Ok(container)
    }
}

/// The model of this name.
///
/// # Errors
/// `ValidationException`, as SageMaker answers for a missing model.
pub fn find(engine: &Engine, name: &str) -> Result<Model> {
    engine.store.get::<Model>(&name.to_lowercase())?.ok_or_else(|| missing(engine, name))
}

fn missing(engine: &Engine, name: &str) -> Error {
    Error::validation(format!("Could not find model \"{}\".", arn(engine, name)))
}

fn arn(engine: &Engine, name: &str) -> String {
    engine.arn(&format!("model/{}", name.to_lowercase()))
}

async fn create(engine: Arc<Engine>, mut request: Map<String, Value>) -> Result {
    let given = tags::take(&mut request)?;
    let name = request.get("ModelName").and_then(Value::as_str).unwrap_or_default().to_owned();
    let model = Model { arn: arn(&engine, &name), creation_time: engine.now(), request, name };
    let has = |member: &str| model.request.get(member).is_some_and(|value| !value.is_null());
    if has("PrimaryContainer") == has("Containers") {
        return Err(Error::validation("Exactly one of PrimaryContainer and Containers must be provided."));
    }
    let containers = model.containers()?;
    if containers.is_empty() {
        return Err(Error::validation("Containers must have at least one container."));
    }
    security::network(model.request.get("VpcConfig"))?;
    if engine.store.get::<Model>(&model.name.to_lowercase())?.is_some() {
        return Err(exists(&model));
    }
    for container in &containers {
        check(&engine, container).await?;
    }
    if !engine.store.create(&model.name.to_lowercase(), &model)? {
        return Err(exists(&model));
    }
    tags::set(&engine, &model.arn, given)?;
    Ok(json!({"ModelArn": model.arn}))
}

fn exists(model: &Model) -> Error {
    Error::validation(format!("Cannot create already existing model \"{}\".", model.arn))
}

/// SageMaker looks whether it can read the data before it takes the model.
async fn check(engine: &Engine, container: &Container) -> Result<()> {
    if let Some(package) = &container.model_package_name {
        model_packages::find(engine, package)?;
        return Ok(());
    }
    if container.image.is_none() {
        return Err(Error::validation("A container must have an Image or a ModelPackageName."));
    }
    let Some(url) = &container.model_data_url else { return Ok(()) };
    let (bucket, key) = split_uri(url)
        .map_err(|_| Error::validation(format!("ModelDataUrl {url} is not an S3 URI, s3://bucket/key.")))?;
    if key.ends_with('/') || key.is_empty() {
        return Ok(());
    }
    let head = engine.s3.head_object().bucket(bucket).key(key).send().await;
    head.map(|_| ()).map_err(|error| super::s3_refusal("model data", url, error))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NameRequest {
    model_name: String,
}

async fn describe(engine: Arc<Engine>, request: NameRequest) -> Result {
    let model = find(&engine, &request.model_name)?;
    let mut answer = Value::Object(model.request);
    put(&mut answer, "ModelArn", Some(model.arn));
    put(&mut answer, "CreationTime", Some(epoch(model.creation_time)));
    if answer.get("EnableNetworkIsolation").is_none() {
        put(&mut answer, "EnableNetworkIsolation", Some(false));
    }
    Ok(answer)
}

async fn delete(engine: Arc<Engine>, request: NameRequest) -> Result {
    let deleted = engine.store.delete::<Model>(&request.model_name.to_lowercase())?;
    let model = deleted.ok_or_else(|| missing(&engine, &request.model_name))?;
    tags::forget(&engine, &model.arn)?;
    Ok(Value::Null)
}

async fn list(engine: Arc<Engine>, request: ListRequest) -> Result {
    let found = list_page("ListModels", engine.store.list::<Model>()?, &request, Usually::Descending)?;
    let models = found.items.into_iter().map(
        |model| json!({"ModelName": model.name, "ModelArn": model.arn, "CreationTime": epoch(model.creation_time)}),
    );
    let mut answer = json!({"Models": models.collect::<Vec<Value>>()});
    put(&mut answer, "NextToken", found.next_token);
    Ok(answer)
}
