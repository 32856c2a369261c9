//! A pipeline's queue: the run that collects objects, the runs whose executions are under way, the runs that wait.

use serde::{Deserialize, Serialize};

use crate::run::RunId;

/// How many executions of one pipeline may be under way, and what becomes of one too many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Concurrency {
    /// As many as there are triggers; SageMaker's own quota is the only limit.
    #[default]
    Unlimited,
    /// So many at a time; the others wait, oldest first.
    Wait {
        /// 1 or more.
        at_most: u32,
    },
    /// One at a time; a trigger that comes meanwhile is recorded, and starts nothing.
    Skip,
    /// One at a time; a newer trigger stops the execution that is under way and takes its place.
    Replace,
}

impl Concurrency {
    /// `None` without a limit.
    #[must_use]
    pub fn limit(self) -> Option<usize> {
        match self {
            Self::Unlimited => None,
            Self::Wait { at_most } => usize::try_from(at_most.max(1)).ok(),
            Self::Skip | Self::Replace => Some(1),
        }
    }
}

/// The most runs that may wait for one pipeline. Another is recorded as skipped, with an alert.
pub const QUEUE_LIMIT: usize = 1000;

/// The ledger's record of one pipeline's runs before and during their executions. Kept only for pipelines that collect
/// objects or bound their concurrency.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue {
    /// The pipeline's name.
    pub pipeline: String,
    /// The run that collects objects now.
    #[serde(default)]
    pub batch: Option<RunId>,
    /// The runs whose executions are asked for or under way.
    // INVARIANT: those that are in the phases Starting and Running, and no other; `run::decide` keeps it so.
    #[serde(default)]
    pub active: Vec<RunId>,
    /// The runs that wait for a place, oldest first.
    #[serde(default)]
    pub waiting: Vec<RunId>,
}

impl Queue {
    /// A queue of which nothing is known yet.
    #[must_use]
    pub fn new(pipeline: impl Into<String>) -> Self {
        Self { pipeline: pipeline.into(), ..Self::default() }
    }

    /// Whether one more execution may begin.
    #[must_use]
    pub fn has_room(&self, concurrency: Concurrency) -> bool {
        concurrency.limit().is_none_or(|limit| self.active.len() < limit)
    }
}
