use serde::Deserialize;
use serde_json::Value;
use statemachine::run::Approval;
use statemachine::{Event, EventKind, RunId};
use tracing::info;

use super::{Envelope, Intake, IntakeError, envelope};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Detail {
    model_package_arn: String,
    model_approval_status: Option<String>,
    #[serde(default)]
    updated_model_package_fields: Vec<String>,
    metadata_properties: Option<Metadata>,
    last_modified_time: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata {
    generated_by: Option<String>,
}

impl Intake<'_> {
    /// A model package changed. Only a changed approval means something here.
    ///
    /// # Errors
    /// The event is malformed or foreign, or could not be carried through.
    pub async fn model_package(self, event: Value) -> Result<(), IntakeError> {
        let types = ["SageMaker Model Package State Change"];
        let envelope: Envelope<Detail> = Envelope::parse(event, &self.scope, "aws.sagemaker", &types)?;
        let detail = envelope.detail;
        let package = detail.model_package_arn.clone();
        if !detail.updated_model_package_fields.iter().any(|field| field == "ModelApprovalStatus") {
            info!(package, "not a change of approval");
            return Ok(());
        }
        let approval = match detail.model_approval_status.as_deref() {
            Some("Approved") => Approval::Approved,
            Some("Rejected") => Approval::Rejected,
            Some("PendingManualApproval") => {
                info!(package, "no decision yet");
                return Ok(());
            }
            other => {
                let found = other.unwrap_or_default();
                let path = "detail.ModelApprovalStatus";
                let accepted = "`Approved`, `Rejected` and `PendingManualApproval` are accepted";
                return Err(IntakeError::Unreadable(format!("`{path}` is `{found}`, and {accepted}")));
            }
        };
        let Some(id) = self.run_of_package(&detail).await? else {
            info!(package, "a model package that no run of Tidegate registered");
            return Ok(());
        };
        let at = detail.last_modified_time.as_ref().and_then(envelope::read_time).unwrap_or(envelope.time);
        let kind = EventKind::ApprovalChanged { approval, package };
        self.drive.give(&id, &[Event { at, kind }], false).await?;
        Ok(())
    }

    /// By the package; or, when its registration is not in the ledger yet, by the execution that it says it is from.
    async fn run_of_package(&self, detail: &Detail) -> Result<Option<RunId>, IntakeError> {
        if let Some(id) = self.ledger().run_of_package(&detail.model_package_arn).await? {
            return Ok(Some(id));
        }
        let execution = detail.metadata_properties.as_ref().and_then(|metadata| metadata.generated_by.as_deref());
        match execution {
            Some(arn) => Ok(self.ledger().run_of_execution(arn).await?),
            None => Ok(None),
        }
    }
}
