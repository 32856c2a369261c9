//! Signature wrapping: a right signature over the true Assertion, and claims that somebody else wrote. XSW1 to XSW8 are the
//! classes of "On Breaking SAML: Be Whoever You Want to Be" (Somorovsky and others, 2012) in the numbering of SAML Raider.

use idp::Signed;

use crate::support::{ATTACKER, RSA, SIGNED, assertion_of, code, edit, response, signature_of, verify};

/// The true Assertion, with its signature.
fn own() -> String {
    assertion_of(&SIGNED).to_owned()
}

/// The true Assertion without its signature.
fn bare() -> String {
    own().replace(&signature(), "")
}

fn signature() -> String {
    signature_of(&SIGNED).to_owned()
}

/// What the attacker wants to be read: another name, another ID, no signature.
fn evil() -> String {
    bare().replace("mallory@example.com", "admin@example.com").replace("_assertion", "_evil")
}

/// The attacker's Assertion with `inside` after its Issuer.
fn evil_with(inside: &str) -> String {
    edit(&evil(), "</saml:Issuer>", &format!("</saml:Issuer>{inside}"))
}

/// The true signature with `inside` as its last child.
fn signature_with(inside: &str) -> String {
    edit(&signature(), "</ds:Signature>", &format!("{inside}</ds:Signature>"))
}

/// The Response with `assertions` in the place of the true one.
fn with(assertions: &str) -> String {
    edit(&SIGNED, &own(), assertions)
}

fn check(cases: &[(&str, String, &str)]) {
    for (name, xml, expected) in cases {
        assert!(xml.contains("admin@example.com"), "{name} does not try anything");
        assert_eq!(code(xml), *expected, "{name}");
    }
}

#[test]
fn xsw1_and_xsw2_a_forged_response_around_or_beside_the_signed_one_is_refused() {
    let signed = response().signed(&RSA, Signed::Response).unwrap();
    let signature = signature_of(&signed).to_owned();
    let original = signed.replace(&signature, "");
    let forged = |inside: &str| {
        let evil = original.replace("mallory@example.com", "admin@example.com").replace("\"_response\"", "\"_evil\"");
        edit(&evil.replace("_assertion", "_evil_assertion"), "<samlp:Status>", &format!("{inside}<samlp:Status>"))
    };
    let inside = edit(&signature, "</ds:Signature>", &format!("{original}</ds:Signature>"));
    let object = edit(&signature, "</ds:Signature>", &format!("<ds:Object>{original}</ds:Object></ds:Signature>"));
    check(&[
        ("XSW1: the original in the signature", forged(&inside), "assertion"),
        ("XSW1: the original in an Object of the signature", forged(&object), "assertion"),
        ("XSW2: the original before the signature", forged(&format!("{original}{signature}")), "assertion"),
        ("the signature alone", forged(&signature), "signature-missing"),
    ]);
}

#[test]
fn xsw3_to_xsw8_a_forged_assertion_before_around_or_in_the_signed_one_is_refused() {
    check(&[
        ("XSW3: forged before the original", with(&format!("{}{}", evil(), own())), "assertion"),
        ("XSW3: forged behind the original", with(&format!("{}{}", own(), evil())), "assertion"),
        ("XSW4: the original in the forged", with(&evil_with(&own())), "assertion"),
        (
            "XSW5: forged with the signature, the original behind",
            with(&format!("{}{}", evil_with(&signature()), bare())),
            "assertion",
        ),
        (
            "XSW6: forged with the signature, the original in it",
            with(&evil_with(&signature_with(&bare()))),
            "assertion",
        ),
        (
            "XSW7: forged in Extensions",
            with(&format!("<samlp:Extensions>{}</samlp:Extensions>{}", evil(), own())),
            "assertion",
        ),
        (
            "XSW8: forged with the signature, the original in an Object",
            with(&evil_with(&signature_with(&format!("<ds:Object>{}</ds:Object>", bare())))),
            "assertion",
        ),
    ]);
}

#[test]
fn the_original_hidden_elsewhere_is_refused() {
    let forged = evil_with(&signature());
    let status = |inside: &str| {
        edit(
            &with(&forged),
            "</samlp:Status>",
            &format!("<samlp:StatusDetail>{inside}</samlp:StatusDetail></samlp:Status>"),
        )
    };
    check(&[
        ("in StatusDetail", status(&bare()), "assertion"),
        ("in Extensions", with(&format!("<samlp:Extensions>{}</samlp:Extensions>{forged}", bare())), "assertion"),
        (
            "in Advice",
            with(&edit(
                &forged,
                "</saml:Assertion>",
                &format!("<saml:Advice>{}</saml:Advice></saml:Assertion>", bare()),
            )),
            "assertion",
        ),
        (
            "in the confirmation",
            with(&edit(&forged, "</saml:SubjectConfirmation>", &format!("{}</saml:SubjectConfirmation>", bare()))),
            "assertion",
        ),
        ("in an attribute", with(&edit(&forged, "team1", &bare())), "assertion"),
        ("in KeyInfo", with(&edit(&forged, "</ds:KeyInfo>", &format!("{}</ds:KeyInfo>", bare()))), "assertion"),
        ("in another Response", with(&format!("{forged}<samlp:Response>{}</samlp:Response>", bare())), "assertion"),
        (
            "with its Response in the forged one",
            edit(
                &SIGNED.replace(&own(), &forged),
                "<samlp:Status>",
                &format!("{}<samlp:Status>", SIGNED.replace("\"_response\"", "\"_old\"")),
            ),
            "assertion",
        ),
        ("not there any more", with(&forged), "reference"),
        ("not there any more, the ID taken", with(&forged.replace("_evil", "_assertion")), "signature"),
    ]);
}

#[test]
fn the_only_assertion_is_a_direct_child_of_the_root() {
    let moved = |place: &str| {
        let without = edit(&SIGNED, &own(), "");
        edit(&without, "</samlp:Status>", &format!("{}</samlp:Status>", place.replace("HERE", &own())))
    };
    for place in ["HERE", "<samlp:StatusDetail>HERE</samlp:StatusDetail>", "<samlp:Response>HERE</samlp:Response>"] {
        assert_eq!(code(&moved(place)), "assertion", "{place}");
    }
}

#[test]
fn assertions_by_another_name_do_not_hide_the_signed_one_or_stand_for_it() {
    let other = |xml: &str, namespace: &str| xml.replace("SAML:2.0:assertion", namespace);
    let nested = bare().replace("saml:", "").replace("xmlns:saml", "xmlns");
    check(&[
        ("forged in SAML 1.1", with(&format!("{}{}", other(&evil(), "SAML:1.0:assertion"), own())), "element"),
        ("forged in no namespace", with(&format!("{}{}", evil().replace("saml:", ""), own())), "element"),
        (
            "the original in SAML 1.1",
            with(&format!("{}{}", evil_with(&signature()), other(&bare(), "SAML:1.0:assertion"))),
            "element",
        ),
        (
            "the original by another prefix in KeyInfo",
            with(&edit(&evil_with(&signature()), "</ds:KeyInfo>", &format!("{nested}</ds:KeyInfo>"))),
            "assertion",
        ),
        (
            "an encrypted one beside it",
            with(&format!(
                "<saml:EncryptedAssertion \
            xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">{}</saml:EncryptedAssertion>{}",
                evil().replace("saml:Assertion", "saml:X"),
                own()
            )),
            "encrypted",
        ),
    ]);
}

#[test]
fn ids_are_unique_in_the_whole_document_and_have_no_namespace() {
    let tagged = |element: &str| edit(&SIGNED, "<samlp:Status>", &format!("<samlp:Status {element}>"));
    let on_assertion = |attribute: &str| edit(&SIGNED, "<saml:Assertion ", &format!("<saml:Assertion {attribute} "));
    for (name, xml) in [
        ("the ID of the Assertion on the Response", edit(&SIGNED, "ID=\"_response\"", "ID=\"_assertion\"")),
        ("two assertions of one ID", with(&format!("{}{}", evil().replace("_evil", "_assertion"), own()))),
        ("an Id beside", tagged("Id=\"_assertion\"")),
        ("an id beside", tagged("id=\"_assertion\"")),
        ("an AssertionID beside", tagged("AssertionID=\"_assertion\"")),
        ("an iD beside", tagged("iD=\"_assertion\"")),
        ("an xml:id beside", tagged("xml:id=\"_assertion\"")),
        ("another xml:id", tagged("xml:id=\"_x\"")),
        ("an ID in a namespace", tagged("xmlns:e=\"urn:e\" e:ID=\"_assertion\"")),
        ("an ID in a namespace before the true one", on_assertion("xmlns:e=\"urn:e\" e:ID=\"_evil\"")),
        ("two kinds of ID on one element", on_assertion("Id=\"_evil\"")),
        ("the same value in two kinds of ID", on_assertion("Id=\"_assertion\"")),
        ("an empty ID", tagged("ID=\"\"")),
        ("the ID in KeyInfo", edit(&SIGNED, "<ds:KeyInfo>", "<ds:KeyInfo Id=\"_assertion\">")),
    ] {
        assert_eq!(code(&xml), "id", "{name}");
    }
    assert_eq!(code(&edit(&SIGNED, "ID=\"_assertion\" ", "")), "reference", "no ID");
    assert_eq!(code(&edit(&SIGNED, "<ds:KeyInfo>", "<ds:KeyInfo Id=\"_key\">")), "accepted", "an ID of its own");
}

#[test]
fn the_reference_is_to_the_assertion_and_nothing_else() {
    let signed_as = |uri: &str| {
        let unsigned = RSA.sign(&response().xml(), "_assertion").unwrap();
        let template = empty(&unsigned);
        RSA.sign_template(&edit(&template, "URI=\"#_assertion\"", uri)).unwrap()
    };
    for (name, uri, expected) in [
        ("the whole document", "URI=\"\"", "reference"),
        ("the whole document by xpointer", "URI=\"#xpointer(/)\"", "reference"),
        ("by xpointer", "URI=\"#xpointer(id('_assertion'))\"", "reference"),
        ("the Response", "URI=\"#_response\"", "reference"),
        ("none", "", "reference"),
        ("with a type", "URI=\"#_assertion\" Type=\"urn:x\"", "reference"),
        ("as it should be", "URI=\"#_assertion\"", "accepted"),
    ] {
        assert_eq!(code(&signed_as(uri)), expected, "{name}");
    }
    for uri in ["file:///etc/hostname", "Cargo.toml", "cid:1", "http://127.0.0.1/", "#_evil", "_assertion", "#"] {
        assert_eq!(code(&edit(&SIGNED, "URI=\"#_assertion\"", &format!("URI=\"{uri}\""))), "reference", "{uri}");
    }
    // An ID that a URI fragment takes for something else.
    let xml = response().xml().replace("\"_assertion\"", "\"xpointer(/)\"");
    assert_eq!(code(&RSA.sign(&xml, "xpointer(/)").unwrap()), "reference");
}

/// A signed document with its signature made a template again.
fn empty(xml: &str) -> String {
    let without = |xml: &str, from: &str, to: &str| {
        let found = crate::support::part(xml, from, to).to_owned();
        edit(xml, &found, &format!("{from}{to}"))
    };
    let xml = without(xml, "<ds:DigestValue>", "</ds:DigestValue>");
    let xml = without(&xml, "<ds:SignatureValue>", "</ds:SignatureValue>");
    let key = crate::support::part(&xml, "<ds:X509Data>", "</ds:X509Data>").to_owned();
    edit(&xml, &key, "<ds:X509Data/>")
}

#[test]
fn the_form_of_a_signature_is_the_one_of_saml() {
    let resigned = |from: &str, to: &str| RSA.sign_template(&edit(&empty(&SIGNED), from, to)).unwrap();
    let exclusive = "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>";
    let enveloped = "<ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>";
    let both = format!("{enveloped}{exclusive}");
    let transforms = format!("<ds:Transforms>{both}</ds:Transforms>");
    let with_prefixes = exclusive.replace(
        "/>",
        "><ec:InclusiveNamespaces \
        xmlns:ec=\"http://www.w3.org/2001/10/xml-exc-c14n#\" PrefixList=\"xs\"/></ds:Transform>",
    );
    let comments = exclusive.replace("c14n#", "c14n#WithComments");
    let inclusive =
        exclusive.replace("http://www.w3.org/2001/10/xml-exc-c14n#", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315");
    let method = "<ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>";
    // These signatures are right, and refused for their form alone.
    for (name, from, to, expected) in [
        ("prefixes to keep", exclusive, with_prefixes.as_str(), "accepted"),
        ("canonicalisation with comments", exclusive, &comments, "transforms"),
        ("inclusive canonicalisation", exclusive, &inclusive, "transforms"),
        ("no canonicalisation", exclusive, "", "transforms"),
        ("canonicalisation twice", exclusive, &format!("{exclusive}{exclusive}"), "transforms"),
        ("enveloped twice", enveloped, &format!("{enveloped}{enveloped}"), "transforms"),
        ("SignedInfo with comments", method, &method.replace("c14n#", "c14n#WithComments"), "canonicalization"),
        (
            "SignedInfo inclusive",
            method,
            &method
                .replace("http://www.w3.org/2001/10/xml-exc-c14n#", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"),
            "canonicalization",
        ),
        ("an Object", "</ds:KeyInfo>", "</ds:KeyInfo><ds:Object/>", "signature-form"),
        ("no KeyInfo", "<ds:KeyInfo><ds:X509Data/></ds:KeyInfo>", "", "accepted"),
    ] {
        assert_eq!(code(&resigned(from, to)), expected, "{name}");
    }
    let reference = crate::support::part(&SIGNED, "<ds:Reference ", "</ds:Reference>").to_owned();
    let info = crate::support::part(&SIGNED, "<ds:SignedInfo>", "</ds:SignedInfo>").to_owned();
    let value = crate::support::part(&SIGNED, "<ds:SignatureValue>", "</ds:SignatureValue>").to_owned();
    let digest = crate::support::part(&SIGNED, "<ds:DigestValue>", "</ds:DigestValue>").to_owned();
    let xpath = "<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xpath-19991116\"><ds:XPath>1</ds:XPath></ds:Transform>";
    let xslt = "<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xslt-19991116\"/>";
    for (name, from, to, expected) in [
        ("two References", reference.as_str(), format!("{reference}{reference}"), "reference"),
        ("no Reference", &reference, String::new(), "reference"),
        ("two SignedInfo", &info, format!("{info}{info}"), "signature-form"),
        ("two SignatureValue", &value, format!("{value}{value}"), "signature-form"),
        ("no SignatureValue", &value, String::new(), "signature-form"),
        ("an element in SignatureValue", "</ds:SignatureValue>", "<x/></ds:SignatureValue>".into(), "signature-form"),
        ("an element in DigestValue", "</ds:DigestValue>", "<x/></ds:DigestValue>".into(), "signature-form"),
        ("two DigestValue", &digest, format!("{digest}{digest}"), "reference"),
        ("a comment in DigestValue", "<ds:DigestValue>", "<ds:DigestValue><!--x-->".into(), "comment"),
        ("no transforms", &transforms, String::new(), "reference"),
        ("empty transforms", &transforms, "<ds:Transforms/>".into(), "transforms"),
        ("canonicalisation first", &both, format!("{exclusive}{enveloped}"), "transforms"),
        ("a transform by XPath", enveloped, xpath.into(), "transforms"),
        ("a transform by XSLT", enveloped, xslt.into(), "transforms"),
        ("a third transform", exclusive, format!("{exclusive}{xpath}"), "transforms"),
        ("a transform of another namespace", enveloped, enveloped.replace("ds:Transform ", "Transform "), "transforms"),
        (
            "an algorithm in a namespace",
            "<ds:SignatureMethod Algorithm",
            "<ds:SignatureMethod xmlns:e=\"urn:e\" \
            e:Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha512\" Algorithm"
                .into(),
            "signature-algorithm",
        ),
        (
            "a URI in a namespace",
            " URI=\"#_assertion\"",
            " xmlns:e=\"urn:e\" e:URI=\"\" URI=\"#_assertion\"".into(),
            "reference",
        ),
        ("text in SignedInfo", "<ds:SignedInfo>", "<ds:SignedInfo>x".into(), "signature-form"),
        ("another element in the signature", "<ds:SignedInfo>", "<x/><ds:SignedInfo>".into(), "signature-form"),
    ] {
        assert_eq!(code(&edit(&SIGNED, from, &to)), expected, "{name}");
    }
}

#[test]
fn a_signature_is_in_its_place_and_there_alone() {
    let signature = signature();
    let bare = SIGNED.replace(&signature, "");
    let object = "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"/>";
    for (name, xml, expected) in [
        ("none", bare.clone(), "signature-missing"),
        ("of the Response alone", response().signed(&RSA, Signed::Response).unwrap(), "signature-missing"),
        (
            "the Assertion's at the Response",
            edit(&bare, "<samlp:Status>", &format!("{signature}<samlp:Status>")),
            "signature-missing",
        ),
        ("in the Subject", edit(&bare, "<saml:Subject>", &format!("<saml:Subject>{signature}")), "signature-place"),
        ("twice", edit(&SIGNED, &signature, &format!("{signature}{signature}")), "signature-place"),
        ("another in KeyInfo", edit(&SIGNED, "</ds:KeyInfo>", &format!("{object}</ds:KeyInfo>")), "signature-place"),
        ("another in Status", edit(&SIGNED, "</samlp:Status>", &format!("{object}</samlp:Status>")), "signature-place"),
        (
            "another, empty, at the Response",
            edit(&SIGNED, "<samlp:Status>", &format!("{object}<samlp:Status>")),
            "signature-form",
        ),
        ("both", response().signed(&RSA, Signed::Both).unwrap(), "accepted"),
    ] {
        assert_eq!(code(&xml), expected, "{name}");
    }
}

#[test]
fn of_two_signatures_both_must_be_right() {
    let both = response().signed(&RSA, Signed::Both).unwrap();
    assert_eq!(verify(&both).unwrap().name_id, "mallory@example.com");
    let later = edit(
        &both,
        "IssueInstant=\"2026-01-02T03:04:05Z\" Destination",
        "IssueInstant=\"2026-01-02T03:04:06Z\" Destination",
    );
    assert_eq!(code(&later), "signature", "the Response changed");
    let foreign = ATTACKER.sign(&SIGNED, "_response").unwrap();
    assert_eq!(code(&foreign), "signature", "the Response signed by somebody else");
    let inner = ATTACKER.sign(&response().xml(), "_assertion").unwrap();
    assert_eq!(code(&RSA.sign(&inner, "_response").unwrap()), "signature", "the Assertion signed by somebody else");
}
