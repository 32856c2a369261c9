use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use axum::http::{Request, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{Options, Server, certificate};
use crate::engine::http;

const ACS: &str = "https://sp.example/access/saml";

/// A server on a free port, with its folder; both go with it.
struct Provider {
    folder: PathBuf,
    base: String,
    issuer: String,
    certificate: String,
    _stop: DropGuard,
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn people() -> Value {
    json!({
        "people": [
            {"name": "ana@example.com", "attributes": {"domain": ["team1", "team<2>"], "role": "analyst"}},
            {"name": "ben", "nameId": "b-1", "nameIdFormat": "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"},
        ],
        "apps": [{"name": "studio", "audience": "https://sp.example/access", "acs": ACS, "relayState": "lab",
            "sessionSeconds": 3600}],
    })
}

fn options(folder: &Path) -> Options {
    Options { home: folder.join("home"), port: 0, people: folder.join("people.json"), issuer: None }
}

async fn provider() -> Provider {
    let folder = std::env::temp_dir().join(format!("tidegate-idp-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("people.json"), people().to_string()).unwrap();
    let server = Server::bind(options(&folder)).await.unwrap();
    let stop = CancellationToken::new();
    let [base, issuer, certificate] = [server.base(), server.issuer(), server.certificate()].map(str::to_owned);
    tokio::spawn(server.serve(stop.clone()));
    Provider { folder, base, issuer, certificate, _stop: stop.drop_guard() }
}

struct Answer {
    status: StatusCode,
    page: String,
    policy: String,
}

async fn send(request: Request<http_body_util::Full<bytes::Bytes>>) -> Answer {
    let answer = http::client().request(request).await.unwrap();
    let (parts, body) = answer.into_parts();
    let page = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
    let policy = parts.headers.get(header::CONTENT_SECURITY_POLICY).map(|policy| policy.to_str().unwrap().to_owned());
    Answer { status: parts.status, page, policy: policy.unwrap_or_default() }
}

async fn get(url: &str) -> Answer {
    send(Request::get(url).body(http::body("")).unwrap()).await
}

async fn post(url: &str, fields: &[(&str, &str)]) -> Answer {
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let kind = "application/x-www-form-urlencoded";
    send(Request::post(url).header(header::CONTENT_TYPE, kind).body(http::body(form)).unwrap()).await
}

/// The query of an AuthnRequest, as a service provider redirects a browser with it.
fn asked(issuer: &str, acs: &str, destination: &str) -> String {
    let xml = format!(
        "<samlp:AuthnRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"_asked\" Version=\"2.0\" \
         AssertionConsumerServiceURL=\"{acs}\" Destination=\"{destination}\">\
         <saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">{issuer}</saml:Issuer></samlp:AuthnRequest>"
    );
    let mut deflated = DeflateEncoder::new(Vec::new(), Compression::default());
    std::io::Write::write_all(&mut deflated, xml.as_bytes()).unwrap();
    let message = STANDARD.encode(deflated.finish().unwrap());
    let fields = [("SAMLRequest", message.as_str()), ("RelayState", "a&b \"c\"")];
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// The value of a hidden field.
fn hidden<'a>(page: &'a str, name: &str) -> Option<&'a str> {
    let rest = page.split_once(&format!("name=\"{name}\" value=\""))?.1;
    Some(rest.split_once('"').unwrap().0)
}

/// The Response that a page posts.
fn told(page: &str) -> String {
    String::from_utf8(STANDARD.decode(hidden(page, "SAMLResponse").unwrap()).unwrap()).unwrap()
}

#[tokio::test]
async fn a_request_is_answered_about_the_person_who_was_chosen() {
    let provider = provider().await;
    let sso = format!("{}/sso", provider.base);
    let query = asked("https://sp.example/access", ACS, &sso);
    let login = get(&format!("{sso}?{query}")).await;
    assert_eq!(login.status, StatusCode::OK);
    for part in ["studio", "value=\"ana@example.com\"", "value=\"ben\"", "team&lt;2&gt;"] {
        assert!(login.page.contains(part), "{part}: {}", login.page);
    }
    let request = hidden(&login.page, "request").unwrap().replace("&amp;", "&");
    assert_eq!(request, query);
    let answer = post(&sso, &[("request", &request), ("person", "ana@example.com")]).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.page.contains(&format!("<form method=\"post\" action=\"{ACS}\">")), "{}", answer.page);
    assert_eq!(hidden(&answer.page, "RelayState"), Some("a&amp;b &quot;c&quot;"));
    // A button for who has no script, a hash for who has.
    assert!(answer.page.contains("<button type=\"submit\">") && answer.policy.contains("script-src 'sha256-"));
    assert!(!answer.policy.contains("form-action"), "browsers hold it against the service provider's redirects");
    let xml = told(&answer.page);
    for part in [
        format!("Destination=\"{ACS}\""),
        format!("Recipient=\"{ACS}\""),
        "InResponseTo=\"_asked\"".into(),
        format!("<saml:Issuer>{}</saml:Issuer>", provider.issuer),
        "<saml:Audience>https://sp.example/access</saml:Audience>".into(),
        ">ana@example.com</saml:NameID>".into(),
        "<saml:Attribute Name=\"role\"><saml:AttributeValue>analyst</saml:AttributeValue>".into(),
        "<saml:AttributeValue>team&lt;2&gt;</saml:AttributeValue>".into(),
        "SessionNotOnOrAfter=".into(),
        "<ds:SignatureValue>".into(),
    ] {
        assert!(xml.contains(&part), "{part}: {xml}");
    }
    assert!(!xml.contains("<ds:SignatureValue></ds:SignatureValue>"));
    let again = post(&sso, &[("request", &request), ("person", "ana@example.com")]).await;
    let id = |xml: &str| xml.split_once("<saml:Assertion").unwrap().1.split('"').nth(3).unwrap().to_owned();
    assert_ne!(id(&told(&again.page)), id(&xml), "no assertion is told twice");
}

#[tokio::test]
async fn a_request_is_answered_only_to_an_app_of_the_file_where_the_file_has_it() {
    let provider = provider().await;
    let sso = format!("{}/sso", provider.base);
    let sp = "https://sp.example/access";
    for (query, status) in [
        (asked("https://other.example", ACS, &sso), StatusCode::FORBIDDEN),
        (asked(sp, "https://other.example/saml", &sso), StatusCode::FORBIDDEN),
        (asked(sp, ACS, "https://other.example/sso"), StatusCode::FORBIDDEN),
        ("SAMLRequest=abc".into(), StatusCode::BAD_REQUEST),
        (String::new(), StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(get(&format!("{sso}?{query}")).await.status, status, "{query}");
        let answer = post(&sso, &[("request", &query), ("person", "ben")]).await;
        assert_eq!(answer.status, status, "{query}");
        assert!(!answer.page.contains("SAMLResponse"));
    }
    let query = asked(sp, ACS, &sso);
    assert_eq!(post(&sso, &[("request", &query), ("person", "nobody")]).await.status, StatusCode::FORBIDDEN);
    assert_eq!(post(&sso, &[("request", &query)]).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn sign_in_starts_here_too() {
    let provider = provider().await;
    let portal = get(&format!("{}/", provider.base)).await;
    assert!(portal.page.contains("href=\"/start?person=ana%40example.com&amp;app=studio\""), "{}", portal.page);
    let start = |query: &str| format!("{}/start?{query}", provider.base);
    let answer = get(&start("person=ben&app=studio")).await;
    let xml = told(&answer.page);
    assert!(!xml.contains("InResponseTo") && xml.contains(">b-1</saml:NameID>") && xml.contains("unspecified"));
    assert_eq!(hidden(&answer.page, "RelayState"), Some("lab"));
    let other = get(&start("person=ben&app=studio&relayState=other")).await;
    assert_eq!(hidden(&other.page, "RelayState"), Some("other"));
    for wrong in ["", "person=ben", "app=studio", "person=nobody&app=studio", "person=ben&app=none"] {
        assert_eq!(get(&start(wrong)).await.status, StatusCode::NOT_FOUND, "{wrong}");
    }
}

#[tokio::test]
async fn the_metadata_tell_where_and_by_which_key() {
    let provider = provider().await;
    let metadata = get(&format!("{}/metadata", provider.base)).await.page;
    let body: String = provider.certificate.lines().filter(|line| !line.starts_with("-----")).collect();
    for part in [
        format!("entityID=\"{}\"", provider.issuer),
        format!("Location=\"{}/sso\"", provider.base),
        format!("<X509Certificate>{body}</X509Certificate>"),
    ] {
        assert!(metadata.contains(&part), "{part}: {metadata}");
    }
    assert_eq!(provider.issuer, format!("{}/metadata", provider.base));
}

#[tokio::test]
async fn the_key_is_made_once_and_for_its_owner_only() {
    let provider = provider().await;
    let home = provider.folder.join("home");
    let kept = || {
        let entries = std::fs::read_dir(home.join("idp")).unwrap().map(|entry| entry.unwrap().path());
        entries.collect::<Vec<PathBuf>>()
    };
    let files = kept();
    assert_eq!(files.len(), 1);
    assert_eq!(std::fs::metadata(&files[0]).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(certificate(&home).unwrap(), provider.certificate);
    let again = Server::bind(options(&provider.folder)).await.unwrap();
    assert_eq!(again.certificate(), provider.certificate);
    assert_eq!(kept(), files);
    assert!(
        provider.certificate.starts_with("-----BEGIN CERTIFICATE-----") && !provider.certificate.contains("PRIVATE")
    );
    std::fs::write(&files[0], "broken").unwrap();
    assert!(certificate(&home).is_err(), "a key that cannot be read is not replaced");
}

#[tokio::test]
async fn the_file_is_read_anew_and_its_faults_are_told() {
    let provider = provider().await;
    let file = provider.folder.join("people.json");
    let mut changed = people();
    changed["people"].as_array_mut().unwrap().push(json!({"name": "carl"}));
    std::fs::write(&file, changed.to_string()).unwrap();
    assert!(get(&format!("{}/", provider.base)).await.page.contains("carl"));
    changed["people"][0]["atributes"] = json!({});
    std::fs::write(&file, changed.to_string()).unwrap();
    let answer = get(&format!("{}/", provider.base)).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(answer.page.contains("atributes"), "{}", answer.page);
    assert!(Server::bind(options(&provider.folder)).await.unwrap_err().to_string().contains("atributes"));
}

#[tokio::test]
async fn pages_of_elsewhere_get_no_assertion() {
    let provider = provider().await;
    let url = format!("{}/start?person=ben&app=studio", provider.base);
    let host = provider.base.strip_prefix("http://").unwrap();
    for (name, value, status) in [
        ("host", "rebound.example", StatusCode::FORBIDDEN),
        ("origin", "https://evil.example", StatusCode::FORBIDDEN),
        ("origin", provider.base.as_str(), StatusCode::OK),
        ("host", host, StatusCode::OK),
    ] {
        let request = Request::get(&url).header(name, value).body(http::body("")).unwrap();
        let answer = send(request).await;
        assert_eq!(answer.status, status, "{name}: {value}");
        assert_eq!(answer.page.contains("SAMLResponse"), status == StatusCode::OK);
    }
}
