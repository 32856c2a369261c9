//! Studio: domains, user profiles, spaces, apps and lifecycle configurations, and the URLs that let a person in. Nothing
//! is computed here: an app is a status, and the page behind a URL says whose it is.
//!
//! What takes SageMaker minutes takes [`TAKES`] here. A status is told from the time, not by a task, so that a restart
//! in between changes nothing.

mod apps;
mod domains;
mod home_files;
mod life;
mod lifecycle_configs;
mod listing;
mod page;
mod profiles;
mod sign_in;
mod spaces;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{Error, Operation, Result, operations};
use crate::engine::Engine;
use life::{Doing, Life, Resource};

pub(crate) use sign_in::router;

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
        "UpdateUserProfile" => profiles::update,
        "DeleteUserProfile" => profiles::delete,
        "DescribeUserProfile" => profiles::describe,
        "ListUserProfiles" => profiles::list,
        "CreateSpace" => spaces::create,
        "UpdateSpace" => spaces::update,
        "DeleteSpace" => spaces::delete,
        "DescribeSpace" => spaces::describe,
        "ListSpaces" => spaces::list,
        "CreateApp" => apps::create,
        "DeleteApp" => apps::delete,
        "DescribeApp" => apps::describe,
        "ListApps" => apps::list,
        "CreateStudioLifecycleConfig" => lifecycle_configs::create,
        "DeleteStudioLifecycleConfig" => lifecycle_configs::delete,
        "DescribeStudioLifecycleConfig" => lifecycle_configs::describe,
        "ListStudioLifecycleConfigs" => lifecycle_configs::list,
        "CreatePresignedDomainUrl" => sign_in::create,
    }
}

/// Whether the resource of a path such as `domain/d-1` or `user-profile/d-1/ana` exists; `None` for other kinds.
pub(super) fn exists(engine: &Engine, kind: &str, path: &str) -> Result<Option<bool>> {
    let there = match (kind, path.split_once('/')) {
        ("domain", None) => domains::get(engine, path)?.is_some(),
        ("user-profile", Some((domain, name))) => profiles::get(engine, domain, name)?.is_some(),
        ("space", Some((domain, name))) => spaces::get(engine, domain, name)?.is_some(),
        ("app", Some((domain, _))) => apps::has(engine, domain, path)?,
        ("studio-lifecycle-config", None) => lifecycle_configs::get(engine, path)?.is_some(),
        ("domain" | "user-profile" | "space" | "app" | "studio-lifecycle-config", _) => false,
        _ => return Ok(None),
    };
    Ok(Some(there))
}

/// Serialises what looks at one resource and changes another: a profile must not come into a domain that is deleted at
/// the same moment.
#[derive(Default)]
struct Turn(Mutex<()>);

fn alone<R>(engine: &Arc<Engine>, work: impl FnOnce(&Engine) -> R) -> R {
    let turn = engine.part::<Turn>();
    let _held = turn.0.lock().unwrap_or_else(PoisonError::into_inner);
    work(engine)
}

/// SageMaker's words for a resource that something else still needs.
fn in_use(kind: &str, arn: &str, by: &str) -> Error {
    Error::in_use(format!("Unable to delete {kind} [{arn}] because {by}(s) are associated with it."))
}

fn already(kind: &str, arn: &str) -> Error {
    Error::in_use(format!("{kind} [{arn}] already exists."))
}

fn missing(kind: &str, arn: &str) -> Error {
    Error::not_found(format!("{kind} [{arn}] does not exist."))
}
