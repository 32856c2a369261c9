//! The execution: started, seen, changed.

use super::*;

impl Step {
    pub(super) fn command_start(&mut self) {
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

    pub(super) fn execution_started(&mut self, arn: &str) -> Verdict {
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
    pub(super) fn bind(&mut self, arn: &str) {
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
        if self.run.stop.is_some() {
            self.command_stop();
        }
    }

    /// Whether events of the execution still decide where the run stands. After its end they do only if the execution
    /// itself ended the run: a person may retry it.
    pub(super) fn is_with_the_execution(&self) -> bool {
        match self.run.phase {
            Phase::Starting | Phase::Running | Phase::Stopped => true,
            Phase::Failed => self.run.evaluation.is_none(),
            _ => false,
        }
    }

    pub(super) fn execution_changed(
        &mut self,
        arn: &str,
        status: ExecutionStatus,
        failure: Option<&Failure>,
    ) -> Verdict {
        if let Some(refusal) = self.other_execution(arn) {
            return refusal;
        }
        self.bind(arn);
        let at = self.at;
        let learned = self.run.learn(at, format!("execution {}", status.as_str()));
        // The same end, told with another time: by an event, and by SageMaker when it was asked. A retry lies between two
        // ends of an execution.
        let known_failure = self.run.phase == Phase::Failed
            && self.run.execution.as_ref().is_some_and(|known| {
                let retried = |fact: &Fact| fact.what == "execution Executing" && fact.at > known.at && fact.at <= at;
                known.status == ExecutionStatus::Failed && !self.run.facts.iter().any(retried)
            });
        let newer = self.run.execution.as_ref().is_some_and(|known| (at, status) > (known.at, known.status));
        if !newer {
            return match learned {
                true => Verdict::changed(format!("the execution was {}, and is past that", status.as_str())),
                false => Verdict::ignored(format!("that the execution is {} was known", status.as_str())),
            };
        }
        let over = |status| matches!(status, ExecutionStatus::Stopped | ExecutionStatus::Failed);
        let retried = self.run.execution.as_ref().is_some_and(|known| over(known.status)) && !over(status);
        if let Some(execution) = &mut self.run.execution {
            execution.status = status;
            execution.at = at;
        }
        if !self.is_with_the_execution() {
            return Verdict::changed(format!("the execution is {}; the run is past it", status.as_str()));
        }
        if known_failure && status == ExecutionStatus::Failed {
            return Verdict::changed("that the execution failed was known, at another time");
        }
        match status {
            ExecutionStatus::Executing | ExecutionStatus::Stopping => {
                self.run.phase = Phase::Running;
                self.run.failure = None;
                if retried {
                    // A person wants it after all; a later request to stop is another one.
                    self.run.stop = None;
                }
            }
            ExecutionStatus::Stopped => {
                self.acknowledge(&CommandId::stop());
                self.run.phase = Phase::Stopped;
            }
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

    pub(super) fn step_changed(&mut self, arn: &str, fact: String) -> Verdict {
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

    pub(super) fn other_execution(&self, arn: &str) -> Option<Verdict> {
        if matches!(self.run.phase, Phase::Batching | Phase::Queued | Phase::Missed) {
            return Some(Verdict::illegal(format!("the run has asked for no execution, and this is of {arn}")));
        }
        let known = &self.run.execution.as_ref()?.arn;
        (known != arn).then(|| Verdict::illegal(format!("the run's execution is {known}, and this is of {arn}")))
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
            let mut name = name.to_owned();
            while !taken.insert(name.clone()) {
                name = format!("{number:04}-{name}");
            }
            Stage { object: object.clone(), to: format!("{}/{name}", prefix.trim_end_matches('/')) }
        })
        .collect()
}
