//! Results of earlier executions that a step can take over.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::definition::StepKind;
use super::record::{Execution, StepRecord, StepStatus};

/// The hash of what a step is asked to do. As in SageMaker it covers the resolved arguments and not the content of what
/// they name: an object changed under the same key still hits.
pub(super) fn key(kind: StepKind, arguments: &Value) -> String {
    let mut hash = Sha256::new();
    hash.update(kind.name());
    feed(arguments, &mut hash);
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The order of an object's members does not matter.
fn feed(value: &Value, hash: &mut Sha256) {
    match value {
        Value::Object(object) => {
            let mut names: Vec<&String> = object.keys().collect();
            names.sort();
            hash.update(b"{");
            for name in names {
                hash.update(Value::from(name.as_str()).to_string());
                if let Some(member) = object.get(name) {
                    feed(member, hash);
                }
            }
            hash.update(b"}");
        }
        Value::Array(list) => {
            hash.update(b"[");
            list.iter().for_each(|element| feed(element, hash));
            hash.update(b"]");
        }
        plain => {
            hash.update(plain.to_string());
            hash.update(b",");
        }
    }
}

/// The latest step of this name in `executions` that succeeded by itself with the same key, not longer ago than `age`.
pub(super) fn find<'a>(
    executions: &'a [Execution],
    name: &str,
    key: &str,
    age: Duration,
    now: Timestamp,
) -> Option<(&'a Execution, &'a StepRecord)> {
    let fresh = |ended: Timestamp| {
        let passed = Duration::try_from(now.duration_since(ended)).unwrap_or(Duration::ZERO);
        passed <= age
    };
    executions
        .iter()
        .filter_map(|execution| {
            let step = execution.step(name)?;
            let usable = step.status == StepStatus::Succeeded
                && step.cache_hit.is_none()
                && step.cache_key.as_deref() == Some(key)
                && step.ended.is_some_and(fresh);
            usable.then_some((execution, step))
        })
        .max_by_key(|(_, step)| step.ended)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use serde_json::json;

    use super::super::record::tests::execution;
    use super::*;

    #[test]
    fn the_key_is_of_the_content() {
        let one = key(StepKind::Training, &json!({"a": 1, "b": [1, "x"]}));
        assert_eq!(one, key(StepKind::Training, &json!({"b": [1, "x"], "a": 1})));
        assert_ne!(one, key(StepKind::Processing, &json!({"a": 1, "b": [1, "x"]})));
        assert_ne!(one, key(StepKind::Training, &json!({"a": 1, "b": ["x", 1]})));
        assert_ne!(key(StepKind::Training, &json!([1, 2])), key(StepKind::Training, &json!([12])));
    }

    #[test]
    fn only_a_fresh_success_of_its_own_hits() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut source = execution();
        let mut step = StepRecord::new("s", StepKind::Training, at(10));
        step.cache_key = Some("k".into());
        step.status = StepStatus::Succeeded;
        step.ended = Some(at(100));
        source.steps.push(step);
        let hit = |execution: &Execution, name: &str, key: &str, age: u64| {
            find(std::slice::from_ref(execution), name, key, Duration::from_secs(age), at(160)).is_some()
        };
        assert!(hit(&source, "s", "k", 60));
        assert!(hit(&source, "s", "k", u64::MAX));
        assert!(!hit(&source, "s", "k", 59));
        assert!(!hit(&source, "s", "other", 60));
        assert!(!hit(&source, "t", "k", 60));
        let mut failed = source.clone();
        failed.steps[0].status = StepStatus::Failed;
        assert!(!hit(&failed, "s", "k", 60));
        let mut taken = source;
        taken.steps[0].cache_hit = Some("x".into());
        assert!(!hit(&taken, "s", "k", 60));
    }
}
