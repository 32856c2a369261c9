//! Spaces: private ones, which belong to a profile, and shared ones.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Doing, Life, Resource, alone, already, apps, domains, in_use, life, listing, missing, profiles};
use crate::api::tags::{self, Tag};
use crate::api::{Error, Result, epoch, put};
use crate::engine::Engine;
use crate::store::Document;

/// A space. Its key in the store is its domain's id and its name, in lower case.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Space {
    pub(super) domain: String,
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) life: Life,
    uid: u64,
    display_name: Option<String>,
    pub(super) settings: Option<Value>,
    ownership: Option<Value>,
    sharing: Option<Value>,
}

impl Document for Space {
    const KIND: &'static str = "studio-space";
}

impl Resource for Space {
    fn key(&self) -> String {
        key(&self.domain, &self.name)
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

impl Space {
    /// The profile that owns it; spaces of the older kind, shared by the whole domain, have no owner.
    pub(super) fn owner(&self) -> Option<&str> {
        self.ownership.as_ref()?.get("OwnerUserProfileName")?.as_str()
    }

    pub(super) fn is_private(&self) -> bool {
        is_private(self.sharing.as_ref())
    }

    /// The one kind of app that runs in it, where that is said.
    pub(super) fn app_type(&self) -> Option<&str> {
        self.settings.as_ref()?.get("AppType")?.as_str()
    }
}

fn is_private(sharing: Option<&Value>) -> bool {
    sharing.and_then(|sharing| sharing.get("SharingType")).and_then(Value::as_str) == Some("Private")
}

fn key(domain: &str, name: &str) -> String {
    format!("{domain}/{}", name.to_lowercase())
}

fn arn(engine: &Engine, domain: &str, name: &str) -> String {
    engine.arn(&format!("space/{domain}/{}", name.to_lowercase()))
}

/// The space, unless it is not there any more.
pub(super) fn get(engine: &Engine, domain: &str, name: &str) -> Result<Option<Space>> {
    life::present(engine, &key(domain, name))
}

/// The spaces of a domain.
pub(super) fn of(engine: &Engine, domain: &str) -> Result<Vec<Space>> {
    life::all(engine, &format!("{domain}/"))
}

pub(super) fn find(engine: &Engine, domain: &str, name: &str) -> Result<Space> {
    domains::find(engine, domain)?;
    get(engine, domain, name)?.ok_or_else(|| missing("Space", &arn(engine, domain, name)))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    domain_id: String,
    space_name: String,
    #[serde(default)]
    tags: Vec<Tag>,
    space_settings: Option<Value>,
    ownership_settings: Option<Value>,
    space_sharing_settings: Option<Value>,
    space_display_name: Option<String>,
}

pub(super) async fn create(engine: Arc<Engine>, request: Request) -> Result {
    tags::check(&request.tags)?;
    alone(&engine, |engine| make(engine, request))
}

fn make(engine: &Engine, request: Request) -> Result {
    let now = engine.now();
    let domain = domains::find(engine, &request.domain_id)?;
    domain.life.settled(&domain.arn, now)?;
    let arn = arn(engine, &domain.id, &request.space_name);
    // Terraform's documentation says of each that the other requires it.
    if request.ownership_settings.is_some() != request.space_sharing_settings.is_some() {
        return Err(Error::validation("OwnershipSettings and SpaceSharingSettings must be specified together."));
    }
    if is_private(request.space_sharing_settings.as_ref()) {
        let Some(settings) = &request.space_settings else {
            return Err(Error::validation(format!(
                "SpaceSettings must be provided for creating private space [{arn}]"
            )));
        };
        if settings.get("AppType").is_none_or(Value::is_null) {
            return Err(Error::validation(format!("AppType must be provided for creating private space [{arn}]")));
        }
    }
    if get(engine, &domain.id, &request.space_name)?.is_some() {
        return Err(already("Space", &arn));
    }
    let mut space = Space {
        life: Life::begin(now),
        uid: 0,
        display_name: request.space_display_name,
        settings: request.space_settings,
        ownership: request.ownership_settings,
        sharing: request.space_sharing_settings,
        domain: domain.id,
        name: request.space_name,
        arn,
    };
    if let Some(owner) = space.owner() {
        let owner = profiles::find(engine, &space.domain, owner)?;
        owner.life.settled(&owner.arn, now)?;
    }
    space.uid = domains::next_uid(engine, &space.domain)?;
    engine.store.put(&space.key(), &space)?;
    tags::set(engine, &space.arn, request.tags)?;
    Ok(json!({"SpaceArn": space.arn}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Named {
    domain_id: String,
    space_name: String,
}

pub(super) async fn describe(engine: Arc<Engine>, request: Named) -> Result {
    let space = find(&engine, &request.domain_id, &request.space_name)?;
    let mut answer = json!({
        "DomainId": space.domain,
        "SpaceArn": space.arn,
        "SpaceName": space.name,
        "HomeEfsFileSystemUid": space.uid.to_string(),
        "Status": space.life.status(engine.now()),
        "CreationTime": epoch(space.life.created),
        "LastModifiedTime": epoch(space.life.modified),
    });
    put(&mut answer, "SpaceSettings", space.settings);
    put(&mut answer, "OwnershipSettings", space.ownership);
    put(&mut answer, "SpaceSharingSettings", space.sharing);
    put(&mut answer, "SpaceDisplayName", space.display_name);
    Ok(answer)
}

fn details(space: &Space, now: jiff::Timestamp) -> Value {
    let mut answer = json!({
        "DomainId": space.domain,
        "SpaceName": space.name,
        "Status": space.life.status(now),
        "CreationTime": epoch(space.life.created),
        "LastModifiedTime": epoch(space.life.modified),
    });
    let summary = space.settings.as_ref().and_then(Value::as_object).map(|settings| {
        let told = ["AppType", "RemoteAccess", "SpaceStorageSettings"];
        let kept = told.iter().filter_map(|name| Some(((*name).to_owned(), settings.get(*name)?.clone())));
        kept.collect::<Map<String, Value>>()
    });
    put(&mut answer, "SpaceSettingsSummary", summary.filter(|summary| !summary.is_empty()));
    put(&mut answer, "OwnershipSettingsSummary", space.ownership.as_ref());
    put(&mut answer, "SpaceSharingSettingsSummary", space.sharing.as_ref());
    put(&mut answer, "SpaceDisplayName", space.display_name.as_ref());
    answer
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listing {
    domain_id_equals: Option<String>,
    space_name_contains: Option<String>,
    #[serde(flatten)]
    order: listing::Order,
}

pub(super) async fn list(engine: Arc<Engine>, request: Listing) -> Result {
    let now = engine.now();
    let prefix = request.domain_id_equals.as_ref().map(|domain| format!("{domain}/")).unwrap_or_default();
    let mut spaces = life::all::<Space>(&engine, &prefix)?;
    if let Some(part) = request.space_name_contains.as_deref().map(str::to_lowercase) {
        spaces.retain(|space| space.name.to_lowercase().contains(&part));
    }
    let listing = format!("ListSpaces:{:?}", (&request.domain_id_equals, &request.space_name_contains));
    let found = listing::sorted(&listing, spaces, &request.order)?;
    let shown: Vec<Value> = found.items.iter().map(|space| details(space, now)).collect();
    let mut answer = json!({"Spaces": shown});
    put(&mut answer, "NextToken", found.next_token);
    Ok(answer)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Update {
    domain_id: String,
    space_name: String,
    space_settings: Option<Value>,
    space_display_name: Option<String>,
}

/// Members that the update does not name stay as they are. SageMaker refuses an `AppType` even when it is the same one:
/// <https://github.com/hashicorp/terraform-provider-aws/issues/38370>.
pub(super) async fn update(engine: Arc<Engine>, request: Update) -> Result {
    let space = find(&engine, &request.domain_id, &request.space_name)?;
    let now = engine.now();
    engine.store.update(&space.key(), |space: &mut Space| {
        space.life.settled(&space.arn, now)?;
        if let Some(Value::Object(changes)) = request.space_settings {
            if changes.get("AppType").is_some_and(|kind| !kind.is_null()) {
                return Err(Error::validation("Updating AppType for Space is not supported."));
            }
            let settings = space.settings.get_or_insert_with(|| json!({}));
            for (name, value) in changes {
                put(settings, &name, Some(value).filter(|value| !value.is_null()));
            }
        }
        space.display_name = request.space_display_name.or(space.display_name.take());
        space.life.turn(Doing::Changing, now);
        Ok::<_, Error>(())
    })?;
    Ok(json!({"SpaceArn": space.arn}))
}

pub(super) async fn delete(engine: Arc<Engine>, request: Named) -> Result {
    alone(&engine, |engine| {
        let space = find(engine, &request.domain_id, &request.space_name)?;
        if !apps::running(engine, &apps::of_space(&space.domain, &space.name))?.is_empty() {
            return Err(in_use("Space", &space.arn, "App"));
        }
        life::delete(engine, &space)
    })?;
    Ok(Value::Null)
}
