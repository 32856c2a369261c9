//! What goes after the domain: SageMaker leaves the home folders behind, with what leads to them.

pub(super) mod files;
mod plan;

use aws_sdk_sagemaker::types::DomainStatus;

use self::plan::{Action, Domains, Seen};
use super::groups;
use super::names::{DEPARTS_WITH, DomainArn};
use super::rounds::{Step, Work};
use super::stack::{Fate, fate};
use super::trouble::Trouble;
use crate::aws::Aws;
use crate::cloudformation::Envelope;

/// The home folders of a domain that is gone.
pub(super) struct Homes<'a> {
    aws: &'a Aws,
    stack: &'a str,
    fate: Option<Fate>,
}

impl<'a> Homes<'a> {
    pub(super) fn new(aws: &'a Aws, envelope: &'a Envelope) -> Self {
        Self { aws, stack: &envelope.stack_id, fate: None }
    }

    async fn domains(&self) -> Result<Domains, Trouble> {
        let pages = self.aws.sagemaker().list_domains().into_paginator().page_size(100).items().send();
        let listed = pages.collect::<Result<Vec<_>, _>>().await;
        let listed = listed.map_err(|error| Trouble::from(error).at("the domains cannot be listed"))?;
        let mut domains = Domains::default();
        for details in listed {
            let Some(arn) = details.domain_arn.as_deref().and_then(DomainArn::parse) else { continue };
            match details.status {
                Some(DomainStatus::Deleting) => domains.leaving.insert(arn),
                _ => domains.staying.insert(arn),
            };
        }
        Ok(domains)
    }
}

impl Work for Homes<'_> {
    type Action = Action;

    async fn look(&mut self) -> Result<Step<Action>, Trouble> {
        let fate = match self.fate {
            Some(fate) => fate,
            None => *self.fate.insert(fate(self.aws, self.stack).await?),
        };
        if fate == Fate::Stays {
            return Ok(Step::Done);
        }
        let seen = Seen {
            domains: self.domains().await?,
            file_systems: files::all(self.aws).await?,
            groups: groups::tagged(&self.aws.ec2(), DEPARTS_WITH, self.stack).await?,
        };
        let departing = plan::departing(self.stack, seen);
        let mut mount_targets = Vec::new();
        for file_system in &departing.file_systems {
            mount_targets.extend(files::mount_targets(self.aws, &file_system.id).await?);
        }
        Ok(plan::next(&departing, &mount_targets))
    }

    async fn act(&mut self, action: Action) -> Result<(), Trouble> {
        match action {
            Action::DeleteMountTarget(id) => files::delete_mount_target(self.aws, &id).await,
            Action::Revoke(group, rule) => groups::revoke(&self.aws.ec2(), &group, &rule).await,
            Action::DeleteGroup(id) => groups::delete(&self.aws.ec2(), &id).await,
            Action::DeleteFileSystem(id) => files::delete(self.aws, &id).await,
        }
    }
}
