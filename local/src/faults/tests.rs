#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::http::{Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::proxy::Proxy;
use super::*;
use crate::engine::http;

/// A service that counts what it is asked, behind a proxy with faults at this rate.
struct Rehearsal {
    faults: Arc<Faults>,
    effects: Arc<AtomicUsize>,
    url: String,
    _stop: tokio_util::sync::DropGuard,
}

impl Rehearsal {
    async fn at(rate: f64) -> Self {
        let effects = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&effects);
        let service = Router::new().fallback(move |request: axum::extract::Request| async move {
            counted.fetch_add(1, Ordering::SeqCst);
            let told = format!("{} {}", request.method(), request.uri());
            let body = request.into_body().collect().await.unwrap().to_bytes();
            ([("x-told", told)], body)
        });
        let behind = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let upstream = format!("http://{}", behind.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(behind, service).await });
        let faults = Faults::new(7);
        faults.state().plan.rate = Rate::new(rate).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let proxy = Proxy { faults: Arc::clone(&faults), upstream, client: http::client() };
        tokio::spawn(proxy.serve(listener, stop.clone()));
        Self { faults, effects, url, _stop: stop.drop_guard() }
    }

    /// The status, `None` without an answer, within a second.
    async fn ask(&self, method: Method, headers: &[(&str, &str)]) -> Option<(StatusCode, String, String)> {
        let mut request = Request::builder().method(method).uri(format!("{}/a%20b?versionId=1", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        // A client of its own for each request: a pooled connection that was dropped would be tried again by itself.
        let answer = http::client().request(request.body(http::body("asked")).unwrap());
        let answer = tokio::time::timeout(std::time::Duration::from_secs(4), answer).await.ok()?.ok()?;
        let told = answer.headers().get("x-told").map(|told| told.to_str().unwrap().to_owned()).unwrap_or_default();
        let status = answer.status();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        Some((status, told, String::from_utf8(body.to_vec()).unwrap()))
    }
}

#[tokio::test]
async fn without_a_rate_everything_passes_as_it_was() {
    let rehearsal = Rehearsal::at(0.0).await;
    let answer = rehearsal.ask(Method::PUT, &[]).await.unwrap();
    assert_eq!(answer, (StatusCode::OK, "PUT /a%20b?versionId=1".to_owned(), "asked".to_owned()));
    let told = rehearsal.faults.state().counts.json(Rate::NONE, 7);
    assert_eq!((&told["requests"], &told["faulted"]), (&1.into(), &0.into()));
}

#[tokio::test]
async fn web_pages_are_turned_away() {
    let rehearsal = Rehearsal::at(0.0).await;
    for header in [("origin", "http://evil.example"), ("host", "evil.example")] {
        assert_eq!(rehearsal.ask(Method::GET, &[header]).await.unwrap().0, StatusCode::FORBIDDEN, "{header:?}");
    }
    assert_eq!(rehearsal.effects.load(Ordering::SeqCst), 0);
}

/// Whether there was an effect is what tells the kinds apart: a fault that lost it would prove nothing.
#[tokio::test]
async fn each_fault_has_its_effect_or_none_and_its_answer_or_none() {
    let rehearsal = Rehearsal::at(1.0).await;
    let credential = "AWS4-HMAC-SHA256 Credential=k/20260102/us-east-1/s3/aws4_request";
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..120 {
        let count = |rehearsal: &Rehearsal| rehearsal.faults.state().counts.json(Rate::NONE, 7)["faults"].clone();
        let (before, effects) = (count(&rehearsal), rehearsal.effects.load(Ordering::SeqCst));
        let answer = rehearsal.ask(Method::PUT, &[("authorization", credential)]).await;
        let after = count(&rehearsal);
        let fault = Fault::ALL.into_iter().find(|fault| before[fault.name()] != after[fault.name()]).unwrap();
        let effect = rehearsal.effects.load(Ordering::SeqCst) - effects;
        assert_eq!(effect, usize::from(fault.has_effect()), "{fault:?}");
        match (fault, answer) {
            (Fault::DroppedBefore | Fault::DroppedAfter | Fault::Late, None) => {}
            (Fault::ErrorBefore | Fault::ErrorAfter, Some((status, _, body))) => {
                assert_eq!((status.as_u16(), body.contains("InternalError")), (500, true), "{body}");
            }
            (Fault::Throttled, Some((status, _, body))) => {
                assert_eq!((status.as_u16(), body.contains("SlowDown")), (503, true), "{body}");
            }
            (Fault::Delayed, Some((status, _, body))) => assert_eq!((status.as_u16(), &*body), (200, "asked")),
            (fault, answer) => panic!("{fault:?}: {answer:?}"),
        }
        seen.insert(fault);
        if seen.len() == Fault::ALL.len() {
            return;
        }
    }
    panic!("only {seen:?} came");
}
