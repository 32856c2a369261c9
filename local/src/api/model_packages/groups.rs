use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::super::listing::{ListRequest, Listed, Usually, list as list_page};
use super::super::{Error, Result, epoch, last_part, put, tags};
use super::ModelPackage;
use crate::engine::Engine;
use crate::store::Document;

/// A group of model packages. Its key in the store is its name in lower case.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Group {
    /// Name.
    pub name: String,
    /// ARN.
    pub arn: String,
    /// Description.
    pub description: Option<String>,
    /// Time of creation.
    pub creation_time: Timestamp,
    /// The version given last. Versions are not given twice, deleted ones neither.
    pub last_version: u32,
    /// Client tokens of packages, with the version each made.
    pub tokens: BTreeMap<String, u32>,
}

impl Document for Group {
    const KIND: &'static str = "model-package-group";
}

impl Listed for Group {
    fn name(&self) -> &str {
        &self.name
    }
    fn created(&self) -> Timestamp {
        self.creation_time
    }
}

fn arn(engine: &Engine, name: &str) -> String {
    engine.arn(&format!("model-package-group/{}", name.to_lowercase()))
}

pub(super) fn find(engine: &Engine, name_or_arn: &str) -> Result<Group> {
    let name = last_part(name_or_arn);
    engine.store.get::<Group>(&name.to_lowercase())?.ok_or_else(|| missing(engine, name))
}

pub(super) fn missing(engine: &Engine, name: &str) -> Error {
    Error::validation(format!("ModelPackageGroup {} does not exist.", arn(engine, name)))
}

pub(super) async fn create(engine: Arc<Engine>, mut request: Map<String, Value>) -> Result {
    let given = tags::take(&mut request)?;
    let text = |member: &str| request.get(member).and_then(Value::as_str).map(str::to_owned);
    let name = text("ModelPackageGroupName").unwrap_or_default();
    let group = Group {
        arn: arn(&engine, &name),
        description: text("ModelPackageGroupDescription"),
        creation_time: engine.now(),
        last_version: 0,
        tokens: BTreeMap::new(),
        name,
    };
    if !engine.store.create(&group.name.to_lowercase(), &group)? {
        return Err(Error::validation(format!("Model Package Group already exists: {}", group.arn)));
    }
    tags::set(&engine, &group.arn, given)?;
    Ok(json!({"ModelPackageGroupArn": group.arn}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct NameRequest {
    model_package_group_name: String,
}

pub(super) async fn describe(engine: Arc<Engine>, request: NameRequest) -> Result {
    let group = find(&engine, &request.model_package_group_name)?;
    let mut answer = json!({
        "ModelPackageGroupName": group.name,
        "ModelPackageGroupArn": group.arn,
        "CreationTime": epoch(group.creation_time),
        "CreatedBy": {},
        "ModelPackageGroupStatus": "Completed",
    });
    put(&mut answer, "ModelPackageGroupDescription", group.description);
    Ok(answer)
}

pub(super) async fn delete(engine: Arc<Engine>, request: NameRequest) -> Result {
    let group = find(&engine, &request.model_package_group_name)?;
    let key = group.name.to_lowercase();
    super::in_order(&engine, || {
        let packages = engine.store.list_prefix::<ModelPackage>(&format!("{key}/"))?;
        if packages.iter().any(|package| package.group.is_some()) {
            return Err(Error::conflict(format!(
                "Model package group {} cannot be deleted because it contains model packages.",
                group.arn
            )));
        }
        engine.store.delete::<Group>(&key)?;
        tags::forget(&engine, &group.arn)
    })?;
    Ok(Value::Null)
}

pub(super) async fn list(engine: Arc<Engine>, request: ListRequest) -> Result {
    let all = engine.store.list::<Group>()?;
    let found = list_page("ListModelPackageGroups", all, &request, Usually::Ascending)?;
    let groups = found.items.into_iter().map(|group| {
        let mut summary = json!({
            "ModelPackageGroupName": group.name,
            "ModelPackageGroupArn": group.arn,
            "CreationTime": epoch(group.creation_time),
            "ModelPackageGroupStatus": "Completed",
        });
        put(&mut summary, "ModelPackageGroupDescription", group.description);
        summary
    });
    let mut answer = json!({"ModelPackageGroupSummaryList": groups.collect::<Vec<Value>>()});
    put(&mut answer, "NextToken", found.next_token);
    Ok(answer)
}
