//! What the identity provider signs, checked with the verifier's own defaults, and the requests that it reads.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bergshamra::dsig::verify::verify_all;
use bergshamra::keys::loader::load_x509_cert_der;
use bergshamra::{DsigContext, KeysManager, VerifyResult};
use idp::{Identity, KeyKind, Request, Response, Signed};
use jiff::Timestamp;

fn now() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

fn identity(kind: KeyKind) -> Identity {
    Identity::new(kind, "idp.example", "2026-01-01T00:00:00Z".parse().unwrap(), "2027-01-01T00:00:00Z".parse().unwrap())
        .unwrap()
}

fn response() -> Response {
    Response::new("https://idp.example", "https://sp.example/saml", "https://sp.example", "a<&\"b", now())
        .attribute("groups", &["one", "two & more"])
}

fn verified(identity: &Identity, xml: &str) -> Vec<String> {
    let mut keys = KeysManager::new();
    keys.add_key(load_x509_cert_der(identity.certificate_der()).unwrap());
    verify_all(&DsigContext::new(keys), xml)
        .unwrap()
        .into_iter()
        .map(|result| match result {
            VerifyResult::Valid { references, .. } => references.into_iter().map(|found| found.uri).collect(),
            VerifyResult::Invalid { reason } => panic!("{reason}"),
        })
        .collect()
}

#[test]
fn every_kind_of_key_signs_the_assertion_the_response_or_both() {
    for kind in [KeyKind::Rsa2048, KeyKind::EcdsaP256, KeyKind::EcdsaP384] {
        let identity = identity(kind);
        for (signed, expected) in [
            (Signed::Assertion, &["#_assertion"][..]),
            (Signed::Response, &["#_response"][..]),
            (Signed::Both, &["#_response", "#_assertion"][..]),
        ] {
            assert_eq!(verified(&identity, &response().signed(&identity, signed).unwrap()), expected, "{kind:?}");
        }
    }
}

#[test]
fn the_signature_follows_the_issuer_and_changes_nothing_else() {
    let identity = identity(KeyKind::EcdsaP256);
    let xml = response().signed(&identity, Signed::Assertion).unwrap();
    let (before, rest) = xml.split_once("<ds:Signature ").unwrap();
    let (_, after) = rest.split_once("</ds:Signature>").unwrap();
    assert!(before.ends_with("IssueInstant=\"2026-01-02T03:04:05Z\"><saml:Issuer>https://idp.example</saml:Issuer>"));
    assert_eq!(format!("{before}{after}"), response().xml());
}

#[test]
fn an_identity_survives_a_restart() {
    for kind in [KeyKind::Rsa2048, KeyKind::EcdsaP256, KeyKind::EcdsaP384] {
        let identity = identity(kind);
        let again = Identity::from_pem(identity.key_pem(), identity.certificate_pem()).unwrap();
        assert_eq!(again.kind(), kind);
        assert_eq!(verified(&identity, &response().signed(&again, Signed::Assertion).unwrap()), ["#_assertion"]);
    }
}

fn query(xml: &str) -> String {
    let mut deflated = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    deflated.write_all(xml.as_bytes()).unwrap();
    let message = STANDARD.encode(deflated.finish().unwrap());
    form_urlencoded::Serializer::new(String::new())
        .append_pair("SAMLRequest", &message)
        .append_pair("RelayState", "lab & more")
        .finish()
}

const REQUEST: &str = "<samlp:AuthnRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"_1\" \
    AssertionConsumerServiceURL=\"https://sp.example/saml\"><saml:Issuer \
    xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">https://sp.example</saml:Issuer></samlp:AuthnRequest>";

#[test]
fn a_redirected_request_is_read() {
    let read = Request::from_query(&query(REQUEST)).unwrap();
    let expected = Request {
        id: "_1".into(),
        issuer: "https://sp.example".into(),
        acs: Some("https://sp.example/saml".into()),
        destination: None,
        relay_state: Some("lab & more".into()),
    };
    assert_eq!(read, expected);
}

#[test]
fn what_is_no_request_is_refused() {
    let bomb = format!("{REQUEST}{}", " ".repeat(1 << 20));
    for (query, why) in [
        (String::new(), "`SAMLRequest` is missing"),
        ("SAMLRequest=%21".into(), "not base64"),
        ("SAMLRequest=AAAA".into(), "not deflated UTF-8"),
        (query(&REQUEST.replace("AuthnRequest", "LogoutRequest")), "root is not samlp:AuthnRequest"),
        (query(&REQUEST.replace("ID=\"_1\"", "")), "no ID"),
        (query(&bomb), "too large"),
        (format!("{0}&{0}", query(REQUEST)), "given twice"),
    ] {
        let error = Request::from_query(&query).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}
