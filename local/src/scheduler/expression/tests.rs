use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn plan(expression: &str, zone: &str) -> Plan {
    Plan {
        expression: Expression::parse(expression).unwrap(),
        zone: TimeZone::get(zone).unwrap(),
        anchor: at("2026-01-01T00:00:00Z"),
        start: None,
        end: None,
    }
}

/// The next times after `from`, as clock times of the zone with their offset.
fn next(expression: &str, zone: &str, from: &str, count: usize) -> Vec<String> {
    let plan = plan(expression, zone);
    let mut times = Vec::new();
    let mut after = at(from);
    while times.len() < count {
        let Some(next) = plan.next_after(after) else { break };
        times.push(next.to_zoned(plan.zone.clone()).strftime("%Y-%m-%dT%H:%M%:z").to_string());
        after = next;
    }
    times
}

fn days(expression: &str, from: &str, count: usize) -> Vec<String> {
    next(expression, "UTC", from, count).iter().map(|time| time[..10].to_owned()).collect()
}

const ZURICH: &str = "Europe/Zurich";

#[test]
fn a_clock_time_follows_the_zone_over_the_change() {
    // Summer time began on 29 March and ended on 25 October 2026.
    assert_eq!(
        next("cron(0 3 * * ? *)", ZURICH, "2026-03-27T12:00:00Z", 3),
        ["2026-03-28T03:00+01:00", "2026-03-29T03:00+02:00", "2026-03-30T03:00+02:00"]
    );
    assert_eq!(
        next("cron(0 3 * * ? *)", ZURICH, "2026-10-24T12:00:00Z", 2),
        ["2026-10-25T03:00+01:00", "2026-10-26T03:00+01:00"]
    );
}

#[test]
fn a_time_that_does_not_exist_is_skipped() {
    assert_eq!(
        next("cron(30 2 * * ? *)", ZURICH, "2026-03-27T12:00:00Z", 2),
        ["2026-03-28T02:30+01:00", "2026-03-30T02:30+02:00"]
    );
    assert_eq!(
        next("cron(0/30 * * * ? *)", ZURICH, "2026-03-29T00:10:00Z", 3),
        ["2026-03-29T01:30+01:00", "2026-03-29T03:00+02:00", "2026-03-29T03:30+02:00"]
    );
}

#[test]
fn a_time_that_comes_twice_counts_once() {
    assert_eq!(
        next("cron(30 2 * * ? *)", ZURICH, "2026-10-24T12:00:00Z", 2),
        ["2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00"]
    );
    assert_eq!(
        next("cron(0/30 * * * ? *)", ZURICH, "2026-10-24T23:50:00Z", 4),
        ["2026-10-25T02:00+02:00", "2026-10-25T02:30+02:00", "2026-10-25T03:00+01:00", "2026-10-25T03:30+01:00"]
    );
    // Asked in the second 02:15, the first 02:30 is over.
    assert_eq!(next("cron(30 2 * * ? *)", ZURICH, "2026-10-25T01:15:00Z", 1), ["2026-10-26T02:30+01:00"]);
}

#[test]
fn other_zones_and_whole_days_that_are_missing() {
    // Samoa left out 30 December 2011.
    assert_eq!(
        next("cron(0 12 * * ? *)", "Pacific/Apia", "2011-12-29T12:00:00Z", 2),
        ["2011-12-29T12:00-10:00", "2011-12-31T12:00+14:00"]
    );
    // Half an hour of summer time.
    assert_eq!(
        next("cron(15 2 * * ? *)", "Australia/Lord_Howe", "2026-10-02T12:00:00Z", 2),
        ["2026-10-03T02:15+10:30", "2026-10-05T02:15+11:00"]
    );
    assert_eq!(next("cron(30 9 * * ? *)", "Asia/Kolkata", "2026-06-01T04:00:00Z", 1), ["2026-06-02T09:30+05:30"]);
}

#[test]
fn the_year_ends() {
    assert_eq!(
        next("cron(0/20 23 31 12 ? *)", "UTC", "2026-12-31T23:30:00Z", 2),
        ["2026-12-31T23:40+00:00", "2027-12-31T23:00+00:00"]
    );
    assert_eq!(next("cron(0 0 1 1 ? *)", ZURICH, "2026-12-31T22:59:59Z", 1), ["2027-01-01T00:00+01:00"]);
    assert_eq!(days("cron(0 0 29 2 ? *)", "2026-01-01T00:00:00Z", 2), ["2028-02-29", "2032-02-29"]);
    assert_eq!(days("cron(0 0 1 1 ? 2027-2028)", "2026-06-01T00:00:00Z", 9), ["2027-01-01", "2028-01-01"]);
    assert_eq!(days("cron(0 0 1 1 ? 2026/3)", "2026-06-01T00:00:00Z", 2), ["2029-01-01", "2032-01-01"]);
    assert!(days("cron(0 0 1 1 ? 2020)", "2026-06-01T00:00:00Z", 1).is_empty());
}

#[test]
fn a_date_that_never_comes_is_given_up() {
    assert!(days("cron(0 0 30 2 ? *)", "2026-01-01T00:00:00Z", 1).is_empty());
}

#[test]
fn days_are_named_as_aws_names_them() {
    let from = "2026-11-20T12:00:00Z"; // a Friday
    assert_eq!(days("cron(0 0 ? * 1 *)", from, 1), ["2026-11-22"]);
    assert_eq!(days("cron(0 0 ? * 7 *)", from, 1), ["2026-11-21"]);
    assert_eq!(days("cron(0 0 ? * MON-FRI *)", from, 3), ["2026-11-23", "2026-11-24", "2026-11-25"]);
    assert_eq!(days("cron(0 0 ? * 2-6 *)", from, 3), ["2026-11-23", "2026-11-24", "2026-11-25"]);
    assert_eq!(days("cron(0 0 ? * sun,wed *)", from, 3), ["2026-11-22", "2026-11-25", "2026-11-29"]);
    assert_eq!(days("cron(0 0 ? * L *)", from, 2), ["2026-11-21", "2026-11-28"]);
    assert_eq!(days("cron(0 0 ? * * *)", from, 2), ["2026-11-21", "2026-11-22"]);
    assert_eq!(days("cron(0 0 1 FEB,jul ? *)", from, 2), ["2027-02-01", "2027-07-01"]);
}

#[test]
fn last_nearest_and_nth_days() {
    let from = "2026-01-15T12:00:00Z";
    assert_eq!(days("cron(0 0 L * ? *)", from, 3), ["2026-01-31", "2026-02-28", "2026-03-31"]);
    // The third Tuesday and the last Friday.
    assert_eq!(days("cron(0 0 ? * 3#3 *)", from, 2), ["2026-01-20", "2026-02-17"]);
    assert_eq!(days("cron(0 0 ? * TUE#3 *)", from, 2), ["2026-01-20", "2026-02-17"]);
    assert_eq!(days("cron(0 0 ? * 6L *)", from, 2), ["2026-01-30", "2026-02-27"]);
    // Only months with a fifth Monday.
    assert_eq!(days("cron(0 0 ? * 2#5 *)", from, 2), ["2026-03-30", "2026-06-29"]);
    // 15 February 2026 is a Sunday, 15 August a Saturday.
    assert_eq!(days("cron(0 0 15W 2,8 ? *)", from, 2), ["2026-02-16", "2026-08-14"]);
    // 1 August 2026 is a Saturday and 31 May a Sunday: the nearest weekday stays in the month.
    assert_eq!(days("cron(0 0 1W 8 ? *)", from, 1), ["2026-08-03"]);
    assert_eq!(days("cron(0 0 31W 5 ? *)", from, 1), ["2026-05-29"]);
}

#[test]
fn steps_begin_where_they_say() {
    assert_eq!(
        next("cron(5/20 8-9 * * ? *)", "UTC", "2026-01-01T08:30:00Z", 4),
        ["2026-01-01T08:45+00:00", "2026-01-01T09:05+00:00", "2026-01-01T09:25+00:00", "2026-01-01T09:45+00:00"]
    );
    assert_eq!(
        next("cron(0 10-20/5,22 * * ? *)", "UTC", "2026-01-01T09:00:00Z", 4),
        ["2026-01-01T10:00+00:00", "2026-01-01T15:00+00:00", "2026-01-01T20:00+00:00", "2026-01-01T22:00+00:00"]
    );
    assert_eq!(next("cron(*/15 * * * ? *)", "UTC", "2026-01-01T09:15:00Z", 1), ["2026-01-01T09:30+00:00"]);
    assert_eq!(next("cron(59/5 * * * ? *)", "UTC", "2026-01-01T09:15:00Z", 2).len(), 2);
}

#[test]
fn what_aws_refuses_is_refused() {
    for (text, reason) in [
        (
            "cron(0 3 * * *)",
            "`0 3 * * *` has 5 fields: a cron expression has 6, minutes, hours, day of month, month, day of week and year, \
             such as `0 3 * * ? *`",
        ),
        (
            "cron(0 3 ? * 8 *)",
            "`8` is not accepted for the day of week of `0 3 ? * 8 *`: accepted are 1-7 or SUN-SAT and `, - * ? L #`",
        ),
        ("rate(5)", "a rate is a number and a unit, as in rate(5 minutes)"),
        ("rate(0 minutes)", "the number of a rate is a positive whole number"),
        ("rate(1 second)", "the unit of a rate is minutes, hours or days"),
        ("at(2026-12-01T06:00)", "give a time as in at(2026-12-01T06:00:00)"),
        ("at(2026-12-01T06:00:00Z)", "give a time as in at(2026-12-01T06:00:00)"),
        ("at(2026-02-30T06:00:00)", "give a time as in at(2026-12-01T06:00:00)"),
        ("every day", "give cron(...), rate(...) or at(...)"),
    ] {
        assert_eq!(Expression::parse(text).map(|_| ()).unwrap_err(), reason, "{text}");
    }
}

#[test]
fn a_rate_counts_elapsed_time_from_its_anchor() {
    let mut plan = plan("rate(1 day)", ZURICH);
    plan.anchor = at("2026-03-28T12:00:00Z");
    assert_eq!(plan.next_after(at("2026-03-01T00:00:00Z")), Some(plan.anchor));
    // 24 hours, though the clock moves by 25.
    assert_eq!(plan.next_after(plan.anchor), Some(at("2026-03-29T12:00:00Z")));
    assert_eq!(plan.next_after(at("2026-03-29T11:59:59.999Z")), Some(at("2026-03-29T12:00:00Z")));
    assert_eq!(plan.next_after(at("2026-03-29T12:00:00Z")), Some(at("2026-03-30T12:00:00Z")));
    assert_eq!(
        next("rate(90 minutes)", "UTC", "2026-01-01T01:00:00Z", 2),
        ["2026-01-01T01:30+00:00", "2026-01-01T03:00+00:00"]
    );
}

#[test]
fn once_is_once() {
    assert_eq!(next("at(2026-12-01T06:00:00)", ZURICH, "2026-11-01T00:00:00Z", 5), ["2026-12-01T06:00+01:00"]);
    assert!(next("at(2026-12-01T06:00:00)", ZURICH, "2026-12-01T05:00:00Z", 5).is_empty());
    assert_eq!(next("at(2026-03-29T02:30:00)", ZURICH, "2026-01-01T00:00:00Z", 1), ["2026-03-29T03:30+02:00"]);
}

#[test]
fn start_and_end_bound_it() {
    let mut plan = plan("cron(0 * * * ? *)", "UTC");
    plan.start = Some(at("2026-05-01T10:00:00Z"));
    plan.end = Some(at("2026-05-01T11:00:00Z"));
    assert_eq!(plan.next_after(at("2026-01-01T00:00:00Z")), Some(at("2026-05-01T10:00:00Z")));
    assert_eq!(plan.next_after(at("2026-05-01T10:00:00Z")), Some(at("2026-05-01T11:00:00Z")));
    assert_eq!(plan.next_after(at("2026-05-01T11:00:00Z")), None);
    assert_eq!(plan.last_between(at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z")), plan.end);
    assert_eq!(plan.last_between(at("2026-05-01T11:00:00Z"), at("2027-01-01T00:00:00Z")), None);
}

#[test]
fn a_single_time_knows_no_start_and_no_end() {
    let mut plan = plan("at(2026-06-01T12:00:00)", "UTC");
    (plan.start, plan.end) = (Some(at("2026-07-01T00:00:00Z")), Some(at("2026-05-01T00:00:00Z")));
    assert_eq!(plan.next_after(at("2026-01-01T00:00:00Z")), Some(at("2026-06-01T12:00:00Z")));
}
