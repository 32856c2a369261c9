//! GetParameter of Systems Manager, over the SDK's own client, credentials and signature.
//!
//! The SDK of that service takes three minutes to build, for one call. This is what it would send.

use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, OrchestratorError};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::timeout::TimeoutConfig;
use serde_json::{Value, json};

const SERVICE: &str = "ssm";

const PATIENCE: Duration = Duration::from_secs(10);

/// Systems Manager's parameters.
#[derive(Debug)]
pub(crate) struct Parameters {
    config: SdkConfig,
    region: String,
    /// With a slash at its end.
    url: String,
}

/// A request, signed.
#[derive(Debug)]
struct Signed {
    headers: Vec<(String, String)>,
    body: String,
}

impl Parameters {
    /// `endpoint` is AWS's own unless given.
    pub(crate) fn new(config: SdkConfig, endpoint: Option<&str>) -> Self {
        let region = config.region().map(ToString::to_string).unwrap_or_default();
        let ending = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        let url = match endpoint {
            Some(endpoint) => format!("{}/", endpoint.trim_end_matches('/')),
            None => format!("https://{SERVICE}.{region}.{ending}/"),
        };
        Self { config, region, url }
    }

    /// The values of a parameter: one, or those of a list.
    ///
    /// # Errors
    /// Why it cannot be read, in one line.
    pub(crate) async fn values(&self, name: &str) -> Result<Vec<String>, String> {
        let (status, answer) = self.post(json!({"Name": name}).to_string()).await?;
        let answer: Value = serde_json::from_slice(&answer).map_err(|error| format!("no JSON is answered: {error}"))?;
        let text = |path: &str| answer.pointer(path).and_then(Value::as_str);
        if status != 200 {
            // `com.amazonaws.ssm#ParameterNotFound`, in some services' answers.
            let code = text("/__type").map_or("no code", |code| code.rsplit('#').next().unwrap_or(code));
            let message = text("/message").or_else(|| text("/Message"));
            return Err(message.map_or_else(|| code.to_owned(), |message| format!("{code}: {message}")));
        }
        let value = text("/Parameter/Value").ok_or("it has no value")?;
        // A StringList is a text with commas, and what is asked for here, ids and ARNs, has none.
        Ok(value.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect())
    }

    async fn post(&self, body: String) -> Result<(u16, Vec<u8>), String> {
        let client = self.config.http_client().ok_or("there is no HTTP client")?;
        let operation = Operation::builder()
            .service_name(SERVICE)
            .operation_name("GetParameter")
            .http_client(client)
            .endpoint_url(&self.url)
            .no_auth()
            .no_retry()
            .timeout_config(TimeoutConfig::builder().operation_timeout(PATIENCE).build())
            .serializer(|signed: Signed| {
                let mut request = HttpRequest::new(SdkBody::from(signed.body));
                request.set_method("POST")?;
                request.set_uri("/")?;
                for (name, value) in signed.headers {
                    request.headers_mut().try_insert(name, value)?;
                }
                Ok(request)
            })
            .deserializer::<_, std::convert::Infallible>(|response| {
                let body = response.body().bytes().ok_or_else(|| OrchestratorError::other("the answer has no end"))?;
                Ok((response.status().as_u16(), body.to_vec()))
            })
            .build();
        let signed = self.sign(body).await?;
        operation.invoke(signed).await.map_err(|error| crate::error::transport(&error))
    }

    async fn sign(&self, body: String) -> Result<Signed, String> {
        let provider = self.config.credentials_provider().ok_or("there are no credentials")?;
        let identity = provider.provide_credentials().await.map_err(|error| error.to_string())?.into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(SERVICE)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| error.to_string())?;
        let ours = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", "AmazonSSM.GetParameter")];
        let request =
            SignableRequest::new("POST", self.url.as_str(), ours.into_iter(), SignableBody::Bytes(body.as_bytes()));
        let output = sign(request.map_err(|error| error.to_string())?, &parameters.into());
        let (instructions, _) = output.map_err(|error| error.to_string())?.into_parts();
        let ours = ours.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let added = instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned()));
        Ok(Signed { headers: ours.chain(added).collect(), body })
    }
}
