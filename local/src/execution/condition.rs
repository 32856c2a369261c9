//! Conditions of a `Condition` step, on resolved values.

use std::cmp::Ordering;

use serde_json::Value;

/// The condition types that the definition schema knows.
pub const TYPES: &[&str] =
    &["Equals", "GreaterThan", "GreaterThanOrEqualTo", "In", "LessThan", "LessThanOrEqualTo", "Not", "Or"];

/// Checks the form of one condition, before any value is known.
///
/// # Errors
/// A sentence on what is missing or unknown.
pub fn check(condition: &Value) -> Result<(), String> {
    let kind = kind(condition)?;
    match kind {
        "In" => {
            member(condition, kind, "QueryValue")?;
            list(condition, kind, "Values").map(drop)
        }
        "Not" => check(inner(condition)?),
        "Or" => list(condition, kind, "Conditions")?.iter().try_for_each(check),
        kind if TYPES.contains(&kind) => {
            member(condition, kind, "LeftValue")?;
            member(condition, kind, "RightValue").map(drop)
        }
        unknown => Err(format!("unknown condition type `{unknown}`; accepted are {}", TYPES.join(", "))),
    }
}

/// Whether all conditions hold; true when there are none.
///
/// # Errors
/// A sentence on values that cannot be compared.
pub fn all(conditions: &[Value]) -> Result<bool, String> {
    for condition in conditions {
        if !holds(condition)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn holds(condition: &Value) -> Result<bool, String> {
    let kind = kind(condition)?;
    match kind {
        "In" => {
            let wanted = member(condition, kind, "QueryValue")?;
            Ok(list(condition, kind, "Values")?.iter().any(|value| equal(wanted, value)))
        }
        "Not" => holds(inner(condition)?).map(|holds| !holds),
        "Or" => {
            for condition in list(condition, kind, "Conditions")? {
                if holds(condition)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        _ => {
            let left = member(condition, kind, "LeftValue")?;
            let right = member(condition, kind, "RightValue")?;
            match kind {
                "Equals" => Ok(equal(left, right)),
                "GreaterThan" => order(left, right).map(Ordering::is_gt),
                "GreaterThanOrEqualTo" => order(left, right).map(Ordering::is_ge),
                "LessThan" => order(left, right).map(Ordering::is_lt),
                "LessThanOrEqualTo" => order(left, right).map(Ordering::is_le),
                unknown => Err(format!("unknown condition type `{unknown}`; accepted are {}", TYPES.join(", "))),
            }
        }
    }
}

fn kind(condition: &Value) -> Result<&str, String> {
    condition.get("Type").and_then(Value::as_str).ok_or_else(|| "a condition needs a `Type`".to_owned())
}

fn member<'a>(condition: &'a Value, kind: &str, name: &str) -> Result<&'a Value, String> {
    condition.get(name).ok_or_else(|| format!("a condition of type `{kind}` needs `{name}`"))
}

fn list<'a>(condition: &'a Value, kind: &str, name: &str) -> Result<&'a Vec<Value>, String> {
    let list = member(condition, kind, name)?;
    list.as_array().ok_or_else(|| format!("`{name}` of a condition of type `{kind}` must be a list"))
}

/// The SageMaker Python SDK writes `Expression`, the published schema `Condition`.
fn inner(condition: &Value) -> Result<&Value, String> {
    let inner = condition.get("Expression").or_else(|| condition.get("Condition"));
    inner.ok_or_else(|| "a condition of type `Not` needs `Expression`".to_owned())
}

fn equal(left: &Value, right: &Value) -> bool {
    match (left.as_f64(), right.as_f64()) {
        (Some(left), Some(right)) => left == right,
        _ => left == right,
    }
}

fn order(left: &Value, right: &Value) -> Result<Ordering, String> {
    let ordering = match (left, right) {
        (Value::Number(left), Value::Number(right)) => match (left.as_i64(), right.as_i64()) {
            (Some(left), Some(right)) => Some(left.cmp(&right)),
            _ => left.as_f64().and_then(|left| left.partial_cmp(&right.as_f64()?)),
        },
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        _ => None,
    };
    ordering.ok_or_else(|| format!("`{left}` and `{right}` cannot be put in order; give two numbers or two strings"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn compare(kind: &str, left: Value, right: Value) -> Result<bool, String> {
        all(&[json!({"Type": kind, "LeftValue": left, "RightValue": right})])
    }

    #[test]
    fn comparisons() {
        for (kind, less, same, more) in [
            ("Equals", false, true, false),
            ("GreaterThan", false, false, true),
            ("GreaterThanOrEqualTo", false, true, true),
            ("LessThan", true, false, false),
            ("LessThanOrEqualTo", true, true, false),
        ] {
            assert_eq!(compare(kind, json!(1), json!(1.5)), Ok(less), "{kind}");
            assert_eq!(compare(kind, json!(2), json!(2.0)), Ok(same), "{kind}");
            assert_eq!(compare(kind, json!(3), json!(2)), Ok(more), "{kind}");
        }
        assert_eq!(compare("Equals", json!("a"), json!("a")), Ok(true));
        assert_eq!(compare("Equals", json!("1"), json!(1)), Ok(false));
        assert!(compare("GreaterThan", json!("1"), json!(0)).is_err());
        assert!(compare("GreaterThan", json!(null), json!(0)).is_err());
    }

    #[test]
    fn combinations() {
        let yes = json!({"Type": "Equals", "LeftValue": 1, "RightValue": 1});
        let no = json!({"Type": "Not", "Expression": yes});
        assert_eq!(all(&[]), Ok(true));
        assert_eq!(all(&[yes.clone(), no.clone()]), Ok(false));
        assert_eq!(all(&[json!({"Type": "Or", "Conditions": [no, yes]})]), Ok(true));
        assert_eq!(all(&[json!({"Type": "Or", "Conditions": [no]})]), Ok(false));
        assert_eq!(all(&[json!({"Type": "Not", "Condition": no})]), Ok(true));
        assert_eq!(all(&[json!({"Type": "In", "QueryValue": "b", "Values": ["a", "b"]})]), Ok(true));
        assert_eq!(all(&[json!({"Type": "In", "QueryValue": "b", "Values": []})]), Ok(false));
    }

    #[test]
    fn the_form_is_checked_without_values() {
        assert!(check(&json!({"Type": "Equals", "LeftValue": {"Get": "Parameters.X"}, "RightValue": 1})).is_ok());
        assert!(check(&json!({"Type": "Equal", "LeftValue": 1, "RightValue": 1})).unwrap_err().contains("`Equal`"));
        assert!(check(&json!({"Type": "Or", "Conditions": [{"Type": "In", "Values": []}]})).is_err());
        assert!(check(&json!({})).is_err());
    }
}
