use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use statemachine::config::{Cron, Invalid};

/// A schedule expression: `cron(...)`, `rate(...)` or `at(...)`.
#[derive(Debug, Clone)]
pub enum Expression {
    /// At the clock times of a cron expression.
    Cron(Cron),
    /// Every so many seconds.
    Rate(SignedDuration),
    /// Once.
    At(DateTime),
}

/// When a schedule is due.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The expression.
    pub expression: Expression,
    /// Where its clock times are meant.
    pub zone: TimeZone,
    /// From when a rate counts: the start date, else the time of creation. A rate is due then for the first time.
    pub anchor: Timestamp,
    /// Nothing is due before it.
    pub start: Option<Timestamp>,
    /// Nothing is due after it.
    pub end: Option<Timestamp>,
}

impl Expression {
    /// Reads an expression as EventBridge Scheduler writes them.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let inner = |name: &str| text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
        if let Some(fields) = inner("cron") {
            fields.parse().map(Self::Cron).map_err(|error: Invalid| error.to_string())
        } else if let Some(rate) = inner("rate") {
            parse_rate(rate)
        } else if let Some(time) = inner("at") {
            parse_at(time)
        } else {
            Err("give cron(...), rate(...) or at(...)".into())
        }
    }
}

fn parse_rate(text: &str) -> Result<Expression, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let [number, unit] = words.as_slice() else {
        return Err("a rate is a number and a unit, as in rate(5 minutes)".into());
    };
    let hours = match *unit {
        "minute" | "minutes" => None,
        "hour" | "hours" => Some(1),
        "day" | "days" => Some(24),
        _ => return Err("the unit of a rate is minutes, hours or days".into()),
    };
    match number.parse::<i64>() {
        // A hundred years of minutes, so that no time overflows.
        Ok(number @ 1..=52_560_000) => Ok(Expression::Rate(match hours {
            None => SignedDuration::from_mins(number),
            Some(hours) => SignedDuration::from_hours(number * hours),
        })),
        _ => Err("the number of a rate is a positive whole number".into()),
    }
}

fn parse_at(text: &str) -> Result<Expression, String> {
    // jiff reads more forms than AWS takes.
    let digits = text.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        10 => byte == b'T',
        13 | 16 => byte == b':',
        _ => byte.is_ascii_digit(),
    });
    match text.parse() {
        Ok(time) if digits && text.len() == 19 => Ok(Expression::At(time)),
        _ => Err("give a time as in at(2026-12-01T06:00:00)".into()),
    }
}

impl Plan {
    /// The first time after `after` that the schedule is due; `None` when there is no more.
    #[must_use]
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        // The start date itself is a time that counts.
        let just_before = |start: Timestamp| start.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(start);
        let within = self.start.map_or(after, |start| after.max(just_before(start)));
        let next = match &self.expression {
            Expression::Cron(cron) => cron.next_after(&self.zone, within),
            Expression::Rate(every) => next_multiple(self.anchor, *every, within),
            // A time in the hour that does not exist is taken as long after midnight as it would be on another day. Start
            // and end are ignored here, as AWS ignores them.
            Expression::At(time) => {
                return self.zone.to_ambiguous_timestamp(*time).compatible().ok().filter(|time| *time > after);
            }
        };
        next.filter(|next| self.end.is_none_or(|end| *next <= end))
    }

    /// The last time in `(after, until]` that the schedule is due.
    #[must_use]
    pub fn last_between(&self, after: Timestamp, until: Timestamp) -> Option<Timestamp> {
        let mut last = None;
        let mut from = after;
        while let Some(next) = self.next_after(from).filter(|next| *next <= until) {
            last = Some(next);
            from = next;
        }
        last
    }
}

fn next_multiple(anchor: Timestamp, every: SignedDuration, after: Timestamp) -> Option<Timestamp> {
    if after < anchor {
        return Some(anchor);
    }
    let past = after.duration_since(anchor).as_secs() / every.as_secs();
    let seconds = every.as_secs().checked_mul(past.checked_add(1)?)?;
    anchor.checked_add(SignedDuration::from_secs(seconds)).ok()
}

#[cfg(test)]
mod tests;
