//! The Studio stacks' CloudFormation custom resources: `Custom::TidegateStudioGuard` keeps a domain from being replaced by
//! surprise.

mod guard;

use lambda_runtime::LambdaEvent;
use serde_json::Value;

use crate::cloudformation::{Answer, Envelope, HandleError, PhysicalId, respond};

const GUARD: &str = "Custom::TidegateStudioGuard";

/// Carries out a request of CloudFormation, and answers it.
///
/// # Errors
/// Only when CloudFormation could not be answered; Lambda tries again.
pub async fn handle(event: LambdaEvent<Value>) -> Result<(), HandleError> {
    respond(event, |envelope| Box::pin(async move { carry_out(&envelope) })).await
}

fn carry_out(envelope: &Envelope) -> Answer {
    match &*envelope.resource_type {
        GUARD => guard::answer(envelope),
        other => {
            let reason = format!("`{other}` is not known: accepted is `{GUARD}`");
            Answer::failed(PhysicalId::when_failed(envelope), &reason)
        }
    }
}

#[cfg(test)]
mod tests;
