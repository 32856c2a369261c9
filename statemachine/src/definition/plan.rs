//! What applying a `pipeline.yaml` would change, thing by thing and key by key.
//!
//! Steps and parameters are compared in the rendered definition, which is what SageMaker runs; everything else in the
//! configuration, which is what Tidegate goes by.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::config::Pipeline;

/// What is there now.
#[derive(Clone, Copy, Debug, Default)]
pub struct Deployed<'a> {
    /// The configuration that was applied last; `None` if there is none.
    pub pipeline: Option<&'a Pipeline>,
    /// The definition that SageMaker holds, which someone may have edited; `None` if the pipeline does not exist.
    pub definition: Option<&'a str>,
}

/// What would change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The pipeline's name.
    pub pipeline: String,
    /// Everything the pipeline consists of, changed or not; in a fixed order.
    pub changes: Vec<Change>,
}

/// What happens to one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The thing.
    pub subject: Subject,
    /// What happens to it.
    pub action: Action,
    /// Which of its keys differ; empty unless it is updated.
    pub keys: Vec<KeyChange>,
}

/// A part of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "kind", content = "name", rename_all = "snake_case")]
pub enum Subject {
    /// The definition beside steps and parameters.
    Definition,
    /// What the pipeline is for.
    Description,
    /// What starts it.
    Trigger,
    /// A schedule.
    Schedule(String),
    /// How many executions may be under way.
    Concurrency,
    /// When a run that is not done is an alert.
    Deadline,
    /// A pipeline parameter.
    Parameter(String),
    /// A step.
    Step(String),
    /// What a model must satisfy.
    Gate,
    /// Where a model goes.
    Deployment,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Definition => f.write_str("definition"),
            Self::Description => f.write_str("description"),
            Self::Trigger => f.write_str("trigger"),
            Self::Schedule(name) => write!(f, "schedule {name}"),
            Self::Concurrency => f.write_str("concurrency"),
            Self::Deadline => f.write_str("deadline"),
            Self::Parameter(name) => write!(f, "parameter {name}"),
            Self::Step(name) => write!(f, "step {name}"),
            Self::Gate => f.write_str("gate"),
            Self::Deployment => f.write_str("deployment"),
        }
    }
}

/// What happens to a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It is new.
    Create,
    /// It changes.
    Update,
    /// It goes away.
    Delete,
    /// It stays.
    Unchanged,
}

/// One key that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyChange {
    /// Its path, such as `StoppingCondition.MaxRuntimeInSeconds`.
    pub key: String,
    /// Its value now, as JSON; `None` if it is new.
    pub before: Option<String>,
    /// Its value afterwards, as JSON; `None` if it goes away.
    pub after: Option<String>,
}

impl Plan {
    /// Whether everything stays as it is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.iter().all(|change| change.action == Action::Unchanged)
    }

    fn count(&self, action: Action) -> usize {
        self.changes.iter().filter(|change| change.action == action).count()
    }
}

/// Compares what is there with what would be.
#[must_use]
pub fn plan(deployed: Deployed<'_>, pipeline: &Pipeline, definition: &str) -> Plan {
    let before = things(deployed.pipeline, deployed.definition);
    let after = things(Some(pipeline), Some(definition));
    let subjects: BTreeSet<&Subject> = before.keys().chain(after.keys()).collect();
    let changes = subjects.into_iter().map(|subject| {
        let (action, keys) = match (before.get(subject), after.get(subject)) {
            (None, _) => (Action::Create, Vec::new()),
            (_, None) => (Action::Delete, Vec::new()),
            (Some(before), Some(after)) => {
                let keys = differences(before, after);
                (if keys.is_empty() { Action::Unchanged } else { Action::Update }, keys)
            }
        };
        Change { subject: subject.clone(), action, keys }
    });
    Plan { pipeline: pipeline.name().to_string(), changes: changes.collect() }
}

/// Path → value, both as text.
type Leaves = BTreeMap<String, String>;

fn things(pipeline: Option<&Pipeline>, definition: Option<&str>) -> BTreeMap<Subject, Leaves> {
    let mut things = BTreeMap::new();
    if let Some(Value::Object(config)) = pipeline.map(Pipeline::to_json) {
        for (key, value) in &config {
            let subject = match key.as_str() {
                "description" => Subject::Description,
                "trigger" => Subject::Trigger,
                "concurrency" => Subject::Concurrency,
                "deadline" => Subject::Deadline,
                "gate" => Subject::Gate,
                "deployment" => Subject::Deployment,
                "schedules" => {
                    for (name, schedule) in value.as_object().into_iter().flatten() {
                        things.insert(Subject::Schedule(name.clone()), leaves(schedule));
                    }
                    continue;
                }
                // The name does not change; steps and parameters are looked at in the definition.
                _ => continue,
            };
            things.insert(subject, leaves(value));
        }
    }
    if let Some(text) = definition {
        match serde_json::from_str(text) {
            Ok(Value::Object(mut object)) => {
                for (key, subject) in
                    [("Parameters", Subject::Parameter as fn(String) -> Subject), ("Steps", Subject::Step)]
                {
                    let Some(Value::Array(items)) = object.get(key) else { continue };
                    for item in items {
                        let Some(name) = item.get("Name").and_then(Value::as_str) else { continue };
                        things.insert(subject(name.to_owned()), leaves(item));
                    }
                    object.remove(key);
                }
                things.insert(Subject::Definition, leaves(&Value::Object(object)));
            }
            _ => {
                things.insert(Subject::Definition, Leaves::from([(String::new(), "not a JSON object".to_owned())]));
            }
        }
    }
    things
}

fn differences(before: &Leaves, after: &Leaves) -> Vec<KeyChange> {
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    keys.into_iter()
        .filter(|key| before.get(*key) != after.get(*key))
        .map(|key| KeyChange {
            key: key.strip_prefix("Arguments.").unwrap_or(key).to_owned(),
            before: before.get(key).cloned(),
            after: after.get(key).cloned(),
        })
        .collect()
}

fn leaves(value: &Value) -> Leaves {
    let mut found = Leaves::new();
    walk("", value, &mut found);
    found
}

// The recursion is as deep as the value, and serde_json bounds that at 128.
fn walk(path: &str, value: &Value, found: &mut Leaves) {
    match value {
        Value::Object(members) if !members.is_empty() && !is_expression(members.keys()) => {
            for (key, member) in members {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                walk(&path, member, found);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (position, item) in items.iter().enumerate() {
                walk(&format!("{path}[{}]", item_name(item, position)), item, found);
            }
        }
        _ => {
            found.insert(path.to_owned(), value.to_string());
        }
    }
}

/// `{"Get": …}` and `{"Std:Join": …}` are values, not structure.
fn is_expression<'a>(mut keys: impl Iterator<Item = &'a String>) -> bool {
    matches!((keys.next(), keys.next()), (Some(key), None) if key == "Get" || key.starts_with("Std:"))
}

/// An input that is added in front of others is not a change of all those behind it.
fn item_name(item: &Value, position: usize) -> String {
    ["InputName", "OutputName", "ChannelName", "PropertyFileName"]
        .iter()
        .find_map(|key| item.get(key)?.as_str())
        .map_or_else(|| position.to_string(), str::to_owned)
}

impl fmt::Display for Plan {
    /// For a person: `+` created, `~` updated with its keys, `-` deleted, `=` unchanged.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "pipeline {}: {} to create, {} to update, {} to delete, {} unchanged",
            self.pipeline,
            self.count(Action::Create),
            self.count(Action::Update),
            self.count(Action::Delete),
            self.count(Action::Unchanged)
        )?;
        for Change { subject, action, keys } in &self.changes {
            let sign = match action {
                Action::Create => '+',
                Action::Update => '~',
                Action::Delete => '-',
                Action::Unchanged => '=',
            };
            write!(f, "\n{sign} {subject}")?;
            for key in keys {
                write!(f, "\n    {key}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for KeyChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => write!(f, "{} → {}", short(before), short(after)),
            (None, Some(after)) => write!(f, "added {}", short(after)),
            (Some(before), None) => write!(f, "removed {}", short(before)),
            (None, None) => Ok(()),
        }
    }
}

/// Hashes are cut to twelve digits: enough to tell them apart, short enough to read.
fn short(text: &str) -> String {
    let mut shortened = String::with_capacity(text.len());
    let mut run = String::new();
    for c in text.chars().map(Some).chain([None]) {
        match c {
            Some(c @ ('0'..='9' | 'a'..='f')) => run.push(c),
            _ => {
                if run.len() == 64 {
                    run.truncate(12);
                    run.push('…');
                }
                shortened.push_str(&run);
                run.clear();
                shortened.extend(c);
            }
        }
    }
    shortened
}
