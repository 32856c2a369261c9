//! Times as SAML writes them.

use jiff::{SignedDuration, Timestamp};
use uppsala::NodeId;

use super::Refusal;
use super::tree::Tree;

/// The longest difference of clocks that is tolerated.
pub(super) const SKEW_LIMIT: SignedDuration = SignedDuration::from_secs(60);

/// Now, give or take the difference of clocks.
#[derive(Clone, Copy)]
pub(super) struct Clock {
    now: Timestamp,
    skew: SignedDuration,
}

impl Clock {
    /// `skew` is held between nothing and one minute, whatever is configured.
    pub(super) fn new(now: Timestamp, skew: SignedDuration) -> Self {
        Self { now, skew: skew.clamp(SignedDuration::ZERO, SKEW_LIMIT) }
    }

    /// Whether `time` may have come.
    pub(super) fn reached(self, time: Timestamp) -> bool {
        self.now >= time.saturating_sub(self.skew).unwrap_or(Timestamp::MIN)
    }

    /// Whether what ends at `time`, which is not included, is over for certain.
    pub(super) fn over(self, time: Timestamp) -> bool {
        self.now >= self.end(time)
    }

    /// When [`Clock::over`] becomes true.
    pub(super) fn end(self, time: Timestamp) -> Timestamp {
        time.saturating_add(self.skew).unwrap_or(Timestamp::MAX)
    }
}

/// The time in the attribute `name` of `node`.
pub(super) fn required(tree: &Tree<'_>, node: NodeId, name: &str) -> Result<Timestamp, Refusal> {
    parse(tree.attribute(node, name).ok_or(Refusal::Time)?).ok_or(Refusal::Time)
}

/// The time in the attribute `name` of `node`, if it is there.
pub(super) fn optional(tree: &Tree<'_>, node: NodeId, name: &str) -> Result<Option<Timestamp>, Refusal> {
    tree.attribute(node, name).map(|text| parse(text).ok_or(Refusal::Time)).transpose()
}

/// `2026-01-31T12:00:00Z`, with up to nine digits of a fraction. SAML Core section 1.3.3 has UTC without a time zone
/// component, and identity providers write the `Z`; leap seconds are not used there.
fn parse(text: &str) -> Option<Timestamp> {
    let (seconds, fraction) = text.strip_suffix('Z')?.split_at_checked("2026-01-31T12:00:00".len())?;
    let shape = seconds.bytes().zip("dddd-dd-ddTdd:dd:dd".bytes()).all(|(byte, form)| match form {
        b'd' => byte.is_ascii_digit(),
        other => byte == other,
    });
    let digits = fraction.strip_prefix('.');
    let fraction = fraction.is_empty()
        || digits
            .is_some_and(|digits| (1..=9).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()));
    if !shape || !fraction || seconds.ends_with("60") {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_utc_and_whole() {
        for text in ["2026-01-31T12:00:00Z", "2026-01-31T12:00:00.5Z", "2026-01-31T12:00:00.123456789Z"] {
            assert!(parse(text).is_some(), "{text}");
        }
        for text in [
            "",
            "Z",
            "2026-01-31",
            "2026-01-31T12:00:00",
            "2026-01-31T12:00:00+00:00",
            "2026-01-31T12:00:00z",
            "2026-01-31 12:00:00Z",
            "2026-01-31T12:00:60Z",
            "2026-01-31T24:00:00Z",
            "2026-02-30T12:00:00Z",
            "2026-01-31T12:00:00.Z",
            "2026-01-31T12:00:00.1234567890Z",
            "2026-01-31T12:00:00.5[UTC]Z",
            "+002026-01-31T12:00:00Z",
            " 2026-01-31T12:00:00Z",
            "2026-01-31T12:00:0٠Z",
        ] {
            assert!(parse(text).is_none(), "{text}");
        }
    }
}
