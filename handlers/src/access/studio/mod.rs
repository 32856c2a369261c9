//! What is done in SageMaker for a person: the domain is found, the profile made or checked, the URL made.

mod domain;
mod profile;
mod url;

use std::time::Duration;

use access::config::{Config, Domain, DomainId};
use access::person::Person;
use jiff::Timestamp;

pub(super) use domain::Found;
pub(super) use url::Presigned;

use super::problem::Problem;
use crate::aws::Aws;

/// How long a request waits for a profile, and how often it looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// In all.
    pub(super) whole: Duration,
    /// Between two looks.
    pub(super) pause: Duration,
}

impl Default for Patience {
    /// API Gateway gives 29 s to a request.
    fn default() -> Self {
        Self { whole: Duration::from_secs(8), pause: Duration::from_millis(700) }
    }
}

/// SageMaker, for the people of one configuration.
pub(super) struct Studio<'s> {
    pub(super) aws: &'s Aws,
    pub(super) config: &'s Config,
    pub(super) found: &'s Found,
    pub(super) patience: Patience,
    pub(super) now: Timestamp,
}

/// What opening came to.
pub(super) enum Opened {
    /// Here it is.
    Url(Presigned),
    /// The profile is being made or changed; later.
    NotYet,
}

impl Studio<'_> {
    /// Makes sure of the person's profile, and makes the URL that opens it.
    pub(super) async fn open(&self, person: &Person) -> Result<Opened, Problem> {
        let gone = || Problem::broken("domain", "the configuration no longer has the person's domain");
        let domain = self.config.domains.named(person.domain.as_str()).ok_or_else(gone)?;
        let id = domain::find(self.aws, self.found, domain, self.now).await?;
        let opened = self.enter(domain, &id, person).await;
        if opened.is_err() {
            // Perhaps the domain was made anew.
            self.found.forget(&domain.name);
        }
        opened
    }

    async fn enter(&self, domain: &Domain, id: &DomainId, person: &Person) -> Result<Opened, Problem> {
        let profile = profile::Profile { studio: self, domain, id, person, role: domain.role_of(person)? };
        if profile.ensure().await? { url::presign(self, id, person).await.map(Opened::Url) } else { Ok(Opened::NotYet) }
    }
}
