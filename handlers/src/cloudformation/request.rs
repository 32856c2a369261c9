//! What CloudFormation asks (CloudFormation User Guide, "Custom resource request objects").

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use statemachine::text::one_line;

/// The most that is told of what is wrong with a request, in characters.
const REASON_LIMIT: usize = 1000;

/// What is wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", one_line(.0, REASON_LIMIT))]
pub struct RequestError(pub(crate) String);

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum RequestType {
    /// Make it.
    Create,
    /// Change it.
    Update,
    /// Take it away.
    Delete,
}

/// What every request has, and every answer needs.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Envelope {
    /// What is to be done.
    pub request_type: RequestType,
    /// Where the answer goes; signed, and so a secret.
    #[serde(rename = "ResponseURL")]
    pub response_url: String,
    /// The stack's ARN.
    pub stack_id: String,
    /// The request's id.
    pub request_id: String,
    /// The resource's type.
    pub resource_type: String,
    /// The resource's name in the template.
    #[serde(rename = "LogicalResourceId")]
    pub logical_id: String,
    /// What the creation answered; not in a creation.
    #[serde(rename = "PhysicalResourceId")]
    pub physical_id: Option<String>,
    /// The properties of the template, `ServiceToken` among them.
    #[serde(default)]
    pub resource_properties: Value,
    /// Those of before an update; in no other request.
    #[serde(default)]
    pub old_resource_properties: Value,
}

impl Envelope {
    /// # Errors
    /// It is not a request of CloudFormation, and there is nobody to answer.
    pub fn parse(event: &Value) -> Result<Self, RequestError> {
        read(event, "the event")
    }

    /// Region and account of the stack.
    pub(crate) fn stack(&self) -> Option<(&str, &str)> {
        // arn:<partition>:cloudformation:<region>:<account>:stack/<name>/<id>
        let mut parts = self.stack_id.split(':').skip(3);
        Some((parts.next()?, parts.next()?))
    }
}

/// Reads a part of a request; an error names the member.
pub(crate) fn read<T: DeserializeOwned>(value: &Value, what: &str) -> Result<T, RequestError> {
    serde_path_to_error::deserialize(value)
        .map_err(|error| RequestError(format!("{what} cannot be read: `{}`: {}", error.path(), error.inner())))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_no_request_is_an_error() {
        assert!(Envelope::parse(&json!({"RequestType": "Create"})).is_err());
    }
}
