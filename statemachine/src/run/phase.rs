//! Where a run stands.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It collects objects, until none came for a while.
    Batching,
    /// It waits for a place: the pipeline's executions are bounded.
    Queued,
    /// Its execution is being asked for.
    Starting,
    /// SageMaker executes it.
    Running,
    /// The execution succeeded; its report is being read, its model registered.
    Evaluating,
    /// The gate let it pass; a person must approve.
    AwaitingApproval,
    /// It may go live; another deployment to the endpoint is not done yet.
    AwaitingTurn,
    /// Its model is being rolled out.
    Deploying,
    /// Its model answers.
    Live,
    /// The execution succeeded, and `pipeline.yaml` asks for no deployment.
    Succeeded,
    /// The gate, or a person, refused the model.
    Rejected,
    /// Something broke.
    Failed,
    /// Someone stopped it.
    Stopped,
    /// SageMaker took the new model back; the old one answers.
    RolledBack,
    /// A newer model took its place.
    Superseded,
    /// Its trigger came while another run was under way, and starts nothing.
    Skipped,
    /// What was due did not come: a schedule's firing, or data.
    Missed,
}

impl Phase {
    /// All phases, in the order of a run's life.
    pub const ALL: [Self; 17] = [
        Self::Batching,
        Self::Queued,
        Self::Starting,
        Self::Running,
        Self::Evaluating,
        Self::AwaitingApproval,
        Self::AwaitingTurn,
        Self::Deploying,
        Self::Live,
        Self::Succeeded,
        Self::Rejected,
        Self::Failed,
        Self::Stopped,
        Self::RolledBack,
        Self::Superseded,
        Self::Skipped,
        Self::Missed,
    ];

    /// Nothing more is expected to happen by itself.
    #[must_use]
    pub fn is_end(self) -> bool {
        matches!(
            self,
            Self::Live
                | Self::Succeeded
                | Self::Rejected
                | Self::Failed
                | Self::Stopped
                | Self::RolledBack
                | Self::Superseded
                | Self::Skipped
                | Self::Missed
        )
    }

    /// Whether the run's execution is asked for or under way, and so takes one of the pipeline's places.
    #[must_use]
    pub fn takes_a_place(self) -> bool {
        matches!(self, Self::Starting | Self::Running)
    }

    /// As shown to people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Batching => "batching",
            Self::Queued => "queued",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Evaluating => "evaluating",
            Self::AwaitingApproval => "awaiting approval",
            Self::AwaitingTurn => "awaiting turn",
            Self::Deploying => "deploying",
            Self::Live => "live",
            Self::Succeeded => "succeeded",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
            Self::RolledBack => "rolled back",
            Self::Superseded => "superseded",
            Self::Skipped => "skipped",
            Self::Missed => "missed",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}
