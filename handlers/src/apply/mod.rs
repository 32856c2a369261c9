//! A pipeline's folder, made real: what `tidegate plan` shows, and `tidegate apply` and the CloudFormation custom
//! resource do.
//!
//! The configuration is read whole first; with one error in it, nothing is changed. Then what is there is looked at
//! ([`survey`]), and only what differs is changed: code, SageMaker pipeline, schedules, and last the ledger's record,
//! from which handlers begin runs.

mod code;
mod files;
mod pipeline;
mod prepare;
mod remove;
mod schedules;
mod settings;
mod survey;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use statemachine::config::{Errors, Grouping, Invalid, Size};
use statemachine::definition::RenderError;

use crate::aws::Aws;
use crate::effects::EffectError;
use crate::ledger::{Complete, Expected, Ledger, LedgerError, PipelineRecord};

pub use files::{BYTES_LIMIT, FILE_COUNT_LIMIT, FilesError, ProjectFiles};
pub(crate) use files::{is_ignored, unpack};
pub use prepare::run_spec;
pub use remove::{Deployed, Removed, remove};
pub use settings::{Deployment, DeploymentError};
use survey::{Survey, survey};

/// Why a pipeline could not be planned, applied or removed.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The folder or archive.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// Every problem of `pipeline.yaml`, one a line.
    #[error(transparent)]
    Config(#[from] Errors),
    /// The definition.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// A value that does not fit this deployment.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// It would get in the way of another pipeline.
    #[error("{0}")]
    Taken(String),
    /// AWS refused, or does not answer.
    #[error(transparent)]
    Aws(#[from] EffectError),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// What is to be done with one thing, or was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// There is none yet.
    Create,
    /// It differs.
    Update,
    /// It is as it should be.
    Keep,
    /// It is not wanted any more.
    Delete,
}

/// One line of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What is done.
    pub action: Action,
    /// With what, such as ``schedule `nightly` ``.
    pub what: String,
    /// What of it differs.
    pub details: Vec<String>,
}

/// What an apply would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The pipeline's name.
    pub pipeline: String,
    /// The content hash of the step scripts.
    pub code_hash: String,
    /// The hash of the definition.
    pub definition_hash: String,
    /// In the order in which they would be done; what stays is listed too.
    pub changes: Vec<Change>,
    /// What is allowed and may surprise.
    pub warnings: Vec<String>,
    /// The definition that SageMaker has.
    pub definition_before: Option<String>,
    /// The definition that it would have.
    pub definition_after: String,
}

impl Plan {
    /// Nothing would change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.iter().all(|change| change.action == Action::Keep)
    }
}

/// What an apply did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Applied {
    /// The pipeline's name.
    pub pipeline: String,
    /// Its ARN.
    pub pipeline_arn: String,
    /// The hash of the definition.
    pub definition_hash: String,
    /// The content hash of the step scripts.
    pub code_hash: String,
    /// What was done with the SageMaker pipeline.
    pub action: Action,
    /// What was done with each schedule, by its name in `pipeline.yaml`; the check for expected data is `.expected`.
    pub schedules: BTreeMap<String, Action>,
    /// What is allowed and may surprise.
    pub warnings: Vec<String>,
}

/// The name that a folder's `pipeline.yaml` gives, after all of it was checked.
///
/// # Errors
/// There is no `pipeline.yaml`, or something in it is wrong.
pub fn pipeline_name(files: &ProjectFiles) -> Result<String, ApplyError> {
    Ok(prepare::parse(files)?.name().to_string())
}

/// What [`apply`] would do. Nothing is changed.
///
/// # Errors
/// The files are wrong in themselves or for this deployment, or AWS or the ledger cannot be read.
pub async fn plan(
    aws: &Aws,
    ledger: &Ledger<'_>,
    deployment: &Deployment,
    files: &ProjectFiles,
) -> Result<Plan, ApplyError> {
    Ok(survey(aws, ledger, deployment, files).await?.plan())
}

/// Makes a pipeline as its folder says. Again with the same folder, it changes nothing.
///
/// # Errors
/// As [`plan`], before anything is changed; or a change is refused, and then those before it stand. The next apply goes
/// on from there.
pub async fn apply(
    aws: &Aws,
    ledger: &Ledger<'_>,
    deployment: &Deployment,
    files: &ProjectFiles,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<Applied, ApplyError> {
    let survey = survey(aws, ledger, deployment, files).await?;
    let Survey { prepared, .. } = &survey;
    code::upload(aws.s3(), deployment, prepared, &survey.missing_code, progress).await?;
    let pipeline_arn =
        pipeline::reconcile(aws.sagemaker(), deployment, prepared, survey.known.as_ref(), progress).await?;
    let schedules = schedules::reconcile(aws.scheduler(), deployment, &survey.schedules, progress).await?;
    let spec = run_spec(&prepared.pipeline, &prepared.environment, &prepared.definition, &pipeline_arn)?;
    let arrival = prepared.pipeline.arrival();
    let record = PipelineRecord {
        name: prepared.pipeline.name().to_string(),
        arrival_prefix: arrival.map(|arrival| arrival.prefix.to_string()),
        arrival_suffix: arrival.and_then(|arrival| arrival.suffix.as_ref()).map(ToString::to_string),
        min_size: arrival.and_then(|arrival| arrival.size.min()).map(Size::bytes),
        max_size: arrival.and_then(|arrival| arrival.size.max()).map(Size::bytes),
        complete: arrival.and_then(|arrival| complete(&arrival.grouping)),
        expected: arrival
            .and_then(|arrival| arrival.expected.as_ref())
            .map(|expected| Expected { within_seconds: expected.within().seconds() }),
        spec,
        parameters: prepared.default_parameters(),
        schedules: schedules.arns,
        config: prepared.pipeline.to_json(),
        applied: Timestamp::now(),
    };
    ledger.put_pipeline(&record).await?;
    for change in &survey.rules {
        progress(change);
    }
    progress(&format!("ledger: pipeline `{}` recorded", record.name));
    Ok(Applied {
        pipeline: record.name,
        pipeline_arn,
        definition_hash: prepared.definition.sha256.clone(),
        code_hash: prepared.environment.code().sha256().to_owned(),
        action: survey.pipeline_action(),
        schedules: schedules.actions,
        warnings: survey.warnings,
    })
}

fn complete(grouping: &Grouping) -> Option<Complete> {
    match grouping {
        Grouping::Each | Grouping::Batch(_) => None,
        Grouping::Marker(name) => Some(Complete::Marker { name: name.to_string() }),
        Grouping::Manifest(name) => Some(Complete::Manifest { name: name.to_string() }),
    }
}

#[cfg(test)]
mod tests;
