//! Calls of services whose SDK takes longer to build than all that needs it (docs/adr/0013-a-small-signed-client.md): the
//! request is our own; signature, credentials, connection and time-outs are the SDK's.

mod query;
mod xml;

use std::convert::Infallible;
use std::time::{Duration, SystemTime};

use aws_credential_types::provider::ProvideCredentials as _;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use serde_json::Value;

pub use query::Query;
pub(crate) use xml::Element;

use crate::effects::CallError;

/// How long a call may take. It is made once: who needs an answer asks again.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum SignedError {
    /// The request could not be made or signed.
    #[error("{0}")]
    Unready(String),
    /// It was sent, and nothing came back.
    #[error(transparent)]
    Unanswered(Box<SdkError<Infallible, HttpResponse>>),
}

/// A service in a Region.
#[derive(Clone, Debug)]
pub struct Service {
    config: SdkConfig,
    name: &'static str,
    region: String,
    /// Without a slash at its end.
    url: String,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Call {
    /// What it is called, for traces.
    pub operation: &'static str,
    /// `GET`, `POST`, `PUT`.
    pub method: &'static str,
    /// With a slash at its beginning, encoded as it goes over the wire.
    pub path: String,
    /// Signed with the rest.
    pub headers: Vec<(&'static str, &'static str)>,
    /// May be empty.
    pub body: String,
}

/// An answer, whatever its status.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The header `x-amzn-ErrorType`, in which the REST protocols say what is wrong.
    pub error_type: Option<String>,
    /// As it came.
    pub body: Vec<u8>,
}

/// An answer that says no, or none at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failed {
    /// The service's code, such as `DependencyViolation`; empty if there is none.
    pub(crate) code: String,
    pub(crate) error: CallError,
}

/// A request, signed.
#[derive(Debug)]
struct Signed {
    method: &'static str,
    path: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Service {
    /// `name` is the service's, in its host name and in signatures; the endpoint is AWS's own unless given.
    #[must_use]
    pub fn new(config: SdkConfig, name: &'static str, endpoint: Option<&str>) -> Self {
        let region = config.region().map(ToString::to_string).unwrap_or_default();
        let ending = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        let url = match endpoint {
            Some(endpoint) => endpoint.trim_end_matches('/').to_owned(),
            None => format!("https://{name}.{region}.{ending}"),
        };
        Self { config, name, region, url }
    }

    /// Signs and sends a request, once.
    ///
    /// # Errors
    /// No answer came. An answer that says no is one.
    pub async fn send(&self, call: Call) -> Result<Reply, SignedError> {
        let unready = |reason: &str| SignedError::Unready(reason.to_owned());
        let client = self.config.http_client().ok_or_else(|| unready("there is no HTTP client"))?;
        let mut operation = Operation::builder()
            .service_name(self.name)
            .operation_name(call.operation)
            .http_client(client)
            .endpoint_url(&self.url)
            .no_auth()
            .no_retry()
            .timeout_config(TimeoutConfig::builder().operation_timeout(PATIENCE).build());
        if let Some(sleep) = self.config.sleep_impl() {
            operation = operation.sleep_impl(sleep);
        }
        let operation = operation
            .serializer(|signed: Signed| {
                let mut request = HttpRequest::new(SdkBody::from(signed.body));
                request.set_method(signed.method)?;
                request.set_uri(signed.path)?;
                for (name, value) in signed.headers {
                    request.headers_mut().try_insert(name, value)?;
                }
                Ok(request)
            })
            .deserializer::<_, Infallible>(|response| {
                let body = response.body().bytes().ok_or_else(|| OrchestratorError::other("the answer has no end"))?;
                let error_type = response.headers().get("x-amzn-errortype").map(str::to_owned);
                Ok(Reply { status: response.status().as_u16(), error_type, body: body.to_vec() })
            })
            .build();
        let signed = self.sign(call).await.map_err(SignedError::Unready)?;
        operation.invoke(signed).await.map_err(|error| SignedError::Unanswered(Box::new(error)))
    }

    /// Sends a request whose answer is JSON, and reads it.
    ///
    /// # Errors
    /// No answer, one that says no, or one that is no JSON.
    pub(crate) async fn json(&self, call: Call) -> Result<Value, Failed> {
        let reply = self.send(call).await?;
        let answer: Value = match reply.body.as_slice() {
            [] => Value::Null,
            body => serde_json::from_slice(body).unwrap_or(Value::Null),
        };
        if (200..300).contains(&reply.status) && !answer.is_null() {
            return Ok(answer);
        }
        let text = |path: &str| answer.pointer(path).and_then(Value::as_str).unwrap_or_default();
        let named = [reply.error_type.as_deref().unwrap_or_default(), text("/__type"), text("/code"), text("/Code")];
        let code = named.into_iter().find(|code| !code.is_empty()).unwrap_or_default();
        // `com.amazonaws.backup#LimitExceededException:http://internal.amazon.com/…`, in some services' answers.
        let code = code.split(':').next().unwrap_or_default().rsplit('#').next().unwrap_or_default();
        let message = [text("/message"), text("/Message")].into_iter().find(|message| !message.is_empty());
        Err(Failed::read(code, message.unwrap_or_default(), reply.status))
    }

    async fn sign(&self, call: Call) -> Result<Signed, String> {
        let provider = self.config.credentials_provider().ok_or("there are no credentials")?;
        let identity = provider.provide_credentials().await.map_err(|error| error.to_string())?.into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(self.name)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| error.to_string())?;
        let url = format!("{}{}", self.url, call.path);
        let body = SignableBody::Bytes(call.body.as_bytes());
        let request = SignableRequest::new(call.method, url, call.headers.iter().copied(), body);
        let output = sign(request.map_err(|error| error.to_string())?, &parameters.into());
        let (instructions, _) = output.map_err(|error| error.to_string())?.into_parts();
        let own = call.headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let added = instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let headers = own.chain(added).collect();
        Ok(Signed { method: call.method, path: call.path, headers, body: call.body })
    }
}

impl Failed {
    /// What an answer says that is no success.
    pub(crate) fn read(code: &str, message: &str, status: u16) -> Self {
        Self { code: code.to_owned(), error: CallError::read(code, message, status) }
    }

    /// An answer that cannot be read.
    pub(crate) fn unreadable(said: impl Into<String>) -> Self {
        Self { code: String::new(), error: CallError::busy(said) }
    }
}

impl From<SignedError> for Failed {
    fn from(error: SignedError) -> Self {
        Self { code: String::new(), error: CallError::unanswered(&error) }
    }
}

#[cfg(test)]
mod tests;
