//! The state of the model: the ledger, what is outside, what is under way.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use serde::Serialize;
use statemachine::run::{ApprovalMode, CommandId, Pending, PendingCommand};
use statemachine::{Endpoint, Event, Queue, Run};

use crate::fixtures::at;

/// The present. Time does not pass by itself: that a claim or a wait is over is an action of its own.
pub const NOW: i64 = 1000;

/// A value with the hash of its JSON, by which it is compared. The JSON is the whole item as the ledger stores it, so
/// two values of one hash are one item, but for a collision of 64 bits.
#[derive(Clone, Debug)]
pub struct Kept<T> {
    pub value: Arc<T>,
    print: u64,
}

impl<T: Serialize> Kept<T> {
    pub fn new(value: T) -> Self {
        let mut hasher = DefaultHasher::new();
        serde_json::to_string(&value).unwrap().hash(&mut hasher);
        Self { value: Arc::new(value), print: hasher.finish() }
    }
}

impl<T> PartialEq for Kept<T> {
    fn eq(&self, other: &Self) -> bool {
        self.print == other.print
    }
}

impl<T> Eq for Kept<T> {}

impl<T> Hash for Kept<T> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.print.hash(hasher);
    }
}

impl<T> PartialOrd for Kept<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Kept<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.print.cmp(&other.print)
    }
}

/// Something read from the ledger. Instead of a version it knows whether someone has stored a newer one since: that is
/// all that the fence asks, and keeps the states finite.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Read<T> {
    pub value: T,
    pub stale: bool,
}

impl<T> Read<T> {
    pub fn fresh(value: T) -> Self {
        Self { value, stale: false }
    }
}

/// How a call goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Luck {
    Well,
    /// Refused for want of room.
    NoRoom,
    /// Refused for good.
    Never,
    /// It did what it was for, and nobody hears of it.
    Unheard,
}

/// What is in flight towards the handlers. Runs, objects and executions go by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Message {
    /// An object that begins a run of its own, or is collected.
    Object(u8),
    /// An execution, and SageMaker's word for its status.
    Status(u8, &'static str),
    EndpointEvent,
    Approval(u8, bool),
    StopRun(u8),
    /// A one-off schedule, and its time.
    BatchDue(u8, i64),
}

/// Where a worker is with one run (`Drive::settle`, `Drive::drain`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// It has read the run, and is to read what stands around it.
    Around { run: Read<Option<Kept<Run>>> },
    /// It is to decide and commit.
    Commit { run: Read<Option<Kept<Run>>>, endpoint: Read<Kept<Endpoint>>, queue: Read<Kept<Queue>> },
    /// It carries out what it has claimed.
    Drain,
    /// It waits for the loop of the run that it tells something.
    Telling(Kept<PendingCommand>),
    /// A command could not be carried out: its claim is to be given back.
    LetGo(Kept<PendingCommand>),
}

/// One run's loop.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Frame {
    pub run: u8,
    pub events: Vec<Kept<Event>>,
    /// The object whose commit this is.
    pub object: Option<u8>,
    /// Whether the events changed the run, once that is known.
    pub settled: Option<bool>,
    pub stage: Stage,
    /// What it has claimed and not done yet.
    pub todo: Vec<Kept<PendingCommand>>,
    /// The command that it answers for.
    pub doing: Option<Kept<PendingCommand>>,
}

/// What an intake does once its first loops are done (`Intake::endpoint_status`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Then {
    Look { deploying: Option<u8>, waiting: Option<u8>, champion: Option<u8> },
    View { run: u8, rolled_out: Option<u8>, not_asked_yet: bool },
}

/// An invocation of a handler, or nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Worker {
    /// What it was invoked for; it is delivered again if the worker dies.
    pub message: Option<Message>,
    pub then: Option<Then>,
    pub frames: Vec<Frame>,
    /// Something could not be carried out: the invocation ends in an error.
    pub failed: bool,
}

impl Worker {
    pub fn is_idle(&self) -> bool {
        self.frames.is_empty() && self.then.is_none()
    }
}

/// A pipeline execution at SageMaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Started {
    /// The run whose token it was started with.
    pub run: u8,
    /// SageMaker's word.
    pub status: &'static str,
}

impl Started {
    pub fn is_under_way(&self) -> bool {
        matches!(self.status, "Executing" | "Stopping")
    }
}

/// How often something may go wrong, or a person may meddle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Bounds {
    /// Messages that are delivered once more.
    pub duplicates: u8,
    /// Messages that are never delivered.
    pub losses: u8,
    /// Workers that die between two steps. Their message is delivered again.
    pub crashes: u8,
    /// Claims that end although their worker lives.
    pub slow: u8,
    /// Starts that SageMaker refuses for want of room.
    pub refusals: u8,
    /// Calls that AWS refuses for good.
    pub failures: u8,
    /// Calls that do what they are for, and whose answer is never heard.
    pub unheard: u8,
    /// Runs that a person stops.
    pub stops: u8,
    /// Sweeps that ask AWS although something is under way.
    pub asks: u8,
}

/// SageMaker's endpoint: whose model it serves, and whose is being rolled out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rollout {
    pub serves: Option<u8>,
    pub next: Option<u8>,
}

/// Everything.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    // The ledger.
    pub runs: BTreeMap<u8, Kept<Run>>,
    pub endpoint: Kept<Endpoint>,
    pub queue: Kept<Queue>,
    /// Whose an object is.
    pub taken: BTreeMap<u8, u8>,
    // Outside.
    pub executions: Vec<Started>,
    pub rollout: Rollout,
    /// Registered model packages, and what a person said of them.
    pub packages: BTreeMap<u8, Option<bool>>,
    pub timers: BTreeSet<(u8, i64)>,
    pub alerts: BTreeSet<(u8, String)>,
    // Under way.
    pub inbox: Vec<Message>,
    pub workers: Vec<Worker>,
    pub left: Bounds,
    /// An execution of ours was taken for someone else's.
    pub adopted: bool,
}

impl State {
    pub fn new(inbox: Vec<Message>, bounds: Bounds) -> Self {
        Self {
            runs: BTreeMap::new(),
            endpoint: Kept::new(Endpoint::new("p")),
            queue: Kept::new(Queue::new("p")),
            taken: BTreeMap::new(),
            executions: Vec::new(),
            rollout: Rollout::default(),
            packages: BTreeMap::new(),
            timers: BTreeSet::new(),
            alerts: BTreeSet::new(),
            inbox,
            workers: vec![Worker::default(); 2],
            left: bounds,
            adopted: false,
        }
    }

    pub fn post(&mut self, message: Message) {
        self.inbox.push(message);
        self.inbox.sort();
    }

    /// Workers are alike, and the order of the messages in flight means nothing.
    pub fn canonical(mut self) -> Self {
        self.inbox.sort();
        self.workers.sort();
        self
    }

    pub fn run(&self, number: u8) -> Option<&Run> {
        self.runs.get(&number).map(|kept| &*kept.value)
    }

    /// The run's commands that someone may take up.
    pub fn has_free(&self, number: u8) -> bool {
        self.run(number).is_some_and(|run| run.unclaimed(at(NOW)).next().is_some())
    }

    /// Whether a living worker has claimed the command.
    pub fn is_held(&self, number: u8, id: &CommandId) -> bool {
        let holds = |frame: &Frame| {
            let telling = match &frame.stage {
                Stage::Telling(command) | Stage::LetGo(command) => Some(command),
                _ => None,
            };
            let mut claimed = frame.todo.iter().chain(&frame.doing).chain(telling);
            frame.run == number && claimed.any(|pending| pending.value.id == *id)
        };
        self.workers.iter().flat_map(|worker| &worker.frames).any(holds)
    }

    /// Nobody works, nothing is in flight, and no command is pending.
    pub fn is_quiet(&self) -> bool {
        self.inbox.is_empty()
            && self.workers.iter().all(Worker::is_idle)
            && self.runs.values().all(|run| run.value.outbox.is_empty())
    }

    /// Nothing will happen outside by itself.
    pub fn is_settled(&self) -> bool {
        let undecided = |(number, said): (&u8, &Option<bool>)| said.is_none() && self.awaits_approval(*number);
        !self.executions.iter().any(Started::is_under_way)
            && self.rollout.next.is_none()
            && self.timers.is_empty()
            && !self.packages.iter().any(undecided)
    }

    pub fn awaits_approval(&self, number: u8) -> bool {
        let deployment = self.run(number).and_then(|run| run.spec.deployment.as_ref());
        deployment.is_some_and(|deployment| deployment.approval == ApprovalMode::Manual)
    }

    /// Changes a command's state in place, as the passing of time does: it is no write, and no version changes.
    pub fn time_passes(&mut self, number: u8, id: &CommandId) {
        let Some(before) = self.runs.get(&number).cloned() else { return };
        let mut run = (*before.value).clone();
        for pending in run.outbox.iter_mut().filter(|pending| pending.id == *id) {
            pending.state = match pending.state {
                Pending::Claimed { .. } => Pending::Claimed { until: at(0) },
                Pending::Waiting { .. } => Pending::Waiting { until: at(0) },
                Pending::Unclaimed => Pending::Unclaimed,
            };
        }
        let after = Kept::new(run);
        for frame in self.workers.iter_mut().flat_map(|worker| &mut worker.frames) {
            if let Stage::Around { run } | Stage::Commit { run, .. } = &mut frame.stage
                && frame.run == number
                && !run.stale
                && run.value.as_ref() == Some(&before)
            {
                run.value = Some(after.clone());
            }
        }
        self.runs.insert(number, after);
    }
}
