//! Roll a model out: model, endpoint configuration, endpoint.

use aws_sdk_sagemaker::Client;
use aws_sdk_sagemaker::operation::describe_endpoint::DescribeEndpointOutput;
use aws_sdk_sagemaker::types::{ContainerDefinition, EndpointStatus, ProductionVariant, ProductionVariantInstanceType};

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
        let Err(error) = request.primary_container(container).send().await else { return Ok(()) };
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
        if package == Some(self.package) && known.execution_role_arn() == Some(self.role_arn) {
            return Ok(());
        }
        Err(self.other("model", &format!("package {}", package.unwrap_or("none"))))
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
        let Err(error) = request.production_variants(variant).send().await else { return Ok(()) };
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
                Ok(())
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
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use aws_sdk_sagemaker::types::PendingDeploymentSummary;

    use super::super::testing::{Answer, Fake};
    use super::*;

    fn state(status: &str, config: &str, pending: Option<&str>) -> DescribeEndpointOutput {
        let pending = pending.map(|config| PendingDeploymentSummary::builder().endpoint_config_name(config).build());
        DescribeEndpointOutput::builder()
            .endpoint_status(EndpointStatus::from(status))
            .endpoint_config_name(config)
            .set_pending_deployment_summary(pending)
            .build()
    }

    #[test]
    fn what_is_done_follows_from_what_is_there() {
        assert_eq!(next(None, "new"), Next::Create);
        for (status, config, pending, expected) in [
            ("InService", "new", None, Next::Nothing),
            ("InService", "old", None, Next::Update),
            ("Creating", "new", None, Next::Nothing),
            ("Updating", "old", Some("new"), Next::Nothing),
            ("Updating", "new", None, Next::Nothing),
            ("Updating", "old", Some("other"), Next::Wait("Updating".into())),
            ("RollingBack", "old", None, Next::Wait("RollingBack".into())),
            ("Deleting", "new", None, Next::Wait("Deleting".into())),
            ("Failed", "new", None, Next::Delete),
            ("Failed", "old", None, Next::Delete),
            ("UpdateRollbackFailed", "old", None, Next::Update),
            ("SomethingNew", "old", None, Next::Wait("SomethingNew".into())),
        ] {
            assert_eq!(next(Some(&state(status, config, pending)), "new"), expected, "{status} {config} {pending:?}");
        }
    }

    async fn deploy(fake: &Fake) -> Result<(), EffectError> {
        let aws = fake.aws();
        let rollout = Rollout {
            client: aws.sagemaker(),
            endpoint: "e",
            name: "e-r",
            package: "arn:package/1",
            instance_type: "ml.m5.large",
            instances: 2,
            role_arn: "arn:role",
        };
        rollout.carry_out().await
    }

    fn invalid(message: &str) -> Answer {
        Answer::json(400, &format!(r#"{{"__type":"ValidationException","message":"{message}"}}"#))
    }

    fn made() -> Answer {
        Answer::json(200, "{}")
    }

    #[tokio::test]
    async fn the_first_deployment_makes_all_three() {
        let fake = Fake::new([made(), made(), invalid("Could not find endpoint."), made()]);
        deploy(&fake).await.unwrap();
        assert_eq!(fake.calls(), ["CreateModel", "CreateEndpointConfig", "DescribeEndpoint", "CreateEndpoint"]);
        let requests = fake.requests();
        assert_eq!(requests[0].json()["PrimaryContainer"]["ModelPackageName"], "arn:package/1");
        let variant = &requests[1].json()["ProductionVariants"][0];
        assert_eq!(variant["VariantName"], "AllTraffic");
        assert_eq!(variant["InitialInstanceCount"], 2);
        assert_eq!(requests[3].json()["EndpointConfigName"], "e-r");
    }

    #[tokio::test]
    async fn a_second_time_adopts_what_the_first_made() {
        let fake = Fake::new([
            invalid("Cannot create already existing model arn."),
            Answer::json(
                200,
                r#"{"PrimaryContainer":{"ModelPackageName":"arn:package/1"},"ExecutionRoleArn":"arn:role"}"#,
            ),
            Answer::json(400, r#"{"__type":"ResourceInUse","message":""}"#),
            Answer::json(
                200,
                r#"{"ProductionVariants":[{"VariantName":"AllTraffic","ModelName":"e-r",
                "InstanceType":"ml.m5.large","InitialInstanceCount":2}]}"#,
            ),
            Answer::json(
                200,
                r#"{"EndpointStatus":"Updating","EndpointConfigName":"old",
                "PendingDeploymentSummary":{"EndpointConfigName":"e-r"}}"#,
            ),
        ]);
        deploy(&fake).await.unwrap();
        assert_eq!(fake.requests().len(), 5);
    }

    #[tokio::test]
    async fn a_model_of_the_same_name_that_is_not_ours_stops_the_deployment() {
        let fake = Fake::new([
            invalid("Cannot create already existing model arn."),
            Answer::json(
                200,
                r#"{"PrimaryContainer":{"ModelPackageName":"arn:package/9"},"ExecutionRoleArn":"arn:role"}"#,
            ),
        ]);
        let error = deploy(&fake).await.unwrap_err();
        assert!(matches!(&error, EffectError::Permanent(why) if why.contains("arn:package/9")), "{error}");
    }

    #[tokio::test]
    async fn what_serves_another_configuration_is_updated() {
        let serving = Answer::json(200, r#"{"EndpointStatus":"InService","EndpointConfigName":"old"}"#);
        let fake = Fake::new([made(), made(), serving, made()]);
        deploy(&fake).await.unwrap();
        assert_eq!(fake.calls()[3], "UpdateEndpoint");
    }

    #[tokio::test]
    async fn a_failed_endpoint_is_deleted_and_the_command_comes_again() {
        let failed = Answer::json(200, r#"{"EndpointStatus":"Failed","EndpointConfigName":"old"}"#);
        let fake = Fake::new([made(), made(), failed, made()]);
        let error = deploy(&fake).await.unwrap_err();
        assert!(matches!(error, EffectError::Retry(_)), "{error}");
        assert_eq!(fake.calls()[3], "DeleteEndpoint");
    }

    #[tokio::test]
    async fn a_race_is_looked_at_again() {
        let serving = || Answer::json(200, r#"{"EndpointStatus":"InService","EndpointConfigName":"old"}"#);
        for (state, answer) in [
            (invalid("Could not find endpoint."), invalid("Cannot create already existing endpoint arn.")),
            (serving(), invalid("Cannot update in-progress endpoint arn.")),
        ] {
            let error = deploy(&Fake::new([made(), made(), state, answer])).await.unwrap_err();
            assert!(matches!(error, EffectError::Retry(_)), "{error}");
        }
    }

    #[tokio::test]
    async fn a_full_quota_of_instances_ends_the_run_and_frees_the_endpoint() {
        let serving = Answer::json(200, r#"{"EndpointStatus":"InService","EndpointConfigName":"old"}"#);
        let quota = Answer::json(400, r#"{"__type":"ResourceLimitExceeded","message":"2 instances"}"#);
        let error = deploy(&Fake::new([made(), made(), serving, quota])).await.unwrap_err();
        assert!(matches!(error, EffectError::Permanent(_)), "{error}");
    }
}
