//! The evaluation report: SageMaker's model-quality JSON, or any JSON object with numbers in it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Criterion, Finite, Gate, METRIC_PATH_LIMIT, MetricPath};

/// The largest report that is read, in bytes. A report holds a few dozen numbers and perhaps a curve; a larger one is
/// a mistake, and is refused rather than held in a function's memory.
pub const REPORT_LIMIT: usize = 1024 * 1024;

/// The most leaves of one report: it is stored with its run, in an item of 400 KB at most.
pub const LEAF_LIMIT: usize = 2000;

/// The most bytes that a report takes where it is stored with its run.
pub const STORED_LIMIT: usize = 128 * 1024;

/// The most metrics kept from one report: they are stored with the run, whose item is bounded.
pub const METRICS_LIMIT: usize = 200;

/// A report that was read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report(BTreeMap<String, Found>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Found {
    Number(Finite),
    Other(String),
}

/// The numbers of a report, by path.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Metrics(BTreeMap<String, Finite>);

impl Metrics {
    /// The metric, if the report had it.
    #[must_use]
    pub fn get(&self, path: &MetricPath) -> Option<Finite> {
        self.0.get(path.as_str()).copied()
    }

    /// All of them, in order of their paths.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Finite)> {
        self.0.iter().map(|(path, value)| (path.as_str(), *value))
    }
}

/// Why a report could not be read as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("the evaluation report cannot be read: {0}")]
pub struct UnreadableReport(pub String);

impl Report {
    /// Reads a report and keeps its numeric leaves. A leaf named `value`, as in SageMaker's
    /// `{"accuracy": {"value": 0.97, "standard_deviation": 0.01}}`, also counts under its parent's path. What lies under a
    /// path of more than [`METRIC_PATH_LIMIT`] bytes is left out: no gate can ask for it.
    ///
    /// # Errors
    /// Not JSON (Python's `NaN` and `Infinity` are not), not an object, larger than [`REPORT_LIMIT`],
    /// [`LEAF_LIMIT`] or [`STORED_LIMIT`].
    pub fn parse(bytes: &[u8]) -> Result<Self, UnreadableReport> {
        if bytes.len() > REPORT_LIMIT {
            return Err(UnreadableReport(format!("it has {} bytes, and {REPORT_LIMIT} are accepted", bytes.len())));
        }
        let value: Value = serde_json::from_slice(bytes)
            .map_err(|error| UnreadableReport(format!("it is not JSON: {}", error.to_string().to_lowercase())))?;
        let Value::Object(object) = value else {
            return Err(UnreadableReport("it is not a JSON object".to_owned()));
        };
        let mut leaves = BTreeMap::new();
        for (name, value) in &object {
            walk(name, value, &mut leaves);
        }
        if leaves.len() > LEAF_LIMIT {
            return Err(UnreadableReport(format!("it has more than {LEAF_LIMIT} values, and so many are accepted")));
        }
        let stored = serde_json::to_string(&leaves).map_or(usize::MAX, |text| text.len());
        if stored > STORED_LIMIT {
            return Err(UnreadableReport(format!(
                "its values with their names take {stored} bytes, and {STORED_LIMIT} are accepted"
            )));
        }
        Ok(Self(leaves))
    }

    /// The metric at a path.
    ///
    /// # Errors
    /// In words: it is missing, or is no number.
    pub fn metric(&self, path: &MetricPath) -> Result<Finite, String> {
        match self.0.get(path.as_str()) {
            Some(Found::Number(value)) => Ok(*value),
            Some(Found::Other(found)) => Err(format!("{path} is {found}, not a finite number")),
            None => Err(format!("{path} is missing from the evaluation report")),
        }
    }

    /// The numbers, at most [`METRICS_LIMIT`] of them; those that the gate asks for come first, since the next model is
    /// compared by them.
    #[must_use]
    pub fn metrics(&self, gate: Option<&Gate>) -> Metrics {
        let asked = gate.map_or(&[][..], Gate::criteria).iter().map(Criterion::metric);
        let asked = asked.filter_map(|path| Some((path.as_str().to_owned(), self.metric(path).ok()?)));
        let mut metrics: BTreeMap<String, Finite> = asked.collect();
        for (path, found) in &self.0 {
            if let Found::Number(value) = found
                && metrics.len() < METRICS_LIMIT
            {
                metrics.insert(path.clone(), *value);
            }
        }
        Metrics(metrics)
    }
}

// serde_json bounds the depth at 128, so this recursion is bounded too. Without a bound on the path, a long name with
// many leaves below it would be kept for each of them.
fn walk(path: &str, value: &Value, leaves: &mut BTreeMap<String, Found>) {
    if path.len() > METRIC_PATH_LIMIT || leaves.len() > LEAF_LIMIT {
        return;
    }
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if name == "value" {
                    leaves.insert(path.to_owned(), leaf(member));
                }
                walk(&format!("{path}.{name}"), member, leaves);
            }
        }
        // Curves and confusion matrices given as lists are not metrics a gate can ask for.
        Value::Array(_) => {}
        _ => {
            leaves.entry(path.to_owned()).or_insert_with(|| leaf(value));
        }
    }
}

fn leaf(value: &Value) -> Found {
    match value.as_f64().and_then(Finite::new) {
        Some(number) => Found::Number(number),
        None => {
            let text: String = value.to_string().chars().take(60).collect();
            Found::Other(format!("`{text}`"))
        }
    }
}
