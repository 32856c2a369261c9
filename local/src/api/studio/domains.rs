//! Domains.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Doing, Life, profiles};
use crate::api::tags::{self, Tag};
use crate::api::{Error, Result, epoch, page, put};
use crate::engine::Engine;
use crate::store::Document;

/// What a domain says of itself, of what it was made and changed with.
const TOLD: [&str; 14] = [
    "DomainName",
    "AuthMode",
    "DefaultUserSettings",
    "DomainSettings",
    "AppNetworkAccessType",
    "HomeEfsFileSystemKmsKeyId",
    "SubnetIds",
    "VpcId",
    "KmsKeyId",
    "AppSecurityGroupManagement",
    "HomeEfsFileSystemCreation",
    "TagPropagation",
    "DefaultSpaceSettings",
    "IpAddressType",
];

/// A domain. Its key in the store is its id.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Domain {
    pub(super) id: String,
    pub(super) arn: String,
    pub(super) life: Life,
    file_system: String,
    /// The settings in force.
    settings: Map<String, Value>,
}

impl Document for Domain {
    const KIND: &'static str = "studio-domain";
}

impl Domain {
    fn text(&self, name: &str) -> &str {
        self.settings.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn is_sso(&self) -> bool {
        self.text("AuthMode") == "SSO"
    }

    fn url(&self, engine: &Engine) -> String {
        format!("https://{}.studio.{}.sagemaker.aws", self.id, engine.config.region)
    }
}

/// The domain, unless it is not there any more.
pub(super) fn get(engine: &Engine, id: &str) -> Result<Option<Domain>> {
    let found = engine.store.get::<Domain>(id)?;
    let Some(domain) = found else { return Ok(None) };
    if domain.life.status(engine.now()).is_some() {
        return Ok(Some(domain));
    }
    engine.store.delete::<Domain>(id)?;
    tags::forget(engine, &domain.arn)?;
    Ok(None)
}

pub(super) fn find(engine: &Engine, id: &str) -> Result<Domain> {
    get(engine, id)?.ok_or_else(|| missing(id))
}

fn missing(id: &str) -> Error {
    Error::not_found(format!("Domain [{id}] does not exist."))
}

pub(super) async fn create(engine: Arc<Engine>, mut request: Map<String, Value>) -> Result {
    let given: Vec<Tag> = tags::take(&mut request)?;
    let has = |name: &str| request.get(name).is_some_and(|value| !value.is_null());
    if !has("VpcId") || !has("SubnetIds") {
        return Err(Error::validation("VpcId and SubnetIds are required for a domain outside of Unified Studio."));
    }
    if has("KmsKeyId") && has("HomeEfsFileSystemKmsKeyId") {
        return Err(Error::validation("Only one of KmsKeyId and HomeEfsFileSystemKmsKeyId can be provided."));
    }
    let id = format!("d-{}", short(12));
    let mut settings = request;
    settings.retain(|name, value| TOLD.contains(&name.as_str()) && !value.is_null());
    settings.entry("AppNetworkAccessType").or_insert_with(|| json!("PublicInternetOnly"));
    let domain = Domain {
        arn: engine.arn(&format!("domain/{id}")),
        life: Life::begin(engine.now()),
        file_system: format!("fs-{}", short(17)),
        settings,
        id,
    };
    engine.store.put(&domain.id, &domain)?;
    tags::set(&engine, &domain.arn, given)?;
    Ok(json!({"DomainArn": domain.arn, "DomainId": domain.id, "Url": domain.url(&engine)}))
}

/// Letters and digits by chance, lower case.
fn short(length: usize) -> String {
    uuid::Uuid::new_v4().simple().to_string().chars().take(length).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Named {
    domain_id: String,
}

pub(super) async fn describe(engine: Arc<Engine>, request: Named) -> Result {
    let domain = find(&engine, &request.domain_id)?;
    let mut answer = Value::Object(domain.settings.clone());
    put(&mut answer, "DomainId", Some(&domain.id));
    put(&mut answer, "DomainArn", Some(&domain.arn));
    put(&mut answer, "HomeEfsFileSystemId", Some(&domain.file_system));
    put(&mut answer, "Status", domain.life.status(engine.now()));
    put(&mut answer, "CreationTime", Some(epoch(domain.life.created)));
    put(&mut answer, "LastModifiedTime", Some(epoch(domain.life.modified)));
    put(&mut answer, "Url", Some(domain.url(&engine)));
    Ok(answer)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listing {
    next_token: Option<String>,
    max_results: Option<usize>,
}

pub(super) async fn list(engine: Arc<Engine>, request: Listing) -> Result {
    let now = engine.now();
    let mut domains = engine.store.list::<Domain>()?;
    domains.retain(|domain| domain.life.status(now).is_some());
    domains.sort_by(|a, b| (a.life.created, &a.id).cmp(&(b.life.created, &b.id)));
    let key = |domain: &Domain| domain.id.clone();
    let found = page("ListDomains", domains, key, request.max_results, request.next_token.as_deref())?;
    let details = found.items.into_iter().map(|domain| {
        json!({
            "DomainArn": domain.arn,
            "DomainId": domain.id,
            "DomainName": domain.text("DomainName"),
            "Status": domain.life.status(now),
            "CreationTime": epoch(domain.life.created),
            "LastModifiedTime": epoch(domain.life.modified),
            "Url": domain.url(&engine),
        })
    });
    let mut answer = json!({"Domains": details.collect::<Vec<Value>>()});
    put(&mut answer, "NextToken", found.next_token);
    Ok(answer)
}

/// Changes what SageMaker lets one change. The mode of sign-in, the name, the key and the tags are no part of the
/// request's shape; the VPC is, for domains that have none.
pub(super) async fn update(engine: Arc<Engine>, mut request: Map<String, Value>) -> Result {
    let id = request.get("DomainId").and_then(Value::as_str).unwrap_or_default().to_owned();
    let now = engine.now();
    find(&engine, &id)?;
    let changed = engine.store.update(&id, |domain: &mut Domain| {
        domain.life.settled(&domain.arn, now)?;
        if request.get("VpcId").is_some_and(|wanted| !wanted.is_null() && Some(wanted) != domain.settings.get("VpcId"))
        {
            return Err(Error::validation(format!("The VpcId of the Domain [{}] can not be updated.", domain.arn)));
        }
        let files = |settings: &Map<String, Value>| settings.get("HomeEfsFileSystemCreation").cloned();
        if files(&request) == Some(json!("Disabled")) && files(&domain.settings) != Some(json!("Disabled")) {
            let message = "HomeEfsFileSystemCreation can not be updated from Enabled to Disabled.";
            return Err(Error::validation(message));
        }
        if let Some(Value::Object(update)) = request.remove("DomainSettingsForUpdate") {
            let settings = domain.settings.entry("DomainSettings").or_insert_with(|| json!({}));
            for (name, value) in update {
                put(settings, name.strip_suffix("ForUpdate").unwrap_or(&name), Some(value));
            }
        }
        for name in [
            "DefaultUserSettings",
            "DefaultSpaceSettings",
            "AppSecurityGroupManagement",
            "SubnetIds",
            "AppNetworkAccessType",
            "TagPropagation",
            "HomeEfsFileSystemCreation",
        ] {
            if let Some(value) = request.remove(name).filter(|value| !value.is_null()) {
                domain.settings.insert(name.to_owned(), value);
            }
        }
        domain.life.turn(Doing::Changing, now);
        Ok(domain.arn.clone())
    })?;
    Ok(json!({"DomainArn": changed.ok_or_else(|| missing(&id))?}))
}

/// The file system stays behind, as `RetentionPolicy` has it unless it says otherwise: there is none here.
pub(super) async fn delete(engine: Arc<Engine>, request: Named) -> Result {
    let domain = find(&engine, &request.domain_id)?;
    if !profiles::of(&engine, &domain.id)?.is_empty() {
        return Err(Error::in_use(format!(
            "Unable to delete Domain [{}] because UserProfile(s) are associated with it.",
            domain.arn
        )));
    }
    let now = engine.now();
    engine.store.update(&domain.id, |domain: &mut Domain| {
        domain.life.settled(&domain.arn, now)?;
        domain.life.turn(Doing::Deleting, now);
        Ok::<_, Error>(())
    })?;
    Ok(Value::Null)
}
