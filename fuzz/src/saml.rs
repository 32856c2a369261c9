//! What a browser posts to the sign-in: a form with a SAML Response.

use access::saml::{Certificates, Expected, Form, ServiceProvider, Verified, XML_LIMIT};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};

const RSA: &str = include_str!("../certificates/saml-rsa.pem");
const ECDSA: &str = include_str!("../certificates/saml-ecdsa.pem");

/// A form, and the same bytes as the Response in a form. Nothing is accepted but with the claims that were signed (all signed
/// seeds have the same, and their keys were thrown away), and whatever is accepted is also seen so by the look without keys.
pub fn saml_form(data: &[u8]) {
    body(data);
    body(format!("RelayState=x&SAMLResponse={}", STANDARD.encode(data).replace('+', "%2B")).as_bytes());
}

fn body(body: &[u8]) {
    let Ok(form) = Form::parse(body) else { return };
    assert!(STANDARD.decode(form.raw()).is_ok_and(|xml| xml.len() <= XML_LIMIT));
    let (provider, now) = provider();
    let expected = Expected {
        issuer: provider.issuer.clone(),
        audience: provider.audience.clone(),
        recipient: provider.acs.clone(),
        skew: provider.skew,
    };
    let seen = expected.look(&form, now);
    let Ok(verified) = provider.verify(&form, now) else { return };
    let seen = seen.expect("what is verified passes the look");
    assert_eq!((&seen.assertion_id, &seen.name_id), (&verified.assertion_id, &verified.name_id));
    assert!(seen.attributes == verified.attributes);
    signed(&verified);
}

/// The claims of the seeds.
fn signed(verified: &Verified) {
    assert_eq!(verified.issuer, "https://idp.example");
    assert_eq!(verified.assertion_id, "_assertion");
    assert_eq!(verified.name_id, "mallory@example.com");
    assert_eq!(verified.in_response_to.as_deref(), Some("_request"));
    let attributes: Vec<(&str, Vec<&str>)> = verified
        .attributes
        .iter()
        .map(|(name, values)| (name.as_str(), values.iter().map(String::as_str).collect()))
        .collect();
    assert_eq!(attributes, [("domain", vec!["team1"]), ("groups", vec!["readers", "writers & more"])]);
}

/// The service provider of the seeds, and their time.
pub fn provider() -> (ServiceProvider, Timestamp) {
    let provider = ServiceProvider {
        acs: "https://sp.example/saml".into(),
        audience: "https://sp.example".into(),
        issuer: "https://idp.example".into(),
        skew: SignedDuration::from_secs(60),
        certificates: Certificates::parse([RSA, ECDSA]).expect("certificates"),
    };
    (provider, "2026-01-02T03:04:05Z".parse().expect("a time"))
}
