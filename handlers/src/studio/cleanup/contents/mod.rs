//! What goes before the domain: SageMaker deletes none in which anything is left.

mod plan;

use std::collections::BTreeSet;

use aws_sdk_sagemaker::types::{AppStatus, AppType, SpaceStatus, UserProfileStatus};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use self::plan::{Action, App, Life, Markable, Owner, Saved, Seen};
use super::backup::{self, Job, Vault};
use super::groups;
use super::homes::files::{self, FileSystem};
use super::names::{DEPARTS_WITH, DomainArn, FINAL_BACKUP, MANAGED_BY};
use super::rounds::{Step, Work};
use super::stack::{Fate, fate};
use super::trouble::{Trouble, unless_gone};
use crate::aws::Aws;
use crate::cloudformation::{Envelope, RequestError, read};

/// The most items of a page, for every listing here.
const PAGE: i32 = 100;

/// A backup that was complete longer ago is made again: somebody may have worked since.
const FRESH: SignedDuration = SignedDuration::from_hours(1);

/// Of `Custom::TidegateStudioContents`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Properties {
    domain_arn: String,
    /// The profiles that CloudFormation deletes.
    #[serde(default)]
    own_profiles: BTreeSet<String>,
    /// The ARN of the file system of the home folders, if they go too.
    home_file_system_arn: Option<String>,
    /// Where the final backup goes, if there is to be one.
    final_backup: Option<Vault>,
}

/// What is in a domain.
pub(super) struct Contents<'a> {
    aws: &'a Aws,
    stack: &'a str,
    domain: DomainArn,
    own_profiles: BTreeSet<String>,
    homes: Option<Homes>,
    vault: Option<Vault>,
    fate: Option<Fate>,
    /// Applications that have failed, and that were deleted all the same.
    tried: BTreeSet<App>,
    /// The backups of this request.
    started: BTreeSet<String>,
}

/// A file system that is to go.
#[derive(Clone, Debug)]
struct Homes {
    arn: String,
    id: String,
}

impl<'a> Contents<'a> {
    pub(super) fn new(aws: &'a Aws, envelope: &'a Envelope) -> Result<Self, RequestError> {
        let what = super::CONTENTS;
        let properties: Properties = read(&envelope.resource_properties, what)?;
        let arn = &properties.domain_arn;
        let domain = DomainArn::parse(arn).filter(|arn| arn.is_beside(&envelope.stack_id));
        let domain = domain.ok_or_else(|| {
            RequestError(format!("`DomainArn` of {what} is `{arn}`: accepted is the ARN of a domain beside the stack"))
        })?;
        let homes = properties.home_file_system_arn.map(|arn| {
            let id = arn.rsplit_once(":file-system/").map(|(_, id)| id.to_owned()).filter(|id| id.starts_with("fs-"));
            let error =
                || RequestError(format!("`HomeFileSystemArn` of {what} is `{arn}`: accepted is a file system's ARN"));
            Ok(Homes { id: id.ok_or_else(error)?, arn })
        });
        Ok(Self {
            aws,
            stack: &envelope.stack_id,
            domain,
            own_profiles: properties.own_profiles,
            homes: homes.transpose()?,
            vault: properties.final_backup,
            fate: None,
            tried: BTreeSet::new(),
            started: BTreeSet::new(),
        })
    }

    async fn see(&mut self, fate: Fate) -> Result<Seen, Trouble> {
        let apps = self.apps().await?;
        let spaces = self.spaces().await?;
        let profiles = self.profiles().await?;
        let home = self.home().await?;
        let saved = match (&home, &self.vault) {
            // Nobody has worked in a domain that was not made to its end.
            (Some(home), Some(_)) if fate == Fate::Goes => self.saved(home).await?,
            _ => Saved::Unwanted,
        };
        let mut unmarked = Vec::new();
        if self.homes.is_some() {
            let marked = |mark: Option<&str>| mark == Some(self.stack);
            let file_system = home.filter(|home| !marked(home.tag(DEPARTS_WITH)));
            unmarked.extend(file_system.map(|home| Markable::FileSystem(home.id)));
            let groups = groups::tagged(&self.aws.ec2(), MANAGED_BY, self.domain.as_str()).await?;
            let own = groups.into_iter().filter(|group| {
                group.managed_by.as_ref() == Some(&self.domain)
                    && self.domain.names_group(&group.name)
                    && !marked(group.departs_with.as_deref())
            });
            unmarked.extend(own.map(|group| Markable::Group(group.id)));
        }
        Ok(Seen { apps, saved, unmarked, spaces, profiles })
    }

    /// What is listed; nothing, where the domain is gone. Nobody is asked to delete this resource again once it is gone, so
    /// an answer that the domain does not exist is not taken for true alone.
    async fn listed<T>(&self, listing: Result<Vec<T>, Trouble>) -> Result<Vec<T>, Trouble> {
        let Err(Trouble::Gone) = listing else { return listing };
        let pages = self.aws.sagemaker().list_domains().into_paginator().page_size(PAGE).items().send();
        let domains = pages.collect::<Result<Vec<_>, _>>().await;
        let domains = domains.map_err(|error| Trouble::from(error).at("the domains cannot be listed"))?;
        if domains.iter().any(|domain| domain.domain_arn() == Some(self.domain.as_str())) {
            return Err(Trouble::Later(format!("SageMaker says that `{}` does not exist, and lists it", self.domain)));
        }
        Ok(Vec::new())
    }

    async fn apps(&self) -> Result<Vec<(App, Life)>, Trouble> {
        let listing = self.aws.sagemaker().list_apps().domain_id_equals(self.domain.id());
        let pages = listing.into_paginator().page_size(PAGE).items().send().collect::<Result<Vec<_>, _>>().await;
        let listed =
            self.listed(pages.map_err(|error| Trouble::from(error).at("the applications cannot be listed"))).await?;
        let mut apps = Vec::new();
        for details in listed {
            let owner = match (details.user_profile_name, details.space_name) {
                (_, Some(space)) => Owner::Space(space),
                (profile, None) => Owner::Profile(profile.unwrap_or_default()),
            };
            let kind = details.app_type.map(|kind| kind.as_str().to_owned()).unwrap_or_default();
            let app = App { owner, kind, name: details.app_name.unwrap_or_default() };
            let life = match details.status {
                Some(AppStatus::Deleted) => continue,
                // It may be in the way or not: deleted once, then left.
                Some(AppStatus::Failed) if self.tried.contains(&app) => continue,
                Some(AppStatus::Deleting | AppStatus::Pending) => Life::Changing,
                _ => Life::Ready,
            };
            apps.push((app, life));
        }
        Ok(apps)
    }

    async fn spaces(&self) -> Result<Vec<(String, Life)>, Trouble> {
        let listing = self.aws.sagemaker().list_spaces().domain_id_equals(self.domain.id());
        let pages = listing.into_paginator().page_size(PAGE).items().send().collect::<Result<Vec<_>, _>>().await;
        let listed = self.listed(pages.map_err(|error| Trouble::from(error).at("the spaces cannot be listed"))).await?;
        let space = |details: aws_sdk_sagemaker::types::SpaceDetails| {
            let life = match details.status {
                Some(SpaceStatus::Deleting | SpaceStatus::Pending | SpaceStatus::Updating) => Life::Changing,
                _ => Life::Ready,
            };
            (details.space_name.unwrap_or_default(), life)
        };
        Ok(listed.into_iter().map(space).collect())
    }

    async fn profiles(&self) -> Result<Vec<(String, Life)>, Trouble> {
        let listing = self.aws.sagemaker().list_user_profiles().domain_id_equals(self.domain.id());
        let pages = listing.into_paginator().page_size(PAGE).items().send().collect::<Result<Vec<_>, _>>().await;
        let listed =
            self.listed(pages.map_err(|error| Trouble::from(error).at("the user profiles cannot be listed"))).await?;
        let profile = |details: aws_sdk_sagemaker::types::UserProfileDetails| {
            let life = match details.status {
                Some(UserProfileStatus::Deleting | UserProfileStatus::Pending | UserProfileStatus::Updating) => {
                    Life::Changing
                }
                _ => Life::Ready,
            };
            (details.user_profile_name.unwrap_or_default(), life)
        };
        let all = listed.into_iter().map(profile);
        Ok(all.filter(|(name, _)| !self.own_profiles.contains(name)).collect())
    }

    /// The file system that is to go; none if it is gone, or if SageMaker does not say that it is this domain's.
    async fn home(&self) -> Result<Option<FileSystem>, Trouble> {
        let Some(homes) = &self.homes else { return Ok(None) };
        // Out of the listing: what is not there is gone, and no answer says so by mistake.
        let found = files::all(self.aws).await?.into_iter().find(|found| found.id == homes.id);
        Ok(found.filter(|home| !home.is_leaving() && home.tag(MANAGED_BY) == Some(self.domain.as_str())))
    }

    async fn saved(&self, home: &FileSystem) -> Result<Saved, Trouble> {
        let Some(job) = home.tag(FINAL_BACKUP).map(str::to_owned) else { return Ok(Saved::Missing(None)) };
        let ours = self.started.contains(&job);
        let fresh = |time: Timestamp| Timestamp::now().duration_since(time) < FRESH;
        // An application that was there until now may have written after an earlier request's backup.
        let counts = ours || self.tried.is_empty();
        let (Some(homes), Some(vault)) = (&self.homes, &self.vault) else { return Ok(Saved::Unwanted) };
        Ok(match unless_gone(backup::describe(self.aws, &job, &homes.arn, vault).await)? {
            Some(Job::Going(done)) => Saved::Going(job, done),
            // A start under a known token may answer with a job of long ago.
            Some(Job::Complete(time)) if counts && time.map_or(ours, fresh) => Saved::Complete,
            Some(Job::Broken(why)) if ours => Saved::Broken(job, why),
            // It has only just been made; one backup a request, whatever is said of it.
            None if ours => Saved::Going(job, String::new()),
            Some(Job::Complete(_) | Job::Broken(_)) | None => Saved::Missing(Some(job)),
        })
    }

    async fn back_up(&mut self, previous: Option<&str>) -> Result<(), Trouble> {
        let (Some(homes), Some(vault)) = (&self.homes, &self.vault) else { return Ok(()) };
        let token = backup::token(self.stack, &homes.arn, previous);
        let job = backup::start(self.aws, vault, &homes.arn, &token).await?;
        self.started.insert(job.clone());
        // The next request finds the job by it; without it, it starts the same again under the same token.
        files::tag(self.aws, &homes.id, FINAL_BACKUP, &job).await
    }
}

impl Work for Contents<'_> {
    type Action = Action;

    async fn look(&mut self) -> Result<Step<Action>, Trouble> {
        let fate = match self.fate {
            Some(fate) => fate,
            None => *self.fate.insert(fate(self.aws, self.stack).await?),
        };
        if fate == Fate::Stays {
            return Ok(Step::Done);
        }
        Ok(plan::next(&self.see(fate).await?))
    }

    async fn act(&mut self, action: Action) -> Result<(), Trouble> {
        let (sagemaker, domain) = (self.aws.sagemaker(), self.domain.id());
        match action {
            Action::DeleteApp(app) => {
                let call = sagemaker.delete_app().domain_id(domain).app_name(&app.name);
                let call = call.app_type(AppType::from(app.kind.as_str()));
                let call = match &app.owner {
                    Owner::Profile(name) => call.user_profile_name(name),
                    Owner::Space(name) => call.space_name(name),
                };
                let what = format!("the application `{app}` cannot be deleted");
                self.tried.insert(app);
                self.started.clear();
                call.send().await.map_err(|error| Trouble::from(error).at(&what))?;
            }
            Action::Backup(previous) => self.back_up(previous.as_deref()).await?,
            Action::Mark(Markable::FileSystem(id)) => files::tag(self.aws, &id, DEPARTS_WITH, self.stack).await?,
            Action::Mark(Markable::Group(id)) => groups::mark(&self.aws.ec2(), &id, self.stack).await?,
            Action::DeleteSpace(name) => {
                let deleted = sagemaker.delete_space().domain_id(domain).space_name(&name).send().await;
                deleted.map_err(|error| Trouble::from(error).at(&format!("the space `{name}` cannot be deleted")))?;
            }
            Action::DeleteProfile(name) => {
                let deleted = sagemaker.delete_user_profile().domain_id(domain).user_profile_name(&name).send().await;
                let what = format!("the user profile `{name}` cannot be deleted");
                deleted.map_err(|error| Trouble::from(error).at(&what))?;
            }
        }
        Ok(())
    }
}
