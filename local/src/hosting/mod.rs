//! Endpoints: one server process each.
//!
//! A deployment is unpacked into a folder of its own, `home/engine/endpoints/<endpoint>/<deployment>/opt-ml`, and served
//! by a process beside the one that serves already; requests go to the new one when it answers its ping. A process that
//! ends by itself is started again.

mod invoke;
mod prepare;
mod rollout;
mod server;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::routing::post;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::api::endpoints::{Endpoint, Status};
use crate::engine::Engine;

/// What serves, by endpoint name in lower case.
#[derive(Debug, Default)]
struct Servers {
    live: Mutex<HashMap<String, Live>>,
}

/// A deployment that serves.
#[derive(Debug, Clone)]
struct Live {
    /// Port on 127.0.0.1; 0 while the process is being started again.
    port: Arc<AtomicU16>,
    variant: String,
    /// Cancelled to stop the process.
    stop: CancellationToken,
    /// Waited for until it has stopped.
    tasks: TaskTracker,
}

impl Servers {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, name: &str) -> Option<Live> {
        self.lock().get(&name.to_lowercase()).cloned()
    }
}

impl Live {
    fn port(&self) -> Option<u16> {
        Some(self.port.load(Ordering::Acquire)).filter(|port| *port != 0)
    }

    async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// SageMaker Runtime: `POST /endpoints/{name}/invocations`.
pub fn router(engine: Arc<Engine>) -> Router {
    Router::new().route("/endpoints/{name}/invocations", post(invoke::invoke)).with_state(engine)
}

/// Starts again what was in service, and goes on with what was on its way. Returns at once.
pub async fn resume(engine: &Arc<Engine>) {
    let endpoints = match engine.store.list::<Endpoint>() {
        Ok(endpoints) => endpoints,
        Err(error) => {
            tracing::error!(%error, "endpoints are not started again");
            return;
        }
    };
    for endpoint in endpoints {
        prepare::clean(engine, &endpoint);
        if endpoint.status == Status::Deleting {
            take_down(engine, &endpoint.name);
            continue;
        }
        if let Some(live) = endpoint.live.clone() {
            let key = endpoint.name.to_lowercase();
            let started = rollout::supervise(engine, &endpoint.name, live, None);
            engine.part::<Servers>().lock().insert(key, started);
        }
        if endpoint.pending.is_some() {
            roll_out(engine, &endpoint.name);
        }
    }
}

/// Starts the endpoint's pending deployment in the background.
pub(crate) fn roll_out(engine: &Arc<Engine>, name: &str) {
    let (engine, name) = (Arc::clone(engine), name.to_owned());
    engine.clone().tasks.spawn(async move { rollout::run(&engine, &name).await });
}

/// Stops what serves the endpoint, in the background, and forgets the endpoint.
pub(crate) fn take_down(engine: &Arc<Engine>, name: &str) {
    let (engine, name) = (Arc::clone(engine), name.to_owned());
    engine.clone().tasks.spawn(async move {
        let live = engine.part::<Servers>().lock().remove(&name.to_lowercase());
        if let Some(live) = live {
            live.stop().await;
        }
        prepare::remove(&engine, &name);
        if let Err(error) = crate::api::endpoints::forget(&engine, &name) {
            tracing::error!(endpoint = name, %error, "the endpoint cannot be forgotten");
        }
    });
}

#[cfg(test)]
mod tests;
