//! Every time, one second on this side of its boundary and one on that, with the skew of 60 s and without.

use access::saml::ServiceProvider;
use idp::Response;
use jiff::{SignedDuration, Timestamp};

use crate::support::{PROVIDER, SKEW, at, edit, form, now, outcome, response, sign};

fn code_with(skew: i64, xml: &str, now: Timestamp) -> &'static str {
    let provider = ServiceProvider { skew: SignedDuration::from_secs(skew), ..PROVIDER.clone() };
    outcome(&provider.verify(&form(&sign(xml)).unwrap(), now))
}

fn stamp(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A Response of which one time is `seconds` from now.
type Timed = fn(i64) -> String;

fn valid_from(seconds: i64) -> String {
    Response { not_before: at(seconds), ..response() }.xml()
}

fn valid_until(seconds: i64) -> String {
    let from = "NotBefore=\"2026-01-02T03:03:05Z\" NotOnOrAfter=\"2026-01-02T03:09:05Z\"";
    let to = format!("NotBefore=\"2026-01-01T00:00:00Z\" NotOnOrAfter=\"{}\"", stamp(at(seconds)));
    edit(&response().xml(), from, &to)
}

fn confirmed_until(seconds: i64) -> String {
    let to = format!("NotOnOrAfter=\"{}\" Recipient", stamp(at(seconds)));
    edit(&response().xml(), "NotOnOrAfter=\"2026-01-02T03:09:05Z\" Recipient", &to)
}

fn session_until(seconds: i64) -> String {
    Response { session_not_on_or_after: Some(at(seconds)), ..response() }.xml()
}

fn issued(seconds: i64) -> String {
    let to = format!("IssueInstant=\"{}\"><saml:Issuer>", stamp(at(seconds)));
    edit(&response().xml(), "IssueInstant=\"2026-01-02T03:04:05Z\"><saml:Issuer>", &to)
}

fn authenticated(seconds: i64) -> String {
    let to = format!("AuthnInstant=\"{}\"", stamp(at(seconds)));
    edit(&response().xml(), "AuthnInstant=\"2026-01-02T03:04:05Z\"", &to)
}

#[test]
fn what_begins_is_refused_until_the_skew_before_it() {
    let begins: [(&str, Timed, &str); 3] = [
        ("NotBefore", valid_from, "not-yet-valid"),
        ("IssueInstant", issued, "future"),
        ("AuthnInstant", authenticated, "future"),
    ];
    for (name, timed, refusal) in begins {
        for skew in [0, SKEW] {
            assert_eq!(code_with(skew, &timed(skew - 1), now()), "accepted", "{name}, skew {skew}, one second late");
            assert_eq!(code_with(skew, &timed(skew), now()), "accepted", "{name}, skew {skew}, on the second");
            assert_eq!(code_with(skew, &timed(skew + 1), now()), refusal, "{name}, skew {skew}, one second early");
        }
    }
}

#[test]
fn what_ends_is_refused_from_the_skew_after_it() {
    let ends: [(&str, Timed, &str); 3] = [
        ("Conditions", valid_until, "expired"),
        ("confirmation", confirmed_until, "confirmation-expired"),
        ("session", session_until, "session-ended"),
    ];
    for (name, timed, refusal) in ends {
        for skew in [0, SKEW] {
            assert_eq!(code_with(skew, &timed(1 - skew), now()), "accepted", "{name}, skew {skew}, one second early");
            assert_eq!(code_with(skew, &timed(-skew), now()), refusal, "{name}, skew {skew}, on the second");
            assert_eq!(code_with(skew, &timed(-skew - 1), now()), refusal, "{name}, skew {skew}, one second late");
        }
    }
}

#[test]
fn of_two_sessions_the_one_that_ends_first_counts() {
    let first = "<saml:AuthnStatement AuthnInstant=\"2026-01-02T03:04:05Z\" SessionNotOnOrAfter=\"UNTIL\"/>";
    for (before, seconds) in [(true, 1800), (false, 1800), (true, 7200), (false, 7200)] {
        let other = first.replace("UNTIL", &stamp(at(seconds)));
        let place = if before { "<saml:AuthnStatement " } else { "</saml:AuthnStatement>" };
        let to = if before { format!("{other}{place}") } else { format!("{place}{other}") };
        let xml = edit(&session_until(3600), place, &to);
        let verified = PROVIDER.verify(&form(&sign(&xml)).unwrap(), now()).unwrap();
        assert_eq!(verified.session_ends, Some(at(seconds.min(3600))));
        let ended = xml.replace(&stamp(at(seconds)), &stamp(at(-SKEW)));
        assert_eq!(code_with(SKEW, &ended, now()), "session-ended");
    }
}

#[test]
fn more_skew_than_a_minute_counts_as_a_minute_and_less_than_none_as_none() {
    assert_eq!(code_with(3600, &valid_until(1 - SKEW), now()), "accepted");
    assert_eq!(code_with(3600, &valid_until(-SKEW), now()), "expired");
    assert_eq!(code_with(-3600, &valid_until(1), now()), "accepted");
    assert_eq!(code_with(-3600, &valid_until(0), now()), "expired");
}

#[test]
fn parts_of_a_second_count() {
    let half = edit(&valid_until(-SKEW), &stamp(at(-SKEW)), &stamp(at(-SKEW)).replace('Z', ".5Z"));
    assert_eq!(code_with(SKEW, &half, now()), "accepted");
    assert_eq!(code_with(SKEW, &half, now() + SignedDuration::from_millis(500)), "expired");
}

#[test]
fn times_in_another_form_are_refused() {
    for other in ["2026-01-02T03:04:05", "2026-01-02T04:04:05+01:00", "2026-01-02", "now", ""] {
        for (attribute, what) in [
            ("AuthnInstant=\"2026-01-02T03:04:05Z\"", "AuthnInstant"),
            ("NotOnOrAfter=\"2026-01-02T03:09:05Z\" Recipient", "NotOnOrAfter"),
            ("SessionNotOnOrAfter=\"2026-01-02T04:04:05Z\"", "SessionNotOnOrAfter"),
        ] {
            let rest = if attribute.ends_with("Recipient") { " Recipient" } else { "" };
            let xml = edit(&response().xml(), attribute, &format!("{what}=\"{other}\"{rest}"));
            assert_eq!(code_with(SKEW, &xml, now()), "time", "{what} `{other}`");
        }
    }
}

#[test]
fn a_replay_record_is_kept_for_as_long_as_the_assertion_could_be_accepted() {
    for (xml, skew) in [(valid_until(100), SKEW), (confirmed_until(200), SKEW), (valid_until(100), 0)] {
        let provider = ServiceProvider { skew: SignedDuration::from_secs(skew), ..PROVIDER.clone() };
        let form = form(&sign(&xml)).unwrap();
        let expires = provider.verify(&form, now()).unwrap().expires;
        let second = SignedDuration::from_secs(1);
        assert_eq!(outcome(&provider.verify(&form, expires - second)), "accepted");
        assert_ne!(outcome(&provider.verify(&form, expires)), "accepted");
    }
    // With parts of a second, the whole second after them.
    let half = edit(&valid_until(100), &stamp(at(100)), &stamp(at(100)).replace('Z', ".5Z"));
    let expires = PROVIDER.verify(&form(&sign(&half)).unwrap(), now()).unwrap().expires;
    assert_eq!(expires, at(161));
}
