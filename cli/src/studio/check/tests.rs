use std::collections::BTreeMap;

use serde_json::json;

use super::deployed::{Described, Listed, RunningApp, State};
use super::*;
use crate::studio::file::{App, Profile, Setting};

const ARN: &str = "arn:aws:sagemaker:eu-west-1:111122223333:domain/d-1";
const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/k-1";

/// A file whose domain is deployed as it says.
fn file() -> Domain {
    let setting = |setting: &str, key: &str, value| Setting { setting: setting.into(), key: key.into(), value };
    Domain {
        name: "team".into(),
        file: "team.yaml".into(),
        auth_mode: "IAM".into(),
        vpc_id: "vpc-1".into(),
        subnet_ids: vec!["subnet-a".into(), "subnet-b".into()],
        allow_replacement: false,
        profiles: vec![profile("ana"), profile("ben")],
        apps: vec![
            App { kind: "JupyterLab".into(), default_instance_type: Some("ml.t3.medium".into()) },
            App { kind: "JupyterServer".into(), default_instance_type: Some("system".into()) },
            App { kind: "CodeEditor".into(), default_instance_type: None },
        ],
        immutable: vec![
            setting("AuthMode", "domain.authMode", json!("IAM")),
            setting("DomainName", "domain.name", json!("team")),
            setting("KmsKeyId", "domain.kmsKeyArn", json!("arn:{{partition}}:kms:{{region}}:{{account}}:key/k-1")),
            setting("VpcId", "domain.vpcId", json!("ssm:/net/vpc-id")),
        ],
        warnings: vec![],
    }
}

fn profile(name: &str) -> Profile {
    Profile { name: name.into(), key: name.into(), line: 9 }
}

fn state() -> State {
    let owner = |name: &str| (name.to_owned(), Ok(Some(name.to_owned())));
    State {
        described: Ok(Described {
            arn: ARN.into(),
            status: "InService".into(),
            auth_mode: "IAM".into(),
            vpc_id: Some("vpc-1".into()),
            subnet_ids: vec!["subnet-b".into(), "subnet-a".into()],
            kms_key_id: Some(KEY.into()),
            network: Some("VpcOnly".into()),
        }),
        tags: Ok(BTreeMap::from([("aws:cloudformation:stack-name".into(), "TidegateStudio-team".into())])),
        profiles: Ok(vec!["ana".into(), "ben".into()]),
        owners: BTreeMap::from([owner("ana"), owner("ben")]),
    }
}

fn deployed() -> Deployed {
    Deployed {
        region: "eu-west-1".into(),
        domains: Ok(vec![
            Listed { id: "d-0".into(), name: "other".into() },
            Listed { id: "d-1".into(), name: "team".into() },
        ]),
        states: BTreeMap::from([("d-1".into(), state())]),
        profiles: Ok(5),
        apps: Ok(vec![]),
        quotas: Ok(BTreeMap::from([
            ("Total domains".into(), 5.0),
            ("Maximum number of Studio user profiles allowed per account".into(), 60.0),
            ("Maximum number of running Studio apps allowed per account".into(), 20.0),
            ("Studio JupyterLab Apps running on ml.t3.medium instances".into(), 2.0),
        ])),
        parameters: BTreeMap::from([("/net/vpc-id".into(), Ok(vec!["vpc-1".into()]))]),
    }
}

fn with_state(change: impl FnOnce(&mut State)) -> Deployed {
    let mut deployed = deployed();
    change(deployed.states.get_mut("d-1").unwrap());
    deployed
}

fn with_described(change: impl FnOnce(&mut Described)) -> Deployed {
    with_state(|state| change(state.described.as_mut().unwrap()))
}

/// All findings that are not fine.
#[track_caller]
fn trouble(file: &Domain, deployed: &Deployed) -> Vec<Finding> {
    let findings = compare(std::slice::from_ref(file), Some(deployed));
    findings.into_iter().filter(|finding| finding.severity != Severity::Fine).collect()
}

/// The only finding that is not fine.
#[track_caller]
fn only(file: &Domain, deployed: &Deployed) -> Finding {
    let mut all = trouble(file, deployed);
    assert_eq!(all.len(), 1, "{all:#?}");
    all.remove(0)
}

#[track_caller]
fn assert_stops(finding: &Finding, what: &str, deployed: &str, wanted: &str) {
    assert_eq!((finding.severity, finding.what.as_str()), (Severity::Stops, what), "{finding:#?}");
    assert_eq!((finding.deployed.as_deref(), finding.wanted.as_deref()), (Some(deployed), Some(wanted)));
}

#[test]
fn e5_what_is_deployed_as_its_file_says_is_fine() {
    assert_eq!(trouble(&file(), &deployed()), []);
    assert!(compare(&[file()], Some(&deployed())).len() > 10);
}

#[test]
fn e5_each_setting_that_cannot_be_changed_stops_with_both_values() {
    let finding = only(&file(), &with_described(|described| described.auth_mode = "SSO".into()));
    assert_stops(&finding, "domain.authMode", "SSO", "IAM");
    assert!(finding.meaning.contains("put the deployed value into the file"), "{}", finding.meaning);

    let finding = only(&file(), &with_described(|described| described.vpc_id = Some("vpc-9".into())));
    assert_stops(&finding, "domain.vpcId", "vpc-9", "vpc-1");

    let finding = only(&file(), &with_described(|described| described.kms_key_id = Some("k-9".into())));
    assert_stops(&finding, "domain.kmsKeyArn", "k-9", KEY);
    let finding = only(&file(), &with_described(|described| described.kms_key_id = None));
    assert_stops(&finding, "domain.kmsKeyArn", "AWS's own key", KEY);
}

#[test]
fn e5_a_key_that_the_stack_makes_is_not_compared_but_aws_s_own_key_is_another() {
    let mut file = file();
    file.immutable[2].value = json!(null);
    assert_eq!(trouble(&file, &deployed()), []);
    let finding = only(&file, &with_described(|described| described.kms_key_id = None));
    assert_stops(&finding, "domain.kmsKeyArn", "AWS's own key", "a key of the stack");
}

#[test]
fn e5_an_alias_of_a_key_is_not_checked() {
    let alias = "arn:aws:kms:eu-west-1:111122223333:alias/studio";
    let finding = only(&file(), &with_described(|described| described.kms_key_id = Some(alias.into())));
    assert_eq!((finding.severity, finding.what.as_str()), (Severity::NotChecked, "domain.kmsKeyArn"));
}

#[test]
fn e5_a_replacement_that_the_file_allows_warns() {
    let file = Domain { allow_replacement: true, ..file() };
    let finding = only(&file, &with_described(|described| described.auth_mode = "SSO".into()));
    assert_eq!(finding.severity, Severity::Warns);
    assert!(finding.meaning.contains("the domain is replaced"), "{}", finding.meaning);
    let finding = only(&file, &with_described(|described| described.vpc_id = Some("vpc-9".into())));
    assert_eq!(finding.severity, Severity::Stops, "another VPC is no replacement: SageMaker refuses it");
}

#[test]
fn e5_a_parameter_that_is_not_known_is_not_checked() {
    let mut deployed = deployed();
    deployed.parameters.insert("/net/vpc-id".into(), Err("AccessDenied".into()));
    let finding = only(&file(), &deployed);
    assert_eq!((finding.severity, finding.meaning.as_str()), (Severity::NotChecked, "AccessDenied"));
    deployed.parameters.insert("/net/vpc-id".into(), Ok(vec!["vpc-1".into(), "vpc-2".into()]));
    assert_eq!(only(&file(), &deployed).meaning, "`ssm:/net/vpc-id` holds no single value");
}

#[test]
fn e5_subnets_can_be_added_and_taken_away_only_while_no_app_runs() {
    let mut deployed = with_described(|described| described.subnet_ids = vec!["subnet-a".into()]);
    let finding = only(&file(), &deployed);
    assert_eq!((finding.severity, finding.what.as_str()), (Severity::Warns, "domain.subnetIds"));

    deployed = with_described(|described| described.subnet_ids.push("subnet-c".into()));
    assert_eq!(only(&file(), &deployed).severity, Severity::Warns);
    let app = RunningApp { domain_id: "d-1".into(), kind: "JupyterLab".into(), instance_type: None };
    deployed.apps = Ok(vec![app]);
    let finding = only(&file(), &deployed);
    assert_stops(&finding, "domain.subnetIds", "subnet-a, subnet-b, subnet-c", "subnet-a, subnet-b");
    assert!(finding.meaning.contains("1 do. Stop them first"), "{}", finding.meaning);
}

#[test]
fn e5_a_list_of_subnets_may_be_one_parameter() {
    let file = Domain { subnet_ids: vec!["ssm:/net/subnets".into()], ..file() };
    let mut deployed = deployed();
    deployed.parameters.insert("/net/subnets".into(), Ok(vec!["subnet-a".into(), "subnet-b".into()]));
    assert_eq!(trouble(&file, &deployed), []);
}

#[test]
fn e5_a_public_domain_moves_into_the_vpc_only_while_no_app_runs() {
    let mut deployed = with_described(|described| described.network = Some("PublicInternetOnly".into()));
    assert_eq!(only(&file(), &deployed).severity, Severity::Warns);
    deployed.apps = Err("AccessDeniedException: no".into());
    let severities: Vec<Severity> = trouble(&file(), &deployed).iter().map(|finding| finding.severity).collect();
    // The network mode, and the quotas of running apps: of all, and of the file's instance type.
    assert_eq!(severities, [Severity::NotChecked; 3]);
}

#[test]
fn e5_a_domain_that_is_not_in_service_stops() {
    for (status, severity) in [
        ("Updating", Severity::Stops),
        ("Deleting", Severity::Stops),
        ("Failed", Severity::Stops),
        ("Update_Failed", Severity::Warns),
    ] {
        let finding = only(&file(), &with_described(|described| described.status = status.into()));
        assert_eq!((finding.severity, finding.what.as_str()), (severity, "domain"), "{status}");
    }
}

#[test]
fn e5_a_domain_that_no_stack_made_and_two_of_a_name_are_told() {
    let finding =
        only(&file(), &with_state(|state| drop(state.tags.as_mut().unwrap().remove("aws:cloudformation:stack-name"))));
    assert_eq!((finding.severity, finding.what.as_str()), (Severity::Warns, "stack"));

    let mut deployed = deployed();
    deployed.domains.as_mut().unwrap().push(Listed { id: "d-2".into(), name: "team".into() });
    let finding = only(&file(), &deployed);
    assert_eq!((finding.severity, finding.what.as_str()), (Severity::Stops, "domain.name"));
    assert!(finding.meaning.contains("d-1, d-2"), "{}", finding.meaning);
}

#[test]
fn e5_a_new_domain_is_fine() {
    let mut deployed = deployed();
    deployed.domains.as_mut().unwrap().pop();
    assert_eq!(trouble(&file(), &deployed), []);
}

#[test]
fn e5_a_profile_of_another_user_stops() {
    let mut file = file();
    file.profiles[0].key = "an.a".into();
    let finding = only(&file, &deployed());
    assert_stops(&finding, "domain.userProfiles.an.a", "ana", "an.a");
    assert!(finding.meaning.starts_with("team.yaml:9: "), "{}", finding.meaning);
}

#[test]
fn e5_a_profile_in_other_letters_stops() {
    let finding = only(&file(), &with_state(|state| state.profiles = Ok(vec!["Ana".into(), "ben".into()])));
    assert_stops(&finding, "domain.userProfiles.ana", "Ana", "ana");
    let mut file = file();
    file.profiles.push(profile("ANA"));
    let stops: Vec<String> = trouble(&file, &deployed()).into_iter().map(|finding| finding.meaning).collect();
    assert!(stops.iter().any(|meaning| meaning.contains("`ANA` and `ana` (line 9) are one profile")), "{stops:?}");
}

#[test]
fn e5_a_profile_whose_user_is_not_known_is_not_fine() {
    let owned = |owner| with_state(|state| drop(state.owners.insert("ana".into(), owner)));
    assert_eq!(only(&file(), &owned(Ok(None))).severity, Severity::Warns);
    assert_eq!(only(&file(), &owned(Err("AccessDenied".into()))).severity, Severity::NotChecked);
}

#[test]
fn e5_profiles_that_are_not_in_the_file_are_told() {
    let finding = only(&file(), &with_state(|state| state.profiles.as_mut().unwrap().push("zoe".into())));
    assert_eq!(finding.severity, Severity::Warns);
    assert!(finding.meaning.starts_with("1 deployed profiles are not in the file: zoe."), "{}", finding.meaning);
}

#[test]
fn e5_quotas_of_domains_and_profiles_stop_and_those_of_apps_warn() {
    let with_quota = |name: &str, value: f64| {
        let mut deployed = deployed();
        deployed.domains.as_mut().unwrap().pop();
        deployed.quotas.as_mut().unwrap().insert(name.into(), value);
        deployed
    };
    // One domain and five profiles are there; one domain and two profiles would be made.
    for (name, enough, severity) in [
        ("Total domains", 2.0, Severity::Stops),
        ("Maximum number of Studio user profiles allowed per account", 7.0, Severity::Stops),
        ("Maximum number of running Studio apps allowed per account", 2.0, Severity::Warns),
        ("Studio JupyterLab Apps running on ml.t3.medium instances", 2.0, Severity::Warns),
    ] {
        assert_eq!(trouble(&file(), &with_quota(name, enough)), [], "{name}");
        let finding = only(&file(), &with_quota(name, enough - 1.0));
        assert_eq!((finding.severity, finding.what), (severity, format!("quota `{name}`")));
        assert!(finding.meaning.contains("ask for more at Service Quotas"), "{}", finding.meaning);
    }
}

#[test]
fn e5_a_quota_that_is_full_does_not_stop_a_change_that_adds_nothing() {
    let mut deployed = deployed();
    deployed.quotas.as_mut().unwrap().insert("Total domains".into(), 1.0);
    assert_eq!(trouble(&file(), &deployed), []);
}

#[test]
fn e5_apps_in_other_domains_count_and_those_of_the_file_s_users_do_not_count_twice() {
    let app = |id: &str| RunningApp { domain_id: id.into(), kind: "JupyterLab".into(), instance_type: None };
    let mut deployed = deployed();
    deployed.apps = Ok(vec![app("d-1"), app("d-1"), app("d-0")]);
    let findings = compare(&[file()], Some(&deployed));
    let quota = findings.iter().find(|finding| finding.what.contains("running Studio apps")).unwrap();
    assert_eq!((quota.wanted.as_deref(), quota.deployed.as_deref()), (Some("3"), Some("20")));
    let of_the_type = |instance: &str| {
        let mut deployed = deployed.clone();
        let elsewhere = deployed.apps.as_mut().unwrap().last_mut().unwrap();
        elsewhere.instance_type = Some(instance.into());
        compare(&[file()], Some(&deployed)).into_iter().find(|finding| finding.what.contains("ml.t3.medium")).unwrap()
    };
    assert_eq!(of_the_type("ml.g5.xlarge").wanted.as_deref(), Some("2"));
    assert_eq!(of_the_type("ml.t3.medium").wanted.as_deref(), Some("3"));
}

#[test]
fn e5_a_quota_that_is_not_listed_is_not_passed() {
    let mut deployed = deployed();
    deployed.quotas.as_mut().unwrap().remove("Total domains");
    let finding = only(&file(), &deployed);
    assert_eq!((finding.severity, finding.what.as_str()), (Severity::NotChecked, "quota `Total domains`"));
}

#[test]
fn e5_offline_looks_at_the_files_and_says_that_it_did_no_more() {
    let findings = compare(&[Domain { warnings: vec!["team.yaml:3: x".into()], ..file() }], None);
    let severities: Vec<Severity> = findings.iter().map(|finding| finding.severity).collect();
    assert_eq!(severities, [Severity::Warns, Severity::NotChecked, Severity::Fine]);
}
