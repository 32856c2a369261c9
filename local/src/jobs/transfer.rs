//! Inputs from S3 and outputs to S3.

use std::path::{Component, Path, PathBuf};

use aws_sdk_s3::Client;
use aws_sdk_s3::error::DisplayErrorContext;
use aws_sdk_s3::primitives::ByteStream;
use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _};
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;

/// Objects moved at the same time. More does not help against a server on the same machine.
const AT_ONCE: usize = 8;

/// Why a transfer failed, as a job's failure reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransferError {
    /// The user's side: no such object, bucket or permission.
    #[error("ClientError: {0}")]
    Client(String),
    /// This machine's side.
    #[error("InternalServerError: {0}")]
    Internal(String),
}

type Result<T> = std::result::Result<T, TransferError>;

fn internal(path: &Path, error: &std::io::Error) -> TransferError {
    TransferError::Internal(format!("cannot write `{}`: {error}", path.display()))
}

/// `s3://bucket/key`, split. The key may be empty.
///
/// # Errors
/// When the text is no S3 URI.
pub fn split_uri(uri: &str) -> Result<(&str, &str)> {
    let rest = uri.strip_prefix("s3://").filter(|rest| !rest.is_empty() && !rest.starts_with('/'));
    let rest =
        rest.ok_or_else(|| TransferError::Client(format!("`{uri}` is not an S3 URI; write `s3://bucket/prefix`")))?;
    Ok(rest.split_once('/').unwrap_or((rest, "")))
}

/// Copies what a data source names into `folder`: all objects whose key begins with the prefix of an `S3Prefix`, or those
/// that a `ManifestFile` lists. Returns how many objects there were.
///
/// # Errors
/// When there are none, or one cannot be read or written.
pub async fn download_source(s3: &Client, source: &Value, folder: &Path) -> Result<usize> {
    let member = |name: &str| source.get(name).and_then(Value::as_str);
    let uri = member("S3Uri").ok_or_else(|| TransferError::Client("an input has no `S3Uri`".to_owned()))?;
    match member("S3DataType") {
        Some("ManifestFile") => {
            let (bucket, key) = split_uri(uri)?;
            let objects = manifest(&read(s3, bucket, key).await?, uri)?;
            for (uri, relative) in &objects {
                let (bucket, key) = split_uri(uri)?;
                fetch(s3, bucket, key, &within(folder, relative)?).await?;
            }
            Ok(objects.len())
        }
        None | Some("S3Prefix") => download_prefix(s3, uri, folder).await,
        Some(other) => Err(TransferError::Client(format!(
            "the local engine cannot read inputs of the type `{other}`; it can `S3Prefix` and `ManifestFile`"
        ))),
    }
}

/// Copies all objects whose key begins with the URI's key. A key that is a folder's name or ends within a name is cut at
/// its last `/`, as SageMaker does.
///
/// # Errors
/// When there are none, or one cannot be read or written.
pub async fn download_prefix(s3: &Client, uri: &str, folder: &Path) -> Result<usize> {
    let (bucket, prefix) = split_uri(uri)?;
    let keys = list(s3, bucket, prefix, uri).await?;
    if keys.is_empty() {
        return Err(TransferError::Client(format!(
            "No S3 objects found under S3 URL \"{uri}\" given in input data source."
        )));
    }
    tokio::fs::create_dir_all(folder).await.map_err(|error| internal(folder, &error))?;
    let mut files = Vec::new();
    for key in &keys {
        let relative = relative_key(prefix, key);
        // Consoles make empty objects whose key ends with `/` to show folders.
        if !relative.is_empty() && !key.ends_with('/') {
            files.push((key.as_str(), within(folder, relative)?));
        }
    }
    let mut fetches = Vec::with_capacity(files.len());
    for (key, file) in files {
        fetches.push(async move { fetch(s3, bucket, key, &file).await }.boxed());
    }
    all(fetches).await?;
    Ok(keys.len())
}

/// What remains of `key` as a path below the folder that `prefix` stands for.
fn relative_key<'a>(prefix: &str, key: &'a str) -> &'a str {
    let rest = key.strip_prefix(prefix).unwrap_or(key);
    if prefix.is_empty() || prefix.ends_with('/') {
        return rest;
    }
    if let Some(rest) = rest.strip_prefix('/') {
        return rest;
    }
    let cut = prefix.rfind('/').map_or(0, |slash| slash + 1);
    key.get(cut..).unwrap_or(key)
}

/// The path below `folder`; a key must not lead out of it.
fn within(folder: &Path, relative: &str) -> Result<PathBuf> {
    let path = Path::new(relative);
    match path.components().all(|component| matches!(component, Component::Normal(_) | Component::CurDir)) {
        true => Ok(folder.join(path)),
        false => Err(TransferError::Client(format!("the S3 key `{relative}` cannot be a path; use keys without `..`"))),
    }
}

/// The objects of a manifest: `[{"prefix": "s3://bucket/a/"}, "b", "c"]`.
fn manifest(text: &[u8], uri: &str) -> Result<Vec<(String, String)>> {
    let wrong = |reason: &str| TransferError::Client(format!("the manifest `{uri}` {reason}"));
    let entries: Vec<Value> = serde_json::from_slice(text).map_err(|_| wrong("is not a JSON list"))?;
    let (first, rest) = entries.split_first().ok_or_else(|| wrong("is empty"))?;
    let prefix = first.get("prefix").and_then(Value::as_str).ok_or_else(|| wrong("does not begin with a `prefix`"))?;
    rest.iter()
        .map(|entry| {
            let name = entry.as_str().ok_or_else(|| wrong("lists something other than a string"))?;
            Ok((format!("{prefix}{name}"), name.to_owned()))
        })
        .collect()
}

async fn list(s3: &Client, bucket: &str, prefix: &str, uri: &str) -> Result<Vec<String>> {
    let mut pages = s3.list_objects_v2().bucket(bucket).prefix(prefix).into_paginator().send();
    let mut keys = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| failed("list", uri, error))?;
        keys.extend(page.contents().iter().filter_map(|object| object.key().map(str::to_owned)));
    }
    Ok(keys)
}

/// An answer of S3 is the user's affair (bucket, key, permission); no answer is not.
fn failed<E, R>(verb: &str, uri: &str, error: aws_sdk_s3::error::SdkError<E, R>) -> TransferError
where
    E: std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let answered = matches!(error, aws_sdk_s3::error::SdkError::ServiceError(_));
    let text = format!("cannot {verb} `{uri}`: {}", DisplayErrorContext(error));
    if answered { TransferError::Client(text) } else { TransferError::Internal(text) }
}

/// Copies one object into a file.
///
/// # Errors
/// When it cannot be read or written.
pub async fn fetch(s3: &Client, bucket: &str, key: &str, file: &Path) -> Result<()> {
    let uri = format!("s3://{bucket}/{key}");
    let object = s3.get_object().bucket(bucket).key(key).send().await.map_err(|error| failed("read", &uri, error))?;
    if let Some(folder) = file.parent() {
        tokio::fs::create_dir_all(folder).await.map_err(|error| internal(folder, &error))?;
    }
    let mut target = tokio::fs::File::create(file).await.map_err(|error| internal(file, &error))?;
    let mut body = object.body;
    while let Some(bytes) = body.next().await {
        let bytes = bytes.map_err(|error| TransferError::Internal(format!("cannot read `{uri}`: {error}")))?;
        target.write_all(&bytes).await.map_err(|error| internal(file, &error))?;
    }
    target.flush().await.map_err(|error| internal(file, &error))
}

/// The content of one object.
///
/// # Errors
/// When it cannot be read.
pub async fn read(s3: &Client, bucket: &str, key: &str) -> Result<Vec<u8>> {
    let uri = format!("s3://{bucket}/{key}");
    let object = s3.get_object().bucket(bucket).key(key).send().await.map_err(|error| failed("read", &uri, error))?;
    let body = object.body.collect().await;
    body.map(|bytes| bytes.to_vec()).map_err(|error| TransferError::Internal(format!("cannot read `{uri}`: {error}")))
}

/// Copies all files below `folder` to keys below the URI. Returns how many there were.
///
/// # Errors
/// When one cannot be read or written.
pub async fn upload_folder(s3: &Client, folder: &Path, uri: &str) -> Result<usize> {
    let (bucket, prefix) = split_uri(uri)?;
    let prefix = prefix.trim_end_matches('/');
    let files =
        files_below(folder).map_err(|error| TransferError::Internal(format!("cannot list an output: {error}")))?;
    let mut uploads = Vec::with_capacity(files.len());
    for file in &files {
        let relative = file.strip_prefix(folder).unwrap_or(file).to_string_lossy().into_owned();
        let key = if prefix.is_empty() { relative } else { format!("{prefix}/{relative}") };
        uploads.push(async move { upload(s3, file, bucket, &key).await }.boxed());
    }
    all(uploads).await?;
    Ok(files.len())
}

/// Some at a time, until all are done or one fails.
async fn all(transfers: Vec<BoxFuture<'_, Result<()>>>) -> Result<()> {
    futures::stream::iter(transfers).buffer_unordered(AT_ONCE).try_collect().await
}

/// Copies one file to an object.
///
/// # Errors
/// When it cannot be read or written.
pub async fn upload(s3: &Client, file: &Path, bucket: &str, key: &str) -> Result<()> {
    let body = ByteStream::from_path(file)
        .await
        .map_err(|error| TransferError::Internal(format!("cannot read `{}`: {error}", file.display())))?;
    let sent = s3.put_object().bucket(bucket).key(key).body(body).send().await;
    sent.map(drop).map_err(|error| failed("write", &format!("s3://{bucket}/{key}"), error))
}

/// All files below a folder, in order. Links are followed no further than to files. A missing folder has none.
fn files_below(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = match std::fs::read_dir(&folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if entry.path().is_file() {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_prefix_is_a_folder_an_object_or_the_beginning_of_names() {
        assert_eq!(relative_key("a/b/", "a/b/c/d"), "c/d");
        assert_eq!(relative_key("a/b", "a/b/c/d"), "c/d");
        assert_eq!(relative_key("a/b.csv", "a/b.csv"), "b.csv");
        assert_eq!(relative_key("a/b", "a/bc"), "bc");
        assert_eq!(relative_key("", "a/b"), "a/b");
        assert_eq!(relative_key("a/", "a/"), "");
    }

    #[test]
    fn a_key_cannot_lead_out_of_the_folder() {
        assert!(within(Path::new("/f"), "../x").is_err());
        assert!(within(Path::new("/f"), "a/../../x").is_err());
        assert!(within(Path::new("/f"), "/etc/x").is_err());
        assert_eq!(within(Path::new("/f"), "a/b").unwrap(), Path::new("/f/a/b"));
    }

    #[test]
    fn uris_and_manifests() {
        assert_eq!(split_uri("s3://b/k/x").unwrap(), ("b", "k/x"));
        assert_eq!(split_uri("s3://b").unwrap(), ("b", ""));
        assert!(split_uri("https://b/k").is_err());
        assert!(split_uri("s3:///k").is_err());
        let objects = manifest(br#"[{"prefix": "s3://b/p/"}, "x", "y/z"]"#, "s3://m").unwrap();
        assert_eq!(objects.last().unwrap(), &("s3://b/p/y/z".to_owned(), "y/z".to_owned()));
        assert!(manifest(b"{}", "s3://m").is_err());
        assert!(manifest(b"[]", "s3://m").is_err());
    }
}
