//! The form: size, base64, encoding, parameters.

use access::saml::{FORM_LIMIT, Form, XML_LIMIT};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use idp::form_body;

use crate::support::{PROVIDER, SIGNED, now, outcome};

fn encoded(value: &str) -> String {
    form_urlencoded::byte_serialize(value.as_bytes()).collect()
}

fn parsed(body: &str) -> &'static str {
    outcome(&Form::parse(body.as_bytes()))
}

#[test]
fn a_form_gives_the_response_and_the_relay_state() {
    let form = Form::parse(form_body(&SIGNED, Some("lab & more")).as_bytes()).unwrap();
    assert_eq!(form.relay_state(), Some("lab & more"));
    assert_eq!(form.raw(), STANDARD.encode(&*SIGNED));
    assert_eq!(outcome(&PROVIDER.verify(&form, now())), "accepted");
    assert_eq!(Form::parse(form_body(&SIGNED, None).as_bytes()).unwrap().relay_state(), None);
}

#[test]
fn parameters_are_given_once() {
    let good = encoded(&STANDARD.encode("<x/>"));
    for (name, body, expected) in [
        ("nothing", String::new(), "form-missing"),
        ("another name", format!("samlresponse={good}"), "form-missing"),
        ("a request", format!("SAMLRequest={good}"), "form-missing"),
        ("twice", format!("SAMLResponse={good}&SAMLResponse={good}"), "form-repeated"),
        ("twice, once by an escaped name", format!("SAMLResponse={good}&%53AMLResponse={good}"), "form-repeated"),
        ("relay state twice", format!("SAMLResponse={good}&RelayState=a&RelayState=b"), "form-repeated"),
        ("another parameter", format!("x=1&SAMLResponse={good}&x=2"), "accepted"),
    ] {
        assert_eq!(parsed(&body), expected, "{name}");
    }
}

#[test]
fn base64_is_strict_but_for_line_breaks() {
    let wrapped = |end: &str| {
        STANDARD
            .encode(&*SIGNED)
            .as_bytes()
            .chunks(76)
            .map(|line| String::from_utf8_lossy(line) + end)
            .collect::<String>()
    };
    for (name, value, expected) in [
        ("lines", wrapped("\r\n"), "accepted"),
        ("lines without CR", wrapped("\n"), "accepted"),
        ("blanks", wrapped(" "), "base64"),
        ("tabs", wrapped("\t"), "base64"),
        ("no padding", STANDARD_NO_PAD.encode("<xxx/>x"), "base64"),
        ("the alphabet of URLs", URL_SAFE.encode("\u{fff}<~?>"), "base64"),
        ("padding in the middle", "PHgvPg==PHgvPg==".into(), "base64"),
        ("bits behind the end", "PHgvPh==".into(), "base64"),
        ("something behind it", format!("{}!", STANDARD.encode("<x/>")), "base64"),
        ("the document itself", "<x/>".into(), "base64"),
    ] {
        assert_eq!(parsed(&format!("SAMLResponse={}", encoded(&value))), expected, "{name}");
    }
    // A plus that the sender did not escape is a blank.
    assert_eq!(parsed("SAMLResponse=PH+vPg=="), "base64");
}

#[test]
fn sizes_are_limited() {
    let of = |size: usize| format!("SAMLResponse={}", "A".repeat(size - "SAMLResponse=".len()));
    // As large as a form may be it is read, and is no base64; with one byte more it is not even read.
    assert_eq!(parsed(&of(FORM_LIMIT)), "base64");
    assert_eq!(parsed(&of(FORM_LIMIT + 1)), "form-size");
    let document = |size: usize| form_body(&format!("<x>{}</x>", "a".repeat(size - 7)), None);
    for (size, expected) in [(XML_LIMIT, "accepted"), (XML_LIMIT + 1, "xml-size")] {
        assert_eq!(parsed(&document(size)), expected, "{size}");
    }
}

#[test]
fn the_document_is_utf8() {
    for (name, bytes, expected) in [
        ("latin 1", &b"<x>\xe9</x>"[..], "encoding"),
        ("an overlong form", b"<x>\xc0\xbc</x>", "encoding"),
        ("a surrogate", b"<x>\xed\xa0\x80</x>", "encoding"),
        ("UTF-16", b"\xff\xfe<\0x\0/\0>\0", "encoding"),
        ("cut", b"<x>\xc3", "encoding"),
    ] {
        assert_eq!(parsed(&format!("SAMLResponse={}", encoded(&STANDARD.encode(bytes)))), expected, "{name}");
    }
    for (declaration, expected) in [
        ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "accepted"),
        ("<?xml version=\"1.0\"?>\n", "accepted"),
        ("<?xml version=\"1.0\" encoding=\"UTF-16\"?>", "encoding"),
        ("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>", "encoding"),
        ("<?xml version=\"1.1\"?>", "encoding"),
    ] {
        assert_eq!(crate::support::code(&format!("{declaration}{}", &*SIGNED)), expected, "{declaration}");
    }
}
