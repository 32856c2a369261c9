//! `GET /login` and `GET /callback` at Cognito's pages.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::bench::{Ask, Bench, CLIENT, Got, KEYS, SCOPE, URL, cognito, here};
use super::cloud::Fault;

const LOGIN: &str = "__Host-tidegate-login";
const TICKET: &str = "__Host-tidegate-ticket";

fn grant(bench: &Bench, claims: &Value) {
    grant_with(bench, "one", claims);
}

fn grant_with(bench: &Bench, kid: &str, claims: &Value) {
    let body = json!({ "access_token": KEYS.sign(kid, claims), "id_token": "i", "token_type": "Bearer" });
    bench.cloud.state().token = Some((200, body.to_string()));
}

/// The way back, as Cognito's pages send the browser.
fn back(login: &Got, code: &str) -> Ask {
    let state = login.parameter("state");
    Ask::get(&format!("/callback?code={code}&state={state}")).cookie(LOGIN, &login.cookie(LOGIN).0)
}

async fn callback(bench: &Bench, path: &str) -> Got {
    let login = bench.sign_in(Ask::get(path)).await;
    assert_eq!(login.status, 303, "{login:?}");
    bench.sign_in(back(&login, "code-1")).await
}

#[tokio::test]
async fn d1_code_grant_with_pkce_from_the_link_to_studio() {
    let bench = Bench::new(&cognito());
    grant(&bench, &bench.claims(&["team1"]));
    let login = bench.sign_in(Ask::get("/login?landing=lab")).await;
    let location = login.header("location");
    assert!(location.starts_with("https://tidegate.auth.eu-west-1.amazoncognito.com/oauth2/authorize?"), "{location}");
    let redirect = format!("{URL}/callback");
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", CLIENT),
        ("redirect_uri", &*redirect),
        ("scope", SCOPE),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(login.parameter(name), value);
    }
    assert_eq!(login.cookie(LOGIN).1, "HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=600");
    assert!(!location.contains(&login.cookie(LOGIN).0), "the cookie stays with the browser");

    let got = bench.sign_in(back(&login, "code-1")).await;
    assert_eq!((got.status, got.header("location")), (303, &*format!("{URL}/enter")), "{got:?}");
    assert!(!got.sets(LOGIN), "{got:?}");
    {
        let state = bench.cloud.state();
        let token = state.calls.iter().find(|call| call.name == "cognito.token").unwrap();
        let sent: Vec<(String, String)> = form_urlencoded::parse(token.body.as_bytes()).into_owned().collect();
        let sent = |name: &str| sent.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value).to_owned();
        assert_eq!(sent("grant_type"), "authorization_code");
        assert_eq!((&*sent("client_id"), &*sent("code"), sent("redirect_uri")), (CLIENT, "code-1", redirect));
        assert_eq!(sent("client_secret"), "", "there is none");
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(sent("code_verifier")));
        assert_eq!(login.parameter("code_challenge"), challenge);
        assert!(!token.body.contains(&login.cookie(LOGIN).0));
    }
    let enter = bench.access(Ask::get("/enter").cookie(TICKET, &got.cookie(TICKET).0)).await;
    assert_eq!(enter.status, 303, "{enter:?}");
    let state = bench.cloud.state();
    let url = state.calls.iter().find(|call| call.name == "sagemaker.CreatePresignedDomainUrl").unwrap().json();
    assert_eq!((&url["UserProfileName"], &url["LandingUri"]), (&json!("jane"), &json!("app:JupyterLab:")));
}

#[tokio::test]
async fn d1_only_the_browser_that_began_comes_back_and_once() {
    let bench = Bench::new(&cognito());
    grant(&bench, &bench.claims(&["team1"]));
    let login = bench.sign_in(Ask::get("/login")).await;
    let other = bench.sign_in(Ask::get("/login")).await;
    let state = login.parameter("state");
    let denied = async |ask: Ask, status: i64| {
        let before = bench.cloud.count("cognito.token");
        let got = bench.sign_in(ask).await;
        assert_eq!(got.status, status, "{got:?}");
        assert_eq!(bench.cloud.count("cognito.token"), before, "no code is redeemed");
        assert!(!got.sets(TICKET));
    };
    let path = format!("/callback?code=c&state={state}");
    denied(Ask::get(&path), 403).await;
    denied(Ask::get(&path).cookie(LOGIN, &other.cookie(LOGIN).0), 403).await;
    denied(Ask::get(&path).cookie(LOGIN, &state), 403).await;
    denied(Ask::get("/callback?code=c").cookie(LOGIN, &login.cookie(LOGIN).0), 400).await;
    denied(Ask::get("/callback?code=c&state=x").cookie(LOGIN, &login.cookie(LOGIN).0), 403).await;
    denied(Ask::get(&format!("{path}&state={state}")).cookie(LOGIN, &login.cookie(LOGIN).0), 400).await;
    let made_up = format!("/callback?code=c&state={}", "0".repeat(64));
    denied(Ask::get(&made_up).cookie(LOGIN, &login.cookie(LOGIN).0), 403).await;
    assert_eq!(bench.sign_in(back(&login, "code-1")).await.status, 303);
    denied(back(&login, "code-1"), 403).await;
    // After ten minutes, though the table still has it.
    bench.wait(600);
    denied(back(&other, "code-1"), 403).await;
}

#[tokio::test]
async fn what_cognito_refuses_is_told_apart_from_what_it_cannot() {
    for (status, body, expected, code) in [
        (400, r#"{"error":"invalid_grant"}"#, 403, "sign-in-refused"),
        (400, r#"{"error":"invalid_client"}"#, 500, "cognito"),
        (400, r#"{"error":"unauthorized_client"}"#, 500, "cognito"),
        (400, "<html>", 403, "sign-in-refused"),
        (405, "", 503, "unavailable"),
        (429, "", 429, "throttled"),
        (500, "", 503, "unavailable"),
        (302, "", 503, "unavailable"),
        (200, "{}", 503, "unavailable"),
        (200, r#"{"access_token":"a.b.c"}"#, 401, "token-malformed"),
    ] {
        let bench = Bench::new(&cognito());
        bench.cloud.state().token = Some((status, body.to_owned()));
        let got = callback(&bench, "/login").await;
        assert_eq!((got.status, &*got.code()), (expected, code), "{status} {body}");
        assert!(!got.sets(TICKET));
    }
    let bench = Bench::new(&cognito());
    let login = bench.sign_in(Ask::get("/login")).await;
    let state = login.parameter("state");
    let error = format!("/callback?error=access_denied&error_description=%3Cb%3E&state={state}");
    let got = bench.sign_in(Ask::get(&error).cookie(LOGIN, &login.cookie(LOGIN).0)).await;
    assert_eq!((got.status, &*got.code()), (403, "sign-in-refused"));
    assert!(!got.body.contains("<b>") && !got.body.contains("access_denied"), "{}", got.body);
    assert_eq!(bench.cloud.count("cognito.token"), 0);
}

#[tokio::test]
async fn each_claim_of_the_token_is_checked_here_too() {
    for (name, value) in [
        ("iss", json!("https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_b")),
        ("client_id", json!("client2")),
        ("token_use", json!("id")),
        ("exp", json!(1)),
        ("scope", json!("openid")),
        ("username", Value::Null),
    ] {
        let bench = Bench::new(&cognito());
        let mut claims = bench.claims(&["team1"]);
        claims[name] = value;
        grant(&bench, &claims);
        let got = callback(&bench, "/login").await;
        assert_eq!(got.status, 401, "{name}: {got:?}");
        assert!(!got.sets(TICKET), "{name}");
    }
}

#[tokio::test]
async fn d3_a_person_in_the_wrong_group_sees_why_not() {
    for groups in [&[][..], &["team"], &["Team1"], &["team11"]] {
        let bench = Bench::new(&cognito());
        grant(&bench, &bench.claims(groups));
        for path in ["/login", "/login?domain=team1"] {
            let got = callback(&bench, path).await;
            assert_eq!((got.status, &*got.code()), (403, "not-in-group"), "{groups:?}");
            assert!(got.body.contains("<p>You are not in this Studio domain's group.</p>"), "{}", got.body);
            assert!(!got.sets(TICKET));
        }
    }
    // `team10` opens `team10`, and not what it begins with.
    let bench = Bench::new(&cognito());
    grant(&bench, &bench.claims(&["team10"]));
    assert_eq!(callback(&bench, "/login?domain=team1").await.code(), "not-in-group");
    assert_eq!(callback(&bench, "/login?domain=team10").await.status, 303);
    assert_eq!(bench.sign_in(Ask::get("/login?domain=team2")).await.status, 404);
}

#[tokio::test]
async fn a_person_in_several_groups_says_which_domain() {
    let bench = Bench::new(&cognito());
    grant(&bench, &bench.claims(&["team1", "team10", "other"]));
    let got = callback(&bench, "/login").await;
    assert_eq!(got.status, 200);
    assert!(!got.sets(TICKET));
    for name in ["team1", "team10"] {
        assert!(got.body.contains(&format!("<a href=\"{URL}/login?domain={name}\">{name}</a>")), "{}", got.body);
    }
    assert!(!got.body.contains("other"));
    let got = callback(&bench, "/login?domain=team10").await;
    let enter = bench.access(Ask::get("/enter").cookie(TICKET, &got.cookie(TICKET).0)).await;
    assert_eq!(enter.status, 303);
    let state = bench.cloud.state();
    assert_eq!(state.profiles["jane"].tags["DomainName"], "team10");
}

#[tokio::test]
async fn the_pool_s_keys_are_fetched_once_and_again_for_a_new_one_at_most_once_a_minute() {
    let bench = Bench::new(&cognito());
    grant(&bench, &bench.claims(&["team1"]));
    for _ in 0..3 {
        assert_eq!(callback(&bench, "/login").await.status, 303);
    }
    assert_eq!(bench.cloud.count("cognito.jwks"), 1);
    // A key that is new within the minute has to wait for its end.
    bench.cloud.state().jwks = json!({ "keys": [KEYS.jwk("one"), KEYS.jwk("two")] }).to_string();
    bench.wait(59);
    grant_with(&bench, "two", &bench.claims(&["team1"]));
    for _ in 0..3 {
        assert_eq!(callback(&bench, "/login").await.code(), "token-unknown-key");
    }
    assert_eq!(bench.cloud.count("cognito.jwks"), 1);
    bench.wait(1);
    assert_eq!(callback(&bench, "/login").await.status, 303);
    assert_eq!(bench.cloud.count("cognito.jwks"), 2);
    grant_with(&bench, "three", &bench.claims(&["team1"]));
    assert_eq!(callback(&bench, "/login").await.code(), "token-unknown-key");
    assert_eq!(bench.cloud.count("cognito.jwks"), 2);
}

#[tokio::test]
async fn without_the_pool_s_keys_nobody_enters() {
    for fault in [Fault::Broken, Fault::Lost] {
        let bench = Bench::new(&cognito());
        grant(&bench, &bench.claims(&["team1"]));
        let login = bench.sign_in(Ask::get("/login")).await;
        bench.cloud.take_calls();
        bench.cloud.state().faults = [(2, fault)].into();
        let got = bench.sign_in(back(&login, "c")).await;
        assert_eq!((got.status, &*got.code()), (503, "unavailable"), "{:?}", bench.cloud.take_calls());
        // It is not remembered that there are none.
        bench.cloud.state().faults.clear();
        assert_eq!(callback(&bench, "/login").await.status, 303);
    }
}

#[tokio::test]
async fn a_store_that_fails_begins_and_ends_no_sign_in() {
    let bench = Bench::new(&cognito());
    grant(&bench, &bench.claims(&["team1"]));
    bench.cloud.state().faults = [(0, Fault::Broken)].into();
    let got = bench.sign_in(Ask::get("/login")).await;
    assert_eq!(got.status, 503);
    assert!(!got.sets(LOGIN));
    for call in [0, 3] {
        bench.cloud.state().faults.clear();
        let login = bench.sign_in(Ask::get("/login")).await;
        let bench = bench.again(&cognito());
        bench.cloud.take_calls();
        bench.cloud.state().faults = [(call, Fault::Lost)].into();
        let got = bench.sign_in(back(&login, "c")).await;
        assert_eq!(got.status, 503, "{call}");
        assert!(!got.sets(TICKET), "{call}");
    }
}

#[tokio::test]
async fn without_cognito_there_are_no_such_addresses() {
    let bench = Bench::new(&here());
    for path in ["/login", "/callback?code=c&state=s"] {
        assert_eq!(bench.sign_in(Ask::get(path)).await.status, 404, "{path}");
    }
}
