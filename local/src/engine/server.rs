use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use nix::fcntl::{Flock, FlockArg};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::{Engine, EngineConfig};
use crate::Error;
use crate::api::{self, Code};

/// A definition may have 1 MiB, an invocation 25 MB; with room for what stands around them.
const LARGEST_BODY: usize = 32 * 1024 * 1024;
/// What requests and background tasks get after the signal to stop.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// Runs the engine on 127.0.0.1 until SIGTERM or SIGINT, then stops every process it started and returns. State is kept.
///
/// # Errors
/// When the port or the home folder is in use, or something it needs cannot be read.
pub async fn run(config: EngineConfig) -> Result<(), Error> {
    let folder = config.engine_dir();
    std::fs::create_dir_all(&folder)
        .map_err(|source| Error::Io { what: format!("cannot make `{}`", folder.display()), source })?;
    let _lock = lock(&config)?;
    let listener = listen(config.port).await?;
    let address = listener.local_addr().map_err(|source| Error::Io { what: "no local address".into(), source })?;
    // Steps and model servers are told the port, which a caller may have left to the system.
    let config = EngineConfig { port: address.port(), ..config };
    let engine = Engine::open(config)?;
    let stop = engine.shutdown.clone();
    let signals = stop_at_signal(&engine)?;
    crate::faults::start(&engine).await?;
    start(&engine).await;
    tracing::info!(%address, home = %engine.config.home.display(), "engine is up");
    let served = axum::serve(listener, router(&engine)).with_graceful_shutdown(stop.clone().cancelled_owned());
    tokio::select! {
        result = served => {
            result.map_err(|source| Error::Io { what: "the server stopped".into(), source })?;
        }
        () = async { stop.cancelled().await; tokio::time::sleep(STOP_WITHIN).await } => {
            tracing::warn!("requests were still open at the end");
        }
    }
    stop.cancel();
    engine.tasks.close();
    if tokio::time::timeout(STOP_WITHIN, engine.tasks.wait()).await.is_err() {
        tracing::warn!("background tasks were still running at the end");
    }
    signals.abort();
    tracing::info!("engine is down");
    Ok(())
}

/// Takes up what an earlier engine left, after the port is ours.
async fn start(engine: &Arc<Engine>) {
    let emitter = Arc::clone(engine);
    engine.tasks.spawn(async move { emitter.events.deliver(emitter.shutdown.clone()).await });
    crate::hosting::resume(engine).await;
    crate::execution::resume(engine).await;
}

fn router(engine: &Arc<Engine>) -> Router {
    let own = Router::new()
        .route("/", post(operation))
        .route("/_tidegate/health", get(health))
        .with_state(Arc::clone(engine));
    own.merge(crate::hosting::router(Arc::clone(engine)))
        .merge(crate::api::studio::router(Arc::clone(engine)))
        .merge(crate::scheduler::router(Arc::clone(engine)))
        .merge(crate::inbox::router(Arc::clone(engine)))
        .merge(crate::faults::router(Arc::clone(engine)))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(axum::middleware::from_fn(around))
}

/// Gives every answer a request id, and turns away what a web page may send: a browser reaches loopback too, under a
/// name of the page's own if that name is pointed here.
async fn around(request: Request, next: Next) -> Response {
    let id = uuid::Uuid::new_v4().to_string();
    let headers = request.headers();
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1");
    let mut response = if headers.contains_key(header::ORIGIN) {
        (StatusCode::FORBIDDEN, "requests from web pages are not accepted").into_response()
    } else if !is_loopback(host) {
        (StatusCode::FORBIDDEN, "requests must be addressed to 127.0.0.1 or localhost").into_response()
    } else {
        next.run(request).await
    };
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HeaderName::from_static("x-amzn-requestid"), id);
    }
    response
}

/// Whether a `Host` header means this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    name == "localhost" || name.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

async fn operation(State(engine): State<Arc<Engine>>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let name = target.strip_prefix("SageMaker.").unwrap_or_default().to_owned();
    match answer(&engine, &name, &body).await {
        Ok(value) => {
            // Operations without an output answer with an empty body.
            let text = if value.is_null() { String::new() } else { value.to_string() };
            let kind = HeaderValue::from_static("application/x-amz-json-1.1");
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(error) => {
            tracing::debug!(operation = name, %error, "refused");
            error.into_response()
        }
    }
}

async fn answer(engine: &Arc<Engine>, name: &str, body: &[u8]) -> api::Result {
    let request: Value = if body.is_empty() {
        json!({})
    } else {
        serde_json::from_slice(body).map_err(|error| api::Error::new(Code::Serialization, error.to_string()))?
    };
    engine.call(name, request).await
}

async fn health(State(engine): State<Arc<Engine>>) -> Json<Value> {
    Json(json!({
        "status": "ok",
        "version": env!("CARGO_PKG_VERSION"),
        "pid": std::process::id(),
        "region": engine.config.region,
        "account": engine.config.account,
        "events_waiting": engine.events.waiting(),
    }))
}

async fn listen(port: u16) -> Result<TcpListener, Error> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpListener::bind(address).await.map_err(|source| match source.kind() {
        std::io::ErrorKind::AddrInUse => Error::PortInUse { port },
        _ => Error::Listen { port, source },
    })
}

/// Two engines on one home folder would overwrite each other's state. The lock goes with the process.
fn lock(config: &EngineConfig) -> Result<Flock<std::fs::File>, Error> {
    let path = config.engine_dir().join("lock");
    let file = std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|source| Error::Io { what: format!("cannot open `{}`", path.display()), source })?;
    Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, errno)| match errno {
        nix::errno::Errno::EWOULDBLOCK => Error::HomeInUse { home: config.home.clone() },
        errno => Error::Io { what: format!("cannot lock `{}`", path.display()), source: errno.into() },
    })
}

fn stop_at_signal(engine: &Arc<Engine>) -> Result<tokio::task::JoinHandle<()>, Error> {
    let listen = |kind| signal(kind).map_err(|source| Error::Io { what: "cannot listen to signals".into(), source });
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    let stop = engine.shutdown.clone();
    Ok(tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = stop.cancelled() => {}
        }
        stop.cancel();
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_answered() {
        for host in ["127.0.0.1:4567", "localhost", "localhost:4567", "127.0.0.2"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["evil.example:4567", "127.0.0.1.evil.example", "10.0.0.1", "localhost.evil.example:80", ""] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
