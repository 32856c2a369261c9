//! A person's user profile: made at the first sign-in, checked at every other.

use access::config::{Application, Domain, DomainId, RoleArn};
use access::person::Person;
use aws_sdk_sagemaker::types::{
    CodeEditorAppSettings, JupyterLabAppSettings, JupyterServerAppSettings, KernelGatewayAppSettings, ResourceSpec,
    Tag, UserProfileStatus, UserSettings,
};
use tokio::time::{Instant, sleep};

use super::super::problem::Problem;
use super::Studio;
use crate::effects::{CallError, Meaning};

/// Whose a profile is; infra/lib/studio/profiles.ts and the policies in infra/guardrails have the same key.
pub(in crate::access) const OWNER_TAG: &str = "studiouserid";

/// In which domain a profile is: the functions' role may open only what carries it.
pub(in crate::access) const DOMAIN_TAG: &str = "DomainName";

/// How often a profile is described before one that comes and goes is given up.
const ROUNDS: u32 = 40;

/// A person's profile, as it is to be.
pub(super) struct Profile<'p> {
    pub(super) studio: &'p Studio<'p>,
    pub(super) domain: &'p Domain,
    pub(super) id: &'p DomainId,
    pub(super) person: &'p Person,
    /// `None` leaves it to the domain, or as it is.
    pub(super) role: Option<&'p RoleArn>,
}

/// What SageMaker says of it.
struct View {
    arn: String,
    status: UserProfileStatus,
    role: Option<String>,
    reason: Option<String>,
}

impl Profile<'_> {
    /// Makes it, or checks whose it is, and gives it its role. `false` when it is not in service within the time.
    ///
    /// Two first sign-ins at once make one profile: the second is told that there is one, and looks whose it is.
    pub(super) async fn ensure(&self) -> Result<bool, Problem> {
        use UserProfileStatus::{Deleting, InService, Pending, UpdateFailed, Updating};
        let patience = self.studio.patience;
        let end = Instant::now() + patience.whole;
        // Whose a profile is, once it is known, does not change; after our own creation it is ours.
        let mut ours = false;
        let mut updated = false;
        for _ in 0..ROUNDS {
            match self.describe().await? {
                None => ours = self.create().await?,
                Some(view) => {
                    if !ours {
                        self.check_owner(&view.arn).await?;
                        ours = true;
                    }
                    match view.status {
                        InService | UpdateFailed if self.has_role(&view) => return Ok(true),
                        UpdateFailed if updated => return Err(self.failed(&view)),
                        InService | UpdateFailed if !updated => updated = self.update().await?,
                        // It may take a moment until what was asked for is seen.
                        InService | Pending | Updating | Deleting => {}
                        _ => return Err(self.failed(&view)),
                    }
                }
            }
            if Instant::now() + patience.pause >= end {
                return Ok(false);
            }
            sleep(patience.pause).await;
        }
        Ok(false)
    }

    fn failed(&self, view: &View) -> Problem {
        let reason = view.reason.as_deref().unwrap_or("SageMaker gave no reason");
        let profile = &self.person.profile;
        Problem::broken("profile-failed", format!("profile `{profile}` is {}: {reason}", view.status.as_str()))
    }

    fn has_role(&self, view: &View) -> bool {
        self.role.is_none_or(|role| view.role.as_deref() == Some(role.as_str()))
    }

    async fn describe(&self) -> Result<Option<View>, Problem> {
        let ask = self.studio.aws.sagemaker().describe_user_profile();
        match ask.domain_id(self.id.as_str()).user_profile_name(self.person.profile.as_str()).send().await {
            Ok(said) => Ok(Some(View {
                arn: said.user_profile_arn.unwrap_or_default(),
                status: said.status.unwrap_or_else(|| UserProfileStatus::from("unknown")),
                role: said.user_settings.and_then(|settings| settings.execution_role),
                reason: said.failure_reason,
            })),
            Err(error) => match CallError::of(error) {
                missing if missing.meaning == Meaning::Missing => Ok(None),
                error => Err(self.call("described", error)),
            },
        }
    }

    fn call(&self, verb: &str, error: CallError) -> Problem {
        Problem::call(&format!("profile `{}` cannot be {verb}", self.person.profile), error)
    }

    /// `false` when there is one already.
    async fn create(&self) -> Result<bool, Problem> {
        let (owner, domain) = (self.person.owner.as_str(), self.domain.name.as_str());
        let further = self.domain.tags.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let tags = [(OWNER_TAG, owner), (DOMAIN_TAG, domain)].into_iter().chain(further);
        let tags = tags.map(|(key, value)| Tag::builder().key(key).value(value).build());
        let tags: Vec<Tag> = tags.collect();
        let create = self
            .studio
            .aws
            .sagemaker()
            .create_user_profile()
            .domain_id(self.id.as_str())
            .user_profile_name(self.person.profile.as_str())
            .set_tags(Some(tags))
            .user_settings(self.settings());
        match create.send().await {
            Ok(_) => {
                tracing::info!(profile = %self.person.profile, domain, "a profile is made");
                Ok(true)
            }
            Err(error) => match CallError::of(error) {
                exists if exists.meaning == Meaning::Exists => Ok(false),
                error => Err(self.call("made", error)),
            },
        }
    }

    fn settings(&self) -> UserSettings {
        let groups = self.domain.security_groups.iter().map(|id| id.as_str().to_owned()).collect::<Vec<_>>();
        let mut settings = UserSettings::builder()
            .set_execution_role(self.role.map(|role| role.as_str().to_owned()))
            .set_security_groups(Some(groups).filter(|groups| !groups.is_empty()));
        for (application, arn) in &self.domain.lifecycle_configs {
            let arn = arn.as_str();
            // The default of its applications, and one of those that may be chosen.
            let resources = ResourceSpec::builder().lifecycle_config_arn(arn).build();
            settings = match application {
                Application::JupyterLab => settings.jupyter_lab_app_settings(
                    JupyterLabAppSettings::builder()
                        .lifecycle_config_arns(arn)
                        .default_resource_spec(resources)
                        .build(),
                ),
                Application::CodeEditor => settings.code_editor_app_settings(
                    CodeEditorAppSettings::builder()
                        .lifecycle_config_arns(arn)
                        .default_resource_spec(resources)
                        .build(),
                ),
                Application::JupyterServer => settings.jupyter_server_app_settings(
                    JupyterServerAppSettings::builder()
                        .lifecycle_config_arns(arn)
                        .default_resource_spec(resources)
                        .build(),
                ),
                Application::KernelGateway => settings.kernel_gateway_app_settings(
                    KernelGatewayAppSettings::builder()
                        .lifecycle_config_arns(arn)
                        .default_resource_spec(resources)
                        .build(),
                ),
            };
        }
        settings.build()
    }

    /// A role claim that has changed since. Applications that run keep the role that they began with.
    async fn update(&self) -> Result<bool, Problem> {
        let settings = UserSettings::builder().set_execution_role(self.role.map(|role| role.as_str().to_owned()));
        let update = self
            .studio
            .aws
            .sagemaker()
            .update_user_profile()
            .domain_id(self.id.as_str())
            .user_profile_name(self.person.profile.as_str())
            .user_settings(settings.build());
        match update.send().await {
            Ok(_) => {
                tracing::info!(profile = %self.person.profile, "a profile gets another execution role");
                Ok(true)
            }
            Err(error) => match CallError::of(error) {
                // Somebody else changes it at this moment: look again.
                busy if matches!(busy.meaning, Meaning::Busy | Meaning::Exists) => Ok(false),
                error => Err(self.call("given its execution role", error)),
            },
        }
    }

    /// Its tags, over all pages, say that it is this person's, and in this domain.
    async fn check_owner(&self, arn: &str) -> Result<(), Problem> {
        let (mut owner, mut domain) = (None, None);
        let mut next = None;
        loop {
            let page = self.studio.aws.sagemaker().list_tags().resource_arn(arn).set_next_token(next).send().await;
            let page = page.map_err(|error| self.call("looked at", CallError::of(error)))?;
            for tag in page.tags() {
                match tag.key() {
                    Some(OWNER_TAG) => owner = tag.value().map(str::to_owned),
                    Some(DOMAIN_TAG) => domain = tag.value().map(str::to_owned),
                    _ => {}
                }
            }
            next = page.next_token().filter(|token| !token.is_empty()).map(str::to_owned);
            if next.is_none() {
                break;
            }
        }
        let profile = &self.person.profile;
        if owner.as_deref() != Some(self.person.owner.as_str()) {
            let detail = format!("the tag `{OWNER_TAG}` of profile `{profile}` is not this person's");
            return Err(Problem::not_yours("your Studio profile belongs to somebody else").because(detail));
        }
        if domain.as_deref() != Some(self.domain.name.as_str()) {
            let detail = format!(
                "profile `{profile}` lacks the tag `{DOMAIN_TAG}` = `{}`: add it, if people may enter this profile here",
                self.domain.name
            );
            return Err(Problem::not_yours("your Studio profile is not open to this way in").because(detail));
        }
        Ok(())
    }
}
