use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::listing::{ListRequest, Usually, list as list_page};
use super::super::tags::Tag;
use super::super::{Error, Result, epoch, last_part, put, read, tags};
use super::groups::{self, Group};
use super::{ModelPackage, emit, find, in_order, key, missing};
use crate::engine::Engine;

/// Members of the request that UpdateModelPackage replaces as they are.
const REPLACED: [&str; 5] =
    ["ModelPackageRegistrationType", "InferenceSpecification", "SourceUri", "ModelCard", "ModelLifeCycle"];

pub(super) async fn create(engine: Arc<Engine>, mut request: Map<String, Value>) -> Result {
    let given = tags::take(&mut request)?;
    let text = |member: &str| request.get(member).and_then(Value::as_str).map(str::to_owned);
    let (name, group, token) = (text("ModelPackageName"), text("ModelPackageGroupName"), text("ClientToken"));
    let specified = |member: &str| request.get(member).is_some_and(|value| !value.is_null());
    if !["InferenceSpecification", "SourceAlgorithmSpecification", "SourceUri"].into_iter().any(specified) {
        return Err(Error::validation(
            "One of InferenceSpecification, SourceAlgorithmSpecification and SourceUri must be provided.",
        ));
    }
    request.remove("ClientToken");
    let arn = match (name, group) {
        (Some(name), None) => unversioned(&engine, name, request, given)?,
        (None, Some(group)) => version(&engine, last_part(&group), token, request, given)?,
        _ => {
            return Err(Error::validation(
                "Exactly one of ModelPackageName and ModelPackageGroupName must be provided.",
            ));
        }
    };
    Ok(json!({"ModelPackageArn": arn}))
}

fn unversioned(engine: &Engine, name: String, request: Map<String, Value>, given: Vec<Tag>) -> Result<String> {
    let package = ModelPackage {
        key: key(&name, None),
        arn: engine.arn(&format!("model-package/{}", name.to_lowercase())),
        group: None,
        version: None,
        approval: request.get("ModelApprovalStatus").and_then(Value::as_str).map(str::to_owned),
        creation_time: engine.now(),
        last_modified_time: None,
        request,
        name,
    };
    in_order(engine, || {
        if !engine.store.create(&package.key, &package)? {
            return Err(Error::validation(format!("Model Package already exists: {}", package.arn)));
        }
        tags::set(engine, &package.arn, given)?;
        emit(engine, &package, &["ModelPackageStatus"])?;
        Ok(package.arn)
    })
}

fn version(
    engine: &Engine,
    group: &str,
    token: Option<String>,
    request: Map<String, Value>,
    given: Vec<Tag>,
) -> Result<String> {
    if !given.is_empty() {
        return Err(Error::validation(
            "Tags cannot be given to a version of a model package group; give them to the group.",
        ));
    }
    in_order(engine, || {
        let group_key = group.to_lowercase();
        let there = groups::find(engine, group)?;
        // The same token means the same request, answered again.
        if let Some(version) = token.as_ref().and_then(|token| there.tokens.get(token))
            && let Some(package) = engine.store.get::<ModelPackage>(&key(group, Some(*version)))?
        {
            return Ok(package.arn);
        }
        let version = there.last_version + 1;
        let approval = request.get("ModelApprovalStatus").and_then(Value::as_str).unwrap_or("PendingManualApproval");
        let package = ModelPackage {
            key: key(group, Some(version)),
            arn: engine.arn(&format!("model-package/{group_key}/{version}")),
            name: there.name.clone(),
            group: Some(there.name),
            version: Some(version),
            approval: Some(approval.to_owned()),
            creation_time: engine.now(),
            last_modified_time: None,
            request,
        };
        engine.store.put(&package.key, &package)?;
        engine.store.update(&group_key, |group: &mut Group| {
            group.last_version = version;
            if let Some(token) = token {
                group.tokens.insert(token, version);
            }
            Ok::<_, Error>(())
        })?;
        emit(engine, &package, &["ModelPackageStatus", "ModelApprovalStatus"])?;
        Ok(package.arn)
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct NameRequest {
    model_package_name: String,
}

pub(super) async fn describe(engine: Arc<Engine>, request: NameRequest) -> Result {
    let package = find(&engine, &request.model_package_name)?;
    let mut answer = Value::Object(package.request);
    put(&mut answer, "ModelPackageName", Some(package.name));
    put(&mut answer, "ModelPackageGroupName", package.group);
    put(&mut answer, "ModelPackageVersion", package.version);
    put(&mut answer, "ModelPackageArn", Some(package.arn));
    put(&mut answer, "CreationTime", Some(epoch(package.creation_time)));
    put(&mut answer, "LastModifiedTime", package.last_modified_time.map(epoch));
    put(&mut answer, "ModelPackageStatus", Some("Completed"));
    put(&mut answer, "ModelPackageStatusDetails", Some(json!({"ValidationStatuses": [], "ImageScanStatuses": []})));
    put(&mut answer, "ModelApprovalStatus", package.approval);
    put(&mut answer, "CreatedBy", Some(json!({})));
    if answer.get("CertifyForMarketplace").is_none() {
        put(&mut answer, "CertifyForMarketplace", Some(false));
    }
    Ok(answer)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UpdateRequest {
    model_package_arn: String,
    model_approval_status: Option<String>,
    approval_description: Option<String>,
    #[serde(default)]
    customer_metadata_properties: Map<String, Value>,
    #[serde(default)]
    customer_metadata_properties_to_remove: Vec<String>,
    #[serde(default)]
    additional_inference_specifications_to_add: Vec<Value>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

pub(super) async fn update(engine: Arc<Engine>, request: UpdateRequest) -> Result {
    let there = find(&engine, &request.model_package_arn)?;
    let now = engine.now();
    in_order(&engine, || {
        let changed = engine.store.update(&there.key, |package: &mut ModelPackage| {
            let fields = apply(package, request)?;
            if !fields.is_empty() {
                package.last_modified_time = Some(now);
            }
            Ok::<_, Error>((package.clone(), fields))
        })?;
        let (package, fields) = changed.ok_or_else(|| missing(&engine, last_part(&there.arn)))?;
        if !fields.is_empty() {
            emit(&engine, &package, &fields)?;
        }
        Ok(json!({"ModelPackageArn": package.arn}))
    })
}

/// Changes the package and returns which of its fields are other than before.
fn apply(package: &mut ModelPackage, update: UpdateRequest) -> Result<Vec<&'static str>> {
    let mut fields = Vec::new();
    if let Some(approval) = update.model_approval_status
        && package.approval.as_ref() != Some(&approval)
    {
        package.approval = Some(approval);
        fields.push("ModelApprovalStatus");
    }
    let mut set = |name: &'static str, value: Value| {
        if package.request.get(name) != Some(&value) {
            package.request.insert(name.to_owned(), value);
            fields.push(name);
        }
    };
    if let Some(description) = update.approval_description {
        set("ApprovalDescription", description.into());
    }
    for name in REPLACED {
        if let Some(value) = update.rest.get(name).filter(|value| !value.is_null()) {
            set(name, value.clone());
        }
    }
    let member = |package: &ModelPackage, name: &str| package.request.get(name).cloned();
    if !update.customer_metadata_properties.is_empty() || !update.customer_metadata_properties_to_remove.is_empty() {
        let mut metadata: Map<String, Value> =
            member(package, "CustomerMetadataProperties").map(read).transpose()?.unwrap_or_default();
        metadata.extend(update.customer_metadata_properties);
        metadata.retain(|key, _| !update.customer_metadata_properties_to_remove.contains(key));
        if metadata.len() > 50 {
            return Err(Error::validation("A model package can have 50 CustomerMetadataProperties at most."));
        }
        package.request.insert("CustomerMetadataProperties".to_owned(), metadata.into());
        fields.push("CustomerMetadataProperties");
    }
    if !update.additional_inference_specifications_to_add.is_empty() {
        let mut all: Vec<Value> =
            member(package, "AdditionalInferenceSpecifications").map(read).transpose()?.unwrap_or_default();
        all.extend(update.additional_inference_specifications_to_add);
        package.request.insert("AdditionalInferenceSpecifications".to_owned(), all.into());
        fields.push("AdditionalInferenceSpecifications");
    }
    Ok(fields)
}

pub(super) async fn delete(engine: Arc<Engine>, request: NameRequest) -> Result {
    let package = find(&engine, &request.model_package_name)?;
    in_order(&engine, || {
        engine.store.delete::<ModelPackage>(&package.key)?;
        tags::forget(&engine, &package.arn)
    })?;
    Ok(Value::Null)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListPackagesRequest {
    model_package_group_name: Option<String>,
    model_approval_status: Option<String>,
    model_package_type: Option<String>,
    #[serde(flatten)]
    common: ListRequest,
}

pub(super) async fn list(engine: Arc<Engine>, mut request: ListPackagesRequest) -> Result {
    let group = match &request.model_package_group_name {
        Some(group) => Some(groups::find(&engine, group)?.name),
        None => None,
    };
    // Without a group the listing shows packages that have none, as SageMaker's does.
    let usual = if group.is_some() { "Versioned" } else { "Unversioned" };
    let kind = request.model_package_type.as_deref().unwrap_or(usual);
    let part = request.common.name_contains.take();
    let wanted = |package: &ModelPackage| {
        (kind == "Both" || (kind == "Versioned") == package.version.is_some())
            && group.as_ref().is_none_or(|group| package.group.as_ref() == Some(group))
            && part.as_deref().is_none_or(|part| package.name.contains(part))
            && request.model_approval_status.as_ref().is_none_or(|status| package.approval.as_ref() == Some(status))
    };
    let all = engine.store.list::<ModelPackage>()?.into_iter().filter(wanted).collect();
    let listing = format!("ListModelPackages:{group:?}:{kind}:{part:?}:{:?}", request.model_approval_status);
    let found = list_page(&listing, all, &request.common, Usually::Ascending)?;
    let packages = found.items.into_iter().map(|package| {
        let mut summary = json!({
            "ModelPackageName": package.name,
            "ModelPackageArn": package.arn,
            "CreationTime": epoch(package.creation_time),
            "ModelPackageStatus": "Completed",
        });
        put(&mut summary, "ModelPackageGroupName", package.group);
        put(&mut summary, "ModelPackageVersion", package.version);
        put(&mut summary, "ModelPackageDescription", package.request.get("ModelPackageDescription"));
        put(&mut summary, "ModelApprovalStatus", package.approval);
        summary
    });
    let mut answer = json!({"ModelPackageSummaryList": packages.collect::<Vec<Value>>()});
    put(&mut answer, "NextToken", found.next_token);
    Ok(answer)
}
