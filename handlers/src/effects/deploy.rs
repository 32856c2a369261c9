//! Roll a model out: model, endpoint configuration, endpoint.

use std::collections::BTreeSet;

use aws_sdk_sagemaker::Client;
use aws_sdk_sagemaker::operation::describe_endpoint::DescribeEndpointOutput;
use aws_sdk_sagemaker::types::{
    ContainerDefinition, EndpointStatus, ProductionVariant, ProductionVariantInstanceType, VpcConfig,
};
use statemachine::config::InstanceType;
use statemachine::definition::JobSecurity;

use super::{CallError, EffectError, Meaning};

/// The one variant of an endpoint, by the name that SageMaker's own SDK gives it.
const VARIANT: &str = "AllTraffic";

pub(super) struct Rollout<'a> {
    pub(super) client: &'a Client,
    pub(super) endpoint: &'a str,
    pub(super) name: &'a str,
    pub(super) package: &'a str,
    pub(super) instance_type: &'a str,
    pub(super) instances: u32,
    pub(super) role_arn: &'a str,
    pub(super) security: &'a JobSecurity,
}

impl Rollout<'_> {
    /// Returns when SageMaker has been asked; how it ends is told by the endpoint's events.
    pub(super) async fn carry_out(&self) -> Result<(), EffectError> {
        self.model().await?;
        self.configuration().await?;
        self.roll_out().await
    }

    async fn model(&self) -> Result<(), EffectError> {
        let container = ContainerDefinition::builder().model_package_name(self.package).build();
        let request = self.client.create_model().model_name(self.name).execution_role_arn(self.role_arn);
        let request = request.primary_container(container).set_vpc_config(self.network());
        let Err(error) = request.send().await else { return Ok(()) };
        let error = CallError::of(error);
        if error.meaning != Meaning::Exists {
            return Err(error.effect(format_args!("model `{}` cannot be made", self.name)));
        }
        let known = self.client.describe_model().model_name(self.name).send().await.map_err(|error| {
            // Deleted between the two calls: the next attempt makes it.
            unless_missing(CallError::of(error), format_args!("model `{}` cannot be looked at", self.name))
        })?;
        let container = known.primary_container().or_else(|| known.containers().first());
        let package = container.and_then(ContainerDefinition::model_package_name);
        let found = if package != Some(self.package) {
            format!("package {}", package.unwrap_or("none"))
        } else if known.execution_role_arn() != Some(self.role_arn) {
            format!("role {}", known.execution_role_arn().unwrap_or("none"))
        } else if attached(known.vpc_config()) != attached(self.network().as_ref()) {
            format!("{}, and this deployment's models have another", shown(known.vpc_config()))
        } else {
            return Ok(());
        };
        Err(self.other("model", &found))
    }

    /// Where the model's containers are attached.
    fn network(&self) -> Option<VpcConfig> {
        let network = self.security.network.as_ref()?;
        let subnets = network.subnets().map(str::to_owned).collect();
        let groups = network.security_groups().map(str::to_owned).collect();
        Some(VpcConfig::builder().set_subnets(Some(subnets)).set_security_group_ids(Some(groups)).build())
    }

    /// The key of the endpoint's volumes, where its instances have any.
    fn volume_key(&self) -> Option<&str> {
        self.security.volume_key_for(InstanceType::new(self.instance_type).ok().as_ref())
    }

    async fn configuration(&self) -> Result<(), EffectError> {
        let count = i32::try_from(self.instances).unwrap_or(i32::MAX);
        let variant = ProductionVariant::builder()
            .variant_name(VARIANT)
            .model_name(self.name)
            .instance_type(ProductionVariantInstanceType::from(self.instance_type))
            .initial_instance_count(count)
            .initial_variant_weight(1.0)
            .build();
        let request = self.client.create_endpoint_config().endpoint_config_name(self.name);
        let request = request.production_variants(variant).set_kms_key_id(self.volume_key().map(str::to_owned));
        let Err(error) = request.send().await else { return Ok(()) };
        let error = CallError::of(error);
        if error.meaning != Meaning::Exists {
            return Err(error.effect(format_args!("endpoint configuration `{}` cannot be made", self.name)));
        }
        let known = self.client.describe_endpoint_config().endpoint_config_name(self.name).send().await;
        let known = known.map_err(|error| {
            let what = format_args!("endpoint configuration `{}` cannot be looked at", self.name);
            unless_missing(CallError::of(error), what)
        })?;
        match known.production_variants() {
            [variant]
                if variant.model_name() == Some(self.name)
                    && variant.instance_type().map(ProductionVariantInstanceType::as_str)
                        == Some(self.instance_type)
                    && variant.initial_instance_count() == Some(count) =>
            {
                match (known.kms_key_id(), self.volume_key()) {
                    (found, wanted) if found == wanted => Ok(()),
                    (found, _) => {
                        let found =
                            found.map_or_else(|| "no key of volumes".to_owned(), |key| format!("the key {key}"));
                        let found = format!("{found}, and this deployment's endpoints have another");
                        Err(self.other("endpoint configuration", &found))
                    }
                }
            }
            variants => {
                let models: Vec<&str> = variants.iter().filter_map(ProductionVariant::model_name).collect();
                Err(self.other("endpoint configuration", &format!("models {}", models.join(", "))))
            }
        }
    }

    async fn roll_out(&self) -> Result<(), EffectError> {
        let endpoint = self.endpoint;
        let state = describe(self.client, endpoint).await?;
        match next(state.as_ref(), self.name) {
            Next::Nothing => Ok(()),
            Next::Create => {
                let request = self.client.create_endpoint().endpoint_name(endpoint).endpoint_config_name(self.name);
                request.send().await.map(drop).map_err(|error| {
                    self.raced(CallError::of(error), format_args!("endpoint `{endpoint}` cannot be made"))
                })
            }
            Next::Update => {
                let request = self.client.update_endpoint().endpoint_name(endpoint).endpoint_config_name(self.name);
                request.send().await.map(drop).map_err(|error| {
                    self.raced(CallError::of(error), format_args!("endpoint `{endpoint}` cannot be updated"))
                })
            }
            Next::Delete => {
                let deleted = self.client.delete_endpoint().endpoint_name(endpoint).send().await;
                match deleted.map_err(CallError::of) {
                    Err(error) if error.meaning != Meaning::Missing => {
                        Err(error.effect(format_args!("endpoint `{endpoint}`, which failed, cannot be deleted")))
                    }
                    _ => Err(EffectError::Retry(format!(
                        "endpoint `{endpoint}` had failed and is being deleted; it is made anew when it is gone"
                    ))),
                }
            }
            Next::Wait(status) => {
                Err(EffectError::Retry(format!("endpoint `{endpoint}` is {status} with another configuration")))
            }
        }
    }

    /// Between our look and our call someone else made or deleted the endpoint: the next look tells.
    fn raced(&self, error: CallError, what: impl std::fmt::Display) -> EffectError {
        match error.meaning {
            Meaning::Exists => EffectError::Retry(format!("{what} now: {error}")),
            // Instances are not given back by waiting, and every later run of the endpoint would wait behind this one.
            Meaning::Quota => EffectError::Permanent(format!("{what}: {error}")),
            _ => error.effect(what),
        }
    }

    fn other(&self, kind: &str, found: &str) -> EffectError {
        let name = self.name;
        EffectError::Permanent(format!(
            "{kind} `{name}` exists and is not this run's: it has {found}; delete it, or find out who made it"
        ))
    }
}

/// A network as a value: SageMaker need not give back the ids in the order that it was given.
fn attached(network: Option<&VpcConfig>) -> Option<(BTreeSet<&str>, BTreeSet<&str>)> {
    fn set(ids: &[String]) -> BTreeSet<&str> {
        ids.iter().map(String::as_str).collect()
    }
    network.map(|network| (set(network.subnets()), set(network.security_group_ids())))
}

fn shown(network: Option<&VpcConfig>) -> String {
    let Some((subnets, groups)) = attached(network) else { return "no network".to_owned() };
    let list = |ids: BTreeSet<&str>| ids.into_iter().collect::<Vec<_>>().join(", ");
    format!("the network {} with {}", list(subnets), list(groups))
}

fn unless_missing(error: CallError, what: impl std::fmt::Display) -> EffectError {
    match error.meaning {
        Meaning::Missing => EffectError::Retry(format!("{what} now: {error}")),
        _ => error.effect(what),
    }
}

/// An endpoint; `None` when there is none of that name.
pub(crate) async fn describe(client: &Client, name: &str) -> Result<Option<DescribeEndpointOutput>, EffectError> {
    match client.describe_endpoint().endpoint_name(name).send().await {
        Ok(answer) => Ok(Some(answer)),
        Err(error) => match CallError::of(error) {
            error if error.meaning == Meaning::Missing => Ok(None),
            error => Err(error.effect(format_args!("endpoint `{name}` cannot be looked at"))),
        },
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Next {
    Create,
    Update,
    Nothing,
    Delete,
    Wait(String),
}

fn next(state: Option<&DescribeEndpointOutput>, ours: &str) -> Next {
    let Some(state) = state else { return Next::Create };
    let pending = state.pending_deployment_summary().and_then(|summary| summary.endpoint_config_name());
    let has_ours = state.endpoint_config_name() == Some(ours) || pending == Some(ours);
    match state.endpoint_status() {
        Some(EndpointStatus::InService) if state.endpoint_config_name() == Some(ours) => Next::Nothing,
        // The last two still answer, or try to; an update is the way back that SageMaker's guide names.
        Some(EndpointStatus::InService | EndpointStatus::OutOfService | EndpointStatus::UpdateRollbackFailed) => {
            Next::Update
        }
        Some(EndpointStatus::Failed) => Next::Delete,
        Some(EndpointStatus::Deleting) => Next::Wait("Deleting".to_owned()),
        _ if has_ours => Next::Nothing,
        status => Next::Wait(status.map_or("in no known state", EndpointStatus::as_str).to_owned()),
    }
}

#[cfg(test)]
mod tests;
