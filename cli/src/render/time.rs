//! Times, in UTC as AWS shows them.

use jiff::Timestamp;

/// `2026-11-21 08:00:00Z`
pub(crate) fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// `08:00:00Z`
pub(crate) fn clock(at: Timestamp) -> String {
    at.strftime("%H:%M:%SZ").to_string()
}

/// `42s`, `1m 12s`, `3h 5m`, `2d 4h`; nothing below zero.
pub(crate) fn span(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.duration_since(from).as_secs().max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m {}s", seconds / 60, seconds % 60),
        3600..86400 => format!("{}h {}m", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{}d {}h", seconds / 86400, seconds % 86400 / 3600),
    }
}

/// `42s ago`
pub(crate) fn ago(at: Timestamp, now: Timestamp) -> String {
    format!("{} ago", span(at, now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_two_units_at_most() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let cases = [(0, "0s"), (59, "59s"), (60, "1m 0s"), (3599, "59m 59s"), (3600, "1h 0m"), (90_000, "1d 1h")];
        for (seconds, words) in cases {
            assert_eq!(span(at(0), at(seconds)), words);
        }
        assert_eq!(span(at(5), at(0)), "0s");
        assert_eq!(stamp(at(1_700_000_000)), "2023-11-14 22:13:20Z");
    }
}
