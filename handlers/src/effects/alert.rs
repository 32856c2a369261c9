//! Tell people.

use aws_sdk_sns::Client;
use aws_sdk_sns::types::MessageAttributeValue;
use statemachine::alert::Alert;

use super::{CallError, EffectError};

/// Publishes. SNS knows no token for a standard topic: an alert whose acknowledgement was lost is sent again, and a
/// mail that comes twice is better than one that never comes.
pub(super) async fn publish(client: &Client, topic: &str, alert: &Alert) -> Result<(), EffectError> {
    let mut request = client.publish().topic_arn(topic).subject(&alert.subject).message(&alert.body);
    for (name, value) in
        [("pipeline", &*alert.pipeline), ("cause", alert.cause.name()), ("severity", alert.cause.severity())]
    {
        let value = MessageAttributeValue::builder().data_type("String").string_value(value).build();
        let value = value.map_err(|error| EffectError::Permanent(format!("the alert cannot be made: {error}")))?;
        request = request.message_attributes(name, value);
    }
    let sent = request.send().await;
    sent.map(drop).map_err(|error| CallError::of(error).effect(format_args!("the alert cannot be sent to `{topic}`")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use statemachine::alert::Cause;

    use super::super::testing::{Answer, Fake};
    use super::*;

    fn alert() -> Alert {
        Alert {
            cause: Cause::RolledBack,
            pipeline: "tumours".into(),
            subject: "Tidegate: tumours".into(),
            body: "Reason: it did not answer".into(),
        }
    }

    #[tokio::test]
    async fn subscriptions_can_filter_by_pipeline_cause_and_severity() {
        let fake = Fake::new([Answer::xml(200, "<PublishResponse><PublishResult/></PublishResponse>")]);
        publish(fake.aws().sns(), "arn:topic", &alert()).await.unwrap();
        let body = fake.requests()[0].body.clone();
        for part in ["TopicArn=arn%3Atopic", "Subject=Tidegate", "rolled_back", "warning", "tumours"] {
            assert!(body.contains(part), "{part} in {body}");
        }
    }

    #[tokio::test]
    async fn a_topic_that_is_gone_is_no_reason_to_try_again() {
        let answer = "<ErrorResponse><Error><Code>NotFound</Code><Message>Topic does not exist</Message></Error>\
                      </ErrorResponse>";
        let error =
            publish(Fake::new([Answer::xml(404, answer)]).aws().sns(), "arn:topic", &alert()).await.unwrap_err();
        assert!(matches!(error, EffectError::Permanent(_)), "{error}");
    }
}
