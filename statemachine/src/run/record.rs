//! A run, and what it knows.

use std::collections::BTreeMap;
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    Approval, Command, CommandId, DeploymentSpec, ExecutionStatus, Failure, ObjectVersion, Pending, PendingCommand,
    Phase, RunId, RunSpec, TrainedModel,
};
use crate::gate::{GateDecision, Report, UnreadableReport};

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
