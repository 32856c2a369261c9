use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Trigger;

/// An exact version of an S3 object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ObjectVersion {
    /// The bucket.
    pub bucket: String,
    /// The key, as it is and not URL-encoded.
    pub key: String,
    /// `None` in a bucket without versioning; the ETag is the identity then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
    /// The ETag without quotes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// Bytes.
    #[serde(default)]
    pub size: u64,
    /// S3's order of what happened to this key: hexadecimal digits, to be compared with [`Self::is_older_than`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequencer: Option<String>,
}

impl ObjectVersion {
    /// The last segment of the key.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.key.rsplit('/').next().unwrap_or(&self.key)
    }

    /// What tells this version of the object from others: the version id, or in a bucket without versions the ETag and
    /// the sequencer, since the same bytes may be written again.
    #[must_use]
    pub fn version(&self) -> String {
        match (&self.version_id, &self.etag, &self.sequencer) {
            (Some(version), ..) => version.clone(),
            (None, Some(etag), Some(sequencer)) => format!("{etag}.{sequencer}"),
            (None, etag, sequencer) => etag.as_ref().or(sequencer.as_ref()).cloned().unwrap_or_default(),
        }
    }

    /// Whether `other` is a later version of the same object, as far as S3 tells. Sequencers are compared as text after
    /// the shorter is filled up with zeros on its right, and only for the same key (S3 user guide, "Event message
    /// structure").
    #[must_use]
    pub fn is_older_than(&self, other: &Self) -> bool {
        if self.bucket != other.bucket || self.key != other.key {
            return false;
        }
        let (Some(ours), Some(theirs)) = (&self.sequencer, &other.sequencer) else { return false };
        let width = ours.len().max(theirs.len());
        format!("{ours:0<width$}") < format!("{theirs:0<width$}")
    }
}

impl fmt::Display for ObjectVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)?;
        match (&self.version_id, &self.etag) {
            (Some(version), _) => write!(f, "?versionId={version}"),
            (None, Some(etag)) => write!(f, "?etag={etag}"),
            (None, None) => Ok(()),
        }
    }
}

/// The identity of a run: a letter for its trigger and 16 hexadecimal digits, `a-0123456789abcdef`.
///
/// It is made of the trigger alone, so that the same trigger, delivered again, names the same run. It is at most 18
/// characters long because the names of models and endpoint configurations (63 characters at SageMaker) end in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(String);

/// A text that is no run id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a run id: accepted is a letter of a, s, m, r, e, a hyphen, and 16 hexadecimal digits")]
pub struct ParseRunIdError(pub String);

impl RunId {
    /// The run for a trigger; `None` for a manual start, whose run is named by its [execution](Self::manual).
    #[must_use]
    pub fn of(pipeline: &str, trigger: &Trigger) -> Option<Self> {
        Some(match trigger {
            Trigger::Arrival { object } | Trigger::Batch { first: object } => Self::arrival(pipeline, object),
            Trigger::Schedule { name, scheduled_time } => Self::schedule(pipeline, name, &scheduled_time.to_string()),
            Trigger::Replay { of, attempt } => Self::replay(of, *attempt),
            Trigger::Expected { due } => Self::expected(pipeline, &due.to_string()),
            Trigger::Manual => return None,
        })
    }

    /// The run for an object that arrived. The same bytes written again are a new version, and a new run.
    #[must_use]
    pub fn arrival(pipeline: &str, object: &ObjectVersion) -> Self {
        Self::made('a', &[pipeline, &object.to_string()])
    }

    /// The run for one firing of a schedule. Scheduler's execution id changes with each attempt, so it has no part.
    #[must_use]
    pub fn schedule(pipeline: &str, schedule: &str, scheduled_time: &str) -> Self {
        Self::made('s', &[pipeline, schedule, scheduled_time])
    }

    /// The run for the `attempt`th replay of another.
    #[must_use]
    pub fn replay(of: &Self, attempt: u32) -> Self {
        Self::made('r', &[&of.0, &attempt.to_string()])
    }

    /// The record that no data had come by a time.
    #[must_use]
    pub fn expected(pipeline: &str, due: &str) -> Self {
        Self::made('e', &[pipeline, due])
    }

    /// The run for an execution that someone else started.
    #[must_use]
    pub fn manual(execution_arn: &str) -> Self {
        Self::made('m', &[execution_arn])
    }

    fn made(letter: char, parts: &[&str]) -> Self {
        let hex = sha256_hex(parts);
        let short: String = hex.chars().take(16).collect();
        Self(format!("{letter}-{short}"))
    }

    /// As stored and shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A ClientRequestToken for one purpose of this run: 64 hexadecimal characters, within SageMaker's 32 to 128.
    #[must_use]
    pub fn token(&self, purpose: &str) -> String {
        sha256_hex(&[&self.0, purpose])
    }

    /// A ClientToken for one purpose of this run, for operations that take 36 characters at most (CreateModelPackage).
    #[must_use]
    pub fn short_token(&self, purpose: &str) -> String {
        self.token(purpose).chars().take(36).collect()
    }

    /// # Errors
    /// Anything that [`RunId`]'s constructors would not make.
    pub fn parse(text: &str) -> Result<Self, ParseRunIdError> {
        let good = text.split_once('-').is_some_and(|(letter, hex)| {
            matches!(letter, "a" | "s" | "m" | "r" | "e")
                && hex.len() == 16
                && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        });
        if good { Ok(Self(text.to_owned())) } else { Err(ParseRunIdError(text.to_owned())) }
    }
}

/// Each part is preceded by its length, so that no two lists of parts give the same bytes.
fn sha256_hex(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

impl TryFrom<String> for RunId {
    type Error = ParseRunIdError;

    fn try_from(value: String) -> Result<Self, Self::Error> {
        Self::parse(&value)
    }
}

impl From<RunId> for String {
    fn from(value: RunId) -> Self {
        value.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The id of a pipeline execution: what follows the last `/` of its ARN.
#[must_use]
pub fn execution_id(execution_arn: &str) -> &str {
    execution_arn.rsplit('/').next().unwrap_or(execution_arn)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(key: &str, version: &str) -> ObjectVersion {
        ObjectVersion {
            bucket: "b".into(),
            key: key.into(),
            version_id: Some(version.into()),
            etag: Some("e".into()),
            size: 1,
            sequencer: None,
        }
    }

    #[test]
    fn a_run_is_named_by_its_trigger_and_nothing_else() {
        let id = RunId::arrival("p", &object("raw/x.csv", "1"));
        assert_eq!(id, RunId::arrival("p", &object("raw/x.csv", "1")));
        assert_ne!(id, RunId::arrival("p", &object("raw/x.csv", "2")));
        assert_ne!(id, RunId::arrival("q", &object("raw/x.csv", "1")));
        assert_ne!(RunId::schedule("p", "ab", "c"), RunId::schedule("p", "a", "bc"));
        assert_ne!(RunId::replay(&id, 1), RunId::replay(&id, 2));
    }

    #[test]
    fn an_id_reads_back_and_nothing_else_does() {
        let id = RunId::manual("arn:x");
        assert_eq!(RunId::parse(id.as_str()), Ok(id.clone()));
        assert_eq!(id.as_str().len(), 18);
        for bad in ["", "a-", "x-0123456789abcdef", "a-0123456789ABCDEF", "a-0123456789abcde", "a-0123456789abcdef0"] {
            assert!(RunId::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn versions_of_one_key_are_ordered_by_their_sequencers() {
        let with = |key: &str, sequencer: &str| ObjectVersion { sequencer: Some(sequencer.into()), ..object(key, "v") };
        assert!(with("k", "0A").is_older_than(&with("k", "0A1")));
        assert!(with("k", "00A").is_older_than(&with("k", "0A")), "the shorter is filled up on its right");
        assert!(!with("k", "0A0").is_older_than(&with("k", "0A")));
        assert!(!with("k", "0A").is_older_than(&with("other", "0B")), "per key only");
        assert!(!object("k", "v").is_older_than(&with("k", "0B")), "nothing is known of it");
    }

    #[test]
    fn tokens_fit_sagemakers_limits_and_differ_by_purpose() {
        let id = RunId::manual("arn:x");
        assert_eq!(id.token("start").len(), 64);
        assert_eq!(id.short_token("register").len(), 36);
        assert_ne!(id.token("start"), id.token("register"));
    }
}
