//! The Studio stacks' CloudFormation custom resources: `Custom::TidegateStudioGuard` keeps a domain from being replaced by
//! surprise; `Custom::TidegateStudioContents` and `Custom::TidegateStudioHomes` take with a domain what SageMaker leaves.

mod cleanup;
mod guard;

use std::sync::Arc;
use std::time::Duration;

use lambda_runtime::LambdaEvent;
use serde_json::Value;
use tokio::time::Instant;

use crate::aws::Aws;
use crate::cloudformation::{ANSWER_TIME, Answer, Envelope, HandleError, PhysicalId, respond, time_left};
use cleanup::{CONTENTS, HOMES, Pace};

const GUARD: &str = "Custom::TidegateStudioGuard";

/// Between two looks at what is being deleted. SageMaker takes minutes for an application.
const PAUSE: Duration = Duration::from_secs(5);

/// What is kept of the function's time beside that for the answer: work that is not answered by then is cut off.
const MARGIN: Duration = Duration::from_secs(5);

/// Carries out a request of CloudFormation, and answers it.
///
/// # Errors
/// Only when CloudFormation could not be answered; Lambda tries again.
pub async fn handle(aws: Arc<Aws>, event: LambdaEvent<Value>) -> Result<(), HandleError> {
    handle_at(aws, event, PAUSE).await
}

async fn handle_at(aws: Arc<Aws>, event: LambdaEvent<Value>, pause: Duration) -> Result<(), HandleError> {
    let time = time_left(event.context.deadline).saturating_sub(ANSWER_TIME + MARGIN);
    let pace = Pace { pause, end: Instant::now() + time };
    respond(event, |envelope| Box::pin(async move { carry_out(&aws, &envelope, pace).await })).await
}

async fn carry_out(aws: &Aws, envelope: &Envelope, pace: Pace) -> Answer {
    match &*envelope.resource_type {
        GUARD => guard::answer(envelope),
        CONTENTS | HOMES => cleanup::answer(aws, envelope, pace).await,
        other => {
            let reason = format!("`{other}` is not known: accepted are `{GUARD}`, `{CONTENTS}` and `{HOMES}`");
            Answer::failed(PhysicalId::when_failed(envelope), &reason)
        }
    }
}

#[cfg(test)]
mod tests;
