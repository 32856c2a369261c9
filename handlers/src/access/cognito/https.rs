//! A small HTTPS client, made of what the AWS clients are made of. It follows no redirection.

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use http_body_util::{BodyExt, Limited};
use tokio::time::timeout;

/// How long an answer may take, body and all.
const TIME: Duration = Duration::from_secs(6);

/// The longest answer, in bytes.
const LONGEST: usize = 256 * 1024;

/// No answer. Says neither the URL nor what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::access) enum HttpsError {
    #[error("no answer in time")]
    Time,
    #[error("no connection")]
    Connection,
    #[error("the request cannot be sent")]
    Request,
    #[error("the answer broke off, or is longer than 256 KiB")]
    Body,
}

/// Made at its first use: reading the system's certificates takes its time.
#[derive(Default)]
pub(in crate::access) struct Https {
    secure: OnceLock<SharedHttpConnector>,
    plain: OnceLock<SharedHttpConnector>,
}

impl Https {
    /// Over another connector.
    #[cfg(test)]
    pub(in crate::access) fn over(connector: &SharedHttpConnector) -> Self {
        Self { secure: OnceLock::from(connector.clone()), plain: OnceLock::from(connector.clone()) }
    }

    fn connector(&self, url: &str) -> &SharedHttpConnector {
        if url.starts_with("https://") {
            self.secure.get_or_init(|| {
                SharedHttpConnector::new(Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring)).build())
            })
        } else {
            self.plain.get_or_init(|| SharedHttpConnector::new(Connector::builder().build_http()))
        }
    }

    pub(super) async fn get(&self, url: &str) -> Result<(u16, Vec<u8>), HttpsError> {
        self.send(url, HttpRequest::empty()).await
    }

    pub(super) async fn post_form(&self, url: &str, form: String) -> Result<(u16, Vec<u8>), HttpsError> {
        let mut request = HttpRequest::new(SdkBody::empty());
        request.set_method("POST").map_err(|_| HttpsError::Request)?;
        request.headers_mut().insert("content-type", "application/x-www-form-urlencoded");
        request.headers_mut().insert("content-length", form.len().to_string());
        *request.body_mut() = SdkBody::from(form);
        self.send(url, request).await
    }

    async fn send(&self, url: &str, mut request: HttpRequest) -> Result<(u16, Vec<u8>), HttpsError> {
        request.set_uri(url).map_err(|_| HttpsError::Request)?;
        request.headers_mut().insert("accept", "application/json");
        let whole = async {
            let response = match self.connector(url).call(request).await {
                Ok(response) => response,
                Err(error) if error.is_timeout() => return Err(HttpsError::Time),
                Err(error) if error.is_user() => return Err(HttpsError::Request),
                Err(_) => return Err(HttpsError::Connection),
            };
            let status = response.status().as_u16();
            let body = Limited::new(response.into_body(), LONGEST).collect().await;
            Ok((status, body.map_err(|_| HttpsError::Body)?.to_bytes().to_vec()))
        };
        timeout(TIME, whole).await.unwrap_or(Err(HttpsError::Time))
    }
}

impl fmt::Debug for Https {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Https")
    }
}
