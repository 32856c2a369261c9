//! `saml-rs`, hardened, as a second opinion.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use saml_rs::{
    AcsEndpoint, AssertionSignaturePolicy, AudienceValidationPolicy, BrowserInput, ClockSkew, EntityId, FormField,
    IdpDescriptor, MessageId, MetadataTrustPolicy, PendingAuthnRequest, RelayStateParam, ReplayPolicy, Saml, SamlError,
    SamlValidationContext, Sp, SpConfig, SpValidationPolicy, SsoResponse, SsoResponseBinding, SsoSession,
};

use crate::support::{ACS, AUDIENCE, ECDSA, ISSUER, RSA, SIGNED, now, response};

fn certificate(identity: &idp::Identity) -> String {
    STANDARD.encode(identity.certificate_der())
}

fn identity_provider() -> IdpDescriptor {
    let keys: String = [certificate(&RSA), certificate(&ECDSA)]
        .map(|key| {
            format!(
                "<KeyDescriptor use=\"signing\"><ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">\
            <ds:X509Data><ds:X509Certificate>{key}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></KeyDescriptor>"
            )
        })
        .concat();
    let metadata = format!(
        "<EntityDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"{ISSUER}\"><IDPSSODescriptor \
         protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">{keys}<SingleSignOnService \
         Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" Location=\"{ISSUER}/sso\"/></IDPSSODescriptor>\
         </EntityDescriptor>"
    );
    IdpDescriptor::from_metadata_xml(&metadata, MetadataTrustPolicy::UnsignedForCompatibility).unwrap()
}

fn service_provider() -> Saml<Sp> {
    let mut policy = SpValidationPolicy::recommended();
    policy.assertions = AssertionSignaturePolicy::RequireSigned;
    policy.audience = AudienceValidationPolicy::Validate;
    let config = SpConfig::builder(EntityId::try_new(AUDIENCE).unwrap())
        .acs_endpoint(AcsEndpoint::post(ACS).unwrap())
        .validation(policy)
        .build();
    Saml::sp(config.unwrap()).unwrap()
}

/// What `saml-rs` makes of `xml`, as an answer to `request` or to none.
fn session(xml: &str, request: Option<&str>) -> Result<SsoSession, SamlError> {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(now().as_second().try_into().unwrap());
    let context = SamlValidationContext::new(time, ReplayPolicy::DisabledForCompatibility)
        .with_clock_skew(ClockSkew::from_millis(-60_000, 60_000));
    let input = BrowserInput::<SsoResponse>::post(vec![FormField::new("SAMLResponse", STANDARD.encode(xml))]);
    let (sp, idp) = (service_provider(), identity_provider());
    let Some(request) = request else { return sp.accept_unsolicited_sso(&idp, input, context) };
    let pending = PendingAuthnRequest::try_new(
        MessageId::try_new(request)?,
        RelayStateParam::absent(),
        AcsEndpoint::post(ACS)?,
        SsoResponseBinding::Post,
        EntityId::try_new(ISSUER)?,
    )?;
    sp.finish_sso(&idp, &pending, input, context)
}

/// The name and the attributes that `saml-rs` reads from `xml`, or its refusal.
pub(crate) fn claims(xml: &str, request: Option<&str>) -> Result<(String, BTreeMap<String, Vec<String>>), String> {
    let session = session(xml, request).map_err(|error| error.to_string())?;
    let values =
        |attribute: &saml_rs::Attribute| attribute.values().iter().map(|value| value.as_str().to_owned()).collect();
    let attributes = session.attributes().as_slice().iter();
    Ok((
        session.name_id().value().to_owned(),
        attributes.map(|attribute| (attribute.name().to_owned(), values(attribute))).collect(),
    ))
}

#[test]
fn both_read_the_same_from_a_right_response() {
    let (name, attributes) = claims(&SIGNED, Some("_request")).unwrap();
    let verified = crate::support::verify(&SIGNED).unwrap();
    assert_eq!((name, attributes), (verified.name_id, verified.attributes));
    let mut unsolicited = response();
    unsolicited.in_response_to = None;
    let xml = crate::support::sign(&unsolicited.xml());
    assert_eq!(claims(&xml, None).unwrap().0, "mallory@example.com");
}

#[test]
fn the_oracle_refuses_what_was_forged() {
    let evil = SIGNED.replace("mallory@example.com", "admin@example.com");
    assert!(claims(&evil, Some("_request")).is_err());
    let foreign = response().signed(&crate::support::ATTACKER, idp::Signed::Assertion).unwrap();
    assert!(claims(&foreign, Some("_request")).is_err());
    assert!(claims(&SIGNED, Some("_other")).is_err());
}

/// Where this service refuses and `saml-rs` does not, so that nobody takes the one for the other.
#[test]
fn this_service_is_stricter() {
    let code = crate::support::code;
    for (name, xml, expected) in [
        (
            "an attribute twice",
            signed(
                "</saml:AttributeStatement>",
                "<saml:Attribute Name=\"domain\">\
            <saml:AttributeValue>team2</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>",
            ),
            "attribute",
        ),
        ("a comment in the name", SIGNED.replace("mallory@", "mallory<!-- -->@"), "comment"),
        (
            "an outer element that is not known",
            SIGNED.replace("<samlp:Status>", "<samlp:Extensions/><samlp:Status>"),
            "element",
        ),
    ] {
        assert_eq!(code(&xml), expected, "{name}");
        assert!(claims(&xml, Some("_request")).is_ok(), "{name}");
    }
}

fn signed(from: &str, to: &str) -> String {
    crate::support::sign(&crate::support::edit(&response().xml(), from, to))
}
