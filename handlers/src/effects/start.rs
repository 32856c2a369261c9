//! Copy exactly the versions that the run reads, then start the execution.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_sagemaker::types::Parameter;
use aws_smithy_types::timeout::TimeoutConfig;
use statemachine::RunId;
use statemachine::run::{ObjectVersion, Stage};
use tokio::task::JoinSet;

use super::s3::copy_source;
use super::{CallError, EffectError, Meaning};
use crate::aws::Aws;

/// Copies at a time. A run may have hundreds of objects, a function 30 seconds.
const COPIES_AT_ONCE: usize = 16;

/// The largest object that is copied, in bytes: S3 takes 5 GiB in one CopyObject, and as much as this within
/// [`COPY_TIMEOUT`].
const COPY_LIMIT: u64 = 2 * 1024 * 1024 * 1024;

/// How long one object's copy may take, with all attempts. S3 copies some 100 MB in a second; the function has 30.
const COPY_TIMEOUT: Duration = Duration::from_secs(22);

pub(super) struct Start<'a> {
    pub(super) run: &'a RunId,
    pub(super) pipeline: &'a str,
    pub(super) stage: &'a [Stage],
    pub(super) parameters: &'a BTreeMap<String, String>,
    pub(super) token: &'a str,
    /// Whether an earlier attempt may have copied some of the inputs.
    pub(super) again: bool,
}

impl Start<'_> {
    /// Answers with the execution's ARN. The same token gives the same execution, so a second call starts no second one.
    pub(super) async fn carry_out(&self, aws: &Aws, bucket: &str) -> Result<String, EffectError> {
        if !self.stage.is_empty() {
            copy_all(aws.s3(), bucket, self.stage, self.again).await?;
        }
        let parameters = self.parameters.iter();
        let parameters = parameters.map(|(name, value)| Parameter::builder().name(name).value(value).build()).collect();
        let pipeline = self.pipeline;
        let answer = aws
            .sagemaker()
            .start_pipeline_execution()
            .pipeline_name(pipeline)
            .pipeline_execution_display_name(self.run.as_str())
            .client_request_token(self.token)
            .set_pipeline_parameters(Some(parameters))
            .send()
            .await
            .map_err(|error| {
                CallError::of(error).or_missing(format_args!("pipeline `{pipeline}` cannot be started"), || {
                    format!("there is no pipeline `{pipeline}` in SageMaker: run `tidegate apply` in its folder")
                })
            })?;
        // The token makes asking again harmless.
        answer
            .pipeline_execution_arn
            .ok_or_else(|| EffectError::Retry(format!("SageMaker started `{pipeline}` and did not say as what")))
    }
}

async fn copy_all(client: &Client, bucket: &str, stage: &[Stage], again: bool) -> Result<(), EffectError> {
    let mut copies = JoinSet::new();
    let mut waiting = stage.iter();
    loop {
        while copies.len() < COPIES_AT_ONCE
            && let Some(Stage { object, to }) = waiting.next()
        {
            copies.spawn(copy(client.clone(), bucket.to_owned(), object.clone(), to.clone(), again));
        }
        match copies.join_next().await {
            // Dropping the set ends the others; what they copied is overwritten by the next attempt.
            Some(Ok(copied)) => copied?,
            Some(Err(error)) => return Err(EffectError::Retry(format!("a copy did not end: {error}"))),
            None => return Ok(()),
        }
    }
}

async fn copy(
    client: Client,
    bucket: String,
    object: ObjectVersion,
    to: String,
    again: bool,
) -> Result<(), EffectError> {
    if object.size > COPY_LIMIT {
        let size = object.size;
        let advice = "split it into smaller objects";
        return Err(EffectError::Permanent(format!(
            "{object} has {size} bytes, and {COPY_LIMIT} are accepted: {advice}"
        )));
    }
    // A function has 30 s: what an attempt that was cut short has copied need not be copied again. The place is the run's
    // own, and S3 shows an object whole or not at all.
    if again
        && let Ok(there) = client.head_object().bucket(&bucket).key(&to).send().await
        && there.content_length().and_then(|length| u64::try_from(length).ok()) == Some(object.size)
    {
        return Ok(());
    }
    let mut request = client.copy_object().bucket(&bucket).key(&to).copy_source(copy_source(&object));
    // Without versions the ETag is what tells that it is still the object that the run was asked for.
    if object.version_id.is_none() {
        request = request.set_copy_source_if_match(object.etag.as_ref().map(|etag| format!("\"{etag}\"")));
    }
    let patient = TimeoutConfig::builder().operation_timeout(COPY_TIMEOUT).operation_attempt_timeout(COPY_TIMEOUT);
    let patient = aws_sdk_s3::config::Builder::new().timeout_config(patient.build());
    request.customize().config_override(patient).send().await.map(drop).map_err(|error| {
        let changed = error.raw_response().is_some_and(|response| response.status().as_u16() == 412);
        let error = CallError::of(error);
        if changed {
            let what = "was overwritten before the run could copy it, and the bucket keeps no versions";
            return EffectError::Permanent(format!("{object} {what}; the newer object has a run of its own"));
        }
        // A role without the right to list sees 403 where an object is missing.
        match error.meaning {
            Meaning::Missing => EffectError::Permanent(format!(
                "{object} is not there any more: it was deleted before the run could copy it; upload it again"
            )),
            _ => error.effect(format_args!("{object} cannot be copied to s3://{bucket}/{to}")),
        }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::super::testing::{Answer, Fake};
    use super::*;

    fn object(version: Option<&str>) -> ObjectVersion {
        ObjectVersion {
            bucket: "data".into(),
            key: "raw/p/a b.csv".into(),
            version_id: version.map(str::to_owned),
            etag: Some("0a1b".into()),
            size: 10,
            sequencer: None,
        }
    }

    async fn start(fake: &Fake, objects: &[ObjectVersion]) -> Result<String, EffectError> {
        start_again(fake, objects, false).await
    }

    async fn start_again(fake: &Fake, objects: &[ObjectVersion], again: bool) -> Result<String, EffectError> {
        let stage: Vec<Stage> = objects
            .iter()
            .map(|object| Stage { object: object.clone(), to: "runs/p/r/input/a b.csv".into() })
            .collect();
        let run = RunId::manual("x");
        let parameters = BTreeMap::from([("InputDataUri".to_owned(), "s3://data/runs/p/r/input/".to_owned())]);
        let token = run.token("start");
        let start = Start { run: &run, pipeline: "p", stage: &stage, parameters: &parameters, token: &token, again };
        start.carry_out(&fake.aws(), "data").await
    }

    const COPIED: &str = r#"<CopyObjectResult><ETag>"e"</ETag></CopyObjectResult>"#;

    #[tokio::test]
    async fn the_exact_version_is_copied_then_the_execution_started_under_the_runs_token() {
        let fake = Fake::new([
            Answer::xml(200, COPIED),
            Answer::json(200, r#"{"PipelineExecutionArn":"arn:aws:sagemaker:r:a:pipeline/p/execution/e"}"#),
        ]);
        let arn = start(&fake, &[object(Some("v1"))]).await.unwrap();
        assert_eq!(arn, "arn:aws:sagemaker:r:a:pipeline/p/execution/e");
        let requests = fake.requests();
        assert_eq!(requests[0].header("x-amz-copy-source"), "data/raw/p/a%20b.csv?versionId=v1");
        assert!(requests[0].uri.contains("/runs/p/r/input/a%20b.csv"), "{}", requests[0].uri);
        assert_eq!(requests[1].target(), "SageMaker.StartPipelineExecution");
        let body = requests[1].json();
        assert_eq!(body["PipelineName"], "p");
        assert_eq!(body["PipelineExecutionDisplayName"], RunId::manual("x").as_str());
        assert_eq!(body["ClientRequestToken"], RunId::manual("x").token("start"));
        assert_eq!(body["PipelineParameters"][0]["Name"], "InputDataUri");
    }

    #[tokio::test]
    async fn what_an_earlier_attempt_has_copied_is_not_copied_again() {
        let started = Answer::json(200, r#"{"PipelineExecutionArn":"arn"}"#);
        // Whole, in part, not at all: the object has 10 bytes.
        for (there, then) in [
            (Answer::xml(200, "0123456789"), vec!["HEAD", "POST"]),
            (Answer::xml(200, "01234"), vec!["HEAD", "PUT", "POST"]),
            (Answer::xml(404, ""), vec!["HEAD", "PUT", "POST"]),
        ] {
            let mut answers = vec![there];
            answers.extend(then.contains(&"PUT").then(|| Answer::xml(200, COPIED)));
            answers.push(started.clone());
            let fake = Fake::new(answers);
            start_again(&fake, &[object(Some("v1"))], true).await.unwrap();
            let methods: Vec<_> = fake.requests().iter().map(|request| request.method.clone()).collect();
            assert_eq!(methods, then);
        }
    }

    #[tokio::test]
    async fn without_versions_the_etag_must_match() {
        let fake = Fake::new([Answer::xml(412, "<Error><Code>PreconditionFailed</Code></Error>")]);
        let error = start(&fake, &[object(None)]).await.unwrap_err();
        assert!(matches!(&error, EffectError::Permanent(why) if why.contains("was overwritten")), "{error}");
        assert_eq!(fake.requests()[0].header("x-amz-copy-source-if-match"), "\"0a1b\"");
    }

    #[tokio::test]
    async fn what_went_wrong_is_told_in_words_and_by_kind() {
        let gone = "<Error><Code>NoSuchVersion</Code><Message>no</Message></Error>";
        let no_pipeline = r#"{"__type":"ResourceNotFound","message":"Pipeline 'p' does not exist."}"#;
        let full = r#"{"__type":"ResourceLimitExceeded","message":"20 executions"}"#;
        let wrong = r#"{"__type":"ValidationException","message":"Unknown parameter"}"#;
        for (answers, permanent, text) in [
            (vec![Answer::xml(404, gone)], true, "is not there any more"),
            (vec![Answer::xml(403, "<Error><Code>AccessDenied</Code></Error>")], true, "no permission"),
            (vec![Answer::xml(503, "<Error><Code>SlowDown</Code></Error>")], false, "SlowDown"),
            (vec![Answer::xml(200, COPIED), Answer::json(400, no_pipeline)], true, "run `tidegate apply`"),
            (vec![Answer::xml(200, COPIED), Answer::json(400, full)], false, "20 executions"),
            (vec![Answer::xml(200, COPIED), Answer::json(400, wrong)], true, "Unknown parameter"),
        ] {
            let error = start(&Fake::new(answers), &[object(Some("v1"))]).await.unwrap_err();
            assert_eq!(matches!(error, EffectError::Permanent(_)), permanent, "{error}");
            assert!(error.to_string().contains(text), "{error}");
        }
    }

    #[tokio::test]
    async fn every_object_of_many_is_copied_before_the_start() {
        let mut answers = vec![Answer::xml(200, COPIED); 40];
        answers.push(Answer::json(200, r#"{"PipelineExecutionArn":"arn"}"#));
        let fake = Fake::new(answers);
        start(&fake, &vec![object(Some("v1")); 40]).await.unwrap();
        let requests = fake.requests();
        assert_eq!(requests.len(), 41);
        assert_eq!(requests[40].target(), "SageMaker.StartPipelineExecution");
    }

    #[tokio::test]
    async fn an_object_too_large_for_one_copy_is_refused_before_any_call() {
        let fake = Fake::new([]);
        let large = ObjectVersion { size: COPY_LIMIT + 1, ..object(Some("v1")) };
        assert!(matches!(start(&fake, &[large]).await, Err(EffectError::Permanent(_))));
        assert!(fake.requests().is_empty());
    }
}
