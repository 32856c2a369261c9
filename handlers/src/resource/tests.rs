#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Mutex;

use lambda_runtime::Context as LambdaContext;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::effects::testing::{Answer as AwsAnswer, Fake};

/// A request as CloudFormation makes it.
pub(super) fn request(kind: &str, resource: &str, properties: &Value, id: Option<&str>) -> Value {
    let mut request = json!({
        "RequestType": kind,
        "ResponseURL": "https://example.com/answer",
        "StackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/Tidegate/0a1b",
        "RequestId": "r-1",
        "ResourceType": resource,
        "LogicalResourceId": "Pipeline",
        "ResourceProperties": properties,
    });
    if let Some(id) = id {
        request["PhysicalResourceId"] = json!(id);
    }
    request
}

/// Takes answers as CloudFormation's bucket does, with the given statuses in turn.
async fn bucket(statuses: &'static [u16]) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/answer?signature=a%2Fb", listener.local_addr().unwrap());
    let taken = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&taken);
    tokio::spawn(async move {
        for status in statuses {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut text = String::new();
            let mut buffer = [0; 8192];
            let complete = |text: &str| {
                let (head, body) = text.split_once("\r\n\r\n")?;
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?;
                (body.len() >= length.parse().ok()?).then_some(())
            };
            while complete(&text).is_none() {
                let read = stream.read(&mut buffer).await.unwrap();
                assert!(read > 0, "the request broke off: {text}");
                text.push_str(&String::from_utf8_lossy(&buffer[..read]));
            }
            noted.lock().unwrap().push(text);
            let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (url, taken)
}

fn event(mut payload: Value, url: &str) -> LambdaEvent<Value> {
    payload["ResponseURL"] = json!(url);
    let mut context = LambdaContext::default();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    context.deadline = u64::try_from(now.as_millis()).unwrap() + 60_000;
    LambdaEvent::new(payload, context)
}

async fn answer_to(payload: Value, aws: &Fake) -> Value {
    let (url, taken) = bucket(&[200]).await;
    let context = Arc::new(Context { aws: aws.aws(), table: "tidegate".to_owned() });
    handle(context, event(payload, &url)).await.unwrap();
    let taken = taken.lock().unwrap();
    let (head, body) = taken[0].split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("PUT /answer?signature=a%2Fb HTTP/1.1"), "{head}");
    assert!(head.to_lowercase().lines().any(|line| line.trim_end() == "content-type:"), "{head}");
    serde_json::from_str(body).unwrap()
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

#[tokio::test]
async fn an_answer_that_is_not_taken_is_sent_again() {
    let (url, taken) = bucket(&[500, 503, 200]).await;
    send::put(&check_url(&url).unwrap(), "{}", Duration::from_secs(10)).await.unwrap();
    assert_eq!(taken.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn an_answer_that_nobody_may_send_is_an_error() {
    let (url, taken) = bucket(&[403]).await;
    let error = send::put(&check_url(&url).unwrap(), "{}", Duration::from_secs(10)).await.unwrap_err();
    assert_eq!(error, SendError::Unsent("HTTP status 403".to_owned()));
    assert_eq!(taken.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_panic_and_work_without_end_become_reasons() {
    let panicking = async { panic!("boom") };
    let reason = supervised::<()>(panicking, Duration::from_secs(5)).await.unwrap_err();
    assert!(reason.starts_with("an error in Tidegate itself"), "{reason}");
    let reason = supervised(std::future::pending::<()>(), Duration::from_millis(20)).await.unwrap_err();
    assert!(reason.starts_with("not done within"), "{reason}");
    assert_eq!(supervised(async { 7 }, Duration::from_secs(5)).await, Ok(7));
}
