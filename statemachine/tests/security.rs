//! Network and keys of jobs in a rendered definition: byte for byte, step by step, and the same in all of them.
//!
//! `UPDATE_GOLDEN=1 cargo test -p statemachine --test security` writes the golden file anew.

// Tests read files; the crate under test may not.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::disallowed_methods)]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use serde_json::{Value, json};
use statemachine::config::{InstanceType, Pipeline};
use statemachine::definition::{Action, CodeLocation, Deployed, Environment, JobSecurity, SecurityText, plan, render};

const EXAMPLE: &str = include_str!("golden/definition/pipeline.yaml");
const VOLUME: &str = "arn:aws:kms:us-east-1:000000000000:key/11111111-1111-1111-1111-111111111111";
const OUTPUT: &str = "arn:aws:kms:us-east-1:000000000000:key/22222222-2222-2222-2222-222222222222";

fn parse(text: &str) -> Pipeline {
    Pipeline::parse("pipeline.yaml", text, &|_| true).unwrap_or_else(|errors| panic!("{errors}"))
}

fn security(network: bool, volume: bool, output: bool) -> JobSecurity {
    JobSecurity::parse(SecurityText {
        subnets: network.then_some("subnet-b,subnet-a"),
        security_groups: network.then_some("sg-1"),
        volume_key: volume.then_some(VOLUME),
        output_key: output.then_some(OUTPUT),
    })
    .unwrap()
}

fn body(pipeline: &Pipeline, security: JobSecurity) -> String {
    let code = CodeLocation::new("0123456789abcdef".repeat(4)).unwrap();
    let (bucket, role) = ("tidegate-data-000000000000-us-east-1", "arn:aws:iam::000000000000:role/tidegate-job");
    let environment = Environment::new("000000000000", "us-east-1", bucket, role, code).unwrap();
    render(pipeline, &environment.with_security(security)).unwrap().body
}

fn steps(body: &str) -> Vec<Value> {
    let body: Value = serde_json::from_str(body).unwrap();
    body["Steps"].as_array().unwrap().clone()
}

/// What a step says of network and keys, wherever its kind of job has it: encryption of traffic, network, volume, output.
fn said(step: &Value) -> [Value; 4] {
    let arguments = &step["Arguments"];
    let (network, cluster, output) = match step["Type"].as_str().unwrap() {
        "Processing" => {
            let network = arguments.get("NetworkConfig").cloned().unwrap_or(json!({}));
            (network, &arguments["ProcessingResources"]["ClusterConfig"], &arguments["ProcessingOutputConfig"])
        }
        "Training" => (arguments.clone(), &arguments["ResourceConfig"], &arguments["OutputDataConfig"]),
        other => panic!("a step of type {other}"),
    };
    let member = |value: &Value, name: &str| value.get(name).cloned().unwrap_or(Value::Null);
    [
        member(&network, "EnableInterContainerTrafficEncryption"),
        member(&network, "VpcConfig"),
        member(cluster, "VolumeKmsKeyId"),
        member(output, "KmsKeyId"),
    ]
}

#[test]
fn e10_the_example_with_every_setting_renders_as_it_did() {
    let body: Value = serde_json::from_str(&body(&parse(EXAMPLE), security(true, true, true))).unwrap();
    let found = format!("{}\n", serde_json::to_string_pretty(&body).unwrap());
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/definition/definition-secured.json");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &found).unwrap();
    }
    let wanted = fs::read_to_string(&path).unwrap();
    assert!(wanted == found, "{} is stale: look at the change, then set UPDATE_GOLDEN=1\n{found}", path.display());
}

#[test]
fn e10_each_member_is_there_with_its_setting_and_not_without() {
    let pipeline = parse(EXAMPLE);
    let kinds: BTreeSet<String> =
        steps(&body(&pipeline, JobSecurity::default())).iter().map(|step| step["Type"].to_string()).collect();
    assert_eq!(kinds, ["\"Processing\"", "\"Training\""].map(String::from).into());
    let vpc = json!({"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-a", "subnet-b"]});
    for bits in 0..8 {
        let (network, volume, output) = (bits & 1 > 0, bits & 2 > 0, bits & 4 > 0);
        let given = |given: bool, value: Value| if given { value } else { Value::Null };
        let expected = [
            given(bits > 0, true.into()),
            given(network, vpc.clone()),
            given(volume, VOLUME.into()),
            given(output, OUTPUT.into()),
        ];
        for step in steps(&body(&pipeline, security(network, volume, output))) {
            assert_eq!(said(&step), expected, "{bits}: {step}");
        }
    }
}

#[test]
fn e10_a_definition_without_settings_is_the_one_of_before() {
    let found = body(&parse(EXAMPLE), JobSecurity::default());
    let golden: Value = serde_json::from_str(include_str!("golden/definition/definition.json")).unwrap();
    assert_eq!(found, golden.to_string());
    assert!(!found.contains("NetworkConfig") && !found.contains("Kms"));
}

#[test]
fn e10_an_instance_with_disks_of_its_own_gets_no_key_for_a_volume() {
    let own = |text: &str| {
        let steps = steps(&body(&parse(text), security(true, true, true)));
        steps.iter().map(|step| (step["Name"].as_str().unwrap().to_owned(), said(step))).collect::<Vec<_>>()
    };
    let keyless = |text: &str| {
        let found = own(text).into_iter();
        found.filter(|(_, said)| said[2].is_null()).map(|(name, _)| name).collect::<Vec<_>>()
    };
    assert_eq!(keyless(EXAMPLE), [""; 0]);
    // Of preprocess the instance is the parameter's default; train and evaluate say theirs.
    assert_eq!(keyless(&EXAMPLE.replace("InstanceType: ml.m5.large", "InstanceType: ml.m5d.large")), ["preprocess"]);
    let gpu = EXAMPLE.replace("instance: ml.m5.large", "instance: ml.g5.xlarge");
    assert_eq!(keyless(&gpu), ["train", "evaluate"]);
    // The rest is there all the same.
    assert!(own(&gpu).iter().all(|(_, said)| said[0] == true && said[1].is_object() && said[3] == OUTPUT));
}

#[test]
fn e10_a_plan_shows_what_changed_settings_change() {
    let pipeline = parse(EXAMPLE);
    let before = body(&pipeline, security(false, true, false));
    let after = body(&pipeline, security(true, true, false));
    let plan = plan(Deployed { pipeline: Some(&pipeline), definition: Some(&before) }, &pipeline, &after);
    let changed: Vec<String> = plan
        .changes
        .iter()
        .filter(|change| change.action != Action::Unchanged)
        .map(|change| format!("{}: {}", change.subject, change.keys[0].key))
        .collect();
    let expected = [
        "step evaluate: NetworkConfig.VpcConfig.SecurityGroupIds[0]",
        "step preprocess: NetworkConfig.VpcConfig.SecurityGroupIds[0]",
        "step train: VpcConfig.SecurityGroupIds[0]",
    ];
    assert_eq!(changed, expected);
}

fn names(pattern: &'static str, most: usize) -> impl Strategy<Value = Vec<String>> {
    prop::collection::btree_set(pattern, 1..=most)
        .prop_map(|names| names.into_iter().collect::<Vec<_>>())
        .prop_shuffle()
}

fn any_key() -> impl Strategy<Value = Option<String>> {
    prop::option::of("arn:aws:kms:us-east-1:[0-9]{12}:key/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
}

proptest! {
    #[test]
    fn e10_whatever_the_settings_all_steps_carry_the_same(
        network in prop::option::of((names("subnet-[0-9a-z]{1,17}", 16), names("sg-[0-9a-z]{1,17}", 5))),
        volume in any_key(),
        output in any_key(),
        instances in prop::collection::vec(prop::sample::select(vec!["ml.m5.large", "ml.g5.xlarge", "ml.c5d.large"]), 3),
    ) {
        let lists = network.as_ref().map(|(subnets, groups)| (subnets.join(","), groups.join(",")));
        let text = SecurityText {
            subnets: lists.as_ref().map(|(subnets, _)| subnets.as_str()),
            security_groups: lists.as_ref().map(|(_, groups)| groups.as_str()),
            volume_key: volume.as_deref(),
            output_key: output.as_deref(),
        };
        let security = JobSecurity::parse(text).unwrap();
        let mut parts = EXAMPLE.split("instance: ml.m5.large");
        let mut yaml = parts.next().unwrap().replace("InstanceType: ml.m5.large", &format!("InstanceType: {}", instances[0]));
        for (part, instance) in parts.zip(instances.iter().cycle().skip(1)) {
            yaml.push_str(&format!("instance: {instance}{part}"));
        }
        let pipeline = parse(&yaml);
        let rendered = body(&pipeline, security.clone());
        prop_assert_eq!(&rendered, &body(&pipeline, security.clone()));
        let stored: JobSecurity = serde_json::from_str(&serde_json::to_string(&security).unwrap()).unwrap();
        prop_assert_eq!(&rendered, &body(&pipeline, stored));
        for step in steps(&rendered) {
            let [traffic, vpc, key, result] = said(&step);
            let instance = if step["Type"] == "Training" {
                &step["Arguments"]["ResourceConfig"]["InstanceType"]
            } else {
                &step["Arguments"]["ProcessingResources"]["ClusterConfig"]["InstanceType"]
            };
            let instance = InstanceType::new(instance.as_str().unwrap_or(instances[0])).unwrap();
            prop_assert_eq!(traffic == true, !security.is_none());
            prop_assert_eq!(vpc.is_object(), network.is_some());
            if let Some((subnets, groups)) = &network {
                let set = |list: &Value| list.as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect::<BTreeSet<_>>();
                prop_assert_eq!(set(&vpc["Subnets"]), subnets.iter().cloned().collect());
                prop_assert_eq!(set(&vpc["SecurityGroupIds"]), groups.iter().cloned().collect());
            }
            let expected = volume.as_deref().filter(|_| !instance.has_local_storage());
            prop_assert_eq!(key.as_str(), expected);
            prop_assert_eq!(result.as_str(), output.as_deref());
        }
    }
}
