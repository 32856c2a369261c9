//! User profiles.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Doing, Life, Resource, alone, already, apps, domains, in_use, life, listing, missing, spaces};
use crate::api::tags::{self, Tag};
use crate::api::{Error, Result, epoch, put};
use crate::engine::Engine;
use crate::store::Document;

/// A user profile. Its key in the store is its domain's id and its name, in lower case.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Profile {
    pub(super) domain: String,
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) life: Life,
    pub(super) uid: u64,
    identifier: Option<String>,
    user: Option<String>,
    pub(super) settings: Option<Value>,
}

impl Document for Profile {
    const KIND: &'static str = "studio-user-profile";
}

impl Resource for Profile {
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

/// SageMaker does not tell upper from lower case in a name.
fn key(domain: &str, name: &str) -> String {
    format!("{domain}/{}", name.to_lowercase())
}

/// The profile, unless it is not there any more.
pub(super) fn get(engine: &Engine, domain: &str, name: &str) -> Result<Option<Profile>> {
    life::present(engine, &key(domain, name))
}

/// The profiles of a domain.
pub(super) fn of(engine: &Engine, domain: &str) -> Result<Vec<Profile>> {
    life::all(engine, &format!("{domain}/"))
}

pub(super) fn find(engine: &Engine, domain: &str, name: &str) -> Result<Profile> {
    domains::find(engine, domain)?;
    get(engine, domain, name)?.ok_or_else(|| missing("UserProfile", &arn(engine, domain, name)))
}

fn arn(engine: &Engine, domain: &str, name: &str) -> String {
    engine.arn(&format!("user-profile/{domain}/{}", name.to_lowercase()))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    domain_id: String,
    user_profile_name: String,
    single_sign_on_user_identifier: Option<String>,
    single_sign_on_user_value: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
    user_settings: Option<Value>,
}

pub(super) async fn create(engine: Arc<Engine>, request: Request) -> Result {
    tags::check(&request.tags)?;
    alone(&engine, |engine| make(engine, request))
}

fn make(engine: &Engine, request: Request) -> Result {
    let now = engine.now();
    let domain = domains::find(engine, &request.domain_id)?;
    domain.life.settled(&domain.arn, now)?;
    let (identifier, user) = (request.single_sign_on_user_identifier, request.single_sign_on_user_value);
    if domain.is_sso() && (identifier.is_none() || user.is_none()) {
        return Err(Error::validation(
            "SingleSignOnUserIdentifier and SingleSignOnUserValue are required for a Domain with AuthMode SSO.",
        ));
    }
    if !domain.is_sso() && (identifier.is_some() || user.is_some()) {
        return Err(Error::validation(
            "SingleSignOnUserIdentifier and SingleSignOnUserValue cannot be specified for a Domain with AuthMode IAM.",
        ));
    }
    if let Some(there) = get(engine, &domain.id, &request.user_profile_name)? {
        return Err(already("UserProfile", &there.arn));
    }
    let profile = Profile {
        arn: arn(engine, &domain.id, &request.user_profile_name),
        life: Life::begin(now),
        uid: domains::next_uid(engine, &domain.id)?,
        identifier,
        user,
        settings: request.user_settings,
        domain: domain.id,
        name: request.user_profile_name,
    };
    engine.store.put(&profile.key(), &profile)?;
    tags::set(engine, &profile.arn, request.tags)?;
    Ok(json!({"UserProfileArn": profile.arn}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Named {
    domain_id: String,
    user_profile_name: String,
}

pub(super) async fn describe(engine: Arc<Engine>, request: Named) -> Result {
    let profile = find(&engine, &request.domain_id, &request.user_profile_name)?;
    let mut answer = details(&profile, engine.now());
    put(&mut answer, "UserProfileArn", Some(profile.arn));
    put(&mut answer, "HomeEfsFileSystemUid", Some(profile.uid.to_string()));
    put(&mut answer, "SingleSignOnUserIdentifier", profile.identifier);
    put(&mut answer, "SingleSignOnUserValue", profile.user);
    put(&mut answer, "UserSettings", profile.settings);
    Ok(answer)
}

fn details(profile: &Profile, now: jiff::Timestamp) -> Value {
    json!({
        "DomainId": profile.domain,
        "UserProfileName": profile.name,
        "Status": profile.life.status(now),
        "CreationTime": epoch(profile.life.created),
        "LastModifiedTime": epoch(profile.life.modified),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Update {
    domain_id: String,
    user_profile_name: String,
    user_settings: Option<Value>,
}

/// Members that the update does not name stay as they are.
pub(super) async fn update(engine: Arc<Engine>, request: Update) -> Result {
    let profile = find(&engine, &request.domain_id, &request.user_profile_name)?;
    let now = engine.now();
    engine.store.update(&profile.key(), |profile: &mut Profile| {
        profile.life.settled(&profile.arn, now)?;
        if let Some(Value::Object(changes)) = request.user_settings {
            let settings = profile.settings.get_or_insert_with(|| json!({}));
            for (name, value) in changes {
                put(settings, &name, Some(value).filter(|value| !value.is_null()));
            }
        }
        profile.life.turn(Doing::Changing, now);
        Ok::<_, Error>(())
    })?;
    Ok(json!({"UserProfileArn": profile.arn}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listing {
    domain_id_equals: Option<String>,
    user_profile_name_contains: Option<String>,
    #[serde(flatten)]
    order: listing::Order,
}

pub(super) async fn list(engine: Arc<Engine>, request: Listing) -> Result {
    let now = engine.now();
    let prefix = request.domain_id_equals.as_ref().map(|domain| format!("{domain}/")).unwrap_or_default();
    let mut profiles = life::all::<Profile>(&engine, &prefix)?;
    if let Some(part) = request.user_profile_name_contains.as_deref().map(str::to_lowercase) {
        profiles.retain(|profile| profile.name.to_lowercase().contains(&part));
    }
    let listing = format!("ListUserProfiles:{:?}", (&request.domain_id_equals, &request.user_profile_name_contains));
    let found = listing::sorted(&listing, profiles, &request.order)?;
    let shown: Vec<Value> = found.items.iter().map(|profile| details(profile, now)).collect();
    let mut answer = json!({"UserProfiles": shown});
    put(&mut answer, "NextToken", found.next_token);
    Ok(answer)
}

pub(super) async fn delete(engine: Arc<Engine>, request: Named) -> Result {
    alone(&engine, |engine| {
        let profile = find(engine, &request.domain_id, &request.user_profile_name)?;
        let lower = profile.name.to_lowercase();
        if !apps::running(engine, &apps::of_profile(&profile.domain, &profile.name))?.is_empty() {
            return Err(in_use("UserProfile", &profile.arn, "App"));
        }
        let owned = |space: &spaces::Space| space.owner().is_some_and(|owner| owner.to_lowercase() == lower);
        if spaces::of(engine, &profile.domain)?.iter().any(owned) {
            return Err(in_use("UserProfile", &profile.arn, "Space"));
        }
        life::delete(engine, &profile)
    })?;
    Ok(Value::Null)
}
