//! The operations on schedules.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use bytes::Bytes;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::clock::Clock;
use super::error::Error;
use super::expression::Expression;
use super::model::{Schedule, ScheduleState, Settings, key, seconds};
use super::{group, validate};
use crate::engine::Engine;

pub(super) type Answer = Result<Json<Value>, Error>;

/// AWS's largest page, and its default.
const PAGE: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Which {
    group_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Token {
    client_token: Option<String>,
}

/// Reads a body of restJson1: an object, or nothing.
pub(super) fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Error> {
    let text: &[u8] = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(text).map_err(|error| Error::Validation(format!("the request cannot be read: {error}")))
}

pub(super) async fn create(State(engine): State<Arc<Engine>>, Path(name): Path<String>, body: Bytes) -> Answer {
    let (settings, token) = (read::<Settings>(&body)?, read::<Token>(&body)?.client_token);
    validate::token(token.as_deref())?;
    let now = engine.now();
    let mut schedule = checked(&engine, name, settings, now)?;
    schedule.token = token;
    let own = key(&schedule.group, &schedule.name);
    if is_over(&schedule) && engine.store.get::<Schedule>(&own)?.is_none() {
        let expression = &schedule.settings.schedule_expression;
        let reason = format!("Invalid Schedule Expression {expression}. The time has passed.");
        return Err(Error::Validation(reason));
    }
    if !engine.store.create(&own, &schedule)? {
        let there = engine.store.get::<Schedule>(&own)?;
        // The same request once more, its answer having been lost.
        let same = there.is_some_and(|there| {
            there.token.is_some() && there.token == schedule.token && there.settings == schedule.settings
        });
        if !same {
            return Err(Error::Conflict(format!("Schedule {} already exists.", schedule.name)));
        }
    }
    engine.part::<Clock>().wake();
    Ok(Json(json!({ "ScheduleArn": schedule.arn })))
}

pub(super) async fn update(State(engine): State<Arc<Engine>>, Path(name): Path<String>, body: Bytes) -> Answer {
    let (settings, token) = (read::<Settings>(&body)?, read::<Token>(&body)?.client_token);
    validate::token(token.as_deref())?;
    let now = engine.now();
    let new = checked(&engine, name, settings, now)?;
    let own = key(&new.group, &new.name);
    let arn = new.arn.clone();
    let missing = missing(&new.name);
    let found = engine.store.update(&own, |kept: &mut Schedule| {
        // A rate goes on in its rhythm unless the expression itself has changed.
        let anchor =
            if kept.settings.schedule_expression == new.settings.schedule_expression { kept.anchor } else { now };
        let next = due(&new.settings, anchor, now)?;
        let (created, token) = (kept.created, kept.token.take());
        *kept = Schedule { created, anchor, next, token, ..new };
        Ok::<_, Error>(())
    })?;
    found.ok_or(missing)?;
    engine.part::<Clock>().wake();
    Ok(Json(json!({ "ScheduleArn": arn })))
}

/// A schedule made of a request, with everything checked.
fn checked(engine: &Engine, name: String, settings: Settings, now: Timestamp) -> Result<Schedule, Error> {
    let (region, account) = (&engine.config.region, &engine.config.account);
    validate::name(&name, "name")?;
    let group = settings.group_name.clone().unwrap_or_else(|| group::DEFAULT.into());
    validate::name(&group, "groupName")?;
    validate::settings(&settings, region, account)?;
    let next = due(&settings, now, now)?;
    group::must_exist(engine, &group)?;
    let arn = format!("arn:aws:scheduler:{region}:{account}:schedule/{group}/{name}");
    Ok(Schedule { name, group, arn, settings, created: now, modified: now, anchor: now, next, token: None })
}

fn due(settings: &Settings, anchor: Timestamp, now: Timestamp) -> Result<Option<Timestamp>, Error> {
    let plan = validate::plan(settings, anchor)?;
    // A rate without a start date is due at once, which is this very moment.
    let just_before = now.checked_sub(jiff::SignedDuration::from_nanos(1)).unwrap_or(now);
    let next = plan.next_after(just_before);
    Ok(next.filter(|_| settings.state == ScheduleState::Enabled))
}

/// A single time that has passed, and would never come.
fn is_over(schedule: &Schedule) -> bool {
    let once = matches!(Expression::parse(&schedule.settings.schedule_expression), Ok(Expression::At(_)));
    once && schedule.settings.state == ScheduleState::Enabled && schedule.next.is_none()
}

fn missing(name: &str) -> Error {
    Error::NotFound(format!("Schedule {name} does not exist."))
}

fn which(query: &Which, name: &str) -> Result<String, Error> {
    let group = query.group_name.as_deref().unwrap_or(group::DEFAULT);
    validate::name(name, "name")?;
    validate::name(group, "groupName")?;
    Ok(key(group, name))
}

pub(super) async fn get(
    State(engine): State<Arc<Engine>>,
    Path(name): Path<String>,
    Query(query): Query<Which>,
) -> Answer {
    let found = engine.store.get::<Schedule>(&which(&query, &name)?)?.ok_or_else(|| missing(&name))?;
    let mut answer = serde_json::to_value(&found.settings).map_err(|error| Error::Internal(error.to_string()))?;
    if let Some(answer) = answer.as_object_mut() {
        let zone = found.settings.schedule_expression_timezone.clone().unwrap_or_else(|| "UTC".into());
        answer.insert("Arn".into(), found.arn.into());
        answer.insert("Name".into(), found.name.into());
        answer.insert("GroupName".into(), found.group.into());
        answer.insert("ScheduleExpressionTimezone".into(), zone.into());
        answer.insert("CreationDate".into(), seconds(found.created));
        answer.insert("LastModificationDate".into(), seconds(found.modified));
    }
    Ok(Json(answer))
}

pub(super) async fn delete(
    State(engine): State<Arc<Engine>>,
    Path(name): Path<String>,
    Query(query): Query<Which>,
) -> Answer {
    engine.store.delete::<Schedule>(&which(&query, &name)?)?.ok_or_else(|| missing(&name))?;
    engine.part::<Clock>().wake();
    Ok(Json(json!({})))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListQuery {
    schedule_group: Option<String>,
    pub(super) max_results: Option<usize>,
    pub(super) name_prefix: Option<String>,
    pub(super) next_token: Option<String>,
    state: Option<ScheduleState>,
}

pub(super) async fn list(State(engine): State<Arc<Engine>>, Query(query): Query<ListQuery>) -> Answer {
    if let Some(group) = &query.schedule_group {
        validate::name(group, "groupName")?;
        group::must_exist(&engine, group)?;
    }
    let prefix = query.schedule_group.as_ref().map_or_else(String::new, |group| format!("{group}/"));
    let mut found = engine.store.list_prefix::<Schedule>(&prefix)?;
    found.retain(|schedule| {
        query.name_prefix.as_ref().is_none_or(|prefix| schedule.name.starts_with(prefix.as_str()))
            && query.state.is_none_or(|state| schedule.settings.state == state)
    });
    let (found, next) = page(found, &query, |schedule| key(&schedule.group, &schedule.name))?;
    let list: Vec<Value> = found
        .into_iter()
        .map(|schedule| {
            json!({
                "Arn": schedule.arn,
                "Name": schedule.name,
                "GroupName": schedule.group,
                "State": schedule.settings.state,
                "Target": {"Arn": schedule.settings.target.arn},
                "CreationDate": seconds(schedule.created),
                "LastModificationDate": seconds(schedule.modified),
            })
        })
        .collect();
    Ok(Json(with_token(json!({ "Schedules": list }), next)))
}

/// One page of a list in the order of keys. The token is the last key of the page before.
pub(super) fn page<T>(
    mut all: Vec<T>,
    query: &ListQuery,
    key: impl Fn(&T) -> String,
) -> Result<(Vec<T>, Option<String>), Error> {
    let size = query.max_results.unwrap_or(PAGE);
    if !(1..=PAGE).contains(&size) {
        return Err(Error::Validation("MaxResults must be between 1 and 100".into()));
    }
    if let Some(token) = &query.next_token {
        all.retain(|each| key(each) > *token);
    }
    let more = all.len() > size;
    all.truncate(size);
    let next = if more { all.last().map(key) } else { None };
    Ok((all, next))
}

pub(super) fn with_token(mut answer: Value, next: Option<String>) -> Value {
    if let (Some(next), Some(answer)) = (next, answer.as_object_mut()) {
        answer.insert("NextToken".into(), next.into());
    }
    answer
}
