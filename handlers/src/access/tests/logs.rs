//! Nothing secret is logged, whatever goes wrong where.

use std::collections::BTreeSet;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use super::api::ask;
use super::bench::{Ask, Bench, KEYS, by_aws, cognito, here, portal};
use super::by_aws::says as says_for_aws;
use super::cloud::Fault;

/// What is logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// As the functions have it, and finer for what is ours.
fn filter() -> EnvFilter {
    EnvFilter::new("info,handlers=trace,access=trace")
}

/// Whether a line is logged at all is remembered for the whole process: so that tests on other threads, which log nowhere, do
/// not decide it.
fn listen_everywhere() {
    let nowhere = tracing_subscriber::fmt().with_env_filter(filter()).with_writer(io::sink).finish();
    let _ = tracing::subscriber::set_global_default(nowhere);
}

type Flow = fn(Bench) -> Pin<Box<dyn Future<Output = ()>>>;

async fn by_request(bench: Bench) {
    let login = bench.access(Ask::get("/login?landing=lab")).await;
    if login.status == 303 {
        let ask = bench.answer_to(&login, "jane");
        bench.access(ask.clone()).await;
        bench.access(ask).await;
    }
}

async fn by_portal(bench: Bench) {
    bench.cloud.state().looks = 60;
    let got = bench.access(bench.post(&bench.says("jane"), None)).await;
    if got.sets("__Host-tidegate-ticket") {
        bench.cloud.state().profiles.values_mut().for_each(|profile| profile.looks = 0);
        let (cookie, _) = got.cookie("__Host-tidegate-ticket");
        bench.access(Ask::get("/enter").cookie("__Host-tidegate-ticket", &cookie)).await;
    }
    let mut forged = bench.says("jane");
    forged.attributes[0].1 = vec!["a-domain-nobody-has".to_owned()];
    forged.assertion_id = "_an-assertion-that-is-denied".to_owned();
    bench.access(bench.post(&forged, Some("a-relay-state-nobody-has"))).await;
    bench.access(bench.post(&forged, None)).await;
}

async fn with_aws(bench: Bench) {
    bench.access(bench.post(&says_for_aws(&bench), None)).await;
    bench.cloud.state().session = None;
    bench.wait(1);
    bench.access(bench.post(&says_for_aws(&bench), None)).await;
}

async fn with_cognito(bench: Bench) {
    let token = KEYS.sign("one", &bench.claims(&["team1"]));
    bench.cloud.state().token = Some((200, json!({ "access_token": token }).to_string()));
    let login = bench.sign_in(Ask::get("/login")).await;
    if login.status != 303 {
        return;
    }
    let (cookie, _) = login.cookie("__Host-tidegate-login");
    let path = format!("/callback?code=a-code-of-cognito&state={}", login.parameter("state"));
    let got = bench.sign_in(Ask::get(&path).cookie("__Host-tidegate-login", &cookie)).await;
    bench.sign_in(Ask::get(&path).cookie("__Host-tidegate-login", &cookie)).await;
    if got.sets("__Host-tidegate-ticket") {
        let (cookie, _) = got.cookie("__Host-tidegate-ticket");
        bench.access(Ask::get("/enter").cookie("__Host-tidegate-ticket", &cookie)).await;
    }
    let error = format!("/callback?error=an-error-of-nobody&state={}", login.parameter("state"));
    bench.sign_in(Ask::get(&error).cookie("__Host-tidegate-login", &cookie)).await;
}

async fn with_token(bench: Bench) {
    for groups in [&["team1"][..], &["team10"]] {
        let token = KEYS.sign("one", &bench.claims(groups));
        bench.access(ask("team1", &format!("Bearer {token}"))).await;
    }
}

/// Everything that must not be in a log: what went in and out, and what Cognito was sent.
fn secrets(bench: &Bench) -> BTreeSet<String> {
    let mut all: BTreeSet<String> = ["session-secret-key", "session-token", "presigned-"].map(str::to_owned).into();
    let seen = bench.seen.lock().unwrap();
    for (ask, got) in &*seen {
        let body = ask["body"].as_str().unwrap_or_default().to_owned();
        all.extend(form_urlencoded::parse(body.as_bytes()).map(|(_, value)| value.into_owned()));
        all.insert(body);
        let texts = [&ask["multiValueHeaders"]["Cookie"], &ask["multiValueHeaders"]["Authorization"]];
        for text in texts.into_iter().filter_map(|values| values[0].as_str()) {
            all.extend(text.split(['=', ';', ' ']).map(str::to_owned));
        }
        for values in ask["multiValueQueryStringParameters"].as_object().into_iter().flat_map(|all| all.values()) {
            all.extend(values[0].as_str().map(str::to_owned));
        }
        for cookie in got.headers.get("set-cookie").into_iter().flatten() {
            all.extend(cookie.split(['=', ';']).nth(1).map(str::to_owned));
        }
        all.insert(got.header("location").to_owned());
        if got.body.starts_with('{') {
            let body: Value = serde_json::from_str(&got.body).unwrap();
            all.extend(body["url"].as_str().map(str::to_owned));
        }
    }
    let state = bench.cloud.state();
    for call in state.calls.iter().filter(|call| call.name == "cognito.token") {
        let sent = form_urlencoded::parse(call.body.as_bytes());
        all.extend(
            sent.filter(|(name, _)| name == "code" || name == "code_verifier").map(|(_, value)| value.into_owned()),
        );
    }
    if let Some((_, body)) = &state.token {
        let token: Value = serde_json::from_str(body).unwrap();
        all.extend(token["access_token"].as_str().unwrap().split('.').map(str::to_owned));
    }
    // A short word is no secret: a landing's name, a method, `Bearer`.
    all.retain(|text| text.len() > 8 || text == "presigned-");
    all
}

#[test]
fn nothing_secret_is_logged_whatever_fails() {
    listen_everywhere();
    let flows: [(&str, Value, Flow); 5] = [
        ("here", here(), |bench| Box::pin(by_request(bench))),
        ("portal", portal(), |bench| Box::pin(by_portal(bench))),
        ("aws", by_aws(), |bench| Box::pin(with_aws(bench))),
        ("cognito", cognito(), |bench| Box::pin(with_cognito(bench))),
        ("token", cognito(), |bench| Box::pin(with_token(bench))),
    ];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for (name, file, flow) in flows {
        let run = |fault: Option<(usize, Fault)>| {
            let log = Log::default();
            let subscriber =
                tracing_subscriber::fmt().json().with_env_filter(filter()).with_writer(log.clone()).finish();
            let _guard = tracing::subscriber::set_default(subscriber);
            let bench = Bench::new(&file);
            bench.cloud.state().faults.extend(fault);
            runtime.block_on(flow(bench.clone()));
            let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
            assert!(text.contains("request-1"), "{name}: the log is caught");
            let secrets = secrets(&bench);
            // A flow whose first call fails gives none away yet.
            assert!(fault.is_some() || secrets.len() > 4, "{name}: {secrets:?}");
            for secret in &secrets {
                assert!(!text.contains(secret.as_str()), "{name} {fault:?} logs `{secret}`:\n{text}");
            }
            let made = bench.cloud.state().calls.len();
            (made, text)
        };
        let (calls, text) = run(None);
        assert!(calls > 3, "{name}");
        assert!(text.contains("a person enters"), "{name}: {text}");
        for call in 0..calls.min(40) {
            for fault in [Fault::Broken, Fault::Throttled, Fault::Denied, Fault::Lost] {
                let (_, text) = run(Some((call, fault)));
                assert!(text.contains("not granted"), "{name} {call} {fault:?}: {text}");
            }
        }
    }
}
