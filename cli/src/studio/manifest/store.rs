//! Where manifests lie: a file, or an object in S3 under its bucket's encryption. Nothing is ever overwritten.

use std::fmt;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use aws_sdk_s3::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ChecksumAlgorithm;

use super::{Backup, Document, parse};
use crate::error::Error;

/// The largest manifest that is read, bytes. 10,000 profiles with long settings take some 50 MB.
const LARGEST: u64 = 256 * 1024 * 1024;

/// A place, as a person names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// For a backup the key is a prefix.
    Bucket {
        bucket: String,
        key: String,
    },
    Local(PathBuf),
}

impl Place {
    /// For clap.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let Some(rest) = text.strip_prefix("s3://") else {
            return match text {
                "" => Err("give FILE or s3://BUCKET/PREFIX".to_owned()),
                path if path.contains("://") => Err("accepted are FILE and s3://BUCKET/PREFIX".to_owned()),
                path => Ok(Self::Local(path.into())),
            };
        };
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err("it names no bucket: give s3://BUCKET/PREFIX".to_owned());
        }
        Ok(Self::Bucket { bucket: bucket.to_owned(), key: key.to_owned() })
    }

    /// The place of this backup's own document: what is named, if that is a file; else below it, by domain and time.
    pub(crate) fn of(&self, backup: &Backup) -> Self {
        let name = file_name(backup);
        match self {
            Self::Bucket { bucket, key } => {
                let folder = key.trim_end_matches('/');
                let key = if folder.is_empty() { name } else { format!("{folder}/{name}") };
                Self::Bucket { bucket: bucket.clone(), key }
            }
            Self::Local(path) if path.is_dir() || path.as_os_str().as_encoded_bytes().ends_with(b"/") => {
                Self::Local(path.join(name))
            }
            Self::Local(path) => Self::Local(path.clone()),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bucket { bucket, key } => write!(f, "s3://{bucket}/{key}"),
            Self::Local(path) => path.display().fmt(f),
        }
    }
}

/// `team-d-abc-20261121T170000Z.json`: names sort by time.
fn file_name(backup: &Backup) -> String {
    let name: String = backup
        .domain
        .name
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() || letter == '_' { letter } else { '-' })
        .collect();
    format!("{name}-{}-{}.json", backup.domain.id, backup.taken.strftime("%Y%m%dT%H%M%SZ"))
}

/// Writes a document where nothing is yet. `owner` is the account that the bucket must be of.
///
/// # Errors
/// Exit code 2 when something is there already; 1 when it cannot be written.
pub(crate) async fn write(
    s3: &aws_sdk_s3::Client,
    place: &Place,
    document: &Document,
    owner: &str,
) -> Result<(), Error> {
    match place {
        Place::Local(path) => write_file(path, document.text.as_bytes()),
        Place::Bucket { bucket, key } => {
            let request = s3
                .put_object()
                .bucket(bucket)
                .key(key)
                .expected_bucket_owner(owner)
                .content_type("application/json")
                .metadata("sha256", &document.sha256)
                .checksum_algorithm(ChecksumAlgorithm::Sha256)
                .if_none_match("*")
                .body(ByteStream::from(document.text.clone().into_bytes()));
            match request.send().await {
                Ok(_) => Ok(()),
                Err(error) if status(&error) == Some(412) => Err(taken(place)),
                Err(error) if status(&error) == Some(403) => Err(Error::aws(
                    format!("`{place}` cannot be written"),
                    error,
                )
                .hint(format!(
                    "the permission s3:PutObject, and kms:GenerateDataKey of the bucket's key, are needed; the bucket \
                         must be of account {owner}, or of the one that --bucket-owner names"
                ))),
                Err(error) => Err(Error::aws(format!("`{place}` cannot be written"), error)),
            }
        }
    }
}

fn status<E>(error: &SdkError<E>) -> Option<u16> {
    error.raw_response().map(|response| response.status().as_u16())
}

fn taken(place: &Place) -> Error {
    Error::usage(format!("`{place}` is there already, and is not overwritten"))
        .hint("give another name, or a folder: the name then says the domain and the time")
}

/// All of it or nothing; there is no pause in which Ctrl-C could leave a half.
fn write_file(path: &Path, text: &[u8]) -> Result<(), Error> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let failed = |error: std::io::Error| Error::failed(format!("`{}` cannot be written: {error}", path.display()));
    let mut options = std::fs::OpenOptions::new();
    // Names of people and of roles: nobody else's to read.
    let mut file = match options.write(true).create_new(true).mode(0o600).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(taken(&Place::Local(path.to_owned()))),
        Err(error) => return Err(failed(error)),
    };
    file.write_all(text).and_then(|()| file.sync_all()).map_err(|error| {
        // The reason for the failure counts, and not that of the tidying.
        let _ = std::fs::remove_file(path);
        failed(error)
    })
}

/// Reads a manifest.
///
/// # Errors
/// Exit code 2 when there is none, or it is wrong; 1 when AWS does not give it.
pub(crate) async fn read(s3: &aws_sdk_s3::Client, place: &Place) -> Result<Backup, Error> {
    let shown = place.to_string();
    match place {
        Place::Local(path) => {
            let unreadable = |error| Error::usage(format!("`{shown}` cannot be read: {error}"));
            if std::fs::metadata(path).map_err(unreadable)?.len() > LARGEST {
                return Err(too_large(&shown));
            }
            parse(&shown, &std::fs::read(path).map_err(unreadable)?)
        }
        Place::Bucket { key, .. } if key.is_empty() || key.ends_with('/') => {
            Err(Error::usage(format!("`{shown}` names no object: give the whole key of a manifest"))
                .hint(format!("`aws s3 ls {shown}` lists what is there")))
        }
        Place::Bucket { bucket, key } => {
            let answer = match s3.get_object().bucket(bucket).key(key).send().await {
                Ok(answer) => answer,
                Err(error) if matches!(error.code(), Some("NoSuchKey" | "NoSuchBucket")) => {
                    return Err(Error::usage(format!("there is no `{shown}`"))
                        .hint(format!("`aws s3 ls s3://{bucket}/` lists what is there; give the object's whole key")));
                }
                Err(error) => return Err(Error::aws(format!("`{shown}` cannot be read"), error)),
            };
            if answer.content_length().is_some_and(|length| u64::try_from(length).is_ok_and(|length| length > LARGEST))
            {
                return Err(too_large(&shown));
            }
            let body = answer.body.collect().await;
            let body = body.map_err(|error| Error::failed(format!("`{shown}` cannot be read: {error}")))?;
            parse(&shown, &body.into_bytes())
        }
    }
}

fn too_large(shown: &str) -> Error {
    Error::usage(format!("`{shown}` has more than {} MiB: it is no manifest", LARGEST / 1024 / 1024))
}

#[cfg(test)]
mod tests {
    use super::super::tests::backup;
    use super::*;

    #[test]
    fn e4_places_are_files_and_objects() {
        let bucket = |bucket: &str, key: &str| Ok(Place::Bucket { bucket: bucket.into(), key: key.into() });
        assert_eq!(Place::read("s3://b/backups/a"), bucket("b", "backups/a"));
        assert_eq!(Place::read("s3://b"), bucket("b", ""));
        assert_eq!(Place::read("a/b.json"), Ok(Place::Local("a/b.json".into())));
        for wrong in ["", "s3://", "s3:///a", "https://b/a"] {
            assert!(Place::read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn e4_a_manifest_is_named_by_domain_and_time() {
        let mut backup = backup();
        let at = |place: &str| Place::read(place).unwrap().of(&backup).to_string();
        assert_eq!(at("s3://b/x/"), "s3://b/x/old-d-old-20261121T170000Z.json");
        assert_eq!(at("s3://b"), "s3://b/old-d-old-20261121T170000Z.json");
        assert_eq!(at("here.json"), "here.json");
        assert_eq!(at("/"), "/old-d-old-20261121T170000Z.json");
        backup.domain.name = "../a b".into();
        assert_eq!(Place::read("s3://b").unwrap().of(&backup).to_string(), "s3://b/---a-b-d-old-20261121T170000Z.json");
    }

    #[test]
    fn e4_a_file_that_exists_is_never_overwritten() {
        use std::os::unix::fs::PermissionsExt as _;
        let path = std::env::temp_dir().join(format!("tidegate-manifest-{}.json", std::process::id()));
        write_file(&path, b"first").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let error = write_file(&path, b"second").unwrap_err();
        assert_eq!((error.code.number(), std::fs::read(&path).unwrap().as_slice()), (2, &b"first"[..]));
        std::fs::remove_file(&path).unwrap();
    }
}
