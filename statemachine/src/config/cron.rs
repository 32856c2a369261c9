//! Cron expressions of EventBridge Scheduler: six fields, minutes, hours, day of month, month, day of week, year
//! (<https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html>).
//!
//! They differ from Unix cron, which the `croner` crate reads: weekdays run from 1 for Sunday, exactly one of the two
//! days is `?`, and `a/n` means from `a` to the end in steps of `n`.

use std::fmt;
use std::str::FromStr;

use croner::parser::{CronParser, Seconds, Year};

use super::text::{Invalid, quote, serde_as_text};

/// The six fields of AWS's cron, checked one by one; whether they ever meet is not checked.
#[derive(Clone, PartialEq, Eq)]
pub struct Cron {
    text: String,
    /// The same, as the library that counts has it.
    pub(super) pattern: Box<croner::Cron>,
}

impl Cron {
    /// The six fields, parted by single spaces.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
pub(super) const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    Minutes,
    Hours,
    DayOfMonth,
    Month,
    DayOfWeek,
    Year,
}

struct Field {
    unit: Unit,
    name: &'static str,
    lowest: u16,
    highest: u16,
    names: &'static [&'static str],
    accepted: &'static str,
}

const FIELDS: [Field; 6] = [
    Field { unit: Unit::Minutes, name: "minutes", lowest: 0, highest: 59, names: &[], accepted: "0-59 and `, - * /`" },
    Field { unit: Unit::Hours, name: "hours", lowest: 0, highest: 23, names: &[], accepted: "0-23 and `, - * /`" },
    Field {
        unit: Unit::DayOfMonth,
        name: "day of month",
        lowest: 1,
        highest: 31,
        names: &[],
        accepted: "1-31 and `, - * ? / L W`",
    },
    Field {
        unit: Unit::Month,
        name: "month",
        lowest: 1,
        highest: 12,
        names: &MONTHS,
        accepted: "1-12 or JAN-DEC and `, - * /`",
    },
    Field {
        unit: Unit::DayOfWeek,
        name: "day of week",
        lowest: 1,
        highest: 7,
        names: &WEEKDAYS,
        accepted: "1-7 or SUN-SAT and `, - * ? L #`",
    },
    Field {
        unit: Unit::Year,
        name: "year",
        lowest: 1970,
        highest: 2199,
        names: &[],
        accepted: "1970-2199 and `, - * /`",
    },
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
        // The seconds.
        let mut pattern = String::from("0");
        for (field, part) in FIELDS.iter().zip(&parts) {
            let Some(read) = field.read(&part.to_ascii_uppercase()) else {
                return Err(Invalid(format!(
                    "{} is not accepted for the {} of {}: accepted are {}",
                    quote(part),
                    field.name,
                    quote(text),
                    field.accepted
                )));
            };
            pattern.push(' ');
            pattern.push_str(&read);
        }
        // AWS refuses an expression in which both days are free, and one in which both are bound.
        let unset = |position: usize| parts.get(position) == Some(&"?");
        if unset(2) == unset(4) {
            return Err(Invalid(format!(
                "{} must have `?` for one of day of month and day of week, and only for one, such as `0 3 * * ? *`",
                quote(text)
            )));
        }
        let parser =
            CronParser::builder().seconds(Seconds::Required).year(Year::Required).alternative_weekdays(true).build();
        let pattern = parser.parse(&pattern).map_err(|error| Invalid(format!("{}: {error}", quote(text))))?;
        Ok(Self { text: parts.join(" "), pattern: Box::new(pattern) })
    }
}

impl Field {
    /// The part as croner writes it; `None` if it is not accepted.
    fn read(&self, part: &str) -> Option<String> {
        match (part, self.unit) {
            ("?", Unit::DayOfMonth | Unit::DayOfWeek) => return Some("*".to_owned()),
            ("?", _) => return None,
            // Bounded, so that the search for a date that never comes ends.
            ("*", Unit::Year) => return Some(format!("{}-{}", self.lowest, self.highest)),
            // A full range of days would bind the day; `*` leaves it to the other field.
            ("*", _) => return Some("*".to_owned()),
            _ => {}
        }
        let alone = !part.contains(',');
        let items = part.split(',').map(|item| match self.special(item) {
            // AWS takes no second expression beside `#`, and `L` beside a `W` would be read as `LW`.
            Some(_) if !alone && (item.contains('#') || item.starts_with('L') && part.contains('W')) => None,
            Some(read) => Some(read),
            None => self.range(item),
        });
        Some(items.collect::<Option<Vec<_>>>()?.join(","))
    }

    /// `L`, `LW`, `15W`, `6L`, `3#2`.
    fn special(&self, item: &str) -> Option<String> {
        match self.unit {
            Unit::DayOfMonth if item == "L" || item == "LW" => Some(item.to_owned()),
            Unit::DayOfMonth => Some(format!("{}W", self.number(item.strip_suffix('W')?)?)),
            // The last day of the week is Saturday.
            Unit::DayOfWeek if item == "L" => Some("7".to_owned()),
            Unit::DayOfWeek => match item.split_once('#') {
                Some((day, week @ ("1" | "2" | "3" | "4" | "5"))) => Some(format!("{}#{week}", self.number(day)?)),
                Some(_) => None,
                None => Some(format!("{}#L", self.number(item.strip_suffix('L')?)?)),
            },
            _ => None,
        }
    }

    fn range(&self, item: &str) -> Option<String> {
        let (range, step) = match item.split_once('/') {
            Some(_) if self.unit == Unit::DayOfWeek => return None,
            Some((range, step)) => (range, Some(plain_number(step).filter(|step| (1..=self.highest).contains(step))?)),
            None => (item, None),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (self.lowest, self.highest),
            Some((from, to)) => (self.number(from)?, self.number(to)?),
            None => {
                let from = self.number(range)?;
                (from, if step.is_some() { self.highest } else { from })
            }
        };
        match step {
            _ if from > to => None,
            Some(step) if from < to => Some(format!("{from}-{to}/{step}")),
            None if from < to => Some(format!("{from}-{to}")),
            _ => Some(from.to_string()),
        }
    }

    fn number(&self, text: &str) -> Option<u16> {
        if let Some(position) = self.names.iter().position(|name| *name == text) {
            return u16::try_from(position).ok().map(|position| self.lowest + position);
        }
        plain_number(text).filter(|number| (self.lowest..=self.highest).contains(number))
    }
}

fn plain_number(text: &str) -> Option<u16> {
    if text.chars().all(|c| c.is_ascii_digit()) { text.parse().ok() } else { None }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Cron {
    /// Without the pattern, which is long and says the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cron").field(&self.text).finish()
    }
}

serde_as_text!(Cron);

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
            "* * ? * 3#1,6#3 *",
            "* * ? * MON,3#1 *",
            "* * L,15W * ? *",
            "* 20-8 * * ? *",
            "0/60 * * * ? *",
            "* * 32W * ? *",
            "? 3 * * ? *",
        ] {
            assert!(text.parse::<Cron>().is_err(), "{text}");
        }
    }
}
