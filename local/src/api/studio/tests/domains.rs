use serde_json::json;

use super::*;
use crate::api::Code;
use crate::engine::testing::{engine, folder};

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
async fn home_folders_may_come_later_and_do_not_go() {
    let folder = folder();
    let engine = engine(&folder.0);
    let mut request = wanted("team");
    request["HomeEfsFileSystemCreation"] = json!("Disabled");
    let (id, _) = domain(&engine, request).await;
    let files = async || {
        engine.call("DescribeDomain", json!({"DomainId": id})).await.unwrap().get("HomeEfsFileSystemId").cloned()
    };
    assert_eq!(files().await, None);
    let on = json!({"DomainId": id, "HomeEfsFileSystemCreation": "Enabled"});
    done(&engine, "UpdateDomain", on).await;
    let made = files().await.unwrap();
    assert!(made.as_str().unwrap().starts_with("fs-"));
    done(&engine, "UpdateDomain", json!({"DomainId": id, "SubnetIds": ["subnet-b"]})).await;
    assert_eq!(files().await, Some(made));
}

/// What can be asked for goes with the domain, or the domain stays: MiniStack does not answer here.
#[tokio::test]
async fn a_deletion_whose_files_resist_can_be_tried_again() {
    let folder = folder();
    let engine = engine(&folder.0);
    let (id, _) = domain(&engine, wanted("team")).await;
    let with_files = json!({"DomainId": id, "RetentionPolicy": {"HomeEfsFileSystem": "Delete"}});
    let has = |domain: &mut Domain| -> Result<(), Error> {
        domain.in_ministack = true;
        Ok(())
    };
    engine.store.update(&id, has).unwrap();
    assert_eq!(refused(&engine, "DeleteDomain", with_files.clone()).await.0, Code::Internal);
    assert_eq!(engine.call("DescribeDomain", json!({"DomainId": id})).await.unwrap()["Status"], "InService");
    let has_not = |domain: &mut Domain| -> Result<(), Error> {
        domain.in_ministack = false;
        Ok(())
    };
    engine.store.update(&id, has_not).unwrap();
    engine.call("DeleteDomain", with_files).await.unwrap();
}
