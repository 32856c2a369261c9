//! One step, from its start through its retries to its end.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::attempt;
use super::definition::{Definition, Step};
use super::events;
use super::record::{Execution, StepRecord, StepStatus};
use super::retry::Failure;
use crate::api::Error;
use crate::engine::Engine;

/// What the steps of a running execution share.
pub(super) struct Run {
    pub(super) engine: Arc<Engine>,
    /// The execution's key in the store.
    pub(super) key: String,
    pub(super) definition: Definition,
    pub(super) stop: CancellationToken,
}

/// A successful attempt.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// What `Get` reads from the step.
    pub(super) properties: Value,
    /// Members for the step's metadata.
    pub(super) metadata: Map<String, Value>,
    /// A condition's outcome.
    pub(super) outcome: Option<bool>,
    /// The execution whose result was taken over.
    pub(super) cache_hit: Option<String>,
}

/// Why an attempt did not succeed.
#[derive(Debug)]
pub(super) enum Break {
    Failed(Failure),
    Stopped,
    /// The engine is going down. The step stays as it is, for the next engine.
    Shutdown,
    /// The state could not be read or written.
    Engine(Error),
}

impl From<Error> for Break {
    fn from(error: Error) -> Self {
        Break::Engine(error)
    }
}

impl From<crate::store::Error> for Break {
    fn from(error: crate::store::Error) -> Self {
        Break::Engine(error.into())
    }
}

impl Run {
    /// The execution as it is now.
    pub(super) fn execution(&self) -> Result<Execution, Error> {
        let found = self.engine.store.get::<Execution>(&self.key)?;
        found.ok_or_else(|| Error::internal(format!("the execution `{}` is gone", self.key)))
    }

    /// Changes a step's record, made if there is none, and tells of a new status.
    pub(super) fn change(&self, step: &Step, change: impl FnOnce(&mut StepRecord)) -> Result<StepRecord, Error> {
        let now = self.engine.now();
        let changed = self.engine.store.update(&self.key, |execution: &mut Execution| {
            let index = execution.steps.iter().position(|record| record.name == step.name);
            let (mut record, before) = match index.and_then(|index| execution.steps.get(index)) {
                Some(record) => (record.clone(), Some(record.status)),
                None => (StepRecord::new(&step.name, step.kind, now), None),
            };
            change(&mut record);
            if record.status.is_final() && record.ended.is_none() {
                record.ended = Some(now);
            }
            execution.modified = now;
            // Before the state is written: an event twice is better than none.
            if before != Some(record.status) {
                events::step(&self.engine.events, execution, &record, before)?;
            }
            match index.and_then(|index| execution.steps.get_mut(index)) {
                Some(place) => *place = record.clone(),
                None => execution.steps.push(record.clone()),
            }
            Ok::<_, Error>(record)
        })?;
        changed.ok_or_else(|| Error::internal(format!("the execution `{}` is gone", self.key)))
    }
}

/// Runs a step to its end, or takes up one that an earlier engine left.
///
/// # Errors
/// When the state cannot be kept; the step can be taken up again then.
pub(super) async fn run(run: &Run, step: &Step) -> Result<(), Error> {
    let mut record = run.change(step, |_| {})?;
    let mut left = record.job.clone().filter(|_| record.attempts > 0);
    loop {
        let result = match left.take() {
            Some(job) => attempt::take_up(run, step, &job).await,
            None => {
                record = run.change(step, |record| record.attempts += 1)?;
                attempt::start(run, step).await
            }
        };
        let failure = match result {
            Ok(done) => {
                tracing::info!(execution = run.key, step = step.name, "step succeeded");
                return succeed(run, step, done);
            }
            Err(Break::Stopped) => {
                return run.change(step, |record| record.status = StepStatus::Stopped).map(drop);
            }
            Err(Break::Shutdown) => return Ok(()),
            Err(Break::Engine(error)) => return Err(error),
            Err(Break::Failed(failure)) => failure,
        };
        let elapsed = Duration::try_from(run.engine.now().duration_since(record.started)).unwrap_or_default();
        let Some(wait) = failure.wait(&step.retries, record.attempts, elapsed) else {
            tracing::warn!(execution = run.key, step = step.name, reason = failure.reason, "step failed");
            return fail(run, step, failure);
        };
        tracing::info!(
            execution = run.key,
            step = step.name,
            reason = failure.reason,
            ?wait,
            "step will be tried again"
        );
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = run.stop.cancelled() => {
                return run.change(step, |record| record.status = StepStatus::Stopped).map(drop);
            }
            () = run.engine.shutdown.cancelled() => return Ok(()),
        }
    }
}

fn succeed(run: &Run, step: &Step, done: Done) -> Result<(), Error> {
    let changed = run.change(step, |record| {
        record.status = StepStatus::Succeeded;
        record.properties = done.properties;
        record.metadata.extend(done.metadata);
        record.outcome = done.outcome;
        record.cache_hit = done.cache_hit;
    });
    changed.map(drop)
}

fn fail(run: &Run, step: &Step, failure: Failure) -> Result<(), Error> {
    /// SageMaker cuts a step's failure reason here.
    const LONGEST: usize = 1024;
    let changed = run.change(step, |record| {
        record.status = StepStatus::Failed;
        if step.kind == super::definition::StepKind::Fail {
            record.metadata.insert("Fail".to_owned(), json!({"ErrorMessage": failure.reason}));
        }
        let reason: String = failure.reason.chars().take(LONGEST).collect();
        record.failure = (!reason.is_empty()).then_some(reason);
    });
    changed.map(drop)
}
