//! The look at a Response that AWS verifies: every check but that of the signature.

use access::saml::Expected;
use idp::{Response, Signed};
use jiff::SignedDuration;

use crate::support::{ATTACKER, ISSUER, RSA, at, edit, form, now, outcome, response};

const AWS: &str = "https://signin.aws.amazon.com/saml";

fn expected() -> Expected {
    Expected { issuer: ISSUER.into(), audience: AWS.into(), recipient: AWS.into(), skew: SignedDuration::ZERO }
}

fn for_aws() -> Response {
    let mut response = Response { recipient: AWS.into(), audience: AWS.into(), ..response() };
    response.destination = "https://anything.example".into();
    response
}

fn seen(xml: &str) -> &'static str {
    outcome(&expected().look(&form(xml).unwrap(), now()))
}

#[test]
fn claims_are_seen_whoever_signed_what() {
    for signed in [Signed::Assertion, Signed::Response, Signed::Both] {
        for identity in [&RSA, &ATTACKER] {
            let xml = for_aws().signed(identity, signed).unwrap();
            let seen = expected().look(&form(&xml).unwrap(), now()).unwrap();
            assert_eq!((seen.issuer.as_str(), seen.assertion_id.as_str()), (ISSUER, "_assertion"));
            assert_eq!(seen.attributes["domain"], ["team1"]);
            assert!(!format!("{seen:?}").contains("mallory"));
        }
    }
}

#[test]
fn every_other_check_is_made() {
    let good = for_aws().signed(&RSA, Signed::Assertion).unwrap();
    let assertion = crate::support::assertion_of(&good).to_owned();
    let response_of = |change: fn(&mut Response)| {
        let mut response = for_aws();
        change(&mut response);
        response.xml()
    };
    for (name, xml, expected) in [
        ("issuer", response_of(|response| response.issuer = "https://evil.example".into()), "issuer"),
        ("audience", response_of(|response| response.audience = "https://sp.example".into()), "audience"),
        ("recipient", response_of(|response| response.recipient = "https://sp.example".into()), "recipient"),
        ("status", response_of(|response| response.status = "no".into()), "status"),
        ("not yet", response_of(|response| response.not_before = at(1)), "not-yet-valid"),
        ("over", response_of(|response| response.not_on_or_after = at(0)), "expired"),
        (
            "two assertions",
            edit(&good, &assertion, &format!("{}{assertion}", assertion.replace("_assertion", "_2"))),
            "assertion",
        ),
        ("the same ID twice", edit(&good, "ID=\"_response\"", "ID=\"_assertion\""), "id"),
        ("a comment", edit(&good, "mallory@example.com", "mallory<!-- -->@example.com"), "comment"),
        ("a document type", format!("<!DOCTYPE x>{good}"), "doctype"),
        (
            "a signature elsewhere",
            edit(
                &good,
                "<samlp:Status>",
                "<samlp:Status><ds:Signature \
            xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"/>",
            ),
            "signature-place",
        ),
    ] {
        assert_eq!(seen(&xml), expected, "{name}");
    }
    assert_eq!(seen(&good), "accepted");
}
