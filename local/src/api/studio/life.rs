//! A resource's way from `Pending` to gone.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::TAKES;
use crate::api::{Error, Result, tags};
use crate::engine::Engine;
use crate::store::Document;

/// What is being done to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Doing {
    Making,
    Changing,
    Deleting,
}

/// Where a resource is in its life.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Life {
    pub(super) created: Timestamp,
    pub(super) modified: Timestamp,
    pub(super) doing: Doing,
    /// When that is done.
    pub(super) until: Timestamp,
}

impl Life {
    pub(super) fn begin(now: Timestamp) -> Self {
        Self { created: now, modified: now, doing: Doing::Making, until: after(now) }
    }

    /// Begins a change or a deletion.
    pub(super) fn turn(&mut self, doing: Doing, now: Timestamp) {
        *self = Self { created: self.created, modified: now, doing, until: after(now) };
    }

    /// SageMaker's word; `None` once it is gone.
    pub(super) fn status(&self, now: Timestamp) -> Option<&'static str> {
        match (self.doing, self.until > now) {
            (Doing::Making, true) => Some("Pending"),
            (Doing::Changing, true) => Some("Updating"),
            (Doing::Deleting, true) => Some("Deleting"),
            (Doing::Deleting, false) => None,
            _ => Some("InService"),
        }
    }

    /// Refuses what a resource that is busy cannot take.
    pub(super) fn settled(&self, arn: &str, now: Timestamp) -> Result<()> {
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

/// What has a life and an ARN.
pub(super) trait Resource: Document {
    fn key(&self) -> String;
    fn arn(&self) -> &str;
    fn life(&self) -> &Life;
    fn life_mut(&mut self) -> &mut Life;
}

/// The resource, unless it is not there any more.
pub(super) fn present<T: Resource>(engine: &Engine, key: &str) -> Result<Option<T>> {
    let Some(found) = engine.store.get::<T>(key)? else { return Ok(None) };
    if found.life().status(engine.now()).is_some() {
        return Ok(Some(found));
    }
    engine.store.delete::<T>(key)?;
    tags::forget(engine, found.arn())?;
    Ok(None)
}

/// The resources whose keys begin so and which are still there.
pub(super) fn all<T: Resource>(engine: &Engine, prefix: &str) -> Result<Vec<T>> {
    let now = engine.now();
    let mut found = engine.store.list_prefix::<T>(prefix)?;
    found.retain(|resource| resource.life().status(now).is_some());
    Ok(found)
}

/// Begins the deletion of a resource that is not busy.
pub(super) fn delete<T: Resource>(engine: &Engine, resource: &T) -> Result<()> {
    let now = engine.now();
    engine.store.update(&resource.key(), |resource: &mut T| {
        resource.life().settled(resource.arn(), now)?;
        resource.life_mut().turn(Doing::Deleting, now);
        Ok::<_, Error>(())
    })?;
    Ok(())
}
