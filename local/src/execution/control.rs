//! Start, stop and retry.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use super::definition::Definition;
use super::executor::{self, Running};
use super::record::{Execution, ExecutionStatus, StepStatus, key, key_of_arn};
use super::{events, names};
use crate::api::pipelines::{self, Pipeline};
use crate::api::{Code, Error};
use crate::engine::Engine;

/// SageMaker's quota of executions that run at the same time.
const MOST_RUNNING: usize = 20;

/// What a start asks for.
#[derive(Debug, Clone, Default)]
pub struct Start {
    /// The pipeline's name or ARN.
    pub pipeline: String,
    /// The name for people; made up when absent.
    pub display_name: Option<String>,
    /// The description for people.
    pub description: Option<String>,
    /// Parameters, as text.
    pub parameters: Vec<(String, String)>,
    /// The token that makes a repeated start the same start.
    pub token: String,
    /// Most steps at once, in the place of the pipeline's.
    pub max_parallel: Option<u32>,
}

/// Starts an execution, or finds the one that was started with the same token. Returns its ARN.
///
/// # Errors
/// `ResourceNotFound` without such a pipeline, `ValidationException` for wrong parameters, `ResourceLimitExceeded` when
/// 20 executions run.
pub fn start(engine: &Arc<Engine>, start: Start) -> Result<String, Error> {
    let pipeline = pipelines::find(engine, &start.pipeline)?;
    let running = engine.part::<Running>();
    let _one_at_a_time = running.starting.lock().unwrap_or_else(PoisonError::into_inner);
    let earlier: Vec<Execution> = engine.store.list_prefix(&key(&pipeline.name, ""))?;
    if let Some(same) = earlier.iter().find(|execution| execution.token == start.token) {
        return Ok(same.arn.clone());
    }
    let definition = Definition::parse(&pipeline.definition).map_err(Error::validation)?;
    let parameters = parameters(&definition, start.parameters)?;
    let all: Vec<Execution> = engine.store.list()?;
    if all.iter().filter(|execution| !execution.status.is_final()).count() >= MOST_RUNNING {
        return Err(Error::new(
            Code::ResourceLimitExceeded,
            format!("{MOST_RUNNING} pipeline executions are running, which is the most at the same time"),
        ));
    }
    let now = engine.now();
    let id = names::execution_id();
    let execution = Execution {
        arn: format!("{}/execution/{id}", pipeline.arn),
        pipeline_arn: pipeline.arn.clone(),
        display_name: start.display_name.unwrap_or_else(|| format!("execution-{}", now.as_millisecond())),
        description: start.description,
        definition_time: pipeline.last_modified_time,
        role_arn: pipeline.role_arn,
        parameters,
        max_parallel: start.max_parallel.or(pipeline.max_parallel_steps),
        status: ExecutionStatus::Executing,
        failure: None,
        created: now,
        modified: now,
        ended: None,
        token: start.token,
        retry_token: None,
        steps: Vec::new(),
        definition: pipeline.definition,
        pipeline_name: pipeline.name.clone(),
        id,
    };
    if !engine.store.create(&execution.key(), &execution)? {
        return Err(Error::internal("the made-up execution id is taken"));
    }
    events::execution(&engine.events, &execution, None)?;
    engine.store.update(&pipelines::key(&pipeline.name), |pipeline: &mut Pipeline| {
        pipeline.last_run_time = Some(now);
        Ok::<_, Error>(())
    })?;
    executor::spawn(engine, &execution.key());
    Ok(execution.arn)
}

/// Checks the parameters of a start against the definition.
fn parameters(definition: &Definition, given: Vec<(String, String)>) -> Result<BTreeMap<String, String>, Error> {
    let mut parameters = BTreeMap::new();
    for (name, value) in given {
        let Some(known) = definition.parameters.iter().find(|known| known.name == name) else {
            let accepted: Vec<&str> = definition.parameters.iter().map(|known| known.name.as_str()).collect();
            return Err(Error::validation(format!(
                "Unknown parameter `{name}`; the pipeline has {}",
                if accepted.is_empty() { "none".to_owned() } else { accepted.join(", ") }
            )));
        };
        known.value_of(&value).map_err(Error::validation)?;
        if parameters.insert(name.clone(), value).is_some() {
            return Err(Error::validation(format!("Parameter `{name}` is given twice")));
        }
    }
    let absent: Vec<&str> = definition
        .parameters
        .iter()
        .filter(|known| known.default.is_none() && !parameters.contains_key(&known.name))
        .map(|known| known.name.as_str())
        .collect();
    if absent.is_empty() {
        return Ok(parameters);
    }
    Err(Error::validation(format!("Parameters [{}] have no default value and must be given", absent.join(", "))))
}

/// The execution with this ARN.
///
/// # Errors
/// `ResourceNotFound`.
pub fn find(engine: &Engine, arn: &str) -> Result<Execution, Error> {
    let key = key_of_arn(arn).ok_or_else(|| missing(arn))?;
    engine.store.get(&key)?.ok_or_else(|| missing(arn))
}

/// The error for an ARN without an execution.
pub(crate) fn missing(arn: &str) -> Error {
    Error::not_found(format!("Pipeline execution with ARN {arn} does not exist."))
}

/// The executions of a pipeline.
///
/// # Errors
/// When the store cannot be read.
pub fn of_pipeline(engine: &Engine, pipeline: &str) -> Result<Vec<Execution>, Error> {
    Ok(engine.store.list_prefix(&key(pipeline, ""))?)
}

/// Changes an execution.
///
/// # Errors
/// `ResourceNotFound`, and what the change answers.
pub(crate) fn change<R>(
    engine: &Engine,
    arn: &str,
    change: impl FnOnce(&mut Execution) -> Result<R, Error>,
) -> Result<R, Error> {
    let key = key_of_arn(arn).ok_or_else(|| missing(arn))?;
    let now = engine.now();
    let changed = engine.store.update(&key, |execution: &mut Execution| {
        execution.modified = now;
        change(execution)
    })?;
    changed.ok_or_else(|| missing(arn))
}

/// Stops a running execution and its jobs.
///
/// # Errors
/// `ResourceNotFound`, or `ValidationException` when it has ended.
pub fn stop(engine: &Arc<Engine>, arn: &str) -> Result<(), Error> {
    let key = change(engine, arn, |execution| {
        match execution.status {
            ExecutionStatus::Executing => {
                execution.status = ExecutionStatus::Stopping;
                events::execution(&engine.events, execution, Some(ExecutionStatus::Executing))?;
            }
            ExecutionStatus::Stopping => {}
            status => {
                return Err(Error::validation(format!(
                    "Pipeline execution with ARN {arn} is in status {} and cannot be stopped.",
                    status.name()
                )));
            }
        }
        Ok(execution.key())
    })?;
    executor::stop(engine, &key);
    Ok(())
}

/// Runs the failed and stopped steps of an ended execution again, and what waits for them.
///
/// # Errors
/// `ResourceNotFound`, or `ValidationException` unless it failed or was stopped.
pub fn retry(engine: &Arc<Engine>, arn: &str, token: &str, max_parallel: Option<u32>) -> Result<(), Error> {
    let key = change(engine, arn, |execution| {
        if execution.retry_token.as_deref() == Some(token) {
            return Ok(None);
        }
        let before = execution.status;
        if !matches!(before, ExecutionStatus::Failed | ExecutionStatus::Stopped) {
            return Err(Error::validation(format!(
                "Pipeline execution with ARN {arn} is in status {}; only a Failed or Stopped execution can be retried.",
                before.name()
            )));
        }
        execution.steps.retain(|step| step.status == StepStatus::Succeeded);
        execution.status = ExecutionStatus::Executing;
        execution.failure = None;
        execution.ended = None;
        execution.retry_token = Some(token.to_owned());
        execution.max_parallel = max_parallel.or(execution.max_parallel);
        events::execution(&engine.events, execution, Some(before))?;
        Ok(Some(execution.key()))
    })?;
    if let Some(key) = key {
        executor::spawn(engine, &key);
    }
    Ok(())
}
