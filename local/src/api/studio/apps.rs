//! Apps, of a profile or in a space. None of them computes: an app is its settings and a status.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Life, Resource, alone, already, domains, life, lifecycle_configs, listing, missing, profiles, spaces};
use crate::api::tags::{self, Tag};
use crate::api::{Error, Page, Result, epoch, put};
use crate::engine::Engine;
use crate::store::Document;

/// How long a deleted app is still listed. That SageMaker lists them for a while is known, how long is not.
const REMEMBERED: Duration = Duration::from_secs(24 * 60 * 60);

/// Runs in spaces only: Studio Classic and the others came before spaces.
const IN_SPACES: [&str; 2] = ["JupyterLab", "CodeEditor"];

/// An app. Its key in the store says whose it is, then its type and name, in lower case.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct App {
    domain: String,
    owner: Owner,
    kind: String,
    name: String,
    arn: String,
    life: Life,
    resources: Value,
    recovery: Option<bool>,
}

/// Whose app it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Owner {
    Profile(String),
    Space(String),
}

impl Document for App {
    const KIND: &'static str = "studio-app";
}

impl Resource for App {
    fn key(&self) -> String {
        key(&self.domain, &self.owner, &self.kind, &self.name)
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

impl App {
    fn status(&self, now: jiff::Timestamp) -> &'static str {
        self.life.status(now).unwrap_or("Deleted")
    }

    /// The configuration that it was started with.
    pub(super) fn lifecycle_config(&self) -> Option<&str> {
        self.resources.get("LifecycleConfigArn")?.as_str()
    }
}

fn key(domain: &str, owner: &Owner, kind: &str, name: &str) -> String {
    let owner = match owner {
        Owner::Profile(name) => of_profile(domain, name),
        Owner::Space(name) => of_space(domain, name),
    };
    format!("{owner}{}/{}", kind.to_lowercase(), name.to_lowercase())
}

/// How the keys of a profile's apps begin.
pub(super) fn of_profile(domain: &str, name: &str) -> String {
    format!("{domain}/profile/{}/", name.to_lowercase())
}

/// How the keys of a space's apps begin.
pub(super) fn of_space(domain: &str, name: &str) -> String {
    format!("{domain}/space/{}/", name.to_lowercase())
}

/// The apps whose keys begin so, without deleted ones.
pub(super) fn running(engine: &Engine, prefix: &str) -> Result<Vec<App>> {
    life::all(engine, prefix)
}

/// Whether an app of the domain that is not deleted has this ARN, given from `app/` on.
pub(super) fn has(engine: &Engine, domain: &str, path: &str) -> Result<bool> {
    let arn = engine.arn(&format!("app/{path}"));
    Ok(running(engine, &format!("{domain}/"))?.iter().any(|app| app.arn == arn))
}

/// Drops what is remembered of a domain's deleted apps.
pub(super) fn forget(engine: &Engine, domain: &str) -> Result<()> {
    for app in engine.store.list_prefix::<App>(&format!("{domain}/"))? {
        drop(engine, &app)?;
    }
    Ok(())
}

fn drop(engine: &Engine, app: &App) -> Result<()> {
    engine.store.delete::<App>(&app.key())?;
    tags::forget(engine, &app.arn)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Named {
    domain_id: String,
    user_profile_name: Option<String>,
    space_name: Option<String>,
    app_type: String,
    app_name: String,
}

impl Named {
    fn owner(&self) -> Result<Owner> {
        match (&self.user_profile_name, &self.space_name) {
            (Some(profile), None) => Ok(Owner::Profile(profile.clone())),
            (None, Some(space)) => Ok(Owner::Space(space.clone())),
            _ => Err(Error::validation("Exactly one of UserProfileName and SpaceName must be specified.")),
        }
    }

    /// With the domain's id and the owner's name in lower case, as profiles have it.
    fn arn(&self, engine: &Engine, owner: &Owner) -> String {
        let (Owner::Profile(name) | Owner::Space(name)) = owner;
        let kind = self.app_type.to_lowercase();
        engine.arn(&format!("app/{}/{}/{kind}/{}", self.domain_id, name.to_lowercase(), self.app_name.to_lowercase()))
    }

    /// The app, deleted or not.
    fn find(&self, engine: &Engine) -> Result<App> {
        domains::find(engine, &self.domain_id)?;
        let owner = self.owner()?;
        let found = engine.store.get::<App>(&key(&self.domain_id, &owner, &self.app_type, &self.app_name))?;
        found.ok_or_else(|| missing("App", &self.arn(engine, &owner)))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    #[serde(flatten)]
    named: Named,
    #[serde(default)]
    tags: Vec<Tag>,
    resource_spec: Option<Map<String, Value>>,
    recovery_mode: Option<bool>,
}

pub(super) async fn create(engine: Arc<Engine>, request: Request) -> Result {
    tags::check(&request.tags)?;
    alone(&engine, |engine| make(engine, request))
}

fn make(engine: &Engine, request: Request) -> Result {
    let now = engine.now();
    let Request { named, tags: own_tags, resource_spec, recovery_mode } = request;
    let domain = domains::find(engine, &named.domain_id)?;
    domain.life.settled(&domain.arn, now)?;
    let owner = named.owner()?;
    if let Some(config) = resource_spec.as_ref().and_then(|spec| spec.get("LifecycleConfigArn")) {
        lifecycle_configs::check(engine, config, &named.app_type)?;
    }
    let (owner_arn, settings) = match &owner {
        Owner::Profile(name) => for_profile(engine, &named, name)?,
        Owner::Space(name) => for_space(engine, &named, name)?,
    };
    let app = App {
        arn: named.arn(engine, &owner),
        life: Life::begin(now),
        resources: resources(&named.app_type, resource_spec, &settings, &domain),
        recovery: recovery_mode,
        domain: named.domain_id,
        owner,
        kind: named.app_type,
        name: named.app_name,
    };
    match engine.store.get::<App>(&app.key())? {
        Some(there) if there.life.status(now).is_some() => return Err(already("App", &app.arn)),
        _ => engine.store.put(&app.key(), &app)?,
    }
    // An app carries the tags of its domain and of its profile or space too; its own win.
    let mut all = tags::of(engine, &domain.arn)?;
    all.extend(tags::of(engine, &owner_arn)?);
    all.extend(own_tags);
    tags::set(engine, &app.arn, all)?;
    Ok(json!({"AppArn": app.arn}))
}

type Settings = Vec<Option<Value>>;

fn for_profile(engine: &Engine, named: &Named, name: &str) -> Result<(String, Settings)> {
    let profile = profiles::find(engine, &named.domain_id, name)?;
    profile.life.settled(&profile.arn, engine.now())?;
    if IN_SPACES.contains(&named.app_type.as_str()) {
        return Err(Error::validation(format!(
            "SpaceName must be specified for an App of AppType {}.",
            named.app_type
        )));
    }
    Ok((profile.arn, vec![profile.settings]))
}

fn for_space(engine: &Engine, named: &Named, name: &str) -> Result<(String, Settings)> {
    let space = spaces::find(engine, &named.domain_id, name)?;
    space.life.settled(&space.arn, engine.now())?;
    if let Some(kind) = space.app_type() {
        if kind != named.app_type {
            return Err(Error::validation(format!(
                "AppType {} does not match the AppType {kind} of the Space [{}].",
                named.app_type, space.arn
            )));
        }
        // A space of the newer kind holds one app:
        // https://docs.aws.amazon.com/sagemaker/latest/dg/studio-updated-spaces.html
        let there = running(engine, &of_space(&space.domain, &space.name))?;
        if let Some(other) = there.iter().find(|app| app.name.to_lowercase() != named.app_name.to_lowercase()) {
            return Err(Error::limit(format!("The Space [{}] already has the App [{}].", space.arn, other.arn)));
        }
    }
    let owner = space.owner().map(|owner| profiles::get(engine, &space.domain, owner)).transpose()?.flatten();
    Ok((space.arn, vec![space.settings, owner.and_then(|owner| owner.settings)]))
}

/// What the app runs on: what the request says, else its space, its profile, the domain, member by member.
fn resources(
    kind: &str,
    given: Option<Map<String, Value>>,
    settings: &[Option<Value>],
    domain: &domains::Domain,
) -> Value {
    let section = format!("{kind}AppSettings");
    let usual = |settings: &Value| settings.get(&section)?.get("DefaultResourceSpec")?.as_object().cloned();
    let mut spec = given.unwrap_or_default();
    let of_domain = domain.settings.get("DefaultUserSettings");
    for layer in settings.iter().flatten().chain(of_domain).filter_map(usual) {
        for (name, value) in layer {
            spec.entry(name).or_insert(value);
        }
    }
    let instance = if kind == "JupyterServer" { "system" } else { "ml.t3.medium" };
    spec.entry("InstanceType").or_insert_with(|| json!(instance));
    Value::Object(spec)
}

fn details(app: &App, now: jiff::Timestamp) -> Value {
    let mut answer = json!({
        "DomainId": app.domain,
        "AppType": app.kind,
        "AppName": app.name,
        "Status": app.status(now),
        "CreationTime": epoch(app.life.created),
        "ResourceSpec": app.resources,
    });
    match &app.owner {
        Owner::Profile(name) => put(&mut answer, "UserProfileName", Some(name)),
        Owner::Space(name) => put(&mut answer, "SpaceName", Some(name)),
    }
    answer
}

pub(super) async fn describe(engine: Arc<Engine>, request: Named) -> Result {
    let app = request.find(&engine)?;
    let mut answer = details(&app, engine.now());
    put(&mut answer, "AppArn", Some(app.arn));
    put(&mut answer, "RecoveryMode", app.recovery);
    Ok(answer)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listing {
    domain_id_equals: Option<String>,
    user_profile_name_equals: Option<String>,
    space_name_equals: Option<String>,
    #[serde(flatten)]
    order: listing::Order,
}

pub(super) async fn list(engine: Arc<Engine>, request: Listing) -> Result {
    let now = engine.now();
    if request.user_profile_name_equals.is_some() && request.space_name_equals.is_some() {
        return Err(Error::validation("UserProfileNameEquals and SpaceNameEquals cannot be specified together."));
    }
    let mut apps = Vec::new();
    for app in engine.store.list::<App>()? {
        let over = app.life.status(now).is_none() && app.life.until.checked_add(REMEMBERED).is_ok_and(|end| end < now);
        if over {
            drop(&engine, &app)?;
        } else {
            apps.push(app);
        }
    }
    let same = |wanted: &Option<String>, name: Option<&str>| {
        wanted.as_deref().is_none_or(|wanted| name.is_some_and(|name| name.to_lowercase() == wanted.to_lowercase()))
    };
    apps.retain(|app| {
        let (profile, space) = match &app.owner {
            Owner::Profile(name) => (Some(name.as_str()), None),
            Owner::Space(name) => (None, Some(name.as_str())),
        };
        request.domain_id_equals.as_ref().is_none_or(|domain| *domain == app.domain)
            && same(&request.user_profile_name_equals, profile)
            && same(&request.space_name_equals, space)
    });
    let filters = (&request.domain_id_equals, &request.user_profile_name_equals, &request.space_name_equals);
    let Page { items, next_token } = listing::sorted(&format!("ListApps:{filters:?}"), apps, &request.order)?;
    let shown: Vec<Value> = items.iter().map(|app| details(app, now)).collect();
    let mut answer = json!({"Apps": shown});
    put(&mut answer, "NextToken", next_token);
    Ok(answer)
}

/// A deleted app stays listed. Deleting it again is refused, in the words that Terraform's AWS provider knows.
pub(super) async fn delete(engine: Arc<Engine>, request: Named) -> Result {
    alone(&engine, |engine| {
        let app = request.find(engine)?;
        if app.life.status(engine.now()).is_none() {
            return Err(Error::validation(format!("App [{}] has already been deleted.", app.arn)));
        }
        life::delete(engine, &app)
    })?;
    Ok(Value::Null)
}
