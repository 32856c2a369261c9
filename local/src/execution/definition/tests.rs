#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use serde_json::{Value, json};

use super::*;

fn step(name: &str, kind: &str, arguments: Value) -> Value {
    json!({"Name": name, "Type": kind, "Arguments": arguments})
}

fn parse(parameters: Value, steps: Value) -> Result<Definition, String> {
    Definition::parse(&json!({"Version": "2020-12-01", "Parameters": parameters, "Steps": steps}).to_string())
}

#[test]
fn a_whole_definition_is_read() {
    let definition = parse(
        json!([
            {"Name": "Input", "Type": "String"},
            {"Name": "Count", "Type": "Integer", "DefaultValue": 1, "EnumValues": [1, 2]},
        ]),
        json!([
            {
                "Name": "p", "Type": "Processing", "DisplayName": "Prepare",
                "Arguments": {"ProcessingOutputConfig": {"Outputs": [{"OutputName": "o"}]}, "N": {"Get": "Parameters.Count"}},
                "PropertyFiles": [{"PropertyFileName": "r", "OutputName": "o", "FilePath": "r.json"}],
                "CacheConfig": {"Enabled": true, "ExpireAfter": "P1DT1H"},
                "RetryPolicies": [
                    {"ExceptionType": ["Step.SERVICE_FAULT"], "IntervalSeconds": 2, "BackoffRate": 1.5, "MaxAttempts": 3},
                    {"ExceptionType": ["SageMaker.CAPACITY_ERROR"], "ExpireAfterMin": 2},
                ],
            },
            step("c", "Condition", json!({
                "Conditions": [{"Type": "GreaterThan", "LeftValue": {"Std:JsonGet": {"PropertyFile":
                    {"Get": "Steps.p.PropertyFiles.r"}, "Path": "a"}}, "RightValue": 0.5}],
                "IfSteps": [step("t", "Training", json!({"X": {"Get": "Parameters.Input"}}))],
                "ElseSteps": [{"Name": "f", "Type": "Fail"}],
            })),
        ]),
    )
    .unwrap();
    assert_eq!(definition.parameters[1].kind, ParameterKind::Integer);
    let names: Vec<&str> = definition.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(names, ["p", "c", "t", "f"]);
    let p = definition.step("p").unwrap();
    assert_eq!(p.cache, Some(Duration::from_secs(25 * 3600)));
    assert_eq!(p.retries[0].limit, RetryLimit::Attempts(3));
    assert_eq!(p.retries[1].limit, RetryLimit::Within(Duration::from_secs(120)));
    assert_eq!(p.retries[1].backoff, 2.0);
    assert_eq!(definition.graph.after("c").collect::<Vec<_>>(), ["p"]);
    assert_eq!(definition.step("t").unwrap().branch, Some(("c".to_owned(), true)));
    assert_eq!(definition.step("c").unwrap().arguments.as_object().unwrap().len(), 1);
}

#[test]
fn what_is_wrong_is_named() {
    let t = |arguments: Value| json!([step("t", "Training", arguments)]);
    for (parameters, steps, expected) in [
        (json!([]), json!([]), "at least one step"),
        (json!({}), t(json!({})), "Expecting start of Json Array"),
        (json!([]), json!([step("a", "Tuning", json!({}))]), "unknown type `Tuning`"),
        (json!([]), json!([step("a b", "Training", json!({}))]), "Step name `a b`"),
        (json!([]), json!([step("a", "Fail", json!({})), step("a", "Fail", json!({}))]), "Duplicate step name `a`"),
        (json!([]), json!([{"Name": "t", "Type": "Training"}]), "needs `Arguments`"),
        (
            json!([]),
            json!([{"Name": "t", "Type": "Training", "Arguments": {}, "Depends": []}]),
            "unknown member `Depends`",
        ),
        (json!([]), t(json!({"A": {"Get": "Parameters.X"}})), "unknown parameter `X`"),
        (json!([]), t(json!({"A": {"Get": "Steps.x.A"}})), "unknown step `x`"),
        (json!([]), t(json!({"A": {"Get": "Execution.Nope"}})), "unknown execution variable `Nope`"),
        (json!([]), t(json!({"A": {"Get": "X"}})), "`X` cannot be read"),
        (json!([]), t(json!({"A": {"Get": "Steps.t.A"}})), "Cyclic dependency between the steps `t`"),
        (
            json!([]),
            json!([{"Name": "t", "Type": "Training", "Arguments": {}, "DependsOn": ["u"]}]),
            "unknown step `u`",
        ),
        (
            json!([]),
            json!([{"Name": "t", "Type": "Training", "Arguments": {}, "RetryPolicies":
                [{"ExceptionType": ["Step.SERVICE_FAULT"], "MaxAttempts": 1, "ExpireAfterMin": 1}]}]),
            "not both",
        ),
        (
            json!([]),
            json!([{"Name": "t", "Type": "Training", "Arguments": {}, "CacheConfig": {"Enabled": true, "ExpireAfter": "1h"}}]),
            "ISO 8601",
        ),
        (json!([{"Name": "A", "Type": "Integer", "DefaultValue": "x"}]), t(json!({})), "cannot be `\"x\"`"),
        (json!([{"Name": "A", "Type": "Text"}]), t(json!({})), "unknown type `Text`"),
        (
            json!([{"Name": "A", "Type": "String", "DefaultValue": "x", "EnumValues": ["y"]}]),
            t(json!({})),
            "accepted are \"y\"",
        ),
    ] {
        let message = parse(parameters, steps).unwrap_err();
        assert!(message.starts_with("Unable to parse pipeline definition. "), "{message}");
        assert!(message.contains(expected), "{message} does not contain {expected}");
    }
    assert!(Definition::parse("{").is_err());
    assert!(Definition::parse("[]").unwrap_err().contains("Expecting start of Json Object"));
    assert!(Definition::parse(r#"{"Version":"2021","Steps":[]}"#).unwrap_err().contains("2020-12-01"));
}

#[test]
fn a_starts_text_becomes_a_typed_value() {
    let definition = parse(
        json!([
            {"Name": "S", "Type": "String"}, {"Name": "I", "Type": "Integer"}, {"Name": "F", "Type": "Float"},
            {"Name": "B", "Type": "Boolean"}, {"Name": "E", "Type": "String", "EnumValues": ["a"]},
        ]),
        json!([{"Name": "f", "Type": "Fail"}]),
    )
    .unwrap();
    let value = |index: usize, text: &str| definition.parameters[index].value_of(text);
    assert_eq!(value(0, "1"), Ok(json!("1")));
    assert_eq!(value(1, "1"), Ok(json!(1)));
    assert_eq!(value(2, "1.5"), Ok(json!(1.5)));
    assert_eq!(value(3, "True"), Ok(json!(true)));
    for (index, text) in [(1, "1.5"), (1, "x"), (2, "NaN"), (3, "yes"), (4, "b")] {
        assert!(value(index, text).is_err(), "{text}");
    }
}
