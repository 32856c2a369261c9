//! Why a person who is known may not enter.

use std::fmt;

use crate::config::DomainName;

/// A claim, by what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Whose profile it is.
    Profile,
    /// Which domain.
    Domain,
    /// Which role.
    Role,
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Profile => "profile",
            Self::Domain => "domain",
            Self::Role => "role",
        })
    }
}

/// Why not. Says which check, never what was signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Denial {
    /// The claim is not there, or empty.
    #[error("the claim that names the {0} is missing")]
    Missing(Claim),
    /// The claim is there more than once.
    #[error("the claim that names the {0} has several values: accepted is one")]
    Several(Claim),
    /// The claim is there, and not of its form.
    #[error("the claim that names the {0} is not accepted: accepted is {1}")]
    Malformed(Claim, String),
    /// No configured domain has this name.
    #[error("there is no such domain in the configuration")]
    NoSuchDomain,
    /// The domain has no such role.
    #[error("the domain's `executionRoles` have no such role")]
    NoSuchRole,
    /// The token's groups do not have the domain's.
    #[error("the person is not in the domain's group")]
    NotInGroup,
    /// The person may enter these, and has not said which.
    #[error("the person is in the groups of {} domains and chose none", .0.len())]
    SeveralDomains(Vec<DomainName>),
    /// There is no such place.
    #[error("`landings` has no such name")]
    NoSuchLanding,
    /// An assertion for AWS has none of the configured roles.
    #[error("the assertion has none of `saml.roles`")]
    NoAwsRole,
    /// An assertion for AWS has several of the configured roles.
    #[error("the assertion has {0} of `saml.roles`: accepted is one")]
    SeveralAwsRoles(usize),
}

impl Denial {
    /// Stable: for logs, the threat table and the operator's page.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing(_) => "claim-missing",
            Self::Several(_) => "claim-several",
            Self::Malformed(..) => "claim-malformed",
            Self::NoSuchDomain => "domain-unknown",
            Self::NoSuchRole => "role-unknown",
            Self::NotInGroup => "not-in-group",
            Self::SeveralDomains(_) => "several-domains",
            Self::NoSuchLanding => "landing-unknown",
            Self::NoAwsRole => "aws-role-none",
            Self::SeveralAwsRoles(_) => "aws-role-several",
        }
    }
}
