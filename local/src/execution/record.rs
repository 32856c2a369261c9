//! An execution as it is kept.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::definition::StepKind;
use super::graph::Progress;
use crate::store::Document;

/// Why an execution failed, as SageMaker says it. Which step and why, its steps tell.
pub const STEP_FAILURE: &str = "Step failure: One or multiple steps failed.";

/// `PipelineExecutionStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExecutionStatus {
    /// Running.
    Executing,
    /// Asked to stop.
    Stopping,
    /// Stopped.
    Stopped,
    /// A step failed.
    Failed,
    /// All steps that were to run succeeded.
    Succeeded,
}

impl ExecutionStatus {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            ExecutionStatus::Executing => "Executing",
            ExecutionStatus::Stopping => "Stopping",
            ExecutionStatus::Stopped => "Stopped",
            ExecutionStatus::Failed => "Failed",
            ExecutionStatus::Succeeded => "Succeeded",
        }
    }

    /// Whether nothing follows, unless it is retried.
    pub fn is_final(self) -> bool {
        !matches!(self, ExecutionStatus::Executing | ExecutionStatus::Stopping)
    }
}

/// `StepStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum StepStatus {
    /// Its request is being made.
    Starting,
    /// Its job runs.
    Executing,
    /// Its job is asked to stop.
    Stopping,
    /// Stopped.
    Stopped,
    /// Failed.
    Failed,
    /// Succeeded.
    Succeeded,
}

impl StepStatus {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            StepStatus::Starting => "Starting",
            StepStatus::Executing => "Executing",
            StepStatus::Stopping => "Stopping",
            StepStatus::Stopped => "Stopped",
            StepStatus::Failed => "Failed",
            StepStatus::Succeeded => "Succeeded",
        }
    }

    /// Whether nothing follows.
    pub fn is_final(self) -> bool {
        matches!(self, StepStatus::Stopped | StepStatus::Failed | StepStatus::Succeeded)
    }
}

/// A step that was started.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepRecord {
    /// Its name.
    pub name: String,
    /// Its type's name.
    pub kind: String,
    /// Where it is.
    pub status: StepStatus,
    /// When it was started.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// How often it was tried, from 1.
    pub attempts: u32,
    /// Why it failed.
    pub failure: Option<String>,
    /// `PipelineExecutionStepMetadata`.
    pub metadata: Map<String, Value>,
    /// What `Get` reads from it.
    pub properties: Value,
    /// The name of the last attempt's job.
    pub job: Option<String>,
    /// The hash of what it was asked to do.
    pub cache_key: Option<String>,
    /// The ARN of the execution whose result it took over.
    pub cache_hit: Option<String>,
    /// A condition's outcome.
    pub outcome: Option<bool>,
}

impl StepRecord {
    /// A step at its start.
    pub fn new(name: &str, kind: StepKind, now: Timestamp) -> Self {
        Self {
            name: name.to_owned(),
            kind: kind.name().to_owned(),
            status: StepStatus::Starting,
            started: now,
            ended: None,
            attempts: 0,
            failure: None,
            metadata: Map::new(),
            properties: Value::Null,
            job: None,
            cache_key: None,
            cache_hit: None,
            outcome: None,
        }
    }

    fn progress(&self) -> Progress {
        match self.status {
            StepStatus::Starting | StepStatus::Executing | StepStatus::Stopping => Progress::Active,
            StepStatus::Stopped | StepStatus::Failed => Progress::Failed,
            StepStatus::Succeeded => Progress::Succeeded(self.outcome),
        }
    }
}

/// A pipeline execution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Execution {
    /// Twelve letters and digits.
    pub id: String,
    /// Its ARN.
    pub arn: String,
    /// The pipeline's ARN.
    pub pipeline_arn: String,
    /// The pipeline's name, as it was written.
    pub pipeline_name: String,
    /// The name for people.
    pub display_name: String,
    /// The description for people.
    pub description: Option<String>,
    /// The definition that it runs, as it was at the start.
    pub definition: String,
    /// When that definition was made.
    pub definition_time: Timestamp,
    /// The role of its steps.
    pub role_arn: String,
    /// The parameters that the start gave.
    pub parameters: BTreeMap<String, String>,
    /// Most steps at once.
    pub max_parallel: Option<u32>,
    /// Where it is.
    pub status: ExecutionStatus,
    /// Why it failed.
    pub failure: Option<String>,
    /// When it was started.
    pub created: Timestamp,
    /// When it last changed.
    pub modified: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// The token of the start.
    pub token: String,
    /// The token of the last retry.
    pub retry_token: Option<String>,
    /// Its steps, in the order of their starts.
    pub steps: Vec<StepRecord>,
}

impl Document for Execution {
    const KIND: &'static str = "pipeline-execution";
}

impl Execution {
    /// The key in the store.
    pub fn key(&self) -> String {
        key(&self.pipeline_name, &self.id)
    }

    /// The step with this name, if it was started.
    pub fn step(&self, name: &str) -> Option<&StepRecord> {
        self.steps.iter().find(|step| step.name == name)
    }

    /// What the graph needs to know.
    pub fn progress(&self) -> BTreeMap<String, Progress> {
        self.steps.iter().map(|step| (step.name.clone(), step.progress())).collect()
    }
}

/// The key of an execution in the store.
pub fn key(pipeline: &str, id: &str) -> String {
    format!("{}/{id}", pipeline.to_lowercase())
}

/// The key that an execution's ARN stands for.
pub fn key_of_arn(arn: &str) -> Option<String> {
    let path = arn.split_once(":pipeline/")?.1;
    let (pipeline, id) = path.split_once("/execution/")?;
    Some(key(pipeline, id))
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    pub(in super::super) fn execution() -> Execution {
        let at = Timestamp::from_second(10).unwrap();
        Execution {
            id: "abcdefghij12".into(),
            arn: "arn:aws:sagemaker:r:1:pipeline/p/execution/abcdefghij12".into(),
            pipeline_arn: "arn:aws:sagemaker:r:1:pipeline/p".into(),
            pipeline_name: "P".into(),
            display_name: "d".into(),
            description: None,
            definition: String::new(),
            definition_time: at,
            role_arn: String::new(),
            parameters: BTreeMap::new(),
            max_parallel: None,
            status: ExecutionStatus::Executing,
            failure: None,
            created: at,
            modified: at,
            ended: None,
            token: String::new(),
            retry_token: None,
            steps: Vec::new(),
        }
    }

    #[test]
    fn an_arn_leads_to_the_key() {
        let execution = execution();
        assert_eq!(key_of_arn(&execution.arn), Some(execution.key()));
        assert_eq!(key_of_arn("arn:aws:sagemaker:r:1:pipeline/p"), None);
    }
}
