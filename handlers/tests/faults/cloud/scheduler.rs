use std::collections::BTreeMap;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::engine::Move;
use super::wire::{Answer, Request};
use super::{Cloud, Delivery, Due, Function, text};
use crate::time;

/// The schedules that are not done, by group and name, with what they hand over.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schedules {
    pub(crate) pending: BTreeMap<String, (Timestamp, String)>,
    /// Every name that ever was.
    pub(crate) made: Vec<String>,
}

impl Cloud {
    pub(super) fn scheduler(&mut self, operation: &str, request: &Request) -> Result<Answer, String> {
        let name = request.path.strip_prefix("/schedules/").ok_or("only schedules are known here")?.to_owned();
        match operation {
            "CreateSchedule" => self.create_schedule(name, &request.json()),
            "DeleteSchedule" => {
                let group = request.parameter("groupName").unwrap_or("default");
                Ok(match self.schedules.pending.remove(&format!("{group}/{name}")) {
                    Some(_) => Answer::json(200, &Value::Object(serde_json::Map::new())),
                    None => Answer::error("scheduler", 404, "ResourceNotFoundException", "no such schedule"),
                })
            }
            other => Err(format!("{other} is not known here")),
        }
    }

    fn create_schedule(&mut self, name: String, body: &Value) -> Result<Answer, String> {
        if name.len() > 64 {
            return Err(format!("{name} has more than 64 characters"));
        }
        let group = body.get("GroupName").and_then(Value::as_str).unwrap_or("default");
        let key = format!("{group}/{name}");
        if self.schedules.pending.contains_key(&key) {
            let said = format!("Schedule {name} already exists.");
            return Ok(Answer::error("scheduler", 409, "ConflictException", &said));
        }
        let expression = text(body, "ScheduleExpression")?;
        let at = expression.strip_prefix("at(").and_then(|rest| rest.strip_suffix(')'));
        let at = at.ok_or_else(|| format!("{expression} is not known here"))?;
        let zone = body.get("ScheduleExpressionTimezone").and_then(Value::as_str).unwrap_or("UTC");
        if zone != "UTC" || text(body, "ActionAfterCompletion")? != "DELETE" {
            return Err(format!("a one-off schedule in UTC that goes by itself is known here, not {body}"));
        }
        let at: DateTime = at.parse().map_err(|error| format!("{expression}: {error}"))?;
        let at = at.to_zoned(TimeZone::UTC).map_err(|error| error.to_string())?.timestamp();
        let input = body.pointer("/Target/Input").and_then(Value::as_str).ok_or("the target has no input")?.to_owned();
        self.schedules.pending.insert(key.clone(), (at, input.clone()));
        self.schedules.made.push(name);
        let after = at.duration_since(time::now()).max(SignedDuration::ZERO);
        self.later(after, Due::Engine(Move::Fire(key.clone())));
        Ok(Answer::json(200, &serde_json::json!({"ScheduleArn": format!("arn:aws:scheduler:::{key}")})))
    }

    /// A one-off schedule fires, and is gone.
    pub(super) fn fire(&mut self, key: &str) {
        let Some((at, input)) = self.schedules.pending.remove(key) else { return };
        let input = input.replace("<aws.scheduler.scheduled-time>", &at.to_string());
        match serde_json::from_str(&input) {
            Ok(event) => {
                let delivery = Delivery { function: Function::Schedule, event, attempt: 1 };
                self.later(SignedDuration::ZERO, Due::Event(delivery));
            }
            Err(error) => self.problems.push(format!("schedule {key} hands over `{input}`: {error}")),
        }
    }
}
