use std::time::Duration;

use serde_json::json;

use super::*;
use crate::api::studio::life::{Doing, Life};
use crate::engine::testing::{engine, folder};

fn lab(domain: &str, space: &str) -> Value {
    json!({"DomainId": domain, "SpaceName": space, "AppType": "JupyterLab", "AppName": "default"})
}

fn classic(domain: &str, profile: &str) -> Value {
    json!({"DomainId": domain, "UserProfileName": profile, "AppType": "JupyterServer", "AppName": "default"})
}

#[tokio::test]
async fn an_app_goes_from_pending_to_deleted_and_stays_listed() {
    let folder = folder();
    let engine = engine(&folder.0);
    let id = team(&engine).await;
    done(&engine, "CreateSpace", private(&id, "lab")).await;
    let made = engine.call("CreateApp", lab(&id, "lab")).await.unwrap();
    assert_eq!(made["AppArn"], arn(&format!("app/{id}/lab/jupyterlab/default")));
    let status = async || engine.call("DescribeApp", lab(&id, "lab")).await.unwrap()["Status"].clone();
    assert_eq!(status().await, "Pending");
    settle(&engine);
    assert_eq!(status().await, "InService");
    let told = engine.call("DescribeApp", lab(&id, "lab")).await.unwrap();
    assert_eq!((&told["SpaceName"], &told["AppArn"]), (&json!("lab"), &made["AppArn"]));
    assert!(told.get("UserProfileName").is_none());
    let exists = (Code::ResourceInUse, format!("App [{}] already exists.", made["AppArn"].as_str().unwrap()));
    assert_eq!(refused(&engine, "CreateApp", lab(&id, "lab")).await, exists);
    engine.call("DeleteApp", lab(&id, "lab")).await.unwrap();
    assert_eq!(status().await, "Deleting");
    settle(&engine);
    assert_eq!(status().await, "Deleted");
    let listed = engine.call("ListApps", json!({"DomainIdEquals": id})).await.unwrap();
    assert_eq!(listed["Apps"][0]["Status"], "Deleted");
    let (code, message) = refused(&engine, "DeleteApp", lab(&id, "lab")).await;
    assert!(code == Code::Validation && message.contains("has already been deleted"), "{message}");
    // Its name is free again.
    done(&engine, "CreateApp", lab(&id, "lab")).await;
    let listed = engine.call("ListApps", json!({})).await.unwrap()["Apps"].as_array().unwrap().clone();
    assert_eq!((listed.len(), &listed[0]["Status"]), (1, &json!("InService")));
}

#[tokio::test]
async fn a_deleted_app_is_listed_for_a_day() {
    let folder = folder();
    let engine = engine(&folder.0);
    let id = team(&engine).await;
    done(&engine, "CreateApp", classic(&id, "ana")).await;
    done(&engine, "DeleteApp", classic(&id, "ana")).await;
    let ago = |hours: u64| {
        let mut app = engine.store.list::<App>().unwrap().remove(0);
        let then = engine.now() - Duration::from_secs(hours * 3600);
        *app.life_mut() = Life { created: then, modified: then, doing: Doing::Deleting, until: then };
        engine.store.put(&app.key(), &app).unwrap();
    };
    for (hours, listed) in [(23, 1), (25, 0)] {
        ago(hours);
        let apps = engine.call("ListApps", json!({})).await.unwrap();
        assert_eq!(apps["Apps"].as_array().unwrap().len(), listed, "{hours} hours");
        if listed == 0 {
            assert!(engine.store.list::<App>().unwrap().is_empty());
        }
    }
}

#[tokio::test]
async fn an_app_belongs_to_a_profile_or_a_space_that_can_have_it() {
    let folder = folder();
    let engine = engine(&folder.0);
    let id = team(&engine).await;
    done(&engine, "CreateSpace", private(&id, "lab")).await;
    let mut both = lab(&id, "lab");
    both["UserProfileName"] = json!("ana");
    let mut none = lab(&id, "lab");
    none.as_object_mut().unwrap().remove("SpaceName");
    let mut of_profile = lab(&id, "lab");
    of_profile.as_object_mut().unwrap().remove("SpaceName");
    of_profile["UserProfileName"] = json!("ana");
    let mut editor = lab(&id, "lab");
    editor["AppType"] = json!("CodeEditor");
    for wrong in [both, none, of_profile, editor] {
        assert_eq!(refused(&engine, "CreateApp", wrong.clone()).await.0, Code::Validation, "{wrong}");
    }
    for missing in [lab(&id, "nowhere"), classic(&id, "nobody"), classic("d-nowhere", "ana")] {
        assert_eq!(refused(&engine, "CreateApp", missing.clone()).await.0, Code::ResourceNotFound, "{missing}");
        assert_eq!(refused(&engine, "DescribeApp", missing.clone()).await.0, Code::ResourceNotFound, "{missing}");
        assert_eq!(refused(&engine, "DeleteApp", missing.clone()).await.0, Code::ResourceNotFound, "{missing}");
    }
    done(&engine, "CreateApp", lab(&id, "lab")).await;
    let mut second = lab(&id, "lab");
    second["AppName"] = json!("second");
    assert_eq!(refused(&engine, "CreateApp", second).await.0, Code::ResourceLimitExceeded);
    // A profile and a space of one name are two owners.
    done(&engine, "CreateSpace", json!({"DomainId": id, "SpaceName": "ana"})).await;
    done(&engine, "CreateApp", classic(&id, "ana")).await;
    let mut shared = classic(&id, "ana");
    shared.as_object_mut().unwrap().remove("UserProfileName");
    shared["SpaceName"] = json!("ana");
    done(&engine, "CreateApp", shared).await;
    let of_ana = engine.call("ListApps", json!({"UserProfileNameEquals": "ANA"})).await.unwrap();
    assert_eq!(of_ana["Apps"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_owner_that_is_not_ready_takes_no_app() {
    let folder = folder();
    let engine = engine(&folder.0);
    let id = team(&engine).await;
    engine.call("CreateSpace", private(&id, "lab")).await.unwrap();
    assert_eq!(refused(&engine, "CreateApp", lab(&id, "lab")).await.0, Code::ResourceInUse);
    engine.call("CreateUserProfile", json!({"DomainId": id, "UserProfileName": "new"})).await.unwrap();
    assert_eq!(refused(&engine, "CreateApp", classic(&id, "new")).await.0, Code::ResourceInUse);
}

#[tokio::test]
async fn what_has_apps_or_spaces_cannot_go() {
    let folder = folder();
    let engine = engine(&folder.0);
    let id = team(&engine).await;
    let ana = json!({"DomainId": id, "UserProfileName": "ana"});
    let space = json!({"DomainId": id, "SpaceName": "lab"});
    let profile_arn = arn(&format!("user-profile/{id}/ana"));
    let refusal = |kind: &str, arn: &str, by: &str| {
        (Code::ResourceInUse, format!("Unable to delete {kind} [{arn}] because {by}(s) are associated with it."))
    };
    done(&engine, "CreateApp", classic(&id, "ana")).await;
    assert_eq!(refused(&engine, "DeleteUserProfile", ana.clone()).await, refusal("UserProfile", &profile_arn, "App"));
    engine.call("DeleteApp", classic(&id, "ana")).await.unwrap();
    assert_eq!(refused(&engine, "DeleteUserProfile", ana.clone()).await.0, Code::ResourceInUse, "while it is deleted");
    settle(&engine);
    done(&engine, "CreateSpace", private(&id, "lab")).await;
    assert_eq!(refused(&engine, "DeleteUserProfile", ana.clone()).await, refusal("UserProfile", &profile_arn, "Space"));
    done(&engine, "CreateApp", lab(&id, "lab")).await;
    let space_arn = arn(&format!("space/{id}/lab"));
    assert_eq!(refused(&engine, "DeleteSpace", space.clone()).await, refusal("Space", &space_arn, "App"));
    done(&engine, "DeleteApp", lab(&id, "lab")).await;
    // The other one owns nothing.
    done(&engine, "DeleteUserProfile", json!({"DomainId": id, "UserProfileName": "ben"})).await;
    done(&engine, "DeleteSpace", space).await;
    done(&engine, "DeleteUserProfile", ana).await;
    // The older kind of space keeps a domain too.
    let domain = json!({"DomainId": id});
    done(&engine, "CreateSpace", json!({"DomainId": id, "SpaceName": "all"})).await;
    let domain_arn = arn(&format!("domain/{id}"));
    assert_eq!(refused(&engine, "DeleteDomain", domain.clone()).await, refusal("Domain", &domain_arn, "Space"));
    done(&engine, "DeleteSpace", json!({"DomainId": id, "SpaceName": "all"})).await;
    done(&engine, "DeleteDomain", domain).await;
    assert!(engine.call("ListApps", json!({})).await.unwrap()["Apps"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn an_app_carries_the_tags_of_its_domain_and_owner_and_runs_on_what_they_say() {
    let folder = folder();
    let engine = engine(&folder.0);
    let mut request = wanted("team");
    request["DefaultUserSettings"]["JupyterLabAppSettings"] = json!({"DefaultResourceSpec":
        {"InstanceType": "ml.m5.large", "SageMakerImageArn": "arn:aws:sagemaker:us-east-1:0:image/lab"}});
    let (id, _) = domain(&engine, request).await;
    let tag = |key: &str, value: &str| json!({"Key": key, "Value": value});
    let ana =
        json!({"DomainId": id, "UserProfileName": "ana", "Tags": [tag("studiouserid", "ana"), tag("Team", "red")]});
    done(&engine, "CreateUserProfile", ana).await;
    let mut app = classic(&id, "ana");
    app["Tags"] = json!([tag("own", "1")]);
    let made = done(&engine, "CreateApp", app).await;
    let tags = engine.call("ListTags", json!({"ResourceArn": made["AppArn"]})).await.unwrap();
    assert_eq!(tags["Tags"], json!([tag("Team", "red"), tag("own", "1"), tag("studiouserid", "ana")]));
    assert_eq!(
        engine.call("DescribeApp", classic(&id, "ana")).await.unwrap()["ResourceSpec"],
        json!({"InstanceType": "system"})
    );
    let mut space = private(&id, "lab");
    space["SpaceSettings"]["JupyterLabAppSettings"] = json!({"DefaultResourceSpec": {"InstanceType": "ml.t3.large"}});
    done(&engine, "CreateSpace", space).await;
    done(&engine, "CreateApp", lab(&id, "lab")).await;
    let spec = engine.call("DescribeApp", lab(&id, "lab")).await.unwrap()["ResourceSpec"].clone();
    assert_eq!(
        spec,
        json!({"InstanceType": "ml.t3.large", "SageMakerImageArn": "arn:aws:sagemaker:us-east-1:0:image/lab"})
    );
}

#[tokio::test]
async fn apps_are_listed_by_owner_in_pages() {
    let folder = folder();
    let engine = engine(&folder.0);
    let id = team(&engine).await;
    for space in ["a", "b", "c"] {
        done(&engine, "CreateSpace", private(&id, space)).await;
        done(&engine, "CreateApp", lab(&id, space)).await;
    }
    done(&engine, "CreateApp", classic(&id, "ben")).await;
    let pages = paged(&engine, "ListApps", "Apps", json!({"DomainIdEquals": id})).await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2]);
    let count =
        async |request: Value| engine.call("ListApps", request).await.unwrap()["Apps"].as_array().unwrap().len();
    assert_eq!(count(json!({"SpaceNameEquals": "B"})).await, 1);
    assert_eq!(count(json!({"UserProfileNameEquals": "ben"})).await, 1);
    assert_eq!(count(json!({"UserProfileNameEquals": "ana"})).await, 0, "apps in her spaces are the spaces'");
    assert_eq!(count(json!({"DomainIdEquals": "d-other"})).await, 0);
    let both = json!({"UserProfileNameEquals": "ben", "SpaceNameEquals": "a"});
    assert_eq!(refused(&engine, "ListApps", both).await.0, Code::Validation);
    refuses_foreign_tokens(&engine, "ListApps", json!({}), json!({"SortOrder": "Descending"})).await;
}
