//! Questions to AWS, whose answers become events. An event of AWS is taken as a hint to ask.

use std::collections::BTreeMap;

use aws_sdk_sagemaker::types as sagemaker;
use aws_smithy_types::DateTime;
use jiff::Timestamp;
use statemachine::RunId;
use statemachine::run::{Approval, EndpointStatus, ExecutionStatus, Failure, ObjectVersion};

use crate::aws::Aws;
use crate::effects::{self, CallError, Meaning, S3Uri};

pub use crate::effects::EffectError as ObserveError;

/// The most objects that one run reads. Each is copied and recorded with its version; a data set of more files is for
/// SageMaker to read by itself.
pub const OBJECT_LIMIT: usize = 500;

/// The most pages of versions that are looked through for the current ones, each of up to 1000 versions.
const VERSION_PAGES: usize = 30;

/// Asks.
#[derive(Clone, Copy, Debug)]
pub struct Observe<'a> {
    aws: &'a Aws,
}

/// A pipeline execution, as SageMaker describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutionView {
    /// Its pipeline; SageMaker writes the name in lower case there.
    pub pipeline_arn: String,
    /// The run's id, where Tidegate started it.
    pub display_name: Option<String>,
    /// `None` for a status that is not known here.
    pub status: Option<ExecutionStatus>,
    /// Of the execution as a whole; which step is to blame, [`Observe::failure`] finds.
    pub failure_reason: Option<String>,
    /// When it was started.
    pub started: Option<Timestamp>,
    /// When its status last changed.
    pub modified: Option<Timestamp>,
}

/// An endpoint, as SageMaker describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointView {
    /// How it stands; one that there is none of is [`EndpointStatus::Deleted`].
    pub status: EndpointStatus,
    /// The configuration that it serves; empty when there is no endpoint.
    pub config: String,
    /// Why it failed, or was rolled back.
    pub reason: Option<String>,
    /// When it last changed.
    pub modified: Option<Timestamp>,
}

/// A model package, as SageMaker describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelPackageView {
    /// `None` while nobody has decided.
    pub approval: Option<Approval>,
    /// The run that registered it, where Tidegate did.
    pub run: Option<RunId>,
    /// The execution that trained it, where it says so.
    pub generated_by: Option<String>,
    /// When it last changed.
    pub modified: Option<Timestamp>,
}

impl<'a> Observe<'a> {
    /// Over the clients.
    #[must_use]
    pub fn new(aws: &'a Aws) -> Self {
        Self { aws }
    }

    /// An execution; `None` where SageMaker knows none of that ARN.
    ///
    /// # Errors
    /// SageMaker does not answer, or the role may not ask.
    pub async fn execution(&self, arn: &str) -> Result<Option<ExecutionView>, ObserveError> {
        let answer = self.aws.sagemaker().describe_pipeline_execution().pipeline_execution_arn(arn).send().await;
        let answer = match answer.map_err(CallError::of) {
            Ok(answer) => answer,
            Err(error) if error.meaning == Meaning::Missing => return Ok(None),
            Err(error) => return Err(error.effect(format_args!("execution {arn} cannot be looked at"))),
        };
        let status = answer.pipeline_execution_status.as_ref();
        Ok(Some(ExecutionView {
            status: status.and_then(|status| ExecutionStatus::parse(status.as_str())),
            started: answer.creation_time.as_ref().and_then(timestamp),
            modified: answer.last_modified_time.as_ref().and_then(timestamp),
            pipeline_arn: answer.pipeline_arn.unwrap_or_default(),
            display_name: answer.pipeline_execution_display_name,
            failure_reason: answer.failure_reason,
        }))
    }

    /// The parameters of an execution, defaults among them, by name.
    ///
    /// # Errors
    /// There is no such execution, or SageMaker does not answer.
    pub async fn parameters(&self, arn: &str) -> Result<BTreeMap<String, String>, ObserveError> {
        let request = self.aws.sagemaker().list_pipeline_parameters_for_execution().pipeline_execution_arn(arn);
        let listed = request.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
        let listed = listed.map_err(|error| {
            CallError::of(error).effect(format_args!("the parameters of execution {arn} cannot be listed"))
        })?;
        Ok(listed
            .into_iter()
            .filter_map(|parameter| Some((parameter.name?, parameter.value.unwrap_or_default())))
            .collect())
    }

    /// Why an execution failed: its first step that did, or else what SageMaker says of the whole.
    ///
    /// # Errors
    /// There is no such execution, or SageMaker does not answer.
    pub async fn failure(&self, arn: &str) -> Result<Failure, ObserveError> {
        if let Some(failure) = first_failure(&effects::steps(self.aws, arn).await?) {
            return Ok(failure);
        }
        let view = self.execution(arn).await?;
        let reason = view.and_then(|view| view.failure_reason).filter(|reason| !reason.is_empty());
        Ok(Failure { step: None, reason: reason.unwrap_or_else(|| "SageMaker gave no reason".to_owned()) })
    }

    /// # Errors
    /// SageMaker does not answer. That there is no such endpoint is an answer.
    pub async fn endpoint(&self, name: &str) -> Result<EndpointView, ObserveError> {
        let answer = effects::describe_endpoint(self.aws.sagemaker(), name).await?;
        Ok(match answer {
            None => {
                EndpointView { status: EndpointStatus::Deleted, config: String::new(), reason: None, modified: None }
            }
            Some(answer) => EndpointView {
                status: endpoint_status(answer.endpoint_status.as_ref()),
                modified: answer.last_modified_time.as_ref().and_then(timestamp),
                config: answer.endpoint_config_name.unwrap_or_default(),
                reason: answer.failure_reason.filter(|reason| !reason.is_empty()),
            },
        })
    }

    /// The current versions of the objects whose keys begin with the address's, in the order of their keys; an object's
    /// own address gives that object. Folders made in a console and deleted objects are left out.
    ///
    /// # Errors
    /// The address is not one of S3; there are more than `limit` objects; S3 does not answer.
    pub async fn objects(&self, uri: &str, limit: usize) -> Result<Vec<ObjectVersion>, ObserveError> {
        let address = S3Uri::parse(uri)?;
        let too_many = |what: &str| {
            let advice = "give an address with fewer objects, or pack them into larger ones";
            ObserveError::Permanent(format!("there are more than {what} under {address}: {advice}"))
        };
        let request = self.aws.s3().list_object_versions().bucket(&address.bucket).prefix(&address.key);
        let (mut objects, mut next) = (Vec::new(), (None, None));
        for _ in 0..VERSION_PAGES {
            let (key, version) = next;
            let page = request.clone().set_key_marker(key).set_version_id_marker(version).send().await;
            let page = page.map_err(|error| {
                CallError::of(error).or_missing(format_args!("the objects under {address} cannot be listed"), || {
                    format!("there is no bucket `{}`", address.bucket)
                })
            })?;
            objects.extend(page.versions().iter().filter_map(|version| current(&address.bucket, version)));
            if objects.len() > limit {
                return Err(too_many(&format!("{limit} objects")));
            }
            if page.is_truncated != Some(true) {
                return Ok(objects);
            }
            next = (page.next_key_marker, page.next_version_id_marker);
        }
        Err(too_many(&format!("{VERSION_PAGES}000 object versions, old ones counted,")))
    }

    /// The bytes of one version of an object, at most `limit`.
    ///
    /// # Errors
    /// It is not there, or larger; S3 does not answer.
    pub async fn read(&self, object: &ObjectVersion, limit: usize) -> Result<Vec<u8>, ObserveError> {
        effects::read_object(self.aws.s3(), object, limit).await
    }

    /// The newest version of an object; `None` when there is none.
    ///
    /// # Errors
    /// S3 does not answer.
    pub async fn newest(&self, bucket: &str, key: &str) -> Result<Option<ObjectVersion>, ObserveError> {
        let answer = self.aws.s3().head_object().bucket(bucket).key(key).send().await;
        match answer.map_err(CallError::of) {
            Ok(answer) => Ok(Some(ObjectVersion {
                bucket: bucket.to_owned(),
                key: key.to_owned(),
                version_id: answer.version_id.filter(|version| version != "null"),
                etag: answer.e_tag.map(|etag| etag.trim_matches('"').to_owned()),
                size: answer.content_length.and_then(|length| u64::try_from(length).ok()).unwrap_or_default(),
                sequencer: None,
            })),
            Err(error) if error.meaning == Meaning::Missing => Ok(None),
            Err(error) => Err(error.effect(format_args!("s3://{bucket}/{key} cannot be looked at"))),
        }
    }

    /// Whether a schedule is there and not paused.
    ///
    /// # Errors
    /// EventBridge Scheduler does not answer.
    pub async fn schedule_is_on(&self, group: &str, name: &str) -> Result<bool, ObserveError> {
        let answer = self.aws.scheduler().get_schedule().group_name(group).name(name).send().await;
        match answer.map_err(CallError::of) {
            Ok(answer) => Ok(answer.state != Some(aws_sdk_scheduler::types::ScheduleState::Disabled)),
            Err(error) if error.meaning == Meaning::Missing => Ok(false),
            Err(error) => Err(error.effect(format_args!("schedule `{name}` cannot be looked at"))),
        }
    }

    /// # Errors
    /// There is no such model package, or SageMaker does not answer.
    pub async fn model_package(&self, arn: &str) -> Result<ModelPackageView, ObserveError> {
        let answer = self.aws.sagemaker().describe_model_package().model_package_name(arn).send().await;
        let answer = answer.map_err(|error| CallError::of(error).effect(format_args!("{arn} cannot be looked at")))?;
        let properties = answer.customer_metadata_properties.unwrap_or_default();
        Ok(ModelPackageView {
            approval: answer.model_approval_status.as_ref().and_then(approval),
            run: properties.get(effects::RUN_KEY).and_then(|run| RunId::parse(run).ok()),
            generated_by: answer.metadata_properties.and_then(|metadata| metadata.generated_by),
            modified: answer.last_modified_time.as_ref().or(answer.creation_time.as_ref()).and_then(timestamp),
        })
    }
}

fn approval(status: &sagemaker::ModelApprovalStatus) -> Option<Approval> {
    match status {
        sagemaker::ModelApprovalStatus::Approved => Some(Approval::Approved),
        sagemaker::ModelApprovalStatus::Rejected => Some(Approval::Rejected),
        _ => None,
    }
}

/// To the millisecond, as SageMaker gives it.
fn timestamp(time: &DateTime) -> Option<Timestamp> {
    time.to_millis().ok().and_then(|millis| Timestamp::from_millisecond(millis).ok())
}

fn first_failure(steps: &[sagemaker::PipelineExecutionStep]) -> Option<Failure> {
    let failed = steps.iter().filter(|step| step.step_status() == Some(&sagemaker::StepStatus::Failed));
    // One without an end is not the first to have ended.
    let first =
        failed.min_by_key(|step| step.end_time().map_or((i64::MAX, 0), |end| (end.secs(), end.subsec_nanos())))?;
    let reason = first.failure_reason().filter(|reason| !reason.is_empty());
    Some(Failure {
        step: first.step_name().map(str::to_owned),
        reason: reason.unwrap_or("SageMaker gave no reason").to_owned(),
    })
}

/// The statuses of DescribeEndpoint (SageMaker API reference). One that is not known yet is taken for a transition: a
/// later event will tell.
fn endpoint_status(status: Option<&sagemaker::EndpointStatus>) -> EndpointStatus {
    match status {
        Some(sagemaker::EndpointStatus::InService) => EndpointStatus::InService,
        Some(
            sagemaker::EndpointStatus::Failed
            | sagemaker::EndpointStatus::OutOfService
            | sagemaker::EndpointStatus::UpdateRollbackFailed,
        ) => EndpointStatus::Failed,
        Some(sagemaker::EndpointStatus::Deleting) => EndpointStatus::Deleted,
        _ => EndpointStatus::InTransition,
    }
}

fn current(bucket: &str, version: &aws_sdk_s3::types::ObjectVersion) -> Option<ObjectVersion> {
    let key = version.key().filter(|key| !key.ends_with('/'))?;
    (version.is_latest() == Some(true)).then(|| ObjectVersion {
        bucket: bucket.to_owned(),
        key: key.to_owned(),
        // Where versioning was never on, S3 lists the version `null`.
        version_id: version.version_id().filter(|id| *id != "null").map(str::to_owned),
        etag: version.e_tag().map(|etag| etag.trim_matches('"').to_owned()),
        size: version.size().and_then(|size| u64::try_from(size).ok()).unwrap_or(0),
        sequencer: None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::effects::testing::{Answer, Fake};

    const EXECUTION: &str = "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/p/execution/abcdefghijkl";

    #[tokio::test]
    async fn an_execution_is_described() {
        let fake = Fake::new([Answer::json(
            200,
            r#"{"PipelineArn":"arn:p","PipelineExecutionDisplayName":"a-0123456789abcdef",
                "PipelineExecutionStatus":"Failed","FailureReason":"no","CreationTime":1700000000.5}"#,
        )]);
        let aws = fake.aws();
        let view = Observe::new(&aws).execution(EXECUTION).await.unwrap().unwrap();
        assert_eq!(view.status, Some(ExecutionStatus::Failed));
        assert_eq!(view.display_name.as_deref(), Some("a-0123456789abcdef"));
        assert_eq!(view.started, Timestamp::from_millisecond(1_700_000_000_500).ok());
    }

    #[tokio::test]
    async fn all_pages_of_parameters_are_read() {
        let fake = Fake::new([
            Answer::json(200, r#"{"PipelineParameters":[{"Name":"A","Value":"1"}],"NextToken":"t"}"#),
            Answer::json(200, r#"{"PipelineParameters":[{"Name":"B","Value":"2"}]}"#),
        ]);
        let aws = fake.aws();
        let parameters = Observe::new(&aws).parameters(EXECUTION).await.unwrap();
        assert_eq!(parameters, BTreeMap::from([("A".into(), "1".into()), ("B".into(), "2".into())]));
    }

    #[tokio::test]
    async fn the_step_that_failed_first_is_to_blame() {
        let fake = Fake::new([Answer::json(
            200,
            r#"{"PipelineExecutionSteps":[
                {"StepName":"late","StepStatus":"Failed","EndTime":20,"FailureReason":"second"},
                {"StepName":"early","StepStatus":"Failed","EndTime":10,"FailureReason":"ClientError: first"},
                {"StepName":"fine","StepStatus":"Succeeded","EndTime":1}]}"#,
        )]);
        let aws = fake.aws();
        let failure = Observe::new(&aws).failure(EXECUTION).await.unwrap();
        assert_eq!(failure, Failure { step: Some("early".into()), reason: "ClientError: first".into() });
    }

    #[tokio::test]
    async fn without_a_failed_step_the_execution_says_why() {
        let fake = Fake::new([
            Answer::json(200, r#"{"PipelineExecutionSteps":[]}"#),
            Answer::json(200, r#"{"FailureReason":"role cannot be assumed"}"#),
        ]);
        let aws = fake.aws();
        let failure = Observe::new(&aws).failure(EXECUTION).await.unwrap();
        assert_eq!(failure, Failure { step: None, reason: "role cannot be assumed".into() });
    }

    #[tokio::test]
    async fn an_endpoint_that_is_not_there_is_deleted_and_a_status_of_tomorrow_is_a_transition() {
        let missing = r#"{"__type":"ValidationException","message":"Could not find endpoint \"arn\"."}"#;
        let fake = Fake::new([
            Answer::json(400, missing),
            Answer::json(200, r#"{"EndpointStatus":"Dreaming","EndpointConfigName":"c"}"#),
            Answer::json(
                200,
                r#"{"EndpointStatus":"InService","EndpointConfigName":"c","FailureReason":"rolled back"}"#,
            ),
        ]);
        let aws = fake.aws();
        let observe = Observe::new(&aws);
        assert_eq!(observe.endpoint("e").await.unwrap().status, EndpointStatus::Deleted);
        assert_eq!(observe.endpoint("e").await.unwrap().status, EndpointStatus::InTransition);
        let view = observe.endpoint("e").await.unwrap();
        assert_eq!((view.status, &*view.config), (EndpointStatus::InService, "c"));
        assert_eq!(view.reason.as_deref(), Some("rolled back"));
    }

    fn version(key: &str, id: &str, latest: bool) -> String {
        format!(
            "<Version><Key>{key}</Key><VersionId>{id}</VersionId><IsLatest>{latest}</IsLatest>\
             <ETag>&quot;e&quot;</ETag><Size>3</Size></Version>"
        )
    }

    fn listing(inner: &str) -> Answer {
        Answer::xml(200, &format!("<ListVersionsResult>{inner}</ListVersionsResult>"))
    }

    #[tokio::test]
    async fn only_current_objects_are_listed_over_all_pages_and_no_folders() {
        let marker = "<DeleteMarker><Key>raw/p/gone.csv</Key><IsLatest>true</IsLatest></DeleteMarker>";
        let more = "<IsTruncated>true</IsTruncated><NextKeyMarker>k</NextKeyMarker>\
                    <NextVersionIdMarker>v</NextVersionIdMarker>";
        let first =
            [&version("raw/p/", "v0", true), &version("raw/p/a.csv", "v2", true), &version("raw/p/a.csv", "v1", false)];
        let first = format!("{}{marker}{more}", first.map(String::as_str).concat());
        let fake = Fake::new([listing(&first), listing(&version("raw/p/b.csv", "null", true))]);
        let aws = fake.aws();
        let objects = Observe::new(&aws).objects("s3://data/raw/p/", OBJECT_LIMIT).await.unwrap();
        let shown: Vec<String> = objects.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["s3://data/raw/p/a.csv?versionId=v2", "s3://data/raw/p/b.csv?etag=e"]);
        assert!(fake.requests()[1].uri.contains("key-marker=k"), "{}", fake.requests()[1].uri);
    }

    #[tokio::test]
    async fn too_many_objects_are_an_error_that_says_what_to_do() {
        let three = (0..3).map(|n| version(&format!("raw/p/{n}"), "v", true)).collect::<String>();
        let fake = Fake::new([listing(&three)]);
        let aws = fake.aws();
        let error = Observe::new(&aws).objects("s3://data/raw/p/", 2).await.unwrap_err();
        assert!(error.to_string().starts_with("there are more than 2 objects under s3://data/raw/p/: "), "{error}");
    }

    #[tokio::test]
    async fn a_model_package_knows_its_run() {
        let fake = Fake::new([Answer::json(
            200,
            r#"{"ModelApprovalStatus":"Approved","CustomerMetadataProperties":{"tidegate-run":"m-0123456789abcdef"},
                "MetadataProperties":{"GeneratedBy":"arn:e"}}"#,
        )]);
        let aws = fake.aws();
        let view = Observe::new(&aws).model_package("arn:package/1").await.unwrap();
        assert_eq!(view.approval, Some(Approval::Approved));
        assert_eq!(view.run, RunId::parse("m-0123456789abcdef").ok());
        assert_eq!(view.generated_by.as_deref(), Some("arn:e"));
    }
}
