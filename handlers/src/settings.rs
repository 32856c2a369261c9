//! A function's settings, from its environment.

use std::fmt;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use statemachine::definition::{JobSecurity, SecurityError, SecurityPart, SecurityText};

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
    /// The network or the key of models and endpoints is malformed.
    #[error("environment variable `{}`: {}", security_variable(.0.part), .0.reason)]
    Security(#[from] SecurityError),
}

const SUBNETS: &str = "TIDEGATE_JOB_SUBNETS";
const SECURITY_GROUPS: &str = "TIDEGATE_JOB_SECURITY_GROUPS";
const VOLUME_KEY: &str = "TIDEGATE_VOLUME_KEY_ARN";

fn security_variable(part: SecurityPart) -> &'static str {
    match part {
        SecurityPart::Subnets => SUBNETS,
        SecurityPart::SecurityGroups => SECURITY_GROUPS,
        // What a function makes writes no results: their key has no variable.
        SecurityPart::VolumeKey | SecurityPart::OutputKey => VOLUME_KEY,
    }
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
    /// The network of models, and the key of endpoints' volumes. The orchestrator's stack takes both from where the jobs'
    /// own come from.
    pub security: JobSecurity,
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
            security: security(|name| variable(name).ok())?,
        })
    }
}

/// None of the variables has to be there.
fn security(variable: impl Fn(&'static str) -> Option<String>) -> Result<JobSecurity, SecurityError> {
    let (subnets, groups, key) = (variable(SUBNETS), variable(SECURITY_GROUPS), variable(VOLUME_KEY));
    JobSecurity::parse(SecurityText {
        subnets: subnets.as_deref(),
        security_groups: groups.as_deref(),
        volume_key: key.as_deref(),
        output_key: None,
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&'static str, &str)]) -> Result<JobSecurity, String> {
        let find = |name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        security(find).map_err(|error| SettingError::from(error).to_string())
    }

    #[test]
    fn e10_network_and_key_of_models_and_endpoints_may_be_given() {
        assert_eq!(read(&[]), Ok(JobSecurity::default()));
        let key = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
        let all = [
            ("TIDEGATE_JOB_SUBNETS", "subnet-a,subnet-b"),
            ("TIDEGATE_JOB_SECURITY_GROUPS", "sg-a"),
            ("TIDEGATE_VOLUME_KEY_ARN", key),
        ];
        let security = read(&all).unwrap();
        assert_eq!(security.network.unwrap().subnets().count(), 2);
        assert_eq!(security.volume_key.unwrap().as_str(), key);
    }

    #[test]
    fn e10_what_is_wrong_is_told_with_the_variable_s_name() {
        for (variables, message) in [
            (
                vec![("TIDEGATE_JOB_SUBNETS", "subnet-a")],
                "environment variable `TIDEGATE_JOB_SECURITY_GROUPS`: there is no security group: a network has 1 to 5",
            ),
            (
                vec![("TIDEGATE_JOB_SUBNETS", "vpc-a"), ("TIDEGATE_JOB_SECURITY_GROUPS", "sg-a")],
                "environment variable `TIDEGATE_JOB_SUBNETS`: `vpc-a` is not the id of a subnet: accepted is one such as \
                 `subnet-0123456789abcdef0`",
            ),
            (
                vec![("TIDEGATE_VOLUME_KEY_ARN", "alias/x")],
                "environment variable `TIDEGATE_VOLUME_KEY_ARN`: `alias/x` is not a KMS key: accepted is the ARN of a key, \
                 `arn:aws:kms:<region>:<account>:key/<id>`, or its id",
            ),
        ] {
            assert_eq!(read(&variables).unwrap_err(), message);
        }
    }
}
