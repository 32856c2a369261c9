use std::collections::BTreeMap;
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{ApprovalMode, ObjectVersion, RunId};
use crate::alert::Alert;

/// The name of a command within its run: the same decision always gives the same name, so it is done once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CommandId(String);

impl CommandId {
    /// Ask SageMaker for the execution.
    #[must_use]
    pub fn start() -> Self {
        Self("start".to_owned())
    }

    /// Read what the execution produced.
    #[must_use]
    pub fn evaluate() -> Self {
        Self("evaluate".to_owned())
    }

    /// Put the model into the registry.
    #[must_use]
    pub fn register() -> Self {
        Self("register".to_owned())
    }

    /// Roll the model out.
    #[must_use]
    pub fn deploy() -> Self {
        Self("deploy".to_owned())
    }

    /// Stop the execution.
    #[must_use]
    pub fn stop() -> Self {
        Self("stop".to_owned())
    }

    /// Be woken at a time.
    #[must_use]
    pub fn wake(purpose: Purpose, at: Timestamp) -> Self {
        Self(format!("wake:{}@{at}", purpose.name()))
    }

    /// Tell people; one alert for each cause.
    #[must_use]
    pub fn alert(cause: &str) -> Self {
        Self(format!("alert:{cause}"))
    }

    /// Tell another run.
    #[must_use]
    pub fn tell(run: &RunId, message: &Message) -> Self {
        Self(format!("tell:{run}:{}", message.name()))
    }
}

impl fmt::Display for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One object version to be copied to the run's own input prefix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// What.
    pub object: ObjectVersion,
    /// The key in the data bucket.
    pub to: String,
}

/// What a run is woken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// To see whether its objects are all there.
    Batch,
    /// To see whether it is done.
    Deadline,
}

impl Purpose {
    /// As in the name of the schedule.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Batch => "batch",
            Self::Deadline => "deadline",
        }
    }
}

/// Something to be done outside. Each is idempotent: its names and tokens are made of the run alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Command {
    /// Copy the inputs, then StartPipelineExecution. Answered by [`super::EventKind::ExecutionStarted`].
    Start {
        /// The pipeline's name.
        pipeline: String,
        /// The inputs to copy first.
        stage: Vec<Stage>,
        /// The execution's parameters.
        parameters: BTreeMap<String, String>,
        /// ClientRequestToken.
        token: String,
    },
    /// Find the training job's artifact and read the evaluation report. Answered by [`super::EventKind::Evaluated`].
    Evaluate {
        /// Of which execution.
        execution_arn: String,
        /// The step whose job made the model.
        training_step: String,
        /// The report's S3 address.
        report_uri: String,
    },
    /// CreateModelPackage, and its group where there is none. Answered by [`super::EventKind::Registered`].
    Register {
        /// The model package group.
        group: String,
        /// The artifact.
        model_data: String,
        /// The inference image.
        image: String,
        /// The inference container's environment.
        environment: BTreeMap<String, String>,
        /// The evaluation report's S3 address.
        report_uri: String,
        /// MetadataProperties.GeneratedBy.
        execution_arn: String,
        /// Whether a person has to approve.
        approval: ApprovalMode,
        /// ClientToken.
        token: String,
    },
    /// CreateModel, CreateEndpointConfig, then CreateEndpoint or UpdateEndpoint. Answered by
    /// [`super::EventKind::Done`]; how it ended comes as [`super::EventKind::EndpointChanged`].
    Deploy {
        /// The endpoint's stable name.
        endpoint: String,
        /// The name of the model and of the endpoint configuration.
        name: String,
        /// The registry's version that is deployed.
        package: String,
        /// Such as `ml.m5.large`.
        instance_type: String,
        /// How many.
        instances: u32,
        /// The model's role.
        role_arn: String,
    },
    /// StopPipelineExecution. Answered by [`super::EventKind::Done`]; that it has stopped comes as
    /// [`super::EventKind::ExecutionChanged`].
    Stop {
        /// Which.
        execution_arn: String,
        /// ClientRequestToken.
        token: String,
    },
    /// Make a schedule that fires once. Answered by [`super::EventKind::Done`].
    Wake {
        /// When.
        at: Timestamp,
        /// What for.
        purpose: Purpose,
    },
    /// Publish to the alert topic. Answered by [`super::EventKind::Done`].
    Alert(Alert),
    /// Give another run an event. Answered by [`super::EventKind::Done`].
    Tell {
        /// Whom.
        run: RunId,
        /// What.
        message: Message,
    },
}

/// What one run tells another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// The endpoint is free.
    YourTurn,
    /// A newer model took your place.
    Superseded {
        /// Whose.
        by: RunId,
    },
    /// One more execution of the pipeline may begin.
    SlotFree,
    /// A newer run takes your place.
    Replaced {
        /// Which.
        by: RunId,
    },
}

impl Message {
    fn name(&self) -> String {
        match self {
            Self::YourTurn => "turn".to_owned(),
            Self::Superseded { by } => format!("superseded:{by}"),
            Self::SlotFree => "slot".to_owned(),
            Self::Replaced { by } => format!("replaced:{by}"),
        }
    }
}

/// Whether someone is at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Pending {
    /// Nobody has begun.
    Unclaimed,
    /// A function has begun; it counts as dead after this time.
    Claimed {
        /// The end of the claim.
        until: Timestamp,
    },
    /// It was refused for want of room, and waits.
    Waiting {
        /// When it is tried again.
        until: Timestamp,
    },
}

impl Pending {
    /// When someone may begin; `None` for at once.
    #[must_use]
    pub fn free_at(self) -> Option<Timestamp> {
        match self {
            Self::Unclaimed => None,
            Self::Claimed { until } | Self::Waiting { until } => Some(until),
        }
    }
}

/// The wait after the first refusal for want of room; each further one doubles it.
const FIRST_WAIT_SECONDS: u64 = 30;

/// The longest wait, before jitter.
const LONGEST_WAIT_SECONDS: u64 = 15 * 60;

/// How long a command waits after its `attempts`th refusal: 30 s, doubled each time, 15 minutes at most, times a factor
/// from 0.5 to 1.5 that is made of the run, the command and the attempt. Runs that were refused together do not come back
/// together, and the same decision gives the same wait.
pub(super) fn patience(run: &RunId, command: &CommandId, attempts: u32) -> SignedDuration {
    let doubled = FIRST_WAIT_SECONDS.saturating_mul(1 << attempts.saturating_sub(1).min(10));
    let base = doubled.min(LONGEST_WAIT_SECONDS) * 1000;
    let seed = run.token(&format!("{command}#{attempts}"));
    let jitter = seed.get(..4).and_then(|hex| u64::from_str_radix(hex, 16).ok()).unwrap_or_default();
    let milliseconds = base / 2 + base * jitter / 0x1_0000;
    SignedDuration::from_millis(i64::try_from(milliseconds).unwrap_or(i64::MAX))
}

/// A command in the outbox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PendingCommand {
    /// Its name within the run.
    pub id: CommandId,
    /// What.
    pub command: Command,
    /// Whether someone is at it.
    pub state: Pending,
    /// How often it was tried and could not be done.
    #[serde(default)]
    pub attempts: u32,
    /// Whether someone began it and did not tell how it went: it may have been done.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unsure: bool,
}

impl PendingCommand {
    /// Someone begins it. If another's claim has ended meanwhile, that one may have done it.
    pub fn claim(&mut self, until: Timestamp) {
        self.unsure |= matches!(self.state, Pending::Claimed { .. });
        self.state = Pending::Claimed { until };
    }

    /// Whoever began it gives it back, without an answer from AWS that tells whether it is done.
    pub fn let_go(&mut self) {
        self.unsure = true;
        self.state = Pending::Unclaimed;
        self.attempts = self.attempts.saturating_add(1);
    }
}
