//! One dead letter, in whichever of three shapes it was stored.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::queues::FUNCTIONS;
use super::{Kind, Queue, Subject};

/// A message as SQS hands it out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Raw {
    pub(crate) id: String,
    pub(crate) body: String,
    /// When it came into the queue.
    pub(crate) sent: Option<Timestamp>,
    /// Its message attributes; SQS's own are not among them.
    pub(crate) attributes: BTreeMap<String, String>,
}

/// An event that did not come through, and why.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Letter {
    /// The message's id.
    pub(crate) id: String,
    pub(crate) queue: String,
    pub(crate) kind: Kind,
    /// The function that it was meant for, without the deployment's prefix.
    pub(crate) function: String,
    /// When it came into the queue.
    pub(crate) at: Option<Timestamp>,
    #[serde(flatten)]
    pub(crate) subject: Subject,
    /// Why, in the words of the function or of the service that could not hand it over.
    pub(crate) error: Option<String>,
    /// How often it was tried.
    pub(crate) attempts: Option<u64>,
    /// What ended the attempts, such as `RetriesExhausted`.
    pub(crate) condition: Option<String>,
    pub(crate) attributes: BTreeMap<String, String>,
    /// The event as the function would get it; `null` where it is not known.
    pub(crate) event: Value,
    /// Why the event cannot be given to the function again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lost: Option<String>,
}

impl Letter {
    /// Reads a message. Whatever it is, there is a letter: what cannot be read can still be seen and dropped.
    pub(crate) fn read(prefix: &str, queue: &Queue, raw: Raw) -> Self {
        let attribute = |name: &str| raw.attributes.get(name).map(String::as_str);
        let body: Result<Value, serde_json::Error> = serde_json::from_str(&raw.body);
        let stored = match (&body, queue.kind) {
            (Err(error), _) => Stored {
                event: Value::String(raw.body.clone()),
                lost: Some(format!("the message is not JSON: {error}")),
                ..Stored::default()
            },
            (Ok(record), Kind::Failed) => Stored::of_failure(record),
            (Ok(event), Kind::Undelivered | Kind::Firing) => Stored {
                event: event.clone(),
                error: match (attribute("ERROR_CODE"), attribute("ERROR_MESSAGE")) {
                    (Some(code), Some(message)) => Some(format!("{code}: {message}")),
                    (code, message) => code.or(message).map(str::to_owned),
                },
                // The first attempt is no retry.
                attempts: attribute("RETRY_ATTEMPTS").and_then(|text| text.parse::<u64>().ok()).map(|n| n + 1),
                condition: attribute("EXHAUSTED_RETRY_CONDITION").map(str::to_owned),
                lost: (attribute("IS_PAYLOAD_TRUNCATED") == Some("true"))
                    .then(|| "EventBridge Scheduler has cut the event to fit the queue".to_owned()),
            },
        };
        Self {
            id: raw.id,
            queue: queue.name.clone(),
            kind: queue.kind,
            function: target(prefix, attribute("TARGET_ARN")).unwrap_or(queue.function).to_owned(),
            at: raw.sent,
            subject: Subject::of(&stored.event),
            error: stored.error,
            attempts: stored.attempts,
            condition: stored.condition,
            attributes: raw.attributes,
            event: stored.event,
            lost: stored.lost,
        }
    }

    /// The beginning of the id, as it is listed.
    pub(crate) fn short(&self) -> &str {
        self.id.get(..8).unwrap_or(&self.id)
    }
}

/// The function of this deployment that an ARN names.
fn target(prefix: &str, arn: Option<&str>) -> Option<&'static str> {
    let name = arn?.split_once(":function:")?.1.split(':').next()?;
    let own = name.strip_prefix(prefix)?.strip_prefix('-')?;
    FUNCTIONS.into_iter().find(|known| *known == own)
}

#[derive(Default)]
struct Stored {
    event: Value,
    error: Option<String>,
    attempts: Option<u64>,
    condition: Option<String>,
    lost: Option<String>,
}

impl Stored {
    /// Lambda's record of an asynchronous invocation that failed (Lambda developer guide, "Retaining records of
    /// asynchronous invocations").
    fn of_failure(record: &Value) -> Self {
        let context = &record["requestContext"];
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let answer = &record["responsePayload"];
        let error =
            match (text(&answer["errorMessage"]), record.pointer("/responseContext/functionError").and_then(text)) {
                (Some(message), _) => Some(message),
                // A function that was killed answers in another form, or not at all.
                (None, Some(error)) if answer.is_null() => Some(error),
                (None, error) => (!answer.is_null()).then(|| answer.to_string()).or(error),
            };
        let known = record.get("requestPayload").is_some();
        Self {
            event: if known { record["requestPayload"].clone() } else { record.clone() },
            error,
            attempts: context["approximateInvokeCount"].as_u64(),
            condition: text(&context["condition"]),
            lost: (!known).then(|| "the message has no `requestPayload`: it is no record of Lambda's".to_owned()),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;

    fn queue(name: &str) -> Queue {
        Queue::of_url("tidegate", &format!("http://127.0.0.1:4566/000000000000/tidegate-{name}")).unwrap()
    }

    pub(crate) fn read(queue_name: &str, body: impl Into<String>, attributes: &[(&str, &str)]) -> Letter {
        let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let id = "0123abcd-0000-4000-8000-000000000000".to_owned();
        let sent = Timestamp::from_second(1_700_000_000).ok();
        Letter::read("tidegate", &queue(queue_name), Raw { id, body: body.into(), sent, attributes })
    }

    fn arrival() -> Value {
        json!({"source": "aws.s3", "detail-type": "Object Created", "account": "1",
               "detail": {"bucket": {"name": "b"}, "object": {"key": "raw/p/x.csv", "size": "large"}}})
    }

    pub(crate) fn failed() -> Letter {
        let record = json!({
            "version": "1.0", "timestamp": "2023-11-14T22:13:20.000Z",
            "requestContext": {"requestId": "r", "functionArn": "arn:aws:lambda:r:0:function:tidegate-on-data-arrival:$LATEST",
                               "condition": "RetriesExhausted", "approximateInvokeCount": 3},
            "requestPayload": arrival(),
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
            "responsePayload": {"errorType": "IntakeError", "errorMessage": "the event cannot be read: `detail.object.size`"},
        });
        read("on-data-arrival-failed", record.to_string(), &[])
    }

    pub(crate) fn firing() -> Letter {
        let body = json!({"pipeline": "p", "name": "nightly", "scheduled_time": "2023-11-14T22:00:00Z"}).to_string();
        let attributes = [
            ("ERROR_CODE", "AccessDeniedException"),
            ("ERROR_MESSAGE", "no permission"),
            ("EXHAUSTED_RETRY_CONDITION", "MaximumRetryAttempts"),
            ("RETRY_ATTEMPTS", "4"),
            ("TARGET_ARN", "arn:aws:lambda:us-east-1:000000000000:function:tidegate-on-schedule"),
        ];
        read("schedule-undelivered", body, &attributes)
    }

    #[test]
    fn a_failure_s_record_holds_the_event_and_the_error() {
        let letter = failed();
        assert_eq!((letter.kind, &*letter.function, letter.attempts), (Kind::Failed, "on-data-arrival", Some(3)));
        assert_eq!(letter.event, arrival());
        assert_eq!(letter.error.as_deref(), Some("the event cannot be read: `detail.object.size`"));
        assert_eq!(letter.condition.as_deref(), Some("RetriesExhausted"));
        assert_eq!((letter.lost, &*letter.subject.event_kind), (None, "aws.s3 Object Created"));
    }

    #[test]
    fn what_eventbridge_could_not_deliver_is_the_event_itself() {
        let attributes = [
            ("ERROR_CODE", "NO_PERMISSIONS"),
            ("ERROR_MESSAGE", "the policy does not let it in"),
            ("RULE_ARN", "arn:aws:events:r:0:rule/tidegate-on-data-arrival"),
        ];
        let letter = read("on-data-arrival-undelivered", arrival().to_string(), &attributes);
        assert_eq!((letter.kind, &*letter.function), (Kind::Undelivered, "on-data-arrival"));
        assert_eq!(letter.event, arrival());
        assert_eq!(letter.error.as_deref(), Some("NO_PERMISSIONS: the policy does not let it in"));
    }

    #[test]
    fn a_firing_that_was_not_delivered_is_the_schedule_s_input() {
        let letter = firing();
        assert_eq!((letter.kind, &*letter.function, letter.attempts), (Kind::Firing, "on-schedule", Some(5)));
        assert_eq!(letter.subject.about, "p.nightly due 2023-11-14T22:00:00Z");
        // The sweep's firings come into the same queue.
        let arn = "arn:aws:lambda:us-east-1:000000000000:function:tidegate-sweep";
        assert_eq!(read("schedule-undelivered", "{}", &[("TARGET_ARN", arn)]).function, "sweep");
        // Nothing but this deployment's own functions is ever called.
        let foreign = "arn:aws:lambda:us-east-1:000000000000:function:else-on-schedule";
        assert_eq!(read("schedule-undelivered", "{}", &[("TARGET_ARN", foreign)]).function, "on-schedule");
        assert!(read("schedule-undelivered", "{}", &[("IS_PAYLOAD_TRUNCATED", "true")]).lost.is_some());
    }

    #[test]
    fn what_is_no_dead_letter_is_shown_and_never_sent_on() {
        let letter = read("on-schedule-failed", "not JSON", &[]);
        assert!(letter.lost.as_deref().is_some_and(|why| why.starts_with("the message is not JSON")), "{letter:?}");
        assert_eq!(letter.event, json!("not JSON"));
        let letter = read("on-schedule-failed", r#"{"a":1}"#, &[]);
        assert!(letter.lost.is_some_and(|why| why.contains("requestPayload")));
        let killed = json!({"requestPayload": {}, "responseContext": {"functionError": "Unhandled"}});
        assert_eq!(read("sweep-failed", killed.to_string(), &[]).error.as_deref(), Some("Unhandled"));
    }
}
