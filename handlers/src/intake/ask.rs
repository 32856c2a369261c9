//! Questions about a run of which nothing was heard: what AWS answers becomes the events that should have come.

use jiff::Timestamp;
use statemachine::run::{CommandId, Failure, Phase, Run};
use statemachine::{Event, EventKind};

use super::{Intake, IntakeError};

impl Intake<'_> {
    /// What a run that is not at an end has missed, as far as AWS tells.
    ///
    /// # Errors
    /// AWS does not answer now.
    pub(crate) async fn ask(&self, run: &Run) -> Result<Vec<Event>, IntakeError> {
        let now = self.context.clock.now();
        let at = |time: Option<Timestamp>| time.unwrap_or(now);
        let mut events = Vec::new();
        let mut heard = |time: Timestamp, kind: EventKind| events.push(Event { at: time, kind });
        match run.phase {
            Phase::Batching => heard(now, EventKind::BatchDue),
            Phase::Queued => heard(now, EventKind::SlotFree),
            Phase::AwaitingTurn => heard(now, EventKind::YourTurn),
            Phase::Starting | Phase::Running => {
                if let Some((time, kind)) = self.ask_execution(run).await? {
                    heard(at(time), kind);
                }
            }
            Phase::AwaitingApproval => {
                if let Some(package) = &run.package {
                    let view = self.observe().model_package(package).await?;
                    if let Some(approval) = view.approval {
                        heard(at(view.modified), EventKind::ApprovalChanged { approval, package: package.clone() });
                    }
                }
            }
            Phase::Deploying if !run.has_pending(&CommandId::deploy()) => {
                if let Some(deployment) = &run.spec.deployment {
                    let view = self.observe().endpoint(&deployment.endpoint).await?;
                    let (status, config, reason) = (view.status, view.config, view.reason);
                    heard(at(view.modified), EventKind::EndpointChanged { status, config, reason });
                }
            }
            _ => {}
        }
        heard(now, EventKind::DeadlinePassed);
        heard(now, EventKind::Swept);
        Ok(events)
    }

    /// The execution's status, where it is another than the one that is known.
    async fn ask_execution(&self, run: &Run) -> Result<Option<(Option<Timestamp>, EventKind)>, IntakeError> {
        let Some(execution) = &run.execution else { return Ok(None) };
        let arn = execution.arn.clone();
        let Some(view) = self.observe().execution(&arn).await? else {
            // Nothing will ever be heard of it.
            let failure = Some(Failure { step: None, reason: "SageMaker knows the execution no more".to_owned() });
            let status = statemachine::run::ExecutionStatus::Failed;
            return Ok(Some((None, EventKind::ExecutionChanged { execution_arn: arn, status, failure })));
        };
        let Some(status) = view.status.filter(|status| *status != execution.status) else { return Ok(None) };
        let failure = self.failure_of(&arn, status).await?;
        Ok(Some((view.modified, EventKind::ExecutionChanged { execution_arn: arn, status, failure })))
    }
}
