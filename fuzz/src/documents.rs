//! What people and their scripts write: `pipeline.yaml`, a stored pipeline, an evaluation report.

use serde_json::Value;
use statemachine::config::{Errors, FILE_LIMIT, PROBLEM_LIMIT, Pipeline};
use statemachine::definition::{CodeLocation, DEFINITION_LIMIT, Environment, render};
use statemachine::gate::{
    AgainstChampion, Comparison, Criterion, Direction, Finite, Gate, METRICS_LIMIT, MetricPath, REPORT_LIMIT, Report,
    STORED_LIMIT, Threshold,
};

/// `pipeline.yaml`: refused with a bounded answer, or read, stored and read again as the same, and rendered the same
/// twice.
pub fn pipeline_yaml(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match Pipeline::parse("pipeline.yaml", &text, &|_| true) {
        Err(errors) => told(&errors),
        Ok(pipeline) => {
            assert!(text.len() <= FILE_LIMIT);
            accepted(&pipeline);
        }
    }
}

/// A pipeline as the ledger holds it.
pub fn stored_pipeline(data: &[u8]) {
    let Ok(value) = serde_json::from_slice::<Value>(data) else { return };
    match Pipeline::from_json(&value) {
        Err(errors) => told(&errors),
        Ok(pipeline) => accepted(&pipeline),
    }
}

fn accepted(pipeline: &Pipeline) {
    let again = Pipeline::from_json(&pipeline.to_json());
    assert_eq!(again.as_ref(), Ok(pipeline));
    if let Ok(definition) = render(pipeline, &environment()) {
        assert!(definition.body.len() <= DEFINITION_LIMIT);
        assert_eq!(render(pipeline, &environment()), Ok(definition));
    }
}

/// Where every definition here is rendered for.
pub fn environment() -> Environment {
    let code = CodeLocation::new("0".repeat(64)).expect("a hash");
    let role = "arn:aws:iam::000000000000:role/tidegate-job";
    Environment::new("000000000000", "us-east-1", "tidegate-data", role, code).expect("an environment")
}

/// Errors are few, short, and safe to show on a terminal.
fn told(errors: &Errors) {
    assert!((1..=PROBLEM_LIMIT + 1).contains(&errors.count()), "{} problems", errors.count());
    for error in errors {
        assert!(error.message.len() <= 10_000, "a message of {} bytes", error.message.len());
        assert!(error.key.len() <= 20_000, "a key of {} bytes", error.key.len());
        assert!(!error.message.chars().any(char::is_control), "{:?}", error.message);
    }
}

/// An evaluation report: whatever passes the gate has a finite number that satisfies it, at the place that the gate
/// names.
pub fn evaluation(data: &[u8]) {
    let report = Report::parse(data);
    for (path, comparison, bound) in GATES {
        let metric = MetricPath::new(*path).expect("a path");
        let value = Finite::new(*bound).expect("a number");
        let criterion = Criterion::new(metric, Some(Threshold { comparison: *comparison, value }), None);
        let gate = Gate::new(vec![criterion.expect("a criterion")]).expect("a gate");
        let decision = gate.decide(&report, None);
        assert!(decision.summary().len() <= 4096, "{} bytes", decision.summary().len());
        if decision.passed {
            assert!(data.len() <= REPORT_LIMIT);
            let document: Value = serde_json::from_slice(data).expect("what passed is JSON");
            let holds = |number: f64| match comparison {
                Comparison::AtLeast => number >= *bound,
                Comparison::Above => number > *bound,
                Comparison::AtMost => number <= *bound,
                Comparison::Below => number < *bound,
            };
            assert!(numbers(&document, path).into_iter().any(|number| number.is_finite() && holds(number)), "{path}");
        }
    }
    let Ok(read) = &report else { return };
    let stored = serde_json::to_string(read).expect("a report is JSON");
    assert!(stored.len() <= STORED_LIMIT, "{} bytes are stored", stored.len());
    assert_eq!(serde_json::from_str::<Report>(&stored).expect("what is stored is read"), *read);
    let gate = against_champion();
    let metrics = read.metrics(Some(&gate));
    assert!(metrics.iter().count() <= METRICS_LIMIT);
    let itself = gate.decide(&report, Some(&metrics));
    let number = read.metric(gate.criteria()[0].metric());
    assert_eq!(itself.passed, number.is_ok(), "no model is worse than itself: {}", itself.summary());
}

const GATES: &[(&str, Comparison, f64)] = &[
    ("accuracy", Comparison::AtLeast, 0.9),
    ("loss", Comparison::Below, 0.1),
    ("binary_classification_metrics.auc", Comparison::Above, 0.5),
    ("regression_metrics.rmse", Comparison::AtMost, -1.0),
];

fn against_champion() -> Gate {
    let zero = Finite::new(0.0).expect("a number");
    let against = AgainstChampion::new(zero, Direction::Higher).expect("a tolerance");
    let metric = MetricPath::new("accuracy").expect("a path");
    Gate::new(vec![Criterion::new(metric, None, Some(against)).expect("a criterion")]).expect("a gate")
}

/// Every number that a document has under a path, or as `value` beneath it, by another way than the gate's.
fn numbers(value: &Value, path: &str) -> Vec<f64> {
    let Value::Object(members) = value else { return Vec::new() };
    let mut found = Vec::new();
    for (name, member) in members {
        if name == path {
            found.extend(member.as_f64());
            found.extend(member.get("value").and_then(Value::as_f64));
        }
        if let Some(rest) = path.strip_prefix(name.as_str()).and_then(|rest| rest.strip_prefix('.')) {
            found.extend(numbers(member, rest));
        }
    }
    found
}
