//! The values of `pipeline.yaml` that are more than text.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::text::{Invalid, checked_text, quote, serde_as_text, within};
use crate::gate::Finite;

/// The folder beside `pipeline.yaml` that holds every script; it is packed as a whole under its hash.
pub const SOURCE_FOLDER: &str = "src";

/// The longest text of a parameter or S3 address in the SageMaker API.
pub const VALUE_LIMIT: usize = 1024;

checked_text!(
    /// What the pipeline is for: 1 to 3072 characters, no control characters.
    Description,
    |text| {
        within(text, "a description", 3072)?;
        if text.chars().any(char::is_control) {
            return Err(Invalid(format!("{} has a line break or control character: write one line", quote(text))));
        }
        Ok(())
    }
);

checked_text!(
    /// Where data arrives in the bucket: a folder below `raw/`, ending with `/`.
    RawPrefix,
    |text| {
        within(text, "a prefix", 512)?;
        let inner = text.strip_prefix("raw/").and_then(|rest| rest.strip_suffix('/')).unwrap_or_default();
        if is_plain_path(inner) {
            return Ok(());
        }
        Err(Invalid(format!(
            "{} is not a prefix for arrivals: accepted is a folder below `raw/`, such as `raw/breast-cancer/`, of \
             letters, digits and `-_.=`",
            quote(text)
        )))
    }
);

impl RawPrefix {
    /// Whether one prefix lies within the other, so that an object could belong to both.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.as_str().starts_with(other.as_str()) || other.as_str().starts_with(self.as_str())
    }
}

checked_text!(
    /// How the key of an arriving object must end, such as `.csv`.
    Suffix,
    |text| {
        within(text, "a suffix", 64)?;
        if text.chars().all(|c| c.is_ascii_graphic()) {
            return Ok(());
        }
        Err(Invalid(format!("{} is not a suffix: accepted are visible ASCII characters, such as `.csv`", quote(text))))
    }
);

checked_text!(
    /// A script in the folder `src/`, relative to `pipeline.yaml`, such as `src/train.py`.
    ScriptPath,
    |text| {
        within(text, "a script", 200)?;
        let inner = text.strip_prefix("src/").unwrap_or_default();
        if is_plain_path(inner) && inner.strip_suffix(".py").is_some_and(|stem| !stem.is_empty()) {
            return Ok(());
        }
        Err(Invalid(format!(
            "{} is not a script: accepted is a Python file in `src/` beside pipeline.yaml, such as `src/train.py`",
            quote(text)
        )))
    }
);

impl ScriptPath {
    /// The path within the source folder: `train.py` for `src/train.py`.
    #[must_use]
    pub fn within_source(&self) -> &str {
        self.as_str().strip_prefix("src/").unwrap_or_default()
    }
}

checked_text!(
    /// The name of the report that an evaluation writes, such as `evaluation.json`.
    ReportFile,
    |text| {
        within(text, "a report", 128)?;
        if is_plain_path(text) && !text.contains('/') && text.ends_with(".json") {
            return Ok(());
        }
        Err(Invalid(format!(
            "{} is not a report: accepted is the name of a JSON file, such as `evaluation.json`",
            quote(text)
        )))
    }
);

/// Segments of letters, digits and `-_.=`, joined by `/`; none of them empty, `.` or `..`.
fn is_plain_path(path: &str) -> bool {
    path.split('/').all(|segment| {
        !matches!(segment, "" | "." | "..")
            && segment.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '='))
    })
}

/// The container image of a step or endpoint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Image {
    /// Alias `sklearn`: SageMaker's scikit-learn image.
    Sklearn,
    /// Alias `autogluon`: the AutoGluon Deep Learning Container, for training or inference as its place asks.
    Autogluon,
    /// An image by its registry address.
    Uri(ImageUri),
}

checked_text!(
    /// An image by its registry address, such as `123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/model:3`.
    ImageUri,
    |text| {
        let good = text.len() <= 255
            && text.split_once('/').is_some_and(|(host, path)| host.contains('.') && !path.is_empty())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':' | '@'));
        if good {
            return Ok(());
        }
        Err(Invalid(format!(
            "{} is not an image: accepted are `sklearn`, `autogluon`, or an address such as \
             `123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/model:3`",
            quote(text)
        )))
    }
);

impl FromStr for Image {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "sklearn" => Ok(Self::Sklearn),
            "autogluon" => Ok(Self::Autogluon),
            _ => ImageUri::new(text).map(Self::Uri),
        }
    }
}

impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sklearn => f.write_str("sklearn"),
            Self::Autogluon => f.write_str("autogluon"),
            Self::Uri(uri) => uri.fmt(f),
        }
    }
}

serde_as_text!(Image);

/// Whether a person must approve a model that passed the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Approval {
    /// A model that passed the gate is deployed at once.
    Automatic,
    /// It waits for a person.
    Manual,
}

impl FromStr for Approval {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "automatic" => Ok(Self::Automatic),
            "manual" => Ok(Self::Manual),
            _ => Err(Invalid(format!("{} is not accepted: accepted are `automatic` and `manual`", quote(text)))),
        }
    }
}

/// A plain value: the default of a parameter, or a hyperparameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    /// `true` or `false`
    Boolean(bool),
    /// A whole number of 64 bits.
    Integer(i64),
    /// Any other finite number.
    Float(Finite),
    /// Text.
    String(String),
}

impl Scalar {
    /// SageMaker's name of the type: `String`, `Integer`, `Float` or `Boolean`.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Boolean(_) => "Boolean",
            Self::Integer(_) => "Integer",
            Self::Float(_) => "Float",
            Self::String(_) => "String",
        }
    }

    /// The value as JSON.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        match self {
            Self::Boolean(value) => (*value).into(),
            Self::Integer(value) => (*value).into(),
            Self::Float(value) => value.get().into(),
            Self::String(value) => value.as_str().into(),
        }
    }
}

/// A length of time, in whole seconds, at least one; written `30s`, `30m`, `1h30m`, `2d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration(u64);

impl Duration {
    /// So many seconds; `None` for zero.
    #[must_use]
    pub const fn from_seconds(seconds: u64) -> Option<Self> {
        if seconds == 0 { None } else { Some(Self(seconds)) }
    }

    /// In seconds.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0
    }

    /// In ISO 8601, as SageMaker's cache wants it: `PT1H`, `P1D`.
    #[must_use]
    pub fn iso8601(self) -> String {
        const UNITS: [(u64, &str); 4] = [(86_400, "D"), (3600, "H"), (60, "M"), (1, "S")];
        let mut rest = self.0;
        let (mut text, mut in_time) = (String::from("P"), false);
        for (size, letter) in UNITS {
            let count = rest / size;
            rest %= size;
            if count > 0 {
                if size < 86_400 && !in_time {
                    text.push('T');
                    in_time = true;
                }
                text.push_str(&count.to_string());
                text.push_str(letter);
            }
        }
        text
    }
}

impl FromStr for Duration {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || {
            Invalid(format!(
                "{} is not a length of time: accepted is a whole number with `s`, `m`, `h` or `d`, such as `30m`",
                quote(text)
            ))
        };
        let span: jiff::Span = text.parse().map_err(|_| invalid())?;
        // A month has no fixed length, and a day here has 24 hours.
        let relative = jiff::SpanRelativeTo::days_are_24_hours();
        let length = span.to_duration(relative).map_err(|_| invalid())?;
        if length.subsec_nanos() != 0 {
            return Err(invalid());
        }
        u64::try_from(length.as_secs()).ok().and_then(Self::from_seconds).ok_or_else(invalid)
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0;
        match seconds {
            _ if seconds.is_multiple_of(86_400) => write!(f, "{}d", seconds / 86_400),
            _ if seconds.is_multiple_of(3600) => write!(f, "{}h", seconds / 3600),
            _ if seconds.is_multiple_of(60) => write!(f, "{}m", seconds / 60),
            _ => write!(f, "{seconds}s"),
        }
    }
}

serde_as_text!(Duration);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written() {
        for (text, seconds, written, iso) in [
            ("30m", 1800, "30m", "PT30M"),
            ("5s", 5, "5s", "PT5S"),
            ("90s", 90, "90s", "PT1M30S"),
            ("1h", 3600, "1h", "PT1H"),
            ("1h30m", 5400, "90m", "PT1H30M"),
            ("24h", 86_400, "1d", "P1D"),
            ("2d", 172_800, "2d", "P2D"),
            ("1d1s", 86_401, "86401s", "P1DT1S"),
        ] {
            let duration: Duration = text.parse().unwrap();
            assert_eq!((duration.seconds(), &*duration.to_string(), &*duration.iso8601()), (seconds, written, iso));
        }
        for text in ["", "30", "m", "0s", "-5s", "1.5s", "1mo", "1y", "soon", "99999999999999999999s", "5 parsecs"] {
            assert!(text.parse::<Duration>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_duration_survives_being_written() {
        for seconds in (1..4000).chain([86_399, 86_400, 86_401, 604_800]) {
            let duration = Duration::from_seconds(seconds).unwrap();
            assert_eq!(duration.to_string().parse(), Ok(duration));
            // jiff reads ISO 8601 too: a check of our writing by someone else's reading.
            assert_eq!(duration.iso8601().parse(), Ok(duration));
        }
    }

    #[test]
    fn paths_stay_where_they_belong() {
        for path in ["src/../x.py", "/src/x.py", "src/x", "src/.py", "src//x.py", "src/x y.py", "x.py", "src/a\\b.py"] {
            assert!(ScriptPath::new(path).is_err(), "{path}");
        }
        assert_eq!(ScriptPath::new("src/steps/train.py").unwrap().within_source(), "steps/train.py");
        for prefix in ["raw/", "raw", "raw/x", "raw//x/", "raw/../x/", "/raw/x/", "data/x/", "raw/x y/"] {
            assert!(RawPrefix::new(prefix).is_err(), "{prefix}");
        }
        let prefix = |text| RawPrefix::new(text).unwrap();
        assert!(prefix("raw/a/").overlaps(&prefix("raw/a/b/")) && prefix("raw/a/b/").overlaps(&prefix("raw/a/")));
        assert!(!prefix("raw/a/").overlaps(&prefix("raw/ab/")));
    }
}
