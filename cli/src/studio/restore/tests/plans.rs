//! What is planned.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::studio::backup::Unfit;
use crate::studio::manifest::Arn;
use crate::studio::manifest::tests::{map, profile, space, tags};

#[test]
fn e4_into_an_empty_domain_everything_is_made_profiles_first() {
    let mut manifest = backup();
    manifest.profiles[0].tags = tags(&[
        ("DomainName", "old"),
        ("studiouserid", "ann"),
        ("aws:cloudformation:stack-name", "s"),
        ("sagemaker:domain-arn", "arn"),
    ]);
    let plan = plan(&manifest, &empty(), &Wishes::default());
    assert_eq!(words(&plan), ["make ann", "make bob", "make lab"]);
    let Action::Make { members } = &plan.items[0].action else { panic!() };
    assert_eq!(
        *members,
        map(json!({
            "Tags": [{"Key": "DomainName", "Value": "new"}, {"Key": "studiouserid", "Value": "ann"}],
            "UserSettings": {"ExecutionRole": "arn:aws:iam::111122223333:role/analyst"}}))
    );
    let Action::Make { members } = &plan.items[2].action else { panic!() };
    assert_eq!(
        *members,
        map(json!({"Tags": [], "SpaceSettings": {"AppType": "JupyterLab"},
            "OwnershipSettings": {"OwnerUserProfileName": "ann"}, "SpaceSharingSettings": {"SharingType": "Private"}}))
    );
}

#[test]
fn e4_what_is_there_and_equal_is_taken_as_it_is() {
    let manifest = backup();
    let there = restored(&manifest);
    assert_eq!(words(&plan(&manifest, &there, &update())), ["adopt ann", "adopt bob", "adopt lab"]);
    // More tags are the new domain's affair; orders and empty values say nothing; names are of any case.
    let mut there = there;
    let ann = &mut there.taken.backup.profiles[0];
    ann.tags.insert("Project".into(), "tidegate".into());
    ann.settings.insert("SharingSettings".into(), json!({}));
    ann.name = Name::new("ANN").unwrap();
    assert_eq!(words(&plan(&manifest, &there, &update()))[0], "adopt ann");
}

#[test]
fn e4_what_differs_is_told_and_changed_only_when_asked() {
    let manifest = backup();
    let mut there = restored(&manifest);
    let ann = &mut there.taken.backup.profiles[0];
    ann.settings = map(json!({"ExecutionRole": "arn:aws:iam::111122223333:role/other", "StudioWebPortal": "ENABLED"}));
    ann.tags.remove("DomainName");
    let told = plan(&manifest, &there, &Wishes::default());
    assert_eq!(words(&told)[0], "leave ann");
    let told: Vec<(&str, Option<&str>, Option<&str>, bool)> = told.items[0]
        .differences
        .iter()
        .map(|it| (it.at.as_str(), it.wanted.as_deref(), it.found.as_deref(), it.can_update))
        .collect();
    let (analyst, other) = ("arn:aws:iam::111122223333:role/analyst", "arn:aws:iam::111122223333:role/other");
    assert_eq!(
        told,
        [
            ("UserSettings.ExecutionRole", Some(analyst), Some(other), true),
            // SageMaker's updates take nothing away.
            ("UserSettings.StudioWebPortal", None, Some("ENABLED"), false),
            ("tags.DomainName", Some("new"), None, true),
        ]
    );
    let changed = plan(&manifest, &there, &update());
    let Action::Update { members, tags: added, .. } = &changed.items[0].action else { panic!() };
    assert_eq!(*members, map(json!({"UserSettings": {"ExecutionRole": analyst}})));
    assert_eq!(*added, tags(&[("DomainName", "new")]));
}

#[test]
fn e4_what_sagemaker_cannot_change_of_a_space_is_never_sent() {
    let manifest = backup();
    let mut there = restored(&manifest);
    let lab = &mut there.taken.backup.spaces[0];
    lab.settings = map(json!({"AppType": "CodeEditor"}));
    lab.sharing = map(json!({"SharingType": "Shared"}));
    let plan = plan(&manifest, &there, &update());
    assert_eq!(words(&plan)[2], "leave lab");
    assert!(plan.items[2].differences.iter().all(|difference| !difference.can_update));
    assert_eq!(plan.items[2].differences.len(), 2);
}

#[test]
fn e4_a_namesake_s_profile_and_home_are_never_taken_over() {
    let manifest = backup();
    let mut there = restored(&manifest);
    there.taken.backup.profiles[0].tags.insert("studiouserid".into(), "another.ann".into());
    let plan = plan(&manifest, &there, &update());
    assert_eq!(words(&plan), ["stop ann", "adopt bob", "stop lab"]);
    assert_eq!(
        why(&plan, "ann"),
        "the profile there is of `another.ann` by its tag `studiouserid`, and the manifest's of `ann`"
    );
    assert_eq!(why(&plan, "lab"), "its owner, the profile `ann`, is not restored");
    let (homes, _) = script::homes(&manifest, &there, &plan);
    assert_eq!(homes.iter().map(|home| home.name.as_str()).collect::<Vec<_>>(), ["bob"]);
}

#[test]
fn e4_another_s_private_space_is_not_taken_over() {
    let manifest = backup();
    let mut there = restored(&manifest);
    there.taken.backup.spaces[0].ownership = map(json!({"OwnerUserProfileName": "bob"}));
    let plan = plan(&manifest, &there, &update());
    assert_eq!(why(&plan, "lab"), "the space there is of the profile `bob`, and the manifest's of `ann`");
}

#[test]
fn e4_a_space_without_its_owner_is_not_made() {
    let mut manifest = backup();
    manifest.profiles.remove(0);
    let lonely = plan(&manifest, &empty(), &Wishes::default());
    assert_eq!(why(&lonely, "lab"), "its owner, the profile `ann`, is neither in the manifest nor there");
    // It may be there without being in the manifest.
    let there = restored(&backup());
    assert_eq!(words(&plan(&manifest, &there, &Wishes::default())), ["adopt bob", "adopt lab"]);
}

#[test]
fn e4_what_failed_or_goes_away_there_has_to_be_gone_first() {
    let mut there = empty();
    there.taken.unfit.push(Unfit { kind: Kind::Profile, name: "Ann".into(), status: "Deleting".into() });
    let plan = plan(&backup(), &there, &Wishes::default());
    assert!(why(&plan, "ann").starts_with("one of this name is Deleting: "));
}

#[test]
fn e4_a_role_of_another_account_needs_a_decision() {
    let mut there = empty();
    there.taken.backup.domain.arn = Arn::new("arn:aws:sagemaker:eu-west-1:444455556666:domain/d-new").unwrap();
    let stopped = plan(&backup(), &there, &Wishes::default());
    assert_eq!(words(&stopped), ["stop ann", "stop bob", "stop lab"]);
    assert!(why(&stopped, "ann").contains("--map arn:aws:iam::111122223333:role/analyst="));
    let analyst = "arn:aws:iam::111122223333:role/analyst".to_owned();
    for replacement in [None, Some("arn:aws:iam::444455556666:role/analyst".to_owned())] {
        let replacements = [(analyst.clone(), replacement.clone())].into();
        let plan = plan(&backup(), &there, &Wishes { replacements, ..Wishes::default() });
        assert_eq!(words(&plan), ["make ann", "make bob", "make lab"]);
        let Action::Make { members } = &plan.items[0].action else { panic!() };
        let role = members.get("UserSettings").map(|settings| settings["ExecutionRole"].as_str().unwrap());
        assert_eq!(role, replacement.as_deref());
        assert_eq!(plan.warnings, [] as [&str; 0]);
    }
}

#[test]
fn e4_a_warning_is_told_once_however_many_have_the_setting() {
    let mut manifest = backup();
    for profile in &mut manifest.profiles {
        profile.settings.insert("SecurityGroups".into(), json!(["sg-1"]));
    }
    let mut there = empty();
    there.taken.backup.domain.vpc_id = Some("vpc-2".into());
    let plan = plan(&manifest, &there, &Wishes::default());
    assert_eq!(
        plan.warnings,
        [
            "`sg-1` (SecurityGroups) is of the old domain's VPC `vpc-1`, and the new one is in `vpc-2`, and is left out: \
          --map sg-1=OTHER gives another one, and --map sg-1= leaves it out without this warning"
        ]
    );
    assert_eq!(plan.domain.iter().map(|difference| difference.at.as_str()).collect::<Vec<_>>(), ["domain.VpcId"]);
}

#[test]
fn e4_into_identity_center_each_profile_needs_its_user() {
    let mut manifest = backup();
    let mut there = empty();
    there.taken.backup.domain.auth_mode = "SSO".into();
    let stopped = plan(&manifest, &there, &Wishes::default());
    assert!(why(&stopped, "ann").ends_with("give --sso-user ann=USER"));
    let sso_users = [("ann".to_owned(), "ann@example.com".to_owned())].into();
    let wishes = Wishes { sso_users, ..Wishes::default() };
    let given = plan(&manifest, &there, &wishes);
    assert_eq!(words(&given), ["make ann", "stop bob", "make lab"]);
    let Action::Make { members } = &given.items[0].action else { panic!() };
    assert_eq!(
        (&members["SingleSignOnUserIdentifier"], &members["SingleSignOnUserValue"]),
        (&json!("UserName"), &json!("ann@example.com"))
    );
    // One profile a user: this one has another name.
    let mut other = profile("ann-2", "300000");
    (other.sso_user, other.tags) = (Some("ann@example.com".into()), BTreeMap::new());
    there.taken.backup.profiles.push(other.clone());
    assert!(
        why(&plan(&manifest, &there, &wishes), "ann").starts_with("the user `ann@example.com` has the profile `ann-2`")
    );
    // And this one is another user's.
    there.taken.backup.profiles =
        vec![Profile { name: Name::new("ann").unwrap(), sso_user: Some("x".into()), ..other }];
    assert_eq!(
        why(&plan(&manifest, &there, &wishes), "ann"),
        "the profile there is of the user `x`, and the manifest's of `ann@example.com`"
    );
    // Back to IAM: the users stay behind, and that is told.
    manifest.domain.auth_mode = "SSO".into();
    manifest.profiles[0].sso_user = Some("ann@example.com".into());
    let back = plan(&manifest, &empty(), &Wishes::default());
    let Action::Make { members } = &back.items[0].action else { panic!() };
    assert!(!members.contains_key("SingleSignOnUserValue"));
    assert!(back.warnings.iter().any(|warning| warning.contains("`studiouserid`")));
}

fn settings() -> impl Strategy<Value = serde_json::Map<String, Value>> {
    let role =
        prop_oneof![Just(json!("arn:aws:iam::111122223333:role/a")), Just(json!("arn:aws:iam::111122223333:role/b"))];
    let groups =
        prop::collection::vec(prop_oneof![Just(json!("sg-1")), Just(json!("sg-2"))], 0..3).prop_map(Value::from);
    let lab = prop_oneof![
        Just(json!({"DefaultResourceSpec": {"InstanceType": "ml.t3.medium"}})),
        Just(json!({"CustomImages": []}))
    ];
    let maybe =
        |key: &'static str, value: BoxedStrategy<Value>| prop::option::of(value).prop_map(move |value| (key, value));
    (
        maybe("ExecutionRole", role.boxed()),
        maybe("SecurityGroups", groups.boxed()),
        maybe("JupyterLabAppSettings", lab.boxed()),
    )
        .prop_map(|(one, two, three)| {
            [one, two, three].into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
        })
}

/// Some of five profiles and some of their spaces, in one domain.
fn holdings() -> impl Strategy<Value = (Vec<Profile>, Vec<Space>)> {
    let owners = prop_oneof![Just(None), Just(Some("one")), Just(Some("two"))];
    let item = (0..5usize, settings(), owners, any::<bool>()).boxed();
    (prop::collection::vec(item.clone(), 0..6), prop::collection::vec(item, 0..6)).prop_map(|(profiles, spaces)| {
        let names = ["a", "b", "c", "d", "e"];
        let mut all: (BTreeMap<usize, Profile>, BTreeMap<usize, Space>) = Default::default();
        for (number, settings, owner, has_name) in profiles {
            let mut it = profile(names[number], &(200_000 + number).to_string());
            (it.settings, it.tags) = (settings, BTreeMap::new());
            it.tags.extend(owner.map(|owner| ("studiouserid".to_owned(), owner.to_owned())));
            it.tags.extend(has_name.then(|| ("DomainName".to_owned(), "old".to_owned())));
            all.0.insert(number, it);
        }
        for (number, settings, owner, is_shared) in spaces {
            let mut it = space(&format!("s{number}"), &(200_010 + number).to_string(), names[number]);
            it.settings.extend(settings);
            it.display_name = owner.map(str::to_owned);
            if is_shared {
                it.sharing = map(json!({"SharingType": "Shared"}));
            }
            all.1.insert(number, it);
        }
        (all.0.into_values().collect(), all.1.into_values().collect())
    })
}

proptest! {
    /// What was done is not done again, whatever was there before and whatever is asked for; and with every wish
    /// granted, nothing that could be changed still differs.
    #[test]
    fn e4_a_plan_that_was_done_leaves_nothing_to_do(
        wanted in holdings(), before in holdings(), other_vpc: bool, update: bool, replaced: bool,
    ) {
        let mut manifest = backup();
        (manifest.profiles, manifest.spaces) = wanted;
        let mut there = empty();
        (there.taken.backup.profiles, there.taken.backup.spaces) = before;
        if other_vpc {
            there.taken.backup.domain.vpc_id = Some("vpc-2".into());
        }
        let replacements = if replaced { [("sg-1".to_owned(), Some("sg-9".to_owned()))].into() } else { BTreeMap::new() };
        let wishes = Wishes { update, replacements, ..Wishes::default() };
        let first = plan(&manifest, &there, &wishes);
        let after = done(&first, there.clone());
        let second = plan(&manifest, &after, &wishes);
        // Differences that no update takes away may stay; they are told, and ask for nothing.
        let again = second.steps().filter(|item| item.differences.iter().any(|difference| difference.can_update));
        prop_assert_eq!(again.count(), 0);
        prop_assert_eq!(second.steps().count(), 0);
        if update {
            let left = second.items.iter().flat_map(|item| &item.differences);
            prop_assert!(left.clone().all(|difference| !difference.can_update), "{:?}", left.collect::<Vec<_>>());
        } else {
            // Nothing that was there has changed.
            for profile in &there.taken.backup.profiles {
                prop_assert!(after.taken.backup.profiles.contains(profile));
            }
        }
        for (one, other) in first.items.iter().zip(&second.items) {
            prop_assert_eq!(one.action.is_stop(), other.action.is_stop());
        }
    }
}
