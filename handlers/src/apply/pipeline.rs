//! The SageMaker pipeline.

use aws_sdk_sagemaker::Client;
use serde_json::Value;

use super::prepare::Prepared;
use super::{ApplyError, Deployment};
use crate::effects::{CallError, EffectError, Meaning};

/// What SageMaker has.
#[derive(Debug)]
pub(super) struct Known {
    arn: String,
    pub(super) definition: Option<String>,
    description: String,
    role_arn: String,
}

pub(super) async fn known(client: &Client, name: &str) -> Result<Option<Known>, ApplyError> {
    match client.describe_pipeline().pipeline_name(name).send().await {
        Ok(answer) => Ok(Some(Known {
            arn: answer.pipeline_arn.unwrap_or_default(),
            definition: answer.pipeline_definition,
            description: answer.pipeline_description.unwrap_or_default(),
            role_arn: answer.role_arn.unwrap_or_default(),
        })),
        Err(error) => match CallError::of(error) {
            error if error.meaning == Meaning::Missing => Ok(None),
            error => Err(error.effect(format_args!("pipeline `{name}` cannot be looked at")).into()),
        },
    }
}

impl Known {
    pub(super) fn differences(&self, prepared: &Prepared, deployment: &Deployment) -> Vec<String> {
        let mut differences = Vec::new();
        // By value: SageMaker need not give back the bytes that it was given.
        let read = |text: &str| serde_json::from_str::<Value>(text).ok();
        if self.definition.as_deref().and_then(read) != read(&prepared.definition.body) {
            differences.push("definition".to_owned());
        }
        if self.description != description(prepared) {
            differences.push("description".to_owned());
        }
        if self.role_arn != deployment.pipeline_role_arn {
            differences.push(format!("role {} becomes {}", self.role_arn, deployment.pipeline_role_arn));
        }
        differences
    }
}

fn description(prepared: &Prepared) -> &str {
    prepared.pipeline.description().map(AsRef::as_ref).unwrap_or_default()
}

/// Answers with the ARN. The token of a creation is the SDK's own, new each time: with one made of the content, a
/// pipeline that was deleted and made again could be taken for made already.
pub(super) async fn reconcile(
    client: &Client,
    deployment: &Deployment,
    prepared: &Prepared,
    known: Option<&Known>,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<String, ApplyError> {
    let name = prepared.pipeline.name().as_str();
    let (definition, role) = (&prepared.definition.body, &deployment.pipeline_role_arn);
    let arn = match known {
        Some(known) if known.differences(prepared, deployment).is_empty() => return Ok(known.arn.clone()),
        Some(_) => {
            let request = client.update_pipeline().pipeline_name(name).pipeline_definition(definition).role_arn(role);
            let answer = request.pipeline_description(description(prepared)).send().await;
            let answer = answer.map_err(|error| refused(CallError::of(error), name, "updated"))?;
            progress(&format!("pipeline `{name}`: updated"));
            answer.pipeline_arn
        }
        None => {
            let request = client.create_pipeline().pipeline_name(name).pipeline_definition(definition).role_arn(role);
            let answer = request.pipeline_description(description(prepared)).send().await;
            let answer = answer.map_err(|error| refused(CallError::of(error), name, "created"))?;
            progress(&format!("pipeline `{name}`: created"));
            answer.pipeline_arn
        }
    };
    arn.ok_or_else(|| EffectError::Retry(format!("SageMaker made pipeline `{name}` and did not say its ARN")).into())
}

fn refused(error: CallError, name: &str, verb: &str) -> ApplyError {
    error.effect(format_args!("pipeline `{name}` cannot be {verb}")).into()
}
