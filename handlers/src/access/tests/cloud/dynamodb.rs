//! One table, with the two conditions that the store asks for.

use serde_json::{Value, json};

use super::{Reply, State};

pub(super) fn answer(state: &mut State, operation: &str, ask: &Value) -> Reply {
    assert_eq!(ask["TableName"], "tidegate-access");
    let failed = || Reply::error(400, "ConditionalCheckFailedException");
    match operation {
        "PutItem" => {
            assert_eq!(ask["ConditionExpression"], "attribute_not_exists(pk)");
            let key = ask["Item"]["pk"]["S"].as_str().unwrap().to_owned();
            assert!(ask["Item"]["expires"]["N"].is_string(), "{ask}");
            if state.items.contains_key(&key) {
                return failed();
            }
            state.items.insert(key, ask["Item"].clone());
            Reply::json(&json!({}))
        }
        "DeleteItem" => {
            assert_eq!(ask["ConditionExpression"], "attribute_exists(pk) AND expires > :now");
            let now = number(&ask["ExpressionAttributeValues"][":now"]);
            let key = ask["Key"]["pk"]["S"].as_str().unwrap();
            if state.items.get(key).is_none_or(|item| number(&item["expires"]) <= now) {
                return failed();
            }
            let old = state.items.remove(key).unwrap();
            Reply::json(&if ask["ReturnValues"] == "ALL_OLD" { json!({ "Attributes": old }) } else { json!({}) })
        }
        other => panic!("dynamodb.{other} is not asked"),
    }
}

fn number(value: &Value) -> i64 {
    value["N"].as_str().unwrap().parse().unwrap()
}
