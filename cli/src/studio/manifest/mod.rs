//! What is kept of a Studio domain: a JSON document that says what a restorer needs.
//!
//! Settings are SageMaker's own JSON, word for word: what this program does not know is kept and restored too.

mod read;
pub(crate) mod store;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

pub(crate) use read::parse;

/// Says what the document is.
const FORMAT: &str = "tidegate-studio-backup";

/// The shape that this program writes, and the only one that it reads.
const VERSION: u64 = 1;

/// A domain at one time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Backup {
    pub(crate) taken: Timestamp,
    pub(crate) domain: Domain,
    /// By name.
    pub(crate) profiles: Vec<Profile>,
    /// By name.
    pub(crate) spaces: Vec<Space>,
}

/// The domain itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Domain {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) arn: Arn,
    /// `IAM` or `SSO`.
    pub(crate) auth_mode: String,
    pub(crate) vpc_id: Option<String>,
    pub(crate) subnet_ids: Vec<String>,
    pub(crate) kms_key_id: Option<String>,
    /// The file system of the home folders.
    pub(crate) file_system: Option<FileSystem>,
    /// Members of DescribeDomain that say how applications are made, such as `DefaultUserSettings`.
    pub(crate) settings: Map<String, Value>,
    pub(crate) tags: BTreeMap<String, String>,
}

/// A user profile.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Profile {
    pub(crate) name: Name,
    pub(crate) arn: Arn,
    /// Whose files they are on the domain's file system.
    pub(crate) uid: Option<Uid>,
    /// The user of Identity Center (SingleSignOnUserValue).
    pub(crate) sso_user: Option<String>,
    /// UserSettings; its ExecutionRole is the profile's own role, and without one the domain's default is.
    pub(crate) settings: Map<String, Value>,
    pub(crate) tags: BTreeMap<String, String>,
}

/// A space.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Space {
    pub(crate) name: Name,
    pub(crate) arn: Arn,
    pub(crate) display_name: Option<String>,
    pub(crate) uid: Option<Uid>,
    /// SpaceSettings.
    pub(crate) settings: Map<String, Value>,
    /// OwnershipSettings.
    pub(crate) ownership: Map<String, Value>,
    /// SpaceSharingSettings.
    pub(crate) sharing: Map<String, Value>,
    pub(crate) tags: BTreeMap<String, String>,
}

impl Space {
    /// The profile whose it is.
    pub(crate) fn owner(&self) -> Option<&str> {
        self.ownership.get("OwnerUserProfileName").and_then(Value::as_str)
    }
}

/// A name of a profile or of a space: letters, digits and single hyphens inside, at most 63 (CreateUserProfile, API
/// reference). SageMaker does not tell upper from lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Name(String);

impl Name {
    /// What is accepted, in words.
    pub(crate) const ACCEPTED: &str = "1 to 63 letters, digits and hyphens, the first and the last of them no hyphen";

    pub(crate) fn new(text: &str) -> Option<Self> {
        let fine = |byte: u8| byte.is_ascii_alphanumeric();
        let bytes = text.as_bytes();
        let ends = bytes.first().is_some_and(|byte| fine(*byte)) && bytes.last().is_some_and(|byte| fine(*byte));
        let all = bytes.iter().all(|byte| fine(*byte) || *byte == b'-');
        (ends && all && bytes.len() <= 63).then(|| Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// As SageMaker compares names.
    pub(crate) fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A user id on the file system; never root's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Uid(u32);

impl Uid {
    /// What is accepted, in words.
    pub(crate) const ACCEPTED: &str = "a number from 1 to 4294967294, as a text";

    pub(crate) fn new(text: &str) -> Option<Self> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        // The last one means "leave it as it is" to chown(2).
        text.parse().ok().filter(|uid| digits && (1..u32::MAX).contains(uid)).map(Self)
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Uid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// An EFS file system's id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct FileSystem(String);

impl FileSystem {
    /// What is accepted, in words.
    pub(crate) const ACCEPTED: &str = "`fs-` and up to 40 letters and digits";

    pub(crate) fn new(text: &str) -> Option<Self> {
        let id = text.strip_prefix("fs-")?;
        let fine = (1..=40).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        fine.then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for FileSystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An ARN of SageMaker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Arn(String);

impl Arn {
    /// What is accepted, in words.
    pub(crate) const ACCEPTED: &str = "`arn:<partition>:sagemaker:<Region>:<account>:<resource>`";

    pub(crate) fn new(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let fine = matches!(parts.as_slice(), ["arn", _, "sagemaker", region, account, resource]
            if !region.is_empty() && account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit())
                && !resource.is_empty());
        fine.then(|| Self(text.to_owned()))
    }

    fn part(&self, number: usize) -> &str {
        self.0.split(':').nth(number).unwrap_or_default()
    }

    pub(crate) fn region(&self) -> &str {
        self.part(3)
    }

    pub(crate) fn account(&self) -> &str {
        self.part(4)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Backup {
    /// The document. Equal backups make equal documents.
    ///
    /// # Errors
    /// Never with what AWS answers: all keys are texts.
    pub(crate) fn document(&self) -> Result<Document, serde_json::Error> {
        let backup = sorted(serde_json::to_value(self)?);
        let sha256 = digest(&backup);
        let document = json!({"format": FORMAT, "version": VERSION, "sha256": sha256, "backup": backup});
        Ok(Document { text: format!("{}\n", serde_json::to_string_pretty(&document)?), sha256 })
    }
}

/// A backup as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Document {
    pub(crate) text: String,
    /// Of the backup in it, in hexadecimal.
    pub(crate) sha256: String,
}

/// SHA-256 of a value that is written without spaces, its keys sorted: whoever indents it differently changes nothing.
fn digest(sorted: &Value) -> String {
    Sha256::digest(sorted.to_string()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The same with sorted keys, at every depth.
pub(crate) fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members: BTreeMap<String, Value> =
                members.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            Value::Object(members.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}
