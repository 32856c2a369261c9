//! Which objects start runs, and how many of them make one.

use std::fmt;
use std::str::FromStr;

use super::expected::Expected;
use super::text::{Invalid, checked_text, quote, serde_as_text, within};
use super::values::{Duration, RawPrefix, Suffix};

/// The objects whose arrival starts runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// How their keys begin.
    pub prefix: RawPrefix,
    /// How their keys end; any, if `None`.
    pub suffix: Option<Suffix>,
    /// How large they are.
    pub size: SizeBounds,
    /// How many of them make one run.
    pub grouping: Grouping,
    /// By when something is expected to have arrived; nothing is, if `None`.
    pub expected: Option<Expected>,
}

/// How many objects make one run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Grouping {
    /// Every object starts a run of its own.
    #[default]
    Each,
    /// `batch`: all that come until none came for a while.
    Batch(Batch),
    /// `complete: {marker: …}`: an object of this name starts a run of all objects in its folder.
    Marker(ObjectName),
    /// `complete: {manifest: …}`: an object of this name starts a run of the objects that it lists.
    Manifest(ObjectName),
}

/// When a batch is complete.
///
/// Holds: `quiet` is 1 minute to 12 hours, `longest` is no less than `quiet` and 24 hours at most. Shorter waits would
/// promise more than EventBridge Scheduler, whose precision is a minute, can keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    quiet: Duration,
    longest: Duration,
}

impl Batch {
    /// The shortest quiet period, in seconds.
    pub const SHORTEST_QUIET: u64 = 60;
    /// The longest quiet period, in seconds.
    pub const LONGEST_QUIET: u64 = 12 * 3600;
    /// The longest a batch may be kept open, in seconds.
    pub const LONGEST: u64 = 24 * 3600;
    /// The default of `longest`, in seconds.
    pub const DEFAULT_LONGEST: u64 = 3600;

    /// # Errors
    /// Either is out of bounds.
    pub fn new(quiet: Duration, longest: Duration) -> Result<Self, Invalid> {
        if !(Self::SHORTEST_QUIET..=Self::LONGEST_QUIET).contains(&quiet.seconds()) {
            return Err(Invalid::of(&quiet.to_string(), "a quiet period", "`1m` to `12h`"));
        }
        if !(quiet.seconds()..=Self::LONGEST).contains(&longest.seconds()) {
            let accepted = format!("`{quiet}`, the quiet period, to `24h`");
            return Err(Invalid::of(&longest.to_string(), "a longest wait", &accepted));
        }
        Ok(Self { quiet, longest })
    }

    /// A batch is complete when nothing came for so long.
    #[must_use]
    pub fn quiet(self) -> Duration {
        self.quiet
    }

    /// It is complete so long after its first object, whatever comes.
    #[must_use]
    pub fn longest(self) -> Duration {
        self.longest
    }
}

checked_text!(
    /// The name of an object within its folder, such as `_SUCCESS`: 1 to 128 visible ASCII characters without `/`.
    ObjectName,
    |text| {
        within(text, "the name of an object", 128)?;
        if text.chars().all(|c| c.is_ascii_graphic() && c != '/') {
            return Ok(());
        }
        let what = "the name of an object in its folder";
        Err(Invalid::of(text, what, "visible ASCII characters without `/`, such as `_SUCCESS`"))
    }
);

/// A number of bytes, 1 to 50 TB, S3's largest object; written `1`, `10KiB`, `5MiB`, `1GiB`, `2TiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(u64);

const UNITS: [(&str, u64); 4] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

impl Size {
    /// S3's largest object, in bytes.
    pub const LARGEST: u64 = 50_000_000_000_000;

    /// So many bytes; `None` if there can be no bound so low or so high.
    #[must_use]
    pub const fn from_bytes(bytes: u64) -> Option<Self> {
        if bytes == 0 || bytes > Self::LARGEST { None } else { Some(Self(bytes)) }
    }

    /// In bytes.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

impl FromStr for Size {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || {
            let accepted = "a whole number of bytes from 1 to 50 TB, or one with `KiB`, `MiB`, `GiB` or `TiB`, such as \
                            `10MiB`";
            Invalid::of(text, "a size", accepted)
        };
        let unit = UNITS.into_iter().find_map(|(unit, bytes)| Some((text.strip_suffix(unit)?, bytes)));
        let (count, unit) = unit.unwrap_or((text, 1));
        if !count.chars().all(|c| c.is_ascii_digit()) {
            return Err(invalid());
        }
        let count: u64 = count.parse().map_err(|_| invalid())?;
        count.checked_mul(unit).and_then(Self::from_bytes).ok_or_else(invalid)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match UNITS.into_iter().find(|(_, bytes)| self.0.is_multiple_of(*bytes)) {
            Some((unit, bytes)) => write!(f, "{}{unit}", self.0 / bytes),
            None => self.0.fmt(f),
        }
    }
}

serde_as_text!(Size);

/// How large an object must be at least, and may be at most. Holds: the one is no more than the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SizeBounds {
    min: Option<Size>,
    max: Option<Size>,
}

impl SizeBounds {
    /// # Errors
    /// No size is within them.
    pub fn new(min: Option<Size>, max: Option<Size>) -> Result<Self, Invalid> {
        match (min, max) {
            (Some(min), Some(max)) if min > max => Err(Invalid(format!(
                "{} is less than `min_size`, which is {}: no object would start a run",
                quote(&max.to_string()),
                quote(&min.to_string())
            ))),
            _ => Ok(Self { min, max }),
        }
    }

    /// The smallest size that starts a run.
    #[must_use]
    pub fn min(self) -> Option<Size> {
        self.min
    }

    /// The largest.
    #[must_use]
    pub fn max(self) -> Option<Size> {
        self.max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn duration(text: &str) -> Duration {
        text.parse().unwrap()
    }

    #[test]
    fn sizes_are_read_and_written() {
        for (text, bytes, written) in [
            ("1", 1, "1"),
            ("1000", 1000, "1000"),
            ("1024", 1024, "1KiB"),
            ("10KiB", 10_240, "10KiB"),
            ("1536KiB", 1_572_864, "1536KiB"),
            ("2048MiB", 2_147_483_648, "2GiB"),
            ("45TiB", 49_478_023_249_920, "45TiB"),
            ("50000000000000", Size::LARGEST, "48828125000KiB"),
        ] {
            let size: Size = text.parse().unwrap();
            assert_eq!((size.bytes(), &*size.to_string()), (bytes, written), "{text}");
            assert_eq!(written.parse(), Ok(size));
        }
        for text in [
            "",
            "0",
            "0KiB",
            "-1",
            "+1",
            "1.5GiB",
            "1KB",
            "1kib",
            "1 KiB",
            "KiB",
            "50000000000001",
            "46TiB",
            "99999999999999999999",
            "17592186044416TiB",
        ] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }

    #[test]
    fn bounds_leave_room() {
        let size = Size::from_bytes;
        assert!(SizeBounds::new(size(2), size(1)).is_err());
        assert!(SizeBounds::new(size(1), size(1)).is_ok() && SizeBounds::new(None, size(1)).is_ok());
    }

    #[test]
    fn a_batch_waits_within_what_scheduler_can_keep() {
        for (quiet, longest) in [("1m", "1m"), ("2m", "30m"), ("12h", "24h"), ("90s", "2h")] {
            let batch = Batch::new(duration(quiet), duration(longest)).unwrap();
            assert_eq!((batch.quiet(), batch.longest()), (duration(quiet), duration(longest)));
        }
        for (quiet, longest) in [("59s", "1h"), ("12h1s", "24h"), ("2m", "1m"), ("1m", "24h1s")] {
            assert!(Batch::new(duration(quiet), duration(longest)).is_err(), "{quiet} {longest}");
        }
    }

    #[test]
    fn names_of_objects_have_no_folder() {
        for name in ["_SUCCESS", "manifest.json", "done~1"] {
            assert_eq!(ObjectName::new(name).unwrap().as_str(), name);
        }
        for name in ["", "a/b", "a b", "é", "/"] {
            assert!(ObjectName::new(name).is_err(), "{name}");
        }
    }
}
