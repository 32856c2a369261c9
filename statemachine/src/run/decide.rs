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

    // --- the execution ------------------------------------------------------------------------------------------

    fn command_start(&mut self) {
        let run = &self.run;
        let mut parameters = run.parameters.clone();
        parameters.insert("InputDataUri".to_owned(), run.inputs.uri.clone());
        let stage = stage(run);
        let command = Command::Start {
            pipeline: run.spec.pipeline.clone(),
            stage,
            parameters: parameters.clone(),
            token: run.id.token("start"),
        };
        self.run.parameters = parameters;
        self.run.command(CommandId::start(), command);
    }

    fn execution_started(&mut self, arn: &str) -> Verdict {
        if !self.acknowledge(&CommandId::start()) {
            return Verdict::ignored("the execution was known already");
        }
        self.bind(arn);
        if self.run.phase == Phase::Starting {
            self.run.phase = Phase::Running;
        }
        Verdict::changed("the execution is started")
    }

    /// Ties the run to its execution, once.
    fn bind(&mut self, arn: &str) {
        if self.run.execution.is_some() {
            return;
        }
        // The clock of SageMaker's events is not ours: nothing is newer than "known, no event yet".
        let execution =
            Execution { arn: arn.to_owned(), status: ExecutionStatus::Executing, at: Timestamp::UNIX_EPOCH };
        self.run.execution = Some(execution);
        // It is running; whoever was still to ask for it need not.
        self.acknowledge(&CommandId::start());
        let parameters = self.run.parameters.iter().map(|(name, value)| format!("{name}={value}"));
        let facts = [("parameters", parameters.collect::<Vec<_>>().join(" "))];
        let execution = self.lineage.node_with(NodeId::named(arn), NodeKind::Execution, facts);
        let run = NodeId::run(&self.run.id);
        let code = self.lineage.node(NodeId::code(&self.run.spec.code), NodeKind::Code);
        let definition = self.lineage.node(NodeId::definition(&self.run.spec.definition), NodeKind::Definition);
        self.edge(run, execution.clone(), Relation::Started);
        self.edge(code, execution.clone(), Relation::ExecutedBy);
        self.edge(definition, execution, Relation::ExecutedBy);
    }

    /// Whether events of the execution still decide where the run stands. After its end they do only if the execution
    /// itself ended the run: a person may retry it.
    fn is_with_the_execution(&self) -> bool {
        match self.run.phase {
            Phase::Starting | Phase::Running | Phase::Stopped => true,
            Phase::Failed => self.run.evaluation.is_none(),
            _ => false,
        }
    }

    fn execution_changed(&mut self, arn: &str, status: ExecutionStatus, failure: Option<&Failure>) -> Verdict {
        if let Some(refusal) = self.other_execution(arn) {
            return refusal;
        }
        self.bind(arn);
        let learned = self.run.learn(self.at, format!("execution {}", status.as_str()));
        let at = self.at;
        let newer = self.run.execution.as_ref().is_some_and(|known| (at, status) > (known.at, known.status));
        if !newer {
            return match learned {
                true => Verdict::changed(format!("the execution was {}, and is past that", status.as_str())),
                false => Verdict::ignored(format!("that the execution is {} was known", status.as_str())),
            };
        }
        if let Some(execution) = &mut self.run.execution {
            execution.status = status;
            execution.at = at;
        }
        if !self.is_with_the_execution() {
            return Verdict::changed(format!("the execution is {}; the run is past it", status.as_str()));
        }
        match status {
            ExecutionStatus::Executing | ExecutionStatus::Stopping => {
                self.run.phase = Phase::Running;
                self.run.failure = None;
            }
            ExecutionStatus::Stopped => self.run.phase = Phase::Stopped,
            ExecutionStatus::Failed => {
                let unknown = || Failure { step: None, reason: "SageMaker gave no reason".to_owned() };
                self.fail(failure.cloned().unwrap_or_else(unknown));
            }
            ExecutionStatus::Succeeded => {
                self.run.failure = None;
                match &self.run.spec.evaluation {
                    Some(spec) => {
                        let command = Command::Evaluate {
                            execution_arn: arn.to_owned(),
                            training_step: spec.training_step.clone(),
                            report_uri: spec.report_of(arn),
                        };
                        self.run.command(CommandId::evaluate(), command);
                        self.run.phase = Phase::Evaluating;
                    }
                    None => self.run.phase = Phase::Succeeded,
                }
            }
        }
        Verdict::changed(format!("the execution is {}", status.as_str()))
    }

    fn step_changed(&mut self, arn: &str, fact: String) -> Verdict {
        if let Some(refusal) = self.other_execution(arn) {
            return refusal;
        }
        self.bind(arn);
        if self.run.phase == Phase::Starting {
            self.run.phase = Phase::Running;
        }
        match self.run.learn(self.at, crate::text::one_line(&fact, 1200)) {
            true => Verdict::changed(fact),
            false => Verdict::ignored("this change of a step was known"),
        }
    }

    fn other_execution(&self, arn: &str) -> Option<Verdict> {
        let known = &self.run.execution.as_ref()?.arn;
        (known != arn).then(|| Verdict::illegal(format!("the run's execution is {known}, and this is of {arn}")))
    }

    // --- the gate -----------------------------------------------------------------------------------------------

    fn evaluated(&mut self, evaluation: &Evaluation) -> Verdict {
        if !self.acknowledge(&CommandId::evaluate()) {
            return Verdict::ignored("the evaluation was known already");
        }
        self.run.evaluation = Some(evaluation.clone());
        self.record_model(evaluation);
        let Some(gate) = self.run.spec.gate.clone() else {
            self.run.learn(self.at, "the model is trained; no gate is asked for");
            self.run.phase = Phase::Succeeded;
            return Verdict::changed("the model is trained, and nothing more is asked for");
        };
        let decision = gate.decide(&evaluation.report, self.endpoint.champion_metrics());
        let summary = decision.summary();
        self.run.learn(self.at, summary.clone());
        let passed = decision.passed;
        self.run.gate = Some(decision);
        self.record_decision(&summary);
        if passed {
            self.command_register(evaluation)
        } else {
            self.reject(&summary)
        }
        Verdict::changed(summary)
    }

    /// Asks the gate again: what is live may be another model than the one this run was compared with. A model that does
    /// not pass any more is rejected.
    fn still_passes(&mut self) -> bool {
        let (Some(gate), Some(evaluation)) = (&self.run.spec.gate, &self.run.evaluation) else { return false };
        let decision = gate.decide(&evaluation.report, self.endpoint.champion_metrics());
        if self.run.gate.as_ref() == Some(&decision) {
            return decision.passed;
        }
        let summary = decision.summary();
        let passed = decision.passed;
        self.run.gate = Some(decision);
        self.run.learn(self.at, summary.clone());
        self.record_decision(&summary);
        if !passed {
            self.reject(&summary);
        }
        passed
    }

    fn record_model(&mut self, evaluation: &Evaluation) {
        let Some(arn) = self.run.execution.as_ref().map(|execution| execution.arn.clone()) else { return };
        let facts = [("training job", evaluation.model.job_arn.clone())];
        let model = self.lineage.node_with(NodeId::named(&evaluation.model.data), NodeKind::Model, facts);
        let image = self.lineage.node(NodeId::image(&evaluation.model.image), NodeKind::Image);
        self.edge(NodeId::named(arn), model.clone(), Relation::Produced);
        self.edge(image, model, Relation::Produced);
    }

    fn record_decision(&mut self, summary: &str) {
        let Some(evaluation) = self.run.evaluation.clone() else { return };
        let metrics = match (&evaluation.report, &self.run.spec.gate) {
            (Ok(report), Some(gate)) => gate
                .criteria()
                .iter()
                .filter_map(|criterion| {
                    let value = report.metric(criterion.metric()).ok()?;
                    Some(format!("{}={value}", criterion.metric()))
                })
                .collect::<Vec<_>>()
                .join(" "),
            _ => String::new(),
        };
        let facts = [("decision", summary.to_owned()), ("metrics", metrics), ("report", evaluation.report_uri.clone())];
        let decision = self.lineage.node_with(NodeId::decision(&self.run.id), NodeKind::Decision, facts);
        self.edge(decision, NodeId::named(evaluation.model.data), Relation::Judged);
    }

    fn command_register(&mut self, evaluation: &Evaluation) {
        let Some(arn) = self.run.execution.as_ref().map(|execution| execution.arn.clone()) else { return };
        let Some(deployment) = &self.run.spec.deployment else {
            self.run.phase = Phase::Succeeded;
            return;
        };
        let environment = [
            ("SAGEMAKER_PROGRAM".to_owned(), deployment.program.clone()),
            ("SAGEMAKER_SUBMIT_DIRECTORY".to_owned(), deployment.source.clone()),
        ];
        let command = Command::Register {
            group: self.run.spec.pipeline.clone(),
            model_data: evaluation.model.data.clone(),
            image: deployment.image.clone(),
            environment: environment.into_iter().collect(),
            report_uri: evaluation.report_uri.clone(),
            execution_arn: arn,
            approval: deployment.approval,
            token: self.run.id.short_token("register"),
        };
        self.run.command(CommandId::register(), command);
    }

    fn reject(&mut self, reason: &str) {
        self.run.phase = Phase::Rejected;
        self.alert(Cause::Rejected, None, reason);
    }

    // --- the registry and the person ----------------------------------------------------------------------------

    fn registered(&mut self, package: &str) -> Verdict {
        if !self.acknowledge(&CommandId::register()) {
            return Verdict::ignored("the registration was known already");
        }
        self.run.package = Some(package.to_owned());
        self.run.learn(self.at, format!("registered as {package}"));
        if let Some(evaluation) = &self.run.evaluation {
            let model = NodeId::named(&evaluation.model.data);
            let node = self.lineage.node(NodeId::named(package), NodeKind::ModelPackage);
            self.edge(model, node, Relation::RegisteredAs);
        }
        let Some(deployment) = self.run.spec.deployment.clone() else {
            return Verdict::illegal("the model was registered although no deployment is asked for");
        };
        match (deployment.approval, self.run.approval) {
            (ApprovalMode::Automatic, _) if !self.still_passes() => {}
            (ApprovalMode::Automatic, _) | (ApprovalMode::Manual, Some((Approval::Approved, _))) => {
                self.deploy_or_wait(&deployment);
            }
            (ApprovalMode::Manual, Some((Approval::Rejected, _))) => self.reject("a person refused the model"),
            (ApprovalMode::Manual, None) => {
                self.run.phase = Phase::AwaitingApproval;
                self.alert(Cause::ApprovalNeeded, None, "the gate let it pass; pipeline.yaml asks for approval");
            }
        }
        Verdict::changed(format!("the model is registered; the run is {}", self.run.phase))
    }

    fn approval_changed(&mut self, approval: Approval, package: &str) -> Verdict {
        if self.run.package.as_deref().is_some_and(|known| known != package) {
            return Verdict::illegal(format!("{package} is not this run's model package"));
        }
        let refused_by_gate = self.run.gate.as_ref().is_none_or(|gate| !gate.passed);
        if refused_by_gate {
            return Verdict::illegal("a model that the gate did not let pass cannot be approved");
        }
        let automatic =
            self.run.spec.deployment.as_ref().is_none_or(|deployment| deployment.approval == ApprovalMode::Automatic);
        if automatic && approval == Approval::Approved {
            // A package that is registered as approved is announced so, and no person had a hand in it.
            return Verdict::ignored("no approval is asked for");
        }
        if self.run.approval.is_some_and(|(_, at)| at >= self.at) {
            return Verdict::ignored("a later decision is known");
        }
        self.run.approval = Some((approval, self.at));
        let yes = approval == Approval::Approved;
        self.run.learn(self.at, if yes { "approved by a person" } else { "refused by a person" });
        let manual = self.run.spec.deployment.clone().filter(|d| d.approval == ApprovalMode::Manual);
        match (self.run.phase, manual) {
            (Phase::AwaitingApproval | Phase::Rejected, Some(deployment)) if yes => self.deploy_or_wait(&deployment),
            (Phase::AwaitingApproval | Phase::AwaitingTurn, _) if !yes => {
                let id = self.run.id.clone();
                self.endpoint.waiting.retain(|waiting| *waiting != id);
                self.reject("a person refused the model");
            }
            _ => {}
        }
        Verdict::changed(format!("a person's decision is noted; the run is {}", self.run.phase))
    }

    // --- the deployment -----------------------------------------------------------------------------------------

    fn deploy_or_wait(&mut self, deployment: &DeploymentSpec) {
        let id = self.run.id.clone();
        if self.endpoint.deploying.is_none() {
            // Whoever still waits was trained on older data, even if its turn was on the way.
            let overtakes = std::mem::take(&mut self.endpoint.waiting).into_iter().filter(|waiting| *waiting != id);
            return self.deploy(deployment, overtakes.collect());
        }
        self.run.phase = Phase::AwaitingTurn;
        self.run.learn(self.at, "waits for another deployment to end");
        if !self.endpoint.waiting.contains(&id) {
            self.endpoint.waiting.push(id);
        }
        if self.endpoint.waiting.len() > WAITING_LIMIT {
            let oldest = self.endpoint.waiting.remove(0);
            self.tell_superseded(oldest);
        }
    }

    // INVARIANT: called only when nothing else is being deployed to this endpoint.
    fn deploy(&mut self, deployment: &DeploymentSpec, overtakes: Vec<RunId>) {
        let Some(package) = self.run.package.clone() else { return };
        let name = self.run.deployment_name(deployment);
        let command = Command::Deploy {
            endpoint: deployment.endpoint.clone(),
            name: name.clone(),
            package,
            instance_type: deployment.instance_type.clone(),
            instances: deployment.instances,
            role_arn: self.run.spec.role_arn.clone(),
        };
        self.run.command(CommandId::deploy(), command);
        self.run.phase = Phase::Deploying;
        self.run.learn(self.at, format!("deploying to endpoint {}", deployment.endpoint));
        self.endpoint.name.clone_from(&deployment.endpoint);
        self.endpoint.deploying =
            Some(Deployment { run: self.run.id.clone(), config: name, since: self.at, overtakes });
    }

    fn your_turn(&mut self) -> Verdict {
        if self.run.phase != Phase::AwaitingTurn {
            if self.endpoint.deploying.is_some() || self.endpoint.waiting.is_empty() {
                return Verdict::ignored("the run is not waiting for its turn");
            }
            self.next_turn();
            return Verdict::changed("the run is not waiting any more, and gives its turn on");
        }
        if self.endpoint.deploying.is_some() {
            return Verdict::ignored("another deployment has begun; this run is told again when it ends");
        }
        let Some(deployment) = self.run.spec.deployment.clone() else {
            return Verdict::illegal("a run without a deployment waits for its turn");
        };
        let place = self.endpoint.waiting.iter().position(|waiting| *waiting == self.run.id);
        let overtakes = self.endpoint.waiting.drain(..place.map_or(0, |place| place + 1)).collect::<Vec<_>>();
        let overtakes: Vec<RunId> = overtakes.into_iter().filter(|waiting| *waiting != self.run.id).collect();
        // A person's yes stands, whatever has gone live since.
        if deployment.approval == ApprovalMode::Automatic && !self.still_passes() {
            self.endpoint.waiting.splice(0..0, overtakes);
            self.next_turn();
            return Verdict::changed("the run's turn came, and its model is not good enough any more");
        }
        self.deploy(&deployment, overtakes);
        Verdict::changed("the run's turn to deploy")
    }

    fn endpoint_changed(&mut self, status: EndpointStatus, config: &str, reason: Option<&str>) -> Verdict {
        if self.run.phase == Phase::Live && status == EndpointStatus::Deleted {
            return self.endpoint_gone();
        }
        if self.run.phase != Phase::Deploying || !self.endpoint.is_deploying(&self.run.id) {
            return Verdict::ignored("the run is not being deployed");
        }
        let ours = self.endpoint.deploying.as_ref().is_some_and(|deployment| deployment.config == config);
        let reason = reason.unwrap_or("SageMaker gave no reason");
        match status {
            EndpointStatus::InTransition => Verdict::ignored("the deployment goes on"),
            EndpointStatus::InService if ours => {
                self.go_live();
                Verdict::changed("the model is live")
            }
            EndpointStatus::InService if self.run.has_pending(&CommandId::deploy()) => {
                Verdict::ignored("the endpoint has not been asked to change yet")
            }
            EndpointStatus::InService => {
                self.run.failure = Some(Failure { step: None, reason: reason.to_owned() });
                self.run.phase = Phase::RolledBack;
                self.run.learn(self.at, format!("rolled back: {}", crate::text::one_line(reason, 1000)));
                self.alert(Cause::RolledBack, None, reason);
                self.release();
                Verdict::changed("the deployment was rolled back")
            }
            EndpointStatus::Failed | EndpointStatus::Deleted if self.run.has_pending(&CommandId::deploy()) => {
                // What an earlier deployment left; ours clears it away and begins anew.
                Verdict::ignored("the endpoint has not been asked to change yet")
            }
            EndpointStatus::Failed | EndpointStatus::Deleted => {
                let gone = status == EndpointStatus::Deleted;
                let reason = if gone { "the endpoint was deleted during the deployment" } else { reason };
                self.fail(Failure { step: None, reason: format!("deployment failed: {reason}") });
                self.release();
                Verdict::changed("the deployment failed")
            }
        }
    }

    fn go_live(&mut self) {
        self.acknowledge(&CommandId::deploy());
        self.run.phase = Phase::Live;
        self.run.learn(self.at, format!("live at endpoint {}", self.endpoint.name));
        let Some(deployment) = self.endpoint.deploying.take() else { return };
        self.endpoint.ended = Some(self.run.id.clone());
        let package = self.run.package.clone().unwrap_or_default();
        let metrics = match &self.run.evaluation {
            Some(Evaluation { report: Ok(report), .. }) => report.metrics(self.run.spec.gate.as_ref()),
            _ => crate::gate::Metrics::default(),
        };
        let endpoint = self.lineage.node(NodeId::endpoint(&self.endpoint.name), NodeKind::Endpoint);
        self.edge(NodeId::named(package.clone()), endpoint, Relation::ServedBy);
        let champion =
            Champion { run: self.run.id.clone(), config: deployment.config, package, metrics, since: self.at };
        if let Some(before) = self.endpoint.champion.replace(champion)
            && before.run != self.run.id
        {
            self.tell_superseded(before.run);
        }
        for overtaken in deployment.overtakes {
            self.tell_superseded(overtaken);
        }
        self.next_turn();
    }

    /// The deployment of this run is over and did not end well.
    fn release(&mut self) {
        if !self.endpoint.is_deploying(&self.run.id) {
            return;
        }
        self.acknowledge(&CommandId::deploy());
        self.endpoint.ended = Some(self.run.id.clone());
        if let Some(deployment) = self.endpoint.deploying.take() {
            self.endpoint.waiting.splice(0..0, deployment.overtakes);
        }
        self.next_turn();
    }

    /// The newest waiting model goes next: it was trained on the newest data.
    fn next_turn(&mut self) {
        if let Some(next) = self.endpoint.waiting.last().cloned() {
            let message = Message::YourTurn;
            self.run.command(CommandId::tell(&next, &message), Command::Tell { run: next, message });
        }
    }

    fn tell_superseded(&mut self, run: RunId) {
        let message = Message::Superseded { by: self.run.id.clone() };
        self.run.command(CommandId::tell(&run, &message), Command::Tell { run, message });
    }

    fn superseded(&mut self, by: &RunId) -> Verdict {
        if !matches!(self.run.phase, Phase::Live | Phase::AwaitingTurn) {
            return Verdict::ignored("the run is neither live nor waiting");
        }
        let champion = self.endpoint.champion.as_ref().is_some_and(|champion| champion.run == self.run.id);
        if champion {
            return Verdict::ignored("the run's model is the live one");
        }
        let id = self.run.id.clone();
        self.endpoint.waiting.retain(|waiting| *waiting != id);
        self.run.phase = Phase::Superseded;
        self.run.learn(self.at, format!("superseded by {by}"));
        Verdict::changed(format!("superseded by {by}"))
    }

    fn endpoint_gone(&mut self) -> Verdict {
        let champion = self.endpoint.champion.as_ref().is_some_and(|champion| champion.run == self.run.id);
        if !champion {
            return Verdict::ignored("the run's model was not the live one any more");
        }
        self.endpoint.champion = None;
        self.endpoint.ended = Some(self.run.id.clone());
        self.run.phase = Phase::Stopped;
        self.run.learn(self.at, "the endpoint was deleted");
        self.alert(Cause::EndpointGone, None, "the endpoint was deleted; nothing answers under its name");
        Verdict::changed("the endpoint was deleted")
    }

    // --- failure, alerts, bookkeeping ---------------------------------------------------------------------------

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

/// Where each input is copied: under the run's own prefix, numbered when two have the same file name.
fn stage(run: &Run) -> Vec<Stage> {
    let Some((_, prefix)) = run.inputs.uri.strip_prefix("s3://").and_then(|rest| rest.split_once('/')) else {
        return Vec::new();
    };
    if !run.inputs.exact {
        return Vec::new();
    }
    let mut taken = std::collections::BTreeSet::new();
    let objects = run.inputs.objects.iter().enumerate();
    objects
        .map(|(number, object)| {
            let name = object.file_name();
            let name = if taken.insert(name.to_owned()) { name.to_owned() } else { format!("{number:04}-{name}") };
            Stage { object: object.clone(), to: format!("{}/{name}", prefix.trim_end_matches('/')) }
        })
        .collect()
}
