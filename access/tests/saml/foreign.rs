//! Signatures by other hands: canonicalised by libxml2 and signed by OpenSSL, through Python's `lxml` and `cryptography`, in
//! the layout of OpenSAML (other prefixes, white space, a default namespace for the signature, prefixes to keep, broken lines
//! of base64). `signxml` accepts the first two. The keys were thrown away.

use access::saml::{Certificates, Refusal, ServiceProvider, Verified};

use crate::support::{PROVIDER, form, now, outcome};

const RSA: &str = include_str!("foreign/rsa.xml");
const ECDSA: &str = include_str!("foreign/ecdsa.xml");
/// SHA-1 in signature and digest, and right in all else.
const SHA1: &str = include_str!("foreign/sha1.xml");

fn verify(xml: &str) -> Result<Verified, Refusal> {
    let certificates = [include_str!("foreign/rsa.pem"), include_str!("foreign/ecdsa.pem")];
    let provider = ServiceProvider { certificates: Certificates::parse(certificates).unwrap(), ..PROVIDER.clone() };
    provider.verify(&form(xml)?, now())
}

#[test]
fn signatures_of_other_libraries_are_accepted() {
    for xml in [RSA, ECDSA] {
        let verified = verify(xml).unwrap();
        assert_eq!(verified.name_id, "zoë&co@example.com");
        assert_eq!(verified.attributes["domain"], ["team1"]);
        assert_eq!(verified.attributes["groups"], ["<readers>", "writers & \"more\""]);
        assert_eq!(verified.in_response_to.as_deref(), Some("_request"));
        assert_eq!(verified.expires.to_string(), "2026-01-02T03:10:06Z");
        // White space that canonicalisation keeps counts.
        assert_eq!(outcome(&verify(&xml.replace("\n    <saml2:Conditions", "\n   <saml2:Conditions"))), "signature");
    }
}

#[test]
fn a_right_signature_by_sha_1_is_refused() {
    assert_eq!(outcome(&verify(SHA1)), "signature-algorithm");
}
