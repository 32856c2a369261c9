use std::collections::BTreeMap;
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    Approval, Command, CommandId, ExecutionStatus, Failure, ObjectVersion, Pending, PendingCommand, RunId,
    TrainedModel, execution_id,
};
use crate::gate::{Gate, GateDecision, Report, UnreadableReport};
use crate::queue::Concurrency;

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It collects objects, until none came for a while.
    Batching,
    /// It waits for a place: the pipeline's executions are bounded.
    Queued,
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
    /// Its trigger came while another run was under way, and starts nothing.
    Skipped,
    /// What was due did not come: a schedule's firing, or data.
    Missed,
}

impl Phase {
    /// All phases, in the order of a run's life.
    pub const ALL: [Self; 17] = [
        Self::Batching,
        Self::Queued,
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
        Self::Skipped,
        Self::Missed,
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
                | Self::Skipped
                | Self::Missed
        )
    }

    /// Whether the run's execution is asked for or under way, and so takes one of the pipeline's places.
    #[must_use]
    pub fn takes_a_place(self) -> bool {
        matches!(self, Self::Starting | Self::Running)
    }

    /// As shown to people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Batching => "batching",
            Self::Queued => "queued",
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
            Self::Skipped => "skipped",
            Self::Missed => "missed",
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
    /// Objects arrived, and were collected.
    Batch {
        /// The one that came first.
        first: ObjectVersion,
    },
    /// A person asked for an earlier run's work once more.
    Replay {
        /// Which run's.
        of: RunId,
        /// 1 for the first time, and so on.
        attempt: u32,
    },
    /// Data was expected by a time.
    Expected {
        /// By when.
        due: Timestamp,
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
            Self::Batch { first } => write!(f, "batch that began with {first}"),
            Self::Replay { of, attempt: 1 } => write!(f, "replay of run {of}"),
            Self::Replay { of, attempt } => write!(f, "replay {attempt} of run {of}"),
            Self::Expected { due } => write!(f, "data expected by {due}"),
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

/// How objects are collected into one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchSpec {
    /// The run begins when no object came for so long, in seconds.
    pub quiet_seconds: u64,
    /// The run begins at the latest so long after the first object, in seconds.
    pub longest_seconds: u64,
}

/// The collection of a run's objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// When the newest object came.
    pub last: Timestamp,
}

/// Why a run is to be stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// In words.
    pub reason: String,
    /// The run that takes its place; `None` when a person stops it.
    pub by: Option<RunId>,
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
            _ if what.starts_with("collected") => 1,
            "execution Executing" => 2,
            _ if what.starts_with("step ") && what.ends_with(" Starting") => 4,
            _ if what.starts_with("step ") && what.ends_with(" Executing") => 5,
            // What succeeded made room for what starts.
            _ if what.starts_with("step ") && what.ends_with(" Succeeded") => 3,
            _ if what.starts_with("step ") => 6,
            _ if what.starts_with("execution ") => 7,
            _ => 8,
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

/// The most bytes of facts kept for one run, for the same reason.
const FACT_BYTES: usize = 60_000;

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
    /// When something was last heard of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard: Option<Timestamp>,
    /// The collection of its objects, for a run that collects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<Batch>,
    /// When it must be done, once it has begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
    /// Set once it is to be stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<Stop>,
    /// What is still to be done for it. The outbox lives with the state, so that both change in one write.
    pub outbox: Vec<PendingCommand>,
}

/// How long after its time a one-off schedule counts as lost. EventBridge Scheduler fires within the minute
/// (EventBridge Scheduler user guide, "Schedule types").
const SWEEP_GRACE: SignedDuration = SignedDuration::from_secs(120);

/// The fact that the deadline has passed.
pub(super) const LATE: &str = "not done by its deadline";

/// A number of seconds that comes from a configuration.
pub(super) fn seconds_of(seconds: u64) -> SignedDuration {
    SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX))
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
        self.outbox.iter().filter(move |pending| pending.state.free_at().is_none_or(|free| free <= now))
    }

    /// When the sweep is to look at the run; `None` when nothing more is expected of it.
    ///
    /// A command is due when its claim or its wait ends. A run that is not at an end is due when nothing was heard of it
    /// for `silence`; one that collects objects, soon after its collection should have ended.
    #[must_use]
    pub fn due(&self, silence: SignedDuration) -> Option<Timestamp> {
        let heard = self.heard.unwrap_or(self.created);
        let later = |from: Timestamp, by: SignedDuration| from.saturating_add(by).unwrap_or(Timestamp::MAX);
        let commands = self.outbox.iter().map(|pending| pending.state.free_at().unwrap_or(heard)).min();
        let own = match self.phase {
            phase if phase.is_end() => None,
            Phase::Batching => self.batch_due().map(|due| later(due, SWEEP_GRACE)),
            _ => Some(later(heard, silence)),
        };
        let late = |fact: &Fact| fact.what == LATE;
        let deadline = self.deadline.filter(|_| !self.phase.is_end() && !self.facts.iter().any(late));
        commands.into_iter().chain(own).chain(deadline.map(|deadline| later(deadline, SWEEP_GRACE))).min()
    }

    /// When the run stops collecting, as things are now.
    #[must_use]
    pub fn batch_due(&self) -> Option<Timestamp> {
        let (batch, spec) = (self.batch.as_ref()?, self.spec.batch.as_ref()?);
        let after = |from: Timestamp, seconds: u64| from.saturating_add(seconds_of(seconds)).unwrap_or(Timestamp::MAX);
        Some(after(batch.last, spec.quiet_seconds).min(after(self.created, spec.longest_seconds)))
    }

    /// Adds a fact; false if it was known.
    pub(super) fn learn(&mut self, at: Timestamp, what: impl Into<String>) -> bool {
        let fact = Fact { at, what: what.into() };
        match self.facts.binary_search(&fact) {
            Ok(_) => false,
            // That the run is late decides what is due: there is always room for it.
            Err(_) if fact.what != LATE && self.has_learnt_enough() => false,
            Err(place) => {
                self.facts.insert(place, fact);
                true
            }
        }
    }

    fn has_learnt_enough(&self) -> bool {
        let bytes = self.facts.iter().map(|fact| fact.what.len()).sum::<usize>();
        self.facts.len() >= FACT_LIMIT || bytes >= FACT_BYTES
    }

    pub(super) fn command(&mut self, id: CommandId, command: Command) {
        if !self.has_pending(&id) {
            self.outbox.push(PendingCommand { id, command, state: Pending::Unclaimed, attempts: 0, unsure: false });
        }
    }
}
