//! What CloudFormation asks (CloudFormation User Guide, "Custom resource request objects").

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use statemachine::text::one_line;

use super::PhysicalId;
use crate::apply::Deployment;

/// The most that is told of what is wrong with a request, in characters.
const REASON_LIMIT: usize = 1000;

const SETTINGS: &str = "Custom::TidegateSettings";
const PIPELINE: &str = "Custom::TidegatePipeline";

/// What is wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", one_line(.0, REASON_LIMIT))]
pub struct RequestError(String);

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum RequestType {
    /// Make it.
    Create,
    /// Change it.
    Update,
    /// Take it away.
    Delete,
}

/// What every request has, and every answer needs.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Envelope {
    /// What is to be done.
    pub request_type: RequestType,
    /// Where the answer goes; signed, and so a secret.
    #[serde(rename = "ResponseURL")]
    pub response_url: String,
    /// The stack's ARN.
    pub stack_id: String,
    /// The request's id.
    pub request_id: String,
    /// The resource's type.
    pub resource_type: String,
    /// The resource's name in the template.
    #[serde(rename = "LogicalResourceId")]
    pub logical_id: String,
    /// What the creation answered; not in a creation.
    #[serde(rename = "PhysicalResourceId")]
    pub physical_id: Option<String>,
    /// The properties of the template, `ServiceToken` among them.
    #[serde(default)]
    pub resource_properties: Value,
}

impl Envelope {
    /// # Errors
    /// It is not a request of CloudFormation, and there is nobody to answer.
    pub fn parse(event: &Value) -> Result<Self, RequestError> {
        read(event, "the event")
    }

    fn stack(&self) -> Option<(&str, &str)> {
        // arn:<partition>:cloudformation:<region>:<account>:stack/<name>/<id>
        let mut parts = self.stack_id.split(':').skip(3);
        Some((parts.next()?, parts.next()?))
    }
}

/// A request, by resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Write the settings.
    Settings(SettingsProperties),
    /// They go, or stay, with the ledger.
    SettingsGone,
    /// Apply a pipeline.
    Pipeline(PipelineProperties),
    /// Remove it; `None` if there never was one.
    PipelineGone(Option<String>),
}

/// Of `Custom::TidegateSettings`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SettingsProperties {
    bucket: String,
    topic_arn: String,
    job_role_arn: String,
    pipeline_role_arn: String,
    schedule_role_arn: String,
    schedule_function_arn: String,
    schedule_group: String,
    schedule_dlq_arn: String,
}

impl SettingsProperties {
    /// With account and Region of the stack.
    ///
    /// # Errors
    /// The stack's id is no ARN.
    pub fn into_deployment(self, envelope: &Envelope) -> Result<Deployment, RequestError> {
        let id = &envelope.stack_id;
        let (region, account) =
            envelope.stack().ok_or_else(|| RequestError(format!("`{id}` is not the ARN of a stack")))?;
        Ok(Deployment {
            bucket: self.bucket,
            topic_arn: self.topic_arn,
            job_role_arn: self.job_role_arn,
            pipeline_role_arn: self.pipeline_role_arn,
            schedule_role_arn: self.schedule_role_arn,
            schedule_function_arn: self.schedule_function_arn,
            schedule_group: self.schedule_group,
            schedule_dlq_arn: self.schedule_dlq_arn,
            account: account.to_owned(),
            region: region.to_owned(),
        })
    }
}

/// Of `Custom::TidegatePipeline`: a zip of the pipeline's folder.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PipelineProperties {
    /// Its bucket.
    #[serde(rename = "SourceBucket")]
    pub bucket: String,
    /// Its key.
    #[serde(rename = "SourceKey")]
    pub key: String,
}

impl Kind {
    /// # Errors
    /// Another resource's type, or properties that are missing.
    pub fn parse(envelope: &Envelope) -> Result<Self, RequestError> {
        let (gone, properties) = (envelope.request_type == RequestType::Delete, &envelope.resource_properties);
        match &*envelope.resource_type {
            SETTINGS if gone => Ok(Self::SettingsGone),
            SETTINGS => read(properties, SETTINGS).map(Self::Settings),
            PIPELINE if gone => {
                Ok(Self::PipelineGone(envelope.physical_id.as_deref().and_then(PhysicalId::pipeline_name)))
            }
            PIPELINE => read(properties, PIPELINE).map(Self::Pipeline),
            other => Err(RequestError(format!("`{other}` is not known: accepted are `{SETTINGS}` and `{PIPELINE}`"))),
        }
    }
}

fn read<T: DeserializeOwned>(value: &Value, what: &str) -> Result<T, RequestError> {
    serde_path_to_error::deserialize(value)
        .map_err(|error| RequestError(format!("{what} cannot be read: `{}`: {}", error.path(), error.inner())))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::request;
    use super::*;

    #[test]
    fn settings_get_account_and_region_from_the_stack() {
        let properties = json!({
            "ServiceToken": "arn:f", "Bucket": "b", "TopicArn": "t", "JobRoleArn": "j", "PipelineRoleArn": "p",
            "ScheduleRoleArn": "s", "ScheduleFunctionArn": "f", "ScheduleGroup": "g", "ScheduleDlqArn": "d",
        });
        let envelope = Envelope::parse(&request("Create", SETTINGS, &properties, None)).unwrap();
        let Kind::Settings(read) = Kind::parse(&envelope).unwrap() else { panic!("not settings") };
        let deployment = read.into_deployment(&envelope).unwrap();
        assert_eq!((&*deployment.region, &*deployment.account), ("eu-west-1", "123456789012"));
        assert_eq!((&*deployment.bucket, &*deployment.schedule_dlq_arn), ("b", "d"));
    }

    #[test]
    fn a_missing_property_is_named() {
        let properties = json!({"SourceBucket": "b"});
        let envelope = Envelope::parse(&request("Update", PIPELINE, &properties, Some("x"))).unwrap();
        let error = Kind::parse(&envelope).unwrap_err().to_string();
        assert!(
            error.starts_with("Custom::TidegatePipeline cannot be read: ") && error.contains("SourceKey"),
            "{error}"
        );
    }

    #[test]
    fn a_deletion_knows_its_pipeline_by_the_id_alone() {
        let gone = |id: &str| {
            Kind::parse(&Envelope::parse(&request("Delete", PIPELINE, &json!({}), Some(id))).unwrap()).unwrap()
        };
        assert_eq!(gone("tidegate-pipeline/tumours"), Kind::PipelineGone(Some("tumours".into())));
        for never_made in
            ["tidegate-not-made", "2026/11/21/[$LATEST]0123", "tidegate-pipeline/", "tidegate-pipeline/a b"]
        {
            assert_eq!(gone(never_made), Kind::PipelineGone(None), "{never_made}");
        }
    }

    #[test]
    fn what_is_no_request_is_an_error() {
        assert!(Envelope::parse(&json!({"RequestType": "Create"})).is_err());
        let envelope = Envelope::parse(&request("Create", "Custom::Other", &json!({}), None)).unwrap();
        assert!(Kind::parse(&envelope).unwrap_err().to_string().contains("`Custom::Other` is not known"));
    }
}
