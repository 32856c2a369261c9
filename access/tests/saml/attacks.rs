//! Forgeries other than wrapping: changed content, foreign and weak keys, comments, document types, size.

use std::time::{Duration, Instant};

use bergshamra::core::algorithm;
use bergshamra::keys::loader::load_hmac_key;
use bergshamra::{DsigContext, KeysManager};
use idp::{Algorithms, Signed};

use crate::support::{ATTACKER, RSA, SIGNED, assertion_of, code, edit, part, response, signature_of, verify};

#[test]
fn a_changed_assertion_is_refused() {
    for (name, from, to) in [
        ("name", "mallory@example.com", "admin@example.com"),
        ("attribute", "team1", "team2"),
        ("time", "NotOnOrAfter=\"2026-01-02T03:09:05Z\" Recipient", "NotOnOrAfter=\"2026-01-02T03:19:05Z\" Recipient"),
        ("request", " InResponseTo=\"_request\"/>", " InResponseTo=\"_reques\"/>"),
        ("white space", "<saml:Conditions ", " <saml:Conditions "),
        (
            "an attribute more",
            "</saml:AttributeStatement>",
            "<saml:Attribute Name=\"role\"/></saml:AttributeStatement>",
        ),
        ("signature value", "<ds:SignatureValue>", "<ds:SignatureValue>AAAA"),
        (
            "no signature value",
            part(&SIGNED, "<ds:SignatureValue>", "</ds:SignatureValue>"),
            "<ds:SignatureValue></ds:SignatureValue>",
        ),
        (
            "no digest value",
            part(&SIGNED, "<ds:DigestValue>", "</ds:DigestValue>"),
            "<ds:DigestValue></ds:DigestValue>",
        ),
    ] {
        assert_eq!(code(&edit(&SIGNED, from, to)), "signature", "{name}");
    }
}

#[test]
fn key_info_is_ignored() {
    let key = part(&SIGNED, "<ds:KeyInfo>", "</ds:KeyInfo>").to_owned();
    let foreign = response().signed(&ATTACKER, Signed::Assertion).unwrap();
    let foreign_key = part(&foreign, "<ds:KeyInfo>", "</ds:KeyInfo>").to_owned();
    // A right signature of the attacker, whose certificate comes along.
    assert_eq!(code(&foreign), "signature", "the attacker's own certificate");
    assert_eq!(
        code(&edit(&foreign, &foreign_key, &key)),
        "signature",
        "the pinned certificate, the attacker's signature"
    );
    assert_eq!(code(&edit(&foreign, &foreign_key, "")), "signature", "no certificate");
    assert_eq!(
        code(&edit(&foreign, &foreign_key, "<ds:KeyInfo><ds:KeyName>idp.example</ds:KeyName></ds:KeyInfo>")),
        "signature"
    );
    let reference = "<ds:KeyInfo><d:KeyInfoReference xmlns:d=\"http://www.w3.org/2009/xmldsig11#\" \
        URI=\"#_key\"/></ds:KeyInfo>";
    assert_eq!(code(&edit(&foreign, &foreign_key, reference)), "signature", "a reference to a key");
    // What is there does no harm to a right signature either.
    assert_eq!(code(&edit(&SIGNED, &key, &foreign_key)), "accepted", "the attacker's certificate, the right signature");
    assert_eq!(code(&edit(&SIGNED, &key, "")), "accepted", "no KeyInfo");
    assert_eq!(code(&edit(&SIGNED, &key, "<ds:KeyInfo/>")), "accepted", "an empty one");
}

#[test]
fn sha_1_is_refused_in_signature_and_digest() {
    let algorithms = Algorithms { signature: algorithm::RSA_SHA256, digest: algorithm::SHA1 };
    let digest = RSA.sign_with(&response().xml(), "_assertion", algorithms).unwrap();
    assert_eq!(code(&digest), "digest-algorithm", "a right signature over a digest by SHA-1");
    let told = edit(&digest, algorithm::SHA1, algorithm::SHA256);
    assert_eq!(code(&told), "signature", "a digest by SHA-1 that is told to be by SHA-256");
    assert_eq!(code(&edit(&SIGNED, algorithm::RSA_SHA256, algorithm::RSA_SHA1)), "signature-algorithm");
}

#[test]
fn algorithms_that_are_not_listed_are_refused() {
    for method in [
        algorithm::RSA_SHA224,
        algorithm::RSA_MD5,
        algorithm::RSA_PSS_SHA256,
        algorithm::DSA_SHA256,
        algorithm::ECDSA_SHA1,
        algorithm::EDDSA_ED25519,
        algorithm::HMAC_SHA256,
        algorithm::ML_DSA_65,
        "",
        "none",
    ] {
        assert_eq!(code(&edit(&SIGNED, algorithm::RSA_SHA256, method)), "signature-algorithm", "{method}");
    }
    for digest in [algorithm::SHA1, algorithm::MD5, algorithm::SHA224, algorithm::SHA3_256, ""] {
        assert_eq!(code(&edit(&SIGNED, algorithm::SHA256, digest)), "digest-algorithm", "{digest}");
    }
    assert_eq!(code(&edit(&SIGNED, algorithm::RSA_SHA256, algorithm::ECDSA_SHA256)), "signature", "of another key");
}

#[test]
fn hmac_with_the_public_key_as_the_secret_is_refused() {
    let template =
        part(&SIGNED, "<ds:SignedInfo>", "</ds:SignedInfo>").replace(algorithm::RSA_SHA256, algorithm::HMAC_SHA256);
    let digest = part(&template, "<ds:DigestValue>", "</ds:DigestValue>").to_owned();
    let info = template.replace(&digest, "<ds:DigestValue></ds:DigestValue>");
    let signature = format!(
        "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">{info}<ds:SignatureValue></ds:SignatureValue></ds:Signature>"
    );
    let unsigned = edit(&SIGNED, signature_of(&SIGNED), &signature);
    for secret in [RSA.certificate_pem().as_bytes(), RSA.certificate_der()] {
        let mut keys = KeysManager::new();
        keys.add_key(load_hmac_key(secret).unwrap());
        let xml = bergshamra::sign(&DsigContext::new(keys.clone()), &unsigned).unwrap();
        assert!(bergshamra::verify(&DsigContext::new(keys), &xml).unwrap().is_valid(), "the forgery is made right");
        assert_eq!(code(&xml), "signature-algorithm");
        let shortened = edit(
            &xml,
            "hmac-sha256\"/>",
            "hmac-sha256\"><ds:HMACOutputLength>8</ds:HMACOutputLength></ds:SignatureMethod>",
        );
        assert_eq!(code(&shortened), "signature-algorithm");
    }
    let parameter = edit(
        &SIGNED,
        "rsa-sha256\"/>",
        "rsa-sha256\"><ds:HMACOutputLength>8</ds:HMACOutputLength></ds:SignatureMethod>",
    );
    assert_eq!(code(&parameter), "signature-algorithm", "a parameter that the algorithm does not have");
}

#[test]
fn comments_and_instructions_do_not_cut_values() {
    // Canonicalisation drops comments, so these are right signatures (CVE-2017-11427 and its kin, 2018).
    for (name, xml) in [
        ("in the name", edit(&SIGNED, "mallory@example.com", "mallory@example.com<!---->.evil.example")),
        ("in the name, which stays the same", edit(&SIGNED, "mallory@example.com", "mallory<!-- x -->@example.com")),
        ("in an attribute", edit(&SIGNED, "team1", "team<!-- -->1")),
        ("in the audience", edit(&SIGNED, "<saml:Audience>", "<saml:Audience><!-- -->")),
        ("between elements", edit(&SIGNED, "<saml:Conditions", "<!-- --><saml:Conditions")),
        ("before the root", format!("<!-- -->{}", &*SIGNED)),
        ("behind the root", format!("{}<!-- -->", &*SIGNED)),
        ("an instruction in the name", edit(&SIGNED, "mallory@example.com", "mallory<?x?>@example.com")),
        ("an instruction before the root", format!("<?xml-stylesheet href=\"x\"?>{}", &*SIGNED)),
    ] {
        assert_eq!(code(&xml), "comment", "{name}");
    }
}

#[test]
fn values_are_read_whole_in_whatever_pieces_they_are_written() {
    for (name, from, to) in [
        ("CDATA", "mallory@example.com", "mallory<![CDATA[@example]]><![CDATA[.com]]>"),
        ("character references", "mallory@example.com", "m&#97;llory&#x40;example.com"),
        ("both", "mallory@example.com", "<![CDATA[m]]>&#97;llory@<![CDATA[example.com]]>"),
    ] {
        assert_eq!(verify(&edit(&SIGNED, from, to)).unwrap().name_id, "mallory@example.com", "{name}");
    }
}

#[test]
fn document_types_and_entities_are_refused() {
    let laughs: String =
        (1..10).map(|level| format!("<!ENTITY l{level} \"{}\">", format!("&l{};", level - 1).repeat(10))).collect();
    for (name, declaration, reference) in [
        ("empty", "<!DOCTYPE x>".to_owned(), ""),
        ("an entity", "<!DOCTYPE x [<!ENTITY e \"admin\">]>".into(), "&e;"),
        ("a billion laughs", format!("<!DOCTYPE x [<!ENTITY l0 \"ha\">{laughs}]>"), "&l9;"),
        ("a quadratic bomb", format!("<!DOCTYPE x [<!ENTITY e \"{}\">]>", "a".repeat(20_000)), "&e;&e;&e;&e;"),
        ("a file", "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/hostname\">]>".into(), "&e;"),
        ("a URL", "<!DOCTYPE x SYSTEM \"http://127.0.0.1:9/x.dtd\">".into(), ""),
        ("a parameter entity", "<!DOCTYPE x [<!ENTITY % p SYSTEM \"http://127.0.0.1:9/\"> %p;]>".into(), ""),
        ("a default attribute", "<!DOCTYPE x [<!ATTLIST saml:Assertion ID CDATA \"_evil\">]>".into(), ""),
    ] {
        let xml = edit(&SIGNED, "mallory@example.com", &format!("mallory@example.com{reference}"));
        assert_eq!(code(&format!("{declaration}{xml}")), "doctype", "{name}");
    }
    assert_eq!(code(&edit(&SIGNED, "mallory", "&e;")), "xml", "an entity that is not declared");
}

#[test]
fn what_is_no_xml_with_namespaces_is_refused() {
    for (name, xml) in [
        ("nothing", String::new()),
        ("text", "text".into()),
        ("two roots", format!("{0}{0}", &*SIGNED)),
        ("something behind the root", format!("{}x", &*SIGNED)),
        ("cut", SIGNED[..SIGNED.len() - 1].into()),
        ("an attribute twice", edit(&SIGNED, "ID=\"_response\"", "ID=\"_response\" ID=\"_response\"")),
        (
            "an attribute twice by two prefixes",
            edit(&SIGNED, "<samlp:Status>", "<samlp:Status xmlns:a=\"urn:a\" xmlns:b=\"urn:a\" a:x=\"\" b:x=\"\">"),
        ),
        ("a prefix that is not declared", edit(&SIGNED, "<samlp:Status>", "<samlp:Status x:y=\"\">")),
        ("an element whose prefix is not declared", edit(&SIGNED, "<samlp:Status>", "<samlp:Status><x:y/>")),
        ("a null character", edit(&SIGNED, "mallory", "mal\0lory")),
        ("a reference to a null character", edit(&SIGNED, "mallory", "mal&#0;lory")),
        ("a reference to a surrogate", edit(&SIGNED, "mallory", "mal&#xD800;lory")),
        ("two colons", edit(&SIGNED, "<samlp:Status>", "<samlp:Status><a:b:c/>")),
    ] {
        assert_eq!(code(&xml), "xml", "{name}");
    }
}

#[test]
fn bombs_of_depth_and_number_are_refused_in_no_time() {
    let inside = |bomb: String| edit(&SIGNED, "<samlp:Status>", &format!("<samlp:Status>{bomb}"));
    let attributes: String = (0..7000).map(|number| format!(" a{number}=\"\"")).collect();
    let spaces: String = (0..2500).map(|number| format!(" xmlns:n{number}=\"urn:{number}\"")).collect();
    let nested: String = (0..26)
        .map(|level| {
            let spaces: String = (0..120).map(|number| format!(" xmlns:n{level}x{number}=\"u\"")).collect();
            format!("<a{spaces}>")
        })
        .collect();
    let certificates = "<ds:X509Certificate>AAAA</ds:X509Certificate>".repeat(1000);
    for (name, xml, expected) in [
        ("33 levels", inside(format!("{}{}", "<a>".repeat(31), "</a>".repeat(31))), "xml-limit"),
        ("9000 levels", inside(format!("{}{}", "<a>".repeat(9000), "</a>".repeat(9000))), "xml-limit"),
        ("10000 elements", inside("<a/>".repeat(10_000)), "xml-limit"),
        ("9000 elements", inside("<a/>".repeat(9000)), "accepted"),
        ("many attributes", inside(format!("<a{attributes}/>")), "accepted"),
        ("many namespaces", edit(&SIGNED, "<samlp:Response ", &format!("<samlp:Response{spaces} ")), "accepted"),
        ("many namespaces on many levels", inside(format!("{nested}{}", "</a>".repeat(26))), "accepted"),
        ("many certificates", edit(&SIGNED, "<ds:X509Data>", &format!("<ds:X509Data>{certificates}")), "accepted"),
    ] {
        let start = Instant::now();
        assert_eq!(code(&xml), expected, "{name}");
        assert!(start.elapsed() < Duration::from_secs(5), "{name}: {:?}", start.elapsed());
    }
}

#[test]
fn the_assertion_of_another_response_is_accepted_only_with_what_is_signed_in_it() {
    // The Response around the Assertion is not signed, so it may be replaced: nothing of it becomes a claim.
    let around = edit(&SIGNED, "ID=\"_response\"", "ID=\"_another\"");
    let around = edit(
        &around,
        "IssueInstant=\"2026-01-02T03:04:05Z\" Destination",
        "IssueInstant=\"2020-01-01T00:00:00Z\" Destination",
    );
    assert!(verify(&around).unwrap() == verify(&SIGNED).unwrap());
    assert!(around.contains(assertion_of(&SIGNED)));
}
