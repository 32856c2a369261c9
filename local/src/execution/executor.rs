//! Runs executions: starts what is ready, waits, and ends them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use tokio_util::sync::CancellationToken;

use super::definition::Definition;
use super::record::{Execution, ExecutionStatus, STEP_FAILURE, StepStatus};
use super::step::{self, Run};
use super::{events, graph::Progress};
use crate::api::Error;
use crate::engine::Engine;

/// The wait before an execution is taken up again whose state could not be kept, on a full disk perhaps.
const AGAIN: Duration = Duration::from_secs(2);

/// What executions share in memory.
#[derive(Debug, Default)]
pub(super) struct Running {
    stops: Mutex<HashMap<String, CancellationToken>>,
    /// Held while a start looks for its token and makes its execution.
    pub(super) starting: Mutex<()>,
}

impl Running {
    fn stops(&self) -> std::sync::MutexGuard<'_, HashMap<String, CancellationToken>> {
        self.stops.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets an execution run, or run on.
pub(super) fn spawn(engine: &Arc<Engine>, key: &str) {
    let stop = CancellationToken::new();
    engine.part::<Running>().stops().insert(key.to_owned(), stop.clone());
    let (engine, key) = (Arc::clone(engine), key.to_owned());
    engine.clone().tasks.spawn(async move {
        while let Err(error) = drive(&engine, &key, &stop).await {
            tracing::error!(execution = key, %error, "the execution cannot go on, trying again");
            tokio::select! {
                () = tokio::time::sleep(AGAIN) => {}
                () = engine.shutdown.cancelled() => return,
            }
        }
    });
}

/// Tells a running execution to stop its steps. Its state says so already.
pub(super) fn stop(engine: &Engine, key: &str) {
    if let Some(stop) = engine.part::<Running>().stops().get(key) {
        stop.cancel();
    }
}

/// Takes up all executions that an earlier engine left.
pub(super) fn resume(engine: &Arc<Engine>) -> Result<(), Error> {
    for execution in engine.store.list::<Execution>()? {
        if !execution.status.is_final() {
            tracing::info!(execution = execution.arn, "taking up an execution that was left");
            spawn(engine, &execution.key());
            if execution.status == ExecutionStatus::Stopping {
                stop(engine, &execution.key());
            }
        }
    }
    Ok(())
}

async fn drive(engine: &Arc<Engine>, key: &str, stop: &CancellationToken) -> Result<(), Error> {
    let run =
        Run { engine: Arc::clone(engine), key: key.to_owned(), definition: Definition::default(), stop: stop.clone() };
    let execution = run.execution()?;
    let definition = match Definition::parse(&execution.definition) {
        Ok(definition) => definition,
        // It was read at the start, by an engine of another version.
        Err(reason) => return finish(&run, Some(reason)),
    };
    let run = Run { definition, ..run };
    let mut active = FuturesUnordered::new();
    let mut launched: Vec<String> = Vec::new();
    loop {
        let execution = run.execution()?;
        let progress = execution.progress();
        let most = execution.max_parallel.map_or(usize::MAX, |most| most as usize);
        // Steps that were under way when an earlier engine ended come first.
        let left = progress.iter().filter(|(_, at)| **at == Progress::Active).map(|(name, _)| name.clone());
        let mut ready: Vec<String> = left.collect();
        if !stop.is_cancelled() {
            ready.extend(run.definition.graph.next(&progress).start);
        }
        for name in ready {
            if active.len() >= most || launched.contains(&name) {
                continue;
            }
            let Some(step) = run.definition.step(&name) else { continue };
            launched.push(name);
            active.push(step::run(&run, step));
        }
        // A stop and the engine's end reach the steps themselves, which then come to rest.
        match active.next().await {
            Some(result) => result?,
            None => break,
        }
        if engine.shutdown.is_cancelled() {
            while let Some(result) = active.next().await {
                result?;
            }
            return Ok(());
        }
    }
    finish(&run, None)
}

/// Ends an execution that has nothing more to do.
fn finish(run: &Run, failure: Option<String>) -> Result<(), Error> {
    run.engine.part::<Running>().stops().remove(&run.key);
    let now = run.engine.now();
    run.engine.store.update(&run.key, |execution: &mut Execution| {
        let before = execution.status;
        if before.is_final() {
            return Ok::<_, Error>(());
        }
        let failed = execution.steps.iter().any(|step| step.status == StepStatus::Failed);
        execution.status = match before {
            ExecutionStatus::Stopping => ExecutionStatus::Stopped,
            _ if failed || failure.is_some() => ExecutionStatus::Failed,
            _ => ExecutionStatus::Succeeded,
        };
        if execution.status == ExecutionStatus::Failed {
            execution.failure = Some(failure.unwrap_or_else(|| STEP_FAILURE.to_owned()));
        }
        execution.ended = Some(now);
        execution.modified = now;
        tracing::info!(execution = execution.arn, status = execution.status.name(), "execution ended");
        Ok(events::execution(&run.engine.events, execution, Some(before))?)
    })?;
    Ok(())
}
