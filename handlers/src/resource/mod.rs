//! The CloudFormation custom resources: `Custom::TidegateSettings` writes where the orchestrator is into the ledger,
//! `Custom::TidegatePipeline` applies a pipeline's folder.
//!
//! CloudFormation waits for an answer at a URL that it gives, for as long as an hour. So it is answered in every case:
//! after an error, a panic, and when the function's time is nearly up. Only an answer that cannot be delivered is an
//! error of the function, which Lambda tries again; what it did, it then finds done.

mod answer;
mod request;
mod send;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_smithy_types::byte_stream::error::Error as StreamError;
use lambda_runtime::LambdaEvent;
use serde_json::{Value, json};
use tracing::{error, info, warn};

use crate::apply::{self, ApplyError, Deployed, Deployment, DeploymentError, FilesError, ProjectFiles};
use crate::aws::Aws;
use crate::effects::{CallError, EffectError};
use crate::ledger::{Ledger, LedgerError};

pub use answer::{Answer, PhysicalId};
pub use request::{Envelope, Kind, PipelineProperties, RequestError, RequestType, SettingsProperties};
pub use send::{SendError, check_url};

/// What is kept of the function's time for the answer.
const ANSWER_TIME: Duration = Duration::from_secs(12);

/// The largest archive of a pipeline, in bytes.
const ARCHIVE_LIMIT: usize = 32 * 1024 * 1024;

/// What the function needs.
#[derive(Debug)]
pub struct Context {
    /// The clients.
    pub aws: Aws,
    /// The ledger's table.
    pub table: String,
}

/// Why a request was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum ResourceError {
    /// The properties.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The archive.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// The archive's object.
    #[error(transparent)]
    Source(#[from] EffectError),
    /// The orchestrator's resources.
    #[error(transparent)]
    Deployment(#[from] DeploymentError),
    /// The pipeline.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Why CloudFormation could not be answered.
#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    /// It is not known whom to answer.
    #[error("the event is not a request of CloudFormation: {0}")]
    Unanswerable(RequestError),
    /// The answer did not arrive.
    #[error(transparent)]
    Send(#[from] SendError),
}

/// Carries out a request of CloudFormation, and answers it.
///
/// # Errors
/// Only when CloudFormation could not be answered; Lambda tries again.
pub async fn handle(context: Arc<Context>, event: LambdaEvent<Value>) -> Result<(), HandleError> {
    let envelope = Envelope::parse(&event.payload).map_err(HandleError::Unanswerable)?;
    let url = check_url(&envelope.response_url)?;
    // The URL is a credential, and is not logged.
    info!(
        request = ?envelope.request_type,
        resource = envelope.resource_type,
        logical_id = envelope.logical_id,
        physical_id = envelope.physical_id,
        "a request of CloudFormation"
    );
    let left = time_left(event.context.deadline);
    let request = (context, envelope.clone());
    // Boxed: nested as it is, its type would be too deep for the compiler to lay out.
    let work: Pin<Box<dyn Future<Output = Answer> + Send>> =
        Box::pin(async move { carry_out(&request.0, &request.1).await });
    let answer = match supervised(work, left.saturating_sub(ANSWER_TIME)).await {
        Ok(answer) => answer,
        Err(reason) => Answer::failed(PhysicalId::when_failed(&envelope), &reason),
    };
    if let Some(reason) = answer.reason() {
        warn!(reason, "the request failed");
    }
    send::put(&url, &answer.body(&envelope), left.min(ANSWER_TIME)).await?;
    Ok(())
}

/// Runs `work` as a task of its own: a panic in it ends it alone. The error is what to tell CloudFormation.
async fn supervised<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
    time: Duration,
) -> Result<T, String> {
    let mut task = tokio::spawn(work);
    match tokio::time::timeout(time, &mut task).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => {
            error!(%error, "the work ended by a panic");
            Err("an error in Tidegate itself; its function's log has more".to_owned())
        }
        Err(_) => {
            task.abort();
            Err(format!(
                "not done within {} s; what was done stays, and another attempt goes on from there",
                time.as_secs()
            ))
        }
    }
}

fn time_left(deadline_ms: u64) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Duration::from_millis(deadline_ms).saturating_sub(now)
}

async fn carry_out(context: &Context, envelope: &Envelope) -> Answer {
    let ledger = Ledger::new(context.aws.dynamodb(), &context.table);
    let done = match Kind::parse(envelope) {
        Ok(Kind::Settings(properties)) => settings(&ledger, envelope, properties).await,
        Ok(Kind::SettingsGone) => Ok(Answer::done(PhysicalId::settings(), json!({}))),
        Ok(Kind::Pipeline(properties)) => return pipeline(context, &ledger, envelope, &properties).await,
        Ok(Kind::PipelineGone(name)) => pipeline_gone(context, &ledger, envelope, name).await,
        Err(error) => Err(error.into()),
    };
    done.unwrap_or_else(|error| Answer::failed(PhysicalId::when_failed(envelope), &error.to_string()))
}

async fn settings(
    ledger: &Ledger<'_>,
    envelope: &Envelope,
    properties: SettingsProperties,
) -> Result<Answer, ResourceError> {
    properties.into_deployment(envelope)?.store(ledger).await?;
    Ok(Answer::done(PhysicalId::settings(), json!({})))
}

async fn pipeline(
    context: &Context,
    ledger: &Ledger<'_>,
    envelope: &Envelope,
    properties: &PipelineProperties,
) -> Answer {
    // A failed creation is rolled back by a deletion under the id that is answered now. That must take away what this
    // creation made, and never a pipeline that was there before.
    let mut id = PhysicalId::when_failed(envelope);
    let made = async {
        let deployment = Deployment::load(ledger).await?;
        let files = ProjectFiles::from_zip(&source(context, properties).await?)?;
        let name = apply::pipeline_name(&files)?;
        if envelope.request_type == RequestType::Create
            && is_new(&context.aws, ledger, &deployment, &name, &files).await?
        {
            id = PhysicalId::pipeline(&name);
        }
        let progress = |line: &str| info!("{line}");
        let applied = apply::apply(&context.aws, ledger, &deployment, &files, &progress).await?;
        let data = json!({"PipelineArn": applied.pipeline_arn, "DefinitionHash": applied.definition_hash});
        Ok::<_, ResourceError>(Answer::done(PhysicalId::pipeline(&applied.pipeline), data))
    };
    match made.await {
        Ok(answer) => answer,
        Err(error) => Answer::failed(id, &error.to_string()),
    }
}

/// Neither the ledger nor SageMaker knows the pipeline.
async fn is_new(
    aws: &Aws,
    ledger: &Ledger<'_>,
    deployment: &Deployment,
    name: &str,
    files: &ProjectFiles,
) -> Result<bool, ResourceError> {
    if ledger.pipeline(name).await?.is_some() {
        return Ok(false);
    }
    Ok(apply::plan(aws, ledger, deployment, files).await?.definition_before.is_none())
}

async fn pipeline_gone(
    context: &Context,
    ledger: &Ledger<'_>,
    envelope: &Envelope,
    name: Option<String>,
) -> Result<Answer, ResourceError> {
    let id = PhysicalId::when_failed(envelope);
    // A creation that failed before it made anything.
    let Some(name) = name else { return Ok(Answer::done(id, json!({}))) };
    let deployment = Deployment::load(ledger).await?;
    let progress = |line: &str| info!("{line}");
    apply::remove(&context.aws, ledger, &deployment, &name, Deployed::Delete, &progress).await?;
    Ok(Answer::done(id, json!({})))
}

/// The archive.
async fn source(context: &Context, properties: &PipelineProperties) -> Result<Vec<u8>, ResourceError> {
    let PipelineProperties { bucket, key } = properties;
    let what = || format!("the pipeline's archive s3://{bucket}/{key} cannot be read");
    let answer = context.aws.s3().get_object().bucket(bucket).key(key).send().await;
    let mut body = answer.map_err(|error| CallError::of(error).effect(what()))?.body;
    let mut bytes = Vec::new();
    let broken = |error: StreamError| CallError::busy(error.to_string()).effect(what());
    while let Some(chunk) = body.try_next().await.map_err(broken)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > ARCHIVE_LIMIT {
            return Err(FilesError::TooLarge(format!("{} MiB", ARCHIVE_LIMIT / 1024 / 1024)).into());
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
