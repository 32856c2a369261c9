//! What CloudFormation is answered (CloudFormation User Guide, "Custom resource response objects").

use serde_json::{Map, Value, json};
use statemachine::text::one_line;

use super::{Envelope, RequestType};

/// The largest answer, in bytes.
const BODY_LIMIT: usize = 4096;

/// The longest reason, in characters.
const REASON_LIMIT: usize = 1000;

/// The id under which CloudFormation knows a resource. Another id after an update means another resource, and the old
/// one is deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhysicalId(String);

impl PhysicalId {
    /// An id; CloudFormation takes 1 to 1024 characters.
    pub(crate) fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Of a request that failed: what it was, or for a creation one that stands for nothing, so that the deletion which
    /// rolls it back finds nothing to delete.
    #[must_use]
    pub fn when_failed(envelope: &Envelope) -> Self {
        match (&envelope.physical_id, envelope.request_type) {
            (Some(id), RequestType::Update | RequestType::Delete) => Self(id.clone()),
            _ => Self("tidegate-not-made".to_owned()),
        }
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    id: PhysicalId,
    outcome: Result<Value, String>,
}

impl Answer {
    /// It is done; `data` is what `GetAtt` reads.
    #[must_use]
    pub fn done(id: PhysicalId, data: Value) -> Self {
        Self { id, outcome: Ok(data) }
    }

    /// It is not; `reason` is shown in the stack's events. Its lines are joined, for there it has only one.
    #[must_use]
    pub fn failed(id: PhysicalId, reason: &str) -> Self {
        let reason = one_line(&reason.lines().collect::<Vec<_>>().join("; "), REASON_LIMIT);
        Self { id, outcome: Err(reason) }
    }

    /// Why it failed.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.outcome.as_ref().err().map(String::as_str)
    }

    /// The JSON text; the reason is cut where the whole would be too long.
    #[must_use]
    pub fn body(&self, envelope: &Envelope) -> String {
        let mut limit = REASON_LIMIT;
        loop {
            let body = self.with_reason(envelope, limit);
            if body.len() <= BODY_LIMIT || limit < 2 {
                return body;
            }
            limit /= 2;
        }
    }

    fn with_reason(&self, envelope: &Envelope, limit: usize) -> String {
        let mut body = Map::new();
        let mut put = |name: &str, value: Value| drop(body.insert(name.to_owned(), value));
        put("Status", if self.outcome.is_ok() { "SUCCESS".into() } else { "FAILED".into() });
        put("PhysicalResourceId", json!(self.id.0));
        put("StackId", json!(envelope.stack_id));
        put("RequestId", json!(envelope.request_id));
        put("LogicalResourceId", json!(envelope.logical_id));
        match &self.outcome {
            Ok(data) => put("Data", data.clone()),
            Err(reason) => put("Reason", json!(one_line(reason, limit))),
        }
        Value::from(body).to_string()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::cloudformation::testing::request;

    fn id(text: &str) -> PhysicalId {
        PhysicalId::new(text)
    }

    fn envelope(kind: &str, id: Option<&str>) -> Envelope {
        Envelope::parse(&request(kind, "Custom::TidegatePipeline", &json!({}), id)).unwrap()
    }

    #[test]
    fn a_success_carries_what_get_att_reads() {
        let answer = Answer::done(id("tidegate-pipeline/p"), json!({"PipelineArn": "arn:p"}));
        let body: Value = serde_json::from_str(&answer.body(&envelope("Create", None))).unwrap();
        assert_eq!(body["Status"], "SUCCESS");
        assert_eq!(body["PhysicalResourceId"], "tidegate-pipeline/p");
        assert_eq!(body["Data"]["PipelineArn"], "arn:p");
        assert_eq!(body["RequestId"], "r-1");
        assert_eq!(body["LogicalResourceId"], "Pipeline");
        assert!(body.get("Reason").is_none());
    }

    #[test]
    fn a_failure_keeps_the_id_that_was_and_gives_a_creation_one_that_stands_for_nothing() {
        assert_eq!(PhysicalId::when_failed(&envelope("Update", Some("old"))), PhysicalId("old".into()));
        let none = PhysicalId::when_failed(&envelope("Create", None));
        assert_eq!(none, PhysicalId("tidegate-not-made".into()));
    }

    #[test]
    fn a_reason_is_one_clean_line() {
        let answer = Answer::failed(id("x"), "pipeline.yaml:1:1: bad\u{1b}[2J\npipeline.yaml:2:1: worse");
        assert_eq!(answer.reason(), Some("pipeline.yaml:1:1: bad [2J; pipeline.yaml:2:1: worse"));
    }

    #[test]
    fn no_answer_is_longer_than_cloudformation_takes() {
        for reason in ["\"\\".repeat(5000), "ü😀".repeat(5000), String::new()] {
            let body = Answer::failed(id(&"p".repeat(256)), &reason).body(&envelope("Create", None));
            assert!(body.len() <= BODY_LIMIT, "{}", body.len());
            assert!(serde_json::from_str::<Value>(&body).is_ok());
        }
    }
}
