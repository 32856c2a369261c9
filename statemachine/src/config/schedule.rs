//! When a schedule fires: an expression of EventBridge Scheduler, and a time zone.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::DateTime;

use super::cron::Cron;
use super::text::{Invalid, checked_text, quote, serde_as_text};

/// When a schedule fires, in the syntax of EventBridge Scheduler: `cron(0 3 * * ? *)`, `rate(1 day)`,
/// `at(2026-12-01T06:00:00)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScheduleExpression {
    /// Six fields: minute, hour, day of month, month, day of week, year.
    Cron(Cron),
    /// Every so often.
    Rate(Rate),
    /// Once.
    At(DateTime),
}

impl fmt::Display for ScheduleExpression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cron(cron) => write!(f, "cron({cron})"),
            Self::Rate(rate) => write!(f, "rate({rate})"),
            Self::At(time) => write!(f, "at({})", time.strftime("%Y-%m-%dT%H:%M:%S")),
        }
    }
}

impl ScheduleExpression {
    /// The expression and its key in `pipeline.yaml`: `cron`, `rate` or `at`.
    #[must_use]
    pub fn key_and_text(&self) -> (&'static str, String) {
        match self {
            Self::Cron(cron) => ("cron", cron.to_string()),
            Self::Rate(rate) => ("rate", rate.to_string()),
            Self::At(time) => ("at", time.strftime("%Y-%m-%dT%H:%M:%S").to_string()),
        }
    }

    /// The last time strictly before `before` at which it was due, in `zone`. `None` if there was none; and for a rate,
    /// whose beginning only EventBridge Scheduler knows, and a point in time, which is due once.
    #[must_use]
    pub fn previous_due(&self, zone: &TimeZone, before: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Cron(cron) => cron.last_before(&zone.rules(), before),
            Self::Rate(_) | Self::At(_) => None,
        }
    }

    /// # Errors
    /// Not `yyyy-mm-ddThh:mm:ss`.
    pub fn at(text: &str) -> Result<Self, Invalid> {
        let invalid = || {
            Invalid(format!(
                "{} is not a point in time: accepted is `2026-12-01T06:00:00`, in the schedule's time zone",
                quote(text)
            ))
        };
        if text.len() != "2026-12-01T06:00:00".len() || !text.contains('T') {
            return Err(invalid());
        }
        text.parse().map(Self::At).map_err(|_| invalid())
    }
}

/// A rate: a whole number of minutes, hours or days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    count: NonZeroU32,
    unit: RateUnit,
}

/// The unit of a [`Rate`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateUnit {
    /// `minute`, `minutes`
    Minute,
    /// `hour`, `hours`
    Hour,
    /// `day`, `days`
    Day,
}

impl Rate {
    /// The length of the rate in seconds.
    #[must_use]
    pub fn seconds(self) -> u64 {
        let unit = match self.unit {
            RateUnit::Minute => 60,
            RateUnit::Hour => 3600,
            RateUnit::Day => 86_400,
        };
        u64::from(self.count.get()) * unit
    }
}

impl FromStr for Rate {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || {
            Invalid(format!(
                "{} is not a rate: accepted is a whole number and `minutes`, `hours` or `days`, such as `1 day`",
                quote(text)
            ))
        };
        let (count, unit) = text.trim().split_once(' ').ok_or_else(invalid)?;
        let unit = match unit.trim() {
            "minute" | "minutes" => RateUnit::Minute,
            "hour" | "hours" => RateUnit::Hour,
            "day" | "days" => RateUnit::Day,
            _ => return Err(invalid()),
        };
        if !count.chars().all(|c| c.is_ascii_digit()) {
            return Err(invalid());
        }
        Ok(Self { count: count.parse().map_err(|_| invalid())?, unit })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            RateUnit::Minute => "minute",
            RateUnit::Hour => "hour",
            RateUnit::Day => "day",
        };
        // AWS wants the singular with one, and the plural with more.
        let plural = if self.count.get() == 1 { "" } else { "s" };
        write!(f, "{} {unit}{plural}", self.count)
    }
}

serde_as_text!(Rate);

checked_text!(
    /// A time zone of the IANA database, such as `Europe/Zurich`.
    TimeZone,
    |text| {
        // The bundled database, not the machine's: the same file means the same everywhere.
        let known = jiff::tz::TimeZoneDatabase::bundled().get(text);
        // AWS bounds the name; jiff looks names up without regard to case, AWS does not.
        match known {
            Ok(zone) if zone.iana_name() == Some(text) && text.len() <= 50 => Ok(()),
            Ok(zone) if zone.iana_name().is_some() => Err(Invalid(format!(
                "{} is not a time zone: did you mean {}?",
                quote(text),
                quote(zone.iana_name().unwrap_or_default())
            ))),
            _ => Err(Invalid(format!(
                "{} is not a time zone: accepted are the names of the IANA database, such as `Europe/Zurich` or `UTC`",
                quote(text)
            ))),
        }
    }
);

impl TimeZone {
    /// `UTC`, the zone of a schedule that names none.
    #[must_use]
    pub fn utc() -> Self {
        Self("UTC".to_owned())
    }

    /// When its clocks stand where, by the bundled database.
    #[must_use]
    pub fn rules(&self) -> jiff::tz::TimeZone {
        // INVARIANT: the name was found when it was checked.
        jiff::tz::TimeZoneDatabase::bundled().get(&self.0).unwrap_or(jiff::tz::TimeZone::UTC)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_written_as_aws_wants_them() {
        for (text, written) in
            [("1 day", "1 day"), ("1 days", "1 day"), ("5 minute", "5 minutes"), ("12 hours", "12 hours")]
        {
            let rate: Rate = text.parse().unwrap();
            assert_eq!(ScheduleExpression::Rate(rate).to_string(), format!("rate({written})"));
        }
        for text in ["", "day", "0 days", "-1 days", "1.5 days", "1 week", "1day", "+1 day", "99999999999 days"] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
        assert_eq!("2 days".parse::<Rate>().unwrap().seconds(), 172_800);
    }

    #[test]
    fn a_point_in_time_has_no_zone_and_exists() {
        assert_eq!(ScheduleExpression::at("2026-12-01T06:00:00").unwrap().to_string(), "at(2026-12-01T06:00:00)");
        for text in
            ["2026-12-01", "2026-12-01T06:00:00Z", "2026-13-01T06:00:00", "2026-02-30T06:00:00", "2026-12-01 06:00:00"]
        {
            assert!(ScheduleExpression::at(text).is_err(), "{text}");
        }
    }

    #[test]
    fn time_zones_are_those_of_the_iana_database() {
        for zone in ["Europe/Zurich", "UTC", "Asia/Kolkata", "America/Argentina/Buenos_Aires"] {
            assert_eq!(TimeZone::new(zone).unwrap().as_str(), zone);
        }
        for zone in ["", "Europe/Bern", "europe/zurich", "+01:00", "Local", "../etc/passwd"] {
            assert!(TimeZone::new(zone).is_err(), "{zone}");
        }
    }
}
