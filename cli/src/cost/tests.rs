use serde_json::{Value, json};

use super::*;

fn template(stack: &str, body: Value) -> Template {
    let mut template: Template = serde_json::from_value(body).unwrap();
    template.stack = stack.to_owned();
    template
}

fn of(resources: Value) -> Estimate {
    estimate(&[template("S", json!({"Resources": resources}))], &Prices::built_in().unwrap(), "eu-west-1", None)
}

/// What, how many resources, units, and dollars a month.
fn lines(estimate: &Estimate) -> Vec<(&str, u64, u64, String)> {
    estimate
        .fixed
        .iter()
        .map(|line| (line.what.as_str(), line.resources, line.units, line.monthly.to_string()))
        .collect()
}

fn interface(subnets: Value) -> Value {
    json!({"Type": "AWS::EC2::VPCEndpoint", "Properties": {"VpcEndpointType": "Interface", "SubnetIds": subnets}})
}

#[test]
fn a13_the_fixed_cost_is_counted_by_hand() {
    let alarm = json!({"Type": "AWS::CloudWatch::Alarm", "Properties": {"MetricName": "M", "Period": 300}});
    let maths = json!({"Type": "AWS::CloudWatch::Alarm", "Properties": {"Metrics": [
        {"Id": "r", "Expression": "a / b"}, {"Id": "a", "MetricStat": {"Period": 60}}, {"Id": "b", "MetricStat": {"Period": 60}}]}});
    let fast = json!({"Type": "AWS::CloudWatch::Alarm", "Properties": {"MetricName": "M", "Period": 10}});
    let found = of(json!({
        "E1": interface(json!([{"Ref": "A"}, {"Ref": "B"}])),
        "E2": interface(json!([{"Ref": "A"}, {"Ref": "B"}])),
        "S3": {"Type": "AWS::EC2::VPCEndpoint", "Properties": {"VpcEndpointType": "Gateway"}},
        "Ddb": {"Type": "AWS::EC2::VPCEndpoint", "Properties": {}},
        "K1": {"Type": "AWS::KMS::Key", "Properties": {"EnableKeyRotation": true}},
        "K2": {"Type": "AWS::KMS::Key"},
        "K3": {"Type": "AWS::KMS::Key"},
        "A1": alarm, "A2": alarm, "A3": maths, "A4": fast,
        "C": {"Type": "AWS::CloudWatch::CompositeAlarm"},
        "D": {"Type": "AWS::CloudWatch::Dashboard"},
        "Z": {"Type": "AWS::SecretsManager::Secret", "Properties": {"ReplicaRegions": [{"Region": "eu-central-1"}]}},
        "B": {"Type": "AWS::Budgets::Budget"},
    }));
    assert_eq!(
        lines(&found),
        [
            // 2 endpoints in 2 zones: 4 × 0.011 × 730.
            ("interface endpoint", 2, 4, "32.12".to_owned()),
            ("CloudWatch dashboard", 1, 1, "3.00".to_owned()),
            ("customer managed key", 3, 3, "3.00".to_owned()),
            ("secret", 1, 2, "0.80".to_owned()),
            ("CloudWatch composite alarm", 1, 1, "0.50".to_owned()),
            // Two simple ones and one on two metrics.
            ("CloudWatch alarm", 3, 4, "0.40".to_owned()),
            ("CloudWatch alarm, high resolution", 1, 1, "0.30".to_owned()),
            ("budget", 1, 1, "0.00".to_owned()),
        ]
    );
    assert_eq!(found.monthly.to_string(), "40.12");
    assert_eq!(found.free, BTreeMap::from([("AWS::EC2::VPCEndpoint".to_owned(), 2)]));
    assert!(found.unknown.is_empty() && found.by_use.is_empty());
}

#[test]
fn a13_a_region_has_its_own_prices() {
    let templates = [template("S", json!({"Resources": {"E": interface(json!(["a", "b", "c"]))}}))];
    let in_region = |region: &str| estimate(&templates, &Prices::built_in().unwrap(), region, None).monthly.to_string();
    // 3 × 730 × 0.01, 0.012, 0.013.
    assert_eq!(in_region("us-east-1"), "21.90");
    assert_eq!(in_region("eu-central-1"), "26.28");
    assert_eq!(in_region("ap-southeast-2"), "28.47");
    let nowhere = estimate(&templates, &Prices::built_in().unwrap(), "mars-1", None);
    assert_eq!((nowhere.fixed.len(), nowhere.unknown.len()), (0, 1));
    assert_eq!(nowhere.unknown[0].why, "no price of `interface-endpoint` is known in mars-1");
}

#[test]
fn a13_subnets_are_counted_however_they_are_written() {
    let network = template(
        "Network",
        json!({"Outputs": {"X": {
            "Value": {"Fn::Join": ["||", [{"Ref": "A"}, {"Ref": "B"}, {"Ref": "C"}]]},
            "Export": {"Name": "Network:Subnets"}}}}),
    );
    let units = |subnets: Value| -> Result<u64, String> {
        let own = template(
            "S",
            json!({
                "Parameters": {
                    "List": {"Type": "List<AWS::EC2::Subnet::Id>", "Default": "a,b"},
                    "Text": {"Type": "String", "Default": "a;b;c;d"},
                    "Open": {"Type": "List<AWS::EC2::Subnet::Id>"},
                    "Ssm": {"Type": "AWS::SSM::Parameter::Value<List<String>>", "Default": "/tidegate/network/subnet-ids"}},
                "Resources": {"E": interface(subnets)}}),
        );
        let found = estimate(&[own, network.clone()], &Prices::built_in().unwrap(), "eu-west-1", None);
        match (found.fixed.as_slice(), found.unknown.as_slice()) {
            ([line], []) => Ok(line.units),
            ([], [unknown]) => Err(unknown.why.clone()),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(units(json!(["a"])), Ok(1));
    assert_eq!(units(json!([{"Ref": "A"}, {"Ref": "AWS::NoValue"}, {"Fn::Select": [0, {"Ref": "Ssm"}]}])), Ok(2));
    assert_eq!(units(json!({"Fn::Split": [",", "a,b,c"]})), Ok(3));
    assert_eq!(units(json!({"Fn::Split": ["||", {"Fn::ImportValue": "Network:Subnets"}]})), Ok(3));
    assert_eq!(units(json!({"Ref": "List"})), Ok(2));
    assert_eq!(units(json!({"Fn::Split": [";", {"Ref": "Text"}]})), Ok(4));
    assert_eq!(units(json!({"Fn::If": ["C", ["a", "b"], ["c", "d"]]})), Ok(2));

    let why = |subnets| units(subnets).unwrap_err();
    let ending = ": give the number with --zones";
    assert_eq!(
        why(json!({"Fn::Split": [",", {"Fn::ImportValue": "Elsewhere"}]})),
        format!("its subnets are imported from a stack that is not here{ending}")
    );
    assert_eq!(why(json!({"Ref": "Ssm"})), format!("its subnets come from `Ssm` at deployment{ending}"));
    assert_eq!(why(json!({"Ref": "Open"})), format!("its subnets come from `Open` at deployment{ending}"));
    assert_eq!(why(json!({"Fn::If": ["C", ["a"], []]})), format!("its subnets depend on a condition{ending}"));
    assert_eq!(why(json!({"Fn::GetAtt": ["X", "Subnets"]})), format!("its subnets come from `Fn::GetAtt`{ending}"));
}

#[test]
fn a13_zones_can_be_said_where_the_template_does_not() {
    let templates = [template(
        "S",
        json!({"Resources": {"E": interface(json!({"Fn::GetAtt": ["X", "Y"]})), "F": interface(json!(["a"]))}}),
    )];
    let found = estimate(&templates, &Prices::built_in().unwrap(), "eu-west-1", Some(3));
    // Three that were said and one that is written.
    assert_eq!(lines(&found), [("interface endpoint", 2, 4, "32.12".to_owned())]);
}

#[test]
fn a13_what_is_billed_by_use_says_what_it_depends_on() {
    let found = of(json!({
        "F": {"Type": "AWS::Lambda::Function"}, "G": {"Type": "AWS::Lambda::Function"},
        "T": {"Type": "AWS::DynamoDB::Table", "Properties": {"BillingMode": "PAY_PER_REQUEST"}},
        "L": {"Type": "AWS::EC2::FlowLog"},
        "R": {"Type": "AWS::IAM::Role"}, "C": {"Type": "Custom::TidegateSettings"},
    }));
    let by_use: Vec<_> = found.by_use.iter().map(|by_use| (by_use.kind.as_str(), by_use.resources)).collect();
    assert_eq!(by_use, [("AWS::DynamoDB::Table", 1), ("AWS::EC2::FlowLog", 1), ("AWS::Lambda::Function", 2)]);
    assert!(found.by_use.iter().all(|by_use| !by_use.depends_on.is_empty()));
    assert_eq!(found.free.values().sum::<u64>(), 2);
    assert_eq!(found.monthly.to_string(), "0.00");
}

#[test]
fn a13_what_nobody_knows_is_said_and_not_zero() {
    let found = of(json!({
        "N": {"Type": "AWS::EC2::NatGateway"},
        "X": {"Type": "AWS::New::Thing"}, "Y": {"Type": "AWS::New::Thing"},
        "T": {"Type": "AWS::DynamoDB::Table", "Properties": {}},
        "S": {"Type": "AWS::ApiGateway::Stage", "Properties": {"CacheClusterEnabled": true}},
        "A": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"ThresholdMetricId": "ad1"}},
        "Q": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Metrics": [{"Expression": "SELECT MAX(x) FROM y"}]}},
        "G": {"Type": "AWS::EC2::VPCEndpoint", "Properties": {"VpcEndpointType": "GatewayLoadBalancer"}},
        "P": {"Type": "AWS::SSM::Parameter", "Properties": {"Tier": "Advanced"}},
        "V": {"Type": "AWS::Lambda::Alias", "Properties": {"ProvisionedConcurrencyConfig": {}}},
    }));
    assert_eq!(found.unknown.iter().map(|unknown| unknown.resources.len()).sum::<usize>(), 10);
    let things = found.unknown.iter().find(|unknown| unknown.kind == "AWS::New::Thing").unwrap();
    assert_eq!((things.resources.join(" "), things.why.as_str()), ("S/X S/Y".to_owned(), "no price known"));
    assert!(found.fixed.is_empty() && found.free.is_empty() && found.by_use.is_empty());
}

#[test]
fn a13_a_condition_is_told() {
    let found = of(
        json!({"K": {"Type": "AWS::KMS::Key", "Condition": "C"}, "M": {"Type": "AWS::CDK::Metadata", "Condition": "C"}}),
    );
    assert_eq!(found.notes, ["`S/K` is made under a condition; it is counted"]);
}

#[test]
fn a13_every_price_is_dated_and_sourced_in_every_region() {
    let prices = Prices::built_in().unwrap();
    assert!(prices.date.parse::<jiff::civil::Date>().is_ok());
    assert_eq!(prices.regions(), ["ap-southeast-2", "eu-central-1", "eu-west-1", "us-east-1", "us-west-2"]);
    for (name, price) in prices.names() {
        assert!(price.source.starts_with("https://aws.amazon.com/"), "{name}");
        assert!(["hour", "month"].contains(&price.per.as_str()), "{name}");
        for region in prices.regions() {
            assert!(
                prices.of(name, region).is_some_and(|(_, figure)| !figure.checked.is_empty()),
                "{name} in {region}"
            );
        }
    }
}
