//! One service provider, one identity provider, one Response that is right in everything.

use std::sync::LazyLock;

use access::saml::{Certificates, Form, Refusal, ServiceProvider, Verified};
use idp::{Identity, KeyKind, Response, Signed, form_body};
use jiff::{SignedDuration, Timestamp};

pub(crate) const ACS: &str = "https://sp.example/saml";
pub(crate) const AUDIENCE: &str = "https://sp.example";
pub(crate) const ISSUER: &str = "https://idp.example";
pub(crate) const SKEW: i64 = 60;

/// When everything happens.
pub(crate) fn now() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

/// So many seconds from now.
pub(crate) fn at(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

pub(crate) fn identity(kind: KeyKind) -> Identity {
    Identity::new(kind, "idp.example", at(-86_400), at(86_400)).unwrap()
}

pub(crate) static RSA: LazyLock<Identity> = LazyLock::new(|| identity(KeyKind::Rsa2048));
pub(crate) static ECDSA: LazyLock<Identity> = LazyLock::new(|| identity(KeyKind::EcdsaP256));
pub(crate) static ATTACKER: LazyLock<Identity> = LazyLock::new(|| identity(KeyKind::Rsa2048));

pub(crate) fn provider_of(identities: &[&Identity]) -> ServiceProvider {
    ServiceProvider {
        acs: ACS.into(),
        audience: AUDIENCE.into(),
        issuer: ISSUER.into(),
        skew: SignedDuration::from_secs(SKEW),
        certificates: Certificates::parse(identities.iter().map(|identity| identity.certificate_pem())).unwrap(),
    }
}

pub(crate) static PROVIDER: LazyLock<ServiceProvider> = LazyLock::new(|| provider_of(&[&RSA, &ECDSA]));

/// The Response that is right in everything and has everything.
pub(crate) fn response() -> Response {
    let mut response = Response::new(ISSUER, ACS, AUDIENCE, "mallory@example.com", now())
        .attribute("domain", &["team1"])
        .attribute("groups", &["readers", "writers & more"]);
    response.in_response_to = Some("_request".into());
    response.session_not_on_or_after = Some(at(3600));
    response
}

pub(crate) fn sign(xml: &str) -> String {
    RSA.sign(xml, "_assertion").unwrap()
}

/// [`response`], with its Assertion signed.
pub(crate) static SIGNED: LazyLock<String> = LazyLock::new(|| response().signed(&RSA, Signed::Assertion).unwrap());

pub(crate) fn form(xml: &str) -> Result<Form, Refusal> {
    Form::parse(form_body(xml, None).as_bytes())
}

pub(crate) fn verify(xml: &str) -> Result<Verified, Refusal> {
    PROVIDER.verify(&form(xml)?, now())
}

/// The code of the refusal of `xml`, or `accepted`.
pub(crate) fn code(xml: &str) -> &'static str {
    outcome(&verify(xml))
}

pub(crate) fn outcome<T>(result: &Result<T, Refusal>) -> &'static str {
    result.as_ref().err().map_or("accepted", |refusal| refusal.code())
}

/// Text with `from` replaced by `to`; `from` must be there exactly once, so that no case is about nothing.
pub(crate) fn edit(xml: &str, from: &str, to: &str) -> String {
    assert_eq!(xml.matches(from).count(), 1, "`{from}` in {xml}");
    xml.replacen(from, to, 1)
}

/// What is between the first `from` and the first `to` behind it, both included.
pub(crate) fn part<'x>(xml: &'x str, from: &str, to: &str) -> &'x str {
    let start = xml.find(from).unwrap_or_else(|| panic!("`{from}` in {xml}"));
    let end = xml[start..].find(to).unwrap_or_else(|| panic!("`{to}` in {xml}")) + start + to.len();
    &xml[start..end]
}

pub(crate) fn assertion_of(xml: &str) -> &str {
    part(xml, "<saml:Assertion ", "</saml:Assertion>")
}

pub(crate) fn signature_of(xml: &str) -> &str {
    part(xml, "<ds:Signature ", "</ds:Signature>")
}
