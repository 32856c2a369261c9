use serde_json::json;

use super::*;
use crate::engine::testing::{engine, folder};

#[tokio::test]
async fn a_space_is_pending_then_in_service_and_tells_what_it_was_made_with() {
    let folder = folder();
    let engine = engine(&folder.0);
    let id = team(&engine).await;
    let mut request = private(&id, "Lab-1");
    request["SpaceDisplayName"] = json!("Ana's lab");
    request["Tags"] = json!([{"Key": "k", "Value": "v"}]);
    request["SpaceSettings"]["SpaceStorageSettings"] = json!({"EbsStorageSettings": {"EbsVolumeSizeInGb": 5}});
    let made = engine.call("CreateSpace", request.clone()).await.unwrap();
    assert_eq!(made["SpaceArn"], arn(&format!("space/{id}/lab-1")));
    let named = json!({"DomainId": id, "SpaceName": "lab-1"});
    assert_eq!(engine.call("DescribeSpace", named.clone()).await.unwrap()["Status"], "Pending");
    settle(&engine);
    let told = engine.call("DescribeSpace", named).await.unwrap();
    assert_eq!((&told["Status"], &told["SpaceName"]), (&json!("InService"), &json!("Lab-1")));
    for member in ["SpaceSettings", "OwnershipSettings", "SpaceSharingSettings", "SpaceDisplayName"] {
        assert_eq!(told[member], request[member], "{member}");
    }
    let listed = engine.call("ListSpaces", json!({"DomainIdEquals": id})).await.unwrap()["Spaces"][0].clone();
    assert_eq!(listed["OwnershipSettingsSummary"]["OwnerUserProfileName"], "ana");
    assert_eq!(listed["SpaceSharingSettingsSummary"]["SharingType"], "Private");
    assert_eq!(listed["SpaceSettingsSummary"], request["SpaceSettings"]);
    assert!(listed.get("SpaceSettings").is_none() && listed.get("HomeEfsFileSystemUid").is_none());
    let tags = engine.call("ListTags", json!({"ResourceArn": made["SpaceArn"]})).await.unwrap();
    assert_eq!(tags["Tags"], request["Tags"]);
}

#[tokio::test]
async fn users_ids_of_profiles_and_spaces_are_never_given_twice() {
    let folder = folder();
    let engine = engine(&folder.0);
    let id = team(&engine).await;
    let uid = async |operation: &str, name: &str, value: &str| {
        let told = engine.call(operation, json!({"DomainId": id, name: value})).await.unwrap();
        told["HomeEfsFileSystemUid"].as_str().unwrap().to_owned()
    };
    done(&engine, "CreateSpace", private(&id, "lab")).await;
    assert_eq!(uid("DescribeUserProfile", "UserProfileName", "ana").await, "200005");
    assert_eq!(uid("DescribeUserProfile", "UserProfileName", "ben").await, "200010");
    assert_eq!(uid("DescribeSpace", "SpaceName", "lab").await, "200015");
    done(&engine, "DeleteSpace", json!({"DomainId": id, "SpaceName": "lab"})).await;
    done(&engine, "CreateSpace", private(&id, "lab")).await;
    assert_eq!(uid("DescribeSpace", "SpaceName", "lab").await, "200020");
    done(&engine, "DeleteUserProfile", json!({"DomainId": id, "UserProfileName": "ben"})).await;
    done(&engine, "CreateUserProfile", json!({"DomainId": id, "UserProfileName": "ben"})).await;
    assert_eq!(uid("DescribeUserProfile", "UserProfileName", "ben").await, "200025");
    // Another domain has a file system of its own.
    let (other, _) = domain(&engine, wanted("other")).await;
    done(&engine, "CreateUserProfile", json!({"DomainId": other, "UserProfileName": "ana"})).await;
    let ana = json!({"DomainId": other, "UserProfileName": "ana"});
    assert_eq!(engine.call("DescribeUserProfile", ana).await.unwrap()["HomeEfsFileSystemUid"], "200005");
}

#[tokio::test]
async fn a_private_space_has_settings_an_app_type_and_an_owner_who_is_there() {
    let folder = folder();
    let engine = engine(&folder.0);
    let id = team(&engine).await;
    let mut without = private(&id, "lab");
    without.as_object_mut().unwrap().remove("SpaceSettings");
    let (code, message) = refused(&engine, "CreateSpace", without).await;
    let space = arn(&format!("space/{id}/lab"));
    assert_eq!(code, Code::Validation);
    assert_eq!(message, format!("SpaceSettings must be provided for creating private space [{space}]"));
    let mut untyped = private(&id, "lab");
    untyped["SpaceSettings"] = json!({});
    assert_eq!(refused(&engine, "CreateSpace", untyped).await.0, Code::Validation);
    for member in ["OwnershipSettings", "SpaceSharingSettings"] {
        let mut half = private(&id, "lab");
        half.as_object_mut().unwrap().remove(member);
        assert_eq!(refused(&engine, "CreateSpace", half).await.0, Code::Validation, "{member}");
    }
    let mut nobody = private(&id, "lab");
    nobody["OwnershipSettings"]["OwnerUserProfileName"] = json!("nobody");
    assert_eq!(refused(&engine, "CreateSpace", nobody).await.0, Code::ResourceNotFound);
    assert_eq!(refused(&engine, "CreateSpace", private("d-nowhere", "lab")).await.0, Code::ResourceNotFound);
    // The older kind belongs to the whole domain.
    done(&engine, "CreateSpace", json!({"DomainId": id, "SpaceName": "all"})).await;
    let told = engine.call("DescribeSpace", json!({"DomainId": id, "SpaceName": "all"})).await.unwrap();
    assert!(told.get("OwnershipSettings").is_none() && told.get("SpaceSettings").is_none());
}

#[tokio::test]
async fn a_name_is_taken_until_its_space_is_gone() {
    let folder = folder();
    let engine = engine(&folder.0);
    let id = team(&engine).await;
    done(&engine, "CreateSpace", private(&id, "lab")).await;
    let (code, message) = refused(&engine, "CreateSpace", private(&id, "LAB")).await;
    assert_eq!(
        (code, message),
        (Code::ResourceInUse, format!("Space [{}] already exists.", arn(&format!("space/{id}/lab"))))
    );
    let named = json!({"DomainId": id, "SpaceName": "lab"});
    engine.call("DeleteSpace", named.clone()).await.unwrap();
    assert_eq!(engine.call("DescribeSpace", named.clone()).await.unwrap()["Status"], "Deleting");
    assert_eq!(refused(&engine, "DeleteSpace", named.clone()).await.0, Code::ResourceInUse);
    assert_eq!(refused(&engine, "CreateSpace", private(&id, "lab")).await.0, Code::ResourceInUse);
    settle(&engine);
    assert_eq!(refused(&engine, "DescribeSpace", named.clone()).await.0, Code::ResourceNotFound);
    assert_eq!(refused(&engine, "DeleteSpace", named).await.0, Code::ResourceNotFound);
    done(&engine, "CreateSpace", private(&id, "lab")).await;
}

#[tokio::test]
async fn an_update_changes_what_it_names_and_no_app_type() {
    let folder = folder();
    let engine = engine(&folder.0);
    let id = team(&engine).await;
    let mut request = private(&id, "lab");
    request["SpaceDisplayName"] = json!("before");
    done(&engine, "CreateSpace", request).await;
    let storage = json!({"EbsStorageSettings": {"EbsVolumeSizeInGb": 20}});
    let change = json!({"DomainId": id, "SpaceName": "lab", "SpaceSettings": {"SpaceStorageSettings": storage}});
    engine.call("UpdateSpace", change.clone()).await.unwrap();
    let named = json!({"DomainId": id, "SpaceName": "lab"});
    assert_eq!(engine.call("DescribeSpace", named.clone()).await.unwrap()["Status"], "Updating");
    assert_eq!(refused(&engine, "UpdateSpace", change).await.0, Code::ResourceInUse);
    settle(&engine);
    let told = engine.call("DescribeSpace", named.clone()).await.unwrap();
    assert_eq!(told["SpaceSettings"], json!({"AppType": "JupyterLab", "SpaceStorageSettings": storage}));
    assert_eq!(told["SpaceDisplayName"], "before");
    let same = json!({"DomainId": id, "SpaceName": "lab", "SpaceSettings": {"AppType": "JupyterLab"}});
    let words = "Updating AppType for Space is not supported.".to_owned();
    assert_eq!(refused(&engine, "UpdateSpace", same).await, (Code::Validation, words));
    let renamed = json!({"DomainId": id, "SpaceName": "lab", "SpaceDisplayName": "after"});
    done(&engine, "UpdateSpace", renamed).await;
    assert_eq!(engine.call("DescribeSpace", named).await.unwrap()["SpaceDisplayName"], "after");
}

#[tokio::test]
async fn spaces_are_listed_by_domain_and_name_in_pages() {
    let folder = folder();
    let engine = engine(&folder.0);
    let id = team(&engine).await;
    let (other, _) = domain(&engine, wanted("other")).await;
    for name in ["lab-1", "lab-2", "lab-3", "x"] {
        done(&engine, "CreateSpace", private(&id, name)).await;
    }
    done(&engine, "CreateSpace", json!({"DomainId": other, "SpaceName": "lab-9"})).await;
    let request = json!({"DomainIdEquals": id, "SpaceNameContains": "LAB"});
    let pages = paged(&engine, "ListSpaces", "Spaces", request.clone()).await;
    let names: Vec<&str> = pages.iter().flatten().map(|space| space["SpaceName"].as_str().unwrap()).collect();
    assert_eq!((pages.len(), names), (2, vec!["lab-1", "lab-2", "lab-3"]));
    assert_eq!(engine.call("ListSpaces", json!({})).await.unwrap()["Spaces"].as_array().unwrap().len(), 5);
    let newest = json!({"SortOrder": "Descending", "MaxResults": 1});
    assert_eq!(engine.call("ListSpaces", newest).await.unwrap()["Spaces"][0]["SpaceName"], "lab-9");
    refuses_foreign_tokens(&engine, "ListSpaces", request, json!({"DomainIdEquals": other})).await;
}
