//! `POST /saml` and `GET /login`, verified here.

use idp::Signed;
use serde_json::json;

use super::bench::{Ask, Bench, IDENTITY, STRANGER, here, portal};
use super::cloud::Fault;

/// Runs requests at the same time.
async fn all<T: Send + 'static>(
    requests: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let tasks: Vec<_> = requests.into_iter().map(tokio::spawn).collect();
    let mut done = Vec::new();
    for task in tasks {
        done.push(task.await.unwrap());
    }
    done
}

const REQUEST: &str = "__Host-tidegate-request";

#[tokio::test]
async fn c2_sign_in_that_starts_here_ends_in_studio() {
    let bench = Bench::new(&here());
    let login = bench.access(Ask::get("/login?landing=lab")).await;
    assert!(login.header("location").starts_with("https://idp.example.com/sso?SAMLRequest="), "{login:?}");
    let (_, attributes) = login.cookie(REQUEST);
    assert_eq!(attributes, "HttpOnly; SameSite=None; Secure; Path=/; Max-Age=600");
    let got = bench.access(bench.answer_to(&login, "jane")).await;
    assert_eq!(got.status, 303, "{got:?}");
    assert!(got.header("location").starts_with("https://d-1.studio.eu-west-1.sagemaker.aws/auth?token="));
    // The request has done its part.
    assert!(!got.sets(REQUEST), "{got:?}");
    let state = bench.cloud.state();
    let presign = state.calls.iter().find(|call| call.name == "sagemaker.CreatePresignedDomainUrl").unwrap();
    assert_eq!(
        presign.json(),
        json!({
            "DomainId": "d-1", "UserProfileName": "jane", "ExpiresInSeconds": 20,
            "SessionExpirationDurationInSeconds": 28800, "LandingUri": "app:JupyterLab:",
        })
    );
}

#[tokio::test]
async fn c4_what_the_request_says_beside_the_assertion_counts_for_nothing() {
    let bench = Bench::new(&here());
    let login = bench.access(Ask::get("/login")).await;
    let mut ask = bench.answer_to(&login, "jane");
    let body = ask.0["body"].as_str().unwrap().to_owned();
    ask.0["body"] = json!(format!("{body}&domain=team10&domain-id=d-10&profile=root&role=engineer&NameID=root"));
    ask.0["multiValueQueryStringParameters"] = json!({ "domain": ["team10"], "profile": ["root"] });
    assert_eq!(bench.access(ask).await.status, 303);
    let state = bench.cloud.state();
    assert_eq!(state.profiles.keys().collect::<Vec<_>>(), ["jane"]);
    assert_eq!(state.profiles["jane"].settings["ExecutionRole"], "arn:aws:iam::123456789012:role/analyst");
}

#[tokio::test]
async fn c3_a_request_is_answered_once_and_in_the_browser_that_made_it() {
    let bench = Bench::new(&here());
    let denied = async |ask: Ask| {
        bench.cloud.state().calls.clear();
        let got = bench.access(ask).await;
        assert_eq!((got.status, &*got.code()), (403, "request-unknown"), "{got:?}");
        assert!(bench.cloud.take_calls().iter().all(|call| call == "dynamodb.DeleteItem"));
    };
    let login = bench.access(Ask::get("/login")).await;
    let other = bench.access(Ask::get("/login")).await;
    let good = bench.answer_to(&login, "jane");
    // No cookie, another browser's, nobody's, and two.
    let mut bare = good.clone();
    bare.0["multiValueHeaders"].as_object_mut().unwrap().remove("Cookie");
    denied(bare).await;
    denied(good.clone().cookie(REQUEST, &other.cookie(REQUEST).0)).await;
    denied(good.clone().cookie(REQUEST, "AAAA")).await;
    let twice = format!("{0}={1}; {0}={1}", REQUEST, login.cookie(REQUEST).0);
    denied(good.clone().header("Cookie", &twice)).await;
    // The right one, once.
    assert_eq!(bench.access(good.clone()).await.status, 303);
    denied(good).await;
    // Another assertion in answer to the same request.
    bench.wait(1);
    denied(bench.answer_to(&login, "jane")).await;
    // An answer that comes after ten minutes; DynamoDB has not deleted the request yet.
    bench.wait(599 - 1);
    denied(bench.answer_to(&login, "jane")).await;
    let slow = bench.access(Ask::get("/login")).await;
    bench.wait(600);
    assert!(bench.cloud.state().items.len() > 1);
    denied(bench.answer_to(&slow, "jane")).await;
    let quick = bench.access(Ask::get("/login")).await;
    bench.wait(599);
    assert_eq!(bench.access(bench.answer_to(&quick, "jane")).await.status, 303);
}

#[tokio::test]
async fn c3_sign_in_at_the_idp_needs_to_be_allowed() {
    let bench = Bench::new(&here());
    let got = bench.access(bench.post(&bench.says("jane"), None)).await;
    assert_eq!((got.status, &*got.code()), (403, "not-started-here"));
    assert_eq!(bench.cloud.take_calls(), [""; 0]);
    let bench = Bench::new(&portal());
    let got = bench.access(bench.post(&bench.says("jane"), Some("lab"))).await;
    assert_eq!(got.status, 303, "{got:?}");
    // Where it is allowed, an answer still has to be one to a request of ours.
    let mut says = bench.says("john");
    says.in_response_to = Some("_somebody-elses".to_owned());
    let got = bench.access(bench.post(&says, None)).await;
    assert_eq!((got.status, &*got.code()), (403, "request-unknown"));
    assert_eq!(bench.access(Ask::get("/login")).await.status, 404, "nothing starts here");
}

#[tokio::test]
async fn c3_a_replayed_assertion_opens_nothing() {
    let bench = Bench::new(&portal());
    let ask = bench.post(&bench.says("jane"), None);
    assert_eq!(bench.access(ask.clone()).await.status, 303);
    let urls = bench.cloud.state().urls;
    for _ in 0..3 {
        let got = bench.access(ask.clone()).await;
        assert_eq!((got.status, &*got.code()), (403, "assertion-replayed"));
    }
    // Another Response around the same assertion.
    let mut again = bench.says("jane");
    again.id = "_another-response".to_owned();
    let got = bench.access(bench.post(&again, Some("lab"))).await;
    assert_eq!((got.status, &*got.code()), (403, "assertion-replayed"));
    assert_eq!(bench.cloud.state().urls, urls);
    let record = bench.cloud.state().items.values().next().unwrap().clone();
    let until: i64 = record["expires"]["N"].as_str().unwrap().parse().unwrap();
    assert_eq!(until, bench.now().as_second() + 300, "the record lasts as long as the assertion");
    assert_eq!(record.as_object().unwrap().len(), 2, "and says nothing else: {record}");
    // As soon as the record may go, the assertion is too old.
    bench.wait(300);
    bench.cloud.state().items.clear();
    let got = bench.access(ask).await;
    assert_eq!(got.status, 403);
    assert_eq!(bench.cloud.state().urls, urls);
}

#[tokio::test]
async fn c3_of_replays_at_the_same_time_one_wins() {
    let bench = Bench::new(&portal());
    let ask = bench.post(&bench.says("jane"), None);
    let one = |_| {
        let (bench, ask) = (bench.clone(), ask.clone());
        async move { bench.access(ask).await }
    };
    let got = all((0..12).map(one)).await;
    assert_eq!(got.iter().filter(|got| got.status == 303).count(), 1);
    assert_eq!(got.iter().filter(|got| got.status == 403 && got.code() == "assertion-replayed").count(), 11);
    assert_eq!(bench.cloud.state().urls, 1);
}

#[tokio::test]
async fn c3_the_same_answer_at_the_same_time_is_taken_once() {
    let bench = Bench::new(&here());
    let login = bench.access(Ask::get("/login")).await;
    let ask = bench.answer_to(&login, "jane");
    let one = |_| {
        let (bench, ask) = (bench.clone(), ask.clone());
        async move { bench.access(ask).await }
    };
    let got = all((0..12).map(one)).await;
    assert_eq!(got.iter().filter(|got| got.status == 303).count(), 1);
    assert_eq!(got.iter().filter(|got| got.status == 403).count(), 11);
}

#[tokio::test]
async fn c3_a_store_that_fails_denies() {
    // The calls: the request is used up, then the assertion.
    for (call, fault, status) in [
        (0, Fault::Broken, 503),
        (0, Fault::Throttled, 429),
        (0, Fault::Denied, 500),
        (0, Fault::Lost, 503),
        (1, Fault::Broken, 503),
        (1, Fault::Throttled, 429),
        (1, Fault::Denied, 500),
        (1, Fault::Lost, 503),
    ] {
        let bench = Bench::new(&here());
        let login = bench.access(Ask::get("/login")).await;
        let ask = bench.answer_to(&login, "jane");
        bench.cloud.take_calls();
        bench.cloud.state().faults.insert(call, fault);
        let got = bench.access(ask.clone()).await;
        assert_eq!(got.status, status, "{call} {fault:?}: {got:?}");
        assert!(!got.sets("__Host-tidegate-ticket"), "{got:?}");
        assert_eq!(bench.cloud.take_calls().len(), call + 1, "nothing is asked after it");
        // What was lost is not given again either.
        if fault == Fault::Lost {
            bench.cloud.state().faults.clear();
            assert_eq!(bench.access(ask).await.status, 403);
        }
    }
}

#[tokio::test]
async fn c3_what_is_not_signed_by_the_idp_is_refused() {
    let bench = Bench::new(&portal());
    let says = bench.says("jane");
    for ask in [
        Ask::form("/saml", &says.form(&STRANGER, None).unwrap()),
        Ask::form("/saml", &idp::form_body(&says.xml(), None)),
        Ask::form("/saml", &idp::form_body(&says.signed(&IDENTITY, Signed::Response).unwrap(), None)),
        {
            let signed = says.signed(&IDENTITY, Signed::Assertion).unwrap();
            let forged = signed.replace(">jane<", ">root<");
            assert_ne!(signed, forged);
            Ask::form("/saml", &idp::form_body(&forged, None))
        },
    ] {
        let got = bench.access(ask).await;
        assert_eq!(got.status, 403, "{got:?}");
        assert_eq!(bench.cloud.take_calls(), [""; 0], "nobody is asked for such");
    }
}

#[tokio::test]
async fn what_is_no_form_is_a_bad_request() {
    let bench = Bench::new(&portal());
    let good = bench.post(&bench.says("jane"), None);
    for (ask, status) in [
        (good.clone().header("Content-Type", "text/plain"), 400),
        (good.clone().header("Content-Type", "multipart/form-data; boundary=x"), 400),
        (Ask::form("/saml", ""), 400),
        (Ask::form("/saml", "RelayState=lab"), 400),
        (Ask::form("/saml", "SAMLResponse=%%%"), 400),
        (Ask::form("/saml", &format!("SAMLResponse={}", "A".repeat(200 * 1024))), 400),
        (Ask::form("/saml", "SAMLResponse=AAAA"), 403),
    ] {
        let got = bench.access(ask).await;
        assert!(got.status == status || (status == 403 && got.status == 400), "{got:?}");
        assert!(got.body.starts_with("<!DOCTYPE html>"));
    }
    let mut encoded = good.clone();
    encoded.0["isBase64Encoded"] = json!(true);
    assert_eq!(bench.access(encoded.clone()).await.status, 400, "the body is not base64");
    let body = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, good.0["body"].as_str().unwrap());
    encoded.0["body"] = json!(body);
    assert_eq!(bench.access(encoded).await.status, 303);
}

#[tokio::test]
async fn relay_state_and_landing_are_names_of_the_list() {
    for relay in ["https://evil.example", "app:JupyterLab:", "Lab", "//evil.example"] {
        let bench = Bench::new(&portal());
        let got = bench.access(bench.post(&bench.says("jane"), Some(relay))).await;
        assert_eq!((got.status, &*got.code()), (400, "landing-unknown"), "{relay}");
        assert!(!got.body.contains("evil"), "nothing that was sent is shown: {}", got.body);
        assert_eq!(bench.cloud.take_calls(), [""; 0]);
    }
    let bench = Bench::new(&here());
    let got = bench.access(Ask::get("/login?landing=elsewhere")).await;
    assert_eq!((got.status, &*got.code()), (400, "landing-unknown"));
    assert_eq!(bench.access(Ask::get("/login?landing=lab&landing=lab")).await.status, 400);
    let got = bench.access(bench.post(&Bench::new(&portal()).says("jane"), Some(""))).await;
    assert_eq!(got.code(), "not-started-here", "an empty one is none");
}

#[tokio::test]
async fn who_is_signed_for_and_not_expected_is_told_why() {
    let bench = Bench::new(&portal());
    let mut stranger = bench.says("jane");
    stranger.attributes[0].1 = vec!["team2".to_owned()];
    let mut several = bench.says("jane");
    several.attributes[0].1 = vec!["team1".to_owned(), "team10".to_owned()];
    let mut role = bench.says("jane");
    role.attributes[1].1 = vec!["admin".to_owned()];
    let mut none = bench.says("jane");
    none.attributes.remove(0);
    for (says, code) in [
        (stranger, "domain-unknown"),
        (several, "claim-several"),
        (role, "role-unknown"),
        (none, "claim-missing"),
        (bench.says("a.b"), "claim-malformed"),
    ] {
        let got = bench.access(bench.post(&says, None)).await;
        assert_eq!((got.status, &*got.code()), (403, code));
        assert!(got.body.contains("request-1"), "the number to tell: {}", got.body);
        assert_eq!(bench.cloud.take_calls(), [""; 0]);
    }
}
