//! What is shown of runs and endpoints, in a form of its own: programs read it as JSON, and the ledger's may change.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use statemachine::gate::GateDecision;
use statemachine::run::{
    Approval, ExecutionStatus, Fact, Failure, Inputs, ObjectVersion, Pending, Phase, Run, RunId, Trigger,
};
use statemachine::{Endpoint, text::one_line};

/// The longest reason shown, in characters.
const REASON_LIMIT: usize = 1000;

/// A run in a listing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct RunSummary {
    pub(crate) id: RunId,
    pub(crate) pipeline: String,
    pub(crate) phase: Phase,
    pub(crate) trigger: Trigger,
    pub(crate) created: Timestamp,
    /// When the last thing that is known happened.
    pub(crate) updated: Timestamp,
    /// When it went live, or ended otherwise; what came afterwards does not count.
    pub(crate) ended: Option<Timestamp>,
    pub(crate) execution: Option<String>,
    pub(crate) package: Option<String>,
    pub(crate) endpoint: Option<String>,
    /// Why it did not go live, where it did not.
    pub(crate) reason: Option<String>,
}

impl RunSummary {
    pub(crate) fn of(run: &Run) -> Self {
        Self {
            id: run.id.clone(),
            pipeline: run.spec.pipeline.clone(),
            phase: run.phase,
            trigger: run.trigger.clone(),
            created: run.created,
            updated: updated(run),
            ended: ended(run),
            execution: run.execution.as_ref().map(|execution| execution.arn.clone()),
            package: run.package.clone(),
            endpoint: run.spec.deployment.as_ref().map(|deployment| deployment.endpoint.clone()),
            reason: reason(run),
        }
    }
}

fn updated(run: &Run) -> Timestamp {
    run.facts.last().map_or(run.created, |fact| fact.at).max(run.created)
}

fn ended(run: &Run) -> Option<Timestamp> {
    if !run.phase.is_end() {
        return None;
    }
    // A model that was replaced had gone live long before.
    let live = run.facts.iter().find(|fact| fact.what.starts_with("live at ")).map(|fact| fact.at);
    Some(live.unwrap_or_else(|| updated(run)))
}

/// Why a run ended other than well, in one line.
fn reason(run: &Run) -> Option<String> {
    let words = match (&run.failure, run.phase, &run.gate) {
        (Some(Failure { step: Some(step), reason }), ..) => format!("step {step}: {reason}"),
        (Some(Failure { step: None, reason }), ..) => reason.clone(),
        (None, Phase::Rejected, Some(gate)) if !gate.passed => gate.summary(),
        (None, Phase::Rejected, _) => "a person refused the model".to_owned(),
        (None, Phase::Stopped | Phase::Skipped, _) if run.stop.is_some() => run.stop.as_ref()?.reason.clone(),
        (None, Phase::RolledBack | Phase::Stopped | Phase::Skipped, _) => run.facts.last()?.what.clone(),
        _ => return None,
    };
    Some(one_line(&words, REASON_LIMIT))
}

/// A run, whole.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct RunView {
    #[serde(flatten)]
    pub(crate) summary: RunSummary,
    pub(crate) execution_status: Option<ExecutionStatus>,
    pub(crate) code: String,
    pub(crate) definition: String,
    pub(crate) inputs: Inputs,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) failure: Option<Failure>,
    pub(crate) model: Option<String>,
    pub(crate) report: Option<String>,
    pub(crate) gate: Option<GateDecision>,
    pub(crate) approval: Option<ApprovalView>,
    /// When it stops collecting objects, as things are now.
    pub(crate) collects_until: Option<Timestamp>,
    /// When it must be done.
    pub(crate) deadline: Option<Timestamp>,
    /// Why it is to be stopped, where it is.
    pub(crate) stop: Option<String>,
    pub(crate) timeline: Vec<Fact>,
    pub(crate) pending: Vec<PendingView>,
    /// The endpoint as it is now.
    pub(crate) endpoint_now: Option<EndpointView>,
}

/// What a person said.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct ApprovalView {
    pub(crate) decision: Approval,
    pub(crate) at: Timestamp,
}

/// Something that is still to be done.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct PendingView {
    pub(crate) command: String,
    /// Until when a function is at it.
    pub(crate) claimed_until: Option<Timestamp>,
    /// Until when it waits, since AWS has no room for it.
    pub(crate) waits_until: Option<Timestamp>,
    /// How often it was tried in vain.
    pub(crate) attempts: u32,
}

/// An endpoint.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct EndpointView {
    pub(crate) name: String,
    /// The run whose model answers.
    pub(crate) live: Option<RunId>,
    pub(crate) since: Option<Timestamp>,
    /// The run whose model is being rolled out.
    pub(crate) deploying: Option<RunId>,
    pub(crate) waiting: Vec<RunId>,
}

impl RunView {
    pub(crate) fn of(run: &Run, endpoint: Option<&Endpoint>) -> Self {
        Self {
            summary: RunSummary::of(run),
            execution_status: run.execution.as_ref().map(|execution| execution.status),
            code: run.spec.code.clone(),
            definition: run.spec.definition.clone(),
            inputs: run.inputs.clone(),
            parameters: run.parameters.clone(),
            failure: run.failure.clone(),
            model: run.evaluation.as_ref().map(|evaluation| evaluation.model.data.clone()),
            report: run.evaluation.as_ref().map(|evaluation| evaluation.report_uri.clone()),
            gate: run.gate.clone(),
            approval: run.approval.map(|(decision, at)| ApprovalView { decision, at }),
            collects_until: run.batch_due(),
            deadline: run.deadline.filter(|_| !run.phase.is_end()),
            stop: run.stop.as_ref().map(|stop| stop.reason.clone()),
            timeline: run.facts.clone(),
            pending: run.outbox.iter().map(PendingView::of).collect(),
            endpoint_now: endpoint.map(EndpointView::of),
        }
    }
}

impl PendingView {
    fn of(pending: &statemachine::run::PendingCommand) -> Self {
        let (claimed_until, waits_until) = match pending.state {
            Pending::Unclaimed => (None, None),
            Pending::Claimed { until } => (Some(until), None),
            Pending::Waiting { until } => (None, Some(until)),
        };
        Self { command: pending.id.to_string(), claimed_until, waits_until, attempts: pending.attempts }
    }
}

impl EndpointView {
    pub(crate) fn of(endpoint: &Endpoint) -> Self {
        Self {
            name: endpoint.name.clone(),
            live: endpoint.champion.as_ref().map(|champion| champion.run.clone()),
            since: endpoint.champion.as_ref().map(|champion| champion.since),
            deploying: endpoint.deploying.as_ref().map(|deployment| deployment.run.clone()),
            waiting: endpoint.waiting.clone(),
        }
    }
}

/// What `drop` and `start` have begun.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Begun {
    /// The id that the run has, or will have.
    pub(crate) run: RunId,
    pub(crate) pipeline: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) object: Option<ObjectVersion>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) execution: Option<String>,
}
