//! From a pending deployment to a serving one, or back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use tokio_util::task::TaskTracker;

use super::prepare::{self, log_tail, prepare};
use super::server::Server;
use super::{Live, Servers};
use crate::api;
use crate::api::endpoints::{self, Deployment, Status};
use crate::engine::Engine;

/// SageMaker's limit for a failure reason, in characters.
const LONGEST_REASON: usize = 1024;
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Starts what is pending beside what serves, and switches when it answers.
pub(super) async fn run(engine: &Arc<Engine>, name: &str) {
    let pending = endpoints::find(engine, name).ok().and_then(|endpoint| endpoint.pending);
    let Some(deployment) = pending else { return };
    let started = tokio::select! {
        started = start(engine, name, &deployment) => started,
        // Still pending in the state: the next engine goes on.
        () = engine.shutdown.cancelled() => return,
    };
    let outcome = match started {
        Ok(server) => switch(engine, name, &deployment, server).await,
        Err(reason) => give_up(engine, name, &deployment, &reason),
    };
    if let Err(error) = outcome {
        tracing::error!(endpoint = name, %error, "the endpoint's state cannot be kept");
    }
}

async fn start(engine: &Engine, name: &str, deployment: &Deployment) -> Result<Server, String> {
    let spec = prepare(engine, name, deployment).await?;
    let startup = Duration::from_secs(deployment.startup_timeout);
    Server::start(engine, &spec, startup).await.map_err(|reason| {
        let log = log_tail(&spec);
        let log = if log.is_empty() { String::new() } else { format!(" Its log ends with: {log}") };
        format!(
            "The primary container for production variant {} did not pass the ping health check: {reason}.{log}",
            deployment.variant
        )
    })
}

async fn switch(engine: &Arc<Engine>, name: &str, deployment: &Deployment, server: Server) -> api::Result<()> {
    let live = supervise(engine, name, deployment.clone(), Some(server));
    let old = engine.part::<Servers>().lock().insert(name.to_lowercase(), live);
    let mut replaced = None;
    endpoints::change(engine, name, |endpoint| {
        replaced = endpoint.live.replace(deployment.clone());
        endpoint.pending = None;
        endpoint.config_name.clone_from(&deployment.config_name);
        endpoint.status = Status::InService;
        endpoint.failure_reason = None;
        Ok(())
    })?;
    tracing::info!(endpoint = name, config = deployment.config_name, "in service");
    if let Some(old) = old {
        old.stop().await;
    }
    if let Some(replaced) = replaced {
        prepare::discard(engine, name, &replaced);
    }
    Ok(())
}

fn give_up(engine: &Engine, name: &str, deployment: &Deployment, reason: &str) -> api::Result<()> {
    tracing::warn!(endpoint = name, config = deployment.config_name, reason, "deployment failed");
    let reason: String = reason.chars().take(LONGEST_REASON).collect();
    let set = |status: Status| {
        let reason = reason.clone();
        endpoints::change(engine, name, move |endpoint| {
            endpoint.status = status;
            endpoint.failure_reason = Some(reason);
            if status != Status::RollingBack {
                endpoint.pending = None;
            }
            Ok(())
        })
    };
    if endpoints::find(engine, name)?.live.is_some() {
        set(Status::RollingBack)?;
        set(Status::InService)?;
    } else {
        set(Status::Failed)?;
    }
    prepare::discard(engine, name, deployment);
    Ok(())
}

/// Keeps a deployment served until it is told to stop: a server that ends is started again. Without a server, as after
/// a restart of the engine, one is started first.
pub(super) fn supervise(engine: &Arc<Engine>, name: &str, deployment: Deployment, server: Option<Server>) -> Live {
    let live = Live {
        port: Arc::new(AtomicU16::new(server.as_ref().map_or(0, |server| server.port))),
        variant: deployment.variant.clone(),
        stop: engine.shutdown.child_token(),
        tasks: TaskTracker::new(),
    };
    let (name, own, tasks) = (name.to_owned(), live.clone(), engine.tasks.clone());
    let engine = Arc::clone(engine);
    let kept = async move { keep(&engine, &name, &deployment, server, &own).await };
    // Tracked twice: an update waits for the old server, the engine's end for all.
    tasks.spawn(live.tasks.track_future(kept));
    live
}

async fn keep(engine: &Engine, name: &str, deployment: &Deployment, mut server: Option<Server>, live: &Live) {
    let mut wait = FIRST_WAIT;
    loop {
        let Some(running) = &mut server else {
            let started = tokio::select! {
                started = start(engine, name, deployment) => started,
                () = live.stop.cancelled() => return,
            };
            match started {
                Ok(started) => {
                    live.port.store(started.port, Ordering::Release);
                    server = Some(started);
                    wait = FIRST_WAIT;
                }
                Err(reason) => {
                    tracing::error!(endpoint = name, reason, "the model server does not start, trying again");
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        () = live.stop.cancelled() => return,
                    }
                    wait = (wait * 2).min(LONGEST_WAIT);
                }
            }
            continue;
        };
        tokio::select! {
            how = running.ended() => {
                tracing::error!(endpoint = name, how, "the model server ended, starting it again");
                live.port.store(0, Ordering::Release);
                server = None;
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    () = live.stop.cancelled() => return,
                }
            }
            () = live.stop.cancelled() => {
                live.port.store(0, Ordering::Release);
                running.stop().await;
                return;
            }
        }
    }
}
