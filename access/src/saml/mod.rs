//! SAML 2.0 Web Browser SSO, the service provider's side: what a browser posts is checked, verified and read over one tree
//! (docs/adr/0014-saml-is-verified-over-one-tree.md; attacks and tests in docs/ACCESS.md).
//!
//! [`ServiceProvider::verify`] is for Responses that are verified here. [`Expected::look`] makes the same checks but that of
//! the signature, for those that AWS verifies. Neither remembers anything: that an Assertion is used once, and that
//! InResponseTo is a request of ours, is for the caller to hold against its records.

mod certificate;
mod claims;
mod envelope;
mod form;
mod refusal;
mod request;
mod signature;
mod time;
mod tree;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

pub use certificate::{CertificateError, Certificates};
pub use claims::Seen;
pub use form::{FORM_LIMIT, Form, XML_LIMIT};
pub use refusal::Refusal;

use claims::Rules;
use envelope::Envelope;
use time::Clock;
use tree::Tree;

/// This service as a SAML service provider, and the one identity provider that it trusts.
#[derive(Debug, Clone)]
pub struct ServiceProvider {
    /// Our assertion consumer service: Destination and Recipient must be it, byte for byte.
    pub acs: String,
    /// Our entity ID: an Audience must be it, byte for byte.
    pub audience: String,
    /// The entity ID of the identity provider.
    pub issuer: String,
    /// The difference of clocks that is tolerated, from none to 60 s; more counts as 60 s.
    pub skew: SignedDuration,
    /// The certificates of the identity provider.
    pub certificates: Certificates,
}

/// What a Response must say that AWS verifies (`sts:AssumeRoleWithSAML`).
#[derive(Debug, Clone)]
pub struct Expected {
    /// The entity ID of the identity provider.
    pub issuer: String,
    /// The Audience for AWS.
    pub audience: String,
    /// The Recipient for AWS.
    pub recipient: String,
    /// The difference of clocks that is tolerated, from none to 60 s; more counts as 60 s.
    pub skew: SignedDuration,
}

/// What a verified Assertion says.
#[derive(Clone, PartialEq, Eq)]
pub struct Verified {
    /// The entity ID of the identity provider.
    pub issuer: String,
    /// ID of the Assertion: with the issuer, the key of the replay record.
    pub assertion_id: String,
    /// ID of the request that it answers; none when the identity provider started.
    pub in_response_to: Option<String>,
    /// NameID, whole and as written.
    pub name_id: String,
    /// Values of attributes by Name, whole and as written, in the order of the document.
    pub attributes: BTreeMap<String, Vec<String>>,
    /// From this whole second on the Assertion is refused, whatever the clocks: how long a replay record must be kept.
    pub expires: Timestamp,
    /// SessionNotOnOrAfter, the earliest.
    pub session_ends: Option<Timestamp>,
}

impl std::fmt::Debug for Verified {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Claims are about a person, so they do not go to logs by accident.
        formatter.debug_struct("Verified").field("expires", &self.expires).finish_non_exhaustive()
    }
}

impl ServiceProvider {
    /// Checks and verifies what a browser posted, as of `now`.
    ///
    /// # Errors
    /// The first check that fails. Those of the Response come first, then the signature, then the Assertion.
    pub fn verify(&self, form: &Form, now: Timestamp) -> Result<Verified, Refusal> {
        let tree = Tree::parse(form.xml())?;
        let envelope = Envelope::open(&tree, &self.issuer, Some(&self.acs))?;
        let assertion = signature::verify(&tree, &envelope, &self.certificates, now)?;
        let rules = Rules {
            issuer: &self.issuer,
            audience: &self.audience,
            recipient: &self.acs,
            clock: Clock::new(now, self.skew),
            in_response_to: envelope.in_response_to,
        };
        let said = claims::read(&tree, assertion.node(), &rules)?;
        Ok(Verified {
            issuer: said.issuer,
            assertion_id: said.assertion_id,
            in_response_to: said.in_response_to,
            name_id: said.name_id,
            attributes: said.attributes,
            expires: said.expires,
            session_ends: said.session_ends,
        })
    }
}

impl Expected {
    /// Makes every check of [`ServiceProvider::verify`] but two: the signature, which AWS verifies (it may also be that of
    /// the Response, but stands in the same places only), and Destination, which for AWS is its own URL or ours.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn look(&self, form: &Form, now: Timestamp) -> Result<Seen, Refusal> {
        let tree = Tree::parse(form.xml())?;
        let envelope = Envelope::open(&tree, &self.issuer, None)?;
        let rules = Rules {
            issuer: &self.issuer,
            audience: &self.audience,
            recipient: &self.recipient,
            clock: Clock::new(now, self.skew),
            in_response_to: envelope.in_response_to,
        };
        claims::read(&tree, envelope.assertion, &rules)
    }
}
