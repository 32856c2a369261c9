//! The endpoint: one deployment at a time, and whose turn is next.

use super::*;

impl Step {
    pub(super) fn deploy_or_wait(&mut self, deployment: &DeploymentSpec) {
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
    pub(super) fn deploy(&mut self, deployment: &DeploymentSpec, overtakes: Vec<RunId>) {
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

    pub(super) fn your_turn(&mut self) -> Verdict {
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

    pub(super) fn endpoint_changed(&mut self, status: EndpointStatus, config: &str, reason: Option<&str>) -> Verdict {
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

    pub(super) fn go_live(&mut self) {
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
    pub(super) fn release(&mut self) {
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
    pub(super) fn next_turn(&mut self) {
        if let Some(next) = self.endpoint.waiting.last().cloned() {
            let message = Message::YourTurn;
            self.run.command(CommandId::tell(&next, &message), Command::Tell { run: next, message });
        }
    }

    pub(super) fn tell_superseded(&mut self, run: RunId) {
        let message = Message::Superseded { by: self.run.id.clone() };
        self.run.command(CommandId::tell(&run, &message), Command::Tell { run, message });
    }

    pub(super) fn superseded(&mut self, by: &RunId) -> Verdict {
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

    pub(super) fn endpoint_gone(&mut self) -> Verdict {
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
}
