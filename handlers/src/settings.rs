//! A function's settings, from its environment.

use crate::aws::Aws;

/// An environment variable that is needed and not there.
#[derive(Debug, thiserror::Error)]
#[error("environment variable `{0}` is not set; the orchestrator's stack sets it on this function")]
pub struct MissingSetting(pub &'static str);

/// What every event handler needs.
#[derive(Debug)]
pub struct Settings {
    /// The ledger's table.
    pub table: String,
    /// The data bucket.
    pub bucket: String,
    /// The topic of alerts.
    pub topic_arn: String,
}

impl Settings {
    /// # Errors
    /// Names the variable that is not set.
    pub fn from_environment() -> Result<Self, MissingSetting> {
        Ok(Self {
            table: variable("TIDEGATE_TABLE")?,
            bucket: variable("TIDEGATE_BUCKET")?,
            topic_arn: variable("TIDEGATE_TOPIC_ARN")?,
        })
    }
}

/// One variable.
///
/// # Errors
/// It is not set, or empty.
pub fn variable(name: &'static str) -> Result<String, MissingSetting> {
    std::env::var(name).ok().filter(|value| !value.is_empty()).ok_or(MissingSetting(name))
}

/// Clients and settings: all that a handler is given besides its event.
#[derive(Debug)]
pub struct Context {
    /// The clients.
    pub aws: Aws,
    /// The settings.
    pub settings: Settings,
}
