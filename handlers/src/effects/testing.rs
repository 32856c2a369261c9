//! AWS for tests: answers in a row, requests noted.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;

use crate::aws::Aws;

/// An answer to the next request.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    status: u16,
    body: Vec<u8>,
    kind: &'static str,
    header: Option<(&'static str, &'static str)>,
}

impl Answer {
    pub(crate) fn json(status: u16, body: &str) -> Self {
        Self { status, body: body.into(), kind: "application/x-amz-json-1.1", header: None }
    }

    pub(crate) fn xml(status: u16, body: &str) -> Self {
        Self { status, body: body.into(), kind: "application/xml", header: None }
    }

    /// An object.
    pub(crate) fn bytes(body: Vec<u8>) -> Self {
        Self { status: 200, body, kind: "application/octet-stream", header: None }
    }

    /// With one header more.
    pub(crate) fn header(self, name: &'static str, value: &'static str) -> Self {
        Self { header: Some((name, value)), ..self }
    }

    /// As it comes over the wire.
    pub(crate) fn response(self) -> HttpResponse {
        let length = self.body.len().to_string();
        let mut response = HttpResponse::new(StatusCode::try_from(self.status).unwrap(), SdkBody::from(self.body));
        response.headers_mut().insert("content-type", self.kind);
        response.headers_mut().insert("content-length", length);
        if let Some((name, value)) = self.header {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// A request that was made.
#[derive(Clone, Debug)]
pub(crate) struct Noted {
    pub(crate) method: String,
    pub(crate) uri: String,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Noted {
    pub(crate) fn of(request: &HttpRequest) -> Self {
        Self {
            method: request.method().to_owned(),
            uri: request.uri().to_owned(),
            headers: request.headers().iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            body: String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned(),
        }
    }

    /// Empty when there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    }

    /// The operation of the JSON protocol.
    pub(crate) fn target(&self) -> &str {
        self.header("x-amz-target")
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Fake(Arc<State>);

#[derive(Debug)]
struct State {
    answers: Mutex<VecDeque<Answer>>,
    requests: Mutex<Vec<Noted>>,
}

impl Fake {
    pub(crate) fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        let answers = Mutex::new(answers.into_iter().collect());
        Self(Arc::new(State { answers, requests: Mutex::default() }))
    }

    /// Clients that try once and talk to this.
    pub(crate) fn aws(&self) -> Aws {
        aws_over(self.clone())
    }

    pub(crate) fn requests(&self) -> Vec<Noted> {
        self.0.requests.lock().unwrap().clone()
    }

    /// The operations that were called, in order; for S3 and Scheduler the method and path.
    pub(crate) fn calls(&self) -> Vec<String> {
        let path = |uri: &str| {
            let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
            let path = rest.split_once('/').map_or("", |(_, path)| path);
            path.split('?').next().unwrap_or_default().to_owned()
        };
        let name = |request: &Noted| match request.target().rsplit_once('.') {
            None => format!("{} /{}", request.method, path(&request.uri)),
            Some((_, operation)) => operation.to_owned(),
        };
        self.requests().iter().map(name).collect()
    }
}

/// Clients that try once, over any connection.
pub(crate) fn aws_over(connector: impl HttpConnector + 'static) -> Aws {
    let connector = SharedHttpConnector::new(connector);
    let credentials = Credentials::new("test", "test", None, None, "test");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .http_client(http_client_fn(move |_, _| connector.clone()))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(RetryConfig::disabled())
        .build();
    Aws::new(config)
}

impl HttpConnector for Fake {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let noted = Noted::of(&request);
        let Some(answer) = self.0.answers.lock().unwrap().pop_front() else {
            panic!("no answer is left for {noted:?}");
        };
        self.0.requests.lock().unwrap().push(noted);
        HttpConnectorFuture::ready(Ok(answer.response()))
    }
}
