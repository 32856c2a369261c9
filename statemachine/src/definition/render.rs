//! The rendering itself.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::code::hex;
use super::{DEFINITION_LIMIT, Definition, Environment, ImageUse, RenderError, image_uri};
use crate::config::{
    HyperparameterName, INPUT_DATA_URI, InputName, Instance, InstanceType, MODEL_OUTPUT, ParameterName, Part, Pipeline,
    REPORT_OUTPUT, Retries, Scalar, ScriptPath, Setting, Source, Step, Template, VALUE_LIMIT, Work,
};

const PROCESSING_INPUT: &str = "/opt/ml/processing/input";
const PROCESSING_OUTPUT: &str = "/opt/ml/processing/output";
const ARGUMENT_LIMIT: usize = 256;
const HYPERPARAMETER_LIMIT: usize = 2500;

/// Renders the definition. The order of keys is fixed, and so are the bytes.
///
/// # Errors
/// The Region is not known for an image that is given by alias; a text is too long once bucket, account and Region are
/// filled in; the whole exceeds [`DEFINITION_LIMIT`].
pub fn render(pipeline: &Pipeline, environment: &Environment) -> Result<Definition, RenderError> {
    let renderer = Renderer { pipeline, environment };
    let steps = pipeline.steps().iter().map(|step| renderer.step(step)).collect::<Result<Vec<_>, _>>()?;
    let definition = json!({
        "Version": "2020-12-01",
        "Metadata": {},
        "Parameters": renderer.parameters()?,
        "Steps": steps,
    });
    let body = definition.to_string();
    if body.len() > DEFINITION_LIMIT {
        return Err(RenderError::DefinitionTooLong(body.len()));
    }
    let sha256 = hex(&Sha256::digest(body.as_bytes()));
    Ok(Definition { body, sha256 })
}

struct Renderer<'a> {
    pipeline: &'a Pipeline,
    environment: &'a Environment,
}

impl Renderer<'_> {
    fn parameters(&self) -> Result<Vec<Value>, RenderError> {
        let mut input = json!({"Name": INPUT_DATA_URI, "Type": "String"});
        if let (Some(arrival), Some(members)) = (self.pipeline.arrival(), input.as_object_mut()) {
            let address = self.environment.s3_uri(arrival.prefix.as_str());
            members.insert("DefaultValue".to_owned(), address.into());
        }
        let declared = self.pipeline.parameters().iter().map(|(name, default)| {
            if let Scalar::String(text) = default {
                bounded(format!("parameter `{name}`"), text, VALUE_LIMIT)?;
            }
            Ok(json!({"Name": name, "Type": default.type_name(), "DefaultValue": default.json()}))
        });
        std::iter::once(Ok(input)).chain(declared).collect()
    }

    fn step(&self, step: &Step) -> Result<Value, RenderError> {
        let (kind, arguments) = match &step.work {
            Work::Processing { outputs, arguments } => {
                let outputs: Vec<&str> = outputs.iter().map(AsRef::as_ref).collect();
                ("Processing", self.processing(step, &outputs, arguments)?)
            }
            Work::Evaluation { arguments, .. } => ("Processing", self.processing(step, &[REPORT_OUTPUT], arguments)?),
            Work::Training { hyperparameters } => ("Training", self.training(step, hyperparameters.iter())?),
        };
        let mut rendered = Map::new();
        rendered.insert("Name".to_owned(), json!(step.name));
        rendered.insert("Type".to_owned(), kind.into());
        rendered.insert("Arguments".to_owned(), arguments);
        if let Some(retries) = &step.retries {
            rendered.insert("RetryPolicies".to_owned(), retry_policies(retries));
        }
        if let Some(cache) = step.cache {
            rendered.insert("CacheConfig".to_owned(), json!({"Enabled": true, "ExpireAfter": cache.iso8601()}));
        }
        if let Work::Evaluation { report, .. } = &step.work {
            let file = json!({"PropertyFileName": REPORT_OUTPUT, "OutputName": REPORT_OUTPUT, "FilePath": report});
            rendered.insert("PropertyFiles".to_owned(), json!([file]));
        }
        Ok(rendered.into())
    }

    fn processing(&self, step: &Step, outputs: &[&str], arguments: &[Template]) -> Result<Value, RenderError> {
        let code = self.environment.s3_uri(&self.environment.code().source_prefix(self.pipeline.name()));
        let mut inputs = vec![processing_input("code", code.into())];
        for (name, source) in &step.inputs {
            inputs.push(processing_input(name.as_str(), self.source(step, name, source)?));
        }
        let outputs: Vec<Value> = outputs
            .iter()
            .map(|name| {
                json!({
                    "OutputName": name,
                    "AppManaged": false,
                    "S3Output": {
                        "S3Uri": self.run_address(&format!("{}/{name}", step.name)),
                        "LocalPath": format!("{PROCESSING_OUTPUT}/{name}"),
                        "S3UploadMode": "EndOfJob",
                    },
                })
            })
            .collect();
        let mut specification = Map::new();
        specification.insert("ImageUri".to_owned(), self.image(step)?.into());
        specification.insert("ContainerEntrypoint".to_owned(), entrypoint(&step.script));
        if !arguments.is_empty() {
            // SageMaker refuses an empty list.
            let filled = arguments
                .iter()
                .map(|argument| self.fill(argument, ARGUMENT_LIMIT, || format!("an argument of step `{}`", step.name)))
                .collect::<Result<Vec<_>, _>>()?;
            specification.insert("ContainerArguments".to_owned(), filled.into());
        }
        let mut output = Map::new();
        output.insert("Outputs".to_owned(), outputs.into());
        self.output_key(&mut output);
        let mut rendered = Map::new();
        rendered.insert("ProcessingResources".to_owned(), json!({"ClusterConfig": self.cluster(step)}));
        rendered.insert("AppSpecification".to_owned(), specification.into());
        rendered.insert("RoleArn".to_owned(), self.environment.job_role_arn().into());
        rendered.insert("ProcessingInputs".to_owned(), inputs.into());
        rendered.insert("ProcessingOutputConfig".to_owned(), output.into());
        rendered.insert("StoppingCondition".to_owned(), json!({"MaxRuntimeInSeconds": step.max_runtime.seconds()}));
        let network = self.network();
        if !network.is_empty() {
            rendered.insert("NetworkConfig".to_owned(), network.into());
        }
        Ok(rendered.into())
    }

    fn training<'h>(
        &self,
        step: &Step,
        hyperparameters: impl Iterator<Item = (&'h HyperparameterName, &'h Setting)>,
    ) -> Result<Value, RenderError> {
        let mut settings = Map::new();
        for (name, setting) in hyperparameters {
            let what = || format!("hyperparameter `{name}` of step `{}`", step.name);
            let value = match setting {
                Setting::Plain(scalar) => {
                    let text = scalar.json().to_string();
                    bounded(what(), &text, HYPERPARAMETER_LIMIT)?;
                    text.into()
                }
                Setting::Template(template) => self.setting(template, what)?,
            };
            settings.insert(name.to_string(), value);
        }
        // What the training toolkit inside the image reads; like every hyperparameter, JSON in a string.
        let archive = self.environment.s3_uri(&self.environment.code().archive_key(self.pipeline.name()));
        for (name, text) in [
            ("sagemaker_program", step.script.within_source()),
            ("sagemaker_region", self.environment.region()),
            ("sagemaker_submit_directory", &archive),
        ] {
            settings.insert(name.to_owned(), Value::from(text).to_string().into());
        }
        let mut channels = Vec::new();
        for (name, source) in &step.inputs {
            channels.push(json!({
                "ChannelName": name,
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": self.source(step, name, source)?,
                        "S3DataDistributionType": "FullyReplicated",
                    },
                },
            }));
        }
        let mut arguments = Map::new();
        arguments.insert(
            "AlgorithmSpecification".to_owned(),
            json!({"TrainingImage": self.image(step)?, "TrainingInputMode": "File"}),
        );
        arguments.insert("RoleArn".to_owned(), self.environment.job_role_arn().into());
        if !channels.is_empty() {
            // SageMaker refuses an empty list.
            arguments.insert("InputDataConfig".to_owned(), channels.into());
        }
        let mut output = Map::new();
        output.insert("S3OutputPath".to_owned(), self.run_address(step.name.as_str()));
        self.output_key(&mut output);
        arguments.insert("OutputDataConfig".to_owned(), output.into());
        arguments.insert("ResourceConfig".to_owned(), self.cluster(step).into());
        arguments.insert("StoppingCondition".to_owned(), json!({"MaxRuntimeInSeconds": step.max_runtime.seconds()}));
        arguments.insert("HyperParameters".to_owned(), settings.into());
        // What a processing job has in a member, a training job has beside the others.
        arguments.extend(self.network());
        Ok(arguments.into())
    }

    fn cluster(&self, step: &Step) -> Map<String, Value> {
        let mut cluster = Map::new();
        cluster.insert("InstanceType".to_owned(), instance(&step.instance));
        cluster.insert("InstanceCount".to_owned(), 1.into());
        cluster.insert("VolumeSizeInGB".to_owned(), json!(step.volume));
        let usual = self.usual_instance(step);
        if let Some(key) = self.environment.security().volume_key_for(usual.as_ref()) {
            cluster.insert("VolumeKmsKeyId".to_owned(), key.into());
        }
        cluster
    }

    fn output_key(&self, output: &mut Map<String, Value>) {
        if let Some(key) = &self.environment.security().output_key {
            output.insert("KmsKeyId".to_owned(), json!(key));
        }
    }

    /// Encryption between containers, and the network; empty where nothing is set.
    fn network(&self) -> Map<String, Value> {
        let security = self.environment.security();
        let mut members = Map::new();
        if security.encrypts_traffic() {
            members.insert("EnableInterContainerTrafficEncryption".to_owned(), true.into());
        }
        if let Some(network) = &security.network {
            let groups: Vec<&str> = network.security_groups().collect();
            let subnets: Vec<&str> = network.subnets().collect();
            members.insert("VpcConfig".to_owned(), json!({"SecurityGroupIds": groups, "Subnets": subnets}));
        }
        members
    }

    fn image(&self, step: &Step) -> Result<String, RenderError> {
        image_uri(&step.image, ImageUse::Job, self.usual_instance(step).as_ref(), self.environment.region())
    }

    /// With the instance in a parameter, its default decides whether the GPU's image is wanted, and whether a key for a
    /// volume.
    fn usual_instance(&self, step: &Step) -> Option<InstanceType> {
        match &step.instance {
            Instance::Type(instance) => Some(instance.clone()),
            Instance::Parameter(name) => match self.pipeline.parameters().get(name) {
                Some(Scalar::String(text)) => InstanceType::new(text.as_str()).ok(),
                _ => None,
            },
        }
    }

    /// `s3://<bucket>/runs/<pipeline>/<execution id>/<rest>`
    fn run_address(&self, rest: &str) -> Value {
        let start = self.environment.s3_uri(&format!("runs/{}", self.pipeline.name()));
        json!({"Std:Join": {"On": "/", "Values": [start, {"Get": "Execution.PipelineExecutionId"}, rest]}})
    }

    /// The `Get` of another step's output is also what makes SageMaker wait for that step.
    fn source(&self, step: &Step, name: &InputName, source: &Source) -> Result<Value, RenderError> {
        match source {
            Source::Uri(template) => {
                self.fill(template, VALUE_LIMIT, || format!("input `{name}` of step `{}`", step.name))
            }
            Source::Step { step: from, output } => {
                let training =
                    self.pipeline.step(from.as_str()).is_some_and(|step| matches!(step.work, Work::Training { .. }));
                let path = if training && output.as_str() == MODEL_OUTPUT {
                    format!("Steps.{from}.ModelArtifacts.S3ModelArtifacts")
                } else {
                    format!("Steps.{from}.ProcessingOutputConfig.Outputs['{output}'].S3Output.S3Uri")
                };
                Ok(json!({"Get": path}))
            }
        }
    }

    /// A template as text, as a `Get`, or as a `Std:Join` of both.
    fn fill(&self, template: &Template, limit: usize, what: impl FnOnce() -> String) -> Result<Value, RenderError> {
        if let Some(name) = template.sole_parameter()
            && self.is_text(name)
        {
            return Ok(get_parameter(name));
        }
        self.join(template, limit, what)
    }

    /// A hyperparameter must be a string whatever the parameter is, and so is always joined.
    fn setting(&self, template: &Template, what: impl FnOnce() -> String) -> Result<Value, RenderError> {
        if template.parameters().next().is_some() {
            return self.join(template, HYPERPARAMETER_LIMIT, what);
        }
        match self.join(template, HYPERPARAMETER_LIMIT, what)? {
            Value::String(text) => Ok(Value::from(text).to_string().into()),
            joined => Ok(joined),
        }
    }

    fn join(&self, template: &Template, limit: usize, what: impl FnOnce() -> String) -> Result<Value, RenderError> {
        let mut values: Vec<Value> = Vec::new();
        let mut text = String::new();
        let mut length = 0;
        for part in template.parts() {
            let piece = match part {
                Part::Text(piece) => piece,
                Part::Bucket => self.environment.bucket(),
                Part::Account => self.environment.account(),
                Part::Region => self.environment.region(),
                Part::Parameter(name) => {
                    if !text.is_empty() {
                        values.push(std::mem::take(&mut text).into());
                    }
                    values.push(get_parameter(name));
                    continue;
                }
            };
            length += piece.chars().count();
            text.push_str(piece);
        }
        if length > limit {
            return Err(RenderError::TooLong { what: what(), length, limit });
        }
        if values.is_empty() {
            return Ok(text.into());
        }
        if !text.is_empty() {
            values.push(text.into());
        }
        Ok(json!({"Std:Join": {"On": "", "Values": values}}))
    }

    fn is_text(&self, name: &ParameterName) -> bool {
        name.as_str() == INPUT_DATA_URI || matches!(self.pipeline.parameters().get(name), Some(Scalar::String(_)))
    }
}

fn bounded(what: String, text: &str, limit: usize) -> Result<(), RenderError> {
    let length = text.chars().count();
    if length > limit { Err(RenderError::TooLong { what, length, limit }) } else { Ok(()) }
}

fn get_parameter(name: &ParameterName) -> Value {
    json!({"Get": format!("Parameters.{name}")})
}

fn instance(instance: &Instance) -> Value {
    match instance {
        Instance::Type(instance) => json!(instance),
        Instance::Parameter(name) => get_parameter(name),
    }
}

fn entrypoint(script: &ScriptPath) -> Value {
    json!(["python3", format!("{PROCESSING_INPUT}/code/{}", script.within_source())])
}

fn processing_input(name: &str, address: Value) -> Value {
    json!({
        "InputName": name,
        "AppManaged": false,
        "S3Input": {
            "S3Uri": address,
            "LocalPath": format!("{PROCESSING_INPUT}/{name}"),
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
            "S3DataDistributionType": "FullyReplicated",
            "S3CompressionType": "None",
        },
    })
}

/// SageMaker tells faults of the step's start from those of the job, each with a policy of its own.
fn retry_policies(retries: &Retries) -> Value {
    let policy = |exceptions: &[&str]| {
        json!({
            "ExceptionType": exceptions,
            "IntervalSeconds": retries.interval.seconds(),
            "BackoffRate": retries.backoff.get(),
            "MaxAttempts": retries.attempts,
        })
    };
    json!([
        policy(&["Step.SERVICE_FAULT", "Step.THROTTLING"]),
        policy(&["SageMaker.JOB_INTERNAL_ERROR", "SageMaker.CAPACITY_ERROR", "SageMaker.RESOURCE_LIMIT"]),
    ])
}
