//! Finds a domain by its name.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use access::config::{Domain, DomainId, DomainName};
use jiff::{SignedDuration, Timestamp};

use super::super::problem::Problem;
use crate::aws::Aws;
use crate::effects::CallError;

/// How long an id is taken for granted.
const REMEMBERED: SignedDuration = SignedDuration::from_mins(10);

/// The domains that were found while the function is warm.
#[derive(Debug, Default)]
pub(in crate::access) struct Found(Mutex<BTreeMap<DomainName, (DomainId, Timestamp)>>);

impl Found {
    fn get(&self, name: &DomainName, now: Timestamp) -> Option<DomainId> {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (id, since) = found.get(name)?;
        (now.duration_since(*since) < REMEMBERED).then(|| id.clone())
    }

    fn put(&self, name: &DomainName, id: &DomainId, now: Timestamp) {
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        found.insert(name.clone(), (id.clone(), now));
    }

    /// The domain was not there: the next request asks again.
    pub(super) fn forget(&self, name: &DomainName) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

/// The domain's id: the file's, the remembered one, or by every page of the listing.
pub(super) async fn find(aws: &Aws, found: &Found, domain: &Domain, now: Timestamp) -> Result<DomainId, Problem> {
    if let Some(id) = &domain.id {
        return Ok(id.clone());
    }
    if let Some(id) = found.get(&domain.name, now) {
        return Ok(id);
    }
    let mut ids = Vec::new();
    let mut next = None;
    loop {
        let page = aws.sagemaker().list_domains().max_results(100).set_next_token(next).send().await;
        let page = page.map_err(|error| Problem::call("the Studio domains cannot be listed", CallError::of(error)))?;
        let named = page.domains().iter().filter(|details| details.domain_name() == Some(domain.name.as_str()));
        ids.extend(named.filter_map(|details| details.domain_id().map(str::to_owned)));
        next = page.next_token().filter(|token| !token.is_empty()).map(str::to_owned);
        if next.is_none() {
            break;
        }
    }
    match &*ids {
        [id] => {
            let accepted = |_| Problem::broken("domain", format!("domain `{}` has the id `{id}`", domain.name));
            let id = DomainId::parse(id).map_err(accepted)?;
            found.put(&domain.name, &id, now);
            Ok(id)
        }
        [] => Err(Problem::no_domain()),
        several => Err(Problem::broken(
            "domain-ambiguous",
            format!(
                "{} Studio domains are named `{}`: remove all but one, or give `id` in the configuration",
                several.len(),
                domain.name
            ),
        )),
    }
}
