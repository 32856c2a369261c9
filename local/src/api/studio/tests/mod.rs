mod apps;
mod domains;
mod lifecycle_configs;
mod profiles;
mod sign_in;
mod spaces;

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::life::Resource;
use super::{apps::App, domains::Domain, profiles::Profile, spaces::Space};
use crate::api::{Code, Error};
use crate::engine::Engine;

fn wanted(name: &str) -> Value {
    json!({"DomainName": name, "AuthMode": "IAM", "VpcId": "vpc-1", "SubnetIds": ["subnet-a"], "KmsKeyId": "k-1",
        "AppNetworkAccessType": "VpcOnly", "DefaultUserSettings": {"ExecutionRole": "arn:aws:iam::000000000000:role/r"},
        "Tags": [{"Key": "Team", "Value": "blue"}]})
}

/// As if whatever is under way were done.
fn settle(engine: &Engine) {
    fn all<T: Resource>(engine: &Engine) {
        for mut resource in engine.store.list::<T>().unwrap() {
            if resource.life().until > engine.now() {
                resource.life_mut().until = Timestamp::now();
                engine.store.put(&resource.key(), &resource).unwrap();
            }
        }
    }
    all::<Domain>(engine);
    all::<Profile>(engine);
    all::<Space>(engine);
    all::<App>(engine);
}

async fn domain(engine: &Arc<Engine>, request: Value) -> (String, String) {
    let made = done(engine, "CreateDomain", request).await;
    (made["DomainId"].as_str().unwrap().to_owned(), made["DomainArn"].as_str().unwrap().to_owned())
}

/// An operation, and whatever it has begun to its end.
async fn done(engine: &Arc<Engine>, operation: &str, request: Value) -> Value {
    let answer = engine.call(operation, request).await.unwrap();
    settle(engine);
    answer
}

async fn refused(engine: &Arc<Engine>, operation: &str, request: Value) -> (Code, String) {
    let error = engine.call(operation, request).await.unwrap_err();
    (error.code, error.message)
}

/// A domain in service with the profiles `ana` and `ben`.
async fn team(engine: &Arc<Engine>) -> String {
    let (id, _) = domain(engine, wanted("team")).await;
    for name in ["ana", "ben"] {
        done(engine, "CreateUserProfile", json!({"DomainId": id, "UserProfileName": name})).await;
    }
    id
}

/// The request for a private JupyterLab space of `ana`.
fn private(domain: &str, name: &str) -> Value {
    json!({"DomainId": domain, "SpaceName": name, "SpaceSettings": {"AppType": "JupyterLab"},
        "OwnershipSettings": {"OwnerUserProfileName": "ana"}, "SpaceSharingSettings": {"SharingType": "Private"}})
}

fn arn(path: &str) -> String {
    format!("arn:aws:sagemaker:us-east-1:000000000000:{path}")
}

/// What every page of a listing holds, asked for two at a time.
async fn paged(engine: &Arc<Engine>, operation: &str, member: &str, mut request: Value) -> Vec<Vec<Value>> {
    let mut pages = Vec::new();
    request["MaxResults"] = json!(2);
    loop {
        let page = engine.call(operation, request.clone()).await.unwrap();
        pages.push(page[member].as_array().unwrap().clone());
        match page.get("NextToken") {
            Some(token) => request["NextToken"] = token.clone(),
            None => return pages,
        }
    }
}

/// A token of one listing is no token of another.
async fn refuses_foreign_tokens(engine: &Arc<Engine>, operation: &str, request: Value, other: Value) {
    let ask = |mut request: Value, token: Value| {
        request["MaxResults"] = json!(1);
        request["NextToken"] = token;
        request
    };
    let mut first = request;
    first["MaxResults"] = json!(1);
    let token = engine.call(operation, first).await.unwrap()["NextToken"].clone();
    assert!(token.is_string());
    let error: Error = engine.call(operation, ask(other, token)).await.unwrap_err();
    assert_eq!((error.code, error.message.as_str()), (Code::Validation, "Invalid NextToken."));
}
