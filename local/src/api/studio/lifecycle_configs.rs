//! Lifecycle configurations of Studio: scripts that SageMaker runs when an app starts. Here they are kept and told.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{alone, already, apps, domains, life, missing, profiles, spaces};
use crate::api::listing::{self, ListRequest, Listed, Usually};
use crate::api::tags::{self, Tag};
use crate::api::{Error, Result, epoch, last_part, put};
use crate::engine::Engine;
use crate::store::Document;

/// A configuration. Its key in the store is its name, in lower case.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct LifecycleConfig {
    name: String,
    arn: String,
    created: Timestamp,
    content: String,
    app_type: String,
}

impl Document for LifecycleConfig {
    const KIND: &'static str = "studio-lifecycle-config";
}

impl Listed for LifecycleConfig {
    fn name(&self) -> &str {
        &self.name
    }

    fn created(&self) -> Timestamp {
        self.created
    }
}

pub(super) fn get(engine: &Engine, name: &str) -> Result<Option<LifecycleConfig>> {
    Ok(engine.store.get(&name.to_lowercase())?)
}

fn find(engine: &Engine, name: &str) -> Result<LifecycleConfig> {
    get(engine, name)?.ok_or_else(|| missing("StudioLifecycleConfig", &arn(engine, name)))
}

fn arn(engine: &Engine, name: &str) -> String {
    engine.arn(&format!("studio-lifecycle-config/{}", name.to_lowercase()))
}

/// Refuses what an app cannot be started with: a configuration that is not there, or one for other apps. `None` is how
/// SageMaker is told to take none.
pub(super) fn check(engine: &Engine, config: &Value, app_type: &str) -> Result<()> {
    let Some(arn) = config.as_str().filter(|arn| *arn != "None") else { return Ok(()) };
    let found = get(engine, last_part(arn))?;
    let found = found.ok_or_else(|| Error::validation(format!("StudioLifecycleConfig [{arn}] does not exist.")))?;
    if found.app_type == app_type {
        return Ok(());
    }
    Err(Error::validation(format!("StudioLifecycleConfig [{arn}] is for {}, not for {app_type}.", found.app_type)))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    studio_lifecycle_config_name: String,
    studio_lifecycle_config_content: String,
    studio_lifecycle_config_app_type: String,
    #[serde(default)]
    tags: Vec<Tag>,
}

pub(super) async fn create(engine: Arc<Engine>, request: Request) -> Result {
    tags::check(&request.tags)?;
    if STANDARD.decode(&request.studio_lifecycle_config_content).is_err() {
        return Err(Error::validation("StudioLifecycleConfigContent must be base64 encoded."));
    }
    let name = request.studio_lifecycle_config_name;
    let config = LifecycleConfig {
        arn: arn(&engine, &name),
        created: engine.now(),
        content: request.studio_lifecycle_config_content,
        app_type: request.studio_lifecycle_config_app_type,
        name,
    };
    if !engine.store.create(&config.name.to_lowercase(), &config)? {
        return Err(already("StudioLifecycleConfig", &config.arn));
    }
    tags::set(&engine, &config.arn, request.tags)?;
    Ok(json!({"StudioLifecycleConfigArn": config.arn}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Named {
    studio_lifecycle_config_name: String,
}

pub(super) async fn describe(engine: Arc<Engine>, request: Named) -> Result {
    let config = find(&engine, &request.studio_lifecycle_config_name)?;
    let mut answer = details(&config);
    put(&mut answer, "StudioLifecycleConfigContent", Some(config.content));
    Ok(answer)
}

fn details(config: &LifecycleConfig) -> Value {
    json!({
        "StudioLifecycleConfigArn": config.arn,
        "StudioLifecycleConfigName": config.name,
        "StudioLifecycleConfigAppType": config.app_type,
        "CreationTime": epoch(config.created),
        "LastModifiedTime": epoch(config.created),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listing {
    app_type_equals: Option<String>,
    modified_time_before: Option<Value>,
    modified_time_after: Option<Value>,
    #[serde(flatten)]
    order: ListRequest,
}

pub(super) async fn list(engine: Arc<Engine>, request: Listing) -> Result {
    let mut order = request.order;
    order.last_modified_time_before = request.modified_time_before;
    order.last_modified_time_after = request.modified_time_after;
    let mut configs = engine.store.list::<LifecycleConfig>()?;
    if let Some(kind) = &request.app_type_equals {
        configs.retain(|config| config.app_type == *kind);
    }
    let listing = format!("ListStudioLifecycleConfigs:{:?}", request.app_type_equals);
    let found = listing::list(&listing, configs, &order, Usually::Descending)?;
    let mut answer = json!({"StudioLifecycleConfigs": found.items.iter().map(details).collect::<Vec<Value>>()});
    put(&mut answer, "NextToken", found.next_token);
    Ok(answer)
}

/// Refused while an app runs with it, or a domain, profile or space names it.
pub(super) async fn delete(engine: Arc<Engine>, request: Named) -> Result {
    alone(&engine, |engine| {
        let config = find(engine, &request.studio_lifecycle_config_name)?;
        if let Some(user) = user(engine, &config.arn)? {
            return Err(Error::in_use(format!(
                "Unable to delete StudioLifecycleConfig [{}] because it is used by [{user}].",
                config.arn
            )));
        }
        engine.store.delete::<LifecycleConfig>(&config.name.to_lowercase())?;
        tags::forget(engine, &config.arn)
    })?;
    Ok(Value::Null)
}

/// What uses the configuration.
fn user(engine: &Engine, config: &str) -> Result<Option<String>> {
    let apps = apps::running(engine, "")?;
    if let Some(app) = apps.iter().find(|app| app.lifecycle_config() == Some(config)) {
        return Ok(Some(life::Resource::arn(app).to_owned()));
    }
    let domains = life::all::<domains::Domain>(engine, "")?.into_iter();
    let domains = domains.map(|domain| (domain.arn, Some(Value::Object(domain.settings))));
    let profiles = life::all::<profiles::Profile>(engine, "")?.into_iter().map(|each| (each.arn, each.settings));
    let spaces = life::all::<spaces::Space>(engine, "")?.into_iter().map(|each| (each.arn, each.settings));
    let mut all = domains.chain(profiles).chain(spaces);
    Ok(all.find(|(_, settings)| settings.as_ref().is_some_and(|settings| names(settings, config))).map(|(arn, _)| arn))
}

fn names(settings: &Value, text: &str) -> bool {
    match settings {
        Value::String(found) => found == text,
        Value::Array(items) => items.iter().any(|item| names(item, text)),
        Value::Object(members) => members.values().any(|member| names(member, text)),
        _ => false,
    }
}
