use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{CommandId, Evaluation, Inputs, ObjectVersion, Run, RunSpec, Stop, Trigger};
use crate::lineage::Lineage;
use crate::{Endpoint, Queue};

/// The status of a pipeline execution, in SageMaker's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ExecutionStatus {
    /// Under way.
    Executing,
    /// Being stopped.
    Stopping,
    /// Stopped by someone.
    Stopped,
    /// A step failed.
    Failed,
    /// All steps succeeded.
    Succeeded,
}

impl ExecutionStatus {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Executing, Self::Stopping, Self::Stopped, Self::Failed, Self::Succeeded];

    /// SageMaker's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Executing => "Executing",
            Self::Stopping => "Stopping",
            Self::Stopped => "Stopped",
            Self::Failed => "Failed",
            Self::Succeeded => "Succeeded",
        }
    }

    /// `None` for a word that SageMaker does not use of executions.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

/// The status of a step, in SageMaker's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum StepStatus {
    /// About to run.
    Starting,
    /// Under way.
    Executing,
    /// Being stopped.
    Stopping,
    /// Stopped.
    Stopped,
    /// Failed.
    Failed,
    /// Done.
    Succeeded,
}

impl StepStatus {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Starting, Self::Executing, Self::Stopping, Self::Stopped, Self::Failed, Self::Succeeded];

    /// SageMaker's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "Starting",
            Self::Executing => "Executing",
            Self::Stopping => "Stopping",
            Self::Stopped => "Stopped",
            Self::Failed => "Failed",
            Self::Succeeded => "Succeeded",
        }
    }

    /// `None` for a word that SageMaker does not use of steps.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

/// Why something failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The step, where one is to blame.
    pub step: Option<String>,
    /// In the words of whoever reported it.
    pub reason: String,
}

/// A step's new status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepChange {
    /// The step's name.
    pub step: String,
    /// Its type: Processing, Training and so on.
    pub kind: String,
    /// The new status.
    pub status: StepStatus,
    /// Why, where it failed.
    pub reason: Option<String>,
}

/// The model that an execution trained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrainedModel {
    /// `model.tar.gz` in S3.
    pub data: String,
    /// The training job.
    pub job_arn: String,
    /// The training image.
    pub image: String,
}

/// What a person said of a model package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Approval {
    /// No.
    Rejected,
    /// Yes.
    Approved,
}

/// How an endpoint stands, as DescribeEndpoint tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EndpointStatus {
    /// Creating, Updating, SystemUpdating, RollingBack: a later event will tell.
    InTransition,
    /// It answers.
    InService,
    /// It could not be created, or could not be rolled back.
    Failed,
    /// It is gone, or going.
    Deleted,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When it happened, by the clock of whoever reports it.
    pub at: Timestamp,
    /// What.
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum EventKind {
    /// A run is asked for, by an arrival or a schedule.
    Requested {
        /// Why.
        trigger: Trigger,
        /// Under which configuration.
        spec: Box<RunSpec>,
        /// What it will read: `uri` is where the objects are to be copied, where there are any.
        inputs: Inputs,
        /// Further parameters of the execution.
        parameters: BTreeMap<String, String>,
    },
    /// An execution was seen that Tidegate did not start.
    Adopted {
        /// Its ARN.
        execution_arn: String,
        /// Under which configuration.
        spec: Box<RunSpec>,
        /// What it reads, as far as that can be known.
        inputs: Inputs,
        /// Its parameters.
        parameters: BTreeMap<String, String>,
    },
    /// StartPipelineExecution answered.
    ExecutionStarted {
        /// The execution's ARN.
        execution_arn: String,
    },
    /// The execution's status changed.
    ExecutionChanged {
        /// Which execution.
        execution_arn: String,
        /// To what.
        status: ExecutionStatus,
        /// Why, where it failed.
        failure: Option<Failure>,
    },
    /// A step's status changed.
    StepChanged {
        /// Of which execution.
        execution_arn: String,
        /// Which step, to what.
        change: StepChange,
    },
    /// The report was looked for.
    Evaluated(Box<Evaluation>),
    /// The model is in the registry.
    Registered {
        /// The model package's ARN.
        package: String,
    },
    /// A person decided.
    ApprovalChanged {
        /// What.
        approval: Approval,
        /// The model package's ARN.
        package: String,
    },
    /// The endpoint's state, asked for after an event of its.
    EndpointChanged {
        /// How it stands.
        status: EndpointStatus,
        /// The configuration that it serves.
        config: String,
        /// SageMaker's reason for a failure.
        reason: Option<String>,
    },
    /// An object arrived that this run is to collect.
    ObjectArrived {
        /// Which.
        object: ObjectVersion,
    },
    /// The run was woken, or swept, to see whether its objects are all there.
    BatchDue,
    /// One more execution of the pipeline may begin.
    SlotFree,
    /// The run is to be stopped.
    StopRequested(Stop),
    /// A command was refused for want of room: throttled, or beyond a quota.
    Postponed {
        /// Which.
        command: CommandId,
        /// In AWS's words.
        reason: String,
    },
    /// The run was woken at its deadline.
    DeadlinePassed,
    /// AWS was asked how the run stands; whatever it told came as events before this one.
    Swept,
    /// What was due did not come: a schedule's firing, or data.
    Missed {
        /// What was due.
        trigger: Trigger,
        /// Under which configuration.
        spec: Box<RunSpec>,
        /// In words.
        reason: String,
    },
    /// The endpoint is free for this run.
    YourTurn,
    /// A newer model took this run's place.
    Superseded {
        /// Whose.
        by: super::RunId,
    },
    /// A command was carried out and has nothing to tell.
    Done {
        /// Which.
        command: CommandId,
    },
    /// A command cannot be carried out, and trying again would not help.
    CommandFailed {
        /// Which.
        command: CommandId,
        /// Why.
        reason: String,
    },
}

impl EventKind {
    /// Whether the decision depends on the endpoint's record. Handlers read it only then.
    #[must_use]
    pub fn concerns_endpoint(&self) -> bool {
        match self {
            Self::Evaluated(_)
            | Self::Registered { .. }
            | Self::ApprovalChanged { .. }
            | Self::EndpointChanged { .. }
            | Self::YourTurn
            | Self::Superseded { .. }
            | Self::CommandFailed { .. } => true,
            Self::Requested { .. }
            | Self::Adopted { .. }
            | Self::ExecutionStarted { .. }
            | Self::ExecutionChanged { .. }
            | Self::StepChanged { .. }
            | Self::ObjectArrived { .. }
            | Self::BatchDue
            | Self::SlotFree
            | Self::StopRequested(_)
            | Self::Postponed { .. }
            | Self::DeadlinePassed
            | Self::Swept
            | Self::Missed { .. }
            | Self::Done { .. } => false,
        }
    }

    /// Whether the decision depends on the pipeline's queue, where it has one. Handlers read it only then.
    #[must_use]
    pub fn concerns_queue(&self) -> bool {
        match self {
            Self::Requested { .. }
            | Self::Adopted { .. }
            | Self::ExecutionChanged { .. }
            | Self::ObjectArrived { .. }
            | Self::BatchDue
            | Self::SlotFree
            | Self::StopRequested(_)
            | Self::CommandFailed { .. } => true,
            Self::ExecutionStarted { .. }
            | Self::StepChanged { .. }
            | Self::Evaluated(_)
            | Self::Registered { .. }
            | Self::ApprovalChanged { .. }
            | Self::EndpointChanged { .. }
            | Self::YourTurn
            | Self::Superseded { .. }
            | Self::Postponed { .. }
            | Self::DeadlinePassed
            | Self::Swept
            | Self::Missed { .. }
            | Self::Done { .. } => false,
        }
    }

    /// A short name for logs and tables.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Requested { .. } => "requested".to_owned(),
            Self::Adopted { .. } => "adopted".to_owned(),
            Self::ExecutionStarted { .. } => "execution started".to_owned(),
            Self::ExecutionChanged { status, .. } => format!("execution {}", status.as_str()),
            Self::StepChanged { .. } => "step changed".to_owned(),
            Self::Evaluated(_) => "evaluated".to_owned(),
            Self::Registered { .. } => "registered".to_owned(),
            Self::ApprovalChanged { approval: Approval::Approved, .. } => "approved".to_owned(),
            Self::ApprovalChanged { approval: Approval::Rejected, .. } => "refused by a person".to_owned(),
            Self::EndpointChanged { status, .. } => format!("endpoint {status:?}"),
            Self::ObjectArrived { .. } => "object arrived".to_owned(),
            Self::BatchDue => "batch due".to_owned(),
            Self::SlotFree => "slot free".to_owned(),
            Self::StopRequested(Stop { by: Some(_), .. }) => "replaced".to_owned(),
            Self::StopRequested(Stop { by: None, .. }) => "stop requested".to_owned(),
            Self::Postponed { .. } => "postponed".to_owned(),
            Self::DeadlinePassed => "deadline passed".to_owned(),
            Self::Swept => "swept".to_owned(),
            Self::Missed { .. } => "missed".to_owned(),
            Self::YourTurn => "your turn".to_owned(),
            Self::Superseded { .. } => "superseded".to_owned(),
            Self::Done { .. } => "command done".to_owned(),
            Self::CommandFailed { .. } => "command failed".to_owned(),
        }
    }
}

/// What stands around a run, and may change with it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Around {
    /// The record of the run's endpoint; an empty one where the event does not [concern](EventKind::concerns_endpoint)
    /// it, or the pipeline deploys nothing.
    pub endpoint: Endpoint,
    /// The queue of the run's pipeline; an empty one where the event does not [concern](EventKind::concerns_queue) it,
    /// or the pipeline has [none](RunSpec::has_queue).
    pub queue: Queue,
}

/// What follows from an event.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "one for each event, and most are the large one")]
pub enum Outcome {
    /// The run, and perhaps its endpoint, are to be stored as given, with the lineage, in one transaction.
    Changed {
        /// The run as it is now.
        run: Box<Run>,
        /// The endpoint, where it changed.
        endpoint: Option<Endpoint>,
        /// The pipeline's queue, where it changed.
        queue: Option<Queue>,
        /// What to record.
        lineage: Lineage,
    },
    /// Nothing is to be stored: known already, too late, or not for this run.
    Ignored,
    /// It cannot happen in this state; nothing is stored, and someone should look.
    Illegal,
}

/// The answer of [`super::decide`].
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// What is to be stored.
    pub outcome: Outcome,
    /// Why, in words, for the log.
    pub because: String,
}
