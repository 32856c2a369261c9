use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use statemachine::{Endpoint, Event, EventKind};
use tracing::info;

use statemachine::run::{CommandId, EndpointStatus};

use super::{Envelope, Intake, IntakeError, Scope, envelope};
use crate::observe::ObserveError;

const STATE: &str = "SageMaker Endpoint State Change";
const DEPLOYMENT: &str = "SageMaker Endpoint Deployment State Change";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Detail {
    endpoint_name: String,
    endpoint_status: Option<String>,
    last_modified_time: Option<Value>,
}

/// What an event tells of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointNews {
    /// Its name.
    pub name: String,
    /// Whether it says that a change has ended, well or not.
    pub ended: bool,
    /// When the endpoint changed last.
    pub modified: Option<Timestamp>,
}

/// Reads both kinds of event of endpoints.
///
/// # Errors
/// The event is malformed or foreign.
pub fn read_endpoint_status(event: Value, scope: &Scope) -> Result<EndpointNews, IntakeError> {
    let envelope: Envelope<Detail> = Envelope::parse(event, scope, "aws.sagemaker", &[STATE, DEPLOYMENT])?;
    let detail = envelope.detail;
    Ok(EndpointNews {
        name: detail.endpoint_name,
        ended: detail.endpoint_status.as_deref().is_some_and(|status| ["IN_SERVICE", "FAILED"].contains(&status)),
        modified: detail.last_modified_time.as_ref().and_then(envelope::read_time),
    })
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
        let EndpointNews { name, ended, modified: newest } = read_endpoint_status(event, &self.scope)?;
        let Some(endpoint) = self.ledger().endpoint(&name).await? else {
            info!(endpoint = name, "an endpoint that no run has deployed to");
            return Ok(());
        };
        let endpoint = endpoint.value;
        // This may be a second delivery, whose first stored the end of that run's deployment and died. What that run still
        // cannot do is no reason to leave this event.
        let redone = match &endpoint.ended {
            Some(ended) => self.drive.give(ended, &[], false).await.map(drop),
            None => Ok(()),
        };
        self.endpoint_now(&name, endpoint, ended, newest).await?;
        Ok(redone?)
    }

    /// Looks at the endpoint, and tells whoever it concerns.
    async fn endpoint_now(
        &self,
        name: &str,
        endpoint: Endpoint,
        ended: bool,
        newest: Option<Timestamp>,
    ) -> Result<(), IntakeError> {
        if let (None, Some(next)) = (&endpoint.deploying, endpoint.waiting.last()) {
            self.drive.give(next, &[self.now(EventKind::YourTurn)], false).await?;
            return Ok(());
        }
        let rolled_out = endpoint.deploying.as_ref().map(|deployment| deployment.config.clone());
        let deploying = endpoint.deploying.as_ref().map(|deployment| deployment.run.clone());
        let Some(id) = deploying.or_else(|| endpoint.champion.map(|champion| champion.run)) else {
            info!(endpoint = name, "nothing is live or being deployed there");
            return Ok(());
        };
        // Looked at before SageMaker is asked: what it then says of another configuration is from before our request.
        let run = self.ledger().run(&id).await?;
        let not_asked_yet = run.is_some_and(|run| run.value.has_pending(&CommandId::deploy()));
        let view = self.observe().endpoint(name).await?;
        if ended && view.status == EndpointStatus::InTransition && view.modified < newest {
            let reason = format!("DescribeEndpoint of `{name}` is older than the event");
            return Err(ObserveError::Retry(reason).into());
        }
        let ours = view.status == EndpointStatus::InService && rolled_out.as_ref() == Some(&view.config);
        let status = if not_asked_yet && !ours { EndpointStatus::InTransition } else { view.status };
        let kind = EventKind::EndpointChanged { status, config: view.config, reason: view.reason };
        let at = view.modified.unwrap_or_else(|| self.context.clock.now());
        self.drive.give(&id, &[Event { at, kind }], false).await?;
        Ok(())
    }
}
