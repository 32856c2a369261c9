//! Rules of requests that the service model does not hold.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Kind;
use super::transfer::split_uri;
use crate::api::Error;

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
            uri(request.get("OutputDataConfig").and_then(|config| config.get("S3OutputPath")))
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
            Ok(())
        }
    }
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
}
