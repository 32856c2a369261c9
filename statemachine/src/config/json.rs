//! A pipeline as JSON: in the form of `pipeline.yaml`, with the defaults filled in, so that reading it back is reading
//! `pipeline.yaml`, with every check but that of the files.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::errors::Errors;
use super::{Arrival, Grouping, Pipeline, Schedule, Step, Work, parse, tree};
use crate::gate::{Criterion, Direction};
use crate::queue::Concurrency;

impl Pipeline {
    /// The pipeline as JSON, in the form of `pipeline.yaml`; keys in a fixed order.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut object = Map::new();
        object.insert("pipeline".to_owned(), json!(self.name));
        if let Some(description) = &self.description {
            object.insert("description".to_owned(), json!(description));
        }
        if let Some(arrival) = &self.arrival {
            object.insert("trigger".to_owned(), json!({"arrival": self::arrival(arrival)}));
        }
        if !self.schedules.is_empty() {
            let schedules = self.schedules.iter().map(|(name, one)| (name.to_string(), schedule(one)));
            object.insert("schedules".to_owned(), schedules.collect::<Map<_, _>>().into());
        }
        let concurrency = match self.concurrency {
            Concurrency::Unlimited => None,
            Concurrency::Wait { at_most: 1 } => Some(json!("queue")),
            Concurrency::Wait { at_most } => Some(json!({"parallel": at_most})),
            Concurrency::Skip => Some(json!("skip")),
            Concurrency::Replace => Some(json!("replace")),
        };
        if let Some(concurrency) = concurrency {
            object.insert("concurrency".to_owned(), concurrency);
        }
        object.insert("deadline".to_owned(), json!(self.deadline));
        if !self.parameters.is_empty() {
            object.insert("parameters".to_owned(), json!(self.parameters));
        }
        let steps = self.steps.iter().map(|one| (one.name.to_string(), step(one)));
        object.insert("steps".to_owned(), steps.collect::<Map<_, _>>().into());
        if let Some(gate) = &self.gate {
            let criteria: Vec<Value> = gate.criteria().iter().map(criterion).collect();
            object.insert("gate".to_owned(), criteria.into());
        }
        if let Some(deployment) = &self.deployment {
            object.insert("deployment".to_owned(), json!(deployment));
        }
        object.into()
    }

    /// Reads what [`to_json`](Self::to_json) wrote, and checks all of it again. Whether the scripts exist is not asked.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), without lines.
    pub fn from_json(value: &Value) -> Result<Self, Errors> {
        parse::from_tree(&tree::from_json(value), &|_| true, Vec::new()).map_err(|problems| Errors::new("", problems))
    }
}

impl Serialize for Pipeline {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Pipeline {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::from_json(&value).map_err(serde::de::Error::custom)
    }
}

fn arrival(arrival: &Arrival) -> Value {
    let mut object = Map::new();
    object.insert("prefix".to_owned(), json!(arrival.prefix));
    if let Some(suffix) = &arrival.suffix {
        object.insert("suffix".to_owned(), json!(suffix));
    }
    for (key, size) in [("min_size", arrival.size.min()), ("max_size", arrival.size.max())] {
        if let Some(size) = size {
            object.insert(key.to_owned(), json!(size));
        }
    }
    match &arrival.grouping {
        Grouping::Each => {}
        Grouping::Batch(batch) => {
            object.insert("batch".to_owned(), json!({"quiet": batch.quiet(), "longest": batch.longest()}));
        }
        Grouping::Marker(name) => drop(object.insert("complete".to_owned(), json!({"marker": name}))),
        Grouping::Manifest(name) => drop(object.insert("complete".to_owned(), json!({"manifest": name}))),
    }
    if let Some(expected) = &arrival.expected {
        let expected = json!({
            "by": expected.by(),
            "timezone": expected.time_zone(),
            "days": expected.days(),
            "within": expected.within(),
        });
        object.insert("expected".to_owned(), expected);
    }
    object.into()
}

fn schedule(schedule: &Schedule) -> Value {
    let (key, text) = schedule.expression.key_and_text();
    let mut object = Map::new();
    object.insert(key.to_owned(), text.into());
    object.insert("timezone".to_owned(), json!(schedule.time_zone));
    if !schedule.parameters.is_empty() {
        object.insert("parameters".to_owned(), json!(schedule.parameters));
    }
    object.into()
}

fn step(step: &Step) -> Value {
    let mut object = Map::new();
    object.insert("type".to_owned(), step.work.kind().into());
    object.insert("image".to_owned(), json!(step.image));
    object.insert("instance".to_owned(), json!(step.instance));
    object.insert("volume".to_owned(), json!(step.volume));
    object.insert("script".to_owned(), json!(step.script));
    if !step.inputs.is_empty() {
        object.insert("inputs".to_owned(), json!(step.inputs));
    }
    let arguments = match &step.work {
        Work::Processing { outputs, arguments } => {
            object.insert("outputs".to_owned(), json!(outputs));
            arguments.as_slice()
        }
        Work::Evaluation { report, arguments } => {
            object.insert("report".to_owned(), json!(report));
            arguments
        }
        Work::Training { hyperparameters } => {
            if !hyperparameters.is_empty() {
                object.insert("hyperparameters".to_owned(), json!(hyperparameters));
            }
            &[]
        }
    };
    if !arguments.is_empty() {
        object.insert("arguments".to_owned(), json!(arguments));
    }
    object.insert("max_runtime".to_owned(), json!(step.max_runtime));
    if let Some(retries) = &step.retries {
        object.insert("retries".to_owned(), json!(retries));
    }
    if let Some(cache) = step.cache {
        object.insert("cache".to_owned(), json!(cache));
    }
    object.into()
}

fn criterion(criterion: &Criterion) -> Value {
    let mut object = Map::new();
    object.insert("metric".to_owned(), json!(criterion.metric()));
    if let Some(threshold) = criterion.threshold() {
        object.insert(threshold.comparison.key().to_owned(), json!(threshold.value));
    }
    if let Some(champion) = criterion.champion() {
        let better = match champion.better() {
            Direction::Higher => "higher",
            Direction::Lower => "lower",
        };
        object.insert("champion".to_owned(), json!({"tolerance": champion.tolerance(), "better": better}));
    }
    object.into()
}
