use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Approval, Command, CommandId, ExecutionStatus, Failure, ObjectVersion, Pending, PendingCommand, RunId,
    TrainedModel, execution_id,
};
use crate::gate::{Gate, GateDecision, Report, UnreadableReport};

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Its execution is being asked for.
    Starting,
    /// SageMaker executes it.
    Running,
    /// The execution succeeded; its report is being read, its model registered.
    Evaluating,
    /// The gate let it pass; a person must approve.
    AwaitingApproval,
    /// It may go live; another deployment to the endpoint is not done yet.
    AwaitingTurn,
    /// Its model is being rolled out.
    Deploying,
    /// Its model answers.
    Live,
    /// The execution succeeded, and `pipeline.yaml` asks for no deployment.
    Succeeded,
    /// The gate, or a person, refused the model.
    Rejected,
    /// Something broke.
    Failed,
    /// Someone stopped it.
    Stopped,
    /// SageMaker took the new model back; the old one answers.
    RolledBack,
    /// A newer model took its place.
    Superseded,
}

impl Phase {
    /// All phases, in the order of a run's life.
    pub const ALL: [Self; 13] = [
        Self::Starting,
        Self::Running,
        Self::Evaluating,
        Self::AwaitingApproval,
        Self::AwaitingTurn,
        Self::Deploying,
        Self::Live,
        Self::Succeeded,
        Self::Rejected,
        Self::Failed,
        Self::Stopped,
        Self::RolledBack,
        Self::Superseded,
    ];

    /// Nothing more is expected to happen by itself.
    #[must_use]
    pub fn is_end(self) -> bool {
        matches!(
            self,
            Self::Live
                | Self::Succeeded
                | Self::Rejected
                | Self::Failed
                | Self::Stopped
                | Self::RolledBack
                | Self::Superseded
        )
    }

    /// As shown to people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Evaluating => "evaluating",
            Self::AwaitingApproval => "awaiting approval",
            Self::AwaitingTurn => "awaiting turn",
            Self::Deploying => "deploying",
            Self::Live => "live",
            Self::Succeeded => "succeeded",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
            Self::RolledBack => "rolled back",
            Self::Superseded => "superseded",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

/// Why there is a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Trigger {
    /// An object arrived.
    Arrival {
        /// Which.
        object: ObjectVersion,
    },
    /// A schedule fired.
    Schedule {
        /// Its name in `pipeline.yaml`.
        name: String,
        /// The time for which it was due.
        scheduled_time: Timestamp,
    },
    /// Someone started the execution by other means than Tidegate.
    Manual,
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Arrival { object } => write!(f, "arrival of {object}"),
            Self::Schedule { name, scheduled_time } => write!(f, "schedule `{name}` due {scheduled_time}"),
            Self::Manual => f.write_str("manual start"),
        }
    }
}

/// What a run reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inputs {
    /// The `InputDataUri` of the execution.
    pub uri: String,
    /// The versions behind it.
    pub objects: Vec<ObjectVersion>,
    /// True when Tidegate copied exactly these versions to a place of the run's own before it started; false when an
    /// execution that it adopted read a prefix by itself, and these are the versions that were there when it was seen.
    pub exact: bool,
}

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
}

/// The SageMaker execution of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Execution {
    /// Its ARN.
    pub arn: String,
    /// The newest status that is known.
    pub status: ExecutionStatus,
    /// When it had that status.
    pub at: Timestamp,
}

/// What the execution produced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The model.
    pub model: TrainedModel,
    /// Where the report is.
    pub report_uri: String,
    /// What it says.
    pub report: Result<Report, UnreadableReport>,
}

/// Something that is known to have happened, at the time it happened rather than the time it was heard of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// When.
    pub at: Timestamp,
    /// What, in words.
    pub what: String,
}

impl Fact {
    /// Events have whole seconds. Within one, facts read in the order in which they can have happened.
    fn place(&self) -> (Timestamp, u8, &str) {
        let what = self.what.as_str();
        let rank = match what {
            _ if what.starts_with("requested") => 0,
            "execution Executing" => 1,
            _ if what.starts_with("step ") && what.ends_with(" Starting") => 3,
            _ if what.starts_with("step ") && what.ends_with(" Executing") => 4,
            // What succeeded made room for what starts.
            _ if what.starts_with("step ") && what.ends_with(" Succeeded") => 2,
            _ if what.starts_with("step ") => 5,
            _ if what.starts_with("execution ") => 6,
            _ => 7,
        };
        (self.at, rank, what)
    }
}

impl PartialOrd for Fact {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Fact {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.place().cmp(&other.place())
    }
}

/// The most facts kept for one run. A run has a handful for each step; an execution that is retried for ever must not
/// outgrow DynamoDB's item of 400 KB.
pub const FACT_LIMIT: usize = 500;

/// A run, whole. The ledger stores it as one item, under a version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Its identity.
    pub id: RunId,
    /// Why it exists.
    pub trigger: Trigger,
    /// When it was first heard of.
    pub created: Timestamp,
    /// The configuration it runs under.
    pub spec: RunSpec,
    /// Where it stands.
    pub phase: Phase,
    /// What it reads.
    pub inputs: Inputs,
    /// The execution's parameters, `InputDataUri` among them.
    pub parameters: BTreeMap<String, String>,
    /// The execution, once it is known.
    pub execution: Option<Execution>,
    /// Why it failed, where it did.
    pub failure: Option<Failure>,
    /// What it produced.
    pub evaluation: Option<Evaluation>,
    /// What the gate said.
    pub gate: Option<GateDecision>,
    /// Its version in the registry.
    pub package: Option<String>,
    /// What a person said, and when.
    pub approval: Option<(Approval, Timestamp)>,
    /// All that is known to have happened; ordered by time.
    pub facts: Vec<Fact>,
    /// What is still to be done for it. The outbox lives with the state, so that both change in one write.
    pub outbox: Vec<PendingCommand>,
}

impl Run {
    /// The name of this run's model and endpoint configuration: `<endpoint>-<run id>`.
    #[must_use]
    pub fn deployment_name(&self, deployment: &DeploymentSpec) -> String {
        format!("{}-{}", deployment.endpoint, self.id)
    }

    /// Whether the command is still to be done.
    #[must_use]
    pub fn has_pending(&self, id: &CommandId) -> bool {
        self.outbox.iter().any(|pending| pending.id == *id)
    }

    /// Commands that nobody is known to be doing at `now`.
    pub fn unclaimed(&self, now: Timestamp) -> impl Iterator<Item = &PendingCommand> {
        self.outbox.iter().filter(move |pending| !matches!(pending.state, Pending::Claimed { until } if until > now))
    }

    /// Adds a fact; false if it was known.
    pub(super) fn learn(&mut self, at: Timestamp, what: impl Into<String>) -> bool {
        let fact = Fact { at, what: what.into() };
        match self.facts.binary_search(&fact) {
            Ok(_) => false,
            Err(_) if self.facts.len() >= FACT_LIMIT => false,
            Err(place) => {
                self.facts.insert(place, fact);
                true
            }
        }
    }

    pub(super) fn command(&mut self, id: CommandId, command: Command) {
        if !self.has_pending(&id) {
            self.outbox.push(PendingCommand { id, command, state: Pending::Unclaimed });
        }
    }
}
