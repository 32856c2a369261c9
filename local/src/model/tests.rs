#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;
use crate::api::Code;

fn model() -> ServiceModel {
    let text = json!({
        "operations": {"Make": {"input": {"shape": "MakeRequest"}}, "Other": {"input": {"shape": "Unreached"}}},
        "shapes": {
            "MakeRequest": {"type": "structure", "required": ["Name"], "members": {
                "Name": {"shape": "Name"}, "Token": {"shape": "Token"}, "Count": {"shape": "Count"},
                "Order": {"shape": "Order"}, "Tags": {"shape": "Tags"}, "Env": {"shape": "Env"},
                "Subnets": {"shape": "Subnets"}, "When": {"shape": "When"}, "Choice": {"shape": "Choice"},
                "Secret": {"shape": "Secret"}}},
            "Name": {"type": "string", "max": 8, "pattern": "[a-zA-Z0-9](-*[a-zA-Z0-9]){0,255}"},
            "Token": {"type": "string", "min": 3, "max": 5},
            "Count": {"type": "integer", "min": 1, "max": 100},
            "Order": {"type": "string", "enum": ["Ascending", "Descending"]},
            "Tags": {"type": "list", "max": 2, "member": {"shape": "Tag"}},
            "Tag": {"type": "structure", "required": ["Key"], "members": {"Key": {"shape": "Token"}}},
            "Env": {"type": "map", "key": {"shape": "Token"}, "value": {"shape": "Token"}},
            "Subnets": {"type": "list", "member": {"shape": "Token"}},
            "When": {"type": "timestamp"},
            "Choice": {"type": "structure", "union": true, "members": {"A": {"shape": "Count"}, "B": {"shape": "Count"}}},
            "Secret": {"type": "string", "max": 2, "sensitive": true},
            "Unreached": {"type": "structure", "members": {}}
        }
    });
    ServiceModel::parse(text.to_string().as_bytes(), ["Make"].into_iter()).unwrap()
}

fn refusal(request: &Value) -> String {
    let error = model().check("Make", request).unwrap_err();
    assert_eq!(error.code, Code::Validation);
    error.message
}

#[test]
fn a_good_request_passes_with_members_nobody_knows() {
    let request = json!({"Name": "a-1", "Token": "abc", "Count": 100, "Order": "Ascending", "Tags": [{"Key": "abc"}],
        "Env": {"abc": "abc"}, "Subnets": ["abc"], "When": 1.5, "Choice": {"A": 1}, "New": {"x": 1}});
    model().check("Make", &request).unwrap();
}

#[test]
fn only_what_the_operations_reach_is_kept() {
    let model = model();
    assert!(model.knows("Other") && !model.knows("None"));
    assert!(!model.shapes.contains_key("Unreached"));
}

#[test]
fn each_constraint_has_its_words() {
    let cases = [
        (json!({}), "Value null at 'name' failed to satisfy constraint: Member must not be null"),
        (json!({"Name": null}), "Value null at 'name' failed to satisfy constraint: Member must not be null"),
        (
            json!({"Name": "a b"}),
            "Value 'a b' at 'name' failed to satisfy constraint: Member must satisfy regular \
             expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,255}",
        ),
        (
            json!({"Name": "abcdefghi"}),
            "Value 'abcdefghi' at 'name' failed to satisfy constraint: Member must have \
             length less than or equal to 8",
        ),
        (
            json!({"Name": "a", "Token": "a"}),
            "Value 'a' at 'token' failed to satisfy constraint: Member must have \
             length greater than or equal to 3",
        ),
        (
            json!({"Name": "a", "Count": 101}),
            "Value '101' at 'count' failed to satisfy constraint: Member must have \
             value less than or equal to 100",
        ),
        (
            json!({"Name": "a", "Order": "Up"}),
            "Value 'Up' at 'order' failed to satisfy constraint: Member must satisfy \
             enum value set: [Ascending, Descending]",
        ),
        (
            json!({"Name": "a", "Tags": [{"Key": "abc"}, {}]}),
            "Value null at 'tags.2.member.key' failed to satisfy \
             constraint: Member must not be null",
        ),
        (
            json!({"Name": "a", "Subnets": ["x"]}),
            "Value '[x]' at 'subnets' failed to satisfy constraint: Member must \
             satisfy constraint: [Member must have length greater than or equal to 3]",
        ),
        (
            json!({"Name": "a", "Env": {"abc": "x"}}),
            "Value '{abc=x}' at 'env' failed to satisfy constraint: Map value \
             must satisfy constraint: [Member must have length greater than or equal to 3]",
        ),
        (
            json!({"Name": "a", "Env": {"x": "abc"}}),
            "Value '{x=abc}' at 'env' failed to satisfy constraint: Map keys \
             must satisfy constraint: [Member must have length greater than or equal to 3]",
        ),
        (
            json!({"Name": "a", "Choice": {"A": 1, "B": 1}}),
            "Value '{A=1, B=1}' at 'choice' failed to satisfy \
             constraint: Member must have exactly one of its fields set",
        ),
        (
            json!({"Name": "a", "Secret": "abc"}),
            "Value '***' at 'secret' failed to satisfy constraint: Member must have \
             length less than or equal to 2",
        ),
    ];
    for (request, message) in cases {
        assert_eq!(refusal(&request), format!("1 validation error detected: {message}"), "{request}");
    }
}

#[test]
fn all_faults_are_told_at_once() {
    let message = refusal(&json!({"Token": "abcdef", "Count": 0}));
    assert!(message.starts_with("3 validation errors detected: Value null at 'name'"), "{message}");
    assert!(message.contains("; Value 'abcdef' at 'token'") && message.contains("; Value '0' at 'count'"), "{message}");
}

#[test]
fn a_wrong_type_is_a_serialization_error() {
    for (request, message) in [
        (json!({"Name": 1}), "NUMBER_VALUE can not be converted to String"),
        (json!({"Name": "a", "Count": "1"}), "STRING_VALUE can not be converted to Integer"),
        (json!({"Name": "a", "Tags": {"Key": "abc"}}), "START_OBJECT can not be converted to a list"),
        (json!([]), "START_ARRAY can not be converted to a structure"),
    ] {
        let error = model().check("Make", &request).unwrap_err();
        assert_eq!((error.code, error.message.as_str()), (Code::Serialization, message));
    }
}
