use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::http::{Method, Request};
use http_body_util::BodyExt as _;
use serde::Serialize;
use serde_json::Value;

use super::env::url;
use super::record::{self, Server};
use super::{CloudInfo, Error, process};
use crate::engine::http;

const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// What a server is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It runs and answers.
    Running,
    /// It runs and does not answer.
    Silent,
    /// It was started and has ended by itself.
    Ended,
    /// It was not started, or was stopped.
    Stopped,
}

/// One of the two servers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    /// What it is doing.
    pub state: State,
    /// Its process, while it runs.
    pub pid: Option<i32>,
    /// Its port, once started.
    pub port: Option<u16>,
}

/// The local cloud as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The home folder that was asked about.
    pub home: PathBuf,
    /// MiniStack.
    pub ministack: Part,
    /// The engine.
    pub engine: Part,
    /// Present when both run.
    pub info: Option<CloudInfo>,
}

impl Status {
    /// Whether both servers run and answer.
    #[must_use]
    pub fn is_up(&self) -> bool {
        [&self.ministack, &self.engine].iter().all(|part| part.state == State::Running)
    }
}

pub(super) async fn status(home: &Path) -> Result<Status, Error> {
    let home = home.canonicalize().unwrap_or_else(|_| home.to_owned());
    let Some(found) = record::read(&home)? else {
        let none = Part { state: State::Stopped, pid: None, port: None };
        return Ok(Status { home, ministack: none.clone(), engine: none, info: None });
    };
    let (ministack, engine) = tokio::join!(part(&found.ministack), part(&found.engine));
    let both = ministack.pid.is_some() && engine.pid.is_some();
    let info = both.then(|| CloudInfo::of(&found, home.clone(), false));
    Ok(Status { home, ministack, engine, info })
}

async fn part(server: &Server) -> Part {
    let port = Some(server.port);
    if !process::runs(server.pid, &server.started) {
        return Part { state: State::Ended, pid: None, port };
    }
    let state = if answers(server).await { State::Running } else { State::Silent };
    Part { state, pid: Some(server.pid), port }
}

/// Whether this very process answers on its port: the health answer names its process.
pub(super) async fn answers(server: &Server) -> bool {
    tokio::time::timeout(ANSWER_WITHIN, health(server)).await.unwrap_or(None).is_some()
}

async fn health(server: &Server) -> Option<()> {
    let address = format!("{}/_tidegate/health", url(server.port));
    let request = Request::builder().method(Method::GET).uri(address).body(http::body("")).ok()?;
    let answer = http::client().request(request).await.ok()?;
    if !answer.status().is_success() {
        return None;
    }
    let body = answer.into_body().collect().await.ok()?.to_bytes();
    let value: Value = serde_json::from_slice(&body).ok()?;
    (value.get("pid").and_then(Value::as_i64) == Some(i64::from(server.pid))).then_some(())
}
