use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::IntakeError;

/// Whose events are taken: those of the function's own account and Region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// 12 digits.
    pub account: String,
    /// Such as `eu-central-1`.
    pub region: String,
}

impl Scope {
    /// For whatever brings no event of AWS's.
    #[must_use]
    pub(crate) fn none() -> Self {
        Self { account: String::new(), region: String::new() }
    }

    /// From `arn:aws:lambda:<region>:<account>:function:<name>`; the Region of the environment where the ARN has none.
    #[must_use]
    pub fn of_function(arn: &str, region: &str) -> Self {
        let mut parts = arn.split(':').skip(3);
        let in_arn = parts.next().filter(|part| !part.is_empty());
        let account = parts.next().unwrap_or_default().to_owned();
        Self { account, region: in_arn.unwrap_or(region).to_owned() }
    }
}

/// An EventBridge event whose detail is known by its type.
#[derive(Debug)]
pub struct Envelope<D> {
    /// When it happened, as its source says.
    pub time: Timestamp,
    /// `detail-type`
    pub detail_type: String,
    /// What it is about.
    pub resources: Vec<String>,
    /// What it says.
    pub detail: D,
}

impl<D: DeserializeOwned> Envelope<D> {
    /// Reads an event that must come from `source`, in the scope, as one of `detail_types`.
    ///
    /// AWS's own samples give the time as digits, and one names a member of its detail twice: both are read.
    ///
    /// # Errors
    /// Says what is wrong: the source, the account, the Region, the type, or a member that is missing or malformed.
    pub fn parse(mut event: Value, scope: &Scope, source: &str, detail_types: &[&str]) -> Result<Self, IntakeError> {
        let unreadable = |reason: String| IntakeError::Unreadable(reason);
        let time = event.get_mut("time").map(Value::take).unwrap_or_default();
        let time = read_time(&time).ok_or_else(|| unreadable(format!("`time` is `{time}`, not a time")))?;
        // The crate's own type refuses a time in digits, so it is not shown one.
        if let Some(members) = event.as_object_mut() {
            members.remove("time");
        }
        let event: EventBridgeEvent<Value> = serde_path_to_error::deserialize(event)
            .map_err(|error| unreadable(format!("`{}`: {}", error.path(), error.inner())))?;
        if event.source != source {
            return Err(unreadable(format!("`source` is `{}`, and `{source}` is accepted", event.source)));
        }
        if !detail_types.contains(&event.detail_type.as_str()) {
            let accepted = detail_types.join("`, `");
            let found = &event.detail_type;
            return Err(unreadable(format!("`detail-type` is `{found}`, and `{accepted}` is accepted")));
        }
        let account = event.account.unwrap_or_default();
        if account != scope.account {
            let ours = &scope.account;
            return Err(unreadable(format!("`account` is `{account}`, and `{ours}` is accepted")));
        }
        let region = event.region.unwrap_or_default();
        if region != scope.region {
            let ours = &scope.region;
            return Err(unreadable(format!("`region` is `{region}`, and `{ours}` is accepted")));
        }
        let detail = serde_path_to_error::deserialize(event.detail)
            .map_err(|error| unreadable(format!("`detail.{}`: {}", error.path(), error.inner())))?;
        let resources = event.resources.unwrap_or_default();
        Ok(Self { time, detail_type: event.detail_type, resources, detail })
    }
}

/// RFC 3339, or seconds or milliseconds since 1970 as a number or in digits.
pub(super) fn read_time(value: &Value) -> Option<Timestamp> {
    let digits = match value {
        Value::String(text) => match text.parse::<Timestamp>() {
            Ok(time) => return Some(time),
            Err(_) => text.parse::<f64>().ok()?,
        },
        Value::Number(number) => number.as_f64()?,
        _ => return None,
    };
    // The year 5138 in seconds; no event has so late a time, and milliseconds are all beyond it.
    let milliseconds = if digits.abs() < 1e11 { digits * 1000.0 } else { digits };
    if !milliseconds.is_finite() || milliseconds.abs() > 2.5e14 {
        return None;
    }
    #[allow(clippy::cast_possible_truncation, reason = "bounded just above")]
    Timestamp::from_millisecond(milliseconds as i64).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn scope() -> Scope {
        Scope::of_function("arn:aws:lambda:us-east-1:123456789012:function:f", "")
    }

    fn event() -> Value {
        json!({"version":"0","id":"i","detail-type":"T","source":"aws.s3","account":"123456789012",
               "time":"2026-01-02T03:04:05Z","region":"us-east-1","resources":["r"],"detail":{"a":1}})
    }

    fn parse(event: Value) -> Result<Envelope<Value>, String> {
        Envelope::parse(event, &scope(), "aws.s3", &["T"]).map_err(|error| error.to_string())
    }

    #[test]
    fn a_proper_event_is_read() {
        let envelope = parse(event()).unwrap();
        assert_eq!(envelope.time.to_string(), "2026-01-02T03:04:05Z");
        assert_eq!(envelope.resources, ["r"]);
    }

    #[test]
    fn times_in_digits_are_read() {
        for (time, read) in [
            (json!("1583831889050"), "2020-03-10T09:18:09.05Z"),
            (json!(1_583_831_889_050_u64), "2020-03-10T09:18:09.05Z"),
            (json!(1_583_831_889), "2020-03-10T09:18:09Z"),
        ] {
            assert_eq!(read_time(&time).unwrap().to_string(), read);
        }
        for bad in [json!(null), json!("soon"), json!(1e300), json!({})] {
            assert_eq!(read_time(&bad), None);
        }
    }

    #[test]
    fn what_is_forged_foreign_or_malformed_is_refused_with_its_reason() {
        for (member, value, reason) in [
            ("source", json!("my.app"), "`source` is `my.app`, and `aws.s3` is accepted"),
            ("account", json!("000000000000"), "`account` is `000000000000`, and `123456789012` is accepted"),
            ("region", json!("eu-west-1"), "`region` is `eu-west-1`, and `us-east-1` is accepted"),
            ("detail-type", json!("U"), "`detail-type` is `U`, and `T` is accepted"),
            ("time", json!("soon"), "`time` is `\"soon\"`, not a time"),
        ] {
            let mut event = event();
            event[member] = value;
            assert_eq!(parse(event).unwrap_err(), format!("the event cannot be read: {reason}"));
        }
        for nonsense in [json!(null), json!([]), json!("x"), json!({}), json!(1)] {
            assert!(parse(nonsense).is_err());
        }
    }
}
