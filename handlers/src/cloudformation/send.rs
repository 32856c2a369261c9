//! The way to CloudFormation: one PUT to a URL that it signed.

use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use hyper::Uri;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::warn;

/// The waits between the attempts.
const PAUSES: [Duration; 4] =
    [Duration::from_millis(200), Duration::from_millis(800), Duration::from_secs(2), Duration::from_secs(4)];

/// Why CloudFormation was not answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Not a place for an answer.
    #[error(
        "the response URL is not accepted: accepted is one that begins with https://, or with http:// on this machine"
    )]
    Url,
    /// Nobody took it.
    #[error("CloudFormation could not be answered: {0}")]
    Unsent(String),
}

/// A place to which an answer may go.
#[derive(Clone, Debug)]
pub struct ResponseUrl(Uri);

/// Accepts `https`, and `http` on a loopback address, where the local cloud listens.
///
/// # Errors
/// Any other URL.
pub fn check_url(url: &str) -> Result<ResponseUrl, SendError> {
    let uri: Uri = url.parse().map_err(|_| SendError::Url)?;
    let host = uri.host().unwrap_or_default();
    let local = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    let bare = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
    match uri.scheme_str() {
        Some("https") if bare && !host.is_empty() => Ok(ResponseUrl(uri)),
        Some("http") if bare && local => Ok(ResponseUrl(uri)),
        _ => Err(SendError::Url),
    }
}

/// Puts the answer, again if need be, within the time.
pub(crate) async fn put(url: &ResponseUrl, body: &str, time: Duration) -> Result<(), SendError> {
    let end = Instant::now() + time;
    let connector = match url.0.scheme_str() {
        Some("https") => Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring)).build(),
        _ => Connector::builder().build_http(),
    };
    let mut pauses = PAUSES.into_iter();
    loop {
        let problem = match timeout_at(end, once(&connector, url, body)).await {
            Ok(Ok(status)) if (200..300).contains(&status) => return Ok(()),
            // The signature is wrong or too old: again would be the same.
            Ok(Ok(status @ (400 | 403))) => return Err(SendError::Unsent(format!("HTTP status {status}"))),
            Ok(Ok(status)) => format!("HTTP status {status}"),
            Ok(Err(problem)) => problem,
            Err(_) => return Err(SendError::Unsent("no answer in time".to_owned())),
        };
        warn!(problem, "CloudFormation did not take the answer");
        match pauses.next() {
            Some(pause) if Instant::now() + pause < end => sleep(pause).await,
            _ => return Err(SendError::Unsent(problem)),
        }
    }
}

async fn once(connector: &Connector, url: &ResponseUrl, body: &str) -> Result<u16, String> {
    let mut request = HttpRequest::new(SdkBody::from(body));
    request.set_method("PUT").map_err(|error| error.to_string())?;
    request.set_uri(url.0.clone()).map_err(|error| error.to_string())?;
    // The URL is signed for an empty content type.
    request.headers_mut().insert("content-type", "");
    request.headers_mut().insert("content-length", body.len().to_string());
    match connector.call(request).await {
        Ok(response) => Ok(response.status().as_u16()),
        // The error's own text may name the URL, which is a secret.
        Err(error) if error.is_timeout() => Err("no answer in time".to_owned()),
        Err(error) if error.is_io() => Err("no connection".to_owned()),
        Err(_) => Err("the request could not be sent".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_this_machine_are_answered() {
        for good in [
            "https://cloudformation-custom-resource-response-euwest1.s3.amazonaws.com/arn%3Aaws?X-Amz-Signature=a%2F",
            "http://127.0.0.1:4566/_ministack/cfn-response/x",
            "http://localhost:4566/x",
            "http://[::1]:4566/x",
        ] {
            assert!(check_url(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "/path",
            "http://example.com/x",
            "http://127.0.0.1@example.com/x",
            "http://127.0.0.1.example.com/x",
            "http://169.254.169.254/latest",
            "ftp://127.0.0.1/x",
            "file:///etc/passwd",
            "https://user@example.com/x",
        ] {
            assert_eq!(check_url(bad).unwrap_err(), SendError::Url, "{bad}");
        }
    }
}
