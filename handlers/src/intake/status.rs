use serde::Deserialize;
use serde_json::Value;
use statemachine::run::{CommandId, ExecutionStatus, Failure, Inputs, Phase, StepChange, StepStatus};
use statemachine::{Event, EventKind, RunId};
use tracing::info;

use super::{Envelope, Intake, IntakeError, Scope};
use crate::observe::{OBJECT_LIMIT, ObserveError};

const EXECUTION: &str = "SageMaker Model Building Pipeline Execution Status Change";
const STEP: &str = "SageMaker Model Building Pipeline Execution Step Status Change";

/// The detail of both events (SageMaker Pipelines, in the SageMaker developer guide). There is no pipeline name and no
/// failure reason of the execution in it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    pipeline_arn: String,
    pipeline_execution_arn: String,
    pipeline_execution_display_name: Option<String>,
    current_pipeline_execution_status: Option<String>,
    step_name: Option<String>,
    step_type: Option<String>,
    current_step_status: Option<String>,
    failure_reason: Option<String>,
}

/// What an event tells of an execution or of one of its steps. The status itself is read by [`change`](Self::change):
/// executions of pipelines that are not applied here may have any.
#[derive(Debug)]
pub struct StatusNews(Envelope<Detail>);

/// A new status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatusChange {
    /// Of the execution.
    Execution(ExecutionStatus),
    /// Of a step.
    Step(StepChange),
}

/// Reads both kinds of event of pipeline executions.
///
/// # Errors
/// The event is malformed or foreign.
pub fn read_pipeline_status(event: Value, scope: &Scope) -> Result<StatusNews, IntakeError> {
    Envelope::parse(event, scope, "aws.sagemaker", &[EXECUTION, STEP]).map(StatusNews)
}

impl StatusNews {
    /// What changed.
    ///
    /// # Errors
    /// A status that is not known, or a step without its name.
    pub fn change(&self) -> Result<StatusChange, IntakeError> {
        let detail = &self.0.detail;
        if self.0.detail_type == EXECUTION {
            execution_status(detail).map(StatusChange::Execution)
        } else {
            step_change(detail).map(StatusChange::Step)
        }
    }
}

impl Intake<'_> {
    /// The status of a pipeline execution, or of one of its steps, changed.
    ///
    /// # Errors
    /// The event is malformed or foreign, or could not be carried through.
    pub async fn pipeline_status(self, event: Value) -> Result<(), IntakeError> {
        let news = read_pipeline_status(event, &self.scope)?;
        let (detail, time) = (&news.0.detail, news.0.time);
        let arn = detail.pipeline_execution_arn.clone();
        let Some((id, adoption)) = self.run_of(detail).await? else {
            info!(execution = arn, "an execution of a pipeline that is not applied here");
            return Ok(());
        };
        let kind = match news.change()? {
            StatusChange::Execution(status) => {
                let failure = self.failure_of(&arn, status).await?;
                EventKind::ExecutionChanged { execution_arn: arn, status, failure }
            }
            StatusChange::Step(change) => EventKind::StepChanged { execution_arn: arn, change },
        };
        let mut events = Vec::from_iter(adoption.map(|kind| Event { at: time, kind }));
        let fresh = !events.is_empty();
        events.push(Event { at: time, kind });
        self.drive.give(&id, &events, fresh).await?;
        Ok(())
    }

    /// The run of an execution: the one that Tidegate started it for, or the one that adopts it. With the latter comes
    /// the event of the adoption, where it is new. `None` for a pipeline that is not applied.
    async fn run_of(&self, detail: &Detail) -> Result<Option<(RunId, Option<EventKind>)>, IntakeError> {
        let arn = &detail.pipeline_execution_arn;
        if let Some(id) = self.own_run(detail.pipeline_execution_display_name.as_deref(), detail).await? {
            return Ok(Some((id, None)));
        }
        if let Some(id) = self.ledger().run_of_execution(arn).await? {
            return Ok(Some((id, None)));
        }
        let pipelines = self.ledger().pipelines().await?;
        let of_this = |known: &str| same_pipeline(known, &detail.pipeline_arn);
        let Some(pipeline) = pipelines.into_iter().find(|pipeline| of_this(&pipeline.spec.pipeline_arn)) else {
            return Ok(None);
        };
        // Steps' events have no display name; it tells a start whose answer is not in the ledger yet.
        if detail.pipeline_execution_display_name.is_none() {
            let display_name = self.observe().execution(arn).await?.and_then(|view| view.display_name);
            if let Some(id) = self.own_run(display_name.as_deref(), detail).await? {
                return Ok(Some((id, None)));
            }
        }
        let parameters = self.observe().parameters(arn).await?;
        let uri = parameters.get("InputDataUri").cloned().unwrap_or_default();
        // What it reads is not ours to choose any more; what is there now is the best that can be known.
        let objects = match self.observe().objects(&uri, OBJECT_LIMIT).await {
            Ok(objects) => objects,
            Err(ObserveError::Permanent(reason)) => {
                info!(execution = arn, uri, reason, "the inputs of an adopted execution cannot be listed");
                Vec::new()
            }
            Err(error) => return Err(error.into()),
        };
        let kind = EventKind::Adopted {
            execution_arn: arn.clone(),
            spec: Box::new(pipeline.spec),
            inputs: Inputs { uri, objects, exact: false },
            parameters,
        };
        Ok(Some((RunId::manual(arn), Some(kind))))
    }

    /// The run that a display name names, if it is the run of this execution. Anyone may give an execution any name, so
    /// the run must be of this pipeline, and know this execution or still be asking for one.
    async fn own_run(&self, display_name: Option<&str>, detail: &Detail) -> Result<Option<RunId>, IntakeError> {
        let Some(id) = display_name.and_then(|name| RunId::parse(name).ok()) else { return Ok(None) };
        let Some(run) = self.ledger().run(&id).await? else { return Ok(None) };
        let run = run.value;
        let ours = match &run.execution {
            Some(execution) => execution.arn == detail.pipeline_execution_arn,
            // One that is to be stopped, or whose start was refused when it was tried again, may have got its execution
            // after all.
            None => run.has_pending(&CommandId::start()) || run.stop.is_some() || run.phase == Phase::Failed,
        };
        Ok((ours && same_pipeline(&run.spec.pipeline_arn, &detail.pipeline_arn)).then_some(id))
    }

    /// Why an execution of this status failed, where it did.
    pub(super) async fn failure_of(&self, arn: &str, status: ExecutionStatus) -> Result<Option<Failure>, IntakeError> {
        if status != ExecutionStatus::Failed {
            return Ok(None);
        }
        match self.observe().failure(arn).await {
            Ok(failure) => Ok(Some(failure)),
            // It failed all the same, and people are to be told.
            Err(ObserveError::Permanent(reason)) => Ok(Some(Failure { step: None, reason })),
            Err(error) => Err(error.into()),
        }
    }
}

fn execution_status(detail: &Detail) -> Result<ExecutionStatus, IntakeError> {
    let word = detail.current_pipeline_execution_status.as_deref().unwrap_or_default();
    ExecutionStatus::parse(word).ok_or_else(|| {
        let accepted = ExecutionStatus::ALL.map(ExecutionStatus::as_str).join("`, `");
        let path = "detail.currentPipelineExecutionStatus";
        IntakeError::Unreadable(format!("`{path}` is `{word}`, and `{accepted}` are accepted"))
    })
}

/// SageMaker writes the name in lower case in ARNs.
fn same_pipeline(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

fn step_change(detail: &Detail) -> Result<StepChange, IntakeError> {
    let word = detail.current_step_status.as_deref().unwrap_or_default();
    let status = StepStatus::parse(word).ok_or_else(|| {
        let accepted = StepStatus::ALL.map(StepStatus::as_str).join("`, `");
        IntakeError::Unreadable(format!("`detail.currentStepStatus` is `{word}`, and `{accepted}` are accepted"))
    })?;
    let step =
        detail.step_name.clone().ok_or_else(|| IntakeError::Unreadable("`detail.stepName` is missing".to_owned()))?;
    Ok(StepChange {
        step,
        kind: detail.step_type.clone().unwrap_or_else(|| "step".to_owned()),
        status,
        reason: detail.failure_reason.clone().filter(|reason| !reason.is_empty()),
    })
}
