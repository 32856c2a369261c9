//! `access.json`: who may enter which domain of Studio, by whose word.
//!
//! Version 1. The stack writes the file beside the functions' binary; it holds no secret. What is read here cannot hold a
//! wrong value: a mistake stops the functions with an error that names the key, what was found, and what is accepted.

mod domains;
mod error;
mod raw;
mod text;
mod values;

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::Value;

pub use domains::{Application, Domain, Domains};
pub use error::{ConfigError, Found};
pub use text::{
    AttributeName, Audience, BaseUrl, Bounded, ClientId, DomainId, DomainName, Group, Issuer, LandingName, LandingUri,
    LifecycleConfigArn, NotAccepted, Owner, ProfileName, ProviderArn, RoleArn, RoleName, Scope, SecurityGroupId,
    Suffix, TagKey, TagValue, Url,
};

use crate::saml::Certificates;

/// Where AWS itself takes assertions, in the commercial partition (IAM User Guide, "Configure SAML assertions for the
/// authentication response").
const AWS_SIGN_IN: &str = "https://signin.aws.amazon.com/saml";

/// How long a URL is good for, in seconds. Five is the least that SageMaker takes.
pub type UrlSeconds = Bounded<5, 20>;

/// How long a session in Studio is, in seconds, within what SageMaker takes.
pub type SessionSeconds = Bounded<1800, 43200>;

/// How far clocks may be apart, in seconds.
pub type SkewSeconds = Bounded<0, 60>;

/// The whole.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The base of this service's URLs.
    pub url: BaseUrl,
    /// How long a URL is good for.
    pub url_seconds: UrlSeconds,
    /// How long a session is.
    pub session_seconds: SessionSeconds,
    /// Where a person may land.
    pub landings: BTreeMap<LandingName, LandingUri>,
    /// Sign-in by SAML.
    pub saml: Option<Saml>,
    /// Sign-in by Cognito.
    pub cognito: Option<Cognito>,
    /// How a claim becomes a profile's name.
    pub profile: ProfileForm,
    /// The domains.
    pub domains: Domains,
}

/// Who verifies an assertion.
#[derive(Clone, Debug)]
pub enum Saml {
    /// We do.
    Here(Here),
    /// AWS does.
    Aws(ByAws),
}

/// SAML that is verified here.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Here {
    /// The IdP's entity id.
    pub issuer: Issuer,
    /// Where the IdP takes requests; `None` when nobody starts here.
    pub sign_on_url: Option<Url>,
    /// Ours.
    pub audience: Audience,
    /// The IdP's certificates.
    pub certificates: Certificates,
    /// Whether a sign-in may start at the IdP.
    pub started_at_idp: bool,
    /// How far clocks may be apart.
    pub skew: SkewSeconds,
    /// Which claims say what.
    pub claims: Claims,
}

/// Which claims say what.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Claims {
    /// Whose profile it is.
    pub profile: Source,
    /// The domain's name; `None` where there is one domain.
    pub domain: Option<Source>,
    /// The role; `None` where roles do not depend on claims.
    pub role: Option<Source>,
}

/// Where a claim is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The subject's NameID.
    NameId,
    /// An attribute of one value.
    Attribute(AttributeName),
}

/// SAML that AWS verifies.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ByAws {
    /// The IdP's entity id.
    pub issuer: Issuer,
    /// For whom the assertion is: AWS.
    pub audience: Audience,
    /// Where the assertion says that it goes.
    pub recipient: Url,
    /// The provider that IAM knows the IdP by.
    pub provider: ProviderArn,
    /// How far clocks may be apart.
    pub skew: SkewSeconds,
    /// The roles that may be taken, each with its domain.
    pub roles: BTreeMap<RoleArn, DomainName>,
}

/// Sign-in by Cognito.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Cognito {
    /// Who signs the tokens.
    pub issuer: Issuer,
    /// Our client.
    pub client: ClientId,
    /// The scope that a token must have.
    pub scope: Scope,
    /// Where the hosted pages are.
    pub sign_in_url: Url,
    /// Whether people come from another IdP.
    pub federated: bool,
}

/// How a claim becomes a profile's name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProfileForm {
    /// It is one, once its end is taken away.
    Exact {
        /// The end.
        remove_suffix: Option<Suffix>,
    },
    /// A readable part and a digest.
    Hashed {
        /// What the readable part leaves out at the end.
        remove_suffix: Option<Suffix>,
    },
}

type Variable<'v> = &'v dyn Fn(&'static str) -> Option<String>;

impl Config {
    /// Reads the file, with the environment's values where it refers to them.
    ///
    /// # Errors
    /// Names the key or the variable, what was found, and what is accepted.
    pub fn parse(text: &str, variable: Variable<'_>) -> Result<Self, ConfigError> {
        let mut value: Value = serde_json::from_str(text)
            .map_err(|error| ConfigError::Shape { key: String::new(), reason: format!("not JSON: {error}") })?;
        values::Values::new(variable)?.fill(&mut value, "")?;
        let file: raw::File = shape(value, "")?;
        if file.version != 1 {
            return Err(wrong(
                "version",
                &file.version.to_string(),
                "1, which is all that this version of Tidegate reads",
            ));
        }
        let url = match &file.url {
            Some(url) => accept("url", url, BaseUrl::parse)?,
            None => from_variable(variable, "TIDEGATE_ACCESS_URL", BaseUrl::parse)?,
        };
        let domains = Domains::of(file.domains)?;
        let saml = file.saml.map(|saml| read_saml(saml, &url, &domains)).transpose()?;
        let cognito = file.cognito.map(|cognito| read_cognito(cognito, variable)).transpose()?;
        if saml.is_none() && cognito.is_none() {
            return Err(ConfigError::Value {
                key: "saml".to_owned(),
                found: Found::Words("null, and so is `cognito`".to_owned()),
                accepted: "a way in: `saml`, `cognito` or both".to_owned(),
            });
        }
        if cognito.is_some() && domains.iter().all(|domain| domain.group.is_none()) {
            return Err(ConfigError::Value {
                key: "domains[0].group".to_owned(),
                found: Found::Nothing,
                accepted: "a group of the user pool, since `cognito` is there: people enter the domain of their group"
                    .to_owned(),
            });
        }
        let profile = read_profile(&file.profile, cognito.as_ref())?;
        Ok(Self {
            url_seconds: bounded("urlSeconds", file.url_seconds)?,
            session_seconds: bounded("sessionSeconds", file.session_seconds)?,
            landings: read_landings(&file.landings)?,
            url,
            saml,
            cognito,
            profile,
            domains,
        })
    }

    /// Where the IdP posts its assertions: our assertion consumer service.
    #[must_use]
    pub fn acs(&self) -> String {
        self.url.join("/saml")
    }
}

fn read_saml(mut saml: serde_json::Map<String, Value>, url: &BaseUrl, domains: &Domains) -> Result<Saml, ConfigError> {
    const VERIFIERS: &str = "`here`, where Tidegate verifies assertions, or `aws`, where AWS does";
    match saml.remove("verify") {
        Some(Value::String(verify)) if verify == "here" => {
            read_here(shape(Value::Object(saml), "saml")?, url, domains).map(Saml::Here)
        }
        Some(Value::String(verify)) if verify == "aws" => {
            read_by_aws(shape(Value::Object(saml), "saml")?, domains).map(Saml::Aws)
        }
        Some(Value::String(verify)) => Err(wrong("saml.verify", &verify, VERIFIERS)),
        Some(other) => Err(wrong("saml.verify", &other.to_string(), VERIFIERS)),
        None => Err(ConfigError::Value {
            key: "saml.verify".to_owned(),
            found: Found::Nothing,
            accepted: VERIFIERS.to_owned(),
        }),
    }
}

fn read_here(here: raw::Here, url: &BaseUrl, domains: &Domains) -> Result<Here, ConfigError> {
    let sign_on_url = here.sign_on_url.as_deref().map(|url| accept("saml.signOnUrl", url, Url::parse)).transpose()?;
    if sign_on_url.is_none() && !here.started_at_idp {
        return Err(ConfigError::Value {
            key: "saml.signOnUrl".to_owned(),
            found: Found::Words("null, and `saml.startedAtIdp` is false".to_owned()),
            accepted: "a way to begin: the IdP's URL for requests, or `startedAtIdp: true`".to_owned(),
        });
    }
    if here.certificates.is_empty() {
        return Err(ConfigError::Value {
            key: "saml.certificates".to_owned(),
            found: Found::Words("empty".to_owned()),
            accepted: "at least one certificate of the IdP, as PEM".to_owned(),
        });
    }
    let domain = here.claims.domain.map(|claim| source(claim, "saml.claims.domain")).transpose()?;
    if domain.is_none() && domains.len() > 1 {
        return Err(ConfigError::Value {
            key: "saml.claims.domain".to_owned(),
            found: Found::Nothing,
            accepted: format!("the claim that names the domain, since there are {} domains", domains.len()),
        });
    }
    Ok(Here {
        issuer: accept("saml.issuer", &here.issuer, Issuer::parse)?,
        sign_on_url,
        audience: accept("saml.audience", here.audience.as_deref().unwrap_or(url.as_str()), Audience::parse)?,
        certificates: Certificates::parse(&here.certificates)
            .map_err(|error| ConfigError::Shape { key: "saml.certificates".to_owned(), reason: error.to_string() })?,
        started_at_idp: here.started_at_idp,
        skew: bounded("saml.skewSeconds", here.skew_seconds)?,
        claims: Claims {
            profile: source(here.claims.profile, "saml.claims.profile")?,
            domain,
            role: here.claims.role.map(|claim| source(claim, "saml.claims.role")).transpose()?,
        },
    })
}

fn source(claim: raw::Claim, key: &str) -> Result<Source, ConfigError> {
    match (claim.name_id, claim.attribute) {
        (Some(true), None) => Ok(Source::NameId),
        (None | Some(false), Some(name)) => {
            accept(&format!("{key}.attribute"), &name, AttributeName::parse).map(Source::Attribute)
        }
        (name_id, attribute) => Err(ConfigError::Value {
            key: key.to_owned(),
            found: Found::Words(match (name_id, attribute) {
                (Some(true), Some(_)) => "both `nameId` and `attribute`".to_owned(),
                _ => "neither `nameId` nor `attribute`".to_owned(),
            }),
            accepted: "`{\"nameId\": true}` or `{\"attribute\": \"<name>\"}`".to_owned(),
        }),
    }
}

fn read_by_aws(aws: raw::Aws, domains: &Domains) -> Result<ByAws, ConfigError> {
    let mut roles = BTreeMap::new();
    for (index, role) in aws.roles.iter().enumerate() {
        let key = format!("saml.roles[{index}]");
        let arn = accept(&format!("{key}.arn"), &role.arn, RoleArn::parse)?;
        let domain = accept(&format!("{key}.domain"), &role.domain, DomainName::parse)?;
        if domains.named(domain.as_str()).is_none() {
            return Err(wrong(
                &format!("{key}.domain"),
                &role.domain,
                &format!("one of `domains`: {}", domains.list()),
            ));
        }
        if roles.insert(arn, domain).is_some() {
            return Err(wrong(&format!("{key}.arn"), &role.arn, "a role that is there once: a role has one domain"));
        }
    }
    if roles.is_empty() {
        return Err(ConfigError::Value {
            key: "saml.roles".to_owned(),
            found: Found::Words("empty".to_owned()),
            accepted: "at least one role that people take, with its domain".to_owned(),
        });
    }
    Ok(ByAws {
        issuer: accept("saml.issuer", &aws.issuer, Issuer::parse)?,
        audience: accept("saml.audience", aws.audience.as_deref().unwrap_or(AWS_SIGN_IN), Audience::parse)?,
        recipient: accept("saml.recipient", aws.recipient.as_deref().unwrap_or(AWS_SIGN_IN), Url::parse)?,
        provider: accept("saml.provider", &aws.provider, ProviderArn::parse)?,
        skew: bounded("saml.skewSeconds", aws.skew_seconds)?,
        roles,
    })
}

fn read_cognito(cognito: raw::Cognito, variable: Variable<'_>) -> Result<Cognito, ConfigError> {
    let sign_in_url = match &cognito.sign_in_url {
        Some(url) => accept("cognito.signInUrl", url, Url::parse)?,
        None => from_variable(variable, "TIDEGATE_ACCESS_SIGN_IN_URL", Url::parse)?,
    };
    Ok(Cognito {
        issuer: from_variable(variable, "TIDEGATE_ACCESS_ISSUER", Issuer::parse)?,
        client: from_variable(variable, "TIDEGATE_ACCESS_CLIENT", ClientId::parse)?,
        scope: from_variable(variable, "TIDEGATE_ACCESS_SCOPE", Scope::parse)?,
        sign_in_url,
        federated: cognito.federated,
    })
}

fn read_profile(profile: &raw::Profile, cognito: Option<&Cognito>) -> Result<ProfileForm, ConfigError> {
    let suffix = profile.remove_suffix.as_deref();
    let remove_suffix = suffix.map(|suffix| accept("profile.removeSuffix", suffix, Suffix::parse)).transpose()?;
    match profile.form {
        raw::Form::Hashed => Ok(ProfileForm::Hashed { remove_suffix }),
        raw::Form::Exact if cognito.is_some_and(|cognito| cognito.federated) => Err(wrong(
            "profile.form",
            "exact",
            "`hashed`, since `cognito.federated` is true: Cognito calls such people `<provider>_<name>`, and no profile's \
             name has an underscore",
        )),
        raw::Form::Exact => Ok(ProfileForm::Exact { remove_suffix }),
    }
}

fn read_landings(landings: &raw::Map) -> Result<BTreeMap<LandingName, LandingUri>, ConfigError> {
    let read = |(name, uri): (&String, &String)| {
        let key = format!("landings.{name}");
        Ok((accept(&key, name, LandingName::parse)?, accept(&key, uri, LandingUri::parse)?))
    };
    landings.iter().map(read).collect()
}

fn shape<T: DeserializeOwned>(value: Value, under: &str) -> Result<T, ConfigError> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let key = match (under, &*path) {
            ("", path) => path.to_owned(),
            (under, ".") => under.to_owned(),
            (under, path) => format!("{under}.{path}"),
        };
        ConfigError::Shape { key, reason: error.into_inner().to_string() }
    })
}

fn wrong(key: &str, found: &str, accepted: &str) -> ConfigError {
    ConfigError::Value { key: key.to_owned(), found: Found::Text(found.to_owned()), accepted: accepted.to_owned() }
}

fn accept<T>(key: &str, text: &str, parse: impl Fn(&str) -> Result<T, NotAccepted>) -> Result<T, ConfigError> {
    parse(text).map_err(|NotAccepted(accepted)| wrong(key, text, accepted))
}

fn from_variable<T>(
    variable: Variable<'_>,
    name: &'static str,
    parse: impl Fn(&str) -> Result<T, NotAccepted>,
) -> Result<T, ConfigError> {
    let text = variable(name).filter(|text| !text.is_empty());
    let found = text.clone().map_or(Found::Nothing, Found::Text);
    let parsed = text.ok_or(()).map(|text| parse(&text));
    match parsed {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(NotAccepted(accepted))) => Err(ConfigError::Variable { name, found, accepted: accepted.to_owned() }),
        Err(()) => Err(ConfigError::Variable { name, found, accepted: "what the access stack sets it to".to_owned() }),
    }
}

fn bounded<const MIN: i64, const MAX: i64>(key: &str, value: i64) -> Result<Bounded<MIN, MAX>, ConfigError> {
    Bounded::new(value)
        .ok_or_else(|| wrong(key, &value.to_string(), &format!("a number of seconds from {MIN} to {MAX}")))
}

#[cfg(test)]
mod tests;
