//! The way back: what apply made, and what the pipeline's runs deployed. Runs, lineage, models in the registry and data
//! stay.

use std::future::Future;
use std::time::Duration;

use aws_sdk_sagemaker::Client;
use aws_sdk_sagemaker::types::PipelineExecutionStatus;
use aws_smithy_types::DateTime;
use jiff::Timestamp;
use serde::Serialize;
use statemachine::RunId;

use super::{ApplyError, Deployment, schedules};
use crate::aws::Aws;
use crate::effects::{CallError, EffectError, Meaning};
use crate::ledger::Ledger;

/// How long to wait between two attempts at what is in use.
const PAUSE: Duration = Duration::from_secs(3);

/// How many attempts: an execution stops, and an endpoint leaves a transition, within a minute or not soon.
const ATTEMPTS: u32 = 20;

/// How far back a running execution may have begun; no job of SageMaker's runs longer than 28 days (service quotas).
const LONGEST_EXECUTION: Duration = Duration::from_secs(30 * 24 * 3600);

/// What becomes of what the pipeline deployed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deployed {
    /// Endpoint, configurations and models stay.
    Keep,
    /// They go.
    Delete,
}

/// What was removed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Removed {
    /// In words, in the order in which it went. What was gone already is not among it.
    pub removed: Vec<String>,
}

/// Removes a pipeline. What is gone already does not disturb. The ledger's record goes last, so that a removal that
/// broke off can be asked for again.
///
/// # Errors
/// AWS refuses or does not answer, or an execution or endpoint does not come to rest within a minute.
pub async fn remove(
    aws: &Aws,
    ledger: &Ledger<'_>,
    deployment: &Deployment,
    pipeline: &str,
    deployed: Deployed,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<Removed, ApplyError> {
    let mut log = Log { removed: Vec::new(), progress };
    let group = &deployment.schedule_group;
    for resource in schedules::list(aws.scheduler(), group, pipeline).await? {
        schedules::delete(aws.scheduler(), group, &resource).await?;
        log.note(format!("schedule `{resource}`"));
    }
    let sagemaker = aws.sagemaker();
    remove_pipeline(sagemaker, pipeline, &mut log).await?;
    let record = ledger.pipeline(pipeline).await?;
    let endpoint = record.as_ref().and_then(|record| record.spec.deployment.as_ref()).map(|spec| spec.endpoint.clone());
    if let (Some(endpoint), Deployed::Delete) = (endpoint, deployed) {
        remove_deployed(sagemaker, &endpoint, &mut log).await?;
    }
    if record.is_some() {
        ledger.delete_pipeline(pipeline).await?;
        log.note(format!("record of pipeline `{pipeline}`"));
    }
    Ok(Removed { removed: log.removed })
}

struct Log<'a> {
    removed: Vec<String>,
    progress: &'a (dyn Fn(&str) + Sync),
}

impl Log<'_> {
    fn note(&mut self, what: String) {
        (self.progress)(&format!("{what}: deleted"));
        self.removed.push(what);
    }
}

/// SageMaker deletes no pipeline that is executing: what runs is stopped first.
async fn remove_pipeline(client: &Client, name: &str, log: &mut Log<'_>) -> Result<(), ApplyError> {
    let delete = async || match client.delete_pipeline().pipeline_name(name).send().await.map_err(CallError::of) {
        Ok(_) => Ok(true),
        Err(error) if error.meaning == Meaning::Missing => Ok(false),
        Err(error) => Err(error),
    };
    let deleted = match delete().await {
        Err(error) if stop_executions(client, name, log).await? => {
            (log.progress)(&format!("pipeline `{name}`: waiting for its executions to stop ({error})"));
            patiently(delete).await
        }
        first => first,
    };
    let deleted = deleted.map_err(|error| error.effect(format_args!("pipeline `{name}` cannot be deleted")))?;
    if deleted {
        log.note(format!("pipeline `{name}`"));
    }
    Ok(())
}

/// True when there was one to stop.
async fn stop_executions(client: &Client, pipeline: &str, log: &mut Log<'_>) -> Result<bool, ApplyError> {
    let now = Timestamp::now().as_second();
    let since = now.saturating_sub_unsigned(LONGEST_EXECUTION.as_secs());
    let request = client.list_pipeline_executions().pipeline_name(pipeline).created_after(DateTime::from_secs(since));
    let listed = request.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    let listed = listed.map_err(|error| {
        CallError::of(error).effect(format_args!("the executions of pipeline `{pipeline}` cannot be listed"))
    })?;
    let mut any = false;
    for execution in listed {
        let arn = execution.pipeline_execution_arn().unwrap_or_default();
        match execution.pipeline_execution_status() {
            Some(PipelineExecutionStatus::Stopping) => any = true,
            Some(PipelineExecutionStatus::Executing) => {
                any = true;
                let stopped = client.stop_pipeline_execution().pipeline_execution_arn(arn).send().await;
                match stopped.map_err(CallError::of) {
                    Ok(_) => (log.progress)(&format!("execution {arn}: stopping")),
                    // It ended since it was listed, or someone stops it: the deletion tells.
                    Err(error) if matches!(error.meaning, Meaning::Missing | Meaning::Refused | Meaning::Busy) => {}
                    Err(error) => return Err(error.effect(format_args!("execution {arn} cannot be stopped")).into()),
                }
            }
            _ => {}
        }
    }
    Ok(any)
}

async fn remove_deployed(client: &Client, endpoint: &str, log: &mut Log<'_>) -> Result<(), ApplyError> {
    let delete = async || match client.delete_endpoint().endpoint_name(endpoint).send().await.map_err(CallError::of) {
        Ok(_) => Ok(true),
        Err(error) if error.meaning == Meaning::Missing => Ok(false),
        Err(error) => Err(error),
    };
    let deleted = patiently(delete).await;
    if deleted.map_err(|error| error.effect(format_args!("endpoint `{endpoint}` cannot be deleted")))? {
        log.note(format!("endpoint `{endpoint}`"));
    }
    for name in configurations(client, endpoint).await? {
        let deleted = client.delete_endpoint_config().endpoint_config_name(&name).send().await;
        gone(deleted.map(drop).map_err(CallError::of), format!("endpoint configuration `{name}`"), log)?;
    }
    for name in models(client, endpoint).await? {
        let deleted = client.delete_model().model_name(&name).send().await;
        gone(deleted.map(drop).map_err(CallError::of), format!("model `{name}`"), log)?;
    }
    Ok(())
}

fn gone(deleted: Result<(), CallError>, what: String, log: &mut Log<'_>) -> Result<(), ApplyError> {
    match deleted {
        Ok(()) => {
            log.note(what);
            Ok(())
        }
        Err(error) if error.meaning == Meaning::Missing => Ok(()),
        Err(error) => Err(error.effect(format_args!("{what} cannot be deleted")).into()),
    }
}

async fn configurations(client: &Client, endpoint: &str) -> Result<Vec<String>, EffectError> {
    let request = client.list_endpoint_configs().name_contains(format!("{endpoint}-"));
    let listed = request.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    let listed = listed.map_err(|error| CallError::of(error).effect("endpoint configurations cannot be listed"))?;
    let names = listed.into_iter().filter_map(|config| config.endpoint_config_name);
    Ok(names.filter(|name| is_of(endpoint, name)).collect())
}

async fn models(client: &Client, endpoint: &str) -> Result<Vec<String>, EffectError> {
    let request = client.list_models().name_contains(format!("{endpoint}-"));
    let listed = request.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    let listed = listed.map_err(|error| CallError::of(error).effect("models cannot be listed"))?;
    let names = listed.into_iter().filter_map(|model| model.model_name);
    Ok(names.filter(|name| is_of(endpoint, name)).collect())
}

/// `<endpoint>-<run id>` and nothing that merely looks like it: other endpoints' names may contain this one's.
fn is_of(endpoint: &str, name: &str) -> bool {
    let run = name.strip_prefix(endpoint).and_then(|rest| rest.strip_prefix('-'));
    run.is_some_and(|run| RunId::parse(run).is_ok())
}

/// Again while it is refused, for a minute.
async fn patiently<F>(call: impl Fn() -> F) -> Result<bool, CallError>
where
    F: Future<Output = Result<bool, CallError>>,
{
    let mut attempt = 1;
    loop {
        match call().await {
            Err(error)
                if attempt < ATTEMPTS
                    && matches!(error.meaning, Meaning::Busy | Meaning::Refused | Meaning::Exists) =>
            {
                attempt += 1;
                tokio::time::sleep(PAUSE).await;
            }
            answer => return answer,
        }
    }
}
