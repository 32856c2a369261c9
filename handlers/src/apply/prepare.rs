//! From files to what is wanted; pure, but for the packing.

use std::collections::BTreeMap;

use flate2::{Compression, GzBuilder};
use serde_json::{Value, json};
use statemachine::config::{Approval, Errors, Grouping, INPUT_DATA_URI, Invalid, Pipeline, Scalar, ScheduleExpression};
use statemachine::definition::{
    CodeLocation, Definition, Environment, RenderError, code_hash, inference_image, render, report_uri,
};
use statemachine::run::{ApprovalMode, BatchSpec, DeploymentSpec, EvaluationSpec, RunSpec};

use super::{ApplyError, Deployment, ProjectFiles};

/// Everything that is wanted, known before anything is asked.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) pipeline: Pipeline,
    pub(super) environment: Environment,
    pub(super) definition: Definition,
    /// The objects of the code by their keys; the archive is among them.
    pub(super) code: BTreeMap<String, Vec<u8>>,
    pub(super) schedules: Vec<WantedSchedule>,
}

/// A schedule, as EventBridge Scheduler is to have it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct WantedSchedule {
    /// In `pipeline.yaml`; [`EXPECTED`] for the check for expected data.
    pub(super) name: String,
    /// In Scheduler.
    pub(super) resource: String,
    pub(super) expression: String,
    pub(super) time_zone: String,
    pub(super) input: Value,
}

/// Where others have their name in `pipeline.yaml`, which has no dot. It is also the last part of the name in Scheduler.
pub(super) const EXPECTED: &str = ".expected";

pub(super) fn parse(files: &ProjectFiles) -> Result<Pipeline, ApplyError> {
    let text = files.config()?;
    let parsed: Result<Pipeline, Errors> = Pipeline::parse(&files.name, text, &|path| files.files.contains_key(path));
    Ok(parsed?)
}

pub(super) fn prepare(files: &ProjectFiles, deployment: &Deployment) -> Result<Prepared, ApplyError> {
    let pipeline = parse(files)?;
    let source = files.source();
    let code = CodeLocation::new(code_hash(&source))?;
    let Deployment { account, region, bucket, job_role_arn, jobs, .. } = deployment;
    let environment = Environment::new(account, region, bucket, job_role_arn, code)?.with_security(jobs.clone());
    let definition = render(&pipeline, &environment)?;
    // What a run will need is made now too, so that its errors come before any change.
    run_spec(&pipeline, &environment, &definition, "")?;
    let schedules = schedules(&pipeline, &environment)?;
    let location = environment.code();
    let mut code: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    code.insert(location.archive_key(pipeline.name()), archive(&source)?);
    for (path, content) in source {
        code.insert(location.source_key(pipeline.name(), &path), content);
    }
    Ok(Prepared { pipeline, environment, definition, code, schedules })
}

impl Prepared {
    /// Every parameter of the definition that has a default, by name. A pipeline without arrivals has none for
    /// `InputDataUri`.
    pub(super) fn default_parameters(&self) -> BTreeMap<String, String> {
        let declared = self.pipeline.parameters().iter().map(|(name, default)| (name.to_string(), text(default)));
        let arrival = self.pipeline.arrival();
        let input =
            arrival.map(|arrival| (INPUT_DATA_URI.to_owned(), self.environment.s3_uri(arrival.prefix.as_str())));
        declared.chain(input).collect()
    }
}

/// StartPipelineExecution takes every value as text.
fn text(scalar: &Scalar) -> String {
    match scalar {
        Scalar::String(text) => text.clone(),
        other => other.json().to_string(),
    }
}

/// What a run works under, as a pipeline says it now.
///
/// # Errors
/// The Region is not known for the inference image's alias.
pub fn run_spec(
    pipeline: &Pipeline,
    environment: &Environment,
    definition: &Definition,
    pipeline_arn: &str,
) -> Result<RunSpec, RenderError> {
    let evaluation = match (pipeline.model_step(), report_uri(pipeline, environment.bucket(), "{execution}")) {
        (Some(step), Some(report)) => Some(EvaluationSpec { training_step: step.name.to_string(), report }),
        _ => None,
    };
    let image = inference_image(pipeline, environment.region())?;
    let deployment = pipeline.deployment().zip(image).map(|(deployment, image)| DeploymentSpec {
        endpoint: deployment.endpoint.to_string(),
        image,
        program: deployment.script.within_source().to_owned(),
        source: environment.s3_uri(&environment.code().archive_key(pipeline.name())),
        instance_type: deployment.instance.to_string(),
        instances: deployment.instances.get(),
        approval: match deployment.approval {
            Approval::Automatic => ApprovalMode::Automatic,
            Approval::Manual => ApprovalMode::Manual,
        },
    });
    Ok(RunSpec {
        pipeline: pipeline.name().to_string(),
        pipeline_arn: pipeline_arn.to_owned(),
        code: environment.code().sha256().to_owned(),
        definition: definition.sha256.clone(),
        evaluation,
        gate: pipeline.gate().cloned(),
        deployment,
        role_arn: environment.job_role_arn().to_owned(),
        concurrency: pipeline.concurrency(),
        batch: match pipeline.arrival().map(|arrival| &arrival.grouping) {
            Some(Grouping::Batch(batch)) => {
                Some(BatchSpec { quiet_seconds: batch.quiet().seconds(), longest_seconds: batch.longest().seconds() })
            }
            _ => None,
        },
        deadline_seconds: pipeline.deadline().seconds(),
    })
}

fn schedules(pipeline: &Pipeline, environment: &Environment) -> Result<Vec<WantedSchedule>, Invalid> {
    let all = pipeline.schedules().iter();
    let own = all.map(|(name, schedule)| {
        Ok(WantedSchedule {
            name: name.to_string(),
            resource: pipeline.schedule_resource_name(name),
            expression: schedule.expression.to_string(),
            time_zone: schedule.time_zone.to_string(),
            input: json!({
                // Context attributes, which Scheduler fills in (EventBridge Scheduler User Guide).
                "schedule": "<aws.scheduler.schedule-arn>",
                "scheduled_time": "<aws.scheduler.scheduled-time>",
                "execution": "<aws.scheduler.execution-id>",
                "attempt": "<aws.scheduler.attempt-number>",
                "pipeline": pipeline.name(),
                "name": name,
                "parameters": environment.schedule_parameters(schedule)?,
            }),
        })
    });
    own.chain(expected(pipeline).map(Ok)).collect()
}

/// The schedule that asks whether the expected data came.
fn expected(pipeline: &Pipeline) -> Option<WantedSchedule> {
    let expected = pipeline.arrival()?.expected.as_ref()?;
    Some(WantedSchedule {
        name: EXPECTED.to_owned(),
        resource: pipeline.expected_resource_name(),
        expression: ScheduleExpression::Cron(expected.cron().clone()).to_string(),
        time_zone: expected.time_zone().to_string(),
        input: json!({
            "kind": "expected",
            "pipeline": pipeline.name(),
            "scheduled_time": "<aws.scheduler.scheduled-time>",
            "within_seconds": expected.within().seconds(),
        }),
    })
}

/// The same files give the same bytes: no times, no owners, in the order of their paths.
fn archive(source: &BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>, ApplyError> {
    let packed = || -> std::io::Result<Vec<u8>> {
        let mut archive = tar::Builder::new(GzBuilder::new().mtime(0).write(Vec::new(), Compression::default()));
        for (path, content) in source {
            let mut header = tar::Header::new_gnu();
            header.set_size(u64::try_from(content.len()).unwrap_or(u64::MAX));
            header.set_mode(0o644);
            header.set_mtime(0);
            archive.append_data(&mut header, path, content.as_slice())?;
        }
        archive.into_inner()?.finish()
    };
    packed().map_err(|error| super::FilesError::Archive(error.to_string()).into())
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use std::io::Read;

    use statemachine::definition::JobSecurity;

    use super::*;

    pub(in crate::apply) const CONFIG: &str = r#"
pipeline: tumours
description: Tell malignant from benign
trigger:
  arrival:
    prefix: raw/tumours/
    suffix: .csv
schedules:
  nightly:
    cron: "0 3 * * ? *"
    timezone: Europe/Zurich
    parameters:
      InputDataUri: s3://{{bucket}}/raw/tumours/
parameters:
  Rounds: 7
  InstanceType: ml.m5.large
steps:
  train:
    type: training
    image: autogluon
    instance: ml.m5.large
    script: src/train.py
    inputs:
      train: "{{parameters.InputDataUri}}"
  evaluate:
    type: evaluation
    image: autogluon
    instance: ml.m5.large
    script: src/evaluate.py
    inputs:
      model: train.model
    report: evaluation.json
gate:
  - metric: accuracy
    at_least: 0.9
deployment:
  endpoint: tumours
  image: autogluon
  instance: ml.m5.large
  instances: 2
  script: src/inference.py
  approval: manual
"#;

    pub(in crate::apply) fn files(config: &str) -> ProjectFiles {
        let scripts = ["src/train.py", "src/evaluate.py", "src/inference.py", "src/lib/util.py"];
        let mut files: BTreeMap<String, Vec<u8>> =
            scripts.into_iter().map(|path| (path.to_owned(), path.as_bytes().to_vec())).collect();
        files.insert("pipeline.yaml".to_owned(), config.as_bytes().to_vec());
        ProjectFiles { name: "demo/pipeline.yaml".to_owned(), files }
    }

    pub(in crate::apply) fn deployment() -> Deployment {
        Deployment {
            bucket: "tidegate-data".into(),
            topic_arn: "arn:aws:sns:eu-west-1:123456789012:tidegate-alerts".into(),
            job_role_arn: "arn:aws:iam::123456789012:role/tidegate-job".into(),
            pipeline_role_arn: "arn:aws:iam::123456789012:role/tidegate-pipeline".into(),
            schedule_role_arn: "arn:aws:iam::123456789012:role/tidegate-schedule".into(),
            schedule_function_arn: "arn:aws:lambda:eu-west-1:123456789012:function:tidegate-on-schedule".into(),
            schedule_group: "tidegate".into(),
            schedule_dlq_arn: "arn:aws:sqs:eu-west-1:123456789012:tidegate-schedule".into(),
            account: "123456789012".into(),
            region: "eu-west-1".into(),
            jobs: JobSecurity::default(),
        }
    }

    #[test]
    fn a_run_knows_where_its_report_model_and_endpoint_will_be() {
        let prepared = prepare(&files(CONFIG), &deployment()).unwrap();
        let spec = run_spec(&prepared.pipeline, &prepared.environment, &prepared.definition, "arn:p").unwrap();
        let hash = prepared.environment.code().sha256();
        let evaluation = spec.evaluation.unwrap();
        assert_eq!(evaluation.training_step, "train");
        assert_eq!(
            evaluation.report_of("arn:aws:sagemaker:r:a:pipeline/tumours/execution/abc"),
            "s3://tidegate-data/runs/tumours/abc/evaluate/evaluation/evaluation.json"
        );
        let deployment = spec.deployment.unwrap();
        assert_eq!(deployment.source, format!("s3://tidegate-data/code/tumours/{hash}/sourcedir.tar.gz"));
        assert_eq!(
            (&*deployment.program, deployment.instances, deployment.approval),
            ("inference.py", 2, ApprovalMode::Manual)
        );
        assert!(deployment.image.contains("autogluon-inference"));
        assert_eq!(spec.role_arn, "arn:aws:iam::123456789012:role/tidegate-job");
        assert_eq!(spec.definition, prepared.definition.sha256);
    }

    #[test]
    fn parameters_are_text_and_the_input_is_among_them() {
        let prepared = prepare(&files(CONFIG), &deployment()).unwrap();
        let expected =
            [("InputDataUri", "s3://tidegate-data/raw/tumours/"), ("InstanceType", "ml.m5.large"), ("Rounds", "7")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(prepared.default_parameters(), BTreeMap::from(expected));
    }

    #[test]
    fn a_schedule_hands_over_its_context_and_parameters() {
        let prepared = prepare(&files(CONFIG), &deployment()).unwrap();
        let schedule = &prepared.schedules[0];
        assert_eq!(schedule.resource, "tumours.nightly");
        assert_eq!((&*schedule.expression, &*schedule.time_zone), ("cron(0 3 * * ? *)", "Europe/Zurich"));
        assert_eq!(
            schedule.input.to_string(),
            "{\"schedule\":\"<aws.scheduler.schedule-arn>\",\"scheduled_time\":\"<aws.scheduler.scheduled-time>\",\
             \"execution\":\"<aws.scheduler.execution-id>\",\"attempt\":\"<aws.scheduler.attempt-number>\",\
             \"pipeline\":\"tumours\",\"name\":\"nightly\",\
             \"parameters\":{\"InputDataUri\":\"s3://tidegate-data/raw/tumours/\"}}"
        );
    }

    #[test]
    fn the_archive_holds_the_scripts_and_is_the_same_each_time() {
        let prepared = prepare(&files(CONFIG), &deployment()).unwrap();
        let key = prepared.environment.code().archive_key(prepared.pipeline.name());
        assert_eq!(prepare(&files(CONFIG), &deployment()).unwrap().code, prepared.code);
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(prepared.code[&key].as_slice()));
        let mut names = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut content = String::new();
            entry.read_to_string(&mut content).unwrap();
            let path = entry.path().unwrap().display().to_string();
            assert_eq!(content, format!("src/{path}"));
            names.push(path);
        }
        assert_eq!(names, ["evaluate.py", "inference.py", "lib/util.py", "train.py"]);
        assert_eq!(prepared.code.len(), 5);
    }

    #[test]
    fn every_error_of_the_configuration_is_told_at_once() {
        let wrong = CONFIG.replace("src/train.py", "src/absent.py").replace("at_least: 0.9", "at_least: high");
        let error = prepare(&files(&wrong), &deployment()).unwrap_err().to_string();
        assert_eq!(error.lines().count(), 2, "{error}");
        assert!(error.lines().all(|line| line.starts_with("demo/pipeline.yaml:")), "{error}");
    }
}
