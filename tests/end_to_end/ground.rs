//! The secure ground: network, storage, keys, roles, guardrails and budget, by CloudFormation alone, on a cloud of its own.

use std::collections::BTreeSet;

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::{Value, json};
use tidegate_tests::Cloud;

/// What is deployed, in the order of its making. Not the organisation's policies, whose targets are somebody's own, nor
/// Studio, which has scenarios of its own.
const STACKS: [&str; 4] = ["TidegateStorage", "TidegateNetwork", "Tidegate", "TidegateGuardrails"];

/// Everything of them that the local cloud can hold, switched on.
const CONTEXT: [&str; 7] = [
    "network=new",
    "zones=3",
    "functionsInVpc=true",
    "sagemakerLogs=true",
    "emptyBuckets=true",
    "guardrails=infra/guardrails/example.yaml",
    "budget=100",
];

/// Whom the example of guardrails lets take the roles of people: a trust policy names only who exists.
const PEOPLE: [&str; 2] = ["platform-engineers", "data-scientists"];

/// Keys that wait for their deletion are of a kind of their own: AWS keeps them, whoever asks.
const LEAVING: &str = "keys on their way out";

/// Made, looked at, made again without a change, and taken away with nothing left.
pub(crate) fn comes_stays_and_goes(_: &Cloud) -> Result<()> {
    let cloud = Cloud::up_empty()?;
    cloud.cdk(&["bootstrap"])?;
    let trust = json!({"Version": "2012-10-17", "Statement": []}).to_string();
    for name in PEOPLE {
        cloud.aws(&["iam", "create-role", "--role-name", name, "--assume-role-policy-document", &trust])?;
    }
    let before = inventory(&cloud)?;
    cdk(&cloud, "deploy", &["--require-approval", "never"])?;
    let made = inventory(&cloud)?;
    for stack in STACKS {
        ensure!(made[format!("stack {stack}")][0] == "CREATE_COMPLETE", "{stack}: {made:#}");
    }
    look(&cloud)?;

    cdk(&cloud, "deploy", &["--require-approval", "never"])?;
    differ(&made, &inventory(&cloud)?, &[]).context("a second deployment is no operation of any stack")?;

    cdk(&cloud, "destroy", &["--force"])?;
    differ(&before, &inventory(&cloud)?, &[LEAVING]).context("nothing is left")
}

/// All at once: the AWS CLI takes most of a second to start.
fn look(cloud: &Cloud) -> Result<()> {
    std::thread::scope(|scope| {
        let looks = [network, functions, keys_and_logs, buckets, roles, guardrails]
            .map(|look| scope.spawn(move || look(cloud)));
        looks.into_iter().try_for_each(|look| look.join().map_err(|_| anyhow!("a check panicked"))?)
    })
}

fn cdk(cloud: &Cloud, command: &str, more: &[&str]) -> Result<String> {
    let context = CONTEXT.iter().flat_map(|setting| ["-c", setting]);
    let arguments: Vec<&str> = [command].into_iter().chain(STACKS).chain(more.iter().copied()).chain(context).collect();
    cloud.cdk(&arguments)
}

fn inventory(cloud: &Cloud) -> Result<Value> {
    Ok(serde_json::from_str(&cloud.python("inventory.py", &[])?)?)
}

/// Names the kinds that are not the same.
fn differ(before: &Value, after: &Value, apart_from: &[&str]) -> Result<()> {
    let (before, after) = (before.as_object().context("an object")?, after.as_object().context("an object")?);
    let kinds: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for kind in kinds.into_iter().filter(|kind| !apart_from.contains(&kind.as_str())) {
        let (was, is) = (before.get(kind), after.get(kind));
        ensure!(was == is, "{kind}: was {was:?}, is {is:?}");
    }
    Ok(())
}

/// No way out but the endpoints, each for this account only, and everything that passes is noted.
fn network(cloud: &Cloud) -> Result<()> {
    let vpc = parameter(cloud, "/tidegate/network/vpc-id")?;
    let of_vpc = |name: &str| format!("Name={name},Values={vpc}");
    let (attached, here) = (of_vpc("attachment.vpc-id"), of_vpc("vpc-id"));

    let gateways = ["ec2", "describe-internet-gateways", "--filters", &attached, "--query", "InternetGateways"];
    ensure!(cloud.aws(&gateways)? == json!([]), "an internet gateway");
    let nat = ["ec2", "describe-nat-gateways", "--filter", &here, "--query", "NatGateways"];
    ensure!(cloud.aws(&nat)? == json!([]), "a NAT gateway");
    let tables =
        cloud.aws(&["ec2", "describe-route-tables", "--filters", &here, "--query", "RouteTables[].Routes[]"])?;
    for route in list(&tables)? {
        let to = route["GatewayId"].as_str().unwrap_or_default();
        ensure!(to == "local" || to.starts_with("vpce-"), "a route leads elsewhere: {route}");
    }

    let subnets = cloud.aws(&["ec2", "describe-subnets", "--filters", &here, "--query", "Subnets"])?;
    let zones: BTreeSet<&str> = list(&subnets)?.iter().filter_map(|each| each["AvailabilityZone"].as_str()).collect();
    ensure!(zones.len() == 3 && list(&subnets)?.len() == 3, "a subnet in each of three zones: {subnets:#}");
    ensure!(list(&subnets)?.iter().all(|each| each["MapPublicIpOnLaunch"] == false), "a public address: {subnets:#}");
    let ids: BTreeSet<&str> = list(&subnets)?.iter().filter_map(|each| each["SubnetId"].as_str()).collect();
    let published = parameter(cloud, "/tidegate/network/subnet-ids")?;
    ensure!(published.split(',').collect::<BTreeSet<_>>() == ids, "{published} are not {ids:?}");

    let endpoints = cloud.aws(&["ec2", "describe-vpc-endpoints", "--filters", &here, "--query", "VpcEndpoints"])?;
    let mut services = BTreeSet::new();
    for endpoint in list(&endpoints)? {
        services.insert(endpoint["ServiceName"].as_str().unwrap_or_default().rsplit("us-east-1.").next());
        let policy: Value = serde_json::from_str(endpoint["PolicyDocument"].as_str().context("a policy")?)?;
        ensure!(
            policy["Statement"][0]["Condition"]["StringEquals"]["aws:PrincipalAccount"] == "000000000000",
            "{policy}"
        );
        if endpoint["VpcEndpointType"] == "Interface" {
            ensure!(endpoint["PrivateDnsEnabled"] == true, "a name that leads outside: {endpoint:#}");
            ensure!(list(&endpoint["NetworkInterfaceIds"])?.len() == 3, "one in each subnet: {endpoint:#}");
        }
    }
    let called = ["dynamodb", "s3", "sagemaker.api", "scheduler", "sns"].map(Some);
    ensure!(services == BTreeSet::from(called), "endpoints for what is called, and no other: {services:?}");

    let rules = "SecurityGroups[?GroupName=='default'].[IpPermissions, IpPermissionsEgress]";
    let default = cloud.aws(&["ec2", "describe-security-groups", "--filters", &here, "--query", rules])?;
    ensure!(default == json!([[[], []]]), "the default security group is open: {default}");

    let flows = ["ec2", "describe-flow-logs", "--filter", &of_vpc("resource-id"), "--query", "FlowLogs"];
    let flows = cloud.aws(&flows)?;
    let told = ["FlowLogStatus", "TrafficType", "LogGroupName"].map(|field| flows[0][field].clone());
    ensure!(json!(told) == json!(["ACTIVE", "ALL", "/aws/vpc/tidegate-flow-logs"]), "{flows:#}");
    Ok(())
}

/// They run inside: one of them has made the pipeline.
fn functions(cloud: &Cloud) -> Result<()> {
    let names = "Functions[?starts_with(FunctionName,'tidegate-')].[FunctionName, VpcConfig.SubnetIds]";
    let functions = cloud.aws(&["lambda", "list-functions", "--query", names])?;
    ensure!(list(&functions)?.len() == 7, "seven functions: {functions:#}");
    for function in list(&functions)? {
        ensure!(function[1].as_array().is_some_and(|subnets| subnets.len() == 3), "not inside: {function}");
    }
    let pipelines = ["sagemaker", "list-pipelines", "--query", "PipelineSummaries[].PipelineName"];
    ensure!(cloud.aws(&pipelines)? == json!(["breast-cancer"]), "the pipeline, made from inside");
    Ok(())
}

/// Keys rotate, and every log group that a stack made is under the one for logs and has an end.
fn keys_and_logs(cloud: &Cloud) -> Result<()> {
    let aliases =
        cloud.aws(&["kms", "list-aliases", "--query", "Aliases[?starts_with(AliasName,'alias/tidegate')]"])?;
    ensure!(list(&aliases)?.len() == 3, "three keys: {aliases:#}");
    for alias in list(&aliases)? {
        let key = alias["TargetKeyId"].as_str().context("an id")?;
        let rotation = cloud.aws(&["kms", "get-key-rotation-status", "--key-id", key])?;
        ensure!(rotation["KeyRotationEnabled"] == true, "{alias}");
    }
    let logs = cloud.aws(&["kms", "describe-key", "--key-id", "alias/tidegate-logs", "--query", "KeyMetadata.Arn"])?;
    let groups = cloud.aws(&["logs", "describe-log-groups", "--query", "logGroups"])?;
    ensure!(list(&groups)?.len() >= 8, "{groups:#}");
    for group in list(&groups)? {
        ensure!(group["kmsKeyId"] == logs && group["retentionInDays"].is_number(), "{group}");
    }
    Ok(())
}

/// Versioned, closed, encrypted, noted, and tidied up.
fn buckets(cloud: &Cloud) -> Result<()> {
    let (data, logs) = ("tidegate-data-000000000000-us-east-1", "tidegate-access-logs-000000000000-us-east-1");
    for bucket in [data, logs] {
        let ask = |what: &str| cloud.aws(&["s3api", what, "--bucket", bucket]);
        ensure!(ask("get-bucket-versioning")?["Status"] == "Enabled", "{bucket} keeps no versions");
        let block = ask("get-public-access-block")?;
        let block = block["PublicAccessBlockConfiguration"].as_object().context("an object")?;
        ensure!(block.len() == 4 && block.values().all(|value| value == true), "{bucket} is open: {block:?}");
        let rules = ask("get-bucket-lifecycle-configuration")?;
        ensure!(
            list(&rules["Rules"])?.iter().any(|rule| rule["AbortIncompleteMultipartUpload"].is_object()),
            "{bucket} keeps what was never finished: {rules:#}"
        );
    }
    let target = ["s3api", "get-bucket-logging", "--bucket", data, "--query", "LoggingEnabled.TargetBucket"];
    ensure!(cloud.aws(&target)? == logs, "who reads the data is noted");
    let rule = "ServerSideEncryptionConfiguration.Rules[0].ApplyServerSideEncryptionByDefault.KMSMasterKeyID";
    let key = cloud.aws(&["s3api", "get-bucket-encryption", "--bucket", data, "--query", rule])?;
    let own = cloud.aws(&["kms", "describe-key", "--key-id", "alias/tidegate-data", "--query", "KeyMetadata.Arn"])?;
    ensure!(key == own, "{key} is not the data key, {own}");
    Ok(())
}

/// Nobody of another account can be one of ours, and no role goes without a tag of its project.
fn roles(cloud: &Cloud) -> Result<()> {
    let roles = cloud.aws(&["iam", "list-roles", "--query", "Roles[?starts_with(RoleName,'Tidegate')]"])?;
    ensure!(list(&roles)?.len() >= 10, "{roles:#}");
    for role in list(&roles)? {
        for statement in list(&role["AssumeRolePolicyDocument"]["Statement"])? {
            let principal = &statement["Principal"];
            let own = principal["AWS"].as_str().is_some_and(|arn| arn.contains("000000000000"));
            ensure!(own || principal["Service"].is_string(), "{role:#}");
        }
    }
    let job = "Roles[?contains(RoleName,'SageMaker')].AssumeRolePolicyDocument.Statement[].Condition";
    let conditions = cloud.aws(&["iam", "list-roles", "--query", job])?;
    ensure!(list(&conditions)?.len() == 2, "the roles of pipelines and jobs are for this account's: {conditions:#}");
    Ok(())
}

/// Who uses Studio is bound by the guardrails, who makes it by those for everyone, and somebody hears of the budget.
fn guardrails(cloud: &Cloud) -> Result<()> {
    for (role, bound) in
        [("tidegate-data-scientist", vec!["everyone", "users"]), ("tidegate-ml-administrator", vec!["everyone"])]
    {
        let names = "AttachedPolicies[?starts_with(PolicyName,'tidegate-guardrails-')].PolicyName";
        let held = cloud.aws(&["iam", "list-attached-role-policies", "--role-name", role, "--query", names])?;
        let kinds = list(&held)?.iter().filter_map(|name| name.as_str()?.split('-').nth(2));
        let kinds: BTreeSet<&str> = kinds.collect();
        ensure!(kinds == bound.into_iter().collect(), "{role} is bound by {held}");
    }
    let account = ["--account-id", "000000000000"];
    let budgets = cloud.aws(&[&["budgets", "describe-budgets", "--query", "Budgets"][..], &account].concat())?;
    ensure!(budgets[0]["BudgetLimit"] == json!({"Amount": "100", "Unit": "USD"}), "{budgets:#}");
    let name = budgets[0]["BudgetName"].as_str().context("a name")?;
    let ask = ["budgets", "describe-notifications-for-budget", "--budget-name", name, "--query", "Notifications"];
    let told = cloud.aws(&[&ask[..], &account].concat())?;
    ensure!(list(&told)?.len() == 2, "of what was spent, and of what will be: {told:#}");
    Ok(())
}

fn parameter(cloud: &Cloud, name: &str) -> Result<String> {
    let value = cloud.aws(&["ssm", "get-parameter", "--name", name, "--query", "Parameter.Value"])?;
    Ok(value.as_str().with_context(|| format!("{name} has no value"))?.to_owned())
}

fn list(value: &Value) -> Result<&Vec<Value>> {
    value.as_array().with_context(|| format!("a list, not {value}"))
}
