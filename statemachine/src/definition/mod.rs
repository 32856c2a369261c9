//! SageMaker's pipeline definition (2020-12-01), rendered from [`Pipeline`], byte for byte the same for the same input.
//!
//! The definition holds only the steps that compute. Gate, registration and deployment are Tidegate's own, after the
//! execution succeeded.

mod code;
mod environment;
mod images;
mod plan;
mod render;
mod security;

use crate::config::{Image, Pipeline, REPORT_OUTPUT, Work};

pub use code::code_hash;
pub use environment::{CodeLocation, Environment};
pub use images::{ImageUse, image_uri};
pub use plan::{Action, Change, Deployed, KeyChange, Plan, Subject, plan};
pub use render::render;
pub use security::{
    JobSecurity, KmsKey, Network, SecurityError, SecurityGroupId, SecurityPart, SecurityText, SubnetId,
};

/// The largest definition that SageMaker takes, in bytes.
pub const DEFINITION_LIMIT: usize = 1_048_576;

/// A rendered definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// The JSON text.
    pub body: String,
    /// Its SHA-256, in lower-case hexadecimal digits.
    pub sha256: String,
}

/// Why a definition cannot be rendered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// The Region has no registry of an image by alias.
    #[error(
        "image `{image}` is not known in Region `{region}`: accepted are {known}; or give the image by its address"
    )]
    UnknownRegion {
        /// The alias.
        image: Image,
        /// The Region.
        region: String,
        /// The Regions that have it, in backticks.
        known: String,
    },
    /// A text became too long when it was filled in.
    #[error("{what} has {length} characters: SageMaker accepts {limit}, shorten it")]
    TooLong {
        /// What is too long.
        what: String,
        /// In characters.
        length: usize,
        /// In characters.
        limit: usize,
    },
    /// The definition as a whole.
    #[error(
        "the pipeline definition has {0} bytes: SageMaker accepts {DEFINITION_LIMIT}, use fewer steps or arguments"
    )]
    DefinitionTooLong(usize),
}

/// Where everything of one execution lies, ending with `/`: `runs/<pipeline>/<execution id>/`.
#[must_use]
pub fn execution_prefix(pipeline: &Pipeline, execution_id: &str) -> String {
    format!("runs/{}/{execution_id}/", pipeline.name())
}

/// The key of the report that the evaluation step of an execution writes; `None` for a pipeline without one.
/// `execution_id` is the last segment of the execution's ARN.
#[must_use]
pub fn report_key(pipeline: &Pipeline, execution_id: &str) -> Option<String> {
    let step = pipeline.evaluation_step()?;
    match &step.work {
        Work::Evaluation { report, .. } => {
            Some(format!("{}{}/{REPORT_OUTPUT}/{report}", execution_prefix(pipeline, execution_id), step.name))
        }
        Work::Processing { .. } | Work::Training { .. } => None,
    }
}

/// The S3 address of [`report_key`].
#[must_use]
pub fn report_uri(pipeline: &Pipeline, bucket: &str, execution_id: &str) -> Option<String> {
    report_key(pipeline, execution_id).map(|key| format!("s3://{bucket}/{key}"))
}

/// The address of the image that serves the pipeline's model; `None` for a pipeline that deploys nothing.
///
/// # Errors
/// The Region is not known for the image's alias.
pub fn inference_image(pipeline: &Pipeline, region: &str) -> Result<Option<String>, RenderError> {
    pipeline
        .deployment()
        .map(|deployment| image_uri(&deployment.image, ImageUse::Inference, Some(&deployment.instance), region))
        .transpose()
}
