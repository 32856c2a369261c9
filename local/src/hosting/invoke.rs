//! `InvokeEndpoint`: a request handed on to the model server.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use axum::response::IntoResponse;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use super::{Live, Servers};
use crate::api::endpoints;
use crate::engine::Engine;
use crate::engine::http::{self, HttpClient};

/// A model must answer a real-time request within a minute.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);
const VARIANT: HeaderName = HeaderName::from_static("x-amzn-invoked-production-variant");
const TARGET_VARIANT: HeaderName = HeaderName::from_static("x-amzn-sagemaker-target-variant");
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
/// What goes on to the model, beside the body.
const PASSED_ON: [HeaderName; 4] = [
    header::CONTENT_TYPE,
    header::ACCEPT,
    HeaderName::from_static("x-amzn-sagemaker-custom-attributes"),
    HeaderName::from_static("x-amzn-sagemaker-inference-id"),
];

#[derive(Debug)]
struct Client(HttpClient);

impl Default for Client {
    fn default() -> Self {
        Self(http::client())
    }
}

pub(super) async fn invoke(
    State(engine): State<Arc<Engine>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<axum::body::Body> {
    let Some(live) = engine.part::<Servers>().get(&name).filter(|_| endpoints::find(&engine, &name).is_ok()) else {
        let message = format!("Endpoint {name} of account {} not found.", engine.config.account);
        return refuse(StatusCode::BAD_REQUEST, "ValidationError", json!({"Message": message}));
    };
    if let Some(variant) = headers.get(TARGET_VARIANT).filter(|variant| variant.as_bytes() != live.variant.as_bytes()) {
        let message = format!("Variant {} not found in endpoint {name}.", String::from_utf8_lossy(variant.as_bytes()));
        return refuse(StatusCode::BAD_REQUEST, "ValidationError", json!({"Message": message}));
    }
    match pass_on(&engine, &live, &headers, body).await {
        Ok(response) => response,
        Err(reason) => {
            tracing::warn!(endpoint = name, reason, "the model server did not answer");
            let message = format!("The endpoint {name} cannot answer now: {reason}.");
            refuse(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", json!({"Message": message}))
        }
    }
}

async fn pass_on(
    engine: &Engine,
    live: &Live,
    headers: &HeaderMap,
    body: Bytes,
) -> Result<Response<axum::body::Body>, String> {
    let port = live.port().ok_or("its model server is being started again")?;
    let mut request = Request::post(format!("http://127.0.0.1:{port}/invocations"));
    for name in PASSED_ON {
        if let Some(value) = headers.get(&name) {
            request = request.header(name, value);
        }
    }
    let request = request.body(http::body(body)).map_err(|error| error.to_string())?;
    let client = engine.part::<Client>();
    let exchange = async {
        let answer = client.0.request(request).await.map_err(|error| http::reason(&error))?;
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.map_err(|error| http::reason(&error))?;
        Ok::<_, String>((parts, body.to_bytes()))
    };
    let Ok(answer) = tokio::time::timeout(ANSWER_WITHIN, exchange).await else {
        let message = format!(
            "Your invocation timed out while waiting for a response from container primary. The limit is {} s.",
            ANSWER_WITHIN.as_secs()
        );
        return Ok(model_error(message, "", 0));
    };
    let (parts, body) = answer?;
    if !parts.status.is_success() {
        let status = parts.status.as_u16();
        let side = if parts.status.is_client_error() { "client" } else { "server" };
        let original = String::from_utf8_lossy(&body).into_owned();
        let message = format!("Received {side} error ({status}) from primary with message \"{original}\".");
        return Ok(model_error(message, &original, status));
    }
    let mut response = Response::new(axum::body::Body::from(body));
    for name in [header::CONTENT_TYPE, HeaderName::from_static("x-amzn-sagemaker-custom-attributes")] {
        if let Some(value) = parts.headers.get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    if let Ok(variant) = HeaderValue::from_str(&live.variant) {
        response.headers_mut().insert(VARIANT, variant);
    }
    Ok(response)
}

fn model_error(message: String, original: &str, status: u16) -> Response<axum::body::Body> {
    let code = if (400..500).contains(&status) { "CLIENT_ERROR_FROM_MODEL" } else { "SERVER_ERROR_FROM_MODEL" };
    let body = json!({
        "ErrorCode": code,
        "Message": message,
        "OriginalMessage": original,
        "OriginalStatusCode": status,
    });
    refuse(StatusCode::FAILED_DEPENDENCY, "ModelError", body)
}

fn refuse(status: StatusCode, kind: &'static str, body: Value) -> Response<axum::body::Body> {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (ERROR_TYPE, HeaderValue::from_static(kind)),
    ];
    (status, headers, body.to_string()).into_response()
}
