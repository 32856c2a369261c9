//! Rules of requests that the service model does not hold.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Kind;
use super::transfer::split_uri;
use crate::api::{Error, security};

/// Where a processing job's inputs and outputs must lie.
const PROCESSING: &str = "/opt/ml/processing";

pub(super) fn request(kind: Kind, request: &Map<String, Value>) -> Result<(), Error> {
    let list = |pointer: &str| -> Vec<&Value> {
        let (member, rest) = pointer.split_once('/').unwrap_or((pointer, ""));
        let value = request.get(member);
        let value = if rest.is_empty() { value } else { value.and_then(|value| value.get(rest)) };
        value.and_then(Value::as_array).map(|list| list.iter().collect()).unwrap_or_default()
    };
    match kind {
        Kind::Training => {
            for member in ["AlgorithmSpecification", "ResourceConfig", "StoppingCondition"] {
                if !request.contains_key(member) {
                    return Err(Error::validation(format!("{member} is required")));
                }
            }
            let channels = list("InputDataConfig");
            unique(&channels, "ChannelName")?;
            for channel in channels {
                uri(channel.pointer("/DataSource/S3DataSource/S3Uri"))?;
            }
            uri(request.get("OutputDataConfig").and_then(|config| config.get("S3OutputPath")))?;
            security::network(request.get("VpcConfig"))?;
            encryption(request.get("ResourceConfig"), request.get("OutputDataConfig"))
        }
        Kind::Processing => {
            let inputs = list("ProcessingInputs");
            unique(&inputs, "InputName")?;
            let outputs = list("ProcessingOutputConfig/Outputs");
            unique(&outputs, "OutputName")?;
            let inputs = inputs.iter().filter_map(|input| input.get("S3Input"));
            let outputs = outputs.iter().filter_map(|output| output.get("S3Output"));
            for place in inputs.chain(outputs) {
                uri(place.get("S3Uri"))?;
                local_path(place.get("LocalPath"))?;
            }
            security::network(request.get("NetworkConfig").and_then(|config| config.get("VpcConfig")))?;
            let cluster = request.get("ProcessingResources").and_then(|resources| resources.get("ClusterConfig"));
            encryption(cluster, request.get("ProcessingOutputConfig"))
        }
    }
}

fn encryption(instances: Option<&Value>, output: Option<&Value>) -> Result<(), Error> {
    let member = |value: Option<&Value>, name: &str| value.and_then(|value| value.get(name)).cloned();
    let (key, instance) = (member(instances, "VolumeKmsKeyId"), member(instances, "InstanceType"));
    security::volume_key("VolumeKmsKeyId", key.as_ref(), instance.as_ref())?;
    security::key("KmsKeyId", member(output, "KmsKeyId").as_ref(), true)
}

fn unique(items: &[&Value], member: &str) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    let twice = items.iter().filter_map(|item| item.get(member)?.as_str()).find(|name| !seen.insert(*name));
    match twice {
        Some(name) => Err(Error::validation(format!("{member} must be unique, `{name}` appears twice"))),
        None => Ok(()),
    }
}

fn uri(value: Option<&Value>) -> Result<(), Error> {
    match value.and_then(Value::as_str) {
        Some(text) => split_uri(text).map(drop).map_err(|error| Error::validation(error.to_string())),
        None => Ok(()),
    }
}

fn local_path(value: Option<&Value>) -> Result<(), Error> {
    let Some(text) = value.and_then(Value::as_str) else { return Ok(()) };
    let below = text.strip_prefix(PROCESSING).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if below && !text.split('/').any(|part| part == "..") {
        return Ok(());
    }
    Err(Error::validation(format!("LocalPath `{text}` must be {PROCESSING} or below it")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn check(kind: Kind, value: Value) -> Result<(), Error> {
        request(kind, value.as_object().unwrap())
    }

    #[test]
    fn paths_uris_and_names_are_checked() {
        let input = |path: &str, uri: &str| {
            check(
                Kind::Processing,
                json!({"ProcessingInputs": [{"InputName": "a", "S3Input": {"S3Uri": uri, "LocalPath": path}}]}),
            )
        };
        assert!(input("/opt/ml/processing/input", "s3://b/x").is_ok());
        assert!(input("/opt/ml/processing", "s3://b/x").is_ok());
        assert!(input("/opt/ml/processing2", "s3://b/x").is_err());
        assert!(input("/opt/ml/processing/../../x", "s3://b/x").is_err());
        assert!(input("/tmp", "s3://b/x").is_err());
        assert!(input("/opt/ml/processing/input", "b/x").is_err());
        let outputs = json!([{"OutputName": "a"}, {"OutputName": "a"}]);
        assert!(check(Kind::Processing, json!({"ProcessingOutputConfig": {"Outputs": outputs}})).is_err());
        assert!(check(Kind::Training, json!({})).is_err());
    }
    #[test]
    fn e10_network_and_keys_of_both_kinds_are_checked() {
        const KEY: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";
        let training = |instance: &str, volume: &str, output: &str, subnet: &str| {
            let request = json!({
                "AlgorithmSpecification": {}, "StoppingCondition": {},
                "ResourceConfig": {"InstanceType": instance, "VolumeKmsKeyId": volume},
                "OutputDataConfig": {"S3OutputPath": "s3://b/x", "KmsKeyId": output},
                "EnableInterContainerTrafficEncryption": true,
                "VpcConfig": {"Subnets": [subnet], "SecurityGroupIds": ["sg-1"]},
            });
            check(Kind::Training, request)
        };
        let processing = |instance: &str, volume: &str, output: &str, subnet: &str| {
            let request = json!({
                "ProcessingResources": {"ClusterConfig": {"InstanceType": instance, "VolumeKmsKeyId": volume}},
                "ProcessingOutputConfig": {"Outputs": [], "KmsKeyId": output},
                "NetworkConfig": {
                    "EnableInterContainerTrafficEncryption": true,
                    "VpcConfig": {"Subnets": [subnet], "SecurityGroupIds": ["sg-1"]},
                },
            });
            check(Kind::Processing, request)
        };
        for (instance, volume, output, subnet, good) in [
            ("ml.m5.large", KEY, KEY, "subnet-1", true),
            ("ml.m5.large", KEY, "alias/x", "subnet-1", true),
            ("ml.m5.large", "alias/x", KEY, "subnet-1", false),
            ("ml.g5.xlarge", KEY, KEY, "subnet-1", false),
            ("ml.m5.large", KEY, "nothing", "subnet-1", false),
            ("ml.m5.large", KEY, KEY, "sg-1", false),
        ] {
            for found in [training(instance, volume, output, subnet), processing(instance, volume, output, subnet)] {
                assert_eq!(found.is_ok(), good, "{instance} {volume} {output} {subnet}: {found:?}");
            }
        }
    }
}
