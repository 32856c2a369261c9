//! Domains and profiles.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Reply, State};

const PAGE: usize = 2;

#[derive(Clone, Debug, Default)]
pub(in super::super) struct UserProfile {
    pub(in super::super) tags: BTreeMap<String, String>,
    pub(in super::super) settings: Value,
    pub(in super::super) status: String,
    /// Looks until it is in service.
    pub(in super::super) looks: u32,
}

pub(super) fn answer(state: &mut State, operation: &str, ask: &Value) -> Reply {
    let name = ask["UserProfileName"].as_str().unwrap_or_default().to_owned();
    let known = |state: &State| state.domains.iter().any(|(_, id)| ask["DomainId"] == id.as_str());
    match operation {
        "ListDomains" => {
            let from: usize = ask["NextToken"].as_str().map_or(0, |token| token.parse().unwrap());
            let page = state.domains.iter().skip(from).take(PAGE);
            let page: Vec<Value> = page.map(|(name, id)| json!({ "DomainName": name, "DomainId": id })).collect();
            let more = from + PAGE < state.domains.len();
            let next = if more { json!((from + PAGE).to_string()) } else { Value::Null };
            Reply::json(&json!({ "Domains": page, "NextToken": next }))
        }
        _ if operation != "ListTags" && !known(state) => Reply::error(400, "ResourceNotFound"),
        "DescribeUserProfile" if state.hidden > 0 => {
            state.hidden -= 1;
            Reply::error(400, "ResourceNotFound")
        }
        "DescribeUserProfile" => match state.profiles.get_mut(&name) {
            None => Reply::error(400, "ResourceNotFound"),
            Some(profile) => {
                if profile.looks > 0 {
                    profile.looks -= 1;
                } else if ["Pending", "Updating"].contains(&&*profile.status) {
                    profile.status = "InService".to_owned();
                }
                Reply::json(&json!({
                    "UserProfileArn": format!("arn:aws:sagemaker:eu-west-1:123456789012:user-profile/d-1/{name}"),
                    "Status": profile.status, "UserSettings": profile.settings, "FailureReason": "it is so",
                }))
            }
        },
        "CreateUserProfile" => {
            if state.profiles.contains_key(&name) {
                return Reply::error(400, "ResourceInUse");
            }
            let tags = ask["Tags"].as_array().unwrap().iter();
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let profile = UserProfile {
                tags: tags.map(|tag| (text(&tag["Key"]), text(&tag["Value"]))).collect(),
                settings: ask["UserSettings"].clone(),
                status: "Pending".to_owned(),
                looks: state.looks,
            };
            state.profiles.insert(name, profile);
            Reply::json(&json!({}))
        }
        "UpdateUserProfile" => {
            let looks = state.looks;
            let Some(profile) = state.profiles.get_mut(&name) else { return Reply::error(400, "ResourceNotFound") };
            profile.settings["ExecutionRole"] = ask["UserSettings"]["ExecutionRole"].clone();
            (profile.status, profile.looks) = ("Updating".to_owned(), looks);
            Reply::json(&json!({}))
        }
        "ListTags" => {
            // In pages of five.
            let name = ask["ResourceArn"].as_str().unwrap().rsplit('/').next().unwrap();
            let Some(profile) = state.profiles.get(name) else { return Reply::error(400, "ResourceNotFound") };
            let from: usize = ask["NextToken"].as_str().map_or(0, |token| token.parse().unwrap());
            let tags: Vec<Value> = profile
                .tags
                .iter()
                .skip(from)
                .take(5)
                .map(|(key, value)| json!({ "Key": key, "Value": value }))
                .collect();
            let next = if from + 5 < profile.tags.len() { json!((from + 5).to_string()) } else { Value::Null };
            Reply::json(&json!({ "Tags": tags, "NextToken": next }))
        }
        "CreatePresignedDomainUrl" => match state.profiles.get(&name) {
            Some(profile) if profile.status == "InService" => {
                state.urls += 1;
                let url = format!("https://d-1.studio.eu-west-1.sagemaker.aws/auth?token=presigned-{}", state.urls);
                Reply::json(&json!({ "AuthorizedUrl": url }))
            }
            _ => Reply::error(400, "ResourceNotFound"),
        },
        other => panic!("sagemaker.{other} is not asked"),
    }
}
