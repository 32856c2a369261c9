//! Domains and profiles.

use serde_json::json;

use super::bench::{Bench, ROLE, here, portal};
use super::cloud::{Fault, UserProfile};

fn profile(owner: &str, domain: Option<&str>, role: &str) -> UserProfile {
    let tags = [("a", "1"), ("b", "2"), ("c", "3"), ("d", "4"), ("e", "5"), ("studiouserid", owner)];
    let tags = tags.into_iter().chain(domain.map(|domain| ("DomainName", domain)));
    UserProfile {
        tags: tags.map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
        settings: json!({ "ExecutionRole": format!("{ROLE}/{role}") }),
        status: "InService".to_owned(),
        looks: 0,
    }
}

fn with_profile(profile: UserProfile) -> Bench {
    let bench = Bench::new(&here());
    bench.cloud.state().profiles.insert("jane".to_owned(), profile);
    bench
}

#[tokio::test]
async fn c5_at_the_first_sign_in_the_profile_is_made_with_tags_role_groups_and_lifecycle() {
    let bench = Bench::new(&here());
    assert_eq!(bench.enter_by_saml("jane").await.status, 303);
    let state = bench.cloud.state();
    let create = state.calls.iter().find(|call| call.name == "sagemaker.CreateUserProfile").unwrap().json();
    let config = "arn:aws:sagemaker:eu-west-1:123456789012:studio-lifecycle-config/lab";
    assert_eq!(
        create,
        json!({
            "DomainId": "d-1", "UserProfileName": "jane",
            "Tags": [
                { "Key": "studiouserid", "Value": "jane" }, { "Key": "DomainName", "Value": "team1" },
                { "Key": "CostCentre", "Value": "42" },
            ],
            "UserSettings": {
                "ExecutionRole": "arn:aws:iam::123456789012:role/analyst", "SecurityGroups": ["sg-0123"],
                "JupyterLabAppSettings": {
                    "DefaultResourceSpec": { "LifecycleConfigArn": config }, "LifecycleConfigArns": [config],
                },
            },
        })
    );
}

#[tokio::test]
async fn c5_two_first_sign_ins_at_once_make_one_profile() {
    let bench = Bench::new(&portal());
    bench.cloud.state().looks = 3;
    let tasks: Vec<_> = (0..6)
        .map(|number| {
            let mut says = bench.says("jane");
            says.assertion_id = format!("_assertion-{number}");
            let (bench, ask) = (bench.clone(), bench.post(&says, None));
            tokio::spawn(async move { bench.access(ask).await })
        })
        .collect();
    for task in tasks {
        let got = task.await.unwrap();
        assert_eq!(got.status, 303, "{got:?}");
    }
    assert!(bench.cloud.count("sagemaker.CreateUserProfile") > 1, "they met");
    assert_eq!(bench.cloud.state().profiles.len(), 1);
}

#[tokio::test]
async fn a_profile_that_another_makes_at_the_same_time_is_not_taken_for_one_s_own() {
    // The name is free when it is looked for, and taken when it is made.
    let bench = Bench::new(&portal());
    bench.cloud.state().profiles.insert("jane".to_owned(), profile("another", Some("team1"), "analyst"));
    bench.cloud.state().hidden = 1;
    let got = bench.access(bench.post(&bench.says("jane"), None)).await;
    assert_eq!(bench.cloud.count("sagemaker.CreateUserProfile"), 1);
    assert_eq!((got.status, &*got.code()), (403, "profile-not-yours"));
    assert_eq!(bench.cloud.state().urls, 0);
}

#[tokio::test]
async fn somebody_else_s_profile_is_not_opened() {
    for (profile, what) in [
        (profile("another", Some("team1"), "analyst"), "another person's"),
        (profile("Jane", Some("team1"), "analyst"), "another case"),
        (profile("jane", None, "analyst"), "no domain"),
        (profile("jane", Some("team10"), "analyst"), "another domain"),
        (UserProfile { status: "InService".to_owned(), ..UserProfile::default() }, "no tags"),
    ] {
        let bench = with_profile(profile);
        let got = bench.enter_by_saml("jane").await;
        assert_eq!((got.status, &*got.code()), (403, "profile-not-yours"), "{what}");
        let calls = bench.cloud.take_calls();
        for call in ["sagemaker.CreatePresignedDomainUrl", "sagemaker.UpdateUserProfile", "sagemaker.CreateUserProfile"]
        {
            assert!(!calls.iter().any(|made| made == call), "{what}: {calls:?}");
        }
    }
    // The owner's tag is on the second page of seven.
    let bench = with_profile(profile("jane", Some("team1"), "analyst"));
    assert_eq!(bench.enter_by_saml("jane").await.status, 303);
    assert_eq!(bench.cloud.count("sagemaker.ListTags"), 2);
}

#[tokio::test]
async fn a_role_claim_that_changed_is_applied_before_the_url_is_made() {
    let bench = with_profile(profile("jane", Some("team1"), "engineer"));
    bench.cloud.state().looks = 2;
    assert_eq!(bench.enter_by_saml("jane").await.status, 303);
    let calls = bench.cloud.take_calls();
    let at = |name: &str| calls.iter().position(|call| call == name).unwrap();
    assert!(at("sagemaker.UpdateUserProfile") < at("sagemaker.CreatePresignedDomainUrl"), "{calls:?}");
    assert_eq!(bench.cloud.state().profiles["jane"].settings["ExecutionRole"], format!("{ROLE}/analyst"));
    assert_eq!(calls.iter().filter(|call| *call == "sagemaker.UpdateUserProfile").count(), 1);
    // The same claim again changes nothing.
    bench.wait(1);
    assert_eq!(bench.enter_by_saml("jane").await.status, 303);
    assert_eq!(bench.cloud.count("sagemaker.UpdateUserProfile"), 0);
}

#[tokio::test]
async fn a_role_that_cannot_be_given_opens_nothing() {
    let bench = with_profile(profile("jane", Some("team1"), "engineer"));
    // login, request, assertion, four pages of domains' listing, profile, two pages of tags, update.
    let mut update = None;
    for call in 3..16 {
        let probe = with_profile(profile("jane", Some("team1"), "engineer"));
        probe.enter_by_saml("jane").await;
        if probe.cloud.take_calls().get(call).is_some_and(|name| name == "sagemaker.UpdateUserProfile") {
            update = Some(call);
        }
    }
    bench.cloud.state().faults.insert(update.unwrap(), Fault::Denied);
    let got = bench.enter_by_saml("jane").await;
    assert_eq!((got.status, &*got.code()), (500, "permission"));
    assert_eq!(bench.cloud.state().urls, 0);
}

#[tokio::test]
async fn a_profile_that_failed_is_told_and_one_that_goes_is_waited_for() {
    let mut failed = profile("jane", Some("team1"), "analyst");
    failed.status = "Failed".to_owned();
    let got = with_profile(failed.clone()).enter_by_saml("jane").await;
    assert_eq!((got.status, &*got.code()), (500, "profile-failed"));
    failed.status = "Deleting".to_owned();
    let got = with_profile(failed.clone()).enter_by_saml("jane").await;
    assert_eq!(got.status, 200, "a page that asks again: {got:?}");
    failed.status = "Update_Failed".to_owned();
    failed.settings["ExecutionRole"] = json!(format!("{ROLE}/engineer"));
    let got = with_profile(failed).enter_by_saml("jane").await;
    assert_eq!(got.status, 303, "the update is made again: {got:?}");
}

#[tokio::test]
async fn d2_the_domain_is_found_by_name_over_every_page_and_remembered() {
    let bench = Bench::new(&here());
    assert_eq!(bench.enter_by_saml("jane").await.status, 303);
    // `team1` is the fourth of five, in pages of two.
    assert_eq!(bench.cloud.count("sagemaker.ListDomains"), 3);
    let create =
        bench.cloud.state().calls.iter().find(|call| call.name == "sagemaker.CreateUserProfile").unwrap().json();
    assert_eq!(create["DomainId"], "d-1");
    bench.cloud.take_calls();
    bench.wait(599);
    assert_eq!(bench.enter_by_saml("jane").await.status, 303);
    assert_eq!(bench.cloud.count("sagemaker.ListDomains"), 0);
    bench.wait(1);
    assert_eq!(bench.enter_by_saml("jane").await.status, 303);
    assert_eq!(bench.cloud.count("sagemaker.ListDomains"), 3, "not for ever");
}

#[tokio::test]
async fn a_domain_that_was_made_anew_is_found_again() {
    let bench = Bench::new(&portal());
    assert_eq!(bench.access(bench.post(&bench.says("jane"), None)).await.status, 303);
    bench.cloud.state().domains[3].1 = "d-new".to_owned();
    bench.wait(1);
    assert_eq!(bench.access(bench.post(&bench.says("jane"), None)).await.status, 500);
    bench.wait(1);
    assert_eq!(bench.access(bench.post(&bench.says("jane"), None)).await.status, 303);
}

#[tokio::test]
async fn two_domains_of_one_name_and_none_are_errors() {
    let bench = Bench::new(&here());
    bench.cloud.state().domains.push(("team1".to_owned(), "d-other".to_owned()));
    let got = bench.enter_by_saml("jane").await;
    assert_eq!((got.status, &*got.code()), (500, "domain-ambiguous"));
    let bench = Bench::new(&here());
    bench.cloud.state().domains.retain(|(name, _)| name != "team1");
    let got = bench.enter_by_saml("jane").await;
    assert_eq!((got.status, &*got.code()), (404, "domain-unknown"));
    assert_eq!(bench.cloud.state().profiles.len(), 0);
}

#[tokio::test]
async fn where_the_file_knows_the_id_nothing_is_listed() {
    let bench = Bench::new(&portal());
    let mut says = bench.says("jane");
    says.attributes = vec![("domain".to_owned(), vec!["known".to_owned()])];
    let got = bench.access(bench.post(&says, None)).await;
    // `known` has no default role, and the file wants a role.
    assert_eq!((got.status, &*got.code()), (403, "claim-missing"));
    let mut file = portal();
    file["domains"][2]["defaultExecutionRole"] = json!(format!("{ROLE}/default"));
    assert_eq!(bench.again(&file).access(bench.post(&says, None)).await.status, 303);
    assert_eq!(bench.cloud.count("sagemaker.ListDomains"), 0);
    assert_eq!(bench.cloud.state().profiles["jane"].settings["ExecutionRole"], format!("{ROLE}/default"));
}
