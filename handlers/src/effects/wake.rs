//! Be woken once, by EventBridge Scheduler.

use aws_sdk_scheduler::Client;
use aws_sdk_scheduler::types::{
    ActionAfterCompletion, DeadLetterConfig, FlexibleTimeWindow, FlexibleTimeWindowMode, Target,
};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;
use statemachine::RunId;
use statemachine::run::Purpose;

use super::{CallError, EffectError, Meaning};
use crate::settings::Schedules;

/// The name of the schedule: the same wish makes the same schedule, so that a second creation is refused and changes
/// nothing. It holds no dot, and those of `pipeline.yaml` do.
fn name(run: &RunId, at: Timestamp, purpose: Purpose) -> String {
    format!("{run}-{}-{}", purpose.name(), at.as_second())
}

/// Makes a schedule that fires once and deletes itself.
pub(super) async fn wake(
    client: &Client,
    schedules: &Schedules,
    run: &RunId,
    at: Timestamp,
    purpose: Purpose,
) -> Result<(), EffectError> {
    let what = format!("run {run} cannot be woken at {at}");
    let refused = |error: aws_sdk_scheduler::error::BuildError| EffectError::Permanent(format!("{what}: {error}"));
    let target = Target::builder()
        .arn(&schedules.function_arn)
        .role_arn(&schedules.role_arn)
        .input(json!({"kind": "wake", "run": run.as_str(), "purpose": purpose.name()}).to_string())
        .dead_letter_config(DeadLetterConfig::builder().arn(&schedules.dead_letters_arn).build())
        .build()
        .map_err(refused)?;
    let exactly = FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build().map_err(refused)?;
    let asked = client
        .create_schedule()
        .group_name(&schedules.group)
        .name(name(run, at, purpose))
        .client_token(run.token(&format!("wake:{}@{at}", purpose.name())))
        .schedule_expression(expression(at))
        .schedule_expression_timezone("UTC")
        .flexible_time_window(exactly)
        .action_after_completion(ActionAfterCompletion::Delete)
        .target(target)
        .send()
        .await;
    match asked.map_err(CallError::of) {
        Ok(_) => Ok(()),
        Err(error) if error.meaning == Meaning::Exists => Ok(()),
        // A time in the past is refused: whoever sweeps sees that the run is due.
        Err(error) if error.meaning == Meaning::Refused => {
            tracing::warn!(run = %run, at = %at, error = %error, "no schedule is made; the sweep sees to it");
            Ok(())
        }
        Err(error) => Err(error.effect(what)),
    }
}

/// `at(2026-01-02T03:04:05)`, rounded up to the second.
fn expression(at: Timestamp) -> String {
    let seconds = at.as_second() + i64::from(at.subsec_nanosecond() > 0);
    let at = Timestamp::from_second(seconds).unwrap_or(at).to_zoned(TimeZone::UTC);
    format!("at({})", at.strftime("%Y-%m-%dT%H:%M:%S"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::super::testing::{Answer, Fake};
    use super::*;

    fn schedules() -> Schedules {
        Schedules {
            group: "tidegate".into(),
            function_arn: "arn:aws:lambda:eu-west-1:123456789012:function:tidegate-on-schedule".into(),
            role_arn: "arn:aws:iam::123456789012:role/schedule".into(),
            dead_letters_arn: "arn:aws:sqs:eu-west-1:123456789012:dead".into(),
        }
    }

    async fn asked(answer: Answer) -> (Result<(), EffectError>, Fake) {
        let fake = Fake::new([answer]);
        let at: Timestamp = "2026-01-02T03:04:05.5Z".parse().unwrap();
        let result = wake(fake.aws().scheduler(), &schedules(), &RunId::manual("x"), at, Purpose::Batch).await;
        (result, fake)
    }

    #[tokio::test]
    async fn the_schedule_is_named_by_run_purpose_and_time_and_deletes_itself() {
        let (result, fake) = asked(Answer::json(200, r#"{"ScheduleArn":"arn"}"#)).await;
        result.unwrap();
        let request = &fake.requests()[0];
        let run = RunId::manual("x");
        assert!(request.uri.ends_with(&format!("/schedules/{run}-batch-1767323045")), "{}", request.uri);
        let body = request.json();
        assert_eq!(body["ScheduleExpression"], "at(2026-01-02T03:04:06)");
        assert_eq!(body["ActionAfterCompletion"], "DELETE");
        assert_eq!(body["Target"]["Input"], json!({"kind":"wake","run":run.as_str(),"purpose":"batch"}).to_string());
    }

    #[tokio::test]
    async fn a_second_wish_is_the_first() {
        let exists = r#"{"__type":"ConflictException","Message":"Schedule x already exists."}"#;
        assert_eq!(asked(Answer::json(409, exists)).await.0, Ok(()));
    }
}
