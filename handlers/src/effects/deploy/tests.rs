#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use aws_sdk_sagemaker::types::PendingDeploymentSummary;
use serde_json::{Value, json};
use statemachine::definition::SecurityText;

use super::*;
use crate::effects::testing::{Answer, Fake};

fn state(status: &str, config: &str, pending: Option<&str>) -> DescribeEndpointOutput {
    let pending = pending.map(|config| PendingDeploymentSummary::builder().endpoint_config_name(config).build());
    DescribeEndpointOutput::builder()
        .endpoint_status(EndpointStatus::from(status))
        .endpoint_config_name(config)
        .set_pending_deployment_summary(pending)
        .build()
}

#[test]
fn what_is_done_follows_from_what_is_there() {
    assert_eq!(next(None, "new"), Next::Create);
    for (status, config, pending, expected) in [
        ("InService", "new", None, Next::Nothing),
        ("InService", "old", None, Next::Update),
        ("Creating", "new", None, Next::Nothing),
        ("Updating", "old", Some("new"), Next::Nothing),
        ("Updating", "new", None, Next::Nothing),
        ("Updating", "old", Some("other"), Next::Wait("Updating".into())),
        ("RollingBack", "old", None, Next::Wait("RollingBack".into())),
        ("Deleting", "new", None, Next::Wait("Deleting".into())),
        ("Failed", "new", None, Next::Delete),
        ("Failed", "old", None, Next::Delete),
        ("UpdateRollbackFailed", "old", None, Next::Update),
        ("SomethingNew", "old", None, Next::Wait("SomethingNew".into())),
    ] {
        assert_eq!(next(Some(&state(status, config, pending)), "new"), expected, "{status} {config} {pending:?}");
    }
}

async fn deploy(fake: &Fake) -> Result<(), EffectError> {
    deploy_with(fake, &JobSecurity::default(), "ml.m5.large").await
}

async fn deploy_with(fake: &Fake, security: &JobSecurity, instance_type: &str) -> Result<(), EffectError> {
    let aws = fake.aws();
    let rollout = Rollout {
        client: aws.sagemaker(),
        endpoint: "e",
        name: "e-r",
        package: "arn:package/1",
        instance_type,
        instances: 2,
        role_arn: "arn:role",
        security,
    };
    rollout.carry_out().await
}

fn invalid(message: &str) -> Answer {
    Answer::json(400, &format!(r#"{{"__type":"ValidationException","message":"{message}"}}"#))
}

fn made() -> Answer {
    Answer::json(200, "{}")
}

#[tokio::test]
async fn the_first_deployment_makes_all_three() {
    let fake = Fake::new([made(), made(), invalid("Could not find endpoint."), made()]);
    deploy(&fake).await.unwrap();
    assert_eq!(fake.calls(), ["CreateModel", "CreateEndpointConfig", "DescribeEndpoint", "CreateEndpoint"]);
    let requests = fake.requests();
    assert_eq!(requests[0].json()["PrimaryContainer"]["ModelPackageName"], "arn:package/1");
    let variant = &requests[1].json()["ProductionVariants"][0];
    assert_eq!(variant["VariantName"], "AllTraffic");
    assert_eq!(variant["InitialInstanceCount"], 2);
    assert_eq!(requests[3].json()["EndpointConfigName"], "e-r");
}

const KEY: &str = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";

fn secured() -> JobSecurity {
    JobSecurity::parse(SecurityText {
        subnets: Some("subnet-b,subnet-a"),
        security_groups: Some("sg-a"),
        volume_key: Some(KEY),
        output_key: None,
    })
    .unwrap()
}

#[tokio::test]
async fn e10_models_get_the_network_and_endpoints_the_key() {
    let requests = async |security: &JobSecurity, instance_type: &str| {
        let fake = Fake::new([made(), made(), invalid("Could not find endpoint."), made()]);
        deploy_with(&fake, security, instance_type).await.unwrap();
        let requests = fake.requests();
        (requests[0].json()["VpcConfig"].clone(), requests[1].json()["KmsKeyId"].clone())
    };
    let network = json!({"SecurityGroupIds": ["sg-a"], "Subnets": ["subnet-a", "subnet-b"]});
    assert_eq!(requests(&secured(), "ml.m5.large").await, (network.clone(), KEY.into()));
    // SageMaker refuses a key where the instance has disks of its own.
    assert_eq!(requests(&secured(), "ml.g5.xlarge").await, (network, Value::Null));
    assert_eq!(requests(&JobSecurity::default(), "ml.m5.large").await, (Value::Null, Value::Null));
}

#[tokio::test]
async fn e10_what_is_there_is_adopted_only_with_the_same_network_and_key() {
    let adopt = async |security: JobSecurity, network: Value, key: Value| {
        let model = json!({
            "PrimaryContainer": {"ModelPackageName": "arn:package/1"}, "ExecutionRoleArn": "arn:role",
            "VpcConfig": network,
        });
        let variant = json!({
            "VariantName": "AllTraffic", "ModelName": "e-r", "InstanceType": "ml.m5.large", "InitialInstanceCount": 2,
        });
        let config = json!({"ProductionVariants": [variant], "KmsKeyId": key});
        let exists = || invalid("Cannot create already existing thing.");
        let serving = Answer::json(200, r#"{"EndpointStatus":"InService","EndpointConfigName":"e-r"}"#);
        let answers =
            [exists(), Answer::json(200, &model.to_string()), exists(), Answer::json(200, &config.to_string())];
        deploy_with(&Fake::new(answers.into_iter().chain([serving])), &security, "ml.m5.large").await
    };
    let network = |subnets: &[&str], group: &str| json!({"SecurityGroupIds": [group], "Subnets": subnets});
    // In whatever order the subnets come back.
    adopt(secured(), network(&["subnet-b", "subnet-a"], "sg-a"), KEY.into()).await.unwrap();
    adopt(JobSecurity::default(), Value::Null, Value::Null).await.unwrap();
    let both = || network(&["subnet-a", "subnet-b"], "sg-a");
    for (security, network, key, found) in [
        (secured(), Value::Null, KEY.into(), "it has no network, and"),
        (secured(), network(&["subnet-a"], "sg-a"), KEY.into(), "it has the network subnet-a with sg-a, and"),
        (secured(), network(&["subnet-a", "subnet-b"], "sg-b"), KEY.into(), "subnet-a, subnet-b with sg-b, and"),
        (secured(), both(), Value::Null, "it has no key of volumes, and"),
        (secured(), both(), "other".into(), "it has the key other, and"),
        (JobSecurity::default(), both(), Value::Null, "it has the network"),
        (JobSecurity::default(), Value::Null, KEY.into(), "it has the key arn"),
    ] {
        let error = adopt(security, network, key).await.unwrap_err();
        assert!(matches!(&error, EffectError::Permanent(why) if why.contains(found)), "{error}");
    }
}

#[tokio::test]
async fn a_second_time_adopts_what_the_first_made() {
    let fake = Fake::new([
        invalid("Cannot create already existing model arn."),
        Answer::json(200, r#"{"PrimaryContainer":{"ModelPackageName":"arn:package/1"},"ExecutionRoleArn":"arn:role"}"#),
        Answer::json(400, r#"{"__type":"ResourceInUse","message":""}"#),
        Answer::json(
            200,
            r#"{"ProductionVariants":[{"VariantName":"AllTraffic","ModelName":"e-r",
            "InstanceType":"ml.m5.large","InitialInstanceCount":2}]}"#,
        ),
        Answer::json(
            200,
            r#"{"EndpointStatus":"Updating","EndpointConfigName":"old",
            "PendingDeploymentSummary":{"EndpointConfigName":"e-r"}}"#,
        ),
    ]);
    deploy(&fake).await.unwrap();
    assert_eq!(fake.requests().len(), 5);
}

#[tokio::test]
async fn a_model_of_the_same_name_that_is_not_ours_stops_the_deployment() {
    let fake = Fake::new([
        invalid("Cannot create already existing model arn."),
        Answer::json(200, r#"{"PrimaryContainer":{"ModelPackageName":"arn:package/9"},"ExecutionRoleArn":"arn:role"}"#),
    ]);
    let error = deploy(&fake).await.unwrap_err();
    assert!(matches!(&error, EffectError::Permanent(why) if why.contains("arn:package/9")), "{error}");
}

#[tokio::test]
async fn what_serves_another_configuration_is_updated() {
    let serving = Answer::json(200, r#"{"EndpointStatus":"InService","EndpointConfigName":"old"}"#);
    let fake = Fake::new([made(), made(), serving, made()]);
    deploy(&fake).await.unwrap();
    assert_eq!(fake.calls()[3], "UpdateEndpoint");
}

#[tokio::test]
async fn a_failed_endpoint_is_deleted_and_the_command_comes_again() {
    let failed = Answer::json(200, r#"{"EndpointStatus":"Failed","EndpointConfigName":"old"}"#);
    let fake = Fake::new([made(), made(), failed, made()]);
    let error = deploy(&fake).await.unwrap_err();
    assert!(matches!(error, EffectError::Retry(_)), "{error}");
    assert_eq!(fake.calls()[3], "DeleteEndpoint");
}

#[tokio::test]
async fn a_race_is_looked_at_again() {
    let serving = || Answer::json(200, r#"{"EndpointStatus":"InService","EndpointConfigName":"old"}"#);
    for (state, answer) in [
        (invalid("Could not find endpoint."), invalid("Cannot create already existing endpoint arn.")),
        (serving(), invalid("Cannot update in-progress endpoint arn.")),
    ] {
        let error = deploy(&Fake::new([made(), made(), state, answer])).await.unwrap_err();
        assert!(matches!(error, EffectError::Retry(_)), "{error}");
    }
}

#[tokio::test]
async fn a_full_quota_of_instances_ends_the_run_and_frees_the_endpoint() {
    let serving = Answer::json(200, r#"{"EndpointStatus":"InService","EndpointConfigName":"old"}"#);
    let quota = Answer::json(400, r#"{"__type":"ResourceLimitExceeded","message":"2 instances"}"#);
    let error = deploy(&Fake::new([made(), made(), serving, quota])).await.unwrap_err();
    assert!(matches!(error, EffectError::Permanent(_)), "{error}");
}
