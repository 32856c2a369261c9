#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use crate::cloudformation::testing::{self, request};
use crate::effects::testing::{Answer as AwsAnswer, Fake};

async fn answer_to(payload: Value, aws: &Fake) -> Value {
    let context = Arc::new(Context { aws: aws.aws(), table: "tidegate".to_owned() });
    testing::answer_to(payload, |event| handle(context, event)).await
}

const DEPLOYMENT: &str = r#"{"bucket":"tidegate-data","topic_arn":"t",
    "job_role_arn":"arn:aws:iam::123456789012:role/job","pipeline_role_arn":"arn:aws:iam::123456789012:role/pipeline",
    "schedule_role_arn":"s","schedule_function_arn":"f","schedule_group":"tidegate","schedule_dlq_arn":"d",
    "account":"123456789012","region":"eu-west-1"}"#;

fn stored(body: &str) -> AwsAnswer {
    AwsAnswer::json(200, &json!({"Item": {"body": {"S": body}}}).to_string())
}

#[tokio::test]
async fn settings_are_written_and_answered() {
    let properties = json!({
        "Bucket": "b", "TopicArn": "t", "JobRoleArn": "j", "PipelineRoleArn": "p", "ScheduleRoleArn": "s",
        "ScheduleFunctionArn": "f", "ScheduleGroup": "g", "ScheduleDlqArn": "d",
    });
    let fake = Fake::new([AwsAnswer::json(200, "{}")]);
    let answer = answer_to(request("Create", "Custom::TidegateSettings", &properties, None), &fake).await;
    assert_eq!(answer["Status"], "SUCCESS");
    assert_eq!(answer["PhysicalResourceId"], "tidegate-settings");
    let written = fake.requests()[0].json();
    assert_eq!(written["TableName"], "tidegate");
    assert!(written["Item"]["body"]["S"].as_str().unwrap().contains("\"account\":\"123456789012\""));
}

#[tokio::test]
async fn an_error_is_answered_with_its_reason() {
    let properties = json!({"SourceBucket": "assets", "SourceKey": "a.zip"});
    let fake = Fake::new([AwsAnswer::json(200, "{}")]);
    let answer = answer_to(request("Create", "Custom::TidegatePipeline", &properties, None), &fake).await;
    assert_eq!(answer["Status"], "FAILED");
    assert_eq!(answer["PhysicalResourceId"], "tidegate-not-made");
    assert!(answer["Reason"].as_str().unwrap().starts_with("the ledger does not say where the orchestrator is"));
}

#[tokio::test]
async fn a_failed_update_keeps_its_id() {
    let properties = json!({"SourceBucket": "assets", "SourceKey": "a.zip"});
    let missing = AwsAnswer::xml(404, "<Error><Code>NoSuchKey</Code><Message>no</Message></Error>");
    let fake = Fake::new([stored(DEPLOYMENT), missing]);
    let id = Some("tidegate-pipeline/p");
    let answer = answer_to(request("Update", "Custom::TidegatePipeline", &properties, id), &fake).await;
    assert_eq!(answer["Status"], "FAILED");
    assert_eq!(answer["PhysicalResourceId"], "tidegate-pipeline/p");
    assert!(answer["Reason"].as_str().unwrap().contains("s3://assets/a.zip cannot be read"));
}

#[tokio::test]
async fn the_deletion_of_what_was_never_made_succeeds_without_a_call() {
    let fake = Fake::new([]);
    let gone = request("Delete", "Custom::TidegatePipeline", &json!({}), Some("tidegate-not-made"));
    let answer = answer_to(gone, &fake).await;
    assert_eq!(answer["Status"], "SUCCESS");
    assert!(fake.requests().is_empty());
}
