//! When a schedule fires: an expression of EventBridge Scheduler, and a time zone.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use jiff::civil::DateTime;

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

/// The six fields of AWS's cron, checked one by one; whether they ever meet is not checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron(String);

impl Cron {
    /// The six fields, parted by single spaces.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

struct Field {
    name: &'static str,
    lowest: u32,
    highest: u32,
    names: &'static [&'static str],
    accepted: &'static str,
}

/// <https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html>
const FIELDS: [Field; 6] = [
    Field { name: "minutes", lowest: 0, highest: 59, names: &[], accepted: "0-59 and `, - * /`" },
    Field { name: "hours", lowest: 0, highest: 23, names: &[], accepted: "0-23 and `, - * /`" },
    Field { name: "day of month", lowest: 1, highest: 31, names: &[], accepted: "1-31 and `, - * ? / L W`" },
    Field { name: "month", lowest: 1, highest: 12, names: &MONTHS, accepted: "1-12 or JAN-DEC and `, - * /`" },
    Field { name: "day of week", lowest: 1, highest: 7, names: &DAYS, accepted: "1-7 or SUN-SAT and `, - * ? L #`" },
    Field { name: "year", lowest: 1970, highest: 2199, names: &[], accepted: "1970-2199 and `, - * /`" },
];

impl FromStr for Cron {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split_whitespace().collect();
        if parts.len() != FIELDS.len() {
            return Err(Invalid(format!(
                "{} has {} fields: a cron expression has 6, minutes, hours, day of month, month, day of week and \
                 year, such as `0 3 * * ? *`",
                quote(text),
                parts.len()
            )));
        }
        for (field, part) in FIELDS.iter().zip(&parts) {
            if !field.accepts(part) {
                return Err(Invalid(format!(
                    "{} is not accepted for the {} of {}: accepted are {}",
                    quote(part),
                    field.name,
                    quote(text),
                    field.accepted
                )));
            }
        }
        // AWS refuses an expression in which both days are free, and one in which both are bound.
        let unset = |position: usize| parts.get(position) == Some(&"?");
        if unset(2) == unset(4) {
            return Err(Invalid(format!(
                "{} must have `?` for one of day of month and day of week, and only for one, such as `0 3 * * ? *`",
                quote(text)
            )));
        }
        Ok(Self(parts.join(" ")))
    }
}

impl Field {
    fn accepts(&self, part: &str) -> bool {
        let by_day = self.name == "day of month" || self.name == "day of week";
        if part == "?" {
            return by_day;
        }
        part.split(',').all(|item| self.accepts_item(item))
    }

    fn accepts_item(&self, item: &str) -> bool {
        match self.name {
            "day of month" if item == "L" || item == "LW" => return true,
            "day of month" => {
                if let Some(day) = item.strip_suffix('W') {
                    return self.number(day).is_some();
                }
            }
            "day of week" => {
                if item == "L" {
                    return true;
                }
                if let Some(day) = item.strip_suffix('L') {
                    return self.number(day).is_some();
                }
                if let Some((day, week)) = item.split_once('#') {
                    return self.number(day).is_some() && matches!(week, "1" | "2" | "3" | "4" | "5");
                }
            }
            _ => {}
        }
        let (range, step) = match item.split_once('/') {
            Some(_) if self.name == "day of week" => return false,
            Some((range, step)) => (range, Some(step)),
            None => (item, None),
        };
        if step.is_some_and(|step| plain_number(step).is_none_or(|step| step == 0)) {
            return false;
        }
        if range == "*" {
            return true;
        }
        match range.split_once('-') {
            Some((from, to)) => match (self.number(from), self.number(to)) {
                (Some(from), Some(to)) => from <= to,
                _ => false,
            },
            None => self.number(range).is_some(),
        }
    }

    fn number(&self, text: &str) -> Option<u32> {
        if let Some(position) = self.names.iter().position(|name| name.eq_ignore_ascii_case(text)) {
            return u32::try_from(position).ok().map(|position| position + 1);
        }
        plain_number(text).filter(|number| (self.lowest..=self.highest).contains(number))
    }
}

fn plain_number(text: &str) -> Option<u32> {
    if text.chars().all(|c| c.is_ascii_digit()) { text.parse().ok() } else { None }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

serde_as_text!(Cron);
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cron_expressions_of_awss_documentation_are_accepted() {
        for text in [
            "15 10 * * ? *",
            "0/5 8-17 ? * MON-FRI *",
            "0 9 ? * 2#1 *",
            "15 12 * * ? *",
            "0 18 ? * MON-FRI *",
            "0 8 1 * ? *",
            "0/10 * ? * MON-FRI *",
            "30 1 ? * 6L 2022-2023",
            "0 0 L * ? *",
            "0 0 3W * ? *",
            "0 0 LW * ? *",
            "0,30 0 ? JAN,jul sun,WED 2030",
        ] {
            assert_eq!(text.parse::<Cron>().unwrap().to_string(), text);
        }
        assert_eq!(" 0  3 * * ?\t* ".parse::<Cron>().unwrap().to_string(), "0 3 * * ? *");
    }

    #[test]
    fn what_aws_refuses_is_refused() {
        for text in [
            "",
            "* * * * *",
            "60 * * * ? *",
            "* 24 * * ? *",
            "* * 0 * ? *",
            "* * 32 * ? *",
            "* * * 13 ? *",
            "* * ? * 8 *",
            "* * ? * 0 *",
            "* * * * ? 1969",
            "* * * * ? 2200",
            "* * * * * *",
            "* * ? * ? *",
            "? * * * ? *",
            "5-1 * * * ? *",
            "*/0 * * * ? *",
            "1//2 * * * ? *",
            ", * * * ? *",
            "+1 * * * ? *",
            "* * ? * 2#6 *",
            "* * ? * MON/2 *",
            "* * 3L * ? *",
            "* * W * ? *",
            "99999999999999 * * * ? *",
        ] {
            assert!(text.parse::<Cron>().is_err(), "{text}");
        }
    }

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
