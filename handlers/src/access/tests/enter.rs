//! Tickets, waiting, and `GET /enter`.

use super::bench::{Ask, Bench, Got, here, portal};
use super::cloud::Fault;

const TICKET: &str = "__Host-tidegate-ticket";

fn enter(got: &Got) -> Ask {
    Ask::get("/enter").cookie(TICKET, &got.cookie(TICKET).0)
}

/// A first sign-in whose profile takes its time.
async fn waiting(bench: &Bench) -> Got {
    bench.cloud.state().looks = 1000;
    let got = bench.enter_by_saml("jane").await;
    assert_eq!(got.status, 200, "{got:?}");
    got
}

fn ready(bench: &Bench) {
    bench.cloud.state().profiles.get_mut("jane").unwrap().looks = 0;
}

#[tokio::test]
async fn c5_a_profile_that_takes_its_time_is_waited_for() {
    let bench = Bench::new(&here());
    let got = waiting(&bench).await;
    let (_, attributes) = got.cookie(TICKET);
    assert_eq!(attributes, "HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=120");
    let refresh =
        "http-equiv=\"refresh\" content=\"3; url=https://abc.execute-api.eu-west-1.amazonaws.com/access/enter\"";
    assert!(got.body.contains(refresh), "{}", got.body);
    // Still not: a fresh ticket.
    let still = bench.access(enter(&got)).await;
    assert_eq!(still.status, 200);
    assert_ne!(still.cookie(TICKET).0, got.cookie(TICKET).0);
    ready(&bench);
    let got = bench.access(enter(&still)).await;
    assert_eq!(got.status, 303, "{got:?}");
    assert!(!got.sets(TICKET), "the ticket is taken away: {got:?}");
    assert_eq!(bench.cloud.state().profiles.len(), 1);
}

#[tokio::test]
async fn a_ticket_is_good_once_in_one_browser_and_for_two_minutes() {
    let bench = Bench::new(&here());
    let got = waiting(&bench).await;
    ready(&bench);
    let denied = async |ask: Ask| {
        let got = bench.access(ask).await;
        assert_eq!((got.status, &*got.code()), (403, "ticket-unknown"), "{got:?}");
    };
    denied(Ask::get("/enter")).await;
    denied(Ask::get("/enter").cookie(TICKET, "AAAA")).await;
    denied(Ask::get("/enter").cookie("tidegate-ticket", &got.cookie(TICKET).0)).await;
    // What the table knows of it is not the ticket.
    let key = bench.cloud.state().items.keys().find(|key| key.starts_with("ticket#")).unwrap().clone();
    denied(Ask::get("/enter").cookie(TICKET, key.trim_start_matches("ticket#"))).await;
    assert!(!format!("{:?}", bench.cloud.state().items).contains(&got.cookie(TICKET).0));

    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let (bench, ask) = (bench.clone(), enter(&got));
            tokio::spawn(async move { bench.access(ask).await.status })
        })
        .collect();
    let mut entered = 0;
    for task in tasks {
        entered += i32::from(task.await.unwrap() == 303);
    }
    assert_eq!(entered, 1);
    denied(enter(&got)).await;

    for (seconds, status) in [(119, 303), (120, 403)] {
        let bench = Bench::new(&here());
        let got = waiting(&bench).await;
        ready(&bench);
        bench.wait(seconds);
        // DynamoDB has not deleted it yet.
        assert!(bench.cloud.state().items.keys().any(|key| key.starts_with("ticket#")));
        assert_eq!(bench.access(enter(&got)).await.status, status, "after {seconds} s");
    }
}

#[tokio::test]
async fn waiting_has_an_end() {
    let bench = Bench::new(&here());
    let mut got = waiting(&bench).await;
    for _ in 0..3 {
        bench.wait(99);
        got = bench.access(enter(&got)).await;
        assert_eq!(got.status, 200, "{got:?}");
    }
    bench.wait(3);
    let got = bench.access(enter(&got)).await;
    assert_eq!((got.status, &*got.code()), (500, "profile-slow"));
    assert!(!got.sets(TICKET));
}

#[tokio::test]
async fn when_sagemaker_is_busy_the_person_need_not_sign_in_again() {
    // After the request and the assertion: listing, describing, tags and URL of a profile that is there.
    for call in 2..7 {
        for (fault, status, code) in [
            (Fault::Throttled, 429, "throttled"),
            (Fault::Broken, 503, "unavailable"),
            (Fault::Lost, 503, "unavailable"),
        ] {
            let bench = Bench::new(&here());
            assert_eq!(bench.enter_by_saml("jane").await.status, 303);
            let bench = bench.again(&here());
            let login = bench.access(Ask::get("/login")).await;
            bench.wait(1);
            let ask = bench.answer_to(&login, "jane");
            bench.cloud.take_calls();
            bench.cloud.state().faults.insert(call, fault);
            let got = bench.access(ask).await;
            assert_eq!((got.status, &*got.code()), (status, code), "{call} {fault:?} {:?}", bench.cloud.take_calls());
            assert_eq!(got.header("retry-after"), "5");
            assert!(got.body.contains("content=\"5; url="), "{}", got.body);
            bench.cloud.state().faults.clear();
            let got = bench.access(enter(&got)).await;
            assert_eq!(got.status, 303, "{call} {fault:?}: {got:?}");
        }
    }
}

#[tokio::test]
async fn a_ticket_that_cannot_be_kept_is_not_given() {
    let bench = Bench::new(&portal());
    // A domain that cannot be listed asks for a ticket; the ticket cannot be written either.
    bench.cloud.state().faults = [(1, Fault::Throttled), (2, Fault::Broken)].into();
    let got = bench.access(bench.post(&bench.says("jane"), None)).await;
    assert_eq!(bench.cloud.take_calls(), ["dynamodb.PutItem", "sagemaker.ListDomains", "dynamodb.PutItem"]);
    assert_eq!((got.status, &*got.code()), (503, "unavailable"));
    assert!(!got.sets(TICKET));
}

#[tokio::test]
async fn a_person_whose_role_is_gone_since_does_not_enter() {
    let bench = Bench::new(&here());
    let got = waiting(&bench).await;
    ready(&bench);
    let mut changed = here();
    changed["domains"][0]["executionRoles"].as_object_mut().unwrap().remove("analyst");
    let got = bench.again(&changed).access(enter(&got)).await;
    assert_eq!((got.status, &*got.code()), (403, "role-unknown"));
}
