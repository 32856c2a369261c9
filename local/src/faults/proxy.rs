//! One reverse proxy: takes a request, asks for its fate, and lets that happen.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri, header};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::Faults;
use super::plan::{Fate, Fault};
use super::protocol::Call;
use crate::engine::http::{self, HttpClient};
use crate::engine::is_loopback;

/// No function sends or gets more than its memory.
const LARGEST_BODY: usize = 64 * 1024 * 1024;
/// Longer than any function waits for an answer.
const TOO_LATE: Duration = Duration::from_secs(40);
/// What belongs to one connection and not to the request (RFC 9110, 7.6.1), and what is made anew.
const OF_THE_CONNECTION: [HeaderName; 8] = [
    header::CONNECTION,
    header::TRANSFER_ENCODING,
    header::TE,
    header::TRAILER,
    header::UPGRADE,
    header::EXPECT,
    header::HOST,
    header::CONTENT_LENGTH,
];

pub(super) struct Proxy {
    pub(super) faults: Arc<Faults>,
    /// `http://127.0.0.1:<port>`, without a slash at the end.
    pub(super) upstream: String,
    pub(super) client: HttpClient,
}

/// Ends a connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is dropped on purpose")]
struct Dropped;

impl Proxy {
    /// Serves until `stop`.
    pub(super) async fn serve(self, listener: TcpListener, stop: CancellationToken) {
        let proxy = Arc::new(self);
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = stop.cancelled() => return,
            };
            match accepted {
                Ok((stream, _)) => drop(tokio::spawn(Arc::clone(&proxy).connection(stream, stop.clone()))),
                Err(error) => {
                    tracing::warn!(%error, "a connection to the faults was not taken");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    async fn connection(self: Arc<Self>, stream: TcpStream, stop: CancellationToken) {
        let service = service_fn(|request| self.request(request));
        let serving = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        tokio::select! {
            // How a connection ends is the client's business, or one of our faults.
            _ = serving => {}
            () = stop.cancelled() => {}
        }
    }

    async fn request(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Dropped> {
        let (parts, body) = request.into_parts();
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        if parts.headers.contains_key(header::ORIGIN) || !is_loopback(host) {
            return Ok(plain(StatusCode::FORBIDDEN, "only programs on this machine may use the local cloud"));
        }
        let Ok(body) = Limited::new(body, LARGEST_BODY).collect().await else { return Err(Dropped) };
        let body = body.to_bytes();
        let call = Call::of(&parts.method, &parts.headers, &body);
        let fate = {
            let mut state = self.faults.state();
            let fate = state.plan.next(call.id.as_deref());
            state.counts.add(&call.operation, fate.map(|fate| fate.fault));
            fate
        };
        let mut onward = Request::builder().method(parts.method).uri(self.address(&parts.uri));
        if let Some(headers) = onward.headers_mut() {
            *headers = passed_on(parts.headers);
        }
        let Ok(onward) = onward.body(Full::new(body)) else {
            return Ok(plain(StatusCode::BAD_REQUEST, "the request cannot be passed on"));
        };
        let Some(Fate { fault, delay }) = fate else { return Ok(self.forward(onward).await) };
        tracing::debug!(operation = call.operation, fault = fault.name(), "a request goes wrong");
        match fault {
            Fault::ErrorBefore => Ok(call.broken()),
            Fault::DroppedBefore => Err(Dropped),
            Fault::Throttled => Ok(call.throttled()),
            Fault::ErrorAfter => {
                self.forward(onward).await;
                Ok(call.broken())
            }
            Fault::DroppedAfter => {
                self.forward(onward).await;
                Err(Dropped)
            }
            Fault::Late => {
                self.forward(onward).await;
                tokio::time::sleep(TOO_LATE).await;
                Err(Dropped)
            }
            Fault::Delayed => {
                tokio::time::sleep(delay).await;
                Ok(self.forward(onward).await)
            }
        }
    }

    fn address(&self, uri: &Uri) -> String {
        format!("{}{}", self.upstream, uri.path_and_query().map_or("/", |path| path.as_str()))
    }

    async fn forward(&self, request: Request<Full<Bytes>>) -> Response<Full<Bytes>> {
        let gone =
            |why: String| plain(StatusCode::BAD_GATEWAY, &format!("what is behind the faults did not answer: {why}"));
        let (parts, body) = match self.client.request(request).await {
            Ok(answer) => answer.into_parts(),
            Err(error) => return gone(http::reason(&error)),
        };
        let length = parts.headers.get(header::CONTENT_LENGTH).cloned();
        let body = match body.collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) => return gone(http::reason(&error)),
        };
        let mut answer = Response::new(Full::new(body));
        *answer.status_mut() = parts.status;
        *answer.headers_mut() = passed_on(parts.headers);
        // The answer to a HEAD tells a length and has no body.
        if let Some(length) = length {
            answer.headers_mut().insert(header::CONTENT_LENGTH, length);
        }
        answer
    }
}

fn passed_on(mut headers: HeaderMap) -> HeaderMap {
    for name in OF_THE_CONNECTION {
        headers.remove(name);
    }
    headers
}

fn plain(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::from(text.to_owned()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    answer
}
