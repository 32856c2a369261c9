//! Endpoint configurations: which models an endpoint serves, and on what.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::listing::{ListRequest, Listed, Usually, list as list_page};
use super::{Error, Operation, Result, epoch, models, operations, put, security, tags};
use crate::engine::Engine;
use crate::store::Document;

/// The operations of this module.
pub(super) fn operations() -> &'static [Operation] {
    operations! {
        "CreateEndpointConfig" => create,
        "DescribeEndpointConfig" => describe,
        "DeleteEndpointConfig" => delete,
        "ListEndpointConfigs" => list,
    }
}

/// An endpoint configuration. Its key in the store is its name in lower case.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EndpointConfig {
    /// Name.
    pub name: String,
    /// ARN.
    pub arn: String,
    /// Time of creation.
    pub creation_time: Timestamp,
    /// What CreateEndpointConfig was sent, without the tags.
    pub request: Map<String, Value>,
}

/// A production variant, as far as the local engine looks at it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Variant {
    /// Its name.
    pub variant_name: String,
    /// Its model; none for inference components.
    pub model_name: Option<String>,
    /// Instances.
    pub initial_instance_count: Option<u32>,
    /// Instance type; none for a serverless variant.
    pub instance_type: Option<String>,
    /// Its share of the requests.
    pub initial_variant_weight: Option<f64>,
    /// Set for a serverless variant.
    pub serverless_config: Option<Value>,
    /// How long the container may take until it answers a ping, in seconds.
    pub container_startup_health_check_timeout_in_seconds: Option<u64>,
}

impl Document for EndpointConfig {
    const KIND: &'static str = "endpoint-config";
}

impl Listed for EndpointConfig {
    fn name(&self) -> &str {
        &self.name
    }
    fn created(&self) -> Timestamp {
        self.creation_time
    }
}

impl EndpointConfig {
    /// The production variants.
    ///
    /// # Errors
    /// When the stored request holds none, which creation has ruled out.
    pub fn variants(&self) -> Result<Vec<Variant>> {
        super::operation::read(self.request.get("ProductionVariants").cloned().unwrap_or_default())
    }
}

/// The configuration of this name.
///
/// # Errors
/// `ValidationException`, as SageMaker answers for a missing configuration.
pub fn find(engine: &Engine, name: &str) -> Result<EndpointConfig> {
    engine.store.get::<EndpointConfig>(&name.to_lowercase())?.ok_or_else(|| missing(engine, name))
}

fn missing(engine: &Engine, name: &str) -> Error {
    Error::validation(format!("Could not find endpoint configuration \"{}\".", arn(engine, name)))
}

fn arn(engine: &Engine, name: &str) -> String {
    engine.arn(&format!("endpoint-config/{}", name.to_lowercase()))
}

async fn create(engine: Arc<Engine>, mut request: Map<String, Value>) -> Result {
    let given = tags::take(&mut request)?;
    let name = request.get("EndpointConfigName").and_then(Value::as_str).unwrap_or_default().to_owned();
    let config = EndpointConfig { arn: arn(&engine, &name), creation_time: engine.now(), request, name };
    let variants = config.variants()?;
    let mut names = HashSet::new();
    for variant in &variants {
        let shown = &variant.variant_name;
        if !names.insert(shown) {
            return Err(Error::validation(format!("The variant name {shown} is used more than once.")));
        }
        if variant.instance_type.is_none() == variant.serverless_config.is_none() {
            return Err(Error::validation(format!(
                "The variant {shown} must have either InstanceType or ServerlessConfig."
            )));
        }
        if variant.instance_type.is_some() && variant.initial_instance_count.unwrap_or_default() == 0 {
            return Err(Error::validation(format!("The variant {shown} must have InitialInstanceCount of 1 or more.")));
        }
        let instance = variant.instance_type.as_deref().map(Value::from);
        security::volume_key("KmsKeyId", config.request.get("KmsKeyId"), instance.as_ref())?;
        match &variant.model_name {
            Some(model) => drop(models::find(&engine, model)?),
            None => return Err(Error::validation(format!("The variant {shown} must have ModelName."))),
        }
    }
    if !engine.store.create(&config.name.to_lowercase(), &config)? {
        return Err(Error::validation(format!(
            "Cannot create already existing endpoint configuration \"{}\".",
            config.arn
        )));
    }
    tags::set(&engine, &config.arn, given)?;
    Ok(json!({"EndpointConfigArn": config.arn}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NameRequest {
    endpoint_config_name: String,
}

async fn describe(engine: Arc<Engine>, request: NameRequest) -> Result {
    let config = find(&engine, &request.endpoint_config_name)?;
    let mut answer = Value::Object(config.request);
    put(&mut answer, "EndpointConfigArn", Some(config.arn));
    put(&mut answer, "CreationTime", Some(epoch(config.creation_time)));
    if answer.get("EnableNetworkIsolation").is_none() {
        put(&mut answer, "EnableNetworkIsolation", Some(false));
    }
    Ok(answer)
}

async fn delete(engine: Arc<Engine>, request: NameRequest) -> Result {
    let deleted = engine.store.delete::<EndpointConfig>(&request.endpoint_config_name.to_lowercase())?;
    let config = deleted.ok_or_else(|| missing(&engine, &request.endpoint_config_name))?;
    tags::forget(&engine, &config.arn)?;
    Ok(Value::Null)
}

async fn list(engine: Arc<Engine>, request: ListRequest) -> Result {
    let all = engine.store.list::<EndpointConfig>()?;
    let found = list_page("ListEndpointConfigs", all, &request, Usually::Descending)?;
    let configs = found.items.into_iter().map(|config| {
        json!({
            "EndpointConfigName": config.name,
            "EndpointConfigArn": config.arn,
            "CreationTime": epoch(config.creation_time),
        })
    });
    let mut answer = json!({"EndpointConfigs": configs.collect::<Vec<Value>>()});
    put(&mut answer, "NextToken", found.next_token);
    Ok(answer)
}
