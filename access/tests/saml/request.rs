//! The AuthnRequest, read by the identity provider.

use idp::Request;

use crate::support::{PROVIDER, now};

#[test]
fn the_identity_provider_reads_our_request() {
    let url = PROVIDER.request_url("https://idp.example/sso", "_1", Some("lab & more"), now());
    let query = url.strip_prefix("https://idp.example/sso?").unwrap();
    let expected = Request {
        id: "_1".into(),
        issuer: "https://sp.example".into(),
        acs: Some("https://sp.example/saml".into()),
        destination: Some("https://idp.example/sso".into()),
        relay_state: Some("lab & more".into()),
    };
    assert_eq!(Request::from_query(query).unwrap(), expected);
}

#[test]
fn a_sign_on_url_may_have_a_query_of_its_own() {
    let sign_on = "https://idp.example/sso?app=1&x=\"<";
    let url = PROVIDER.request_url(sign_on, "_1", None, now());
    let query = url.strip_prefix(sign_on).unwrap().strip_prefix('&').unwrap();
    let request = Request::from_query(query).unwrap();
    assert_eq!((request.destination.as_deref(), request.relay_state), (Some(sign_on), None));
}
