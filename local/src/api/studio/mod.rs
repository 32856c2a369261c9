//! Studio: domains and user profiles, as their administrator sees them. Nothing starts here: there are no apps.
//!
//! What takes SageMaker minutes takes [`TAKES`] here. A status is told from the time, not by a task, so that a restart
//! in between changes nothing.

mod domains;
mod profiles;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Error, Operation, Result, operations};
use crate::engine::Engine;

/// How long making, changing and deleting take.
const TAKES: Duration = Duration::from_secs(2);

/// The operations of this module.
pub(super) fn operations() -> &'static [Operation] {
    operations! {
        "CreateDomain" => domains::create,
        "UpdateDomain" => domains::update,
        "DeleteDomain" => domains::delete,
        "DescribeDomain" => domains::describe,
        "ListDomains" => domains::list,
        "CreateUserProfile" => profiles::create,
        "DeleteUserProfile" => profiles::delete,
        "DescribeUserProfile" => profiles::describe,
        "ListUserProfiles" => profiles::list,
        "ListApps" => list_apps,
    }
}

/// Whether the resource of a path such as `domain/d-1` or `user-profile/d-1/ana` exists; `None` for other kinds.
pub(super) fn exists(engine: &Engine, kind: &str, path: &str) -> Result<Option<bool>> {
    let there = match (kind, path.split_once('/')) {
        ("domain", None) => domains::get(engine, path)?.is_some(),
        ("user-profile", Some((domain, name))) => profiles::get(engine, domain, name)?.is_some(),
        ("domain" | "user-profile", _) => false,
        _ => return Ok(None),
    };
    Ok(Some(there))
}

/// There is no way to start one.
async fn list_apps(_: Arc<Engine>, _: Value) -> Result {
    Ok(json!({"Apps": []}))
}

/// What is being done to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Doing {
    Making,
    Changing,
    Deleting,
}

/// Where a resource is in its life.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Life {
    created: Timestamp,
    modified: Timestamp,
    doing: Doing,
    /// When that is done.
    until: Timestamp,
}

impl Life {
    fn begin(now: Timestamp) -> Self {
        Self { created: now, modified: now, doing: Doing::Making, until: after(now) }
    }

    /// Begins a change or a deletion.
    fn turn(&mut self, doing: Doing, now: Timestamp) {
        *self = Self { created: self.created, modified: now, doing, until: after(now) };
    }

    /// SageMaker's word; `None` once it is gone.
    fn status(&self, now: Timestamp) -> Option<&'static str> {
        match (self.doing, self.until > now) {
            (Doing::Making, true) => Some("Pending"),
            (Doing::Changing, true) => Some("Updating"),
            (Doing::Deleting, true) => Some("Deleting"),
            (Doing::Deleting, false) => None,
            _ => Some("InService"),
        }
    }

    /// Refuses what a resource that is busy cannot take.
    fn settled(&self, arn: &str, now: Timestamp) -> Result<()> {
        match self.status(now) {
            Some("InService") => Ok(()),
            status => {
                Err(Error::in_use(format!("The resource [{arn}] is in the status {}.", status.unwrap_or("Deleted"))))
            }
        }
    }
}

fn after(now: Timestamp) -> Timestamp {
    now.checked_add(TAKES).unwrap_or(Timestamp::MAX)
}
