//! The orchestrator's CloudFormation custom resources: `Custom::TidegateSettings` writes where the orchestrator is into the
//! ledger, `Custom::TidegatePipeline` applies a pipeline's folder, `Custom::TidegateSeed` puts data under `raw/`.

mod ids;
mod kind;
mod seed;

use std::sync::Arc;

use aws_smithy_types::byte_stream::error::Error as StreamError;
use lambda_runtime::LambdaEvent;
use serde_json::{Value, json};
use tracing::info;

use crate::apply::{self, ApplyError, Deployed, Deployment, DeploymentError, FilesError, ProjectFiles};
use crate::aws::Aws;
use crate::cloudformation::respond;
use crate::effects::{CallError, EffectError};
use crate::ledger::{Ledger, LedgerError};

pub use crate::cloudformation::{Answer, Envelope, HandleError, PhysicalId, RequestError, RequestType};
pub use kind::{Kind, PipelineProperties, SettingsProperties};
pub use seed::{SeedError, SeedProperties};

/// The largest archive of a pipeline or of seeded data, in bytes.
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
    /// The seeded data.
    #[error(transparent)]
    Seed(#[from] SeedError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Carries out a request of CloudFormation, and answers it.
///
/// # Errors
/// Only when CloudFormation could not be answered; Lambda tries again.
pub async fn handle(context: Arc<Context>, event: LambdaEvent<Value>) -> Result<(), HandleError> {
    respond(event, |envelope| Box::pin(async move { carry_out(&context, &envelope).await })).await
}

async fn carry_out(context: &Context, envelope: &Envelope) -> Answer {
    let ledger = Ledger::new(context.aws.dynamodb(), &context.table);
    let done = match Kind::parse(envelope) {
        Ok(Kind::Settings(properties)) => settings(&ledger, envelope, properties).await,
        Ok(Kind::SettingsGone) => Ok(Answer::done(PhysicalId::settings(), json!({}))),
        Ok(Kind::Pipeline(properties)) => return pipeline(context, &ledger, envelope, &properties).await,
        Ok(Kind::Seed(properties)) => seed::put(&context.aws, &properties).await,
        // Lineage names exact versions of these objects: while they are there, every run that read them can be explained and
        // replayed. The bucket's own removal policy decides when all of it goes.
        Ok(Kind::SeedGone) => Ok(Answer::done(PhysicalId::seed(), json!({}))),
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
        let files = ProjectFiles::from_zip(&archive(&context.aws, &properties.bucket, &properties.key).await?)?;
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

/// An archive that CDK has staged.
async fn archive(aws: &Aws, bucket: &str, key: &str) -> Result<Vec<u8>, ResourceError> {
    let what = || format!("the archive s3://{bucket}/{key} cannot be read");
    let answer = aws.s3().get_object().bucket(bucket).key(key).send().await;
    let mut body = answer.map_err(|error| CallError::of(error).effect(what()))?.body;
    let mut bytes = Vec::new();
    let broken = |error: StreamError| CallError::busy(error.to_string()).effect(what());
    while let Some(chunk) = body.try_next().await.map_err(broken)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > ARCHIVE_LIMIT {
            let limit = ARCHIVE_LIMIT / 1024 / 1024;
            let said = format!("the archive s3://{bucket}/{key} has more than {limit} MiB: make it smaller");
            return Err(EffectError::Permanent(said).into());
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
