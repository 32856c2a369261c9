//! Put the model into the registry.

use std::collections::BTreeMap;

use aws_sdk_sagemaker::Client;
use aws_sdk_sagemaker::types::{
    InferenceSpecification, MetadataProperties, MetricsSource, ModelApprovalStatus, ModelMetrics,
    ModelPackageContainerDefinition, ModelQuality,
};
use statemachine::RunId;
use statemachine::run::ApprovalMode;

use super::{CallError, EffectError, Meaning};

/// The key under which a model package knows its run.
pub(crate) const RUN_KEY: &str = "tidegate-run";

/// The longest ClientToken of CreateModelPackage, in characters (its API model); other operations take 128. What is left
/// of a hash is still unique.
const TOKEN_LIMIT: usize = 36;

/// What the inference script takes and gives.
const CONTENT_TYPES: [&str; 2] = ["text/csv", "application/json"];

pub(super) struct Register<'a> {
    pub(super) run: &'a RunId,
    pub(super) group: &'a str,
    pub(super) model_data: &'a str,
    pub(super) image: &'a str,
    pub(super) environment: &'a BTreeMap<String, String>,
    pub(super) report_uri: &'a str,
    pub(super) execution_arn: &'a str,
    pub(super) approval: ApprovalMode,
    pub(super) token: &'a str,
}

impl Register<'_> {
    /// Answers with the model package's ARN; the same token gives the same package.
    pub(super) async fn carry_out(&self, client: &Client) -> Result<String, EffectError> {
        self.make_group(client).await?;
        let statistics = MetricsSource::builder().content_type("application/json").s3_uri(self.report_uri).build();
        let quality = ModelQuality::builder().statistics(statistics).build();
        let approval = match self.approval {
            ApprovalMode::Automatic => ModelApprovalStatus::Approved,
            ApprovalMode::Manual => ModelApprovalStatus::PendingManualApproval,
        };
        let answer = client
            .create_model_package()
            .model_package_group_name(self.group)
            .model_package_description(format!("Made by run {}", self.run))
            .client_token(self.token.get(..TOKEN_LIMIT).unwrap_or(self.token))
            .model_approval_status(approval)
            .model_metrics(ModelMetrics::builder().model_quality(quality).build())
            .metadata_properties(MetadataProperties::builder().generated_by(self.execution_arn).build())
            .customer_metadata_properties(RUN_KEY, self.run.as_str())
            .inference_specification(self.inference())
            .send()
            .await;
        let answer = answer.map_err(|error| {
            CallError::of(error).effect(format_args!("the model of run {} cannot be registered", self.run))
        })?;
        answer.model_package_arn.ok_or_else(|| {
            EffectError::Retry(format!("SageMaker registered the model of run {} and did not say as what", self.run))
        })
    }

    async fn make_group(&self, client: &Client) -> Result<(), EffectError> {
        match client.create_model_package_group().model_package_group_name(self.group).send().await {
            Ok(_) => Ok(()),
            Err(error) => match CallError::of(error) {
                error if error.meaning == Meaning::Exists => Ok(()),
                error => Err(error.effect(format_args!("model package group `{}` cannot be made", self.group))),
            },
        }
    }

    fn inference(&self) -> InferenceSpecification {
        let environment = self.environment.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let container = ModelPackageContainerDefinition::builder()
            .image(self.image)
            .model_data_url(self.model_data)
            .set_environment(Some(environment))
            .build();
        let types: Vec<String> = CONTENT_TYPES.into_iter().map(str::to_owned).collect();
        InferenceSpecification::builder()
            .containers(container)
            .set_supported_content_types(Some(types.clone()))
            .set_supported_response_mime_types(Some(types))
            .build()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::super::testing::{Answer, Fake};
    use super::*;

    async fn register(fake: &Fake, approval: ApprovalMode) -> Result<String, EffectError> {
        let run = RunId::manual("x");
        let environment = BTreeMap::from([("SAGEMAKER_PROGRAM".to_owned(), "inference.py".to_owned())]);
        let register = Register {
            run: &run,
            group: "p",
            model_data: "s3://data/m.tar.gz",
            image: "image:1",
            environment: &environment,
            report_uri: "s3://data/evaluation.json",
            execution_arn: "arn:execution",
            approval,
            token: &run.token("register"),
        };
        register.carry_out(fake.aws().sagemaker()).await
    }

    const EXISTS: &str = r#"{"__type":"ValidationException","message":"Model Package Group already exists: arn:g"}"#;
    const PACKAGE: &str = r#"{"ModelPackageArn":"arn:package/1"}"#;

    #[tokio::test]
    async fn a_package_says_what_made_it_and_how_good_it_is() {
        let fake = Fake::new([Answer::json(400, EXISTS), Answer::json(200, PACKAGE)]);
        assert_eq!(register(&fake, ApprovalMode::Manual).await.unwrap(), "arn:package/1");
        let body = fake.requests()[1].json();
        let run = RunId::manual("x");
        assert_eq!(body["ModelPackageGroupName"], "p");
        assert_eq!(body["ClientToken"], run.token("register")[..36]);
        assert_eq!(body["ModelApprovalStatus"], "PendingManualApproval");
        assert_eq!(body["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"], "s3://data/evaluation.json");
        assert_eq!(body["ModelMetrics"]["ModelQuality"]["Statistics"]["ContentType"], "application/json");
        assert_eq!(body["MetadataProperties"]["GeneratedBy"], "arn:execution");
        assert_eq!(body["CustomerMetadataProperties"]["tidegate-run"], run.as_str());
        let container = &body["InferenceSpecification"]["Containers"][0];
        assert_eq!(container["ModelDataUrl"], "s3://data/m.tar.gz");
        assert_eq!(container["Environment"]["SAGEMAKER_PROGRAM"], "inference.py");
        assert_eq!(body["InferenceSpecification"]["SupportedContentTypes"][0], "text/csv");
    }

    #[tokio::test]
    async fn what_needs_no_person_is_approved_at_once() {
        let fake = Fake::new([Answer::json(200, r#"{"ModelPackageGroupArn":"arn:g"}"#), Answer::json(200, PACKAGE)]);
        register(&fake, ApprovalMode::Automatic).await.unwrap();
        assert_eq!(fake.requests()[1].json()["ModelApprovalStatus"], "Approved");
    }

    #[tokio::test]
    async fn a_conflict_is_tried_again_and_a_refusal_is_not() {
        let conflict = r#"{"__type":"ConflictException","message":"There was a conflict"}"#;
        let refusal = r#"{"__type":"ValidationException","message":"Invalid image"}"#;
        for (answer, permanent) in [(conflict, false), (refusal, true)] {
            let fake = Fake::new([Answer::json(400, EXISTS), Answer::json(400, answer)]);
            let error = register(&fake, ApprovalMode::Automatic).await.unwrap_err();
            assert_eq!(matches!(error, EffectError::Permanent(_)), permanent, "{error}");
        }
    }
}
