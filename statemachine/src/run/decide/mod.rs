mod begin;
mod deployment;
mod evaluation;
mod execution;
mod place;

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::command::patience;
use super::event::{Approval, Around, Decision, EndpointStatus, Event, EventKind, ExecutionStatus, Failure, Outcome};
use super::phase::Phase;
use super::record::{Evaluation, Execution, Fact, Inputs, LATE, Run, Stop, Trigger, seconds_of};
use super::spec::{ApprovalMode, DeploymentSpec};
use super::{Batch, Command, CommandId, Message, ObjectVersion, Pending, Purpose, RunId, Stage};
use crate::alert::{Alert, Cause};
use crate::endpoint::{Champion, Deployment, Endpoint, WAITING_LIMIT};
use crate::lineage::{Edge, Lineage, NodeId, NodeKind, Relation};
use crate::queue::{Concurrency, QUEUE_LIMIT, Queue};

/// What follows from an event: total and pure.
///
/// `run` is `None` when the ledger has none under the event's identity. `around` holds the records that the run shares
/// with others, its endpoint's and its pipeline's queue: empty ones where they are none of the event's concern, and never
/// changed then. The answer depends on nothing else: given the same run, surroundings and event it is the same, so a
/// commit that lost a race is simply decided again.
#[must_use]
pub fn decide(run: Option<&Run>, around: &Around, event: &Event) -> Decision {
    let Some(run) = run else { return begin::first(around, event) };
    let mut step = Step::new(run, around, event);
    let verdict = match &event.kind {
        EventKind::Requested { inputs, parameters, .. } => step.requested_again(inputs, parameters),
        EventKind::Adopted { .. } | EventKind::Missed { .. } => Verdict::ignored("this trigger has a run already"),
        EventKind::ObjectArrived { object } => step.object_arrived(object),
        EventKind::BatchDue => step.batch_is_due(),
        EventKind::SlotFree => step.slot_free(),
        EventKind::StopRequested(stop) => step.stop_requested(stop),
        EventKind::Postponed { command, reason } => step.postponed(command, reason),
        EventKind::DeadlinePassed => step.deadline_passed(),
        EventKind::Swept => Verdict::changed("AWS was asked how the run stands"),
        EventKind::ExecutionStarted { execution_arn } => step.execution_started(execution_arn),
        EventKind::ExecutionChanged { execution_arn, status, failure } => {
            step.execution_changed(execution_arn, *status, failure.as_ref())
        }
        EventKind::StepChanged { execution_arn, change } => {
            let reason = change.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
            let fact = format!("step {} ({}) {}{reason}", change.step, change.kind, change.status.as_str());
            step.step_changed(execution_arn, fact)
        }
        EventKind::Evaluated(evaluation) => step.evaluated(evaluation),
        EventKind::Registered { package } => step.registered(package),
        EventKind::ApprovalChanged { approval, package } => step.approval_changed(*approval, package),
        EventKind::EndpointChanged { status, config, reason } => {
            step.endpoint_changed(*status, config, reason.as_deref())
        }
        EventKind::YourTurn => step.your_turn(),
        EventKind::Superseded { by } => step.superseded(by),
        EventKind::Done { command } => match step.acknowledge(command) {
            true => Verdict::changed(format!("{command} is done")),
            false => Verdict::ignored(format!("{command} was done already")),
        },
        EventKind::CommandFailed { command, reason } => step.command_failed(command, reason),
    };
    step.conclude(around, verdict)
}

/// A change in the making.
struct Step {
    run: Run,
    endpoint: Endpoint,
    queue: Queue,
    /// Whether `queue` is the pipeline's, rather than an empty one that is nobody's.
    has_queue: bool,
    lineage: Lineage,
    at: Timestamp,
}

enum Verdict {
    Changed(String),
    Ignored(String),
    Illegal(String),
}

impl Verdict {
    fn changed(because: impl Into<String>) -> Self {
        Self::Changed(because.into())
    }

    fn ignored(because: impl Into<String>) -> Self {
        Self::Ignored(because.into())
    }

    fn illegal(because: impl Into<String>) -> Self {
        Self::Illegal(because.into())
    }
}

impl Step {
    fn new(run: &Run, around: &Around, event: &Event) -> Self {
        Self {
            run: run.clone(),
            endpoint: around.endpoint.clone(),
            queue: around.queue.clone(),
            has_queue: run.spec.has_queue() && event.kind.concerns_queue(),
            lineage: Lineage::default(),
            at: event.at,
        }
    }

    fn conclude(mut self, before: &Around, verdict: Verdict) -> Decision {
        match verdict {
            Verdict::Changed(because) => {
                self.take_or_leave_a_place(&before.queue);
                self.run.heard = self.run.heard.max(Some(self.at));
                let outcome = Outcome::Changed {
                    endpoint: (self.endpoint != before.endpoint).then_some(self.endpoint),
                    queue: (self.queue != before.queue).then_some(self.queue),
                    run: Box::new(self.run),
                    lineage: self.lineage,
                };
                Decision { outcome, because }
            }
            Verdict::Ignored(because) => Decision { outcome: Outcome::Ignored, because },
            Verdict::Illegal(because) => Decision { outcome: Outcome::Illegal, because },
        }
    }

    fn postponed(&mut self, command: &CommandId, reason: &str) -> Verdict {
        let run = self.run.id.clone();
        let at = self.at;
        let Some(pending) = self.run.outbox.iter_mut().find(|pending| pending.id == *command) else {
            return Verdict::ignored(format!("{command} was answered already"));
        };
        if matches!(pending.state, Pending::Waiting { .. }) {
            return Verdict::ignored(format!("{command} waits already"));
        }
        pending.attempts = pending.attempts.saturating_add(1);
        let until = at.saturating_add(patience(&run, command, pending.attempts)).unwrap_or(Timestamp::MAX);
        pending.state = Pending::Waiting { until };
        let first = pending.attempts == 1;
        let why = format!("{command} waits for room: {reason}");
        if first {
            self.run.learn(at, crate::text::one_line(&why, 1000));
        }
        Verdict::changed(why)
    }

    fn deadline_passed(&mut self) -> Verdict {
        let Some(deadline) = self.run.deadline else { return Verdict::ignored("the run has no deadline") };
        if self.run.phase.is_end() {
            return Verdict::ignored("the run was done by its deadline");
        }
        if self.at < deadline {
            return Verdict::ignored(format!("the deadline is {deadline}"));
        }
        if !self.run.learn(deadline, LATE) {
            return Verdict::ignored("that the run is late was known");
        }
        let reason = format!("the run was to be done by {deadline}, and is {}", self.run.phase);
        self.alert_once(Cause::Stuck, &reason);
        Verdict::changed("the run is not done by its deadline")
    }

    fn command_failed(&mut self, command: &CommandId, reason: &str) -> Verdict {
        let unsure = self.run.outbox.iter().any(|pending| pending.id == *command && pending.unsure);
        if !self.acknowledge(command) {
            return Verdict::ignored(format!("{command} was answered already"));
        }
        if unsure && *command == CommandId::deploy() && self.run.phase == Phase::Deploying {
            // An earlier attempt may have been heard: the endpoint itself tells how it ended.
            self.run.learn(self.at, crate::text::one_line(&format!("{command} failed: {reason}"), 1000));
            return Verdict::changed("the rollout was refused, and may have begun before; the endpoint will tell");
        }
        let essential =
            [CommandId::start(), CommandId::evaluate(), CommandId::register(), CommandId::deploy()].contains(command);
        if essential {
            self.fail(Failure { step: None, reason: format!("{command}: {reason}") });
            self.release();
        } else {
            self.run.learn(self.at, crate::text::one_line(&format!("{command} failed: {reason}"), 1000));
        }
        Verdict::changed(format!("{command} failed: {reason}"))
    }

    fn fail(&mut self, failure: Failure) {
        self.run.phase = Phase::Failed;
        let place = failure.step.as_deref().map(|step| format!(" in step {step}")).unwrap_or_default();
        let fact = format!("failed{place}: {}", failure.reason);
        self.run.learn(self.at, crate::text::one_line(&fact, 1200));
        self.alert(Cause::Failed, failure.step.as_deref(), &failure.reason);
        self.run.failure = Some(failure);
    }

    /// One alert for a cause in the whole life of the run.
    fn alert_once(&mut self, cause: Cause, reason: &str) {
        let alert = Alert::of(&self.run, cause, None, reason);
        self.run.command(CommandId::alert(cause.name()), Command::Alert(alert));
    }

    /// One alert for a cause at a time of happening: the same event again is the same alert.
    fn alert(&mut self, cause: Cause, step: Option<&str>, reason: &str) {
        let alert = Alert::of(&self.run, cause, step, reason);
        let id = CommandId::alert(&format!("{}@{}", cause.name(), self.at));
        self.run.command(id, Command::Alert(alert));
    }

    fn acknowledge(&mut self, command: &CommandId) -> bool {
        let before = self.run.outbox.len();
        self.run.outbox.retain(|pending| pending.id != *command);
        self.run.outbox.len() < before
    }

    fn edge(&mut self, from: NodeId, to: NodeId, relation: Relation) {
        self.lineage.edges.push(Edge { from, to, relation, at: self.at, run: self.run.id.clone() });
    }
}
