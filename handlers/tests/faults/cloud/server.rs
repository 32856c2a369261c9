//! The loopback server: one for each run, on the thread of the run.

use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::Cloud;
use super::wire::{Answer, Request};
use crate::fault::Fault;
use crate::time;

/// A cloud that listens.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) cloud: Rc<RefCell<Cloud>>,
    /// The function that calls is to die.
    pub(crate) kill: Rc<Notify>,
    accepts: JoinHandle<()>,
}

/// The connection is to be closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection breaks")]
struct Broken;

impl Server {
    /// Must be called within a local set.
    pub(crate) async fn start(cloud: Cloud) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let cloud = Rc::new(RefCell::new(cloud));
        let kill = Rc::new(Notify::new());
        let (serves, kills) = (cloud.clone(), kill.clone());
        let accepts = tokio::task::spawn_local(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (cloud, kill) = (serves.clone(), kills.clone());
                tokio::task::spawn_local(async move {
                    let service = service_fn(|request| answer(request, &cloud, &kill));
                    // A broken connection ends with an error, as it should.
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { url, cloud, kill, accepts }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepts.abort();
    }
}

async fn answer(
    request: hyper::Request<Incoming>,
    cloud: &RefCell<Cloud>,
    kill: &Notify,
) -> Result<hyper::Response<Full<Bytes>>, Broken> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Broken)?.to_bytes().to_vec();
    let headers = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    let (path, query) = (parts.uri.path(), parts.uri.query().unwrap_or_default());
    let request = Request::new(parts.method.to_string(), path, query, headers.collect(), body);
    let request = match request {
        Ok(request) => request,
        Err(problem) => {
            cloud.borrow_mut().problems.push(problem);
            return Err(Broken);
        }
    };
    let (fault, answer) = cloud.borrow_mut().receive(&request);
    let service = request.service.as_str();
    let answer = match fault {
        None => answer.unwrap(),
        Some(Fault::FailsBefore | Fault::FailsAfter) => Answer::failed(service),
        Some(Fault::Throttles) => Answer::throttled(service),
        Some(Fault::BreaksAfter) => return Err(Broken),
        Some(Fault::HangsBefore | Fault::HangsAfter | Fault::Late) => {
            time::pass_to_first_timeout();
            never().await
        }
        Some(Fault::KilledBefore | Fault::KilledAfter) => {
            kill.notify_one();
            never().await
        }
    };
    let response = hyper::Response::builder().status(answer.status).header("content-type", answer.kind);
    Ok(response.body(Full::new(Bytes::from(answer.body))).unwrap())
}

async fn never() -> Answer {
    let Ok(answer) = std::future::pending::<Result<Answer, Infallible>>().await;
    answer
}
