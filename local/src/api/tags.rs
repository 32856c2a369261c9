//! Tags of resources, by ARN.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Error, Operation, Result, operations, page};
use crate::engine::Engine;
use crate::store::Document;

/// The most tags that a resource can have.
const MOST: usize = 50;

/// The operations of this module.
pub(super) fn operations() -> &'static [Operation] {
    operations! { "AddTags" => add, "ListTags" => list, "DeleteTags" => delete }
}

/// One tag.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Tag {
    pub(crate) key: String,
    pub(crate) value: String,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Tags(BTreeMap<String, String>);

impl Document for Tags {
    const KIND: &'static str = "tags";
}

/// Checks tags that come with a new resource.
pub(crate) fn check(tags: &[Tag]) -> Result<()> {
    let mut keys: Vec<String> = tags.iter().map(|tag| tag.key.to_lowercase()).collect();
    keys.sort_unstable();
    keys.dedup();
    if keys.len() < tags.len() {
        return Err(Error::validation("Duplicate tag keys found. Please note that Tag keys are case insensitive."));
    }
    Ok(())
}

/// Takes the tags out of a request that creates something, checked.
pub(crate) fn take(request: &mut serde_json::Map<String, Value>) -> Result<Vec<Tag>> {
    match request.remove("Tags") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(tags) => {
            let tags: Vec<Tag> = super::operation::read(tags)?;
            check(&tags)?;
            Ok(tags)
        }
    }
}

/// Gives a new resource its tags.
pub(crate) fn set(engine: &Engine, arn: &str, tags: Vec<Tag>) -> Result<()> {
    if tags.is_empty() {
        return forget(engine, arn);
    }
    let tags = Tags(tags.into_iter().map(|tag| (tag.key, tag.value)).collect());
    Ok(engine.store.put(arn, &tags)?)
}

/// The tags of a resource as an object, for events.
pub(crate) fn object(engine: &Engine, arn: &str) -> Result<Value> {
    Ok(json!(engine.store.get::<Tags>(arn)?.unwrap_or_default().0))
}

/// The tags of a resource.
pub(crate) fn of(engine: &Engine, arn: &str) -> Result<Vec<Tag>> {
    let tags = engine.store.get::<Tags>(arn)?.unwrap_or_default().0;
    Ok(tags.into_iter().map(|(key, value)| Tag { key, value }).collect())
}

/// Drops the tags of a resource that is deleted.
pub(crate) fn forget(engine: &Engine, arn: &str) -> Result<()> {
    engine.store.delete::<Tags>(arn)?;
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AddRequest {
    resource_arn: String,
    tags: Vec<Tag>,
}

async fn add(engine: Arc<Engine>, request: AddRequest) -> Result {
    check(&request.tags)?;
    super::exists(&engine, &request.resource_arn)?;
    engine.store.create(&request.resource_arn, &Tags::default())?;
    let all = engine.store.update(&request.resource_arn, |tags: &mut Tags| {
        for tag in request.tags {
            tags.0.insert(tag.key, tag.value);
        }
        if tags.0.len() > MOST {
            return Err(Error::limit(format!("the resource would have {} tags; the most is {MOST}", tags.0.len())));
        }
        Ok::<_, Error>(tags.0.clone())
    })?;
    Ok(json!({"Tags": shown(all.unwrap_or_default())}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListRequest {
    resource_arn: String,
    next_token: Option<String>,
    max_results: Option<usize>,
}

async fn list(engine: Arc<Engine>, request: ListRequest) -> Result {
    super::exists(&engine, &request.resource_arn)?;
    let tags: Vec<_> = engine.store.get::<Tags>(&request.resource_arn)?.unwrap_or_default().0.into_iter().collect();
    let listing = format!("ListTags:{}", request.resource_arn);
    let max = request.max_results.or(Some(MOST));
    let found = page(&listing, tags, |(key, _)| key.clone(), max, request.next_token.as_deref())?;
    let mut answer = json!({"Tags": shown(found.items)});
    super::put(&mut answer, "NextToken", found.next_token);
    Ok(answer)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteRequest {
    resource_arn: String,
    tag_keys: Vec<String>,
}

async fn delete(engine: Arc<Engine>, request: DeleteRequest) -> Result {
    super::exists(&engine, &request.resource_arn)?;
    engine.store.update(&request.resource_arn, |tags: &mut Tags| {
        tags.0.retain(|key, _| !request.tag_keys.contains(key));
        Ok::<_, Error>(())
    })?;
    Ok(json!({}))
}

fn shown(tags: impl IntoIterator<Item = (String, String)>) -> Vec<Value> {
    tags.into_iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}
