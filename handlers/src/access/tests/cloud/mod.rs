//! DynamoDB, SageMaker, STS and Cognito, as far as sign-in asks them.

mod dynamodb;
mod outside;
mod sagemaker;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use serde_json::Value;
use tokio::task::yield_now;

use crate::aws::{Aws, Endpoints};

pub(super) use sagemaker::UserProfile;

/// Its access key, and that of the sessions that STS gives.
pub(super) const SESSION_KEY: &str = "ASIASESSION";

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// 500, and nothing is done.
    Broken,
    /// Too many, and nothing is done.
    Throttled,
    /// Not allowed, and nothing is done.
    Denied,
    /// It is done, and nobody hears of it.
    Lost,
}

/// A call that was made.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// `dynamodb.PutItem`, `cognito.token`
    pub(super) name: String,
    pub(super) body: String,
    /// Whose credentials.
    pub(super) key: String,
}

impl Call {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) items: BTreeMap<String, Value>,
    /// Names and ids, in pages of two.
    pub(super) domains: Vec<(String, String)>,
    pub(super) profiles: BTreeMap<String, UserProfile>,
    /// After how many looks a profile that was made or changed is in service.
    pub(super) looks: u32,
    /// How many looks for a profile find none although there is one.
    pub(super) hidden: u32,
    pub(super) calls: Vec<Call>,
    /// By the number of the call, from 0.
    pub(super) faults: BTreeMap<usize, Fault>,
    pub(super) urls: u32,
    /// The session's name that STS verifies, and the issuer; `None` refuses the assertion.
    pub(super) session: Option<(String, String)>,
    /// The status and the body of Cognito's token endpoint.
    pub(super) token: Option<(u16, String)>,
    pub(super) jwks: String,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Cloud(Arc<Mutex<State>>);

impl Cloud {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(super) fn connector(&self) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }

    /// Clients that try once.
    pub(super) fn aws(&self) -> Aws {
        let connector = self.connector();
        let credentials = Credentials::new("AKIAFUNCTION", "test", None, None, "test");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .retry_config(RetryConfig::disabled())
            .build();
        Aws::with_endpoints(config, Endpoints::default())
    }

    /// The names of the calls since the last time.
    pub(super) fn take_calls(&self) -> Vec<String> {
        std::mem::take(&mut self.state().calls).into_iter().map(|call| call.name).collect()
    }

    pub(super) fn count(&self, name: &str) -> usize {
        self.state().calls.iter().filter(|call| call.name == name).count()
    }

    fn answer(&self, call: Call) -> Result<Reply, ConnectorError> {
        let mut state = self.state();
        let fault = state.faults.get(&state.calls.len()).copied();
        state.calls.push(call.clone());
        match fault {
            Some(Fault::Broken) => return Ok(Reply::error(500, "InternalFailure")),
            Some(Fault::Throttled) => return Ok(Reply::error(400, "ThrottlingException")),
            Some(Fault::Denied) => return Ok(Reply::error(400, "AccessDeniedException")),
            Some(Fault::Lost) | None => {}
        }
        let (service, operation) = call.name.split_once('.').unwrap();
        let reply = match service {
            "dynamodb" => dynamodb::answer(&mut state, operation, &call.json()),
            "sagemaker" => sagemaker::answer(&mut state, operation, &call.json()),
            "sts" => outside::assume(&state, &call.body),
            "cognito" => outside::cognito(&state, operation),
            other => panic!("{other} is not asked"),
        };
        if fault == Some(Fault::Lost) {
            return Err(ConnectorError::io("the connection broke off".into()));
        }
        Ok(reply)
    }
}

/// An answer.
struct Reply {
    status: u16,
    kind: &'static str,
    body: String,
}

impl Reply {
    fn json(body: &Value) -> Self {
        Self { status: 200, kind: "application/x-amz-json-1.1", body: body.to_string() }
    }

    fn error(status: u16, code: &str) -> Self {
        let body = serde_json::json!({ "__type": code, "message": format!("{code}: it is so") });
        Self { status, ..Self::json(&body) }
    }
}

/// The target of the JSON protocols, the action of STS, the path of Cognito.
fn name(request: &HttpRequest, body: &str) -> String {
    if let Some(target) = request.headers().get("x-amz-target") {
        let (service, operation) = target.rsplit_once('.').unwrap();
        let service = if service.starts_with("DynamoDB") { "dynamodb" } else { "sagemaker" };
        return format!("{service}.{operation}");
    }
    if body.starts_with("Action=AssumeRoleWithSAML&") {
        return "sts.AssumeRoleWithSAML".to_owned();
    }
    match request.uri().rsplit('/').next() {
        Some("token") => "cognito.token".to_owned(),
        Some("jwks.json") => "cognito.jwks".to_owned(),
        _ => panic!("{} is not known", request.uri()),
    }
}

impl HttpConnector for Cloud {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = String::from_utf8(request.body().bytes().unwrap_or_default().to_vec()).unwrap();
        let signed = request.headers().get("authorization").unwrap_or_default();
        let key = signed.split_once("Credential=").and_then(|(_, rest)| rest.split('/').next()).unwrap_or_default();
        let call = Call { name: name(&request, &body), key: key.to_owned(), body };
        let cloud = self.clone();
        HttpConnectorFuture::new(async move {
            // Requests at the same time take turns.
            yield_now().await;
            let reply = cloud.answer(call)?;
            yield_now().await;
            let length = reply.body.len().to_string();
            let mut response =
                HttpResponse::new(StatusCode::try_from(reply.status).unwrap(), SdkBody::from(reply.body));
            response.headers_mut().insert("content-type", reply.kind);
            response.headers_mut().insert("content-length", length);
            Ok(response)
        })
    }
}
