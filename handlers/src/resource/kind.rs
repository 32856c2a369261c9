//! Which resource a request is of, with its properties.

use serde::Deserialize;
use statemachine::definition::{JobSecurity, SecurityError, SecurityPart, SecurityText};

use super::seed::SeedProperties;
use crate::apply::Deployment;
use crate::cloudformation::{Envelope, PhysicalId, RequestError, RequestType, read};

const SETTINGS: &str = "Custom::TidegateSettings";
const PIPELINE: &str = "Custom::TidegatePipeline";
const SEED: &str = "Custom::TidegateSeed";

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
    /// Put data under `raw/`.
    Seed(SeedProperties),
    /// The data stays.
    SeedGone,
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
    job_subnets: Option<String>,
    job_security_groups: Option<String>,
    volume_key_arn: Option<String>,
    data_key_arn: Option<String>,
}

impl SettingsProperties {
    /// With account and Region of the stack.
    ///
    /// # Errors
    /// The stack's id is no ARN, or the network or a key of the jobs is malformed.
    pub fn into_deployment(self, envelope: &Envelope) -> Result<Deployment, RequestError> {
        let id = &envelope.stack_id;
        let (region, account) =
            envelope.stack().ok_or_else(|| RequestError(format!("`{id}` is not the ARN of a stack")))?;
        let jobs = JobSecurity::parse(SecurityText {
            subnets: self.job_subnets.as_deref(),
            security_groups: self.job_security_groups.as_deref(),
            volume_key: self.volume_key_arn.as_deref(),
            output_key: self.data_key_arn.as_deref(),
        });
        let jobs = jobs.map_err(|SecurityError { part, reason }| {
            RequestError(format!("`{}` of {SETTINGS}: {reason}", property(part)))
        })?;
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
            jobs,
        })
    }
}

fn property(part: SecurityPart) -> &'static str {
    match part {
        SecurityPart::Subnets => "JobSubnets",
        SecurityPart::SecurityGroups => "JobSecurityGroups",
        SecurityPart::VolumeKey => "VolumeKeyArn",
        SecurityPart::OutputKey => "DataKeyArn",
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
            SEED if gone => Ok(Self::SeedGone),
            SEED => read(properties, SEED).map(Self::Seed),
            other => Err(RequestError(format!(
                "`{other}` is not known: accepted are `{SETTINGS}`, `{PIPELINE}` and `{SEED}`"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cloudformation::testing::request;

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
    fn e10_network_and_keys_of_jobs_are_settings() {
        let key = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
        let read = |more: serde_json::Value| {
            let mut properties = json!({
                "Bucket": "b", "TopicArn": "t", "JobRoleArn": "j", "PipelineRoleArn": "p", "ScheduleRoleArn": "s",
                "ScheduleFunctionArn": "f", "ScheduleGroup": "g", "ScheduleDlqArn": "d",
            });
            properties.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let envelope = Envelope::parse(&request("Update", SETTINGS, &properties, Some("x"))).unwrap();
            let Kind::Settings(read) = Kind::parse(&envelope).unwrap() else { panic!("not settings") };
            read.into_deployment(&envelope).map(|deployment| deployment.jobs).map_err(|error| error.to_string())
        };
        assert_eq!(read(json!({})).unwrap(), JobSecurity::default());
        assert_eq!(read(json!({"JobSubnets": "", "VolumeKeyArn": ""})).unwrap(), JobSecurity::default());
        let jobs = read(json!({
            "JobSubnets": "subnet-b,subnet-a", "JobSecurityGroups": "sg-a", "VolumeKeyArn": key, "DataKeyArn": key,
        }));
        assert_eq!(
            serde_json::to_value(jobs.unwrap()).unwrap(),
            json!({
                "network": {"subnets": ["subnet-a", "subnet-b"], "security_groups": ["sg-a"]},
                "volume_key": key,
                "output_key": key,
            })
        );
        for (more, message) in [
            (json!({"JobSubnets": "subnet-a"}), "`JobSecurityGroups` of Custom::TidegateSettings: there is no"),
            (json!({"DataKeyArn": "alias/x"}), "`DataKeyArn` of Custom::TidegateSettings: `alias/x` is not a KMS key"),
        ] {
            let error = read(more).unwrap_err();
            assert!(error.starts_with(message), "{error}");
        }
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
    fn another_resource_is_an_error() {
        let envelope = Envelope::parse(&request("Create", "Custom::Other", &json!({}), None)).unwrap();
        assert!(Kind::parse(&envelope).unwrap_err().to_string().contains("`Custom::Other` is not known"));
    }
}
