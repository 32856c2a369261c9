//! AWS's cron expressions, turned into what the `croner` crate reads.
//!
//! Six fields: minutes, hours, day of month, month, day of week, year (EventBridge Scheduler User Guide, "Schedule types").
//! They differ from Unix cron: weekdays run from 1 for Sunday to 7, exactly one of the two day fields is `?`, and `a/n`
//! means from `a` to the end in steps of `n`.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// One field of the six.
struct Field {
    name: &'static str,
    low: u16,
    high: u16,
    names: &'static [&'static str],
}

const FIELDS: [Field; 6] = [
    Field { name: "minutes", low: 0, high: 59, names: &[] },
    Field { name: "hours", low: 0, high: 23, names: &[] },
    Field { name: "day of month", low: 1, high: 31, names: &[] },
    Field { name: "month", low: 1, high: 12, names: &MONTHS },
    Field { name: "day of week", low: 1, high: 7, names: &WEEKDAYS },
    Field { name: "year", low: 1970, high: 2199, names: &[] },
];
const DAY_OF_MONTH: usize = 2;
const DAY_OF_WEEK: usize = 4;

/// Reads the text between the parentheses of `cron(...)`.
pub(super) fn parse(text: &str) -> Result<Cron, String> {
    let parts: Vec<&str> = text.split_whitespace().collect();
    if parts.len() != FIELDS.len() {
        return Err(format!(
            "a cron expression has six fields (minutes, hours, day of month, month, day of week, year), not {}",
            parts.len()
        ));
    }
    let any = |index: usize| parts.get(index) == Some(&"?");
    if any(DAY_OF_MONTH) == any(DAY_OF_WEEK) {
        return Err("exactly one of day of month and day of week must be `?`".into());
    }
    let mut pattern = "0".to_owned();
    for (index, (part, field)) in parts.iter().zip(&FIELDS).enumerate() {
        let upper = part.to_ascii_uppercase();
        let read = match upper.as_str() {
            "?" if index == DAY_OF_MONTH || index == DAY_OF_WEEK => Ok("*".to_owned()),
            // The year is bounded so that the search for a date that never comes ends.
            "*" => Ok(format!("{}-{}", field.low, field.high)),
            _ => items(&upper, index, field),
        };
        let read = read.map_err(|reason| format!("`{part}` in the field {}: {reason}", field.name))?;
        // A full range in a day field would switch off the other one; `*` says that it does not matter.
        pattern.push(' ');
        pattern.push_str(if *part == "*" && index != 5 { "*" } else { &read });
    }
    CronParser::builder()
        .seconds(Seconds::Required)
        .year(Year::Required)
        .alternative_weekdays(true)
        .build()
        .parse(&pattern)
        .map_err(|error| error.to_string())
}

fn items(text: &str, index: usize, field: &Field) -> Result<String, String> {
    let several = text.contains(',');
    let read: Result<Vec<String>, String> = text
        .split(',')
        .map(|item| match special(item, index, field)? {
            Some(read) if several && item.contains('#') => Err(format!("`{read}` must stand alone")),
            Some(read) => Ok(read),
            None => range(item, field),
        })
        .collect();
    Ok(read?.join(","))
}

/// `L`, `15W`, `6L`, `3#2`.
fn special(item: &str, index: usize, field: &Field) -> Result<Option<String>, String> {
    match index {
        DAY_OF_MONTH if item == "L" => Ok(Some("L".into())),
        DAY_OF_MONTH => match item.strip_suffix('W') {
            Some(day) => Ok(Some(format!("{}W", value(day, field)?))),
            None => Ok(None),
        },
        // The last day of the week is Saturday.
        DAY_OF_WEEK if item == "L" => Ok(Some("7".into())),
        DAY_OF_WEEK => {
            if let Some((day, nth)) = item.split_once('#') {
                return match nth.parse::<u8>() {
                    Ok(nth @ 1..=5) => Ok(Some(format!("{}#{nth}", value(day, field)?))),
                    _ => Err("what follows `#` must be 1 to 5".into()),
                };
            }
            match item.strip_suffix('L') {
                Some(day) => Ok(Some(format!("{}#L", value(day, field)?))),
                None => Ok(None),
            }
        }
        _ => Ok(None),
    }
}

fn range(item: &str, field: &Field) -> Result<String, String> {
    let (base, step) = match item.split_once('/') {
        Some((base, step)) => match step.parse::<u16>() {
            Ok(step) if step > 0 && step <= field.high => (base, Some(step)),
            _ => return Err(format!("the step after `/` must be 1 to {}", field.high)),
        },
        None => (item, None),
    };
    let (from, to) = if base == "*" {
        (field.low, field.high)
    } else if let Some((from, to)) = base.split_once('-') {
        (value(from, field)?, value(to, field)?)
    } else {
        let from = value(base, field)?;
        (from, if step.is_some() { field.high } else { from })
    };
    if from > to {
        return Err("a range begins with the smaller value".into());
    }
    Ok(match step {
        // croner wants a range before the step, and the range may hold one value only without a step.
        Some(step) if from < to => format!("{from}-{to}/{step}"),
        None if from < to => format!("{from}-{to}"),
        _ => from.to_string(),
    })
}

fn value(text: &str, field: &Field) -> Result<u16, String> {
    if let Some(at) = field.names.iter().position(|name| *name == text) {
        return Ok(field.low + u16::try_from(at).unwrap_or_default());
    }
    match text.parse::<u16>() {
        Ok(value) if text.bytes().all(|byte| byte.is_ascii_digit()) && (field.low..=field.high).contains(&value) => {
            Ok(value)
        }
        _ if field.names.is_empty() => Err(format!("give {} to {}", field.low, field.high)),
        _ => {
            let (first, last) = (field.names.first().unwrap_or(&""), field.names.last().unwrap_or(&""));
            Err(format!("give {} to {}, or {first} to {last}", field.low, field.high))
        }
    }
}

/// The first time after `after`. Clock times that do not exist are skipped, and of those that come twice the first counts:
/// so does AWS when summer time begins and ends.
pub(super) fn next_after(cron: &Cron, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
    let mut civil: DateTime = zone.to_datetime(after);
    loop {
        civil = cron.find_next_occurrence(&civil, false).ok()?;
        let found = zone.to_ambiguous_timestamp(civil);
        let time = match found.offset() {
            AmbiguousOffset::Gap { .. } => continue,
            _ => found.earlier().ok()?,
        };
        if time > after {
            return Some(time);
        }
    }
}
