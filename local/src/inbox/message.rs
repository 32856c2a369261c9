use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::Value;

/// A notification as SNS sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// SNS's id of the message.
    pub message_id: String,
    /// The topic.
    pub topic_arn: String,
    /// The subject, if the publisher gave one.
    pub subject: Option<String>,
    /// The text.
    pub message: String,
    /// When it was published.
    pub time: Timestamp,
    /// The values of the message attributes.
    pub attributes: BTreeMap<String, String>,
}

/// All notifications under `home/inbox`, in the order of time. Files that are no notification are left out and logged.
///
/// # Errors
/// When the folder exists and cannot be read.
pub fn read(home: &Path) -> std::io::Result<Vec<Message>> {
    let values = values(&home.join("inbox"))?;
    Ok(values
        .iter()
        .filter_map(|value| parse(value).inspect_err(|what| tracing::warn!(what, "in the inbox")).ok())
        .collect())
}

pub(super) enum StoreError {
    Form(String),
    Io(std::io::Error),
}

/// Writes the notification unless there is one with its id. The caller sees to it that no two run at once.
pub(super) fn store(folder: &Path, value: &Value) -> Result<(), StoreError> {
    let message = parse(value).map_err(StoreError::Form)?;
    let id = &message.message_id;
    std::fs::create_dir_all(folder).map_err(StoreError::Io)?;
    let ending = format!("-{id}.json");
    // The id alone decides: a second delivery may carry another time.
    if files(folder)
        .map_err(StoreError::Io)?
        .iter()
        .any(|file| name(file).is_some_and(|name| after_time(name) == ending))
    {
        return Ok(());
    }
    let file = folder.join(format!("{}{ending}", message.time.strftime("%Y%m%dT%H%M%S.%3fZ")));
    let temporary = file.with_extension("tmp");
    let text = serde_json::to_vec_pretty(value).map_err(|error| StoreError::Io(error.into()))?;
    std::fs::write(&temporary, text).and_then(|()| std::fs::rename(&temporary, &file)).map_err(StoreError::Io)
}

pub(super) fn values(folder: &Path) -> std::io::Result<Vec<Value>> {
    let mut found = Vec::new();
    for file in files(folder)? {
        match serde_json::from_slice(&std::fs::read(&file)?) {
            Ok(value) => found.push(value),
            Err(error) => tracing::warn!(file = %file.display(), %error, "no notification"),
        }
    }
    Ok(found)
}

/// The files in the order of their names, which is the order of time.
fn files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn name(file: &Path) -> Option<&str> {
    file.file_name()?.to_str()
}

fn after_time(name: &str) -> &str {
    name.find('-').and_then(|at| name.get(at..)).unwrap_or_default()
}

fn parse(value: &Value) -> Result<Message, String> {
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let message_id = text("MessageId").unwrap_or_default();
    let fits = (1..=100).contains(&message_id.len());
    if !fits || !message_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Err("`MessageId` must have 1 to 100 letters, digits and hyphens".into());
    }
    let time = text("Timestamp").and_then(|time| time.parse().ok());
    let attributes = value.get("MessageAttributes").and_then(Value::as_object);
    Ok(Message {
        message_id,
        topic_arn: text("TopicArn").unwrap_or_default(),
        subject: text("Subject"),
        message: text("Message").unwrap_or_default(),
        time: time.ok_or("`Timestamp` must be a time like 2026-11-21T08:00:00.000Z")?,
        attributes: attributes
            .into_iter()
            .flatten()
            .filter_map(|(name, attribute)| Some((name.clone(), attribute.get("Value")?.as_str()?.to_owned())))
            .collect(),
    })
}
