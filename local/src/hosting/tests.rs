use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use super::invoke::invoke;
use super::resume;
use crate::api::Code;
use crate::engine::Engine;
use crate::engine::testing::{IMAGE, engine, events, folder};

async fn offer(engine: &Arc<Engine>, name: &str, image: &str) {
    let container = json!({"Image": image, "Environment": {"ANSWER": name}});
    engine.call("CreateModel", json!({"ModelName": name, "PrimaryContainer": container})).await.unwrap();
    let variant = json!([{"VariantName": "AllTraffic", "ModelName": name, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}]);
    let config = json!({"EndpointConfigName": name, "ProductionVariants": variant});
    engine.call("CreateEndpointConfig", config).await.unwrap();
}

async fn deploy(engine: &Arc<Engine>, operation: &str, config: &str) -> Value {
    engine.call(operation, json!({"EndpointName": "E", "EndpointConfigName": config})).await.unwrap();
    until(engine, |endpoint| {
        !["Creating", "Updating", "RollingBack"].contains(&endpoint["EndpointStatus"].as_str().unwrap())
    })
    .await
}

async fn until(engine: &Arc<Engine>, reached: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..600 {
        let endpoint = engine.call("DescribeEndpoint", json!({"EndpointName": "E"})).await.unwrap();
        if reached(&endpoint) {
            return endpoint;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the endpoint does not get there");
}

async fn ask(engine: &Arc<Engine>, body: &'static str) -> (StatusCode, String) {
    let answer = invoke(State(Arc::clone(engine)), Path("E".to_owned()), HeaderMap::new(), body.into()).await;
    let status = answer.status();
    let body: Body = answer.into_body();
    (status, String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap())
}

async fn stop(engine: &Arc<Engine>) {
    engine.shutdown.cancel();
    engine.tasks.close();
    tokio::time::timeout(Duration::from_secs(20), engine.tasks.wait()).await.unwrap();
}

fn told(engine: &Engine) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    events(engine)
        .iter()
        .map(|event| (text(&event["detail"]["EndpointStatus"]), text(&event["detail"]["EndpointConfigName"])))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_is_created_updated_rolled_back_and_taken_up_again() {
    let folder = folder();
    let engine = engine(&folder.0);
    for name in ["one", "two", "broken"] {
        offer(&engine, name, IMAGE).await;
    }
    assert_eq!(ask(&engine, "x").await.0, StatusCode::BAD_REQUEST);
    assert_eq!(deploy(&engine, "CreateEndpoint", "one").await["EndpointStatus"], "InService");
    assert_eq!(ask(&engine, "x").await, (StatusCode::OK, "one:x".to_owned()));
    assert_eq!(deploy(&engine, "UpdateEndpoint", "two").await["EndpointConfigName"], "two");
    assert_eq!(ask(&engine, "x").await.1, "two:x");

    let rolled_back = deploy(&engine, "UpdateEndpoint", "broken").await;
    assert_eq!(
        (&rolled_back["EndpointStatus"], &rolled_back["EndpointConfigName"]),
        (&json!("InService"), &json!("two"))
    );
    assert!(rolled_back["FailureReason"].as_str().unwrap().contains("the model cannot be loaded"), "{rolled_back}");
    assert_eq!(ask(&engine, "x").await.1, "two:x");

    stop(&engine).await;
    drop(engine);
    let engine = crate::engine::testing::engine(&folder.0);
    resume(&engine).await;
    until_answered(&engine, "two:x").await;
    // A server that dies is started again.
    assert_eq!(ask(&engine, "die").await.0, StatusCode::SERVICE_UNAVAILABLE);
    until_answered(&engine, "two:x").await;
    stop(&engine).await;

    let expected = [
        ("CREATING", "one"),
        ("IN_SERVICE", "one"),
        ("UPDATING", "one"),
        ("IN_SERVICE", "two"),
        ("UPDATING", "two"),
        ("ROLLING_BACK", "two"),
        ("IN_SERVICE", "two"),
    ];
    assert_eq!(told(&engine), expected.map(|(status, config)| (status.to_owned(), config.to_owned())));
}

async fn until_answered(engine: &Arc<Engine>, answer: &str) {
    for _ in 0..200 {
        if ask(engine, "x").await.1 == answer {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the endpoint does not answer `{answer}`");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_deployment_that_fails_leaves_an_endpoint_that_can_only_be_deleted() {
    let folder = folder();
    let engine = engine(&folder.0);
    offer(&engine, "one", "elsewhere:1").await;
    let endpoint = deploy(&engine, "CreateEndpoint", "one").await;
    assert_eq!(endpoint["EndpointStatus"], "Failed");
    assert!(endpoint["FailureReason"].as_str().unwrap().contains("elsewhere:1"), "{endpoint}");
    let update = engine.call("UpdateEndpoint", json!({"EndpointName": "E", "EndpointConfigName": "one"})).await;
    assert_eq!(update.unwrap_err().code, Code::Validation);
    engine.call("DeleteEndpoint", json!({"EndpointName": "E"})).await.unwrap();
    engine.tasks.close();
    engine.tasks.wait().await;
    let gone = engine.call("DescribeEndpoint", json!({"EndpointName": "E"})).await.unwrap_err();
    assert_eq!(gone.message, "Could not find endpoint \"arn:aws:sagemaker:us-east-1:000000000000:endpoint/e\".");
    let statuses: Vec<String> = told(&engine).into_iter().map(|(status, _)| status).collect();
    assert_eq!(statuses, ["CREATING", "FAILED", "DELETING", "DELETED"]);
}
