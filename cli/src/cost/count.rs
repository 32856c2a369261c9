//! What each resource is billed for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

use super::length;
use super::template::{Resource, Template};

/// How one resource is billed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Charge {
    /// So many times the price of this name.
    Units(&'static str, u64),
    /// By use, which depends on this.
    ByUse(&'static str),
    Nothing,
    /// Not known, and why.
    Unknown(String),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Types {
    free: BTreeSet<String>,
    usage: BTreeMap<String, String>,
}

/// A malformed file would make every type unknown; a test reads it.
static TYPES: LazyLock<Types> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../data/resources.json"))
        .unwrap_or(Types { free: BTreeSet::new(), usage: BTreeMap::new() })
});

pub(super) fn charge(resource: &Resource, template: &Template, templates: &[Template], zones: Option<u64>) -> Charge {
    let properties = &resource.properties;
    let text = |name: &str| properties.get(name).and_then(Value::as_str);
    let is_set = |name: &str| properties.get(name).is_some_and(|value| value != &Value::Bool(false));
    match resource.kind.as_str() {
        "AWS::KMS::Key" | "AWS::KMS::ReplicaKey" => Charge::Units("kms-key", 1),
        "AWS::EC2::VPCEndpoint" => endpoint(properties, template, templates, zones),
        "AWS::CloudWatch::Alarm" => alarm(properties),
        "AWS::CloudWatch::CompositeAlarm" => Charge::Units("composite-alarm", 1),
        "AWS::CloudWatch::Dashboard" => Charge::Units("dashboard", 1),
        "AWS::SecretsManager::Secret" => match properties.get("ReplicaRegions") {
            None => Charge::Units("secret", 1),
            Some(Value::Array(regions)) => Charge::Units("secret", 1 + regions.len() as u64),
            Some(_) => Charge::Unknown("its replicas are not written in the template".to_owned()),
        },
        "AWS::Budgets::Budget" => Charge::Units("budget", 1),
        "AWS::DynamoDB::Table" => match text("BillingMode") {
            Some("PAY_PER_REQUEST") => Charge::ByUse("requests, and gigabytes kept"),
            _ => Charge::Unknown("its capacity is provisioned".to_owned()),
        },
        "AWS::DynamoDB::GlobalTable" => match text("BillingMode") {
            Some("PAY_PER_REQUEST") => Charge::ByUse("requests, and gigabytes kept, in each Region"),
            _ => Charge::Unknown("its capacity is provisioned".to_owned()),
        },
        "AWS::ApiGateway::Stage" if is_set("CacheClusterEnabled") => Charge::Unknown("it has a cache".to_owned()),
        "AWS::ApiGateway::Stage" => Charge::Nothing,
        "AWS::Lambda::Alias" if is_set("ProvisionedConcurrencyConfig") => {
            Charge::Unknown("its concurrency is provisioned".to_owned())
        }
        "AWS::Lambda::Alias" => Charge::Nothing,
        "AWS::SSM::Parameter" => match text("Tier") {
            None | Some("Standard") => Charge::Nothing,
            _ => Charge::Unknown("it is not of the standard tier".to_owned()),
        },
        "AWS::Kinesis::Stream" | "AWS::EC2::NatGateway" | "AWS::EC2::EIP" => no_price(),
        // What a custom resource makes is its function's business; the resource itself is free for stacks of one's own.
        custom if custom.starts_with("Custom::") => Charge::Nothing,
        kind if TYPES.free.contains(kind) => Charge::Nothing,
        kind => TYPES.usage.get(kind).map_or_else(no_price, |depends_on| Charge::ByUse(depends_on)),
    }
}

fn no_price() -> Charge {
    Charge::Unknown("no price known".to_owned())
}

fn endpoint(properties: &Value, template: &Template, templates: &[Template], zones: Option<u64>) -> Charge {
    match properties.get("VpcEndpointType") {
        // CloudFormation's default.
        None => Charge::Nothing,
        Some(Value::String(kind)) if kind == "Gateway" => Charge::Nothing,
        Some(Value::String(kind)) if kind == "Interface" => {
            let found = match properties.get("SubnetIds") {
                Some(subnets) => length::of(subnets, template, templates),
                None => Err("it names no subnets".to_owned()),
            };
            match (found, zones) {
                (Ok(found), _) => Charge::Units("interface-endpoint", found),
                (Err(_), Some(zones)) => Charge::Units("interface-endpoint", zones),
                (Err(why), None) => Charge::Unknown(format!("{why}: give the number with --zones")),
            }
        }
        Some(_) => Charge::Unknown("no price known for this type of endpoint".to_owned()),
    }
}

fn alarm(properties: &Value) -> Charge {
    let fast = |period: Option<&Value>| period.and_then(Value::as_u64).is_some_and(|seconds| seconds < 60);
    let name = |fast: bool| if fast { "alarm-metric-fast" } else { "alarm-metric" };
    if properties.get("ThresholdMetricId").is_some() {
        return Charge::Unknown("it watches an anomaly band".to_owned());
    }
    match properties.get("Metrics") {
        None => Charge::Units(name(fast(properties.get("Period"))), 1),
        Some(Value::Array(queries)) => {
            let stats: Vec<&Value> = queries.iter().filter_map(|query| query.get("MetricStat")).collect();
            let queried = queries.iter().filter_map(|query| query.get("Expression"));
            let searches = queried.filter_map(Value::as_str).any(|text| {
                let text = text.trim_start().to_ascii_uppercase();
                text.starts_with("SELECT") || text.contains("SEARCH(")
            });
            if searches || stats.is_empty() {
                return Charge::Unknown("it queries metrics, and is billed for those that it finds".to_owned());
            }
            let fast = stats.iter().any(|stat| fast(stat.get("Period")));
            Charge::Units(name(fast), stats.len() as u64)
        }
        Some(_) => Charge::Unknown("its metrics are not written in the template".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_types_can_be_read() {
        let types: Types = serde_json::from_str(include_str!("../../data/resources.json")).unwrap();
        assert!(types.free.len() > 50 && types.usage.len() > 20);
        assert!(types.free.iter().all(|kind| !types.usage.contains_key(kind)));
    }
}
