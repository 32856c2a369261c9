//! From signed claims to a person: whose profile, in which domain, with which role. By a strict map, from nothing else.

mod denial;
mod name;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use denial::{Claim, Denial};

use crate::config::{
    ByAws, Claims, Config, Domain, DomainName, Here, LandingName, Owner, ProfileName, RoleArn, RoleName, Source,
};
use crate::token::Token;

/// A person who may enter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// What was signed: the profile's tag `studiouserid`.
    pub owner: Owner,
    /// The profile.
    pub profile: ProfileName,
    /// The domain.
    pub domain: DomainName,
    /// The role that a claim chose, a key of the domain's `executionRoles`; `None` takes the default.
    pub role: Option<RoleName>,
    /// Where to land.
    pub landing: Option<LandingName>,
}

/// What an assertion says, once it is verified.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    /// Who signed.
    pub issuer: &'a str,
    /// The subject.
    pub name_id: &'a str,
    /// The attributes, each with all of its values.
    pub attributes: &'a BTreeMap<String, Vec<String>>,
}

impl Config {
    /// The person of an assertion that was verified here.
    ///
    /// # Errors
    /// A claim is missing, there are several, or it is not one of those that the configuration knows.
    pub fn person_of_assertion(
        &self,
        here: &Here,
        signed: Signed<'_>,
        landing: Option<LandingName>,
    ) -> Result<Person, Denial> {
        self.person_of_claims(&here.claims, signed, landing)
    }

    fn person_of_claims(
        &self,
        claims: &Claims,
        signed: Signed<'_>,
        landing: Option<LandingName>,
    ) -> Result<Person, Denial> {
        let owner = signed.one(&claims.profile, Claim::Profile)?;
        let domain = match &claims.domain {
            None => self.domains.only().ok_or(Denial::Missing(Claim::Domain))?,
            Some(source) => {
                let name = signed.one(source, Claim::Domain)?;
                self.domains.named(name).ok_or(Denial::NoSuchDomain)?
            }
        };
        let role = match &claims.role {
            None => None,
            Some(source) => match signed.one(source, Claim::Role) {
                Ok(name) => Some(known_role(domain, name)?),
                Err(Denial::Missing(_)) if domain.default_execution_role.is_some() => None,
                Err(denial) => return Err(denial),
            },
        };
        self.person(signed.issuer, owner, domain, role, landing)
    }

    /// The person of a session that AWS gave for an assertion: `session` is the name that it says in the session's ARN.
    ///
    /// # Errors
    /// The name makes no profile, or the domain is not known.
    pub fn person_of_session(
        &self,
        issuer: &str,
        session: &str,
        domain: &DomainName,
        landing: Option<LandingName>,
    ) -> Result<Person, Denial> {
        let domain = self.domains.named(domain.as_str()).ok_or(Denial::NoSuchDomain)?;
        self.person(issuer, session, domain, None, landing)
    }

    /// The person of a token. Who is in the groups of several domains says which, by its name; it is a choice among what
    /// was signed.
    ///
    /// # Errors
    /// The token has no group of the domain, or of several and none was chosen.
    pub fn person_of_token(
        &self,
        token: &Token,
        choice: Option<&str>,
        landing: Option<LandingName>,
    ) -> Result<Person, Denial> {
        let open: Vec<&Domain> = self.domains.iter().filter(|domain| in_group(token, domain)).collect();
        let domain = match (choice, &*open) {
            (Some(name), open) => {
                let known = self.domains.named(name).ok_or(Denial::NoSuchDomain)?;
                open.iter().find(|domain| domain.name == known.name).ok_or(Denial::NotInGroup)?
            }
            (None, [only]) => only,
            (None, []) => return Err(Denial::NotInGroup),
            (None, several) => {
                return Err(Denial::SeveralDomains(several.iter().map(|domain| domain.name.clone()).collect()));
            }
        };
        self.person(&token.issuer, &token.username, domain, None, landing)
    }

    /// The place that a name stands for; none for no name.
    ///
    /// # Errors
    /// The configuration has no such name.
    pub fn landing(&self, name: Option<&str>) -> Result<Option<LandingName>, Denial> {
        match name.filter(|name| !name.is_empty()) {
            None => Ok(None),
            Some(name) => {
                let known = LandingName::parse(name).ok().filter(|name| self.landings.contains_key(name));
                known.map(Some).ok_or(Denial::NoSuchLanding)
            }
        }
    }

    fn person(
        &self,
        issuer: &str,
        claim: &str,
        domain: &Domain,
        role: Option<RoleName>,
        landing: Option<LandingName>,
    ) -> Result<Person, Denial> {
        let owner = Owner::parse(claim).map_err(|wrong| Denial::Malformed(Claim::Profile, wrong.0.to_owned()))?;
        let profile = self.profile.name(issuer, &owner)?;
        Ok(Person { owner, profile, domain: domain.name.clone(), role, landing })
    }
}

/// Where an assertion for AWS names roles, each with its provider (IAM User Guide, "Configure SAML assertions for the
/// authentication response").
const AWS_ROLE: &str = "https://aws.amazon.com/SAML/Attributes/Role";

impl ByAws {
    /// The role to ask AWS for, with its domain: the one of the assertion's that the configuration has. AWS checks that the
    /// assertion has it, so these attributes need not be verified yet.
    ///
    /// # Errors
    /// The assertion has none of them, or several.
    pub fn role(&self, attributes: &BTreeMap<String, Vec<String>>) -> Result<(&RoleArn, &DomainName), Denial> {
        let pairs = attributes.get(AWS_ROLE).map(Vec::as_slice).unwrap_or_default();
        let named = |role: &RoleArn| {
            pairs.iter().filter_map(|pair| pair.split_once(',')).any(|(one, other)| {
                let pair = [one.trim(), other.trim()];
                pair.contains(&role.as_str()) && pair.contains(&self.provider.as_str())
            })
        };
        let named: Vec<_> = self.roles.iter().filter(|(role, _)| named(role)).collect();
        match *named {
            [one] => Ok(one),
            [] => Err(Denial::NoAwsRole),
            ref several => Err(Denial::SeveralAwsRoles(several.len())),
        }
    }
}

impl Domain {
    /// The role that a person's profile is to have; `None` leaves it to the domain.
    ///
    /// # Errors
    /// The configuration no longer has the person's role.
    pub fn role_of(&self, person: &Person) -> Result<Option<&RoleArn>, Denial> {
        match &person.role {
            None => Ok(self.default_execution_role.as_ref()),
            Some(name) => self.execution_roles.get(name).map(Some).ok_or(Denial::NoSuchRole),
        }
    }
}

fn known_role(domain: &Domain, name: &str) -> Result<RoleName, Denial> {
    let known = RoleName::parse(name).ok().filter(|name| domain.execution_roles.contains_key(name));
    known.ok_or(Denial::NoSuchRole)
}

/// Exactly: `team1` is not `team10`, and not `Team1`.
fn in_group(token: &Token, domain: &Domain) -> bool {
    domain.group.as_ref().is_some_and(|group| token.groups.iter().any(|name| name == group.as_str()))
}

impl<'a> Signed<'a> {
    fn one(&self, source: &Source, claim: Claim) -> Result<&'a str, Denial> {
        let value = match source {
            Source::NameId => self.name_id,
            Source::Attribute(name) => match self.attributes.get(name.as_str()).map(Vec::as_slice) {
                None | Some([]) => return Err(Denial::Missing(claim)),
                Some([value]) => value.as_str(),
                Some(_) => return Err(Denial::Several(claim)),
            },
        };
        if value.is_empty() { Err(Denial::Missing(claim)) } else { Ok(value) }
    }
}

#[cfg(test)]
mod tests;
