use serde_json::json;

use super::*;
use crate::api::Code;
use crate::engine::testing::{engine, folder};

#[tokio::test]
async fn profile_names_are_not_case_sensitive() {
    let folder = folder();
    let engine = engine(&folder.0);
    let (id, _) = domain(&engine, wanted("team")).await;
    let profile = |name: &str| json!({"DomainId": id, "UserProfileName": name});
    let made = engine.call("CreateUserProfile", profile("Ana")).await.unwrap();
    assert_eq!(
        made["UserProfileArn"],
        format!("arn:aws:sagemaker:us-east-1:000000000000:user-profile/{id}/ana").as_str()
    );
    assert_eq!(refused(&engine, "CreateUserProfile", profile("ANA")).await.0, Code::ResourceInUse);
    let told = engine.call("DescribeUserProfile", profile("ana")).await.unwrap();
    assert_eq!((&told["UserProfileName"], &told["Status"]), (&json!("Ana"), &json!("Pending")));
    settle(&engine);
    engine.call("CreateUserProfile", profile("ben")).await.unwrap();
    let uids = [
        &engine.call("DescribeUserProfile", profile("ana")).await.unwrap(),
        &engine.call("DescribeUserProfile", profile("ben")).await.unwrap(),
    ]
    .map(|told| told["HomeEfsFileSystemUid"].clone());
    assert_eq!(uids, [json!("200005"), json!("200010")]);
    let tag = json!({"ResourceArn": made["UserProfileArn"], "Tags": [{"Key": "studiouserid", "Value": "ana"}]});
    engine.call("AddTags", tag).await.unwrap();
}

#[tokio::test]
async fn only_a_domain_of_identity_center_takes_its_users() {
    let folder = folder();
    let engine = engine(&folder.0);
    let mut sso = wanted("sso");
    sso["AuthMode"] = json!("SSO");
    let (iam, _) = domain(&engine, wanted("iam")).await;
    let (sso, _) = domain(&engine, sso).await;
    let plain = |id: &str| json!({"DomainId": id, "UserProfileName": "ana"});
    let named = |id: &str| json!({"DomainId": id, "UserProfileName": "ana", "SingleSignOnUserIdentifier": "UserName", "SingleSignOnUserValue": "ana@example.org"});
    assert_eq!(refused(&engine, "CreateUserProfile", named(&iam)).await.0, Code::Validation);
    assert_eq!(refused(&engine, "CreateUserProfile", plain(&sso)).await.0, Code::Validation);
    engine.call("CreateUserProfile", plain(&iam)).await.unwrap();
    engine.call("CreateUserProfile", named(&sso)).await.unwrap();
    let told = engine.call("DescribeUserProfile", plain(&sso)).await.unwrap();
    assert_eq!(told["SingleSignOnUserValue"], "ana@example.org");
    let listed = |request: Value| {
        let engine = &engine;
        async move { engine.call("ListUserProfiles", request).await.unwrap()["UserProfiles"].as_array().unwrap().len() }
    };
    assert_eq!(listed(json!({})).await, 2);
    assert_eq!(listed(json!({"DomainIdEquals": iam})).await, 1);
    assert_eq!(listed(json!({"UserProfileNameContains": "AN"})).await, 2);
    assert_eq!(listed(json!({"UserProfileNameContains": "x"})).await, 0);
}

#[tokio::test]
async fn a_domain_that_is_not_ready_takes_no_profile() {
    let folder = folder();
    let engine = engine(&folder.0);
    let made = engine.call("CreateDomain", wanted("team")).await.unwrap();
    let profile = json!({"DomainId": made["DomainId"], "UserProfileName": "ana"});
    assert_eq!(refused(&engine, "CreateUserProfile", profile).await.0, Code::ResourceInUse);
    let nowhere = json!({"DomainId": "d-nowhere", "UserProfileName": "ana"});
    assert_eq!(refused(&engine, "CreateUserProfile", nowhere).await.0, Code::ResourceNotFound);
}

#[tokio::test]
async fn an_update_changes_what_it_names() {
    let folder = folder();
    let engine = engine(&folder.0);
    let (id, _) = domain(&engine, wanted("team")).await;
    let ana = json!({"DomainId": id, "UserProfileName": "ana"});
    let made = engine.call(
        "CreateUserProfile",
        json!({"DomainId": id, "UserProfileName": "ana",
        "UserSettings": {"ExecutionRole": "arn:aws:iam::000000000000:role/old", "SecurityGroups": ["sg-1"]}}),
    );
    let made = made.await.unwrap();
    let change = json!({"DomainId": id, "UserProfileName": "ANA",
        "UserSettings": {"ExecutionRole": "arn:aws:iam::000000000000:role/new"}});
    assert_eq!(refused(&engine, "UpdateUserProfile", change.clone()).await.0, Code::ResourceInUse, "while it is made");
    settle(&engine);
    assert_eq!(engine.call("UpdateUserProfile", change.clone()).await.unwrap(), made);
    let told = engine.call("DescribeUserProfile", ana.clone()).await.unwrap();
    assert_eq!(told["Status"], "Updating");
    assert_eq!(
        told["UserSettings"],
        json!({"ExecutionRole": "arn:aws:iam::000000000000:role/new", "SecurityGroups": ["sg-1"]})
    );
    assert_eq!(refused(&engine, "UpdateUserProfile", change).await.0, Code::ResourceInUse, "while it is changed");
    settle(&engine);
    assert_eq!(engine.call("DescribeUserProfile", ana).await.unwrap()["Status"], "InService");
    let nobody = json!({"DomainId": id, "UserProfileName": "nobody"});
    assert_eq!(refused(&engine, "UpdateUserProfile", nobody).await.0, Code::ResourceNotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_make_one_profile_at_once_one_does() {
    let folder = folder();
    let engine = engine(&folder.0);
    let (id, _) = domain(&engine, wanted("team")).await;
    let tries = (0..16).map(|_| {
        let (engine, request) = (Arc::clone(&engine), json!({"DomainId": id, "UserProfileName": "ana"}));
        tokio::spawn(async move { engine.call("CreateUserProfile", request).await })
    });
    let mut made = 0;
    for outcome in futures::future::join_all(tries).await {
        match outcome.unwrap() {
            Ok(_) => made += 1,
            Err(error) => {
                let taken = arn(&format!("user-profile/{id}/ana"));
                assert_eq!(error.to_string(), format!("ResourceInUse: UserProfile [{taken}] already exists."));
            }
        }
    }
    assert_eq!(made, 1);
}

#[tokio::test]
async fn profiles_are_listed_in_pages() {
    let folder = folder();
    let engine = engine(&folder.0);
    let id = team(&engine).await;
    for name in ["carl", "dora", "eve"] {
        done(&engine, "CreateUserProfile", json!({"DomainId": id, "UserProfileName": name})).await;
    }
    let request = json!({"DomainIdEquals": id});
    let pages = paged(&engine, "ListUserProfiles", "UserProfiles", request.clone()).await;
    let names: Vec<&str> = pages.iter().flatten().map(|each| each["UserProfileName"].as_str().unwrap()).collect();
    assert_eq!((pages.len(), names), (3, vec!["ana", "ben", "carl", "dora", "eve"]));
    refuses_foreign_tokens(&engine, "ListUserProfiles", request, json!({})).await;
    // Changed last, listed last.
    done(&engine, "UpdateUserProfile", json!({"DomainId": id, "UserProfileName": "ana"})).await;
    let latest = json!({"SortBy": "LastModifiedTime", "SortOrder": "Descending", "MaxResults": 1});
    assert_eq!(engine.call("ListUserProfiles", latest).await.unwrap()["UserProfiles"][0]["UserProfileName"], "ana");
}
