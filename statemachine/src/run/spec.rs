//! What `pipeline.yaml` asks of a run.

use serde::{Deserialize, Serialize};

use super::execution_id;
use crate::gate::Gate;
use crate::queue::Concurrency;

/// How a model goes live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalMode {
    /// As soon as it passed the gate.
    Automatic,
    /// When a person has approved its model package.
    Manual,
}

/// Where and how the model is served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentSpec {
    /// The endpoint's stable name; at most 44 characters, since models and configurations append a run id.
    pub endpoint: String,
    /// The inference container.
    pub image: String,
    /// `SAGEMAKER_PROGRAM`.
    pub program: String,
    /// `SAGEMAKER_SUBMIT_DIRECTORY`, an S3 address.
    pub source: String,
    /// Such as `ml.m5.large`.
    pub instance_type: String,
    /// How many.
    pub instances: u32,
    /// Who says yes.
    pub approval: ApprovalMode,
}

/// Where the evaluation is found once an execution succeeded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvaluationSpec {
    /// The step that trains; its job knows the artifact.
    pub training_step: String,
    /// The report's S3 address, with `{execution}` for the execution's id.
    pub report: String,
}

impl EvaluationSpec {
    /// The report of one execution.
    #[must_use]
    pub fn report_of(&self, execution_arn: &str) -> String {
        self.report.replace("{execution}", execution_id(execution_arn))
    }
}

/// How objects are collected into one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchSpec {
    /// The run begins when no object came for so long, in seconds.
    pub quiet_seconds: u64,
    /// The run begins at the latest so long after the first object, in seconds.
    pub longest_seconds: u64,
}

/// The deadline of a run whose `pipeline.yaml` names none, in seconds: a day.
pub const DEADLINE_SECONDS: u64 = 24 * 3600;

fn default_deadline() -> u64 {
    DEADLINE_SECONDS
}

/// What `pipeline.yaml` said when the run began. A later `apply` changes later runs only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunSpec {
    /// The pipeline's name.
    pub pipeline: String,
    /// Its ARN.
    pub pipeline_arn: String,
    /// The content hash of the step scripts.
    pub code: String,
    /// The hash of the definition.
    pub definition: String,
    /// `None` when nothing is evaluated.
    pub evaluation: Option<EvaluationSpec>,
    /// `None` only together with `deployment`: no model goes live without a gate.
    pub gate: Option<Gate>,
    /// `None` when the pipeline only trains.
    pub deployment: Option<DeploymentSpec>,
    /// The role of models and jobs.
    pub role_arn: String,
    /// How many executions may be under way.
    #[serde(default)]
    pub concurrency: Concurrency,
    /// How objects are collected; `None` when each starts a run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<BatchSpec>,
    /// People are told when a run is not done so long after it began, in seconds.
    #[serde(default = "default_deadline")]
    pub deadline_seconds: u64,
}

impl RunSpec {
    /// Whether the pipeline has a queue: a record of its runs before and during their executions.
    #[must_use]
    pub fn has_queue(&self) -> bool {
        self.batch.is_some() || self.concurrency != Concurrency::Unlimited
    }
}
