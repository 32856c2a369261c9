use serde_json::{Value, json};

use crate::api::Code;
use crate::engine::testing::{engine, events, folder};

fn specification() -> Value {
    json!({"Containers": [{"Image": "i", "ModelDataUrl": "s3://b/m.tar.gz"}]})
}

#[tokio::test]
async fn versions_count_up_and_are_never_given_twice() {
    let folder = folder();
    let engine = engine(&folder.0);
    engine.call("CreateModelPackageGroup", json!({"ModelPackageGroupName": "G"})).await.unwrap();
    let create = |token: &'static str| {
        let request =
            json!({"ModelPackageGroupName": "G", "InferenceSpecification": specification(), "ClientToken": token});
        engine.call("CreateModelPackage", request)
    };
    let first = create("a").await.unwrap();
    assert_eq!(first["ModelPackageArn"], "arn:aws:sagemaker:us-east-1:000000000000:model-package/g/1");
    assert_eq!(create("a").await.unwrap(), first, "the same token is the same package");
    let second = create("b").await.unwrap();
    engine.call("DeleteModelPackage", json!({"ModelPackageName": second["ModelPackageArn"]})).await.unwrap();
    let third = create("c").await.unwrap();
    assert_eq!(third["ModelPackageArn"], "arn:aws:sagemaker:us-east-1:000000000000:model-package/g/3");
    let refused = engine.call("DeleteModelPackageGroup", json!({"ModelPackageGroupName": "G"})).await.unwrap_err();
    assert_eq!(refused.code, Code::Conflict);
}

#[tokio::test]
async fn only_what_changed_is_told() {
    let folder = folder();
    let engine = engine(&folder.0);
    engine.call("CreateModelPackageGroup", json!({"ModelPackageGroupName": "g"})).await.unwrap();
    let request = json!({"ModelPackageGroupName": "g", "InferenceSpecification": specification()});
    let arn = engine.call("CreateModelPackage", request).await.unwrap()["ModelPackageArn"].clone();
    for update in [
        json!({"ModelPackageArn": arn, "ModelApprovalStatus": "Approved"}),
        json!({"ModelPackageArn": arn, "ModelApprovalStatus": "Approved"}),
        json!({"ModelPackageArn": arn, "CustomerMetadataProperties": {"a": "b"}}),
    ] {
        engine.call("UpdateModelPackage", update).await.unwrap();
    }
    let told: Vec<Value> =
        events(&engine).iter().map(|event| event["detail"]["UpdatedModelPackageFields"].clone()).collect();
    assert_eq!(
        told,
        [
            json!(["ModelPackageStatus", "ModelApprovalStatus"]),
            json!(["ModelApprovalStatus"]),
            json!(["CustomerMetadataProperties"])
        ]
    );
    let last = &events(&engine)[2];
    assert_eq!(last["detail-type"], "SageMaker Model Package State Change");
    assert_eq!(last["source"], "aws.sagemaker");
    assert_eq!(last["resources"], json!([arn]));
    assert_eq!(last["detail"]["ModelApprovalStatus"], "Approved");
    assert_eq!(last["detail"]["ModelPackageVersion"], 1);
}

#[tokio::test]
async fn versions_are_listed_in_their_order() {
    let folder = folder();
    let engine = engine(&folder.0);
    engine.call("CreateModelPackageGroup", json!({"ModelPackageGroupName": "g"})).await.unwrap();
    for _ in 0..11 {
        let request = json!({"ModelPackageGroupName": "g", "InferenceSpecification": specification()});
        engine.call("CreateModelPackage", request).await.unwrap();
    }
    let mut versions = Vec::new();
    let mut request = json!({"ModelPackageGroupName": "g", "SortBy": "Name", "MaxResults": 4});
    loop {
        let page = engine.call("ListModelPackages", request.clone()).await.unwrap();
        let items = page["ModelPackageSummaryList"].as_array().unwrap().clone();
        versions.extend(items.iter().map(|item| item["ModelPackageVersion"].as_u64().unwrap()));
        if page["NextToken"].is_null() {
            break;
        }
        request["NextToken"] = page["NextToken"].clone();
    }
    assert_eq!(versions, (1..=11).collect::<Vec<_>>());
}
