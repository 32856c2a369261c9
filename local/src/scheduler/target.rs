//! Invocation of targets: functions, queues and topics at MiniStack, pipelines in the engine itself.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::model::Firing;
use super::validate::{self, Kind};
use crate::api::Code;
use crate::engine::{Engine, http};

const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// Why a target did not take an invocation.
#[derive(Debug)]
pub(super) struct Refusal {
    /// AWS's name of the error, as far as known.
    pub(super) code: String,
    pub(super) message: String,
    /// Trying again cannot help.
    pub(super) permanent: bool,
    /// `false` when MiniStack is not there, which counts as no attempt: AWS's services always are.
    pub(super) reached: bool,
}

impl Refusal {
    /// The scheduler itself was down until the firing was too old.
    pub(super) fn too_late() -> Self {
        let message = "the local cloud was down when it was due, and for longer than MaximumEventAgeInSeconds".into();
        Self { code: "EVENT_TOO_OLD".into(), message, permanent: false, reached: true }
    }
}

pub(super) async fn invoke(engine: &Arc<Engine>, firing: &Firing, payload: &str) -> Result<(), Refusal> {
    let arn = &firing.target.arn;
    match validate::kind(arn) {
        Some(Kind::Function) => {
            let path = format!("/2015-03-31/functions/{}/invocations", arn.replace(':', "%3A"));
            let kind = [("x-amz-invocation-type", "Event"), ("content-type", "application/json")];
            post(engine, "lambda", &path, &kind, payload.to_owned()).await
        }
        Some(Kind::Queue) => {
            let group = firing.target.sqs_parameters.as_ref().and_then(|sqs| sqs.message_group_id.clone());
            let mut message = json!({"QueueUrl": queue_url(engine, arn), "MessageBody": payload});
            if let (Some(group), Some(message)) = (group, message.as_object_mut()) {
                message.insert("MessageGroupId".into(), group.into());
            }
            send_message(engine, &message).await
        }
        Some(Kind::Topic) => {
            let kind = [("content-type", "application/x-www-form-urlencoded")];
            let form = [("Action", "Publish"), ("Version", "2010-03-31"), ("TopicArn", arn), ("Message", payload)];
            let body: Vec<String> = form.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
            post(engine, "sns", "/", &kind, body.join("&")).await
        }
        Some(Kind::Pipeline) => start_pipeline(engine, firing).await,
        None => {
            let (code, message) = ("ValidationException".into(), format!("no target: {arn}"));
            Err(Refusal { code, message, permanent: true, reached: true })
        }
    }
}

async fn start_pipeline(engine: &Arc<Engine>, firing: &Firing) -> Result<(), Refusal> {
    let list = firing.target.pipeline_parameters.as_ref().and_then(|all| all.pipeline_parameter_list.clone());
    // The same for every attempt of one firing, so that an attempt whose answer was lost starts nothing twice.
    let token = hex(&Sha256::digest(firing.key.as_bytes()));
    let request = json!({
        "PipelineName": firing.target.arn,
        "PipelineParameters": list.unwrap_or_default(),
        "ClientRequestToken": token,
    });
    let answer = engine.call("StartPipelineExecution", request).await;
    answer.map(|_| ()).map_err(|error| Refusal {
        code: error.code.name().into(),
        permanent: !matches!(error.code, Code::Internal | Code::ResourceLimitExceeded),
        message: error.message,
        reached: true,
    })
}

/// Hands a firing that is given up to its dead-letter queue, with AWS's message attributes.
pub(super) async fn bury(
    engine: &Arc<Engine>,
    firing: &Firing,
    payload: &str,
    refusal: &Refusal,
    exhausted: Option<&str>,
) -> Result<(), Refusal> {
    let Some(queue) = firing.target.dead_letter_config.as_ref().and_then(|config| config.arn.as_ref()) else {
        return Ok(());
    };
    let mut attributes = vec![
        ("ERROR_CODE", refusal.code.clone()),
        ("ERROR_MESSAGE", refusal.message.clone()),
        ("RETRY_ATTEMPTS", firing.attempts.saturating_sub(1).to_string()),
        ("SCHEDULE_ARN", firing.schedule_arn.clone()),
        ("SCHEDULED_TIME", super::context::time(firing.due)),
        ("TARGET_ARN", firing.target.arn.clone()),
    ];
    attributes.extend(exhausted.map(|condition| ("EXHAUSTED_RETRY_CONDITION", condition.to_owned())));
    let attributes: serde_json::Map<String, Value> = attributes
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.to_owned(), json!({"DataType": "String", "StringValue": value})))
        .collect();
    let message =
        json!({"QueueUrl": queue_url(engine, queue), "MessageBody": payload, "MessageAttributes": attributes});
    send_message(engine, &message).await
}

async fn send_message(engine: &Arc<Engine>, message: &Value) -> Result<(), Refusal> {
    let kind = [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", "AmazonSQS.SendMessage")];
    post(engine, "sqs", "/", &kind, message.to_string()).await
}

fn queue_url(engine: &Engine, arn: &str) -> String {
    let name = arn.rsplit(':').next().unwrap_or_default();
    format!("{}/{}/{name}", engine.config.ministack, engine.config.account)
}

async fn post(
    engine: &Arc<Engine>,
    service: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: String,
) -> Result<(), Refusal> {
    let transient = |message: String| {
        let code = "SDK_CLIENT_ERROR".into();
        Refusal { code, message, permanent: false, reached: true }
    };
    // MiniStack reads account, region and service from the signature's scope and does not check the signature.
    let scope = format!(
        "AWS4-HMAC-SHA256 Credential=test/20260101/{}/{service}/aws4_request, SignedHeaders=host, Signature=0",
        engine.config.region
    );
    let mut request = Request::builder().method(Method::POST).uri(format!("{}{path}", engine.config.ministack));
    request = request.header(header::AUTHORIZATION, scope);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(http::body(body)).map_err(|error| transient(error.to_string()))?;
    let part = engine.part::<Client>();
    let asked = async {
        let answer = part
            .0
            .request(request)
            .await
            .map_err(|error| Refusal { reached: !error.is_connect(), ..transient(http::reason(&error)) })?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        let bytes = answer.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        Err(refusal(status, &bytes))
    };
    match tokio::time::timeout(ANSWER_WITHIN, asked).await {
        Ok(result) => result,
        Err(_) => Err(transient(format!("no answer within {} s", ANSWER_WITHIN.as_secs()))),
    }
}

fn refusal(status: StatusCode, body: &[u8]) -> Refusal {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |names: [&str; 3]| names.iter().find_map(|name| value.get(*name)?.as_str().map(str::to_owned));
    let code = text(["__type", "code", "Code"]).unwrap_or_else(|| status.to_string());
    let code = code.rsplit('#').next().unwrap_or_default().to_owned();
    let message = text(["message", "Message", "error"]).unwrap_or_else(|| String::from_utf8_lossy(body).into_owned());
    // A throttled or unready target may take it later; any other 4xx says the same next time.
    let later = [StatusCode::TOO_MANY_REQUESTS, StatusCode::REQUEST_TIMEOUT, StatusCode::CONFLICT];
    Refusal { code, message, permanent: status.is_client_error() && !later.contains(&status), reached: true }
}

struct Client(http::HttpClient);

impl Default for Client {
    fn default() -> Self {
        Self(http::client())
    }
}

fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
