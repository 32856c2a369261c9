//! What differs between what is wanted and what is there.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value};
use statemachine::text::one_line;

use crate::studio::manifest::sorted;

/// How much of a value a person is shown, characters.
const SHOWN: usize = 120;

/// Lists whose order means nothing.
const SETS: [&str; 2] = ["SecurityGroups", "LifecycleConfigArns"];

/// One thing that is not as the manifest has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Difference {
    /// Such as `UserSettings.ExecutionRole`.
    pub(crate) at: String,
    /// `None` when the manifest has nothing there.
    pub(crate) wanted: Option<String>,
    /// `None` when the domain has nothing there.
    pub(crate) found: Option<String>,
    /// Whether an update makes it equal.
    #[serde(rename = "updatable")]
    pub(crate) can_update: bool,
}

impl Difference {
    pub(super) fn new(at: impl Into<String>, wanted: Option<&str>, found: Option<&str>, can_update: bool) -> Self {
        let shown = |text: Option<&str>| text.map(|text| one_line(text, SHOWN));
        Self { at: at.into(), wanted: shown(wanted), found: shown(found), can_update }
    }
}

/// Differences of settings, each with the member of the first level that an update would send. SageMaker takes nothing
/// away in an update, so what only the domain has stays.
pub(super) fn settings(
    wanted: &Map<String, Value>,
    found: &Map<String, Value>,
    at: &str,
    fixed: &[&str],
) -> (Vec<Difference>, Map<String, Value>) {
    let (mut differences, mut update) = (Vec::new(), Map::new());
    let keys: BTreeSet<&String> = wanted.keys().chain(found.keys()).collect();
    for key in keys {
        let plain = |settings: &Map<String, Value>| settings.get(key).and_then(|value| comparable(value.clone(), key));
        let (want, have) = (plain(wanted), plain(found));
        if want == have {
            continue;
        }
        let can_update = want.is_some() && !fixed.contains(&key.as_str());
        if let Some(value) = wanted.get(key).filter(|_| can_update) {
            update.insert(key.clone(), value.clone());
        }
        let text = |value: &Option<Value>| value.as_ref().map(words);
        differences.push(Difference::new(
            format!("{at}.{key}"),
            text(&want).as_deref(),
            text(&have).as_deref(),
            can_update,
        ));
    }
    (differences, update)
}

/// Tags that are wanted and missing or different. More tags than these are the new domain's own affair.
pub(super) fn tags(
    wanted: &BTreeMap<String, String>,
    found: &BTreeMap<String, String>,
) -> (Vec<Difference>, BTreeMap<String, String>) {
    let (mut differences, mut update) = (Vec::new(), BTreeMap::new());
    for (key, value) in wanted {
        let there = found.get(key);
        if there != Some(value) {
            differences.push(Difference::new(format!("tags.{key}"), Some(value), there.map(String::as_str), true));
            update.insert(key.clone(), value.clone());
        }
    }
    (differences, update)
}

/// The same value always in the same form; `None` if it says nothing.
fn comparable(value: Value, key: &str) -> Option<Value> {
    match sorted(value) {
        Value::Null => None,
        Value::Object(members) => {
            let kept: Map<String, Value> = members
                .into_iter()
                .filter_map(|(key, value)| comparable(value, &key).map(|value| (key, value)))
                .collect();
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        Value::Array(items) => {
            let mut kept: Vec<Value> = items.into_iter().filter_map(|item| comparable(item, key)).collect();
            if SETS.contains(&key) {
                kept.sort_by_key(ToString::to_string);
                kept.dedup();
            }
            (!kept.is_empty()).then_some(Value::Array(kept))
        }
        other => Some(other),
    }
}

fn words(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
