//! The model registry: groups of model packages, each a version with metrics and an approval.

mod groups;
mod packages;

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

pub use groups::Group;

use super::listing::Listed;
use super::models::Container;
use super::{Error, Operation, Result, last_part, tags};
use crate::engine::Engine;
use crate::store::Document;

/// The operations of this module.
pub(super) fn operations() -> &'static [Operation] {
    super::operations! {
        "CreateModelPackageGroup" => groups::create,
        "DescribeModelPackageGroup" => groups::describe,
        "DeleteModelPackageGroup" => groups::delete,
        "ListModelPackageGroups" => groups::list,
        "CreateModelPackage" => packages::create,
        "DescribeModelPackage" => packages::describe,
        "UpdateModelPackage" => packages::update,
        "DeleteModelPackage" => packages::delete,
        "ListModelPackages" => packages::list,
    }
}

/// A model package. Its key in the store is `<group or name in lower case>/<version to ten digits>`, version 0 for a
/// package without a group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ModelPackage {
    /// Its key in the store.
    pub key: String,
    /// Name: the group's for a version.
    pub name: String,
    /// The group, for a version.
    pub group: Option<String>,
    /// Version, from 1.
    pub version: Option<u32>,
    /// ARN.
    pub arn: String,
    /// `Approved`, `Rejected` or `PendingManualApproval`; none for a package without a group that was given none.
    pub approval: Option<String>,
    /// Time of creation.
    pub creation_time: Timestamp,
    /// Time of the last update.
    pub last_modified_time: Option<Timestamp>,
    /// What CreateModelPackage was sent, with later updates, without the tags.
    pub request: Map<String, Value>,
}

impl Document for ModelPackage {
    const KIND: &'static str = "model-package";
}

impl Listed for ModelPackage {
    /// Versions of one name in their order, `10` after `9`.
    #[expect(clippy::misnamed_getters, reason = "the name alone would not tell versions apart")]
    fn name(&self) -> &str {
        &self.key
    }
    fn created(&self) -> Timestamp {
        self.creation_time
    }
}

impl ModelPackage {
    /// The container that the package's inference specification gives: the first one.
    ///
    /// # Errors
    /// `ValidationException` for a container that the local engine cannot serve.
    pub fn container(&self) -> Result<Option<Container>> {
        let specification = self.request.get("InferenceSpecification");
        specification.and_then(|given| given.get("Containers")?.get(0)).map(Container::of).transpose()
    }
}

fn key(name: &str, version: Option<u32>) -> String {
    format!("{}/{:010}", name.to_lowercase(), version.unwrap_or_default())
}

/// The package of this ARN, or of the name of a package without a group, or of `group/version`.
///
/// # Errors
/// `ValidationException`, as SageMaker answers for a missing package.
pub fn find(engine: &Engine, name_or_arn: &str) -> Result<ModelPackage> {
    let name = last_part(name_or_arn);
    let key = match name.split_once('/') {
        Some((group, version)) => key(group, version.parse().ok()),
        None => key(name, None),
    };
    engine.store.get::<ModelPackage>(&key)?.ok_or_else(|| missing(engine, name))
}

fn missing(engine: &Engine, name: &str) -> Error {
    let arn = engine.arn(&format!("model-package/{}", name.to_lowercase()));
    Error::validation(format!("ModelPackage {arn} does not exist."))
}

/// Holds changes of packages and their events in one order.
#[derive(Debug, Default)]
struct Order(Mutex<()>);

/// Runs a change and its event with nobody in between.
fn in_order<T>(engine: &Engine, change: impl FnOnce() -> Result<T>) -> Result<T> {
    let order: Arc<Order> = engine.part();
    let _held = order.0.lock().unwrap_or_else(PoisonError::into_inner);
    change()
}

/// Tells the local EventBridge what changed.
fn emit(engine: &Engine, package: &ModelPackage, updated: &[&str]) -> Result<()> {
    let modified = package.last_modified_time.unwrap_or(package.creation_time);
    let mut detail = json!({
        "ModelPackageName": package.name,
        "ModelPackageArn": package.arn,
        "CreationTime": milliseconds(package.creation_time),
        "LastModifiedTime": milliseconds(modified),
        "ModelPackageStatus": "Completed",
        "UpdatedModelPackageFields": updated,
        "Tags": tags::object(engine, &package.arn)?,
    });
    super::put(&mut detail, "ModelPackageGroupName", package.group.as_ref());
    super::put(&mut detail, "ModelPackageVersion", package.version);
    super::put(&mut detail, "ModelApprovalStatus", package.approval.as_ref());
    for member in [
        "ModelPackageDescription",
        "InferenceSpecification",
        "ModelMetrics",
        "MetadataProperties",
        "CustomerMetadataProperties",
        "ApprovalDescription",
    ] {
        super::put(&mut detail, member, package.request.get(member));
    }
    engine.events.emit("SageMaker Model Package State Change", std::slice::from_ref(&package.arn), &detail)?;
    Ok(())
}

/// Events of SageMaker write times as milliseconds.
fn milliseconds(time: Timestamp) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit a double until the year 280000")]
    let milliseconds = time.as_millisecond() as f64;
    Value::from(milliseconds)
}

#[cfg(test)]
mod tests;
