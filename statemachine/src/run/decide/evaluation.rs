//! The gate, the registry, and the person in between.

use super::*;

impl Step {
    pub(super) fn evaluated(&mut self, evaluation: &Evaluation) -> Verdict {
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
    pub(super) fn still_passes(&mut self) -> bool {
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

    pub(super) fn record_model(&mut self, evaluation: &Evaluation) {
        let Some(arn) = self.run.execution.as_ref().map(|execution| execution.arn.clone()) else { return };
        let facts = [("training job", evaluation.model.job_arn.clone())];
        let model = self.lineage.node_with(NodeId::named(&evaluation.model.data), NodeKind::Model, facts);
        let image = self.lineage.node(NodeId::image(&evaluation.model.image), NodeKind::Image);
        self.edge(NodeId::named(arn), model.clone(), Relation::Produced);
        self.edge(image, model, Relation::Produced);
    }

    pub(super) fn record_decision(&mut self, summary: &str) {
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

    pub(super) fn command_register(&mut self, evaluation: &Evaluation) {
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

    pub(super) fn reject(&mut self, reason: &str) {
        self.run.phase = Phase::Rejected;
        self.alert(Cause::Rejected, None, reason);
    }

    pub(super) fn registered(&mut self, package: &str) -> Verdict {
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

    pub(super) fn approval_changed(&mut self, approval: Approval, package: &str) -> Verdict {
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
}
