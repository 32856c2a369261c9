use serde_json::json;

use super::*;
use crate::engine::testing::{engine, folder};

fn script(name: &str, kind: &str) -> Value {
    json!({"StudioLifecycleConfigName": name, "StudioLifecycleConfigContent": "ZWNobyBoaQo=",
        "StudioLifecycleConfigAppType": kind})
}

#[tokio::test]
async fn a_configuration_is_kept_and_its_name_taken() {
    let folder = folder();
    let engine = engine(&folder.0);
    let mut request = script("Start", "JupyterLab");
    request["Tags"] = json!([{"Key": "k", "Value": "v"}]);
    let made = engine.call("CreateStudioLifecycleConfig", request.clone()).await.unwrap();
    assert_eq!(made["StudioLifecycleConfigArn"], arn("studio-lifecycle-config/start"));
    let named = json!({"StudioLifecycleConfigName": "start"});
    let told = engine.call("DescribeStudioLifecycleConfig", named.clone()).await.unwrap();
    for member in ["StudioLifecycleConfigName", "StudioLifecycleConfigContent", "StudioLifecycleConfigAppType"] {
        assert_eq!(told[member], request[member], "{member}");
    }
    let tags = engine.call("ListTags", json!({"ResourceArn": made["StudioLifecycleConfigArn"]})).await.unwrap();
    assert_eq!(tags["Tags"], request["Tags"]);
    let (code, message) = refused(&engine, "CreateStudioLifecycleConfig", script("start", "CodeEditor")).await;
    let taken = arn("studio-lifecycle-config/start");
    assert_eq!((code, message), (Code::ResourceInUse, format!("StudioLifecycleConfig [{taken}] already exists.")));
    let mut plain = script("plain", "JupyterLab");
    plain["StudioLifecycleConfigContent"] = json!("echo hi");
    assert_eq!(refused(&engine, "CreateStudioLifecycleConfig", plain).await.0, Code::Validation);
    engine.call("DeleteStudioLifecycleConfig", named.clone()).await.unwrap();
    for operation in ["DescribeStudioLifecycleConfig", "DeleteStudioLifecycleConfig"] {
        assert_eq!(refused(&engine, operation, named.clone()).await.0, Code::ResourceNotFound, "{operation}");
    }
}

#[tokio::test]
async fn what_uses_a_configuration_keeps_it() {
    let folder = folder();
    let engine = engine(&folder.0);
    let id = team(&engine).await;
    let made = engine.call("CreateStudioLifecycleConfig", script("start", "JupyterLab")).await.unwrap();
    let config = made["StudioLifecycleConfigArn"].clone();
    let settings = |configs: Value| json!({"JupyterLabAppSettings": {"LifecycleConfigArns": configs}});
    let named = json!({"StudioLifecycleConfigName": "start"});
    let by = async |user: String| {
        let (code, message) = refused(&engine, "DeleteStudioLifecycleConfig", named.clone()).await;
        assert_eq!(code, Code::ResourceInUse);
        assert!(message.ends_with(&format!("because it is used by [{user}].")), "{message}");
    };
    let ana = |settings: Value| json!({"DomainId": id, "UserProfileName": "ana", "UserSettings": settings});
    done(&engine, "UpdateUserProfile", ana(settings(json!([config])))).await;
    by(arn(&format!("user-profile/{id}/ana"))).await;
    done(&engine, "UpdateUserProfile", ana(settings(json!([])))).await;
    let of_domain = |settings: Value| json!({"DomainId": id, "DefaultUserSettings": settings});
    done(&engine, "UpdateDomain", of_domain(settings(json!([config])))).await;
    by(arn(&format!("domain/{id}"))).await;
    done(&engine, "UpdateDomain", of_domain(json!({}))).await;
    done(&engine, "CreateSpace", private(&id, "lab")).await;
    let mut app = json!({"DomainId": id, "SpaceName": "lab", "AppType": "JupyterLab", "AppName": "default"});
    let bare = app.clone();
    app["ResourceSpec"] = json!({"LifecycleConfigArn": config});
    done(&engine, "CreateApp", app).await;
    by(arn(&format!("app/{id}/lab/jupyterlab/default"))).await;
    done(&engine, "DeleteApp", bare).await;
    engine.call("DeleteStudioLifecycleConfig", named).await.unwrap();
}

#[tokio::test]
async fn an_app_starts_with_a_configuration_that_is_there_and_for_it() {
    let folder = folder();
    let engine = engine(&folder.0);
    let id = team(&engine).await;
    done(&engine, "CreateSpace", private(&id, "lab")).await;
    let made = engine.call("CreateStudioLifecycleConfig", script("editor", "CodeEditor")).await.unwrap();
    let app = |config: &str| {
        json!({"DomainId": id, "SpaceName": "lab", "AppType": "JupyterLab", "AppName": "default",
            "ResourceSpec": {"LifecycleConfigArn": config}})
    };
    for wrong in [arn("studio-lifecycle-config/none").as_str(), made["StudioLifecycleConfigArn"].as_str().unwrap()] {
        assert_eq!(refused(&engine, "CreateApp", app(wrong)).await.0, Code::Validation, "{wrong}");
    }
    engine.call("CreateApp", app("None")).await.unwrap();
}

#[tokio::test]
async fn configurations_are_listed_newest_first_in_pages() {
    let folder = folder();
    let engine = engine(&folder.0);
    for (name, kind) in [("a", "JupyterLab"), ("ab", "CodeEditor"), ("b", "JupyterLab"), ("c", "JupyterLab")] {
        engine.call("CreateStudioLifecycleConfig", script(name, kind)).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    let request = json!({"AppTypeEquals": "JupyterLab"});
    let pages = paged(&engine, "ListStudioLifecycleConfigs", "StudioLifecycleConfigs", request.clone()).await;
    let names: Vec<&str> =
        pages.iter().flatten().map(|each| each["StudioLifecycleConfigName"].as_str().unwrap()).collect();
    assert_eq!((pages.len(), names), (2, vec!["c", "b", "a"]));
    let named = json!({"NameContains": "a", "SortBy": "Name", "SortOrder": "Ascending"});
    let found = engine.call("ListStudioLifecycleConfigs", named).await.unwrap();
    assert_eq!(found["StudioLifecycleConfigs"].as_array().unwrap().len(), 2);
    assert!(found["StudioLifecycleConfigs"][0].get("StudioLifecycleConfigContent").is_none());
    refuses_foreign_tokens(&engine, "ListStudioLifecycleConfigs", request, json!({})).await;
}
