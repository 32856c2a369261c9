//! `Custom::TidegateSeed`: a small data set, put under `raw/`.
//!
//! An object that has the content already is left alone, so that the same deployment again starts no second run. Contents
//! are compared byte by byte: under KMS an ETag is no hash of the content, and an object that somebody else put carries no
//! checksum that could be relied on.

use std::collections::BTreeMap;

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use serde::Deserialize;
use serde_json::json;
use statemachine::config::{Invalid, RawPrefix};
use tracing::info;

use super::{ResourceError, archive};
use crate::apply::{FilesError, is_ignored, unpack};
use crate::aws::Aws;
use crate::cloudformation::{Answer, PhysicalId};
use crate::effects::{CallError, EffectError, Meaning};

/// Where data arrives.
const RAW: &str = "raw/";

/// The longest key that S3 takes, in bytes.
const KEY_LIMIT: usize = 1024;

/// Of `Custom::TidegateSeed`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SeedProperties {
    /// The archive's bucket.
    source_bucket: String,
    /// The archive's key; a zip.
    source_key: String,
    /// The data bucket.
    bucket: String,
    /// Where in it: `raw/` or a folder below.
    prefix: Prefix,
}

/// `raw/` or a folder below.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
struct Prefix(String);

impl TryFrom<String> for Prefix {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text == RAW { Ok(Self(text)) } else { Ok(Self(RawPrefix::new(text)?.into())) }
    }
}

/// Why an archive cannot be taken as data.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// It has no file.
    #[error("the seed's archive has no file in it")]
    Empty,
    /// It unpacks to too much.
    #[error("the seed has more than {0}: it is for a small data set, bring a larger one with the AWS CLI")]
    TooLarge(String),
    /// Anything else of it.
    #[error("the seed's archive: {0}")]
    Archive(FilesError),
    /// A key would be too long.
    #[error("`{key}` has {} bytes: S3 takes keys of {KEY_LIMIT}, shorten the file's path", .key.len())]
    Key {
        /// The key.
        key: String,
    },
}

impl From<FilesError> for SeedError {
    fn from(error: FilesError) -> Self {
        match error {
            FilesError::TooLarge(what) => Self::TooLarge(what),
            other => Self::Archive(other),
        }
    }
}

/// Puts what is not there yet.
pub(super) async fn put(aws: &Aws, properties: &SeedProperties) -> Result<Answer, ResourceError> {
    let bytes = archive(aws, &properties.source_bucket, &properties.source_key).await?;
    let objects = objects(&bytes, &properties.prefix)?;
    let (client, bucket) = (aws.s3(), properties.bucket.as_str());
    let mut written = 0;
    for (key, content) in &objects {
        if is_there(client, bucket, key, content).await? {
            continue;
        }
        let sent = client.put_object().bucket(bucket).key(key).body(ByteStream::from(content.clone())).send().await;
        sent.map_err(|error| CallError::of(error).effect(format_args!("s3://{bucket}/{key} cannot be written")))?;
        info!(key, "seeded");
        written += 1;
    }
    let data = json!({"Written": written.to_string(), "Kept": (objects.len() - written).to_string()});
    Ok(Answer::done(PhysicalId::seed(), data))
}

/// Keys and contents, in the order in which they are put: markers and manifests last, for they say that the others are
/// there.
fn objects(bytes: &[u8], prefix: &Prefix) -> Result<Vec<(String, Vec<u8>)>, SeedError> {
    let files: BTreeMap<String, Vec<u8>> = unpack(bytes, |path| !path.split('/').any(is_ignored))?;
    if files.is_empty() {
        return Err(SeedError::Empty);
    }
    let (last, first): (Vec<_>, Vec<_>) = files.into_iter().partition(|(path, _)| says_that_all_is_there(path));
    let keyed = first.into_iter().chain(last).map(|(path, content)| {
        let key = format!("{}{path}", prefix.0);
        if key.len() > KEY_LIMIT { Err(SeedError::Key { key }) } else { Ok((key, content)) }
    });
    keyed.collect()
}

/// By their usual names, such as `_SUCCESS` and `manifest.json`.
fn says_that_all_is_there(path: &str) -> bool {
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    name.starts_with('_') || name.to_ascii_lowercase().starts_with("manifest")
}

/// Whether an object has this content. One of another length is not read.
async fn is_there(client: &Client, bucket: &str, key: &str, content: &[u8]) -> Result<bool, EffectError> {
    let what = || format!("s3://{bucket}/{key} cannot be compared");
    let answer = match client.get_object().bucket(bucket).key(key).send().await {
        Ok(answer) => answer,
        Err(error) => match CallError::of(error) {
            // Of a bucket that is not there the writing tells.
            error if error.meaning == Meaning::Missing => return Ok(false),
            error => return Err(error.effect(what())),
        },
    };
    if answer.content_length().and_then(|length| usize::try_from(length).ok()) != Some(content.len()) {
        return Ok(false);
    }
    let mut body = answer.body;
    let mut rest = content;
    while let Some(chunk) = body.try_next().await.map_err(|error| CallError::busy(error.to_string()).effect(what()))? {
        let Some(left) = rest.strip_prefix(&*chunk) else { return Ok(false) };
        rest = left;
    }
    Ok(rest.is_empty())
}

#[cfg(test)]
mod tests;
