mod deployment;
mod evaluation;
mod execution;

use jiff::Timestamp;

use super::event::{Approval, Decision, EndpointStatus, Event, EventKind, ExecutionStatus, Failure, Outcome};
use super::record::{ApprovalMode, DeploymentSpec, Evaluation, Execution, Phase, Run, Trigger};
use super::{Command, CommandId, Message, RunId, Stage};
use crate::alert::{Alert, Cause};
use crate::endpoint::{Champion, Deployment, Endpoint, WAITING_LIMIT};
use crate::lineage::{Edge, Lineage, NodeId, NodeKind, Relation};

/// What follows from an event: total and pure.
///
/// `run` is `None` when the ledger has none under the event's identity. `endpoint` is the record of the run's endpoint;
/// a pipeline without a deployment gets an empty one, and never changes it. The answer depends on nothing else: given
/// the same run, endpoint and event it is the same, so a commit that lost a race is simply decided again.
#[must_use]
pub fn decide(run: Option<&Run>, endpoint: &Endpoint, event: &Event) -> Decision {
    let Some(run) = run else { return first(event) };
    let mut step = Step::new(run, endpoint, event.at);
    let verdict = match &event.kind {
        EventKind::Requested { .. } | EventKind::Adopted { .. } => Verdict::ignored("this trigger has a run already"),
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
    step.conclude(endpoint, verdict)
}

/// The first event of a run that the ledger does not know.
fn first(event: &Event) -> Decision {
    let (id, trigger, spec, inputs, parameters, execution) = match &event.kind {
        EventKind::Requested { trigger, spec, inputs, parameters } => {
            let id = match trigger {
                Trigger::Arrival { object } => RunId::arrival(&spec.pipeline, object),
                Trigger::Schedule { name, scheduled_time } => {
                    RunId::schedule(&spec.pipeline, name, &scheduled_time.to_string())
                }
                Trigger::Manual => {
                    let because = "a manual start is adopted, never requested".to_owned();
                    return Decision { outcome: Outcome::Illegal, because };
                }
            };
            (id, trigger.clone(), spec, inputs, parameters, None)
        }
        EventKind::Adopted { execution_arn, spec, inputs, parameters } => {
            (RunId::manual(execution_arn), Trigger::Manual, spec, inputs, parameters, Some(execution_arn))
        }
        other => {
            let because = format!("{} came for a run that the ledger does not have", other.name());
            return Decision { outcome: Outcome::Illegal, because };
        }
    };
    let run = Run {
        id,
        trigger,
        created: event.at,
        spec: (**spec).clone(),
        phase: Phase::Starting,
        inputs: inputs.clone(),
        parameters: parameters.clone(),
        execution: None,
        failure: None,
        evaluation: None,
        gate: None,
        package: None,
        approval: None,
        facts: Vec::new(),
        outbox: Vec::new(),
    };
    let endpoint = Endpoint::new("");
    let mut step = Step::new(&run, &endpoint, event.at);
    step.run.learn(event.at, format!("requested by {}", run.trigger));
    let node = step.lineage.node_with(
        NodeId::run(&run.id),
        NodeKind::Run,
        [("trigger", run.trigger.to_string()), ("pipeline", run.spec.pipeline.clone())],
    );
    for object in &run.inputs.objects {
        let source = step.lineage.node(NodeId::object(object), NodeKind::Object);
        step.edge(source, node.clone(), Relation::InputTo);
    }
    match execution {
        Some(arn) => {
            step.bind(arn);
            step.run.phase = Phase::Running;
        }
        None => step.command_start(),
    }
    step.conclude(&endpoint, Verdict::changed(format!("a new run by {}", run.trigger)))
}

/// A change in the making.
struct Step {
    run: Run,
    endpoint: Endpoint,
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
    fn new(run: &Run, endpoint: &Endpoint, at: Timestamp) -> Self {
        Self { run: run.clone(), endpoint: endpoint.clone(), lineage: Lineage::default(), at }
    }

    fn conclude(self, before: &Endpoint, verdict: Verdict) -> Decision {
        match verdict {
            Verdict::Changed(because) => Decision {
                outcome: Outcome::Changed {
                    endpoint: (self.endpoint != *before).then_some(self.endpoint),
                    run: Box::new(self.run),
                    lineage: self.lineage,
                },
                because,
            },
            Verdict::Ignored(because) => Decision { outcome: Outcome::Ignored, because },
            Verdict::Illegal(because) => Decision { outcome: Outcome::Illegal, because },
        }
    }

    fn command_failed(&mut self, command: &CommandId, reason: &str) -> Verdict {
        if !self.acknowledge(command) {
            return Verdict::ignored(format!("{command} was answered already"));
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
