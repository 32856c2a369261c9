use std::path::PathBuf;

use serde::Serialize;

use super::record::Record;

/// The account of everything local.
const ACCOUNT: &str = "000000000000";

/// A local cloud that runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CloudInfo {
    /// The folder of all state.
    pub home: PathBuf,
    /// AWS region.
    pub region: String,
    /// AWS account.
    pub account: String,
    /// MiniStack's URL.
    pub ministack_url: String,
    /// The engine's URL.
    pub engine_url: String,
    /// MiniStack's process.
    pub ministack_pid: i32,
    /// The engine's process.
    pub engine_pid: i32,
    /// `false` when it ran already before `up`.
    pub started: bool,
}

impl CloudInfo {
    pub(super) fn of(record: &Record, home: PathBuf, started: bool) -> Self {
        Self {
            home,
            region: record.region.clone(),
            account: ACCOUNT.into(),
            ministack_url: url(record.ministack.port),
            engine_url: url(record.engine.port),
            ministack_pid: record.ministack.pid,
            engine_pid: record.engine.pid,
            started,
        }
    }

    /// The variables that turn the AWS CLI and SDKs to this cloud. The credentials are MiniStack's placeholders.
    #[must_use]
    pub fn env(&self) -> Vec<(String, String)> {
        env(&self.region, &self.ministack_url, &self.engine_url)
    }
}

pub(super) fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

pub(super) fn env(region: &str, ministack: &str, engine: &str) -> Vec<(String, String)> {
    [
        ("AWS_ENDPOINT_URL", ministack),
        ("AWS_ENDPOINT_URL_SAGEMAKER", engine),
        ("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", engine),
        ("AWS_ENDPOINT_URL_SCHEDULER", engine),
        ("AWS_REGION", region),
        ("AWS_DEFAULT_REGION", region),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        // Nothing may wait for the metadata service of a machine that is no EC2 instance.
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect()
}
