//! The inbox: notifications that SNS delivers over HTTP, kept as files. It stands in for e-mail, which the local SNS does
//! not send.
//!
//! A notification is one file `home/inbox/<time>-<message id>.json` in the form SNS sent it, once per message id however
//! often it is delivered.

mod message;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::{Method, Request, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use bytes::Bytes;
use serde_json::{Value, json};

pub use message::{Message, read};

use crate::engine::{Engine, http};

const CONFIRM_WITHIN: Duration = Duration::from_secs(10);

/// `POST /inbox`, the endpoint of an SNS HTTP subscription, and `GET /inbox`, all notifications in the order of time.
pub fn router(engine: Arc<Engine>) -> Router {
    routes(engine.config.home.join("inbox"))
}

#[derive(Clone)]
struct Inbox {
    folder: PathBuf,
    /// Two deliveries of one message at the same time must leave one file.
    writing: Arc<Mutex<()>>,
}

fn routes(folder: PathBuf) -> Router {
    let inbox = Inbox { folder, writing: Arc::default() };
    Router::new().route("/inbox", post(receive).get(list)).with_state(inbox)
}

async fn receive(State(inbox): State<Inbox>, body: Bytes) -> Response {
    // SNS sends JSON as text/plain.
    let Ok(value) = serde_json::from_slice::<Value>(&body) else {
        return refuse(StatusCode::BAD_REQUEST, "the body is no JSON; raw message delivery cannot be taken");
    };
    match value.get("Type").and_then(Value::as_str) {
        Some("SubscriptionConfirmation") => confirm(&value).await,
        Some("Notification") => {
            let _guard = inbox.writing.lock().unwrap_or_else(PoisonError::into_inner);
            match message::store(&inbox.folder, &value) {
                Ok(()) => StatusCode::OK.into_response(),
                Err(message::StoreError::Form(what)) => refuse(StatusCode::BAD_REQUEST, &what),
                Err(message::StoreError::Io(error)) => {
                    tracing::error!(%error, folder = %inbox.folder.display(), "cannot keep a notification");
                    refuse(StatusCode::INTERNAL_SERVER_ERROR, "the notification could not be kept")
                }
            }
        }
        Some("UnsubscribeConfirmation") => StatusCode::OK.into_response(),
        _ => refuse(StatusCode::BAD_REQUEST, "`Type` must be SubscriptionConfirmation or Notification"),
    }
}

/// Visits the address that proves that the subscriber wants the topic, if it is on this machine.
async fn confirm(value: &Value) -> Response {
    let address = value.get("SubscribeURL").and_then(Value::as_str).unwrap_or_default();
    let uri = match address.parse::<Uri>() {
        Ok(uri) if is_loopback(&uri) => uri,
        _ => return refuse(StatusCode::BAD_REQUEST, "`SubscribeURL` must be an http address on this machine"),
    };
    let Ok(request) = Request::builder().method(Method::GET).uri(uri).body(http::body("")) else {
        return refuse(StatusCode::BAD_REQUEST, "`SubscribeURL` is no address");
    };
    match tokio::time::timeout(CONFIRM_WITHIN, http::client().request(request)).await {
        Ok(Ok(answer)) if answer.status().is_success() => StatusCode::OK.into_response(),
        Ok(Ok(answer)) => {
            tracing::warn!(status = %answer.status(), "a subscription was not confirmed");
            refuse(StatusCode::BAD_GATEWAY, "the topic did not take the confirmation")
        }
        Ok(Err(error)) => {
            tracing::warn!(error = http::reason(&error), "a subscription was not confirmed");
            refuse(StatusCode::BAD_GATEWAY, "the topic could not be reached")
        }
        Err(_) => refuse(StatusCode::BAD_GATEWAY, "the topic did not answer in time"),
    }
}

fn is_loopback(uri: &Uri) -> bool {
    uri.scheme_str() == Some("http") && matches!(uri.host(), Some("127.0.0.1" | "localhost" | "[::1]"))
}

async fn list(State(inbox): State<Inbox>) -> Response {
    match message::values(&inbox.folder) {
        Ok(values) => Json(values).into_response(),
        Err(error) => {
            tracing::error!(%error, folder = %inbox.folder.display(), "cannot read the inbox");
            refuse(StatusCode::INTERNAL_SERVER_ERROR, "the inbox cannot be read")
        }
    }
}

fn refuse(status: StatusCode, what: &str) -> Response {
    (status, Json(json!({ "error": what }))).into_response()
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;
    use tokio::net::TcpListener;

    use super::*;

    async fn serve(router: Router) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}")
    }

    async fn send(method: Method, url: &str, body: Value) -> (StatusCode, Value) {
        let request = Request::builder().method(method).uri(url).body(http::body(body.to_string())).unwrap();
        let answer = http::client().request(request).await.unwrap();
        let status = answer.status();
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    fn notification(id: &str, time: &str) -> Value {
        json!({"Type": "Notification", "MessageId": id, "TopicArn": "arn:aws:sns:us-east-1:000000000000:t",
            "Subject": "a run failed", "Message": "{\"run\":1}", "Timestamp": time,
            "MessageAttributes": {"kind": {"Type": "String", "Value": "failed"}}})
    }

    #[tokio::test]
    async fn a_notification_is_kept_once() {
        let home = std::env::temp_dir().join(format!("tidegate-inbox-{}", uuid::Uuid::new_v4()));
        let url = format!("{}/inbox", serve(routes(home.join("inbox"))).await);
        assert_eq!(send(Method::GET, &url, Value::Null).await.1, json!([]));
        let (later, first) =
            (notification("b-2", "2026-11-21T08:00:01.000Z"), notification("a-1", "2026-11-21T08:00:00.500Z"));
        for message in [&later, &first, &first] {
            assert_eq!(send(Method::POST, &url, message.clone()).await.0, StatusCode::OK);
        }
        assert_eq!(send(Method::GET, &url, Value::Null).await.1, json!([first, later]));
        assert!(home.join("inbox/20261121T080000.500Z-a-1.json").exists());
        let read = read(&home).unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!((read[0].message_id.as_str(), read[0].message.as_str()), ("a-1", "{\"run\":1}"));
        assert_eq!(read[0].attributes.get("kind").map(String::as_str), Some("failed"));
        for wrong in [
            json!({"Type": "Notification", "MessageId": "../../x", "Timestamp": "2026-11-21T08:00:00Z"}),
            json!({"Type": "Notification", "MessageId": "x", "Timestamp": "yesterday"}),
            json!({"Type": "Other"}),
            json!("text"),
        ] {
            assert_eq!(send(Method::POST, &url, wrong).await.0, StatusCode::BAD_REQUEST);
        }
        std::fs::remove_dir_all(home).unwrap();
    }

    #[tokio::test]
    async fn only_topics_on_this_machine_are_confirmed() {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        let topic = Router::new().fallback(move |uri: Uri| async move { seen.lock().unwrap().push(uri.to_string()) });
        let topic = serve(topic).await;
        let url = format!("{}/inbox", serve(routes(std::env::temp_dir().join("tidegate-inbox-unused"))).await);
        let ask = |address: String| json!({"Type": "SubscriptionConfirmation", "SubscribeURL": address});
        let (status, _) = send(Method::POST, &url, ask(format!("{topic}/?Action=ConfirmSubscription&Token=1"))).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(*asked.lock().unwrap(), ["/?Action=ConfirmSubscription&Token=1"]);
        for elsewhere in ["http://example.com/", "https://127.0.0.1/", "http://127.0.0.1.example.com/", "nonsense", ""]
        {
            assert_eq!(send(Method::POST, &url, ask(elsewhere.into())).await.0, StatusCode::BAD_REQUEST, "{elsewhere}");
        }
        // The port is closed: SNS learns that the confirmation did not succeed.
        assert_eq!(send(Method::POST, &url, ask("http://127.0.0.1:1/".into())).await.0, StatusCode::BAD_GATEWAY);
    }
}
