//! Starting the proxies, and turning them up and down.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::State;
use axum::http::{Method, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::proxy::Proxy;
use super::{Faults, Proxies, Rate};
use crate::Error;
use crate::engine::{Engine, http};

const PATH: &str = "/_tidegate/faults";

/// What the engine keeps of its proxies.
#[derive(Debug, Default)]
struct Running(std::sync::OnceLock<Arc<Faults>>);

/// Starts both proxies, if the engine is to have them. They let everything pass until a rate is set.
pub(crate) async fn start(engine: &Arc<Engine>) -> Result<(), Error> {
    let Some(proxies) = engine.config.faults else { return Ok(()) };
    let faults = Faults::new(proxies.seed);
    let Proxies { ministack_port, engine_port, .. } = proxies;
    let own = format!("http://127.0.0.1:{}", engine.config.port);
    for (port, upstream) in [(ministack_port, engine.config.ministack.clone()), (engine_port, own)] {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let listener = TcpListener::bind(address).await.map_err(|source| Error::Listen { port, source })?;
        let proxy = Proxy { faults: Arc::clone(&faults), upstream, client: http::client() };
        engine.tasks.spawn(proxy.serve(listener, engine.shutdown.clone()));
    }
    // The engine has one life, and starts once.
    let _ = engine.part::<Running>().0.set(faults);
    Ok(())
}

/// `GET` and `PUT /_tidegate/faults`.
pub(crate) fn router(engine: Arc<Engine>) -> Router {
    Router::new().route(PATH, get(figures).put(change)).with_state(engine)
}

fn faults(engine: &Engine) -> Result<Arc<Faults>, (StatusCode, Json<Value>)> {
    let none =
        json!({"error": "the local cloud was started without faults; `tidegate local up --faults 0.1` has them"});
    engine.part::<Running>().0.get().cloned().ok_or((StatusCode::NOT_FOUND, Json(none)))
}

async fn figures(State(engine): State<Arc<Engine>>) -> Response {
    match faults(&engine) {
        Ok(faults) => {
            let state = faults.state();
            Json(state.counts.json(state.plan.rate, faults.seed)).into_response()
        }
        Err(none) => none.into_response(),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    rate: Rate,
}

async fn change(State(engine): State<Arc<Engine>>, body: Bytes) -> Response {
    let faults = match faults(&engine) {
        Ok(faults) => faults,
        Err(none) => return none.into_response(),
    };
    match serde_json::from_slice::<Change>(&body) {
        Ok(Change { rate }) => {
            tracing::info!(%rate, "requests of functions go wrong at this rate");
            faults.state().plan.rate = rate;
            Json(json!({"rate": rate})).into_response()
        }
        Err(error) => (StatusCode::BAD_REQUEST, Json(json!({"error": error.to_string()}))).into_response(),
    }
}

/// Why the rate was not set.
#[derive(Debug, thiserror::Error)]
pub enum SetRateError {
    /// The local cloud has no proxies.
    #[error("the local cloud runs without faults; stop it with `tidegate local down`, then start it with `--faults`")]
    None,
    /// The engine did not take it.
    #[error("the engine did not take the rate of faults: {0}")]
    Refused(String),
}

/// Sets the rate of a running local cloud, by the address of its engine.
///
/// # Errors
/// It was started without faults, or does not answer.
pub async fn set_rate(engine: &str, rate: Rate) -> Result<(), SetRateError> {
    let refused = |why: &dyn std::error::Error| SetRateError::Refused(http::reason(why));
    let body = http::body(json!({"rate": rate}).to_string());
    let request = Request::builder().method(Method::PUT).uri(format!("{engine}{PATH}")).body(body);
    let request = request.map_err(|error| refused(&error))?;
    let answer = http::client().request(request).await.map_err(|error| refused(&error))?;
    match answer.status() {
        StatusCode::NOT_FOUND => Err(SetRateError::None),
        status if status.is_success() => Ok(()),
        status => {
            let said = answer.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
            Err(SetRateError::Refused(format!("{status} {}", String::from_utf8_lossy(&said))))
        }
    }
}
