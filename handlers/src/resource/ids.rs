//! Under which ids CloudFormation knows the orchestrator's resources.

use statemachine::config::PipelineName;

use crate::cloudformation::PhysicalId;

const PIPELINE_ID: &str = "tidegate-pipeline/";

impl PhysicalId {
    /// Of the settings; one for each ledger.
    #[must_use]
    pub fn settings() -> Self {
        Self::new("tidegate-settings")
    }

    /// Of a pipeline: a renamed one is another.
    #[must_use]
    pub fn pipeline(name: &str) -> Self {
        Self::new(format!("{PIPELINE_ID}{name}"))
    }

    /// Of seeded data. It never changes: what was put stays, so there is nothing that a replacement could take away.
    #[must_use]
    pub fn seed() -> Self {
        Self::new("tidegate-seed")
    }

    /// The pipeline that an id is of.
    #[must_use]
    pub fn pipeline_name(id: &str) -> Option<String> {
        let name = id.strip_prefix(PIPELINE_ID)?;
        PipelineName::new(name).ok().map(String::from)
    }
}
