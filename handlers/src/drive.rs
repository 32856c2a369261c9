//! Decide, commit, carry out: the loop every event goes through.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use statemachine::lineage::Lineage;
use statemachine::run::{Command, CommandId, Message, Outcome, PendingCommand, RunSpec, Stop};
use statemachine::{Around, Endpoint, Event, EventKind, Queue, Run, RunId, decide};
use tracing::{info, warn};

use crate::effects::{EffectError, Effects};
use crate::ledger::{Change, CommitError, Ledger, LedgerError, ObjectChange, Versioned};
use crate::settings::Context;

/// How long the invocation that decided a command has to carry it out before another may. It is longer than a
/// function's 30 s and shorter than the minute that Lambda waits before it tries a failed event again.
pub const CLAIM: SignedDuration = SignedDuration::from_secs(40);

/// How often a lost race is decided again. Each loss means that someone else made progress.
const RACES: u32 = 20;

/// Why an event is not done with.
#[derive(Debug, thiserror::Error)]
pub enum DriveError {
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Too many races were lost in a row.
    #[error("run {0} changed {RACES} times while this event was being decided; it will be tried again")]
    Contended(RunId),
    /// The object is another run's already.
    #[error("the object is read by run {0} already")]
    Taken(RunId),
    /// A command could not be carried out this time. It stays in the outbox.
    #[error("{command} of run {run} is to be tried again: {reason}")]
    Unfinished {
        /// Whose.
        run: RunId,
        /// Which.
        command: CommandId,
        /// Why.
        reason: String,
    },
}

/// The loop, over a context.
#[derive(Clone, Copy, Debug)]
pub struct Drive<'a> {
    context: &'a Context,
    ledger: Ledger<'a>,
}

/// What came of giving a run events.
#[derive(Clone, Debug)]
pub struct Given {
    /// The run as it is now.
    pub run: Run,
    /// Whether the events changed it; false when they were known, too late, or could not be.
    pub committed: bool,
}

/// Where a run is after an event.
struct Settled {
    run: Versioned<Run>,
    /// Whether the events changed it.
    changed: bool,
    /// The commands that this invocation has claimed.
    ours: Vec<CommandId>,
}

impl<'a> Drive<'a> {
    /// A loop over the context's clients.
    #[must_use]
    pub fn new(context: &'a Context) -> Self {
        let ledger = Ledger::new(context.aws.dynamodb(), &context.settings.table);
        Self { context, ledger: ledger.with_silence(context.settings.silence) }
    }

    /// The ledger.
    #[must_use]
    pub fn ledger(&self) -> Ledger<'a> {
        self.ledger
    }

    /// Gives a run events, in order, in one commit; then carries out what they ask for.
    ///
    /// No events at all make it carry out what is pending and unclaimed.
    ///
    /// `fresh` says that the run is most likely new: its first commit is tried without reading, so that an arrival, and
    /// a duplicate of one, costs one call.
    ///
    /// # Errors
    /// Nothing is lost with an error: the event is to be delivered again, and what it asked for is in the outbox.
    pub async fn give(&self, id: &RunId, events: &[Event], fresh: bool) -> Result<Option<Run>, DriveError> {
        Ok(self.give_object(id, events, fresh, None).await?.map(|given| given.run))
    }

    /// As [`give`](Self::give), and in the same commit the note that an object is this run's.
    ///
    /// # Errors
    /// As there; and that the object is another run's already.
    pub async fn give_object(
        &self,
        id: &RunId,
        events: &[Event],
        fresh: bool,
        object: Option<ObjectChange<'_>>,
    ) -> Result<Option<Given>, DriveError> {
        // What another invocation has claimed is left to it. If that one dies, Lambda delivers its event again after the
        // claim has ended.
        let Some(settled) = self.settle(id, events, fresh, object).await? else { return Ok(None) };
        let committed = settled.changed;
        Ok(Some(Given { run: self.drain(settled).await?, committed }))
    }

    /// Decides and commits, as often as races are lost.
    async fn settle(
        &self,
        id: &RunId,
        events: &[Event],
        fresh: bool,
        object: Option<ObjectChange<'_>>,
    ) -> Result<Option<Settled>, DriveError> {
        let mut known = if fresh { Some(None) } else { None };
        for race in 0..RACES {
            let before = match known.take() {
                Some(run) => run,
                None => self.ledger.run(id).await?,
            };
            match self.attempt(before, events, object).await {
                Ok(settled) => return Ok(settled),
                Err(CommitError::Ledger(error)) => return Err(error.into()),
                Err(CommitError::Taken(other)) => return Err(DriveError::Taken(other)),
                Err(CommitError::Lost(newer)) => {
                    known = newer.filter(|run| run.value.id == *id).map(|run| Some(*run));
                    if known.is_none() || race > 1 {
                        tokio::time::sleep(self.pause(id, race)).await;
                    }
                }
            }
        }
        Err(DriveError::Contended(id.clone()))
    }

    async fn attempt(
        &self,
        before: Option<Versioned<Run>>,
        events: &[Event],
        object: Option<ObjectChange<'_>>,
    ) -> Result<Option<Settled>, CommitError> {
        let (endpoint, queue) = self.around(before.as_ref().map(|run| &run.value), events).await?;
        let around_before = Around {
            endpoint: endpoint.as_ref().map(|endpoint| endpoint.value.clone()).unwrap_or_default(),
            queue: queue.as_ref().map(|queue| queue.value.clone()).unwrap_or_default(),
        };
        let mut around = around_before.clone();
        let mut now: Option<Run> = before.as_ref().map(|run| run.value.clone());
        let mut lineage = Lineage::default();
        let mut changed = false;
        for event in events {
            let decision = decide(now.as_ref(), &around, event);
            let run_id = now.as_ref().map(|run| run.id.to_string()).unwrap_or_default();
            let name = event.kind.name();
            match decision.outcome {
                Outcome::Changed { run, endpoint, queue, lineage: more } => {
                    info!(
                        run = %run.id,
                        execution = run.execution.as_ref().map(|execution| execution.arn.as_str()),
                        event = name,
                        phase = %run.phase,
                        because = decision.because,
                        "decided"
                    );
                    now = Some(*run);
                    around.endpoint = endpoint.unwrap_or(around.endpoint);
                    around.queue = queue.unwrap_or(around.queue);
                    lineage.nodes.extend(more.nodes);
                    lineage.edges.extend(more.edges);
                    changed = true;
                }
                Outcome::Ignored => info!(run = run_id, event = name, because = decision.because, "ignored"),
                Outcome::Illegal => warn!(run = run_id, event = name, because = decision.because, "illegal event"),
            }
        }
        let Some(mut run) = now else { return Ok(None) };
        let ours = claim(&mut run, self.context.clock.now());
        let version = before.as_ref().map(|run| run.version);
        if !changed && ours.is_empty() {
            let run = Versioned { value: run, version: version.unwrap_or_default() };
            return Ok(Some(Settled { run, changed, ours }));
        }
        let had = |get: fn(&Run) -> bool| before.as_ref().is_some_and(|before| get(&before.value));
        let endpoint_version = endpoint.as_ref().map(|endpoint| endpoint.version).filter(|version| *version > 0);
        let queue_version = queue.as_ref().map(|queue| queue.version).filter(|version| *version > 0);
        self.ledger
            .commit(&Change {
                run: &run,
                run_version: version,
                endpoint: (around.endpoint != around_before.endpoint).then_some((&around.endpoint, endpoint_version)),
                queue: (around.queue != around_before.queue).then_some((&around.queue, queue_version)),
                object: if changed { object } else { None },
                lineage: &lineage,
                new_execution: run.execution.is_some() && !had(|run| run.execution.is_some()),
                new_package: run.package.is_some() && !had(|run| run.package.is_some()),
            })
            .await?;
        let run = Versioned { value: run, version: version.map_or(1, |version| version + 1) };
        Ok(Some(Settled { run, changed, ours }))
    }

    /// Reads the records that the run shares with others, for events whose decision depends on them.
    async fn around(
        &self,
        run: Option<&Run>,
        events: &[Event],
    ) -> Result<(Option<Versioned<Endpoint>>, Option<Versioned<Queue>>), LedgerError> {
        let Some(spec) = run.map(|run| &run.spec).or_else(|| events.iter().find_map(spec_of)) else {
            return Ok((None, None));
        };
        let mut around = (None, None);
        if let (Some(deployment), Some(_)) = (&spec.deployment, run)
            && events.iter().any(|event| event.kind.concerns_endpoint())
        {
            let stored = self.ledger.endpoint(&deployment.endpoint).await?;
            let fresh = || Versioned { value: Endpoint::new(&deployment.endpoint), version: 0 };
            around.0 = Some(stored.unwrap_or_else(fresh));
        }
        if spec.has_queue() && events.iter().any(|event| event.kind.concerns_queue()) {
            let stored = self.ledger.queue(&spec.pipeline).await?;
            around.1 = Some(stored.unwrap_or_else(|| Versioned { value: Queue::new(&spec.pipeline), version: 0 }));
        }
        Ok(around)
    }

    /// Carries out what this invocation has claimed, and what follows from it, until nothing of it is left.
    async fn drain(&self, mut settled: Settled) -> Result<Run, DriveError> {
        let mut unfinished = None;
        loop {
            let Settled { run, ours, .. } = &settled;
            let next = run.value.outbox.iter().find(|pending| ours.contains(&pending.id)).cloned();
            let Some(pending) = next else { break };
            let mut ours: Vec<CommandId> = ours.iter().filter(|id| **id != pending.id).cloned().collect();
            let kind = match self.carry_out(&run.value, &pending).await {
                Ok(kind) => kind,
                // An alert that is refused stays in the outbox, and its event goes to the dead letters, with an alarm.
                Err(EffectError::Permanent(reason)) if !matches!(pending.command, Command::Alert(_)) => {
                    EventKind::CommandFailed { command: pending.id.clone(), reason }
                }
                Err(EffectError::NoRoom(reason)) => EventKind::Postponed { command: pending.id.clone(), reason },
                Err(EffectError::Retry(reason) | EffectError::Permanent(reason)) => {
                    warn!(run = %run.value.id, command = %pending.id, reason, "to be tried again");
                    let run = run.value.id.clone();
                    self.let_go(&run, &pending.id).await?;
                    unfinished = Some(DriveError::Unfinished { run, command: pending.id, reason });
                    settled.ours = ours;
                    continue;
                }
            };
            let event = Event { at: self.context.clock.now(), kind };
            let Some(mut after) = self.settle(&run.value.id, &[event], false, None).await? else { break };
            ours.append(&mut after.ours);
            settled = Settled { run: after.run, changed: after.changed, ours };
        }
        match unfinished {
            Some(error) => Err(error),
            None => Ok(settled.run.value),
        }
    }

    async fn carry_out(&self, run: &Run, pending: &PendingCommand) -> Result<EventKind, EffectError> {
        info!(
            run = %run.id,
            command = %pending.id,
            execution = run.execution.as_ref().map(|execution| execution.arn.as_str()),
            "carrying out"
        );
        match &pending.command {
            Command::Tell { run: other, message } => {
                let kind = match message {
                    Message::YourTurn => EventKind::YourTurn,
                    Message::Superseded { by } => EventKind::Superseded { by: by.clone() },
                    Message::SlotFree => EventKind::SlotFree,
                    Message::Replaced { by } => {
                        EventKind::StopRequested(Stop { reason: format!("replaced by run {by}"), by: Some(by.clone()) })
                    }
                };
                let events = [Event { at: self.context.clock.now(), kind }];
                // The other run's loop may tell a third: the future must have a size.
                match Box::pin(self.give(other, &events, false)).await {
                    Ok(_) => Ok(EventKind::Done { command: pending.id.clone() }),
                    Err(error) => Err(EffectError::Retry(error.to_string())),
                }
            }
            // Boxed too: the futures of all SDK calls inside one another would be a type too deep for the compiler.
            _ => Box::pin(Effects::new(self.context).carry_out(run, pending)).await,
        }
    }

    /// A pause before a lost race is run again: longer each time, and different for each run.
    fn pause(&self, id: &RunId, race: u32) -> Duration {
        let seed: u64 =
            id.as_str().bytes().fold(u64::from(race), |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        let clock = u64::from(Timestamp::now().subsec_nanosecond().unsigned_abs());
        Duration::from_millis((seed ^ clock) % (20 << race.min(5)))
    }

    /// Gives a claim back, so that whoever comes next need not wait for its end.
    async fn let_go(&self, id: &RunId, command: &CommandId) -> Result<(), DriveError> {
        let Some(mut stored) = self.ledger.run(id).await? else { return Ok(()) };
        for pending in &mut stored.value.outbox {
            if pending.id == *command {
                pending.let_go();
            }
        }
        let change = Change {
            run: &stored.value,
            run_version: Some(stored.version),
            endpoint: None,
            queue: None,
            object: None,
            lineage: &Lineage::default(),
            new_execution: false,
            new_package: false,
        };
        match self.ledger.commit(&change).await {
            // Whoever was faster sees the claim end by itself.
            Ok(()) | Err(CommitError::Lost(_) | CommitError::Taken(_)) => Ok(()),
            Err(CommitError::Ledger(error)) => Err(error.into()),
        }
    }
}

/// The configuration that the first event of a run brings.
fn spec_of(event: &Event) -> Option<&RunSpec> {
    match &event.kind {
        EventKind::Requested { spec, .. } | EventKind::Adopted { spec, .. } | EventKind::Missed { spec, .. } => {
            Some(spec)
        }
        _ => None,
    }
}

/// Claims every command that nobody is at, and tells which.
fn claim(run: &mut Run, now: Timestamp) -> Vec<CommandId> {
    let free: Vec<CommandId> = run.unclaimed(now).map(|pending| pending.id.clone()).collect();
    let until = now.saturating_add(CLAIM).unwrap_or(Timestamp::MAX);
    for pending in &mut run.outbox {
        if free.contains(&pending.id) {
            pending.claim(until);
        }
    }
    free
}
