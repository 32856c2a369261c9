//! The times of a cron expression, in a time zone, as EventBridge Scheduler keeps them: a clock time that does not exist
//! is skipped, and of one that comes twice the first counts.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

use super::cron::Cron;

impl Cron {
    /// The first time after `after` at which it is due in `zone`; `None` if there is none until the year 2199.
    #[must_use]
    pub fn next_after(&self, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
        let mut civil = zone.to_datetime(after);
        loop {
            civil = self.pattern.find_next_occurrence(&civil, false).ok()?;
            if let Some(due) = instant(zone, civil).filter(|due| *due > after) {
                return Some(due);
            }
        }
    }

    /// The last time before `before` at which it was due in `zone`; `None` if there was none since 1970.
    #[must_use]
    pub fn last_before(&self, zone: &TimeZone, before: Timestamp) -> Option<Timestamp> {
        let mut civil = latest_civil(zone, before);
        let mut inclusive = true;
        loop {
            civil = self.pattern.find_previous_occurrence(&civil, inclusive).ok()?;
            inclusive = false;
            if let Some(due) = instant(zone, civil).filter(|due| *due < before) {
                return Some(due);
            }
        }
    }
}

/// When a clock of the zone shows this; the first time, if twice.
fn instant(zone: &TimeZone, civil: DateTime) -> Option<Timestamp> {
    let found = zone.to_ambiguous_timestamp(civil);
    match found.offset() {
        AmbiguousOffset::Gap { .. } => None,
        _ => found.earlier().ok(),
    }
}

/// The latest that a clock of the zone showed until then. After clocks were put back it is more than they show.
fn latest_civil(zone: &TimeZone, until: Timestamp) -> DateTime {
    let shown = zone.to_datetime(until);
    let change = zone.preceding(until).next().map(|change| change.timestamp());
    let just_before = change.and_then(|change| change.checked_sub(jiff::SignedDuration::from_secs(1)).ok());
    just_before.map_or(shown, |time| shown.max(zone.to_datetime(time)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Rate, ScheduleExpression, TimeZone as Zone};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// The times before `before`, the latest first, as clock times of the zone with their offset.
    fn before(cron: &str, zone: &str, before: &str, count: usize) -> Vec<String> {
        let expression = ScheduleExpression::Cron(cron.parse().unwrap());
        let zone = Zone::new(zone).unwrap();
        let mut before = at(before);
        let mut times = Vec::new();
        while times.len() < count {
            let Some(due) = expression.previous_due(&zone, before) else { break };
            times.push(due.to_zoned(zone.rules()).strftime("%Y-%m-%dT%H:%M%:z").to_string());
            before = due;
        }
        times
    }

    fn days(cron: &str, from: &str, count: usize) -> Vec<String> {
        before(cron, "UTC", from, count).iter().map(|time| time[..10].to_owned()).collect()
    }

    const ZURICH: &str = "Europe/Zurich";

    #[test]
    fn a_clock_time_follows_the_zone_over_the_change() {
        // Summer time began on 29 March and ended on 25 October 2026.
        assert_eq!(
            before("0 3 * * ? *", ZURICH, "2026-03-30T12:00:00Z", 3),
            ["2026-03-30T03:00+02:00", "2026-03-29T03:00+02:00", "2026-03-28T03:00+01:00"]
        );
        assert_eq!(
            before("0 3 * * ? *", ZURICH, "2026-10-26T12:00:00Z", 3),
            ["2026-10-26T03:00+01:00", "2026-10-25T03:00+01:00", "2026-10-24T03:00+02:00"]
        );
    }

    #[test]
    fn a_time_that_does_not_exist_was_not_due() {
        assert_eq!(
            before("30 2 * * ? *", ZURICH, "2026-03-30T12:00:00Z", 2),
            ["2026-03-30T02:30+02:00", "2026-03-28T02:30+01:00"]
        );
        assert_eq!(
            before("0/30 * * * ? *", ZURICH, "2026-03-29T01:40:00Z", 4),
            ["2026-03-29T03:30+02:00", "2026-03-29T03:00+02:00", "2026-03-29T01:30+01:00", "2026-03-29T01:00+01:00"]
        );
        // Samoa left out 30 December 2011.
        assert_eq!(
            before("0 12 * * ? *", "Pacific/Apia", "2011-12-31T12:00:00Z", 2),
            ["2011-12-31T12:00+14:00", "2011-12-29T12:00-10:00"]
        );
    }

    #[test]
    fn a_time_that_came_twice_was_due_once() {
        assert_eq!(
            before("30 2 * * ? *", ZURICH, "2026-10-26T12:00:00Z", 2),
            ["2026-10-26T02:30+01:00", "2026-10-25T02:30+02:00"]
        );
        assert_eq!(
            before("0/30 * * * ? *", ZURICH, "2026-10-25T02:10:00Z", 4),
            ["2026-10-25T03:00+01:00", "2026-10-25T02:30+02:00", "2026-10-25T02:00+02:00", "2026-10-25T01:30+02:00"]
        );
        // Asked in the second 02:15, the first 02:30 is half an hour and more ago.
        assert_eq!(before("30 2 * * ? *", ZURICH, "2026-10-25T01:15:00Z", 1), ["2026-10-25T02:30+02:00"]);
        // Asked in the first 02:15, it is still to come.
        assert_eq!(before("30 2 * * ? *", ZURICH, "2026-10-25T00:15:00Z", 1), ["2026-10-24T02:30+02:00"]);
    }

    #[test]
    fn the_time_itself_is_not_before_itself() {
        assert_eq!(before("0 3 * * ? *", "UTC", "2026-06-02T03:00:00Z", 1), ["2026-06-01T03:00+00:00"]);
        assert_eq!(before("0 3 * * ? *", "UTC", "2026-06-02T03:00:00.000000001Z", 1), ["2026-06-02T03:00+00:00"]);
    }

    #[test]
    fn months_and_years_end() {
        assert_eq!(days("0 0 L * ? *", "2026-04-15T12:00:00Z", 3), ["2026-03-31", "2026-02-28", "2026-01-31"]);
        assert_eq!(days("0 0 31 * ? *", "2026-07-15T12:00:00Z", 3), ["2026-05-31", "2026-03-31", "2026-01-31"]);
        assert_eq!(days("0 0 29 2 ? *", "2026-01-01T00:00:00Z", 2), ["2024-02-29", "2020-02-29"]);
        assert_eq!(days("0 0 1 1 ? 2020-2021", "2026-06-01T00:00:00Z", 9), ["2021-01-01", "2020-01-01"]);
        // The last day of May 2026 is a Sunday, that of February a Saturday.
        assert_eq!(days("0 0 LW 2,5 ? *", "2026-06-15T12:00:00Z", 2), ["2026-05-29", "2026-02-27"]);
        assert_eq!(days("0 0 31W 5 ? *", "2026-06-15T12:00:00Z", 1), ["2026-05-29"]);
        assert_eq!(before("0 0 1 1 ? *", ZURICH, "2026-12-31T23:00:01Z", 1), ["2027-01-01T00:00+01:00"]);
        assert_eq!(before("59 23 31 12 ? *", ZURICH, "2026-12-31T22:59:00Z", 1), ["2025-12-31T23:59+01:00"]);
    }

    #[test]
    fn days_of_the_week_are_those_of_aws() {
        let friday = "2026-11-20T12:00:00Z";
        assert_eq!(days("0 0 ? * 1 *", friday, 2), ["2026-11-15", "2026-11-08"]);
        assert_eq!(days("0 0 ? * MON-FRI *", "2026-11-22T12:00:00Z", 2), ["2026-11-20", "2026-11-19"]);
        assert_eq!(days("0 0 ? * sun,WED *", friday, 3), ["2026-11-18", "2026-11-15", "2026-11-11"]);
        assert_eq!(days("0 0 ? * SUN-SAT *", friday, 2), ["2026-11-20", "2026-11-19"]);
        assert_eq!(days("0 0 ? * L *", friday, 1), ["2026-11-14"]);
        assert_eq!(days("0 0 ? * 6L *", friday, 1), ["2026-10-30"]);
        assert_eq!(days("0 0 ? * 2#5 *", friday, 2), ["2026-08-31", "2026-06-29"]);
    }

    #[test]
    fn a_date_that_never_came_is_given_up() {
        assert!(before("0 0 30 2 ? *", ZURICH, "2026-01-01T00:00:00Z", 1).is_empty());
        assert!(before("0 0 1 1 ? 2030", ZURICH, "2026-01-01T00:00:00Z", 1).is_empty());
        assert!(before("* * * * ? 2199", ZURICH, "2026-01-01T00:00:00Z", 1).is_empty());
        assert!(before("0 3 * * ? *", ZURICH, "1970-01-01T00:00:00Z", 1).is_empty());
    }

    #[test]
    fn a_rate_and_a_point_in_time_do_not_tell() {
        let rate: Rate = "1 hour".parse().unwrap();
        let once = ScheduleExpression::at("2026-01-01T00:00:00").unwrap();
        for expression in [ScheduleExpression::Rate(rate), once] {
            assert_eq!(expression.previous_due(&Zone::utc(), at("2026-06-01T00:00:00Z")), None);
        }
    }

    #[test]
    fn going_back_meets_the_times_that_going_on_meets() {
        let crons = ["0/7 1-4 * * ? *", "30 2 ? * SUN *", "0 3 L * ? *", "15 2 25,29 3,10 ? *", "*/20 * * * ? *"];
        for zone in [ZURICH, "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia"] {
            let zone = Zone::new(zone).unwrap().rules();
            for text in crons {
                let cron: Cron = text.parse().unwrap();
                // Around both changes of 2026 in Europe, and those of other parts of the world.
                for start in
                    ["2026-03-27T00:00:00Z", "2026-04-03T00:00:00Z", "2026-10-02T00:00:00Z", "2026-10-24T00:00:00Z"]
                {
                    let mut due = cron.next_after(&zone, at(start)).unwrap();
                    for _ in 0..300 {
                        let next = cron.next_after(&zone, due).unwrap();
                        assert_eq!(cron.last_before(&zone, next), Some(due), "{text} before {next} in {zone:?}");
                        due = next;
                    }
                }
            }
        }
    }
}
