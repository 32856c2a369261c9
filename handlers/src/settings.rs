//! A function's settings, from its environment.

use std::fmt;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::aws::Aws;

/// How long a run that is not done may be silent before AWS is asked about it, where the environment does not say: 15
/// minutes.
pub const SILENCE: SignedDuration = SignedDuration::from_mins(15);

/// An environment variable that is needed and not there.
#[derive(Debug, thiserror::Error)]
#[error("environment variable `{0}` is not set; the orchestrator's stack sets it on this function")]
pub struct MissingSetting(pub &'static str);

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingError {
    /// It is not there.
    #[error(transparent)]
    Missing(#[from] MissingSetting),
    /// It is not a number of seconds.
    #[error("environment variable `{name}` is `{found}`: accepted is a whole number of seconds from 1")]
    NotSeconds {
        /// Which.
        name: &'static str,
        /// What it is.
        found: String,
    },
}

/// Where one-off schedules are made, and what they wake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedules {
    /// The schedule group.
    pub group: String,
    /// The function that is woken.
    pub function_arn: String,
    /// The role that EventBridge Scheduler takes to wake it.
    pub role_arn: String,
    /// The queue for firings that could not be handed over.
    pub dead_letters_arn: String,
}

/// What every event handler needs.
#[derive(Debug)]
pub struct Settings {
    /// The ledger's table.
    pub table: String,
    /// The data bucket.
    pub bucket: String,
    /// The topic of alerts.
    pub topic_arn: String,
    /// One-off schedules.
    pub schedules: Schedules,
    /// How long a run that is not done may be silent before AWS is asked about it.
    pub silence: SignedDuration,
}

impl Settings {
    /// # Errors
    /// Names the variable that is not set, or not what is accepted.
    pub fn from_environment() -> Result<Self, SettingError> {
        let silence = match variable("TIDEGATE_SILENCE_SECONDS") {
            Err(_) => SILENCE,
            Ok(text) => match text.parse::<u32>() {
                Ok(seconds @ 1..) => SignedDuration::from_secs(seconds.into()),
                _ => return Err(SettingError::NotSeconds { name: "TIDEGATE_SILENCE_SECONDS", found: text }),
            },
        };
        Ok(Self {
            table: variable("TIDEGATE_TABLE")?,
            bucket: variable("TIDEGATE_BUCKET")?,
            topic_arn: variable("TIDEGATE_TOPIC_ARN")?,
            schedules: Schedules {
                group: variable("TIDEGATE_SCHEDULE_GROUP")?,
                function_arn: variable("TIDEGATE_SCHEDULE_FUNCTION_ARN")?,
                role_arn: variable("TIDEGATE_SCHEDULE_ROLE_ARN")?,
                dead_letters_arn: variable("TIDEGATE_SCHEDULE_DLQ_ARN")?,
            },
            silence,
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

/// What time it is. Everything that depends on the time asks here, so that a test can let hours pass.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// The machine's.
    #[must_use]
    pub fn system() -> Self {
        Self(Arc::new(Timestamp::now))
    }

    /// Another.
    #[must_use]
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// This moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// Clients, settings and the time: all that a handler is given besides its event.
#[derive(Debug)]
pub struct Context {
    /// The clients.
    pub aws: Aws,
    /// The settings.
    pub settings: Settings,
    /// The time.
    pub clock: Clock,
}
