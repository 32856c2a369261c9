//! `POST /saml`, verified by AWS.

use access::saml::Form;
use idp::{Response, Signed};

use super::bench::{Ask, Bench, IDENTITY, IDP, ROLE, by_aws};
use super::cloud::{Fault, SESSION_KEY};

const AWS: &str = "https://signin.aws.amazon.com/saml";
const ROLES: &str = "https://aws.amazon.com/SAML/Attributes/Role";
const PROVIDER: &str = "arn:aws:iam::123456789012:saml-provider/idp";

pub(super) fn says(bench: &Bench) -> Response {
    let mut says = Response::new(IDP, AWS, AWS, "jane", bench.now());
    says.assertion_id = format!("_for-aws-{}", bench.now().as_second());
    says.attribute(ROLES, &[&format!("{ROLE}/studio,{PROVIDER}"), &format!("{ROLE}/elsewhere,{PROVIDER}")])
        .attribute("https://aws.amazon.com/SAML/Attributes/RoleSessionName", &["jane"])
}

#[tokio::test]
async fn c7_everything_is_done_with_the_session_that_sts_gives() {
    let bench = Bench::new(&by_aws());
    let ask = bench.post(&says(&bench), Some("lab"));
    let got = bench.access(ask.clone()).await;
    assert_eq!(got.status, 303, "{got:?}");
    let state = bench.cloud.state();
    let body = ask.0["body"].as_str().unwrap();
    let assume = &state.calls[0];
    assert_eq!(assume.name, "sts.AssumeRoleWithSAML");
    assert_eq!(assume.key, "", "nobody signs it: the assertion is the credential");
    let asked: Vec<(String, String)> = form_urlencoded::parse(assume.body.as_bytes()).into_owned().collect();
    let asked = |name: &str| asked.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value).to_owned();
    assert_eq!(asked("RoleArn"), format!("{ROLE}/studio"));
    assert_eq!(asked("PrincipalArn"), PROVIDER);
    assert_eq!(asked("DurationSeconds"), "900");
    assert_eq!(asked("SAMLAssertion"), Form::parse(body.as_bytes()).unwrap().raw());
    for call in &state.calls[1..] {
        let key = if call.name.starts_with("sagemaker.") { SESSION_KEY } else { "AKIAFUNCTION" };
        assert_eq!(call.key, key, "{}", call.name);
    }
    assert_eq!(state.calls[1].name, "dynamodb.PutItem", "the record of use comes before anything is made");
    assert_eq!(state.profiles["jane"].tags["studiouserid"], "jane");
}

#[tokio::test]
async fn c7_the_person_is_who_aws_says() {
    let bench = Bench::new(&by_aws());
    bench.cloud.state().session = Some(("john".to_owned(), IDP.to_owned()));
    assert_eq!(bench.access(bench.post(&says(&bench), None)).await.status, 303);
    assert_eq!(bench.cloud.state().profiles.keys().collect::<Vec<_>>(), ["john"]);
    bench.wait(1);
    bench.cloud.state().session = Some(("jane".to_owned(), "https://idp.example.org".to_owned()));
    let got = bench.access(bench.post(&says(&bench), None)).await;
    assert_eq!((got.status, &*got.code()), (403, "aws-refused-assertion"), "another issuer");
}

#[tokio::test]
async fn c7_what_aws_refuses_opens_and_records_nothing() {
    let bench = Bench::new(&by_aws());
    bench.cloud.state().session = None;
    let got = bench.access(bench.post(&says(&bench), None)).await;
    assert_eq!((got.status, &*got.code()), (403, "aws-refused-assertion"));
    assert_eq!(bench.cloud.take_calls(), ["sts.AssumeRoleWithSAML"]);
    assert!(bench.cloud.state().items.is_empty());
    for (fault, status) in [(Fault::Broken, 503), (Fault::Lost, 503)] {
        bench.cloud.state().faults = [(0, fault)].into();
        bench.cloud.take_calls();
        let got = bench.access(bench.post(&says(&bench), None)).await;
        assert_eq!(got.status, status, "{fault:?}");
        assert!(bench.cloud.state().items.is_empty());
    }
}

#[tokio::test]
async fn c7_what_does_not_even_look_right_is_not_shown_to_aws() {
    let bench = Bench::new(&by_aws());
    let mut answer = says(&bench);
    answer.in_response_to = Some("_x".to_owned());
    let mut recipient = says(&bench);
    recipient.recipient = "https://evil.example".to_owned();
    let mut roles = says(&bench);
    roles.attributes[0].1 = vec![format!("{ROLE}/elsewhere,{PROVIDER}")];
    let mut late = says(&bench);
    late.not_on_or_after = bench.now();
    for (says, what) in [(answer, "a request"), (recipient, "recipient"), (roles, "roles"), (late, "too late")] {
        let got = bench.access(bench.post(&says, None)).await;
        assert_eq!(got.status, 403, "{what}: {got:?}");
        assert_eq!(bench.cloud.take_calls(), [""; 0], "{what}");
    }
    let relay = bench.access(bench.post(&says(&bench), Some("https://evil.example"))).await;
    assert_eq!(relay.status, 400);
    assert_eq!(bench.cloud.take_calls(), [""; 0]);
    // AWS takes a signature of the Response alone, too.
    let outer = idp::form_body(&says(&bench).signed(&IDENTITY, Signed::Both).unwrap(), None);
    assert_eq!(bench.access(Ask::form("/saml", &outer)).await.status, 303);
}

#[tokio::test]
async fn c7_an_assertion_is_used_once() {
    let bench = Bench::new(&by_aws());
    let ask = bench.post(&says(&bench), None);
    let tasks: Vec<_> = (0..6)
        .map(|_| {
            let (bench, ask) = (bench.clone(), ask.clone());
            tokio::spawn(async move { bench.access(ask).await.status })
        })
        .collect();
    let mut entered = 0;
    for task in tasks {
        entered += i32::from(task.await.unwrap() == 303);
    }
    assert_eq!(entered, 1);
    let got = bench.access(ask).await;
    assert_eq!((got.status, &*got.code()), (403, "assertion-replayed"));
    // The record cannot be kept: nothing is made.
    bench.wait(1);
    bench.cloud.take_calls();
    bench.cloud.state().faults = [(1, Fault::Broken)].into();
    let got = bench.access(bench.post(&says(&bench), None)).await;
    assert_eq!(got.status, 503);
    assert_eq!(bench.cloud.take_calls(), ["sts.AssumeRoleWithSAML", "dynamodb.PutItem"]);
}

#[tokio::test]
async fn c7_a_profile_that_takes_its_time_gives_no_ticket() {
    let bench = Bench::new(&by_aws());
    bench.cloud.state().looks = 1000;
    let got = bench.access(bench.post(&says(&bench), None)).await;
    assert_eq!((got.status, &*got.code()), (503, "profile-not-ready"));
    assert_eq!(got.header("retry-after"), "5");
    assert!(!got.headers.contains_key("set-cookie"), "a ticket would have to hold the session");
    assert_eq!(bench.access(Ask::get("/login")).await.status, 404);
}
