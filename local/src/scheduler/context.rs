//! What a target gets.

use jiff::Timestamp;
use serde_json::json;

use super::model::Firing;

/// The text that a target gets for this attempt. The execution id is another one for each attempt.
pub(super) fn payload(firing: &Firing, execution: &str, region: &str, account: &str) -> String {
    let time = time(firing.due);
    let Some(input) = &firing.target.input else {
        // What AWS sends when the schedule has no input; `detail` is a string there.
        return json!({
            "version": "0",
            "id": uuid::Uuid::new_v4().to_string(),
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "account": account,
            "time": time,
            "region": region,
            "resources": [firing.schedule_arn],
            "detail": "{}",
        })
        .to_string();
    };
    // Nothing that is put in needs escaping inside a JSON string.
    input
        .replace("<aws.scheduler.schedule-arn>", &firing.schedule_arn)
        .replace("<aws.scheduler.scheduled-time>", &time)
        .replace("<aws.scheduler.execution-id>", execution)
        .replace("<aws.scheduler.attempt-number>", &(firing.attempts + 1).to_string())
}

/// `2026-11-21T03:00:00Z`.
pub(super) fn time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::model::Target;

    fn firing(input: Option<&str>) -> Firing {
        Firing {
            key: "g/n/t".into(),
            schedule: "g/n".into(),
            schedule_arn: "arn:aws:scheduler:us-east-1:000000000000:schedule/g/n".into(),
            due: "2026-11-21T03:00:00Z".parse().unwrap(),
            target: Target {
                arn: "arn:aws:sqs:us-east-1:000000000000:q".into(),
                role_arn: "arn:aws:iam::000000000000:role/r".into(),
                input: input.map(str::to_owned),
                retry_policy: None,
                dead_letter_config: None,
                sqs_parameters: None,
                pipeline_parameters: None,
                other: serde_json::Map::new(),
            },
            attempts: 1,
        }
    }

    #[test]
    fn context_attributes_are_replaced_wherever_they_stand() {
        let input = r#"{"a":"<aws.scheduler.schedule-arn>","t":"<aws.scheduler.scheduled-time>","x":"<aws.scheduler.execution-id>/<aws.scheduler.attempt-number>","k":"<aws.scheduler.unknown>"}"#;
        assert_eq!(
            payload(&firing(Some(input)), "e1", "us-east-1", "000000000000"),
            r#"{"a":"arn:aws:scheduler:us-east-1:000000000000:schedule/g/n","t":"2026-11-21T03:00:00Z","x":"e1/2","k":"<aws.scheduler.unknown>"}"#
        );
    }

    #[test]
    fn without_an_input_there_is_an_event() {
        let text = payload(&firing(None), "e1", "us-east-1", "000000000000");
        let event: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(event["time"], "2026-11-21T03:00:00Z");
        assert_eq!(event["resources"], json!(["arn:aws:scheduler:us-east-1:000000000000:schedule/g/n"]));
        assert_eq!(event["detail"], "{}");
    }
}
