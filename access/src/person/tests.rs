#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::config::{DomainId, Issuer, ProfileForm, Saml, Suffix};

const ISSUER: &str = "https://idp.example.com";

fn config(change: impl Fn(&mut Value)) -> Config {
    let mut file = json!({
        "version": 1, "url": "https://studio.example.com", "urlSeconds": 20, "sessionSeconds": 28800,
        "landings": { "lab": "app:JupyterLab:" },
        "saml": {
            "verify": "aws", "issuer": ISSUER, "provider": "arn:aws:iam::123456789012:saml-provider/idp",
            "skewSeconds": 0,
            "roles": [
                { "arn": "arn:aws:iam::123456789012:role/one", "domain": "team1" },
                { "arn": "arn:aws:iam::123456789012:role/ten", "domain": "team10" },
            ],
        },
        "profile": { "form": "exact", "removeSuffix": null },
        "domains": [
            {
                "name": "team1", "group": "team1", "defaultExecutionRole": null,
                "executionRoles": { "analyst": "arn:aws:iam::123456789012:role/analyst" },
            },
            { "name": "team10", "group": "team10", "defaultExecutionRole": "arn:aws:iam::123456789012:role/default" },
            { "name": "nobody", "group": null },
        ],
    });
    change(&mut file);
    Config::parse(&file.to_string(), &|_| None).unwrap()
}

/// What it takes to read an assertion, without the certificate that only its signature needs.
fn claims(profile: Source, domain: Option<&str>, role: Option<&str>) -> crate::config::Claims {
    let attribute = |name: &str| Source::Attribute(crate::config::AttributeName::parse(name).unwrap());
    crate::config::Claims { profile, domain: domain.map(attribute), role: role.map(attribute) }
}

fn attributes(all: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
    all.iter().map(|(name, values)| ((*name).to_owned(), values.iter().map(|v| (*v).to_owned()).collect())).collect()
}

fn decide(all: &[(&str, &[&str])]) -> Result<Person, Denial> {
    decide_with(&config(|_| {}), claims(Source::NameId, Some("domain"), Some("role")), "jane", all)
}

fn decide_with(
    config: &Config,
    claims: crate::config::Claims,
    name_id: &str,
    all: &[(&str, &[&str])],
) -> Result<Person, Denial> {
    let attributes = attributes(all);
    config.person_of_claims(&claims, Signed { issuer: ISSUER, name_id, attributes: &attributes }, None)
}

#[test]
fn profile_domain_and_role_come_from_the_claims() {
    let person = decide(&[("domain", &["team1"]), ("role", &["analyst"])]).unwrap();
    assert_eq!((person.profile.as_str(), person.owner.as_str(), person.domain.as_str()), ("jane", "jane", "team1"));
    let config = config(|_| {});
    let domain = config.domains.named("team1").unwrap();
    assert_eq!(domain.role_of(&person).unwrap().map(RoleArn::as_str), Some("arn:aws:iam::123456789012:role/analyst"));
    // Where the domain has a default, the claim may be absent; where it has none, not.
    let person = decide(&[("domain", &["team10"])]).unwrap();
    let domain = config.domains.named("team10").unwrap();
    assert_eq!(domain.role_of(&person).unwrap().map(RoleArn::as_str), Some("arn:aws:iam::123456789012:role/default"));
    assert_eq!(decide(&[("domain", &["team1"])]), Err(Denial::Missing(Claim::Role)));
}

#[test]
fn a_claim_that_is_missing_double_empty_or_unknown_is_refused() {
    let role: (&str, &[&str]) = ("role", &["analyst"]);
    for (domain, denial) in [
        (None, Denial::Missing(Claim::Domain)),
        (Some(&[][..]), Denial::Missing(Claim::Domain)),
        (Some(&[""][..]), Denial::Missing(Claim::Domain)),
        (Some(&["team1", "team1"][..]), Denial::Several(Claim::Domain)),
        (Some(&["team1", "team10"][..]), Denial::Several(Claim::Domain)),
        (Some(&["team"][..]), Denial::NoSuchDomain),
        (Some(&["Team1"][..]), Denial::NoSuchDomain),
        (Some(&[" team1"][..]), Denial::NoSuchDomain),
        (Some(&["team1\n"][..]), Denial::NoSuchDomain),
    ] {
        let all: Vec<(&str, &[&str])> = domain.map(|values| ("domain", values)).into_iter().chain([role]).collect();
        assert_eq!(decide(&all), Err(denial), "{domain:?}");
    }
    for value in ["Analyst", "admin", "analyst ", "arn:aws:iam::123456789012:role/analyst", "\u{0}"] {
        let all: [(&str, &[&str]); 2] = [("domain", &["team1"]), ("role", &[value])];
        assert_eq!(decide(&all), Err(Denial::NoSuchRole), "{value}");
    }
    let all: [(&str, &[&str]); 2] = [("domain", &["team1"]), ("role", &["analyst", "admin"])];
    assert_eq!(decide(&all), Err(Denial::Several(Claim::Role)));
    // A role of another domain is none of this one.
    let all: [(&str, &[&str]); 2] = [("domain", &["team10"]), ("role", &["analyst"])];
    assert_eq!(decide(&all), Err(Denial::NoSuchRole));
}

#[test]
fn the_profile_may_come_from_an_attribute_and_the_only_domain_from_the_file() {
    let one = config(|file| {
        file["domains"].as_array_mut().unwrap().truncate(1);
        file["saml"]["roles"].as_array_mut().unwrap().truncate(1);
    });
    let uid = Source::Attribute(crate::config::AttributeName::parse("uid").unwrap());
    let person = decide_with(&one, claims(uid.clone(), None, None), "other", &[("uid", &["jane"])]).unwrap();
    assert_eq!((person.profile.as_str(), person.domain.as_str()), ("jane", "team1"));
    let denied = decide_with(&one, claims(uid, None, None), "other", &[]);
    assert_eq!(denied, Err(Denial::Missing(Claim::Profile)));
    let denied = decide_with(&config(|_| {}), claims(Source::NameId, None, None), "jane", &[]);
    assert_eq!(denied, Err(Denial::Missing(Claim::Domain)), "several domains, and no claim");
}

fn name(form: &ProfileForm, issuer: &str, claim: &str) -> Result<String, Denial> {
    form.name(issuer, &Owner::parse(claim).unwrap()).map(|name| name.as_str().to_owned())
}

#[test]
fn exact_names_are_claims_and_nothing_that_two_claims_share() {
    let whole = ProfileForm::Exact { remove_suffix: None };
    assert_eq!(name(&whole, ISSUER, "jane-doe").unwrap(), "jane-doe");
    for claim in ["a.b", "a_b", "jane@example.com", "-a", "a b"] {
        assert!(matches!(name(&whole, ISSUER, claim), Err(Denial::Malformed(Claim::Profile, _))), "{claim}");
    }
    let ended = ProfileForm::Exact { remove_suffix: Some(Suffix::parse("@example.com").unwrap()) };
    assert_eq!(name(&ended, ISSUER, "jane@example.com").unwrap(), "jane");
    // Each of these would have been given jane's profile.
    for claim in ["jane", "jane@example.org", "jane@Example.com", "jane@example.com@example.com"] {
        assert!(matches!(name(&ended, ISSUER, claim), Err(Denial::Malformed(Claim::Profile, _))), "{claim}");
    }
    assert!(name(&ended, ISSUER, "@example.com").is_err(), "nothing is left");
}

#[test]
fn hashed_names_are_readable_and_differ_by_claim_and_issuer() {
    let form = ProfileForm::Hashed { remove_suffix: Some(Suffix::parse("@example.com").unwrap()) };
    let jane = name(&form, ISSUER, "jane.doe@example.com").unwrap();
    assert!(jane.starts_with("jane-doe-") && jane.len() == "jane-doe-".len() + 12, "{jane}");
    let others = [
        (ISSUER, "jane-doe@example.com"),
        (ISSUER, "jane_doe@example.com"),
        (ISSUER, "jane.doe"),
        (ISSUER, "Jane.doe@example.com"),
        ("https://idp.example.org", "jane.doe@example.com"),
        // The same text, were issuer and claim only put together.
        ("https://idp.example.comjane", ".doe@example.com"),
    ];
    for (issuer, claim) in others {
        assert_ne!(name(&form, issuer, claim).unwrap(), jane, "{issuer} {claim}");
    }
    assert_eq!(name(&form, ISSUER, &"x".repeat(256)).unwrap().len(), 63);
    assert_eq!(name(&form, ISSUER, "@@@").unwrap().len(), 12, "nothing readable is left");
    assert_ne!(name(&form, "ab", "c").unwrap(), name(&form, "a", "bc").unwrap());
}

proptest! {
    #[test]
    fn no_two_claims_share_a_profile(one in "[a-z@._-]{1,12}", other in "[a-z@._-]{1,12}") {
        prop_assume!(one != other);
        for form in [
            ProfileForm::Exact { remove_suffix: None },
            ProfileForm::Exact { remove_suffix: Some(Suffix::parse("@a").unwrap()) },
            ProfileForm::Hashed { remove_suffix: None },
            ProfileForm::Hashed { remove_suffix: Some(Suffix::parse("@a").unwrap()) },
        ] {
            if let (Ok(one), Ok(other)) = (name(&form, ISSUER, &one), name(&form, ISSUER, &other)) {
                prop_assert_ne!(one, other);
            }
        }
    }
}

fn token(groups: &[&str]) -> Token {
    Token {
        issuer: "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_a".to_owned(),
        username: "jane".to_owned(),
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
    }
}

#[test]
fn d3_the_group_is_the_domain_s_exactly() {
    let config = config(|_| {});
    let domain = |groups: &[&str], choice| {
        config.person_of_token(&token(groups), choice, None).map(|person| person.domain.as_str().to_owned())
    };
    assert_eq!(domain(&["team1"], None).unwrap(), "team1");
    assert_eq!(domain(&["other", "team10"], None).unwrap(), "team10");
    assert_eq!(domain(&["team1"], Some("team1")).unwrap(), "team1");
    for groups in [&[][..], &["team"], &["Team1"], &["team1 "], &["team11"], &["team1,team10"], &["[team1]"], &[""]] {
        assert_eq!(domain(groups, None), Err(Denial::NotInGroup), "{groups:?}");
        assert_eq!(domain(groups, Some("team1")), Err(Denial::NotInGroup), "{groups:?}");
    }
    // `team1` begins `team10`, and neither opens the other.
    assert_eq!(domain(&["team10"], Some("team1")), Err(Denial::NotInGroup));
    assert_eq!(domain(&["team1"], Some("team10")), Err(Denial::NotInGroup));
    assert_eq!(domain(&["team1"], Some("team2")), Err(Denial::NoSuchDomain));
    assert_eq!(domain(&["team1", "nobody"], Some("nobody")), Err(Denial::NotInGroup), "the domain has no group");
    let both = [DomainName::parse("team1").unwrap(), DomainName::parse("team10").unwrap()];
    assert_eq!(domain(&["team1", "team10"], None), Err(Denial::SeveralDomains(both.to_vec())));
    assert_eq!(domain(&["team1", "team10"], Some("team10")).unwrap(), "team10");
}

#[test]
fn c7_the_role_to_take_is_the_only_one_that_is_configured() {
    let config = config(|_| {});
    let Some(Saml::Aws(by_aws)) = &config.saml else { panic!("{:?}", config.saml) };
    let provider = "arn:aws:iam::123456789012:saml-provider/idp";
    let (one, ten) = ("arn:aws:iam::123456789012:role/one", "arn:aws:iam::123456789012:role/ten");
    let role = |pairs: &[&str]| {
        let attributes = attributes(&[(AWS_ROLE, pairs)]);
        by_aws.role(&attributes).map(|(role, domain)| (role.as_str().to_owned(), domain.as_str().to_owned()))
    };
    let first = Ok((one.to_owned(), "team1".to_owned()));
    assert_eq!(role(&[&format!("{one},{provider}")]), first);
    assert_eq!(role(&[&format!("{provider}, {one}")]), first, "either order");
    assert_eq!(role(&[&format!("{one},{provider}"), &format!("{one}x,{provider}")]), first);
    assert_eq!(role(&[&format!("{one},{provider}"), &format!("{ten},{provider}")]), Err(Denial::SeveralAwsRoles(2)));
    for pair in [one.to_owned(), format!("{one},{provider}2"), format!("{one}2,{provider}"), String::new()] {
        assert_eq!(role(&[&pair]), Err(Denial::NoAwsRole), "{pair}");
    }
    assert_eq!(by_aws.role(&BTreeMap::new()).map(drop), Err(Denial::NoAwsRole));
    let person = config.person_of_session(ISSUER, "jane", &DomainName::parse("team1").unwrap(), None).unwrap();
    assert_eq!(person.profile.as_str(), "jane");
}

#[test]
fn a_landing_is_one_of_the_list() {
    let config = config(|_| {});
    assert_eq!(config.landing(None), Ok(None));
    assert_eq!(config.landing(Some("")), Ok(None));
    assert_eq!(config.landing(Some("lab")).unwrap().unwrap().as_str(), "lab");
    for name in ["Lab", "app:JupyterLab:", "https://example.com", "lab\n", "../x"] {
        assert_eq!(config.landing(Some(name)), Err(Denial::NoSuchLanding), "{name}");
    }
}

#[test]
fn a_stored_person_is_read_strictly() {
    let person = decide(&[("domain", &["team1"]), ("role", &["analyst"])]).unwrap();
    let text = serde_json::to_string(&person).unwrap();
    assert_eq!(serde_json::from_str::<Person>(&text).unwrap(), person);
    let wrong = text.replace("\"profile\":\"jane\"", "\"profile\":\"../jane\"");
    assert_ne!(wrong, text);
    assert!(serde_json::from_str::<Person>(&wrong).is_err());
    assert!(DomainId::parse("d-x").is_ok() && Issuer::parse(ISSUER).is_ok());
}

#[test]
fn no_denial_says_what_was_signed() {
    let said = "s3cret";
    for all in
        [[("domain", &[said][..]), ("role", &["analyst"][..])], [("domain", &["team1"][..]), ("role", &[said][..])]]
    {
        let denial = decide(&all).unwrap_err();
        assert!(!format!("{denial} {denial:?}").contains(said), "{denial:?}");
    }
    let form = ProfileForm::Exact { remove_suffix: None };
    let denial = name(&form, ISSUER, "s3cret@x").unwrap_err();
    assert!(!format!("{denial} {denial:?}").contains("s3cret"), "{denial:?}");
}
