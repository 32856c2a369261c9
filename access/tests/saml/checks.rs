//! Every check, with the field removed and wrong. Each change is made before signing, so that the signature is right and the
//! check alone refuses.

use crate::support::{SIGNED, assertion_of, code, edit, now, response, sign, verify};

const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";
const AUDIENCE: &str =
    "<saml:AudienceRestriction><saml:Audience>https://sp.example</saml:Audience></saml:AudienceRestriction>";
const STATUS: &str =
    "<samlp:Status><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/></samlp:Status>";
const NAME: &str = "<saml:NameID Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\">mallory@example.com\
    </saml:NameID>";
const OWN_ISSUER: &str = "<saml:Issuer>https://idp.example</saml:Issuer>";
const OUTER_ISSUER: &str =
    "<saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">https://idp.example</saml:Issuer>";
const DATA: &str = "<saml:SubjectConfirmationData NotOnOrAfter=\"2026-01-02T03:09:05Z\" \
    Recipient=\"https://sp.example/saml\" InResponseTo=\"_request\"/>";
const DOMAIN: &str =
    "<saml:Attribute Name=\"domain\"><saml:AttributeValue>team1</saml:AttributeValue></saml:Attribute>";

#[test]
fn a_right_response_is_accepted_with_its_claims() {
    let verified = verify(&SIGNED).unwrap();
    assert_eq!(verified.issuer, "https://idp.example");
    assert_eq!(verified.assertion_id, "_assertion");
    assert_eq!(verified.in_response_to.as_deref(), Some("_request"));
    assert_eq!(verified.name_id, "mallory@example.com");
    let attributes: Vec<_> = verified.attributes.iter().collect();
    let expected = [
        ("domain".to_owned(), vec!["team1".to_owned()]),
        ("groups".to_owned(), vec!["readers".to_owned(), "writers & more".to_owned()]),
    ];
    assert_eq!(attributes, expected.iter().map(|(name, values)| (name, values)).collect::<Vec<_>>());
    assert_eq!(verified.expires.to_string(), "2026-01-02T03:10:05Z");
    assert_eq!(verified.session_ends.unwrap().to_string(), "2026-01-02T04:04:05Z");
}

/// A name, changes of a right Response, and the code that they must give.
type Case<'c> = (&'c str, &'c [(&'c str, &'c str)], &'c str);

fn run(cases: &[Case<'_>]) {
    for (name, changes, expected) in cases {
        let changed = changes.iter().fold(response().xml(), |xml, (from, to)| edit(&xml, from, to));
        assert_eq!(code(&sign(&changed)), *expected, "{name}");
    }
}

#[test]
fn the_response_is_checked() {
    run(&[
        (
            "root another element",
            &[("<samlp:Response ", "<samlp:Reply "), ("</samlp:Response>", "</samlp:Reply>")],
            "root",
        ),
        ("root in another namespace", &[("SAML:2.0:protocol", "SAML:1.0:protocol")], "root"),
        ("ID missing", &[("ID=\"_response\" ", "")], "id"),
        ("version missing", &[("ID=\"_response\" Version=\"2.0\"", "ID=\"_response\"")], "version"),
        ("version 1.1", &[("ID=\"_response\" Version=\"2.0\"", "ID=\"_response\" Version=\"1.1\"")], "version"),
        ("time of issue missing", &[("IssueInstant=\"2026-01-02T03:04:05Z\" Destination", "Destination")], "time"),
        ("status missing", &[(STATUS, "")], "status"),
        ("status code missing", &[(STATUS, "<samlp:Status/>")], "status"),
        ("status not success", &[("status:Success", "status:Responder")], "status"),
        ("status in another case", &[("status:Success", "status:success")], "status"),
        (
            "success as the second code only",
            &[(
                STATUS,
                "<samlp:Status><samlp:StatusCode \
            Value=\"urn:oasis:names:tc:SAML:2.0:status:Responder\"><samlp:StatusCode \
            Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/></samlp:StatusCode></samlp:Status>",
            )],
            "status",
        ),
        ("status twice", &[(STATUS, &format!("{STATUS}{STATUS}"))], "element"),
        ("destination missing", &[(" Destination=\"https://sp.example/saml\"", "")], "destination"),
        ("destination empty", &[("Destination=\"https://sp.example/saml\"", "Destination=\"\"")], "destination"),
        (
            "destination another",
            &[("Destination=\"https://sp.example/saml\"", "Destination=\"https://sp.example/saml2\"")],
            "destination",
        ),
        (
            "destination with a slash more",
            &[("Destination=\"https://sp.example/saml\"", "Destination=\"https://sp.example/saml/\"")],
            "destination",
        ),
        (
            "destination in a namespace",
            &[(" Destination=\"https", " xmlns:x=\"urn:x\" x:Destination=\"https")],
            "destination",
        ),
        ("outer issuer missing", &[(OUTER_ISSUER, "")], "accepted"),
        ("outer issuer another", &[(OUTER_ISSUER, &OUTER_ISSUER.replace("idp.example", "evil.example"))], "issuer"),
        ("outer issuer twice", &[(OUTER_ISSUER, &format!("{OUTER_ISSUER}{OUTER_ISSUER}"))], "element"),
        ("an element that is not known", &[(STATUS, &format!("<x/>{STATUS}"))], "element"),
        ("extensions", &[(STATUS, &format!("<samlp:Extensions/>{STATUS}"))], "element"),
        ("text between elements", &[(STATUS, &format!("text{STATUS}"))], "text"),
        ("white space between elements", &[(STATUS, &format!("\n  {STATUS}\n"))], "accepted"),
        (
            "an encrypted assertion beside",
            &[(
                STATUS,
                &format!(
                    "{STATUS}<saml:EncryptedAssertion \
            xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"/>"
                ),
            )],
            "encrypted",
        ),
        (
            "answer to another request than the signed one says",
            &[("InResponseTo=\"_request\">", "InResponseTo=\"_other\">")],
            "in-response-to",
        ),
        ("answer to a request by the signed part only", &[(" InResponseTo=\"_request\">", ">")], "accepted"),
        ("answer to a request by the unsigned part only", &[(" InResponseTo=\"_request\"/>", "/>")], "in-response-to"),
    ]);
    assert_eq!(code(&edit(&SIGNED, assertion_of(&SIGNED), "")), "assertion", "no assertion");
}

#[test]
fn the_assertion_is_checked() {
    run(&[
        ("version missing", &[("ID=\"_assertion\" Version=\"2.0\"", "ID=\"_assertion\"")], "version"),
        ("version 1.1", &[("ID=\"_assertion\" Version=\"2.0\"", "ID=\"_assertion\" Version=\"1.1\"")], "version"),
        ("issuer another", &[(OWN_ISSUER, "<saml:Issuer>https://evil.example</saml:Issuer>")], "issuer"),
        ("issuer in capitals", &[(OWN_ISSUER, "<saml:Issuer>https://IDP.example</saml:Issuer>")], "issuer"),
        ("issuer with a blank", &[(OWN_ISSUER, "<saml:Issuer>https://idp.example </saml:Issuer>")], "issuer"),
        ("issuer with ours in front", &[(OWN_ISSUER, "<saml:Issuer>https://idp.example.evil</saml:Issuer>")], "issuer"),
        ("issuer twice", &[(OWN_ISSUER, &format!("{OWN_ISSUER}{OWN_ISSUER}"))], "element"),
        (
            "issuer of another form",
            &[(OWN_ISSUER, "<saml:Issuer Format=\"urn:x\">https://idp.example</saml:Issuer>")],
            "issuer",
        ),
        (
            "issuer with the form of an entity",
            &[(
                OWN_ISSUER,
                "<saml:Issuer \
            Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:entity\">https://idp.example</saml:Issuer>",
            )],
            "accepted",
        ),
        (
            "issuer with a qualifier",
            &[(OWN_ISSUER, "<saml:Issuer NameQualifier=\"x\">https://idp.example</saml:Issuer>")],
            "issuer",
        ),
        ("issuer in CDATA", &[(OWN_ISSUER, "<saml:Issuer><![CDATA[https://]]>idp.example</saml:Issuer>")], "accepted"),
        ("advice", &[("</saml:Assertion>", "<saml:Advice/></saml:Assertion>")], "element"),
        (
            "a statement that is not known",
            &[("</saml:Assertion>", "<saml:AuthzDecisionStatement/></saml:Assertion>")],
            "element",
        ),
        ("text between elements", &[("</saml:Assertion>", "text</saml:Assertion>")], "text"),
    ]);
}

#[test]
fn the_conditions_are_checked() {
    let conditions = "<saml:Conditions NotBefore=\"2026-01-02T03:03:05Z\" NotOnOrAfter=\"2026-01-02T03:09:05Z\">";
    let all = format!("{conditions}{AUDIENCE}</saml:Conditions>");
    let ours = "<saml:Audience>https://sp.example</saml:Audience>";
    let other = "<saml:Audience>https://other.example</saml:Audience>";
    let restrict = |audiences: &str| format!("<saml:AudienceRestriction>{audiences}</saml:AudienceRestriction>");
    run(&[
        ("missing", &[(&all, "")], "conditions"),
        ("twice", &[(&all, &format!("{all}{all}"))], "element"),
        ("from missing", &[(conditions, "<saml:Conditions NotOnOrAfter=\"2026-01-02T03:09:05Z\">")], "conditions"),
        ("until missing", &[(conditions, "<saml:Conditions NotBefore=\"2026-01-02T03:03:05Z\">")], "conditions"),
        (
            "from in another form",
            &[("NotBefore=\"2026-01-02T03:03:05Z\"", "NotBefore=\"2026-01-02T03:03:05+00:00\"")],
            "time",
        ),
        ("from in a namespace", &[(" NotBefore=\"2026", " xmlns:x=\"urn:x\" x:NotBefore=\"2026")], "conditions"),
        (
            "from as late as until",
            &[("NotBefore=\"2026-01-02T03:03:05Z\"", "NotBefore=\"2026-01-02T03:09:05Z\"")],
            "conditions",
        ),
        ("audience restriction missing", &[(AUDIENCE, "")], "audience"),
        ("audience restriction empty", &[(AUDIENCE, &restrict(""))], "audience"),
        ("audience another", &[(ours, other)], "audience"),
        (
            "audience with ours in front",
            &[(ours, "<saml:Audience>https://sp.example.evil</saml:Audience>")],
            "audience",
        ),
        ("audience with a blank", &[(ours, "<saml:Audience> https://sp.example</saml:Audience>")], "audience"),
        ("audience beside another", &[(ours, &format!("{other}{ours}"))], "accepted"),
        ("two restrictions, both ours", &[(AUDIENCE, &format!("{AUDIENCE}{AUDIENCE}"))], "accepted"),
        ("two restrictions, one not ours", &[(AUDIENCE, &format!("{AUDIENCE}{}", restrict(other)))], "audience"),
        ("no audience in a restriction", &[(ours, &format!("<saml:Issuer/>{ours}"))], "element"),
        ("one time use", &[(AUDIENCE, &format!("{AUDIENCE}<saml:OneTimeUse/>"))], "accepted"),
        ("proxy restriction", &[(AUDIENCE, &format!("{AUDIENCE}<saml:ProxyRestriction Count=\"0\"/>"))], "accepted"),
        ("a condition that is not known", &[(AUDIENCE, &format!("{AUDIENCE}<saml:Condition/>"))], "unknown-condition"),
        (
            "a condition of another namespace",
            &[(AUDIENCE, &format!("{AUDIENCE}<x:OneTimeUse xmlns:x=\"urn:x\"/>"))],
            "unknown-condition",
        ),
    ]);
}

#[test]
fn the_subject_is_checked() {
    let confirmation = format!("<saml:SubjectConfirmation Method=\"{BEARER}\">{DATA}</saml:SubjectConfirmation>");
    run(&[
        ("missing", &[(&format!("<saml:Subject>{NAME}{confirmation}</saml:Subject>"), "")], "name-id"),
        ("name missing", &[(NAME, "")], "name-id"),
        ("name empty", &[(">mallory@example.com<", "><")], "name-id"),
        ("name twice", &[(NAME, &format!("{NAME}{NAME}"))], "name-id"),
        ("another kind of name", &[(NAME, "<saml:BaseID/>")], "name-id"),
        ("name beside another kind", &[(NAME, &format!("{NAME}<saml:BaseID/>"))], "name-id"),
        ("an encrypted name", &[(NAME, "<saml:EncryptedID/>")], "encrypted"),
        ("name with an element in it", &[("mallory@example.com", "mallory<x/>@example.com")], "text"),
        ("name in CDATA", &[("mallory@example.com", "mallory<![CDATA[@example]]>.com")], "accepted"),
        ("confirmation missing", &[(&confirmation, "")], "confirmation"),
        ("confirmation twice", &[(&confirmation, &format!("{confirmation}{confirmation}"))], "confirmation"),
        ("confirmation of another method", &[("cm:bearer", "cm:holder-of-key")], "confirmation"),
        ("confirmation without data", &[(DATA, "")], "confirmation"),
        ("confirmation with data twice", &[(DATA, &format!("{DATA}{DATA}"))], "confirmation"),
        ("confirmation with another name in it", &[(DATA, &format!("{NAME}{DATA}"))], "confirmation"),
        ("recipient missing", &[(" Recipient=\"https://sp.example/saml\"", "")], "recipient"),
        (
            "recipient another",
            &[("Recipient=\"https://sp.example/saml\"", "Recipient=\"https://other.example/saml\"")],
            "recipient",
        ),
        (
            "recipient in capitals",
            &[("Recipient=\"https://sp.example/saml\"", "Recipient=\"https://SP.example/saml\"")],
            "recipient",
        ),
        ("until missing", &[("NotOnOrAfter=\"2026-01-02T03:09:05Z\" Recipient", "Recipient")], "confirmation-expired"),
        (
            "from present",
            &[(
                "<saml:SubjectConfirmationData ",
                "<saml:SubjectConfirmationData \
            NotBefore=\"2026-01-01T00:00:00Z\" ",
            )],
            "confirmation-not-before",
        ),
        ("the unsigned request alone", &[(" InResponseTo=\"_request\"/>", "/>")], "in-response-to"),
    ]);
}

#[test]
fn the_statements_are_checked() {
    let xml = response().xml();
    let authn = crate::support::part(&xml, "<saml:AuthnStatement ", "</saml:AuthnStatement>").to_owned();
    run(&[
        ("authentication missing", &[(&authn, "")], "authn-statement"),
        ("authentication without a time", &[("AuthnInstant=\"2026-01-02T03:04:05Z\" ", "")], "time"),
        ("attribute twice", &[(DOMAIN, &format!("{DOMAIN}{DOMAIN}"))], "attribute"),
        (
            "attribute twice in two statements",
            &[(
                "</saml:AttributeStatement>",
                &format!(
                    "</saml:AttributeStatement>\
            <saml:AttributeStatement>{DOMAIN}</saml:AttributeStatement>"
                ),
            )],
            "attribute",
        ),
        (
            "attribute twice by another format",
            &[(
                DOMAIN,
                &format!(
                    "{DOMAIN}{}",
                    DOMAIN.replace(
                        "Name=",
                        "NameFormat=\"x\" \
            Name="
                    )
                ),
            )],
            "attribute",
        ),
        ("attribute without a name", &[(" Name=\"domain\"", "")], "attribute"),
        ("attribute with an empty name", &[(" Name=\"domain\"", " Name=\"\"")], "attribute"),
        ("value with an element in it", &[(">team1<", ">team1<x/><")], "text"),
        (
            "attribute with something else in it",
            &[(">team1<", ">team1</saml:AttributeValue><x/><saml:AttributeValue><")],
            "element",
        ),
        ("an encrypted attribute", &[(DOMAIN, &format!("{DOMAIN}<saml:EncryptedAttribute/>"))], "encrypted"),
        ("something else in the statement", &[(DOMAIN, &format!("{DOMAIN}<x/>"))], "element"),
    ]);
}

#[test]
fn no_attributes_are_an_empty_map_and_no_values_an_empty_list() {
    let mut without = response();
    without.attributes.clear();
    assert!(verify(&sign(&without.xml())).unwrap().attributes.is_empty());
    let verified = verify(&sign(&response().attribute("empty", &[]).xml())).unwrap();
    assert_eq!(verified.attributes.get("empty"), Some(&Vec::new()));
}

#[test]
fn sign_in_that_the_identity_provider_starts_has_no_request() {
    let mut unsolicited = response();
    unsolicited.in_response_to = None;
    unsolicited.session_not_on_or_after = None;
    let verified = verify(&sign(&unsolicited.xml())).unwrap();
    assert_eq!((verified.in_response_to, verified.session_ends), (None, None));
}

#[test]
fn neither_refusals_nor_debug_output_tell_what_was_sent() {
    let verified = verify(&SIGNED).unwrap();
    let refusal = verify(&edit(&SIGNED, "team1", "team2")).unwrap_err();
    let form = crate::support::form(&SIGNED).unwrap();
    let printed = format!("{verified:?} {refusal:?} {refusal} {form:?} {}", now());
    for secret in ["mallory", "team", "_assertion", "idp.example"] {
        assert!(!printed.contains(secret), "{secret} in {printed}");
    }
}
