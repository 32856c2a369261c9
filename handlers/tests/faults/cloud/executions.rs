use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::engine::{Move, Stage};
use super::{ACCOUNT, Cloud, Due, Function, REGION, Said, arn, epoch, refuse, say, text};
use crate::time;

/// A pipeline execution.
#[derive(Clone, Debug)]
pub(crate) struct Execution {
    pub(crate) arn: String,
    pipeline: String,
    pub(crate) display_name: Option<String>,
    parameters: Vec<(String, String)>,
    pub(crate) status: &'static str,
    /// Of the training step, once it has begun.
    step: Option<&'static str>,
    accuracy: f64,
    created: Timestamp,
    modified: Timestamp,
}

/// All executions, in the order of their starts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Executions {
    pub(crate) all: Vec<Execution>,
    tokens: BTreeMap<String, String>,
    /// How many starts were refused, and are still to be, because the account has no room.
    pub(crate) no_room: u32,
}

const EXECUTION: &str = "SageMaker Model Building Pipeline Execution Status Change";
const STEP: &str = "SageMaker Model Building Pipeline Execution Step Status Change";

impl Cloud {
    /// Starts an execution as anybody may.
    pub(crate) fn begin(
        &mut self,
        pipeline: &str,
        display_name: Option<String>,
        parameters: Vec<(String, String)>,
    ) -> String {
        let number = self.executions.all.len();
        let arn = arn(&format!("pipeline/{pipeline}/execution/execution{number:03}"));
        let accuracy = self.will.accuracy.get(number).or(self.will.accuracy.last()).copied().unwrap_or_default();
        let now = time::now();
        self.executions.all.push(Execution {
            arn: arn.clone(),
            pipeline: pipeline.to_owned(),
            display_name,
            parameters,
            status: "Executing",
            step: None,
            accuracy,
            created: now,
            modified: now,
        });
        let begins = Move::Execution { arn: arn.clone(), stage: Stage::Executing };
        self.later(SignedDuration::from_secs(1), Due::Engine(begins));
        arn
    }

    pub(super) fn start_execution(&mut self, body: &Value) -> Said {
        let pipeline = text(body, "PipelineName")?;
        let token = text(body, "ClientRequestToken")?.to_owned();
        if !(32..=128).contains(&token.len()) {
            return Err(format!("the token {token} has {} characters", token.len()));
        }
        if let Some(arn) = self.executions.tokens.get(&token)
            && !self.sabotage.no_tokens
        {
            return say(&json!({"PipelineExecutionArn": arn}));
        }
        if self.executions.no_room > 0 {
            self.executions.no_room -= 1;
            return refuse("ResourceLimitExceeded", "The account-level service limit of concurrent executions is 20.");
        }
        let parameters = body["PipelineParameters"].as_array().cloned().unwrap_or_default();
        let parameters = parameters
            .iter()
            .map(|parameter| Ok((text(parameter, "Name")?.to_owned(), text(parameter, "Value")?.to_owned())));
        let parameters = parameters.collect::<Result<_, String>>()?;
        let arn = self.begin(pipeline, Some(text(body, "PipelineExecutionDisplayName")?.to_owned()), parameters);
        self.executions.tokens.insert(token, arn.clone());
        say(&json!({"PipelineExecutionArn": arn}))
    }

    pub(super) fn stop_execution(&mut self, body: &Value) -> Said {
        let arn = text(body, "PipelineExecutionArn")?.to_owned();
        let Some(execution) = self.find(&arn) else { return no_such_execution(&arn) };
        if execution.status == "Executing" {
            execution.status = "Stopping";
            let ends = Move::Execution { arn: arn.clone(), stage: Stage::Ended };
            self.later(SignedDuration::from_secs(5), Due::Engine(ends));
            self.tell_execution(&arn);
        }
        say(&json!({"PipelineExecutionArn": arn}))
    }

    pub(super) fn describe_execution(&mut self, body: &Value) -> Said {
        let arn = text(body, "PipelineExecutionArn")?;
        let Some(execution) = self.find(arn) else { return no_such_execution(arn) };
        let mut answer = json!({
            "PipelineArn": pipeline_arn(&execution.pipeline),
            "PipelineExecutionArn": execution.arn,
            "PipelineExecutionStatus": execution.status,
            "CreationTime": epoch(execution.created),
            "LastModifiedTime": epoch(execution.modified),
        });
        if let Some(name) = &execution.display_name {
            answer["PipelineExecutionDisplayName"] = json!(name);
        }
        if execution.status == "Failed" {
            answer["FailureReason"] = json!("Step failure: one or more steps failed.");
        }
        say(&answer)
    }

    pub(super) fn list_steps(&mut self, body: &Value) -> Said {
        let arn = text(body, "PipelineExecutionArn")?;
        let Some(execution) = self.find(arn) else { return no_such_execution(arn) };
        let mut steps = Vec::new();
        if let Some(status) = execution.step {
            let mut step = json!({"StepName": "train", "StepStatus": status, "AttemptCount": 1,
                "Metadata": {"TrainingJob": {"Arn": training_job(&execution.arn)}}});
            if status == "Failed" {
                step["FailureReason"] = json!("AlgorithmError: the loss is not a number");
                step["EndTime"] = epoch(execution.modified);
            }
            steps.push(step);
        }
        say(&json!({"PipelineExecutionSteps": steps}))
    }

    pub(super) fn list_parameters(&mut self, body: &Value) -> Said {
        let arn = text(body, "PipelineExecutionArn")?;
        let Some(execution) = self.find(arn) else { return no_such_execution(arn) };
        let parameters = execution.parameters.iter().map(|(name, value)| json!({"Name": name, "Value": value}));
        say(&json!({"PipelineParameters": parameters.collect::<Vec<_>>()}))
    }

    pub(super) fn describe_training_job(&mut self, body: &Value) -> Said {
        let name = text(body, "TrainingJobName")?;
        let found = self.executions.all.iter().find(|execution| training_job(&execution.arn).ends_with(name));
        if found.is_none_or(|execution| execution.step != Some("Succeeded")) {
            return refuse("ValidationException", "Requested resource not found.");
        }
        say(&json!({
            "TrainingJobName": name,
            "ModelArtifacts": {"S3ModelArtifacts": format!("s3://data/models/{name}/model.tar.gz")},
            "AlgorithmSpecification": {"TrainingImage": "image:train", "TrainingInputMode": "File"},
        }))
    }

    fn find(&mut self, arn: &str) -> Option<&mut Execution> {
        self.executions.all.iter_mut().find(|execution| execution.arn == arn)
    }

    /// False when the execution is past this.
    pub(super) fn execution_moves(&mut self, arn: &str, stage: Stage) -> bool {
        let (now, trains) = (time::now(), self.will.trains);
        let Some(execution) = self.find(arn) else { return false };
        let stopping = execution.status == "Stopping";
        if !stopping && execution.status != "Executing" || stopping && stage != Stage::Ended {
            return false;
        }
        execution.modified = now;
        let ended = if trains { "Succeeded" } else { "Failed" };
        match stage {
            Stage::Executing => self.tell_execution(arn),
            Stage::Training => {
                execution.step = Some("Executing");
                self.tell_step(arn, "Executing");
            }
            Stage::Trained => {
                execution.step = Some(ended);
                let (accuracy, id) = (execution.accuracy, arn.rsplit('/').next().unwrap().to_owned());
                if trains {
                    self.s3.put(&format!("runs/{id}/evaluation.json"), &json!({"accuracy": accuracy}).to_string());
                }
                self.tell_step(arn, ended);
            }
            Stage::Ended => {
                execution.status = if stopping { "Stopped" } else { ended };
                self.tell_execution(arn);
            }
        }
        true
    }

    fn tell_execution(&mut self, arn: &str) {
        let Some(execution) = self.find(arn) else { return };
        let mut detail = json!({
            "pipelineArn": pipeline_arn(&execution.pipeline),
            "pipelineExecutionArn": arn,
            "currentPipelineExecutionStatus": execution.status,
            "executionStartTime": execution.created.to_string(),
        });
        if let Some(name) = &execution.display_name {
            detail["pipelineExecutionDisplayName"] = json!(name);
        }
        self.tell_of_sagemaker(Function::PipelineStatus, EXECUTION, detail);
    }

    fn tell_step(&mut self, arn: &str, status: &str) {
        let Some(execution) = self.find(arn) else { return };
        let detail = json!({
            "pipelineArn": pipeline_arn(&execution.pipeline),
            "pipelineExecutionArn": arn,
            "stepName": "train",
            "stepType": "Training",
            "currentStepStatus": status,
            "metadata": {"trainingJob": {"arn": training_job(arn)}},
        });
        self.tell_of_sagemaker(Function::PipelineStatus, STEP, detail);
    }

    /// EventBridge hears of it, unless this scenario is about events that are lost.
    pub(super) fn tell_of_sagemaker(&mut self, function: Function, detail_type: &str, detail: Value) {
        if self.will.tells {
            self.tell(function, "aws.sagemaker", detail_type, detail);
        }
    }
}

fn no_such_execution(arn: &str) -> Said {
    refuse("ResourceNotFound", format!("Pipeline execution with ARN '{arn}' does not exist."))
}

pub(crate) fn pipeline_arn(name: &str) -> String {
    format!("arn:aws:sagemaker:{REGION}:{ACCOUNT}:pipeline/{name}")
}

fn training_job(execution: &str) -> String {
    let id = execution.rsplit('/').next().unwrap_or_default();
    arn(&format!("training-job/train-{id}"))
}
