use std::collections::VecDeque;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::post;

use super::*;
use crate::engine::testing::{Folder, folder};

type Script = Arc<Mutex<(VecDeque<StatusCode>, Vec<Value>)>>;

/// A door that answers with the scripted statuses, then with 200, and keeps what it took.
async fn door(statuses: &[StatusCode]) -> (String, Script) {
    async fn take(State(script): State<Script>, body: String) -> StatusCode {
        let mut script = script.lock().unwrap();
        let status = script.0.pop_front().unwrap_or(StatusCode::OK);
        if status.is_success() {
            script.1.push(serde_json::from_str(&body).unwrap());
        }
        status
    }
    let script = Script::new(Mutex::new((statuses.iter().copied().collect(), Vec::new())));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new().route("/_tidegate/events", post(take)).with_state(Arc::clone(&script));
    tokio::spawn(async move { axum::serve(listener, app).await });
    (url, script)
}

fn emitter(folder: &Folder, url: &str) -> Emitter {
    Emitter::open(&EngineConfig::of_checkout(&folder.0, folder.0.join("home"), 0, url)).unwrap()
}

fn emit(emitter: &Emitter, numbers: std::ops::Range<u32>) {
    for number in numbers {
        emitter.emit("Tested", &["arn:x".to_owned()], &json!({"n": number})).unwrap();
    }
}

async fn deliver(emitter: &Emitter) {
    let stop = CancellationToken::new();
    tokio::select! {
        () = emitter.deliver(stop.clone()) => {}
        () = async { while emitter.waiting() > 0 { tokio::time::sleep(Duration::from_millis(5)).await } } => {}
        () = tokio::time::sleep(Duration::from_secs(20)) => panic!("events wait for ever"),
    }
}

fn numbers(script: &Script) -> Vec<u64> {
    script.lock().unwrap().1.iter().map(|event| event["detail"]["n"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn events_keep_their_order_over_failures_and_restarts() {
    let folder = folder();
    // An engine that stops before it could deliver.
    emit(&emitter(&folder, "http://127.0.0.1:1"), 0..3);
    let (url, script) = door(&[StatusCode::SERVICE_UNAVAILABLE, StatusCode::OK, StatusCode::NOT_FOUND]).await;
    let emitter = emitter(&folder, &url);
    assert_eq!(emitter.waiting(), 3);
    emit(&emitter, 3..12);
    deliver(&emitter).await;
    assert_eq!(numbers(&script), (0..12).collect::<Vec<_>>());
    let files = std::fs::read_dir(folder.0.join("home/engine/events")).unwrap().count();
    assert_eq!(files, 0, "what is delivered is removed");
}

#[tokio::test]
async fn a_malformed_event_does_not_hold_up_the_others() {
    let folder = folder();
    let (url, script) = door(&[StatusCode::OK, StatusCode::BAD_REQUEST]).await;
    let emitter = emitter(&folder, &url);
    emit(&emitter, 0..3);
    deliver(&emitter).await;
    assert_eq!(numbers(&script), [0, 2]);
    let aside: Vec<_> = std::fs::read_dir(folder.0.join("home/engine/events/refused")).unwrap().collect();
    assert_eq!(aside.len(), 1);
}

#[tokio::test]
async fn the_envelope_is_eventbridges() {
    let folder = folder();
    let (url, script) = door(&[]).await;
    let emitter = emitter(&folder, &url);
    let id = emitter.emit("Tested", &["arn:x".to_owned()], &json!({"n": 1})).unwrap();
    deliver(&emitter).await;
    let event = script.lock().unwrap().1[0].clone();
    assert_eq!((&event["version"], &event["id"]), (&json!("0"), &json!(id)));
    assert_eq!((&event["source"], &event["account"]), (&json!("aws.sagemaker"), &json!("000000000000")));
    assert_eq!((&event["detail-type"], &event["resources"]), (&json!("Tested"), &json!(["arn:x"])));
    let time = event["time"].as_str().unwrap();
    assert!(time.ends_with('Z') && time.len() == "2026-01-01T00:00:00Z".len(), "{time}");
    assert!(time.parse::<jiff::Timestamp>().is_ok());
}
