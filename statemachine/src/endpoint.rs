//! An endpoint as Tidegate keeps it: what is live, what is being deployed, who waits.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::gate::Metrics;
use crate::run::RunId;

/// The model that an endpoint serves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Champion {
    /// The run that trained it.
    pub run: RunId,
    /// Its endpoint configuration.
    pub config: String,
    /// Its version in the registry.
    pub package: String,
    /// Its own metrics: what the next model is compared with.
    pub metrics: Metrics,
    /// Since when it answers.
    pub since: Timestamp,
}

/// A deployment in progress.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Deployment {
    /// Whose model.
    pub run: RunId,
    /// The endpoint configuration that is being rolled out.
    pub config: String,
    /// Since when.
    pub since: Timestamp,
    /// Runs that waited longer. They are superseded if this deployment ends well, and wait on if it does not.
    pub overtakes: Vec<RunId>,
}

/// The most runs that may wait for one endpoint. The oldest is superseded when another comes: its model would never be
/// shown to anyone.
pub const WAITING_LIMIT: usize = 16;

/// The ledger's record of one endpoint.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Endpoint {
    /// The stable name under which it is invoked.
    pub name: String,
    /// What is live; `None` before the first deployment ended well.
    pub champion: Option<Champion>,
    /// At most one deployment at a time.
    // INVARIANT: only `run::decide` sets it, and only from `None`.
    pub deploying: Option<Deployment>,
    /// Runs whose models passed and wait for their turn, oldest first.
    pub waiting: Vec<RunId>,
    /// The run whose deployment, or whose model, ended last here. An event that is delivered again finds by it whatever
    /// that run had still to do: its alert, the next run's turn.
    #[serde(default)]
    pub ended: Option<RunId>,
}

impl Endpoint {
    /// An endpoint of which nothing is known yet.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), champion: None, deploying: None, waiting: Vec::new(), ended: None }
    }

    /// The metrics of what is live.
    #[must_use]
    pub fn champion_metrics(&self) -> Option<&Metrics> {
        self.champion.as_ref().map(|champion| &champion.metrics)
    }

    /// Whether this run's deployment is the one in progress.
    #[must_use]
    pub fn is_deploying(&self, run: &RunId) -> bool {
        self.deploying.as_ref().is_some_and(|deployment| deployment.run == *run)
    }
}
