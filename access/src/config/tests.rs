#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use idp::{Identity, KeyKind};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;

fn certificate() -> String {
    let time = |text: &str| text.parse::<Timestamp>().unwrap();
    let identity =
        Identity::new(KeyKind::EcdsaP256, "idp", time("2020-01-01T00:00:00Z"), time("2040-01-01T00:00:00Z")).unwrap();
    identity.certificate_pem().to_owned()
}

fn here() -> Value {
    json!({
        "version": 1, "url": "https://abc.execute-api.eu-west-1.amazonaws.com/access", "urlSeconds": 20,
        "sessionSeconds": 28800, "landings": { "lab": "app:JupyterLab:" },
        "saml": {
            "verify": "here", "issuer": "https://idp.example.com", "signOnUrl": "https://idp.example.com/sso",
            "audience": null, "certificates": [certificate()], "startedAtIdp": false, "skewSeconds": 60,
            "claims": { "profile": { "nameId": true }, "domain": { "attribute": "domain" }, "role": null },
        },
        "cognito": null,
        "profile": { "form": "exact", "removeSuffix": null },
        "domains": [{
            "name": "team1", "id": null, "group": "team1",
            "executionRoles": { "analyst": "arn:{{partition}}:iam::{{account}}:role/x" }, "defaultExecutionRole": null,
            "securityGroups": ["sg-0123"], "tags": { "CostCentre": "42" },
            "lifecycleConfigs": { "JupyterLab": "arn:{{partition}}:sagemaker:{{region}}:{{account}}:studio-lifecycle-config/x" },
        }],
    })
}

fn by_aws() -> Value {
    let mut file = here();
    file["saml"] = json!({
        "verify": "aws", "issuer": "https://idp.example.com", "audience": null, "recipient": null,
        "provider": "arn:aws:iam::123456789012:saml-provider/idp", "skewSeconds": 0,
        "roles": [{ "arn": "arn:aws:iam::123456789012:role/studio", "domain": "team1" }],
    });
    file
}

fn cognito() -> Value {
    let mut file = here();
    file["saml"] = Value::Null;
    file["cognito"] = json!({ "signInUrl": null, "federated": false });
    file
}

const VARIABLES: [(&str, &str); 9] = [
    ("TIDEGATE_ACCESS_URL", "https://studio.example.com"),
    ("TIDEGATE_ACCESS_PARAMETERS", r#"{"/idp/issuer":"https://idp.example.org"}"#),
    ("TIDEGATE_ACCOUNT", "123456789012"),
    ("TIDEGATE_PARTITION", "aws"),
    ("AWS_REGION", "eu-west-1"),
    ("TIDEGATE_ACCESS_ISSUER", "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_a"),
    ("TIDEGATE_ACCESS_CLIENT", "1h57kf5cpq17m0eml12EXAMPLE"),
    ("TIDEGATE_ACCESS_SIGN_IN_URL", "https://tidegate.auth.eu-west-1.amazoncognito.com"),
    ("TIDEGATE_ACCESS_SCOPE", "tidegate/studio.enter"),
];

fn read_with(file: &Value, changed: &[(&str, Option<&str>)]) -> Result<Config, String> {
    let variable = |name: &'static str| match changed.iter().find(|(known, _)| *known == name) {
        Some((_, value)) => value.map(str::to_owned),
        None => VARIABLES.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()),
    };
    Config::parse(&file.to_string(), &variable).map_err(|error| error.to_string())
}

fn read(file: &Value) -> Result<Config, String> {
    read_with(file, &[])
}

/// `pointer` set to `value`, or removed.
fn with(mut file: Value, pointer: &str, value: Option<Value>) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = file.pointer_mut(parent).unwrap();
    match value {
        Some(value) => parent[name] = value,
        None => drop(parent.as_object_mut().unwrap().remove(name)),
    }
    file
}

#[test]
fn each_way_in_is_read() {
    let config = read(&here()).unwrap();
    assert_eq!(config.acs(), "https://abc.execute-api.eu-west-1.amazonaws.com/access/saml");
    assert_eq!((config.url_seconds.get(), config.session_seconds.get()), (20, 28800));
    let Some(Saml::Here(saml)) = &config.saml else { panic!("{:?}", config.saml) };
    // The base URL is who we are, where the file does not say.
    assert_eq!(saml.audience.as_str(), config.url.as_str());
    assert_eq!(saml.claims.domain, Some(Source::Attribute(AttributeName::parse("domain").unwrap())));
    let domain = config.domains.named("team1").unwrap();
    let role = domain.execution_roles.values().next().unwrap();
    assert_eq!(role.as_str(), "arn:aws:iam::123456789012:role/x");
    let arn = &domain.lifecycle_configs[&Application::JupyterLab];
    assert_eq!(arn.as_str(), "arn:aws:sagemaker:eu-west-1:123456789012:studio-lifecycle-config/x");

    let config = read(&by_aws()).unwrap();
    let Some(Saml::Aws(saml)) = &config.saml else { panic!("{:?}", config.saml) };
    assert_eq!(saml.audience.as_str(), "https://signin.aws.amazon.com/saml");
    assert_eq!(saml.recipient.as_str(), "https://signin.aws.amazon.com/saml");

    let config = read(&cognito()).unwrap();
    let pool = config.cognito.unwrap();
    assert_eq!(pool.scope.as_str(), "tidegate/studio.enter");
    assert_eq!(pool.sign_in_url.as_str(), "https://tidegate.auth.eu-west-1.amazoncognito.com");
    assert!(config.domains.named("Team1").is_none(), "names are exact");
}

#[test]
fn a_value_may_be_a_parameter_or_come_from_the_environment() {
    let file = with(with(here(), "/saml/issuer", Some(json!("ssm:/idp/issuer"))), "/url", Some(Value::Null));
    let config = read(&file).unwrap();
    assert_eq!(config.url.as_str(), "https://studio.example.com");
    let Some(Saml::Here(saml)) = &config.saml else { panic!("{:?}", config.saml) };
    assert_eq!(saml.issuer.as_str(), "https://idp.example.org");
}

#[test]
fn each_key_that_is_wrong_is_named_with_what_is_accepted() {
    type Row<'r> = (Value, &'r str, Option<Value>, &'r str);
    let rows: Vec<Row<'_>> = vec![
        (here(), "/version", Some(json!(2)), "`version` is `2`: accepted is 1"),
        (here(), "/version", None, "missing field `version`"),
        (here(), "/colour", Some(json!(1)), "`colour`: unknown field `colour`, expected one of `version`"),
        (
            here(),
            "/url",
            Some(json!("http://example.com")),
            "`url` is `http://example.com`: accepted is a URL that begins",
        ),
        (here(), "/url", Some(json!("https://example.com/")), "`url` is `https://example.com/`: accepted is a URL"),
        (here(), "/urlSeconds", Some(json!(4)), "`urlSeconds` is `4`: accepted is a number of seconds from 5 to 20"),
        (here(), "/urlSeconds", Some(json!(21)), "`urlSeconds` is `21`: accepted is a number of seconds from 5 to 20"),
        (here(), "/urlSeconds", Some(json!("20")), "`urlSeconds`: invalid type: string \"20\", expected i64"),
        (here(), "/urlSeconds", None, "missing field `urlSeconds`"),
        (
            here(),
            "/sessionSeconds",
            Some(json!(1799)),
            "`sessionSeconds` is `1799`: accepted is a number of seconds from 1800",
        ),
        (here(), "/sessionSeconds", Some(json!(43201)), "`sessionSeconds` is `43201`: accepted is"),
        (here(), "/landings/a b", Some(json!("studio::")), "`landings.a b` is `a b`: accepted is 1 to 80 letters"),
        (
            here(),
            "/landings/lab",
            Some(json!("https://x")),
            "`landings.lab` is `https://x`: accepted is `studio::<path>`",
        ),
        (here(), "/saml/verify", Some(json!("nobody")), "`saml.verify` is `nobody`: accepted is `here`"),
        (here(), "/saml/verify", None, "`saml.verify` is not set: accepted is `here`"),
        (here(), "/saml/colour", Some(json!(1)), "`saml.colour`: unknown field `colour`"),
        (here(), "/saml/issuer", Some(json!("")), "`saml.issuer` is ``: accepted is an entity id"),
        (here(), "/saml/issuer", None, "`saml`: missing field `issuer`"),
        (here(), "/saml/issuer", Some(json!("ssm:/none")), "`saml.issuer` is `ssm:/none`: accepted is a parameter"),
        (here(), "/saml/issuer", Some(json!("{{user}}")), "`saml.issuer` is `{{user}}`: accepted is `{{partition}}`"),
        (here(), "/saml/issuer", Some(json!("{{account")), "`saml.issuer` is `{{account`: accepted is `{{partition}}`"),
        (here(), "/saml/signOnUrl", Some(json!("idp")), "`saml.signOnUrl` is `idp`: accepted is a URL"),
        (here(), "/saml/signOnUrl", Some(Value::Null), "`saml.signOnUrl` is null, and `saml.startedAtIdp` is false"),
        (here(), "/saml/audience", Some(json!("a b")), "`saml.audience` is `a b`: accepted is an entity id"),
        (here(), "/saml/certificates", Some(json!([])), "`saml.certificates` is empty: accepted is at least one"),
        (here(), "/saml/certificates/0", Some(json!("x")), "`saml.certificates`: "),
        (here(), "/saml/startedAtIdp", Some(json!("yes")), "`saml.startedAtIdp`: invalid type: string \"yes\""),
        (
            here(),
            "/saml/skewSeconds",
            Some(json!(61)),
            "`saml.skewSeconds` is `61`: accepted is a number of seconds from 0 to 60",
        ),
        (here(), "/saml/skewSeconds", Some(json!(-1)), "`saml.skewSeconds` is `-1`: accepted is"),
        (here(), "/saml/claims/profile", Some(json!({})), "`saml.claims.profile` is neither `nameId` nor `attribute`"),
        (here(), "/saml/claims/profile", Some(json!({"nameId": false})), "`saml.claims.profile` is neither"),
        (
            here(),
            "/saml/claims/role",
            Some(json!({"nameId": true, "attribute": "a"})),
            "`saml.claims.role` is both `nameId` and `attribute`",
        ),
        (here(), "/saml/claims/domain/attribute", Some(json!("")), "`saml.claims.domain.attribute` is ``: accepted is"),
        (here(), "/saml/claims/domain/form", Some(json!("")), "`saml.claims.domain.form`: unknown field `form`"),
        (here(), "/saml", Some(Value::Null), "`saml` is null, and so is `cognito`: accepted is a way in"),
        (
            by_aws(),
            "/saml/provider",
            Some(json!("arn:aws:iam::1:x")),
            "`saml.provider` is `arn:aws:iam::1:x`: accepted",
        ),
        (by_aws(), "/saml/recipient", Some(json!("x")), "`saml.recipient` is `x`: accepted is a URL"),
        (by_aws(), "/saml/roles", Some(json!([])), "`saml.roles` is empty: accepted is at least one"),
        (by_aws(), "/saml/roles/0/arn", Some(json!("x")), "`saml.roles[0].arn` is `x`: accepted is the ARN of a role"),
        (
            by_aws(),
            "/saml/roles/0/domain",
            Some(json!("team2")),
            "`saml.roles[0].domain` is `team2`: accepted is one of",
        ),
        (by_aws(), "/saml/roles/1", Some(json!(null)), "`saml.roles[1]`: invalid type: null"),
        (cognito(), "/cognito/signInUrl", Some(json!("x")), "`cognito.signInUrl` is `x`: accepted is a URL"),
        (cognito(), "/cognito/secret", Some(json!("x")), "`cognito.secret`: unknown field `secret`"),
        (cognito(), "/cognito/federated", Some(json!(true)), "`profile.form` is `exact`: accepted is `hashed`"),
        (cognito(), "/domains/0/group", Some(Value::Null), "`domains[0].group` is not set: accepted is a group"),
        (
            here(),
            "/profile/form",
            Some(json!("free")),
            "`profile.form`: unknown variant `free`, expected `exact` or `hashed`",
        ),
        (here(), "/profile/removeSuffix", Some(json!("")), "`profile.removeSuffix` is ``: accepted is"),
        (here(), "/domains", Some(json!([])), "`domains` is empty: accepted is at least one domain"),
        (here(), "/domains/0/name", Some(json!("a.b")), "`domains[0].name` is `a.b`: accepted is a domain's name"),
        (here(), "/domains/0/id", Some(json!("x")), "`domains[0].id` is `x`: accepted is a domain's id"),
        (here(), "/domains/0/group", Some(json!("a b")), "`domains[0].group` is `a b`: accepted is a group's name"),
        (
            here(),
            "/domains/0/executionRoles/analyst",
            Some(json!("x")),
            "`domains[0].executionRoles.analyst` is `x`: accepted is the ARN of a role",
        ),
        (
            here(),
            "/domains/0/defaultExecutionRole",
            Some(json!("x")),
            "`domains[0].defaultExecutionRole` is `x`: accepted is the ARN of a role",
        ),
        (
            here(),
            "/domains/0/securityGroups/0",
            Some(json!("x")),
            "`domains[0].securityGroups[0]` is `x`: accepted is a security group's id",
        ),
        (
            here(),
            "/domains/0/securityGroups",
            Some(json!(["sg-1", "sg-2", "sg-3", "sg-4", "sg-5", "sg-6"])),
            "`domains[0].securityGroups` is a list of 6: accepted is at most 5",
        ),
        (
            here(),
            "/domains/0/lifecycleConfigs/JupyterLab",
            Some(json!("x")),
            "`domains[0].lifecycleConfigs.JupyterLab` is `x`: accepted is the ARN of a Studio lifecycle configuration",
        ),
        (
            here(),
            "/domains/0/lifecycleConfigs/Canvas",
            Some(json!("x")),
            "`domains[0].lifecycleConfigs` is `Canvas`: accepted is one of `JupyterLab`",
        ),
        (here(), "/domains/0/tags/aws:x", Some(json!("x")), "`domains[0].tags.aws:x` is `aws:x`: accepted is"),
        (here(), "/domains/0/tags/studiouserid", Some(json!("x")), "`domains[0].tags.studiouserid` is `studiouserid`"),
        (here(), "/domains/0/tags/DomainName", Some(json!("x")), "`domains[0].tags.DomainName` is `DomainName`"),
        (here(), "/domains/0/tags/a", Some(json!("*")), "`domains[0].tags.a` is `*`: accepted is"),
        (here(), "/domains/0/colour", Some(json!("x")), "`domains[0].colour`: unknown field `colour`"),
    ];
    for (file, pointer, value, expected) in rows {
        let mut file = file;
        if pointer == "/saml/roles/1" {
            file["saml"]["roles"].as_array_mut().unwrap().push(Value::Null);
        } else if let Some((parent, index)) =
            pointer.rsplit_once('/').filter(|(_, index)| index.parse::<usize>().is_ok())
        {
            file.pointer_mut(parent).unwrap()[index.parse::<usize>().unwrap()] = value.unwrap();
        } else {
            file = with(file, pointer, value);
        }
        let error = read(&file).expect_err(pointer);
        assert!(error.contains(expected), "{pointer}: {error}\nexpected: {expected}");
    }
}

#[test]
fn names_groups_and_roles_are_there_once() {
    let second = |change: &dyn Fn(&mut Value)| {
        let mut file = here();
        let mut domain = file["domains"][0].clone();
        (domain["name"], domain["group"]) = (json!("team2"), json!("team2"));
        change(&mut domain);
        file["domains"].as_array_mut().unwrap().push(domain);
        file
    };
    read(&second(&|_| {})).unwrap();
    let error = read(&second(&|domain| domain["name"] = json!("team1"))).unwrap_err();
    assert!(error.contains("`domains[1].name` is `team1`: accepted is a name that is there once"), "{error}");
    let error = read(&second(&|domain| domain["group"] = json!("team1"))).unwrap_err();
    assert!(error.contains("`domains[1].group` is `team1`: accepted is a group that is there once"), "{error}");
    let unclaimed = with(second(&|_| {}), "/saml/claims/domain", Some(Value::Null));
    let error = read(&unclaimed).unwrap_err();
    assert!(error.contains("`saml.claims.domain` is not set: accepted is the claim that names the domain"), "{error}");
    read(&with(here(), "/saml/claims/domain", Some(Value::Null))).unwrap();
    let mut file = by_aws();
    let role = file["saml"]["roles"][0].clone();
    file["saml"]["roles"].as_array_mut().unwrap().push(role);
    let error = read(&file).unwrap_err();
    assert!(error.contains("`saml.roles[1].arn`") && error.contains("a role that is there once"), "{error}");
}

#[test]
fn each_variable_that_is_missing_or_wrong_is_named() {
    for (file, name, value, expected) in [
        (with(here(), "/url", None), "TIDEGATE_ACCESS_URL", None, "is not set: accepted is what the access stack sets"),
        (with(here(), "/url", None), "TIDEGATE_ACCESS_URL", Some(""), "is not set"),
        (with(here(), "/url", None), "TIDEGATE_ACCESS_URL", Some("x"), "is `x`: accepted is a URL"),
        (here(), "TIDEGATE_ACCESS_PARAMETERS", Some("[]"), "is `[]`: accepted is a JSON object"),
        (here(), "TIDEGATE_ACCOUNT", None, "is not set: accepted is the account"),
        (here(), "TIDEGATE_PARTITION", None, "is not set: accepted is the partition"),
        (here(), "AWS_REGION", None, "is not set: accepted is the region"),
        (cognito(), "TIDEGATE_ACCESS_ISSUER", None, "is not set"),
        (cognito(), "TIDEGATE_ACCESS_CLIENT", Some("a b"), "is `a b`: accepted is a client's id"),
        (cognito(), "TIDEGATE_ACCESS_SIGN_IN_URL", None, "is not set"),
        (cognito(), "TIDEGATE_ACCESS_SCOPE", Some("a b"), "is `a b`: accepted is a scope"),
    ] {
        let error = read_with(&file, &[(name, value)]).expect_err(name);
        assert!(error.contains(&format!("environment variable `{name}` {expected}")), "{error}");
    }
}

#[test]
fn what_is_no_json_is_told() {
    let error = Config::parse("{", &|_| None).unwrap_err().to_string();
    assert!(error.starts_with("access.json: not JSON: "), "{error}");
}
