//! User profiles.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Doing, Life, domains};
use crate::api::tags::{self, Tag};
use crate::api::{Error, Result, epoch, page, put};
use crate::engine::Engine;
use crate::store::Document;

/// The first user's id in a domain's file system, and the step to the next.
const FIRST_UID: u64 = 200_005;
const UID_STEP: u64 = 5;

/// A user profile. Its key in the store is its domain's id and its name, in lower case.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Profile {
    domain: String,
    name: String,
    arn: String,
    life: Life,
    uid: u64,
    identifier: Option<String>,
    user: Option<String>,
    settings: Option<Value>,
}

impl Document for Profile {
    const KIND: &'static str = "studio-user-profile";
}

/// SageMaker does not tell upper from lower case in a name.
fn key(domain: &str, name: &str) -> String {
    format!("{domain}/{}", name.to_lowercase())
}

/// The profile, unless it is not there any more.
pub(super) fn get(engine: &Engine, domain: &str, name: &str) -> Result<Option<Profile>> {
    let key = key(domain, name);
    let Some(profile) = engine.store.get::<Profile>(&key)? else { return Ok(None) };
    if profile.life.status(engine.now()).is_some() {
        return Ok(Some(profile));
    }
    engine.store.delete::<Profile>(&key)?;
    tags::forget(engine, &profile.arn)?;
    Ok(None)
}

/// The profiles of a domain.
pub(super) fn of(engine: &Engine, domain: &str) -> Result<Vec<Profile>> {
    let now = engine.now();
    let mut profiles = engine.store.list_prefix::<Profile>(&format!("{domain}/"))?;
    profiles.retain(|profile| profile.life.status(now).is_some());
    Ok(profiles)
}

fn find(engine: &Engine, domain: &str, name: &str) -> Result<Profile> {
    domains::find(engine, domain)?;
    get(engine, domain, name)?.ok_or_else(|| {
        let arn = arn(engine, domain, name);
        Error::not_found(format!("UserProfile [{arn}] does not exist."))
    })
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
    let now = engine.now();
    let domain = domains::find(&engine, &request.domain_id)?;
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
    // What is gone makes room for its name.
    get(&engine, &domain.id, &request.user_profile_name)?;
    let last = engine.store.list_prefix::<Profile>(&format!("{}/", domain.id))?.iter().map(|profile| profile.uid).max();
    let profile = Profile {
        arn: arn(&engine, &domain.id, &request.user_profile_name),
        life: Life::begin(now),
        uid: last.map_or(FIRST_UID, |last| last + UID_STEP),
        identifier,
        user,
        settings: request.user_settings,
        domain: domain.id,
        name: request.user_profile_name,
    };
    if !engine.store.create(&key(&profile.domain, &profile.name), &profile)? {
        return Err(Error::in_use(format!("UserProfile [{}] already exists.", profile.arn)));
    }
    tags::set(&engine, &profile.arn, request.tags)?;
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
pub(super) struct Listing {
    next_token: Option<String>,
    max_results: Option<usize>,
    sort_order: Option<String>,
    sort_by: Option<String>,
    domain_id_equals: Option<String>,
    user_profile_name_contains: Option<String>,
}

pub(super) async fn list(engine: Arc<Engine>, request: Listing) -> Result {
    let now = engine.now();
    let mut profiles = match &request.domain_id_equals {
        Some(domain) => of(&engine, domain)?,
        None => of_all(&engine)?,
    };
    if let Some(part) = request.user_profile_name_contains.as_deref().map(str::to_lowercase) {
        profiles.retain(|profile| profile.name.to_lowercase().contains(&part));
    }
    let by_change = request.sort_by.as_deref() == Some("LastModifiedTime");
    let time = |profile: &Profile| if by_change { profile.life.modified } else { profile.life.created };
    profiles.sort_by(|a, b| (time(a), &a.arn).cmp(&(time(b), &b.arn)));
    if request.sort_order.as_deref() == Some("Descending") {
        profiles.reverse();
    }
    // A token belongs to its filters and order.
    let listing = format!(
        "ListUserProfiles:{:?}",
        (&request.domain_id_equals, &request.user_profile_name_contains, by_change, &request.sort_order)
    );
    let place = |profile: &Profile| profile.arn.clone();
    let found = page(&listing, profiles, place, request.max_results, request.next_token.as_deref())?;
    let shown: Vec<Value> = found.items.iter().map(|profile| details(profile, now)).collect();
    let mut answer = json!({"UserProfiles": shown});
    put(&mut answer, "NextToken", found.next_token);
    Ok(answer)
}

fn of_all(engine: &Engine) -> Result<Vec<Profile>> {
    let now = engine.now();
    let mut profiles = engine.store.list::<Profile>()?;
    profiles.retain(|profile| profile.life.status(now).is_some());
    Ok(profiles)
}

pub(super) async fn delete(engine: Arc<Engine>, request: Named) -> Result {
    let profile = find(&engine, &request.domain_id, &request.user_profile_name)?;
    let now = engine.now();
    engine.store.update(&key(&profile.domain, &profile.name), |profile: &mut Profile| {
        profile.life.settled(&profile.arn, now)?;
        profile.life.turn(Doing::Deleting, now);
        Ok::<_, Error>(())
    })?;
    Ok(Value::Null)
}

#[cfg(test)]
impl Profile {
    pub(super) fn life_mut(&mut self) -> &mut Life {
        &mut self.life
    }
}
