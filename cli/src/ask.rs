//! Errands that a function does for a person: the function, and not this program, changes the ledger.

use std::time::Duration;

use aws_sdk_lambda::config::timeout::TimeoutConfig;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use handlers::apply::Deployment;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use statemachine::RunId;
use statemachine::run::Phase;
use statemachine::text::one_line;

use crate::error::Error;
use crate::target::Session;

/// The function has 30 s; it may have to start first.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// What the function answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) run: RunId,
    pub(crate) phase: Phase,
    /// Whether there was such a run before.
    pub(crate) existed: bool,
}

/// Asks the function that schedules call, and waits for its answer. Every errand may be asked for twice.
pub(crate) async fn on_schedule(session: &Session, errand: &Value) -> Result<Answer, Error> {
    let function = Deployment::load(&session.ledger()).await?.schedule_function_arn;
    let name = function.rsplit(':').next().unwrap_or_default().to_owned();
    let request = session.lambda().invoke().function_name(&function).invocation_type(InvocationType::RequestResponse);
    let patient = TimeoutConfig::builder().operation_attempt_timeout(ANSWER_WITHIN).build();
    let config = aws_sdk_lambda::config::Builder::new().timeout_config(patient);
    let request = request.payload(Blob::new(errand.to_string()));
    let answer = request.customize().config_override(config).send().await;
    let answer = answer.map_err(|error| Error::aws(format!("function `{name}` cannot be asked"), error))?;
    let payload = answer.payload().map(Blob::as_ref).unwrap_or_default();
    read(&name, answer.function_error(), payload)
}

fn read(name: &str, error: Option<&str>, payload: &[u8]) -> Result<Answer, Error> {
    let said: Value = serde_json::from_slice(payload).unwrap_or_default();
    if let Some(error) = error {
        let message = said.get("errorMessage").and_then(Value::as_str).unwrap_or(error);
        // The function speaks of the event that it was given; a person gave a command.
        let message = message.strip_prefix("the event cannot be read: ").unwrap_or(message);
        return Err(Error::failed(format!("function `{name}` failed: {}", one_line(message, 1000)))
            .hint(format!("its log tells more: `tidegate local logs {}`, or CloudWatch Logs", short(name))));
    }
    serde_json::from_value(said).map_err(|problem| {
        Error::failed(format!("function `{name}` answered something else than a run: {problem}"))
            .hint("this program and the deployed functions are of different versions: deploy the stack again")
    })
}

/// The function's name without the deployment's prefix.
fn short(name: &str) -> &str {
    name.find("on-schedule").and_then(|at| name.get(at..)).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_run_and_an_error_one_line() {
        let good = br#"{"run":"r-0123456789abcdef","phase":"starting","existed":false}"#;
        let answer = read("tidegate-on-schedule", None, good).unwrap();
        assert_eq!((answer.run.as_str(), answer.phase), ("r-0123456789abcdef", Phase::Starting));
        let said = br#"{"errorType":"E","errorMessage":"the event cannot be read: `pipeline` is `p`,\nand"}"#;
        let error = read("tidegate-on-schedule", Some("Unhandled"), said).unwrap_err();
        assert_eq!(error.lines, ["function `tidegate-on-schedule` failed: `pipeline` is `p`, and"]);
        assert!(error.hint.is_some_and(|hint| hint.contains("tidegate local logs on-schedule")));
        assert_eq!(read("f", Some("Unhandled"), b"").unwrap_err().lines, ["function `f` failed: Unhandled"]);
        assert!(read("f", None, b"null").unwrap_err().hint.is_some_and(|hint| hint.contains("versions")));
    }
}
