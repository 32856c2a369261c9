//! The operations on schedule groups and their tags.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::api::{Answer, ListQuery, page, read, with_token};
use super::clock::Clock;
use super::error::Error;
use super::model::{Group, Schedule, Tag, key, seconds};
use super::validate;
use crate::engine::Engine;

/// The group that is always there.
pub(super) const DEFAULT: &str = "default";
/// AWS's limit of tags on a resource.
const MOST_TAGS: usize = 50;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Create {
    client_token: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

fn arn(engine: &Engine, name: &str) -> String {
    format!("arn:aws:scheduler:{}:{}:schedule-group/{name}", engine.config.region, engine.config.account)
}

fn find(engine: &Engine, name: &str) -> Result<Group, Error> {
    if let Some(group) = engine.store.get::<Group>(name)? {
        return Ok(group);
    }
    if name == DEFAULT {
        // AWS makes it with the account.
        let since = jiff::Timestamp::UNIX_EPOCH;
        let (name, arn) = (name.to_owned(), arn(engine, name));
        return Ok(Group { name, arn, created: since, modified: since, tags: Vec::new(), token: None });
    }
    Err(Error::NotFound(format!("Schedule group {name} does not exist.")))
}

pub(super) fn must_exist(engine: &Engine, name: &str) -> Result<(), Error> {
    find(engine, name).map(|_| ())
}

pub(super) async fn create(State(engine): State<Arc<Engine>>, Path(name): Path<String>, body: Bytes) -> Answer {
    let request = read::<Create>(&body)?;
    validate::name(&name, "name")?;
    validate::token(request.client_token.as_deref())?;
    check_tags(&request.tags)?;
    let (now, arn) = (engine.now(), arn(&engine, &name));
    let exists = || Error::Conflict(format!("Schedule group {name} already exists."));
    if name == DEFAULT {
        return Err(exists());
    }
    let (tags, token) = (request.tags, request.client_token);
    let group = Group { name: name.clone(), arn: arn.clone(), created: now, modified: now, tags, token };
    if !engine.store.create(&name, &group)? {
        let there = engine.store.get::<Group>(&name)?;
        if !there.is_some_and(|there| there.token.is_some() && there.token == group.token && there.tags == group.tags) {
            return Err(exists());
        }
    }
    Ok(Json(json!({ "ScheduleGroupArn": arn })))
}

fn summary(group: &Group) -> Value {
    json!({
        "Arn": group.arn,
        "Name": group.name,
        "State": "ACTIVE",
        "CreationDate": seconds(group.created),
        "LastModificationDate": seconds(group.modified),
    })
}

pub(super) async fn get(State(engine): State<Arc<Engine>>, Path(name): Path<String>) -> Answer {
    validate::name(&name, "name")?;
    Ok(Json(summary(&find(&engine, &name)?)))
}

/// Deletes the group with its schedules. AWS takes a while, in the state DELETING; here it is done with the answer.
pub(super) async fn delete(State(engine): State<Arc<Engine>>, Path(name): Path<String>) -> Answer {
    validate::name(&name, "name")?;
    if name == DEFAULT {
        return Err(Error::Validation("The default schedule group cannot be deleted.".into()));
    }
    find(&engine, &name)?;
    for schedule in engine.store.list_prefix::<Schedule>(&format!("{name}/"))? {
        engine.store.delete::<Schedule>(&key(&schedule.group, &schedule.name))?;
    }
    engine.store.delete::<Group>(&name)?;
    engine.part::<Clock>().wake();
    Ok(Json(json!({})))
}

pub(super) async fn list(State(engine): State<Arc<Engine>>, Query(query): Query<ListQuery>) -> Answer {
    let mut all = engine.store.list::<Group>()?;
    if !all.iter().any(|group| group.name == DEFAULT) {
        all.push(find(&engine, DEFAULT)?);
    }
    all.retain(|group| query.name_prefix.as_ref().is_none_or(|prefix| group.name.starts_with(prefix.as_str())));
    all.sort_by(|one, other| one.name.cmp(&other.name));
    let (found, next) = page(all, &query, |group| group.name.clone())?;
    let list: Vec<Value> = found.iter().map(summary).collect();
    Ok(Json(with_token(json!({ "ScheduleGroups": list }), next)))
}

/// Only groups have tags.
fn tagged(engine: &Engine, resource: &str) -> Result<Group, Error> {
    let name = resource.rsplit_once(":schedule-group/").map(|(_, name)| name);
    match name {
        Some(name) if resource == arn(engine, name) => find(engine, name),
        _ => Err(Error::Validation(format!("{resource} is not the ARN of a schedule group"))),
    }
}

fn check_tags(tags: &[Tag]) -> Result<(), Error> {
    if tags.len() > MOST_TAGS {
        return Err(Error::Validation(format!("a schedule group has at most {MOST_TAGS} tags")));
    }
    let fits = |tag: &Tag| (1..=128).contains(&tag.key.len()) && (1..=256).contains(&tag.value.len());
    if tags.iter().all(fits) {
        Ok(())
    } else {
        Err(Error::Validation("a tag's key has 1 to 128 characters and its value 1 to 256".into()))
    }
}

pub(super) async fn tags(State(engine): State<Arc<Engine>>, Path(resource): Path<String>) -> Answer {
    Ok(Json(json!({ "Tags": tagged(&engine, &resource)?.tags })))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tags {
    tags: Vec<Tag>,
}

pub(super) async fn tag(State(engine): State<Arc<Engine>>, Path(resource): Path<String>, body: Bytes) -> Answer {
    let added = read::<Tags>(&body)?.tags;
    let mut group = tagged(&engine, &resource)?;
    group.tags.retain(|tag| added.iter().all(|new| new.key != tag.key));
    group.tags.extend(added);
    check_tags(&group.tags)?;
    group.modified = engine.now();
    engine.store.put(&group.name, &group)?;
    Ok(Json(json!({})))
}

pub(super) async fn untag(
    State(engine): State<Arc<Engine>>,
    Path(resource): Path<String>,
    Query(query): Query<Vec<(String, String)>>,
) -> Answer {
    let mut group = tagged(&engine, &resource)?;
    group.tags.retain(|tag| !query.iter().any(|(name, value)| name == "TagKeys" && *value == tag.key));
    group.modified = engine.now();
    engine.store.put(&group.name, &group)?;
    Ok(Json(json!({})))
}
