//! SageMaker's events about executions and steps.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::record::{Execution, ExecutionStatus, StepRecord, StepStatus};
use crate::events::{EmitError, Emitter};

const EXECUTION: &str = "SageMaker Model Building Pipeline Execution Status Change";
const STEP: &str = "SageMaker Model Building Pipeline Execution Step Status Change";

/// Tells that the execution is now in its status.
pub(super) fn execution(
    events: &Emitter,
    execution: &Execution,
    before: Option<ExecutionStatus>,
) -> Result<(), EmitError> {
    events.emit(EXECUTION, &resources(execution), &execution_detail(execution, before)).map(drop)
}

/// Tells that the step is now in its status.
pub(super) fn step(
    events: &Emitter,
    execution: &Execution,
    step: &StepRecord,
    before: Option<StepStatus>,
) -> Result<(), EmitError> {
    events.emit(STEP, &resources(execution), &step_detail(execution, step, before)).map(drop)
}

fn resources(execution: &Execution) -> [String; 2] {
    [execution.pipeline_arn.clone(), execution.arn.clone()]
}

fn execution_detail(execution: &Execution, before: Option<ExecutionStatus>) -> Value {
    let mut detail = json!({
        "pipelineExecutionDisplayName": execution.display_name,
        "currentPipelineExecutionStatus": execution.status.name(),
        "executionStartTime": iso(execution.created),
        "pipelineArn": execution.pipeline_arn,
        "pipelineExecutionArn": execution.arn,
    });
    set(&mut detail, "previousPipelineExecutionStatus", before.map(ExecutionStatus::name).map(Value::from));
    set(&mut detail, "executionEndTime", execution.ended.map(iso).map(Value::from));
    set(&mut detail, "pipelineExecutionDescription", execution.description.clone().map(Value::from));
    detail
}

fn step_detail(execution: &Execution, step: &StepRecord, before: Option<StepStatus>) -> Value {
    let mut detail = json!({
        "metadata": camel(&step.metadata),
        "stepName": step.name,
        "stepType": step.kind,
        "stepStartTime": iso(step.started),
        "currentStepStatus": step.status.name(),
        "pipelineArn": execution.pipeline_arn,
        "pipelineExecutionArn": execution.arn,
    });
    set(&mut detail, "stepEndTime", step.ended.map(iso).map(Value::from));
    set(&mut detail, "previousStepStatus", before.map(StepStatus::name).map(Value::from));
    set(&mut detail, "failureReason", step.failure.clone().map(Value::from));
    set(
        &mut detail,
        "cacheHitResult",
        step.cache_hit.as_ref().map(|source| json!({"sourcePipelineExecutionArn": source})),
    );
    detail
}

fn set(detail: &mut Value, name: &str, value: Option<Value>) {
    if let (Some(members), Some(value)) = (detail.as_object_mut(), value) {
        members.insert(name.to_owned(), value);
    }
}

/// Events write members in camel case where the API begins them with a capital.
fn camel(members: &Map<String, Value>) -> Value {
    let lower = |name: &String| {
        let mut letters = name.chars();
        letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect::<String>()
    };
    let inner = |value: &Value| value.as_object().map_or_else(|| value.clone(), camel);
    Value::Object(members.iter().map(|(name, value)| (lower(name), inner(value))).collect())
}

/// Whole seconds, as SageMaker writes them.
pub(super) fn iso(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::super::definition::StepKind;
    use super::super::record::tests::execution;
    use super::*;

    #[test]
    fn details_have_sagemakers_shape() {
        let mut execution = execution();
        execution.status = ExecutionStatus::Succeeded;
        execution.ended = Some(Timestamp::from_second(100).unwrap());
        let detail = execution_detail(&execution, Some(ExecutionStatus::Executing));
        assert_eq!(detail["executionStartTime"], "1970-01-01T00:00:10Z");
        assert_eq!(detail["executionEndTime"], "1970-01-01T00:01:40Z");
        assert_eq!(detail["previousPipelineExecutionStatus"], "Executing");
        assert!(detail.get("pipelineExecutionDescription").is_none());

        let mut step = StepRecord::new("p", StepKind::Processing, Timestamp::from_second(20).unwrap());
        step.metadata.insert("ProcessingJob".into(), json!({"Arn": "x"}));
        step.status = StepStatus::Failed;
        step.failure = Some("AlgorithmError: y".into());
        let detail = step_detail(&execution, &step, Some(StepStatus::Executing));
        assert_eq!(detail["metadata"], json!({"processingJob": {"arn": "x"}}));
        assert_eq!(detail["stepType"], "Processing");
        assert_eq!(detail["failureReason"], "AlgorithmError: y");
        assert!(detail.get("stepEndTime").is_none() && detail.get("cacheHitResult").is_none());
    }
}
