use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::super::endpoint_configs::{self, EndpointConfig, Variant};
use super::super::models::{self, Container};
use super::super::{Error, Result, model_packages};
use crate::engine::Engine;

/// SageMaker's own limit for the first ping, unless the variant has another, in seconds.
const STARTUP_TIMEOUT: u64 = 240;
/// Parts of a configuration that change how requests are served, and that the local engine does not have.
const REFUSED: [&str; 3] = ["AsyncInferenceConfig", "ShadowProductionVariants", "ExplainerConfig"];

/// What is served: a configuration's variant with its model resolved, so that it can be started again when
/// configuration and model are deleted, as SageMaker does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Deployment {
    /// Tells deployments of an endpoint apart.
    pub id: String,
    /// Name of the endpoint configuration.
    pub config_name: String,
    /// Name of the production variant.
    pub variant: String,
    /// Its weight.
    pub weight: f64,
    /// Its instances. There is one process whatever their number.
    pub instances: u32,
    /// How long the server may take until it answers, in seconds.
    pub startup_timeout: u64,
    /// Image, data and environment.
    pub container: Container,
    /// When it was asked for.
    pub requested: Timestamp,
}

/// What a configuration deploys now.
pub(super) fn resolve(engine: &Engine, config_name: &str) -> Result<Deployment> {
    let config = endpoint_configs::find(engine, config_name)?;
    check(&config)?;
    let variants = config.variants()?;
    let [variant] = variants.as_slice() else {
        return Err(Error::validation(format!(
            "The local engine serves one production variant on an endpoint; {} has {}.",
            config.name,
            variants.len()
        )));
    };
    let container = container(engine, variant)?;
    Ok(Deployment {
        id: uuid::Uuid::new_v4().simple().to_string().chars().take(12).collect(),
        config_name: config.name.clone(),
        variant: variant.variant_name.clone(),
        weight: variant.initial_variant_weight.unwrap_or(1.0),
        instances: variant.initial_instance_count.unwrap_or(1),
        startup_timeout: variant.container_startup_health_check_timeout_in_seconds.unwrap_or(STARTUP_TIMEOUT),
        container,
        requested: engine.now(),
    })
}

fn check(config: &EndpointConfig) -> Result<()> {
    let has = |member: &&&str| config.request.get(**member).is_some_and(|value| !value.is_null());
    if let Some(member) = REFUSED.iter().find(has) {
        return Err(Error::validation(format!(
            "The local engine does not have {member}; {} cannot be deployed here.",
            config.name
        )));
    }
    let capture = config.request.get("DataCaptureConfig").and_then(|capture| capture.get("EnableCapture"));
    if capture.is_some_and(|enabled| enabled == true) {
        tracing::warn!(config = config.name, "the local engine does not capture data");
    }
    Ok(())
}

fn container(engine: &Engine, variant: &Variant) -> Result<Container> {
    let model = models::find(engine, variant.model_name.as_deref().unwrap_or_default())?;
    let containers = model.containers()?;
    let [container] = containers.as_slice() else {
        return Err(Error::validation(format!(
            "The local engine serves one container on an endpoint; the model {} has {}.",
            model.name,
            containers.len()
        )));
    };
    let Some(package) = &container.model_package_name else { return Ok(container.clone()) };
    let package = model_packages::find(engine, package)?;
    let Some(mut from_package) = package.container()? else {
        return Err(Error::validation(format!("ModelPackage {} has no InferenceSpecification.", package.arn)));
    };
    from_package.environment.extend(container.environment.clone());
    Ok(from_package)
}
