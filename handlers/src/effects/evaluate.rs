//! Find the model that the execution trained, and read what its evaluation says.

use aws_sdk_sagemaker::types::{PipelineExecutionStep, StepStatus};
use aws_smithy_types::byte_stream::error::Error as StreamError;
use statemachine::gate::{REPORT_LIMIT, Report, UnreadableReport};
use statemachine::run::{Evaluation, TrainedModel};

use super::s3::bounded;
use super::{CallError, EffectError, Meaning, S3Uri};
use crate::aws::Aws;

/// How many executions back the result of a cache hit is looked for. One that was itself a hit names the execution
/// before it.
const CACHE_DEPTH: usize = 5;

pub(super) async fn evaluate(
    aws: &Aws,
    execution_arn: &str,
    training_step: &str,
    report_uri: &str,
) -> Result<Evaluation, EffectError> {
    let model = trained_model(aws, execution_arn, training_step).await?;
    let report = read_report(aws, report_uri).await?;
    Ok(Evaluation { model, report_uri: report_uri.to_owned(), report })
}

async fn trained_model(aws: &Aws, execution_arn: &str, step: &str) -> Result<TrainedModel, EffectError> {
    let job_arn = training_job(aws, execution_arn, step).await?;
    let job = job_arn.rsplit('/').next().unwrap_or(&job_arn);
    let answer = aws.sagemaker().describe_training_job().training_job_name(job).send().await;
    let answer = answer.map_err(|error| {
        CallError::of(error).or_missing(format_args!("training job `{job}` cannot be looked at"), || {
            format!("there is no training job `{job}`, although step `{step}` names it")
        })
    })?;
    let data = answer.model_artifacts.and_then(|artifacts| artifacts.s3_model_artifacts);
    let data = data.ok_or_else(|| {
        EffectError::Permanent(format!("training job `{job}` has no model: it must end well and write /opt/ml/model"))
    })?;
    let image = answer.algorithm_specification.and_then(|algorithm| algorithm.training_image).unwrap_or_default();
    Ok(TrainedModel { data, job_arn, image })
}

async fn training_job(aws: &Aws, execution_arn: &str, name: &str) -> Result<String, EffectError> {
    let mut execution = execution_arn.to_owned();
    for _ in 0..CACHE_DEPTH {
        let steps = steps(aws, &execution).await?;
        match found(&steps, name) {
            Found::Job(arn) => return Ok(arn),
            Found::Cached(source) => execution = source,
            Found::Nothing => break,
        }
    }
    Err(EffectError::Permanent(format!("execution {execution_arn} has no training job for step `{name}`")))
}

/// Every step of an execution.
pub(crate) async fn steps(aws: &Aws, execution_arn: &str) -> Result<Vec<PipelineExecutionStep>, EffectError> {
    let request = aws.sagemaker().list_pipeline_execution_steps().pipeline_execution_arn(execution_arn);
    let pages = request.into_paginator().items().send();
    pages.collect::<Result<Vec<_>, _>>().await.map_err(|error| {
        CallError::of(error).effect(format_args!("the steps of execution {execution_arn} cannot be listed"))
    })
}

#[derive(Debug, PartialEq)]
enum Found {
    Job(String),
    Cached(String),
    Nothing,
}

fn found(steps: &[PipelineExecutionStep], name: &str) -> Found {
    let named = || steps.iter().filter(|step| step.step_name() == Some(name));
    // A step that was tried again may be listed for each attempt.
    let step = named().find(|step| step.step_status() == Some(&StepStatus::Succeeded)).or_else(|| named().next());
    let Some(step) = step else { return Found::Nothing };
    let job = step.metadata().and_then(|metadata| metadata.training_job()).and_then(|job| job.arn());
    let source = step.cache_hit_result().and_then(|hit| hit.source_pipeline_execution_arn());
    match (job, source) {
        (Some(arn), _) => Found::Job(arn.to_owned()),
        (None, Some(source)) => Found::Cached(source.to_owned()),
        (None, None) => Found::Nothing,
    }
}

/// A report that is not there, or not one, is an answer: the gate fails closed. An error is only what may hide a good
/// report.
async fn read_report(aws: &Aws, uri: &str) -> Result<Result<Report, UnreadableReport>, EffectError> {
    let address = S3Uri::parse(uri)?;
    let answer = aws.s3().get_object().bucket(&address.bucket).key(&address.key).send().await;
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => {
            let error = CallError::of(error);
            if error.meaning == Meaning::Missing {
                return Ok(Err(UnreadableReport(format!("there is none at {uri}"))));
            }
            return Err(error.effect(format_args!("the evaluation report {uri} cannot be read")));
        }
    };
    let limit = i64::try_from(REPORT_LIMIT).unwrap_or(i64::MAX);
    let too_large = |size: i64| Ok(Err(UnreadableReport(format!("it has {size} bytes, and {limit} are accepted"))));
    if let Some(size) = answer.content_length
        && size > limit
    {
        return too_large(size);
    }
    let broken = |error: StreamError| {
        CallError::busy(error.to_string()).effect(format_args!("the evaluation report {uri} cannot be read"))
    };
    match bounded(answer.body, REPORT_LIMIT).await.map_err(broken)? {
        Some(bytes) => Ok(Report::parse(&bytes)),
        None => too_large(limit.saturating_add(1)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::super::testing::{Answer, Fake};
    use super::*;

    const EXECUTION: &str = "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/p/execution/abcdefghijkl";
    const STEPS: &str = r#"{"PipelineExecutionSteps":[
        {"StepName":"train","StepStatus":"Succeeded","Metadata":{"TrainingJob":{"Arn":"arn:aws:sagemaker:r:a:training-job/job-1"}}}]}"#;
    const JOB: &str = r#"{"TrainingJobName":"job-1","ModelArtifacts":{"S3ModelArtifacts":"s3://data/m.tar.gz"},
        "AlgorithmSpecification":{"TrainingImage":"image:1","TrainingInputMode":"File"}}"#;

    async fn run(fake: &Fake) -> Result<Evaluation, EffectError> {
        evaluate(&fake.aws(), EXECUTION, "train", "s3://data/runs/p/e/evaluation.json").await
    }

    #[tokio::test]
    async fn the_model_and_the_report_are_found() {
        let fake =
            Fake::new([Answer::json(200, STEPS), Answer::json(200, JOB), Answer::json(200, r#"{"accuracy":0.97}"#)]);
        let evaluation = run(&fake).await.unwrap();
        assert_eq!(evaluation.model.data, "s3://data/m.tar.gz");
        assert_eq!(evaluation.model.image, "image:1");
        assert_eq!(evaluation.report, Report::parse(br#"{"accuracy":0.97}"#));
        assert_eq!(fake.requests()[1].json()["TrainingJobName"], "job-1");
    }

    #[tokio::test]
    async fn every_page_is_read_and_a_cache_hit_followed_to_its_source() {
        let source = "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/p/execution/before000000";
        let first = r#"{"PipelineExecutionSteps":[{"StepName":"evaluate","StepStatus":"Succeeded"}],"NextToken":"t"}"#;
        let hit = format!(
            r#"{{"PipelineExecutionSteps":[{{"StepName":"train","StepStatus":"Succeeded",
                "CacheHitResult":{{"SourcePipelineExecutionArn":"{source}"}}}}]}}"#
        );
        let fake = Fake::new([
            Answer::json(200, first),
            Answer::json(200, &hit),
            Answer::json(200, STEPS),
            Answer::json(200, JOB),
            Answer::json(200, "{}"),
        ]);
        run(&fake).await.unwrap();
        assert_eq!(fake.requests()[1].json()["NextToken"], "t");
        assert_eq!(fake.requests()[2].json()["PipelineExecutionArn"], source);
    }

    #[tokio::test]
    async fn a_missing_report_fails_the_gate_and_not_the_command() {
        let missing = "<Error><Code>NoSuchKey</Code><Message>no</Message></Error>";
        let fake = Fake::new([Answer::json(200, STEPS), Answer::json(200, JOB), Answer::xml(404, missing)]);
        let evaluation = run(&fake).await.unwrap();
        let why = "there is none at s3://data/runs/p/e/evaluation.json".to_owned();
        assert_eq!(evaluation.report, Err(UnreadableReport(why)));
    }

    #[tokio::test]
    async fn a_report_that_is_too_large_is_refused() {
        let large = format!("{{\"a\":\"{}\"}}", "x".repeat(REPORT_LIMIT));
        let fake = Fake::new([Answer::json(200, STEPS), Answer::json(200, JOB), Answer::json(200, &large)]);
        let evaluation = run(&fake).await.unwrap();
        assert!(evaluation.report.unwrap_err().0.contains("are accepted"));
    }

    #[tokio::test]
    async fn a_report_that_may_not_be_read_is_an_error_and_one_that_cannot_now_is_tried_again() {
        for (status, code, permanent) in [(403, "AccessDenied", true), (503, "SlowDown", false)] {
            let answer = format!("<Error><Code>{code}</Code></Error>");
            let fake = Fake::new([Answer::json(200, STEPS), Answer::json(200, JOB), Answer::xml(status, &answer)]);
            let error = run(&fake).await.unwrap_err();
            assert_eq!(matches!(error, EffectError::Permanent(_)), permanent, "{error}");
        }
    }

    #[tokio::test]
    async fn an_execution_without_the_training_step_is_an_error_in_words() {
        let error = run(&Fake::new([Answer::json(200, r#"{"PipelineExecutionSteps":[]}"#)])).await.unwrap_err();
        assert!(matches!(&error, EffectError::Permanent(why) if why.ends_with("no training job for step `train`")));
    }
}
