//! The gate: whether a model may go live, decided on its own metrics, and told in words.
//!
//! It fails closed: a metric that is missing, not a number, or in a report that cannot be read fails the gate. Nothing
//! here reads a file or a clock; a decision follows from its arguments alone.

mod report;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use report::{LEAF_LIMIT, METRICS_LIMIT, Metrics, REPORT_LIMIT, Report, STORED_LIMIT, UnreadableReport};

/// A number that is neither infinite nor NaN.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Finite(f64);

impl Finite {
    /// `None` for NaN and the infinities.
    #[must_use]
    pub fn new(value: f64) -> Option<Self> {
        value.is_finite().then_some(Self(value))
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Finite {
    type Error = String;

    fn try_from(value: f64) -> Result<Self, Self::Error> {
        Self::new(value).ok_or_else(|| format!("`{value}` is not a finite number"))
    }
}

impl From<Finite> for f64 {
    fn from(value: Finite) -> Self {
        value.0
    }
}

impl fmt::Display for Finite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `+ 0.0` makes -0 read as 0.
        write!(f, "{}", self.0 + 0.0)
    }
}

/// A dotted path to a metric in the evaluation report, such as `binary_classification_metrics.auc`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MetricPath(String);

/// The longest metric path, in bytes.
pub const METRIC_PATH_LIMIT: usize = 256;

impl MetricPath {
    /// Takes segments of letters, digits, `_`, `-`, `@`, joined by single dots; 256 bytes at most.
    ///
    /// # Errors
    /// Says what is wrong with the path.
    pub fn new(path: impl Into<String>) -> Result<Self, GateError> {
        let path = path.into();
        let good = !path.is_empty()
            && path.len() <= METRIC_PATH_LIMIT
            && path.split('.').all(|segment| {
                !segment.is_empty()
                    && segment.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '@'))
            });
        if good { Ok(Self(path)) } else { Err(GateError::Path(path)) }
    }

    /// The path as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for MetricPath {
    type Error = GateError;

    fn try_from(value: String) -> Result<Self, Self::Error> {
        Self::new(value)
    }
}

impl From<MetricPath> for String {
    fn from(value: MetricPath) -> Self {
        value.0
    }
}

impl fmt::Display for MetricPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a metric is held against a fixed number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// `value ≥ threshold`
    AtLeast,
    /// `value > threshold`
    Above,
    /// `value ≤ threshold`
    AtMost,
    /// `value < threshold`
    Below,
}

impl Comparison {
    /// Every comparison, in the order in which they are listed to people.
    pub const ALL: [Self; 4] = [Self::AtLeast, Self::Above, Self::AtMost, Self::Below];

    /// The key of `pipeline.yaml`.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::AtLeast => "at_least",
            Self::Above => "above",
            Self::AtMost => "at_most",
            Self::Below => "below",
        }
    }

    /// Which way is better, if this is what is asked.
    #[must_use]
    pub fn direction(self) -> Direction {
        match self {
            Self::AtLeast | Self::Above => Direction::Higher,
            Self::AtMost | Self::Below => Direction::Lower,
        }
    }

    fn holds(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::AtLeast => value >= threshold,
            Self::Above => value > threshold,
            Self::AtMost => value <= threshold,
            Self::Below => value < threshold,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::AtLeast => "at least",
            Self::Above => "above",
            Self::AtMost => "at most",
            Self::Below => "below",
        }
    }
}

/// Which way a metric is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Accuracy, AUC.
    Higher,
    /// Error, loss, latency.
    Lower,
}

/// A fixed bound.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// How the value is compared.
    pub comparison: Comparison,
    /// With what.
    pub value: Finite,
}

/// A bound relative to the live model: not worse by more than the tolerance.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawAgainstChampion")]
pub struct AgainstChampion {
    tolerance: Finite,
    better: Direction,
}

#[derive(Deserialize)]
struct RawAgainstChampion {
    tolerance: Finite,
    better: Direction,
}

impl TryFrom<RawAgainstChampion> for AgainstChampion {
    type Error = GateError;

    fn try_from(raw: RawAgainstChampion) -> Result<Self, Self::Error> {
        Self::new(raw.tolerance, raw.better)
    }
}

impl AgainstChampion {
    /// # Errors
    /// A negative tolerance.
    pub fn new(tolerance: Finite, better: Direction) -> Result<Self, GateError> {
        if tolerance.get() < 0.0 {
            return Err(GateError::NegativeTolerance(tolerance));
        }
        Ok(Self { tolerance, better })
    }

    /// How much worse than the live model is still accepted; 0 or more, in the metric's own unit.
    #[must_use]
    pub fn tolerance(self) -> Finite {
        self.tolerance
    }

    /// Which way is better.
    #[must_use]
    pub fn better(self) -> Direction {
        self.better
    }

    fn holds(self, value: f64, champion: f64) -> bool {
        match self.better {
            Direction::Higher => value >= champion - self.tolerance.0,
            Direction::Lower => value <= champion + self.tolerance.0,
        }
    }
}

/// One demand of the gate on one metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawCriterion")]
pub struct Criterion {
    metric: MetricPath,
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold: Option<Threshold>,
    #[serde(skip_serializing_if = "Option::is_none")]
    champion: Option<AgainstChampion>,
}

#[derive(Deserialize)]
struct RawCriterion {
    metric: MetricPath,
    #[serde(default)]
    threshold: Option<Threshold>,
    #[serde(default)]
    champion: Option<AgainstChampion>,
}

impl TryFrom<RawCriterion> for Criterion {
    type Error = GateError;

    fn try_from(raw: RawCriterion) -> Result<Self, Self::Error> {
        Self::new(raw.metric, raw.threshold, raw.champion)
    }
}

impl Criterion {
    /// # Errors
    /// A criterion that demands nothing.
    pub fn new(
        metric: MetricPath,
        threshold: Option<Threshold>,
        champion: Option<AgainstChampion>,
    ) -> Result<Self, GateError> {
        if threshold.is_none() && champion.is_none() {
            return Err(GateError::NothingDemanded(metric));
        }
        Ok(Self { metric, threshold, champion })
    }

    /// The metric it is about.
    #[must_use]
    pub fn metric(&self) -> &MetricPath {
        &self.metric
    }

    /// The fixed bound, if any.
    #[must_use]
    pub fn threshold(&self) -> Option<Threshold> {
        self.threshold
    }

    /// The bound against the live model, if any.
    #[must_use]
    pub fn champion(&self) -> Option<AgainstChampion> {
        self.champion
    }
}

/// All that a model must satisfy; never empty.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Criterion>", into = "Vec<Criterion>")]
pub struct Gate(Vec<Criterion>);

impl Gate {
    /// # Errors
    /// No criterion at all: a gate that everything passes is no gate.
    pub fn new(criteria: Vec<Criterion>) -> Result<Self, GateError> {
        if criteria.is_empty() { Err(GateError::Empty) } else { Ok(Self(criteria)) }
    }

    /// The demands, in the order of `pipeline.yaml`.
    #[must_use]
    pub fn criteria(&self) -> &[Criterion] {
        &self.0
    }

    /// Decides. `champion` is the live model's metrics, `None` when nothing is live.
    #[must_use]
    pub fn decide(&self, report: &Result<Report, UnreadableReport>, champion: Option<&Metrics>) -> GateDecision {
        let checks: Vec<Check> = match report {
            Ok(report) => self.0.iter().map(|criterion| check(criterion, report, champion)).collect(),
            Err(why) => vec![Check { metric: None, value: None, passed: false, explanation: why.to_string() }],
        };
        GateDecision { passed: checks.iter().all(|check| check.passed), checks }
    }
}

impl TryFrom<Vec<Criterion>> for Gate {
    type Error = GateError;

    fn try_from(value: Vec<Criterion>) -> Result<Self, Self::Error> {
        Self::new(value)
    }
}

impl From<Gate> for Vec<Criterion> {
    fn from(value: Gate) -> Self {
        value.0
    }
}

fn check(criterion: &Criterion, report: &Report, champion: Option<&Metrics>) -> Check {
    let metric = &criterion.metric;
    let value = match report.metric(metric) {
        Ok(value) => value,
        Err(why) => {
            return Check { metric: Some(metric.clone()), value: None, passed: false, explanation: why };
        }
    };
    let mut passed = true;
    let mut parts = Vec::with_capacity(2);
    if let Some(Threshold { comparison, value: bound }) = criterion.threshold {
        let holds = comparison.holds(value.get(), bound.get());
        passed &= holds;
        let verb = if holds { "is" } else { "is not" };
        parts.push(format!("{verb} {} {bound}", comparison.words()));
    }
    if let Some(against) = criterion.champion {
        match champion.map(|metrics| metrics.get(metric)) {
            None => parts.push("there is no live model to compare with".to_owned()),
            Some(None) => {
                passed = false;
                parts.push("the live model's report has no such metric to compare with".to_owned());
            }
            Some(Some(live)) => {
                let holds = against.holds(value.get(), live.get());
                passed &= holds;
                let verb = if holds { "is not worse" } else { "is worse" };
                let than = format!("{verb} than the live model's {live} by more than {}", against.tolerance);
                parts.push(than);
            }
        }
    }
    Check {
        metric: Some(metric.clone()),
        value: Some(value),
        passed,
        explanation: format!("{metric} = {value}: {}", parts.join(", and ")),
    }
}

/// The outcome for one criterion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// `None` when the report as a whole could not be read.
    pub metric: Option<MetricPath>,
    /// What the report says; `None` when it is missing or no number.
    pub value: Option<Finite>,
    /// Whether the demand is met.
    pub passed: bool,
    /// The same in words.
    pub explanation: String,
}

/// What the gate decided, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GateDecision {
    /// Every check passed.
    pub passed: bool,
    /// One for each criterion, in order.
    pub checks: Vec<Check>,
}

impl GateDecision {
    /// One sentence: what failed, or that all held.
    #[must_use]
    pub fn summary(&self) -> String {
        let told: Vec<&str> =
            self.checks.iter().filter(|check| check.passed == self.passed).map(|check| &*check.explanation).collect();
        format!("gate {}: {}", if self.passed { "passed" } else { "failed" }, told.join("; "))
    }
}

/// Why a gate cannot be built.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum GateError {
    /// The metric path is malformed.
    #[error("`{0}` is not a metric path: accepted are names of letters, digits, `_`, `-` and `@`, joined by dots")]
    Path(String),
    /// A tolerance below zero.
    #[error("`{0}` is not a tolerance: accepted is a number of 0 or more")]
    NegativeTolerance(Finite),
    /// Neither a threshold nor a comparison with the live model.
    #[error("the criterion on `{0}` demands nothing: give a bound (at_least, above, at_most, below) or `champion`")]
    NothingDemanded(MetricPath),
    /// No criterion.
    #[error("a gate needs at least one criterion")]
    Empty,
}

#[cfg(test)]
mod tests;
