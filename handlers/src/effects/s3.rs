//! Addresses of S3.

use std::fmt::{self, Display, Write as _};

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_types::byte_stream::error::Error;
use statemachine::run::ObjectVersion;

use super::{CallError, EffectError};

/// `s3://<bucket>/<key>`, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct S3Uri {
    pub(crate) bucket: String,
    pub(crate) key: String,
}

impl S3Uri {
    /// The key may be empty: the whole bucket.
    pub(crate) fn parse(text: &str) -> Result<Self, EffectError> {
        let rest = text.strip_prefix("s3://").unwrap_or_default();
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            let accepted = "accepted is `s3://<bucket>/<key>`";
            return Err(EffectError::Permanent(format!("`{text}` is not an address of S3: {accepted}")));
        }
        Ok(Self { bucket: bucket.to_owned(), key: key.to_owned() })
    }
}

impl Display for S3Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

/// All of a body; `None` when it is longer than `limit` bytes.
pub(super) async fn bounded(mut body: ByteStream, limit: usize) -> Result<Option<Vec<u8>>, Error> {
    let mut bytes = Vec::new();
    while let Some(chunk) = body.try_next().await? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > limit {
            return Ok(None);
        }
    }
    Ok(Some(bytes))
}

/// The bytes of one version of an object.
pub(crate) async fn read_object(client: &Client, object: &ObjectVersion, limit: usize) -> Result<Vec<u8>, EffectError> {
    let request = client.get_object().bucket(&object.bucket).key(&object.key);
    let answer = request.set_version_id(object.version_id.clone()).send().await;
    let answer = answer.map_err(|error| {
        CallError::of(error)
            .or_missing(format_args!("{object} cannot be read"), || format!("{object} is not there any more"))
    })?;
    let broken = |error: Error| CallError::busy(error.to_string()).effect(format_args!("{object} cannot be read"));
    let bytes = bounded(answer.body, limit).await.map_err(broken)?;
    bytes.ok_or_else(|| EffectError::Permanent(format!("{object} is longer than {limit} bytes")))
}

/// The value of `x-amz-copy-source` (CopyObject, in the S3 API reference): bucket and key URL-encoded, the version
/// behind them.
pub(super) fn copy_source(object: &ObjectVersion) -> String {
    let mut source = encoded(&format!("{}/{}", object.bucket, object.key));
    if let Some(version) = &object.version_id {
        source.push_str("?versionId=");
        source.push_str(&encoded(version));
    }
    source
}

/// Everything but the unreserved characters and `/` as `%XX`, byte by byte of the UTF-8 form.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                encoded.push(char::from(byte))
            }
            // Writing to a string cannot fail.
            _ => drop(write!(encoded, "%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_address_is_taken_apart() {
        let uri = S3Uri::parse("s3://data/raw/a b/ü.csv").unwrap();
        assert_eq!((&*uri.bucket, &*uri.key), ("data", "raw/a b/ü.csv"));
        assert_eq!(S3Uri::parse("s3://data").unwrap().key, "");
        for bad in ["", "data/raw", "s3://", "s3:///key", "https://data/raw"] {
            assert!(matches!(S3Uri::parse(bad), Err(EffectError::Permanent(_))), "{bad}");
        }
    }

    #[test]
    fn a_copy_source_is_url_encoded_key_and_version() {
        let object = |version: Option<&str>| ObjectVersion {
            bucket: "data".into(),
            key: "raw/a b+c/ü%?.csv".into(),
            version_id: version.map(str::to_owned),
            etag: None,
            size: 1,
            sequencer: None,
        };
        assert_eq!(copy_source(&object(None)), "data/raw/a%20b%2Bc/%C3%BC%25%3F.csv");
        assert_eq!(copy_source(&object(Some("v/+1"))), "data/raw/a%20b%2Bc/%C3%BC%25%3F.csv?versionId=v/%2B1");
    }
}
