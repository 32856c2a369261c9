//! Service events to the local EventBridge, in SageMaker's shape.
//!
//! An event is written to a file before anything else and removed when the door of the local EventBridge has taken it:
//! at least once, in the order of `emit`, over restarts of either side.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::engine::EngineConfig;
use crate::engine::http::{self, HttpClient};

const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(3);
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// Why an event could not be queued.
#[derive(Debug, thiserror::Error)]
#[error("cannot keep the event in `{folder}`: {source}")]
pub struct EmitError {
    folder: PathBuf,
    source: std::io::Error,
}

/// The queue of events and what delivers it.
#[derive(Debug)]
pub struct Emitter {
    folder: PathBuf,
    url: String,
    region: String,
    account: String,
    queue: Mutex<VecDeque<u64>>,
    next: AtomicU64,
    more: Notify,
    client: HttpClient,
}

impl Emitter {
    /// Opens the queue with what an earlier engine left. Delivers nothing before `deliver` runs.
    ///
    /// # Errors
    /// When the folder cannot be made or read.
    pub fn open(config: &EngineConfig) -> Result<Self, EmitError> {
        let folder = config.events_dir();
        let left = waiting(&folder).map_err(|source| EmitError { folder: folder.clone(), source })?;
        let next = left.back().map_or(1, |last| last + 1);
        Ok(Self {
            folder,
            url: format!("{}/_tidegate/events", config.ministack),
            region: config.region.clone(),
            account: config.account.clone(),
            queue: Mutex::new(left),
            next: AtomicU64::new(next),
            more: Notify::new(),
            client: http::client(),
        })
    }

    /// Queues an event of source `aws.sagemaker` and returns its id. The event is on disk when this returns. Events are
    /// delivered in the order of these calls, so emit under whatever orders your state's changes.
    ///
    /// # Errors
    /// When the event cannot be written.
    pub fn emit(&self, detail_type: &str, resources: &[String], detail: &Value) -> Result<String, EmitError> {
        let id = uuid::Uuid::new_v4().to_string();
        // EventBridge writes whole seconds.
        let time = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let event = json!({
            "version": "0",
            "id": id,
            "detail-type": detail_type,
            "source": "aws.sagemaker",
            "account": self.account,
            "time": time,
            "region": self.region,
            "resources": resources,
            "detail": detail,
        });
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let sequence = self.next.fetch_add(1, Ordering::Relaxed);
        let file = self.file(sequence);
        let temporary = file.with_extension("tmp");
        std::fs::write(&temporary, event.to_string())
            .and_then(|()| std::fs::rename(&temporary, &file))
            .map_err(|source| EmitError { folder: self.folder.clone(), source })?;
        queue.push_back(sequence);
        drop(queue);
        self.more.notify_one();
        Ok(id)
    }

    /// How many events wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Delivers until `stop`. An event that is refused as malformed is put into `refused/` and logged, so that it does
    /// not hold up those behind it; any other failure is tried again for ever.
    pub async fn deliver(&self, stop: CancellationToken) {
        let mut wait = FIRST_WAIT;
        loop {
            let first = self.queue.lock().unwrap_or_else(PoisonError::into_inner).front().copied();
            let Some(sequence) = first else {
                tokio::select! {
                    () = self.more.notified() => continue,
                    () = stop.cancelled() => return,
                }
            };
            let outcome = tokio::select! {
                outcome = self.send(sequence) => outcome,
                () = stop.cancelled() => return,
            };
            match outcome {
                Ok(()) => {
                    self.done(sequence);
                    wait = FIRST_WAIT;
                }
                Err(reason) => {
                    tracing::warn!(sequence, %reason, "event not delivered, trying again");
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        () = stop.cancelled() => return,
                    }
                    wait = (wait * 2).min(LONGEST_WAIT);
                }
            }
        }
    }

    async fn send(&self, sequence: u64) -> Result<(), String> {
        let file = self.file(sequence);
        let body = match tokio::fs::read(&file).await {
            Ok(body) => body,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error.to_string()),
        };
        let request = Request::builder()
            .method(Method::POST)
            .uri(&self.url)
            .header(header::CONTENT_TYPE, "application/json")
            .body(http::body(body))
            .map_err(|error| error.to_string())?;
        let answer = tokio::time::timeout(ANSWER_WITHIN, self.client.request(request)).await;
        let answer = answer.map_err(|_| "no answer in time".to_owned())?.map_err(|error| http::reason(&error))?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => {
                let folder = self.folder.join("refused");
                tracing::error!(sequence, status = %answer.status(), folder = %folder.display(), "event refused, put aside");
                let aside = folder.join(file.file_name().unwrap_or_default());
                std::fs::create_dir_all(&folder)
                    .and_then(|()| std::fs::rename(&file, aside))
                    .map_err(|error| error.to_string())
            }
            status => Err(format!("answered {status}")),
        }
    }

    fn done(&self, sequence: u64) {
        let file = self.file(sequence);
        if let Err(error) = std::fs::remove_file(&file)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            // It will be sent again after a restart, which at-least-once allows.
            tracing::warn!(file = %file.display(), %error, "cannot remove a delivered event");
        }
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    }

    fn file(&self, sequence: u64) -> PathBuf {
        self.folder.join(format!("{sequence:020}.json"))
    }
}

fn waiting(folder: &Path) -> std::io::Result<VecDeque<u64>> {
    std::fs::create_dir_all(folder)?;
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json")
            && let Some(sequence) = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok())
        {
            found.push(sequence);
        }
    }
    found.sort_unstable();
    Ok(found.into())
}

#[cfg(test)]
mod tests;
