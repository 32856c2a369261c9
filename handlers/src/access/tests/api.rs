//! `GET /domainName/{name}/getPresignedUrl`.

use serde_json::{Value, json};

use super::bench::{Ask, Bench, KEYS, cognito, here};
use super::cloud::Fault;

pub(super) fn ask(name: &str, token: &str) -> Ask {
    let mut ask = Ask::get(&format!("/domainName/{name}/getPresignedUrl")).header("Authorization", token);
    // As the authorizer of a user pool hands on what it has verified.
    ask.0["requestContext"]["authorizer"] = json!({ "claims": { "username": "jane", "cognito:groups": "team1" } });
    ask
}

fn token(bench: &Bench, groups: &[&str]) -> String {
    KEYS.sign("one", &bench.claims(groups))
}

async fn expect(bench: &Bench, ask: Ask, status: i64, code: &str) {
    let got = bench.access(ask).await;
    assert_eq!(got.status, status, "{got:?}");
    assert_eq!(got.header("content-type"), "application/json");
    assert_eq!(got.json()["error"], code, "{got:?}");
    assert_eq!(got.json()["correlation"], "request-1");
    assert!(got.json()["message"].as_str().is_some_and(|message| !message.is_empty()));
}

#[tokio::test]
async fn d2_a_member_gets_the_url() {
    let bench = Bench::new(&cognito());
    let token = token(&bench, &["team1"]);
    for header in [token.clone(), format!("Bearer {token}")] {
        let got = bench.access(ask("team1", &header)).await;
        assert_eq!(got.status, 200, "{got:?}");
        let url = got.json()["url"].as_str().unwrap().to_owned();
        assert!(url.starts_with("https://d-1.studio.eu-west-1.sagemaker.aws/auth?token=presigned-"), "{url}");
        assert_eq!((got.header("cache-control"), got.header("referrer-policy")), ("no-store", "no-referrer"));
    }
    let state = bench.cloud.state();
    let settings = &state.profiles["jane"].settings;
    assert_eq!(settings["ExecutionRole"], "arn:aws:iam::123456789012:role/default");
}

#[tokio::test]
async fn d2_each_error_means_what_it_says() {
    let bench = Bench::new(&cognito());
    let good = token(&bench, &["team1"]);
    let changed = |name: &str, value: Value| {
        let mut claims = bench.claims(&["team1"]);
        claims[name] = value;
        KEYS.sign("one", &claims)
    };
    let none = Ask::get("/domainName/team1/getPresignedUrl");
    expect(&bench, none, 401, "unauthenticated").await;
    expect(&bench, ask("team1", ""), 401, "token-malformed").await;
    expect(&bench, ask("team1", "Basic x"), 401, "token-malformed").await;
    expect(&bench, ask("team1", &changed("exp", json!(1))), 401, "token-expired").await;
    expect(&bench, ask("team1", &changed("token_use", json!("id"))), 401, "token-use").await;
    expect(&bench, ask("team1", &changed("client_id", json!("x"))), 401, "token-client").await;
    expect(&bench, ask("team1", &changed("iss", json!("https://x"))), 401, "token-issuer").await;
    expect(&bench, ask("team1", &changed("scope", json!("openid"))), 401, "token-scope").await;
    expect(&bench, ask("a.b", &good), 400, "bad-request").await;
    expect(&bench, ask("-", &good), 400, "bad-request").await;
    expect(&bench, ask("team2", &good), 404, "domain-unknown").await;
    expect(&bench, ask("Team1", &good), 404, "domain-unknown").await;
    expect(&bench, ask("team10", &good), 403, "not-in-group").await;
    expect(&bench, ask("team1", &token(&bench, &["team10"])), 403, "not-in-group").await;
    expect(&bench, ask("team1", &token(&bench, &["Team1"])), 403, "not-in-group").await;
    expect(&bench, ask("team1", &token(&bench, &[])), 403, "not-in-group").await;
    assert_eq!(bench.cloud.take_calls(), [""; 0], "none of these asks AWS");

    let mut landing = ask("team1", &good);
    landing.0["multiValueQueryStringParameters"] = json!({ "landing": ["elsewhere"] });
    expect(&bench, landing, 400, "landing-unknown").await;
    let mut post = ask("team1", &good);
    post.0["httpMethod"] = json!("POST");
    expect(&bench, post, 405, "method-not-allowed").await;
    expect(&bench, Ask::get("/domainName/team1/x"), 404, "not-found").await;
    expect(&bench, Ask::get("/domainName/a/b/getPresignedUrl"), 404, "not-found").await;
}

#[tokio::test]
async fn d2_each_failure_of_aws_means_what_it_says() {
    let calls = {
        let bench = Bench::new(&cognito());
        assert_eq!(bench.access(ask("team1", &token(&bench, &["team1"]))).await.status, 200);
        bench.cloud.take_calls().len()
    };
    assert!(calls >= 6);
    for call in 0..calls {
        for (fault, status, code) in [
            (Fault::Throttled, 429, "throttled"),
            (Fault::Broken, 503, "unavailable"),
            (Fault::Denied, 500, "permission"),
            (Fault::Lost, 503, "unavailable"),
        ] {
            let bench = Bench::new(&cognito());
            bench.cloud.state().faults.insert(call, fault);
            let got = bench.access(ask("team1", &token(&bench, &["team1"]))).await;
            assert_eq!((got.status, got.json()["error"].as_str()), (status, Some(code)), "{call} {fault:?}");
            assert_eq!(got.header("retry-after").is_empty(), status == 500, "{got:?}");
            assert!(!got.body.contains("presigned-") && !got.body.contains("it is so"), "{got:?}");
        }
    }
    let bench = Bench::new(&cognito());
    bench.cloud.state().looks = 1000;
    expect(&bench, ask("team1", &token(&bench, &["team1"])), 503, "profile-not-ready").await;
    let bench = Bench::new(&cognito());
    bench.cloud.state().domains.clear();
    expect(&bench, ask("team1", &token(&bench, &["team1"])), 404, "domain-unknown").await;
}

#[tokio::test]
async fn d2_a_token_that_no_authorizer_has_verified_opens_nothing() {
    let bench = Bench::new(&cognito());
    let good = ask("team1", &token(&bench, &["team1"]));
    for authorizer in [json!(null), json!({}), json!({ "claims": {} }), json!({ "claims": { "username": "john" } })] {
        let mut ask = good.clone();
        ask.0["requestContext"]["authorizer"] = authorizer;
        expect(&bench, ask, 500, "authorizer").await;
    }
    assert_eq!(bench.cloud.take_calls(), [""; 0]);
    assert_eq!(bench.access(good).await.status, 200);
}

#[tokio::test]
async fn without_cognito_there_is_no_such_address() {
    let bench = Bench::new(&here());
    expect(&bench, ask("team1", "x"), 404, "not-found").await;
}
