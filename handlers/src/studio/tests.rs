#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use serde_json::json;

use super::*;
use crate::cloudformation::testing::answer_to;
use crate::effects::testing::Fake;

/// A request as CloudFormation makes it (User Guide, "Custom resource request objects").
fn request(kind: &str, id: Option<&str>, new: &Value, old: Option<&Value>) -> Value {
    let mut request = json!({
        "RequestType": kind,
        "ServiceToken": "arn:aws:lambda:eu-west-1:123456789012:function:tidegate-studio-resource",
        "ResponseURL": "https://cloudformation-custom-resource-response-euwest1.s3-eu-west-1.amazonaws.com/arn%3Aaws?X",
        "StackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/TidegateStudio-team/51af3dc0-da77-11e4",
        "RequestId": "5a7d4f0b-5a3a-4f29-a7a1-4a8a4d5e6f70",
        "LogicalResourceId": "Guard",
        "ResourceType": GUARD,
        "ResourceProperties": new,
    });
    if let Some(id) = id {
        request["PhysicalResourceId"] = json!(id);
    }
    if let Some(old) = old {
        request["OldResourceProperties"] = old.clone();
    }
    request
}

/// The settings of a domain, as CloudFormation sends them: scalars as strings, the service token among them.
fn settings(change: Value) -> Value {
    let mut settings = json!({
        "ServiceToken": "arn:aws:lambda:eu-west-1:123456789012:function:tidegate-studio-resource",
        "ServiceTimeout": "60",
        "AllowReplacement": "false",
        "DomainName": "team",
        "AuthMode": "IAM",
        "VpcId": "vpc-0123456789abcdef0",
        "SubnetIds": ["subnet-a", "subnet-b"],
        "KmsKeyId": "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    });
    for (name, value) in change.as_object().unwrap() {
        match value {
            Value::Null => drop(settings.as_object_mut().unwrap().shift_remove(name)),
            value => settings[name.as_str()] = value.clone(),
        }
    }
    settings
}

/// What CloudFormation keeps of a guard.
struct Stack {
    id: String,
    properties: Value,
}

fn ask(kind: &str, id: Option<&str>, new: &Value, old: Option<&Value>) -> Value {
    let envelope = Envelope::parse(&request(kind, id, new, old)).unwrap();
    serde_json::from_str(&guard::answer(&envelope).body(&envelope)).unwrap()
}

impl Stack {
    fn create(properties: Value) -> Self {
        let answer = ask("Create", None, &properties, None);
        assert_eq!(answer["Status"], "SUCCESS");
        Self { id: answer["PhysicalResourceId"].as_str().unwrap().to_owned(), properties }
    }

    fn send(&self, new: &Value, old: &Value) -> Value {
        ask("Update", Some(&self.id), new, Some(old))
    }

    /// The user's update; after a refusal CloudFormation rolls it back.
    fn update(&mut self, new: Value) -> Result<(), String> {
        let answer = self.send(&new, &self.properties);
        let id = answer["PhysicalResourceId"].as_str().unwrap();
        if answer["Status"] == "SUCCESS" {
            (self.id, self.properties) = (id.to_owned(), new);
            return Ok(());
        }
        assert_eq!(id, self.id, "a refusal keeps the id");
        let back = self.send(&self.properties, &new);
        assert_eq!(back["Status"], "SUCCESS", "the rollback is stuck: {back}");
        assert_eq!(back["PhysicalResourceId"], self.id.as_str());
        Err(answer["Reason"].as_str().unwrap().to_owned())
    }

    /// An update that the guard lets through, and that fails elsewhere.
    fn update_that_fails_elsewhere(&mut self, new: &Value) {
        let answer = self.send(new, &self.properties);
        assert_eq!(answer["Status"], "SUCCESS", "{answer}");
        let there = Self { id: answer["PhysicalResourceId"].as_str().unwrap().to_owned(), properties: new.clone() };
        // Under the id that was answered, or under the one of before: both are taken back.
        for id in [&there.id, &self.id] {
            let back = ask("Update", Some(id), &self.properties, Some(new));
            assert_eq!(back["Status"], "SUCCESS", "the rollback is stuck: {back}");
        }
        let back = there.send(&self.properties, new);
        self.id = back["PhysicalResourceId"].as_str().unwrap().to_owned();
    }
}

#[test]
fn b12_a_change_that_would_replace_the_domain_is_refused_with_what_differs_and_what_to_do() {
    let mut stack = Stack::create(settings(json!({})));
    let reason = stack
        .update(settings(
            json!({"AuthMode": "SSO", "SubnetIds": ["subnet-a", "subnet-c"], "KmsKeyId": null, "Tag": "x"}),
        ))
        .unwrap_err();
    assert_eq!(
        reason,
        "CloudFormation would replace this Studio domain, and its user profiles, spaces and apps with it: make a new domain \
         under another name, or set `allowReplacement: true` in the domain's file. What differs: `AuthMode` is `IAM` and \
         would become `SSO`; `KmsKeyId` is `arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab` and \
         would become not set; `SubnetIds` is `[\"subnet-a\",\"subnet-b\"]` and would become `[\"subnet-a\",\"subnet-c\"]`; \
         `Tag` is not set and would become `x`"
    );
}

#[test]
fn b12_what_is_no_setting_may_change() {
    let mut stack = Stack::create(settings(json!({})));
    let id = stack.id.clone();
    for change in [
        json!({"ServiceToken": "arn:aws:lambda:eu-west-1:123456789012:function:another"}),
        json!({"ServiceTimeout": "120"}),
        json!({"AllowReplacement": "true"}),
        json!({"AllowReplacement": null}),
        json!({}),
    ] {
        stack.update(settings(change)).unwrap();
        assert_eq!(stack.id, id, "CloudFormation would take another id for another guard");
    }
}

#[test]
fn b12_a_change_is_let_through_when_replacement_is_allowed_and_only_then() {
    let mut stack = Stack::create(settings(json!({})));
    for allow in [json!("false"), json!(""), json!("yes"), Value::Null] {
        assert!(stack.update(settings(json!({"AuthMode": "SSO", "AllowReplacement": allow}))).is_err());
    }
    for (allow, mode) in [(json!("true"), "SSO"), (json!(true), "IAM")] {
        stack.update(settings(json!({"AuthMode": mode, "AllowReplacement": allow}))).unwrap();
    }
    // Allowed once is not allowed for ever.
    stack.update(settings(json!({}))).unwrap();
    assert!(stack.update(settings(json!({"AuthMode": "SSO"}))).is_err());
}

#[test]
fn b12_a_rollback_succeeds_whatever_failed() {
    let mut stack = Stack::create(settings(json!({})));
    let replaced = settings(json!({"AuthMode": "SSO", "AllowReplacement": "true"}));
    stack.update_that_fails_elsewhere(&replaced);
    stack.update_that_fails_elsewhere(&settings(json!({"ServiceTimeout": "99"})));
    // The guard guards on: `update` itself rolls each refusal back, also twice.
    for _ in 0..2 {
        assert!(stack.update(settings(json!({"AuthMode": "SSO"}))).is_err());
    }
    stack.update(replaced.clone()).unwrap();
    // From one allowed replacement to another, which fails elsewhere.
    stack.update_that_fails_elsewhere(&settings(json!({"VpcId": "vpc-b", "AllowReplacement": "true"})));
    stack.update(replaced).unwrap();
}

#[test]
fn b12_leave_given_once_does_not_hold_for_another_change_that_takes_it_back() {
    let mut stack = Stack::create(settings(json!({})));
    stack.update(settings(json!({"AuthMode": "SSO", "AllowReplacement": "true"}))).unwrap();
    assert!(stack.update(settings(json!({"AuthMode": "SSO", "VpcId": "vpc-b"}))).is_err());
}

#[test]
fn b12_values_count_and_not_their_form() {
    let old = settings(json!({"Size": "5", "On": "true", "Deep": {"a": "1", "b": ["x"]}}));
    let mut stack = Stack::create(old);
    stack.update(settings(json!({"Size": 5, "On": true, "Deep": {"b": ["x"], "a": 1}}))).unwrap();
    // The order of a list is something to CloudFormation.
    assert!(stack.update(settings(json!({"Size": 5, "On": true, "Deep": {"b": ["y"], "a": 1}}))).is_err());
    let swapped = json!({"Size": 5, "On": true, "Deep": {"a": 1, "b": ["x"]}, "SubnetIds": ["subnet-b", "subnet-a"]});
    assert!(stack.update(settings(swapped)).is_err());
    // Nor are two lists of the same text the same.
    let mut lists = Stack::create(json!({"List": ["a,b"]}));
    assert!(lists.update(json!({"List": ["a", "b"]})).is_err());
    assert!(lists.update(json!({"List": "[\"a,b\"]x"})).is_err());
}

#[test]
fn b12_a_guard_under_another_s_id_still_guards() {
    let (old, new) = (settings(json!({})), settings(json!({"AuthMode": "SSO"})));
    for id in ["Guard-123", "tidegate-studio-guard/", "tidegate-studio-guard/xyz", "tidegate-not-made"] {
        assert_eq!(ask("Update", Some(id), &new, Some(&old))["Status"], "FAILED", "{id}");
        assert_eq!(ask("Update", Some(id), &old, Some(&old))["Status"], "SUCCESS", "{id}");
    }
}

#[test]
fn b12_deletion_succeeds_under_any_id() {
    for id in ["tidegate-studio-guard/0123", "tidegate-not-made"] {
        let answer = ask("Delete", Some(id), &settings(json!({})), None);
        assert_eq!((&answer["Status"], &answer["PhysicalResourceId"]), (&json!("SUCCESS"), &json!(id)));
    }
}

#[test]
fn b12_what_to_do_is_told_however_much_differs() {
    let many: serde_json::Map<String, Value> =
        (0..60).map(|number| (format!("Setting{number}"), json!("\"x\"".repeat(60)))).collect();
    let mut stack = Stack::create(settings(json!({})));
    let reason = stack.update(settings(Value::Object(many))).unwrap_err();
    assert!(
        reason.contains("set `allowReplacement: true` in the domain's file. What differs: `Setting0` is"),
        "{reason}"
    );
}

#[tokio::test]
async fn b12_cloudformation_is_answered() {
    let handle = |event| handle(Arc::new(Fake::new([]).aws()), event);
    let refused = request(
        "Update",
        Some("tidegate-studio-guard/0123"),
        &settings(json!({"AuthMode": "SSO"})),
        Some(&settings(json!({}))),
    );
    assert_eq!(answer_to(refused, handle).await["Status"], "FAILED");
    let created = request("Create", None, &settings(json!({})), None);
    assert_eq!(answer_to(created, handle).await["Status"], "SUCCESS");
    let mut other = request("Create", None, &json!({}), None);
    other["ResourceType"] = json!("Custom::TidegateSettings");
    let answer = answer_to(other, handle).await;
    assert_eq!(answer["Status"], "FAILED");
    let accepted = "`Custom::TidegateStudioGuard`, `Custom::TidegateStudioContents` and `Custom::TidegateStudioHomes`";
    assert_eq!(answer["Reason"], format!("`Custom::TidegateSettings` is not known: accepted are {accepted}"));
}
