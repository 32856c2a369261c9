//! Stop an execution.

use aws_sdk_sagemaker::Client;

use super::{CallError, EffectError, Meaning};

/// Asks SageMaker to stop an execution. One that has ended already, or is gone, needs no stopping.
pub(super) async fn stop(client: &Client, arn: &str, token: &str) -> Result<(), EffectError> {
    let asked = client.stop_pipeline_execution().pipeline_execution_arn(arn).client_request_token(token).send().await;
    match asked.map_err(CallError::of) {
        Ok(_) => Ok(()),
        Err(error) if matches!(error.meaning, Meaning::Missing | Meaning::Refused) => {
            tracing::info!(execution = arn, error = %error, "there is nothing to stop");
            Ok(())
        }
        Err(error) => Err(error.effect(format_args!("execution {arn} cannot be stopped"))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::super::testing::{Answer, Fake};
    use super::*;

    #[tokio::test]
    async fn an_execution_that_has_ended_counts_as_stopped() {
        let ended = r#"{"__type":"ValidationException","message":"Only Executing executions can be stopped."}"#;
        let fake = Fake::new([Answer::json(400, ended)]);
        stop(fake.aws().sagemaker(), "arn", "t0ken").await.unwrap();
        assert_eq!(fake.requests()[0].json()["ClientRequestToken"], "t0ken");
    }

    #[tokio::test]
    async fn a_refusal_for_want_of_rights_is_told() {
        let denied = r#"{"__type":"AccessDeniedException","message":"no"}"#;
        let fake = Fake::new([Answer::json(400, denied)]);
        assert!(matches!(stop(fake.aws().sagemaker(), "arn", "t").await, Err(EffectError::Permanent(_))));
    }
}
