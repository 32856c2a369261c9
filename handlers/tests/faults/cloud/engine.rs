//! What AWS does by itself: executions go through their steps, endpoints into service.

use jiff::SignedDuration;

use super::wire::Request;
use super::{Cloud, Due};

/// How what is asked for ends.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Will {
    /// Whether the training step succeeds.
    pub(crate) trains: bool,
    /// What each execution's model reaches, in turn; the last one for those that follow.
    pub(crate) accuracy: Vec<f64>,
    /// How many deployments go into service; those that follow do not.
    pub(crate) deploys: usize,
    /// The person's answer to a model that awaits approval.
    pub(crate) approves: bool,
    /// How long an execution trains.
    pub(crate) training: SignedDuration,
    /// Whether EventBridge hears of executions and endpoints at all.
    pub(crate) tells: bool,
}

impl Default for Will {
    fn default() -> Self {
        Self {
            trains: true,
            accuracy: vec![0.97],
            deploys: usize::MAX,
            approves: true,
            training: SignedDuration::from_secs(90),
            tells: true,
        }
    }
}

/// Something that AWS, or a person, does by itself.
#[derive(Clone, Debug)]
pub(crate) enum Move {
    /// An execution goes one stage further.
    Execution { arn: String, stage: Stage },
    /// A rollout ends.
    Endpoint { name: String },
    /// A person looks at a model package.
    Approval { arn: String },
    /// A one-off schedule is due.
    Fire(String),
    /// A request that was stuck comes in.
    Late(Request),
}

/// The stages of an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Executing,
    Training,
    Trained,
    Ended,
}

impl Stage {
    /// What follows, and when.
    pub(super) fn next(self, training: SignedDuration) -> Option<(SignedDuration, Self)> {
        let seconds = SignedDuration::from_secs;
        match self {
            Self::Executing => Some((seconds(4), Self::Training)),
            Self::Training => Some((training, Self::Trained)),
            Self::Trained => Some((seconds(4), Self::Ended)),
            Self::Ended => None,
        }
    }
}

impl Cloud {
    /// Something that was due happens.
    pub(crate) fn happen(&mut self, what: Move) {
        match what {
            Move::Execution { arn, stage } => {
                if self.execution_moves(&arn, stage)
                    && let Some((after, stage)) = stage.next(self.will.training)
                {
                    self.later(after, Due::Engine(Move::Execution { arn, stage }));
                }
            }
            Move::Endpoint { name } => self.endpoint_settles(&name),
            Move::Approval { arn } => self.person_decides(&arn),
            Move::Fire(key) => self.fire(&key),
            // Nobody waits for the answer any more.
            Move::Late(request) => drop(self.serve(&request)),
        }
    }
}
