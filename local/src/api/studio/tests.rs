use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::domains::Domain;
use super::profiles::Profile;
use crate::api::{Code, Error};
use crate::engine::Engine;
use crate::engine::testing::{engine, folder};

fn wanted(name: &str) -> Value {
    json!({"DomainName": name, "AuthMode": "IAM", "VpcId": "vpc-1", "SubnetIds": ["subnet-a"], "KmsKeyId": "k-1",
        "AppNetworkAccessType": "VpcOnly", "DefaultUserSettings": {"ExecutionRole": "arn:aws:iam::000000000000:role/r"},
        "Tags": [{"Key": "Team", "Value": "blue"}]})
}

/// As if whatever is under way were done.
fn settle(engine: &Engine) {
    for domain in engine.store.list::<Domain>().unwrap() {
        let past = |domain: &mut Domain| -> Result<(), Error> {
            domain.life.until = Timestamp::UNIX_EPOCH;
            Ok(())
        };
        engine.store.update(&domain.id, past).unwrap();
    }
    for mut profile in engine.store.list::<Profile>().unwrap() {
        profile.life_mut().until = Timestamp::UNIX_EPOCH;
        let value = serde_json::to_value(&profile).unwrap();
        let key = format!("{}/{}", value["domain"].as_str().unwrap(), value["name"].as_str().unwrap().to_lowercase());
        engine.store.put(&key, &profile).unwrap();
    }
}

async fn domain(engine: &Arc<Engine>, request: Value) -> (String, String) {
    let made = engine.call("CreateDomain", request).await.unwrap();
    settle(engine);
    (made["DomainId"].as_str().unwrap().to_owned(), made["DomainArn"].as_str().unwrap().to_owned())
}

async fn refused(engine: &Arc<Engine>, operation: &str, request: Value) -> (Code, String) {
    let error = engine.call(operation, request).await.unwrap_err();
    (error.code, error.message)
}

#[tokio::test]
async fn a_domain_is_pending_then_in_service_and_tells_what_it_was_made_with() {
    let folder = folder();
    let engine = engine(&folder.0);
    let made = engine.call("CreateDomain", wanted("team")).await.unwrap();
    let id = json!({"DomainId": made["DomainId"]});
    assert_eq!(
        made["DomainArn"],
        format!("arn:aws:sagemaker:us-east-1:000000000000:domain/{}", made["DomainId"].as_str().unwrap())
    );
    assert_eq!(engine.call("DescribeDomain", id.clone()).await.unwrap()["Status"], "Pending");
    settle(&engine);
    let told = engine.call("DescribeDomain", id.clone()).await.unwrap();
    for (member, value) in [
        ("Status", "InService"),
        ("DomainName", "team"),
        ("AuthMode", "IAM"),
        ("VpcId", "vpc-1"),
        ("KmsKeyId", "k-1"),
        ("AppNetworkAccessType", "VpcOnly"),
    ] {
        assert_eq!(told[member], value, "{member}");
    }
    assert!(told["HomeEfsFileSystemId"].as_str().unwrap().starts_with("fs-") && told.get("Tags").is_none());
    let tags = engine.call("ListTags", json!({"ResourceArn": made["DomainArn"]})).await.unwrap();
    assert_eq!(tags["Tags"], json!([{"Key": "Team", "Value": "blue"}]));
}

#[tokio::test]
async fn it_survives_a_restart() {
    let folder = folder();
    let (id, arn) = domain(&engine(&folder.0), wanted("team")).await;
    let engine = engine(&folder.0);
    assert_eq!(engine.call("DescribeDomain", json!({"DomainId": id})).await.unwrap()["DomainArn"], arn.as_str());
}

#[tokio::test]
async fn a_domain_without_a_network_is_refused() {
    let folder = folder();
    let engine = engine(&folder.0);
    for member in ["VpcId", "SubnetIds"] {
        let mut request = wanted("team");
        request.as_object_mut().unwrap().remove(member);
        assert_eq!(refused(&engine, "CreateDomain", request).await.0, Code::Validation, "{member}");
    }
}

#[tokio::test]
async fn domains_are_listed_in_pages_of_ten() {
    let folder = folder();
    let engine = engine(&folder.0);
    for number in 0..23 {
        domain(&engine, wanted(&format!("team-{number}"))).await;
    }
    let mut names = Vec::new();
    let (mut request, mut pages) = (json!({}), 0);
    loop {
        let page = engine.call("ListDomains", request.clone()).await.unwrap();
        let domains = page["Domains"].as_array().unwrap().clone();
        names.extend(domains.iter().map(|domain| domain["DomainName"].as_str().unwrap().to_owned()));
        pages += 1;
        if page["NextToken"].is_null() {
            break;
        }
        request["NextToken"] = page["NextToken"].clone();
    }
    assert_eq!((pages, names.len()), (3, 23));
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 23);
}

#[tokio::test]
async fn what_can_be_changed_is_changed_and_the_vpc_is_not() {
    let folder = folder();
    let engine = engine(&folder.0);
    let (id, arn) = domain(&engine, wanted("team")).await;
    let change = json!({"DomainId": id, "SubnetIds": ["subnet-a", "subnet-b"], "VpcId": "vpc-1",
        "DomainSettingsForUpdate": {"SecurityGroupIds": ["sg-1"], "RStudioServerProDomainSettingsForUpdate": {"a": "b"}}});
    assert_eq!(engine.call("UpdateDomain", change.clone()).await.unwrap()["DomainArn"], arn.as_str());
    let told = engine.call("DescribeDomain", json!({"DomainId": id})).await.unwrap();
    assert_eq!((&told["Status"], &told["SubnetIds"]), (&json!("Updating"), &json!(["subnet-a", "subnet-b"])));
    assert_eq!(
        told["DomainSettings"],
        json!({"SecurityGroupIds": ["sg-1"], "RStudioServerProDomainSettings": {"a": "b"}})
    );
    assert_eq!(refused(&engine, "UpdateDomain", change).await.0, Code::ResourceInUse, "while it is updated");
    settle(&engine);
    let (code, message) = refused(&engine, "UpdateDomain", json!({"DomainId": id, "VpcId": "vpc-2"})).await;
    assert_eq!((code, message), (Code::Validation, format!("The VpcId of the Domain [{arn}] can not be updated.")));
    let off = json!({"DomainId": id, "HomeEfsFileSystemCreation": "Disabled"});
    assert_eq!(refused(&engine, "UpdateDomain", off).await.0, Code::Validation);
    assert_eq!(
        engine.call("DescribeDomain", json!({"DomainId": id})).await.unwrap()["VpcId"],
        "vpc-1",
        "a refusal changes nothing"
    );
}

#[tokio::test]
async fn a_domain_goes_after_its_profiles() {
    let folder = folder();
    let engine = engine(&folder.0);
    let (id, arn) = domain(&engine, wanted("team")).await;
    let ana = json!({"DomainId": id, "UserProfileName": "ana"});
    engine.call("CreateUserProfile", ana.clone()).await.unwrap();
    settle(&engine);
    let delete = json!({"DomainId": id});
    assert_eq!(
        refused(&engine, "DeleteDomain", delete.clone()).await,
        (
            Code::ResourceInUse,
            format!("Unable to delete Domain [{arn}] because UserProfile(s) are associated with it.")
        )
    );
    engine.call("DeleteUserProfile", ana.clone()).await.unwrap();
    assert_eq!(engine.call("DescribeUserProfile", ana.clone()).await.unwrap()["Status"], "Deleting");
    settle(&engine);
    assert_eq!(refused(&engine, "DescribeUserProfile", ana).await.0, Code::ResourceNotFound);
    engine.call("DeleteDomain", delete.clone()).await.unwrap();
    settle(&engine);
    assert_eq!(
        refused(&engine, "DescribeDomain", delete).await,
        (Code::ResourceNotFound, format!("Domain [{id}] does not exist."))
    );
    assert_eq!(engine.call("ListDomains", json!({})).await.unwrap()["Domains"], json!([]));
    assert_eq!(refused(&engine, "ListTags", json!({"ResourceArn": arn})).await.0, Code::ResourceNotFound);
}

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
