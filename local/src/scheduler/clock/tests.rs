//! What an engine does with schedules that were due while none ran. MiniStack is a socket that notes what comes.

use std::path::Path;
use std::sync::Mutex;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::*;
use crate::engine::{EngineConfig, testing};
use crate::scheduler::model::{Settings, key};

/// What came, as (function or queue, body).
type Seen = Arc<Mutex<Vec<(String, Value)>>>;

const ROLE: &str = "arn:aws:iam::000000000000:role/r";

async fn note(State(seen): State<Seen>, uri: axum::http::Uri, headers: HeaderMap, body: String) -> StatusCode {
    let body: Value = serde_json::from_str(&body).unwrap();
    let at = if headers.contains_key("x-amz-target") {
        body["QueueUrl"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()
    } else {
        uri.path().to_owned()
    };
    seen.lock().unwrap().push((at, body));
    StatusCode::ACCEPTED
}

async fn ministack(port: u16) -> (u16, Seen) {
    let seen = Seen::default();
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let router = axum::Router::new().fallback(note).with_state(Arc::clone(&seen));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (port, seen)
}

fn engine(folder: &Path, port: u16) -> Arc<Engine> {
    let config = testing::engine(folder).config.clone();
    Engine::open(EngineConfig { ministack: format!("http://127.0.0.1:{port}"), ..config }).unwrap()
}

/// A schedule as an earlier engine left it, due so many seconds ago.
fn left(engine: &Engine, name: &str, ago: i64, expression: Option<&str>, retry: Value) -> Timestamp {
    let due = (engine.now() - SignedDuration::from_secs(ago)).round(jiff::Unit::Second).unwrap();
    let once = format!("at({})", due.strftime("%Y-%m-%dT%H:%M:%S"));
    let settings: Settings = serde_json::from_value(json!({
        "ScheduleExpression": expression.unwrap_or(&once),
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "ActionAfterCompletion": "DELETE",
        "GroupName": "g",
        "Target": {
            "Arn": "arn:aws:lambda:us-east-1:000000000000:function:f", "RoleArn": ROLE,
            "Input": "{\"due\":\"<aws.scheduler.scheduled-time>\"}", "RetryPolicy": retry,
            "DeadLetterConfig": {"Arn": "arn:aws:sqs:us-east-1:000000000000:dead"},
        },
    }))
    .unwrap();
    let arn = format!("arn:aws:scheduler:us-east-1:000000000000:schedule/g/{name}");
    let (name, group) = (name.to_owned(), "g".to_owned());
    let own = key(&group, &name);
    let schedule =
        Schedule { name, group, arn, settings, created: due, modified: due, anchor: due, next: Some(due), token: None };
    engine.store.put(&own, &schedule).unwrap();
    due
}

/// Runs the clock until `done` holds, and stops it.
async fn run_until(engine: &Arc<Engine>, done: impl Fn() -> bool) {
    let clock = tokio::spawn(run(Arc::clone(engine)));
    let end = engine.now() + SignedDuration::from_secs(20);
    while !done() {
        assert!(engine.now() < end, "it takes too long");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // A second one would be here by now.
    tokio::time::sleep(Duration::from_millis(300)).await;
    engine.shutdown.cancel();
    clock.await.unwrap();
}

fn nothing_left(engine: &Engine) -> bool {
    engine.store.list::<Firing>().unwrap().is_empty() && engine.store.list::<Schedule>().unwrap().is_empty()
}

#[tokio::test]
async fn a_one_time_schedule_that_was_due_meanwhile_is_fired_once_and_deleted() {
    let folder = testing::folder();
    let (port, seen) = ministack(0).await;
    let engine = engine(&folder.0, port);
    let due = left(&engine, "once", 3600, None, json!({}));
    run_until(&engine, || nothing_left(&engine)).await;
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert!(seen[0].0.contains("function%3Af/invocations"), "{seen:?}");
    assert_eq!(seen[0].1, json!({"due": due.to_string()}));
}

#[tokio::test]
async fn one_that_is_too_old_goes_to_the_dead_letter_queue() {
    let folder = testing::folder();
    let (port, seen) = ministack(0).await;
    let engine = engine(&folder.0, port);
    let due = left(&engine, "once", 61, None, json!({"MaximumEventAgeInSeconds": 60}));
    run_until(&engine, || nothing_left(&engine)).await;
    let seen = seen.lock().unwrap();
    let [(queue, message)] = seen.as_slice() else { panic!("{seen:?}") };
    assert_eq!(queue, "dead");
    let attribute = |name: &str| message["MessageAttributes"][name]["StringValue"].as_str().unwrap().to_owned();
    assert_eq!(attribute("EXHAUSTED_RETRY_CONDITION"), "MaximumEventAgeInSeconds");
    assert_eq!(attribute("SCHEDULED_TIME"), due.to_string());
    assert!(attribute("SCHEDULE_ARN").ends_with("/g/once"));
    assert_eq!(message["MessageBody"], json!({"due": due.to_string()}).to_string());
}

#[tokio::test]
async fn a_rate_is_made_up_for_once_with_its_latest_time() {
    let folder = testing::folder();
    let (port, seen) = ministack(0).await;
    let engine = engine(&folder.0, port);
    let due = left(&engine, "sweep", 630, Some("rate(1 minutes)"), json!({"MaximumEventAgeInSeconds": 60}));
    // The engine was stopped while it could not hand over this one.
    let firing = Firing {
        key: "g/sweep/0".into(),
        schedule: "g/sweep".into(),
        schedule_arn: "arn".into(),
        due: due - SignedDuration::from_secs(60),
        target: engine.store.get::<Schedule>("g/sweep").unwrap().unwrap().settings.target,
        attempts: 0,
    };
    engine.store.put(&firing.key, &firing).unwrap();
    run_until(&engine, || !seen.lock().unwrap().is_empty() && engine.store.list::<Firing>().unwrap().is_empty()).await;
    let latest = due + SignedDuration::from_secs(600);
    assert_eq!(
        seen.lock().unwrap().iter().map(|(_, body)| body.clone()).collect::<Vec<_>>(),
        [json!({"due": latest.to_string()})]
    );
    let next = engine.store.get::<Schedule>("g/sweep").unwrap().unwrap().next;
    assert_eq!(next, Some(latest + SignedDuration::from_secs(60)));
}

#[tokio::test]
async fn a_target_that_is_not_there_yet_is_waited_for_without_an_attempt() {
    let folder = testing::folder();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let engine = engine(&folder.0, port);
    left(&engine, "once", 1, None, json!({"MaximumRetryAttempts": 0}));
    let late = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        ministack(port).await.1
    });
    run_until(&engine, || nothing_left(&engine)).await;
    let seen = late.await.unwrap();
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert!(seen[0].0.contains("function%3Af"), "{seen:?}");
}

#[tokio::test]
async fn what_a_killed_engine_had_fired_and_not_deleted_is_deleted_and_not_fired() {
    let folder = testing::folder();
    let (port, seen) = ministack(0).await;
    let engine = engine(&folder.0, port);
    left(&engine, "once", 5, None, json!({}));
    let forget = |schedule: &mut Schedule| {
        schedule.next = None;
        Ok::<_, Error>(())
    };
    engine.store.update("g/once", forget).unwrap();
    run_until(&engine, || nothing_left(&engine)).await;
    assert!(seen.lock().unwrap().is_empty());
}
