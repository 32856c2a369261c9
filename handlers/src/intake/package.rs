use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use statemachine::run::Approval;
use statemachine::{Event, EventKind, RunId};
use tracing::info;

use super::{Envelope, Intake, IntakeError, Scope, envelope};

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

/// What a person said of a model package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// The package's ARN.
    pub package: String,
    /// What.
    pub approval: Approval,
    /// When.
    pub at: Timestamp,
    /// The execution that the package says it is from.
    pub execution: Option<String>,
}

/// Reads a change of a model package. `None` where nobody decided anything.
///
/// # Errors
/// The event is malformed or foreign.
pub fn read_model_package(event: Value, scope: &Scope) -> Result<Option<Decided>, IntakeError> {
    let types = ["SageMaker Model Package State Change"];
    let envelope: Envelope<Detail> = Envelope::parse(event, scope, "aws.sagemaker", &types)?;
    let detail = envelope.detail;
    let package = detail.model_package_arn;
    if !detail.updated_model_package_fields.iter().any(|field| field == "ModelApprovalStatus") {
        info!(package, "not a change of approval");
        return Ok(None);
    }
    let approval = match detail.model_approval_status.as_deref() {
        Some("Approved") => Approval::Approved,
        Some("Rejected") => Approval::Rejected,
        Some("PendingManualApproval") => {
            info!(package, "no decision yet");
            return Ok(None);
        }
        other => {
            let found = other.unwrap_or_default();
            let path = "detail.ModelApprovalStatus";
            let accepted = "`Approved`, `Rejected` and `PendingManualApproval` are accepted";
            return Err(IntakeError::Unreadable(format!("`{path}` is `{found}`, and {accepted}")));
        }
    };
    let at = detail.last_modified_time.as_ref().and_then(envelope::read_time).unwrap_or(envelope.time);
    let execution = detail.metadata_properties.and_then(|metadata| metadata.generated_by);
    Ok(Some(Decided { package, approval, at, execution }))
}

impl Intake<'_> {
    /// A model package changed. Only a changed approval means something here.
    ///
    /// # Errors
    /// The event is malformed or foreign, or could not be carried through.
    pub async fn model_package(self, event: Value) -> Result<(), IntakeError> {
        let Some(decided) = read_model_package(event, &self.scope)? else { return Ok(()) };
        let Some(id) = self.run_of_package(&decided).await? else {
            info!(package = decided.package, "a model package that no run of Tidegate registered");
            return Ok(());
        };
        let Decided { package, approval, at, .. } = decided;
        let kind = EventKind::ApprovalChanged { approval, package };
        self.drive.give(&id, &[Event { at, kind }], false).await?;
        Ok(())
    }

    /// By the package; or, when its registration is not in the ledger yet, by the execution that it says it is from.
    async fn run_of_package(&self, decided: &Decided) -> Result<Option<RunId>, IntakeError> {
        if let Some(id) = self.ledger().run_of_package(&decided.package).await? {
            return Ok(Some(id));
        }
        match &decided.execution {
            Some(arn) => Ok(self.ledger().run_of_execution(arn).await?),
            None => Ok(None),
        }
    }
}
