//! Where the orchestrator's resources are: what its stack writes into the ledger, so that whoever knows the table knows
//! all.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use statemachine::definition::JobSecurity;

use crate::ledger::{Ledger, LedgerError};

/// The orchestrator's resources.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// The data bucket.
    pub bucket: String,
    /// The topic of alerts.
    pub topic_arn: String,
    /// The role that jobs and models run under.
    pub job_role_arn: String,
    /// The role that SageMaker pipelines run under.
    pub pipeline_role_arn: String,
    /// The role under which EventBridge Scheduler calls the function.
    pub schedule_role_arn: String,
    /// The function that schedules call.
    pub schedule_function_arn: String,
    /// The group of all schedules.
    pub schedule_group: String,
    /// The queue of calls that could not be delivered.
    pub schedule_dlq_arn: String,
    /// Twelve digits.
    pub account: String,
    /// Such as `eu-central-1`.
    pub region: String,
    /// The network and the keys of every job; without any, what an earlier version stored reads as before.
    #[serde(default, skip_serializing_if = "JobSecurity::is_none")]
    pub jobs: JobSecurity,
}

/// Why the orchestrator's resources are not known.
#[derive(Debug, thiserror::Error)]
pub enum DeploymentError {
    /// The stack has written nothing.
    #[error("the ledger does not say where the orchestrator is: deploy its stack, or give the right table")]
    Missing,
    /// Something else is written there.
    #[error("the ledger's settings cannot be read: {0}; deploy the orchestrator's stack again")]
    Malformed(String),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Deployment {
    /// From the ledger.
    ///
    /// # Errors
    /// It is not there, is malformed, or the ledger cannot be read.
    pub async fn load(ledger: &Ledger<'_>) -> Result<Self, DeploymentError> {
        let value = ledger.deployment().await?.ok_or(DeploymentError::Missing)?;
        serde_json::from_value(value).map_err(|error| DeploymentError::Malformed(error.to_string()))
    }

    /// Into the ledger.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub async fn store(&self, ledger: &Ledger<'_>) -> Result<(), LedgerError> {
        // Strings and lists of them always have a JSON form.
        let value = serde_json::to_value(self).unwrap_or(Value::Null);
        ledger.put_deployment(&value).await
    }
}
