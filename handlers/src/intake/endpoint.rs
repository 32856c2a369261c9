use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use statemachine::{Event, EventKind};
use tracing::info;

use super::{Envelope, Intake, IntakeError};

const STATE: &str = "SageMaker Endpoint State Change";
const DEPLOYMENT: &str = "SageMaker Endpoint Deployment State Change";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Detail {
    endpoint_name: String,
}

impl Intake<'_> {
    /// An endpoint's state changed.
    ///
    /// The event is taken as a hint to look: what counts is what DescribeEndpoint answers now. So an event that is late,
    /// doubled or out of order cannot pass for the end of a deployment.
    ///
    /// # Errors
    /// The event is malformed or foreign, or could not be carried through.
    pub async fn endpoint_status(self, event: Value) -> Result<(), IntakeError> {
        let envelope: Envelope<Detail> = Envelope::parse(event, &self.scope, "aws.sagemaker", &[STATE, DEPLOYMENT])?;
        let name = envelope.detail.endpoint_name;
        let Some(endpoint) = self.ledger().endpoint(&name).await? else {
            info!(endpoint = name, "an endpoint that no run has deployed to");
            return Ok(());
        };
        let endpoint = endpoint.value;
        let deploying = endpoint.deploying.as_ref().map(|deployment| deployment.run.clone());
        let Some(id) = deploying.or_else(|| endpoint.champion.map(|champion| champion.run)) else {
            info!(endpoint = name, "nothing is live or being deployed there");
            return Ok(());
        };
        let view = self.observe().endpoint(&name).await?;
        let kind = EventKind::EndpointChanged { status: view.status, config: view.config, reason: view.reason };
        let at = view.modified.unwrap_or_else(Timestamp::now);
        self.drive.give(&id, &[Event { at, kind }], false).await?;
        Ok(())
    }
}
