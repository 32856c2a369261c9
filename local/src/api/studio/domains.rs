//! Domains.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Doing, Life, Resource, alone, apps, home_files, in_use, life, profiles, spaces};
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
    /// The home folders; none when they are switched off.
    file_system: Option<String>,
    /// Whether MiniStack has it, too.
    #[serde(default)]
    pub(super) in_ministack: bool,
    /// The next user's id in the file system.
    #[serde(default = "first_uid")]
    next_uid: u64,
    /// The settings in force.
    pub(super) settings: Map<String, Value>,
}

/// The first user's id in a domain's file system, and the step to the next.
const FIRST_UID: u64 = 200_005;
const UID_STEP: u64 = 5;

fn first_uid() -> u64 {
    FIRST_UID
}

impl Document for Domain {
    const KIND: &'static str = "studio-domain";
}

impl Resource for Domain {
    fn key(&self) -> String {
        self.id.clone()
    }

    fn arn(&self) -> &str {
        &self.arn
    }

    fn life(&self) -> &Life {
        &self.life
    }

    fn life_mut(&mut self) -> &mut Life {
        &mut self.life
    }
}

impl Domain {
    pub(super) fn text(&self, name: &str) -> &str {
        self.settings.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn is_sso(&self) -> bool {
        self.text("AuthMode") == "SSO"
    }

    /// Makes the file system of the home folders, unless they are switched off or there.
    async fn make_home_files(&mut self, engine: &Engine) -> Result<()> {
        if self.file_system.is_some() || self.text("HomeEfsFileSystemCreation") == "Disabled" {
            return Ok(());
        }
        let subnets = self.settings.get("SubnetIds").and_then(Value::as_array);
        let key = ["KmsKeyId", "HomeEfsFileSystemKmsKeyId"].into_iter().map(|name| self.text(name));
        let wanted = home_files::Wanted {
            domain: &self.id,
            arn: &self.arn,
            vpc: self.text("VpcId"),
            subnets: subnets.into_iter().flatten().filter_map(Value::as_str).collect(),
            key: key.into_iter().find(|key| !key.is_empty()),
        };
        let made = home_files::make(engine, &wanted).await?;
        self.in_ministack = made.is_some();
        self.file_system = Some(made.unwrap_or_else(|| format!("fs-{}", short(17))));
        Ok(())
    }

    fn url(&self, engine: &Engine) -> String {
        format!("https://{}.studio.{}.sagemaker.aws", self.id, engine.config.region)
    }
}

/// The domain, unless it is not there any more.
pub(super) fn get(engine: &Engine, id: &str) -> Result<Option<Domain>> {
    life::present(engine, id)
}

pub(super) fn find(engine: &Engine, id: &str) -> Result<Domain> {
    get(engine, id)?.ok_or_else(|| missing(id))
}

/// A number of the domain's file system that nobody had before, nor has: SageMaker gives none twice.
pub(super) fn next_uid(engine: &Engine, id: &str) -> Result<u64> {
    let taken = engine.store.list_prefix::<profiles::Profile>(&format!("{id}/"))?;
    let above = taken.iter().map(|profile| profile.uid + UID_STEP).max().unwrap_or(FIRST_UID);
    let uid = engine.store.update(id, |domain: &mut Domain| {
        let uid = domain.next_uid.max(above);
        domain.next_uid = uid + UID_STEP;
        Ok::<_, Error>(uid)
    })?;
    uid.ok_or_else(|| missing(id))
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
    let arn = engine.arn(&format!("domain/{id}"));
    let mut settings = request;
    settings.retain(|name, value| TOLD.contains(&name.as_str()) && !value.is_null());
    settings.entry("AppNetworkAccessType").or_insert_with(|| json!("PublicInternetOnly"));
    let life = Life::begin(engine.now());
    let mut domain = Domain { arn, life, file_system: None, in_ministack: false, next_uid: FIRST_UID, settings, id };
    domain.make_home_files(&engine).await?;
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
    put(&mut answer, "HomeEfsFileSystemId", domain.file_system.as_deref());
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
    let mut domains = life::all::<Domain>(&engine, "")?;
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
    let arn = changed.ok_or_else(|| missing(&id))?;
    // Home folders may have been switched on.
    let mut domain = find(&engine, &id)?;
    domain.make_home_files(&engine).await?;
    engine.store.update(&id, |kept: &mut Domain| {
        (kept.file_system, kept.in_ministack) = (domain.file_system, domain.in_ministack);
        Ok::<_, Error>(())
    })?;
    Ok(json!({"DomainArn": arn}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Deletion {
    domain_id: String,
    retention_policy: Option<Retention>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Retention {
    home_efs_file_system: Option<String>,
}

/// The file system stays behind, with its mount targets and groups, unless `RetentionPolicy` says otherwise: then the
/// groups stay, as SageMaker leaves them.
pub(super) async fn delete(engine: Arc<Engine>, request: Deletion) -> Result {
    let domain = alone(&engine, |engine| {
        let domain = find(engine, &request.domain_id)?;
        for (by, any) in [
            ("UserProfile", !profiles::of(engine, &domain.id)?.is_empty()),
            ("Space", !spaces::of(engine, &domain.id)?.is_empty()),
            ("App", !apps::running(engine, &format!("{}/", domain.id))?.is_empty()),
        ] {
            if any {
                return Err(in_use("Domain", &domain.arn, by));
            }
        }
        life::delete(engine, &domain)?;
        apps::forget(engine, &domain.id)?;
        Ok(domain)
    })?;
    let wanted = request.retention_policy.and_then(|policy| policy.home_efs_file_system);
    if let (Some("Delete"), Some(id), true) = (wanted.as_deref(), &domain.file_system, domain.in_ministack)
        && let Err(error) = home_files::delete(&engine, id).await
    {
        // As it was, so that the caller may try again.
        engine.store.put(&domain.id, &domain)?;
        return Err(error);
    }
    Ok(Value::Null)
}
