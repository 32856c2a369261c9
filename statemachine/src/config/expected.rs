//! By when data is expected: what makes an alert of data that did not come.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Time;

use super::cron::{Cron, WEEKDAYS};
use super::schedule::TimeZone;
use super::text::{Invalid, serde_as_text};
use super::values::Duration;

/// By when something is expected to have arrived.
///
/// Holds: `within` is 1 minute to 31 days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    by: ClockTime,
    days: Days,
    time_zone: TimeZone,
    within: Duration,
    cron: Cron,
}

impl Expected {
    /// The shortest `within`, in seconds.
    pub const SHORTEST: u64 = 60;
    /// The longest `within`, in seconds.
    pub const LONGEST: u64 = 31 * 86_400;
    /// The default of `within`, in seconds.
    pub const DEFAULT_WITHIN: u64 = 86_400;

    /// # Errors
    /// `within` is out of bounds.
    pub fn new(by: ClockTime, days: Days, time_zone: TimeZone, within: Duration) -> Result<Self, Invalid> {
        if !(Self::SHORTEST..=Self::LONGEST).contains(&within.seconds()) {
            return Err(Invalid::of(&within.to_string(), "a time to look back", "`1m` to `31d`"));
        }
        let (hour, minute) = (by.hour(), by.minute());
        let cron = match days {
            Days::ALL => format!("{minute} {hour} * * ? *"),
            days => format!("{minute} {hour} ? * {days} *"),
        };
        Ok(Self { by, days, time_zone, within, cron: cron.parse()? })
    }

    /// The time of day.
    #[must_use]
    pub fn by(&self) -> ClockTime {
        self.by
    }

    /// The days of the week.
    #[must_use]
    pub fn days(&self) -> Days {
        self.days
    }

    /// In which zone the time and the days are meant.
    #[must_use]
    pub fn time_zone(&self) -> &TimeZone {
        &self.time_zone
    }

    /// What arrived so long before the time counts.
    #[must_use]
    pub fn within(&self) -> Duration {
        self.within
    }

    /// The times as a cron expression. A time that a change of the clock leaves out is not asked for on that day.
    #[must_use]
    pub fn cron(&self) -> &Cron {
        &self.cron
    }
}

/// A time of day, to the minute; written `06:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClockTime {
    hour: u8,
    minute: u8,
}

impl ClockTime {
    /// 0 to 23.
    #[must_use]
    pub fn hour(self) -> u8 {
        self.hour
    }

    /// 0 to 59.
    #[must_use]
    pub fn minute(self) -> u8 {
        self.minute
    }
}

impl FromStr for ClockTime {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || Invalid::of(text, "a time of day", "`00:00` to `23:59`, such as `06:00`");
        // jiff reads seconds and more forms than this one.
        let time = Time::strptime("%H:%M", text).map_err(|_| invalid())?;
        let read = Self {
            hour: u8::try_from(time.hour()).map_err(|_| invalid())?,
            minute: u8::try_from(time.minute()).map_err(|_| invalid())?,
        };
        if read.to_string() == text { Ok(read) } else { Err(invalid()) }
    }
}

impl fmt::Display for ClockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hour, self.minute)
    }
}

serde_as_text!(ClockTime);

/// Days of the week, at least one; written `MON-FRI`, `SAT,SUN`, `FRI-MON`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days([bool; 7]);

impl Days {
    /// Every day.
    pub const ALL: Self = Self([true; 7]);
}

impl FromStr for Days {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || {
            let accepted = "days from `MON` to `SUN`, ranges of them and lists, such as `MON-FRI` or `TUE,SAT`";
            Invalid::of(text, "a choice of days", accepted)
        };
        let position = |name: &str| WEEKDAYS.iter().position(|day| day.eq_ignore_ascii_case(name)).ok_or_else(invalid);
        let mut days = [false; 7];
        for item in text.split(',') {
            let (from, to) = item.split_once('-').unwrap_or((item, item));
            let (from, to) = (position(from)?, position(to)?);
            // `SAT-MON` goes over the end of the week.
            let length = (to + WEEKDAYS.len() - from) % WEEKDAYS.len() + 1;
            for step in 0..length {
                if let Some(day) = days.get_mut((from + step) % WEEKDAYS.len()) {
                    *day = true;
                }
            }
        }
        Ok(Self(days))
    }
}

impl fmt::Display for Days {
    /// As AWS's cron takes it: ranges go from Sunday towards Saturday.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut runs: Vec<(&str, &str, usize)> = Vec::new();
        let mut before = false;
        for (name, chosen) in WEEKDAYS.into_iter().zip(self.0) {
            match runs.last_mut() {
                Some((_, last, length)) if chosen && before => (*last, *length) = (name, *length + 1),
                _ if chosen => runs.push((name, name, 1)),
                _ => {}
            }
            before = chosen;
        }
        for (position, (first, last, length)) in runs.into_iter().enumerate() {
            let comma = if position > 0 { "," } else { "" };
            match length {
                1 => write!(f, "{comma}{first}")?,
                2 => write!(f, "{comma}{first},{last}")?,
                _ => write!(f, "{comma}{first}-{last}")?,
            }
        }
        Ok(())
    }
}

serde_as_text!(Days);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_day_are_read_and_written() {
        for text in ["00:00", "06:00", "23:59"] {
            assert_eq!(text.parse::<ClockTime>().unwrap().to_string(), text);
        }
        for text in ["", "6:00", "24:00", "06:60", "06:00:00", "06", "0600", " 06:00", "06:00Z", "６:00"] {
            assert!(text.parse::<ClockTime>().is_err(), "{text}");
        }
    }

    #[test]
    fn days_are_read_and_written() {
        for (text, written) in [
            ("MON-FRI", "MON-FRI"),
            ("mon", "MON"),
            ("SAT,SUN", "SUN,SAT"),
            ("FRI-MON", "SUN,MON,FRI,SAT"),
            ("SUN-SAT", "SUN-SAT"),
            ("MON-SUN", "SUN-SAT"),
            ("TUE,MON,WED,WED", "MON-WED"),
            ("SAT-MON,WED", "SUN,MON,WED,SAT"),
        ] {
            let days: Days = text.parse().unwrap();
            assert_eq!(days.to_string(), written, "{text}");
            assert_eq!(written.parse(), Ok(days));
        }
        for text in ["", "MON,", "-", "MON-", "MON--TUE", "MON-TUE-WED", "1-5", "*", "?", "MON#1", "Monday", "MON TUE"]
        {
            assert!(text.parse::<Days>().is_err(), "{text}");
        }
    }

    #[test]
    fn every_choice_of_days_survives_being_written() {
        for bits in 1..128_u8 {
            let days = Days(std::array::from_fn(|day| bits >> day & 1 == 1));
            assert_eq!(days.to_string().parse(), Ok(days), "{days}");
        }
    }

    #[test]
    fn the_expectation_is_a_cron_expression() {
        let expected = |by: &str, days: Days| {
            let day = Duration::from_seconds(Expected::DEFAULT_WITHIN).unwrap();
            Expected::new(by.parse().unwrap(), days, TimeZone::utc(), day).unwrap().cron().to_string()
        };
        assert_eq!(expected("06:00", Days::ALL), "0 6 * * ? *");
        assert_eq!(expected("23:05", "MON-FRI".parse().unwrap()), "5 23 ? * MON-FRI *");
        let within = |seconds| {
            let within = Duration::from_seconds(seconds).unwrap();
            Expected::new("06:00".parse().unwrap(), Days::ALL, TimeZone::utc(), within).is_ok()
        };
        assert!(within(60) && within(31 * 86_400) && !within(59) && !within(31 * 86_400 + 1));
    }
}
