//! CloudFormation for tests: requests as it makes them, and the bucket that takes the answers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use lambda_runtime::{Context as LambdaContext, LambdaEvent};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A request as CloudFormation makes it.
pub(crate) fn request(kind: &str, resource: &str, properties: &Value, id: Option<&str>) -> Value {
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
pub(crate) async fn bucket(statuses: &'static [u16]) -> (String, Arc<Mutex<Vec<String>>>) {
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

/// The event that carries a request, with a minute left.
pub(crate) fn event(mut payload: Value, url: &str) -> LambdaEvent<Value> {
    payload["ResponseURL"] = json!(url);
    let mut context = LambdaContext::default();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    context.deadline = u64::try_from(now.as_millis()).unwrap() + 60_000;
    LambdaEvent::new(payload, context)
}

/// What is PUT to CloudFormation when `handle` is given a request.
pub(crate) async fn answer_to<F>(payload: Value, handle: impl FnOnce(LambdaEvent<Value>) -> F) -> Value
where
    F: Future<Output = Result<(), super::HandleError>>,
{
    let (url, taken) = bucket(&[200]).await;
    handle(event(payload, &url)).await.unwrap();
    let taken = taken.lock().unwrap();
    let (head, body) = taken[0].split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("PUT /answer?signature=a%2Fb HTTP/1.1"), "{head}");
    assert!(head.to_lowercase().lines().any(|line| line.trim_end() == "content-type:"), "{head}");
    serde_json::from_str(body).unwrap()
}
