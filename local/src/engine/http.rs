//! A plain HTTP client for loopback.

use std::error::Error;

use bytes::Bytes;
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// A client with a pool; cheap to clone.
pub type HttpClient = Client<HttpConnector, Full<Bytes>>;

/// A new client.
#[must_use]
pub fn client() -> HttpClient {
    Client::builder(TokioExecutor::new()).build_http()
}

/// A request's body.
#[must_use]
pub fn body(bytes: impl Into<Bytes>) -> Full<Bytes> {
    Full::new(bytes.into())
}

/// The error with its innermost cause, which is what says "connection refused".
#[must_use]
pub fn reason(error: &dyn Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
