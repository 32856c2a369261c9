//! The pinned certificates: form, keys, validity, rotation.

use access::saml::{CertificateError, Certificates, ServiceProvider};
use idp::{Algorithms, Identity, KeyKind, Signed};
use jiff::Timestamp;

use crate::support::{ATTACKER, ECDSA, RSA, at, form, now, outcome, provider_of, response};

/// Made with `openssl req -x509 -newkey rsa:1024`; the key was thrown away.
const SHORT: &str = include_str!("foreign/rsa-1024.pem");
/// Made with `openssl req -x509 -newkey ed25519`; the key was thrown away.
const EDWARDS: &str = include_str!("foreign/ed25519.pem");

fn error(pems: &[&str]) -> CertificateError {
    Certificates::parse(pems).unwrap_err()
}

#[test]
fn a_set_without_a_certificate_is_an_error() {
    assert_eq!(error(&[]), CertificateError::None);
}

#[test]
fn only_certificates_with_strong_keys_are_pinned() {
    let good = RSA.certificate_pem();
    let two = format!("{good}{good}");
    let renamed = good.replace("CERTIFICATE", "PKCS7");
    let cut = &good[..good.len() / 2];
    for (name, pem, expected) in [
        ("nothing", "", CertificateError::Pem(2)),
        ("no PEM", "MIIB", CertificateError::Pem(2)),
        ("a private key", RSA.key_pem(), CertificateError::Pem(2)),
        ("by another name", &renamed, CertificateError::Pem(2)),
        ("two in one", &two, CertificateError::Pem(2)),
        ("cut", cut, CertificateError::Pem(2)),
        ("RSA of 1024 bits", SHORT, CertificateError::ShortKey(2)),
        ("Ed25519", EDWARDS, CertificateError::Key(2)),
    ] {
        assert_eq!(error(&[good, pem]), expected, "{name}");
    }
    let spaced = format!("\n  {good}\n");
    assert_eq!(Certificates::parse([good, ECDSA.certificate_pem(), &spaced]).unwrap().ends().count(), 3);
}

#[test]
fn the_end_of_each_certificate_is_told() {
    let ends: Vec<Timestamp> = Certificates::parse([RSA.certificate_pem()]).unwrap().ends().collect();
    assert_eq!(ends, [at(86_400)]);
}

fn code_of(provider: &ServiceProvider, xml: &str, now: Timestamp) -> &'static str {
    outcome(&provider.verify(&form(xml).unwrap(), now))
}

#[test]
fn a_certificate_counts_within_its_validity_only() {
    for (name, from, until, expected) in [
        ("ended a second ago", -100, -1, "certificate-validity"),
        ("ends now", -100, 0, "accepted"),
        ("ends in a second", -100, 1, "accepted"),
        ("began a second ago", -1, 100, "accepted"),
        ("begins now", 0, 100, "accepted"),
        ("begins in a second", 1, 100, "certificate-validity"),
    ] {
        for kind in [KeyKind::Rsa2048, KeyKind::EcdsaP256] {
            let identity = Identity::new(kind, "idp.example", at(from), at(until)).unwrap();
            let xml = response().signed(&identity, Signed::Assertion).unwrap();
            assert_eq!(code_of(&provider_of(&[&identity]), &xml, now()), expected, "{name}");
            // One that is valid beside it does not help it.
            assert_eq!(code_of(&provider_of(&[&identity, &RSA]), &xml, now()), expected, "{name}, beside another");
        }
    }
}

#[test]
fn while_the_identity_provider_changes_certificates_both_are_accepted() {
    let old = Identity::new(KeyKind::Rsa2048, "idp.example", at(-1000), at(100)).unwrap();
    let new = Identity::new(KeyKind::Rsa2048, "idp.example", at(-100), at(1000)).unwrap();
    for pinned in [[&old, &new], [&new, &old]] {
        for signer in [&old, &new] {
            let xml = response().signed(signer, Signed::Assertion).unwrap();
            assert_eq!(code_of(&provider_of(&pinned), &xml, now()), "accepted");
        }
        let xml = response().signed(&ATTACKER, Signed::Assertion).unwrap();
        assert_eq!(code_of(&provider_of(&pinned), &xml, now()), "signature");
    }
    let xml = response().signed(&new, Signed::Assertion).unwrap();
    assert_eq!(code_of(&provider_of(&[&old]), &xml, now()), "signature", "not pinned yet");
}

#[test]
fn all_kinds_of_key_are_accepted_with_their_strong_algorithms() {
    use bergshamra::core::algorithm::{
        ECDSA_SHA256, ECDSA_SHA384, RSA_SHA256, RSA_SHA384, RSA_SHA512, SHA256, SHA384, SHA512,
    };
    let p384 = crate::support::identity(KeyKind::EcdsaP384);
    let pinned = provider_of(&[&RSA, &ECDSA, &p384]);
    for (identity, signatures) in
        [(&*RSA, &[RSA_SHA256, RSA_SHA384, RSA_SHA512][..]), (&ECDSA, &[ECDSA_SHA256]), (&p384, &[ECDSA_SHA384])]
    {
        for signature in signatures {
            for digest in [SHA256, SHA384, SHA512] {
                let xml =
                    identity.sign_with(&response().xml(), "_assertion", Algorithms { signature, digest }).unwrap();
                assert_eq!(code_of(&pinned, &xml, now()), "accepted", "{signature} {digest}");
            }
        }
    }
}
