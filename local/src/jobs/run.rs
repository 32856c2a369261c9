//! The life of one job: wait for a slot, bring the inputs, run the process, take the outputs.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::process::{self, LaunchSpec, exit_code};
use super::transfer::TransferError;
use super::{Job, Kind, Shared, Status, processing, training};
use crate::engine::Engine;
use crate::store;

/// How a job ended before its time.
#[derive(Debug)]
pub(super) enum End {
    Failed(String),
    Stopped,
    /// The engine is going down; the next one tells the job's end.
    Shutdown,
}

impl From<TransferError> for End {
    fn from(error: TransferError) -> Self {
        End::Failed(error.to_string())
    }
}

impl From<store::Error> for End {
    fn from(error: store::Error) -> Self {
        End::internal(&error)
    }
}

impl End {
    pub(super) fn internal(error: &dyn std::fmt::Display) -> Self {
        End::Failed(format!("InternalServerError: {error}"))
    }

    pub(super) fn client(error: &dyn std::fmt::Display) -> Self {
        End::Failed(format!("ClientError: {error}"))
    }
}

/// What a job's phases work with.
pub(super) struct Work<'a> {
    pub(super) engine: &'a Arc<Engine>,
    pub(super) job: &'a Job,
    /// The folder that is `/opt/ml`.
    pub(super) opt_ml: PathBuf,
    log: PathBuf,
    stop: &'a CancellationToken,
}

/// How the process ended.
enum Exit {
    Itself(ExitStatus),
    Stopped,
    TimedOut,
}

pub(super) async fn run(engine: &Arc<Engine>, job: &Job, stop: &CancellationToken) {
    let folder = super::folder(engine, job);
    let work = Work { engine, job, opt_ml: folder.join("opt-ml"), log: folder.join("log"), stop };
    let result = work.all(&folder).await;
    let now = engine.now();
    let end = |job: &mut Job| match &result {
        Ok(Status::Stopped) => job.end(Status::Stopped, "MaxRuntimeExceeded", None, now),
        Ok(_) => job.end(Status::Completed, "Completed", None, now),
        Err(End::Stopped) => job.end(Status::Stopped, "Stopped", None, now),
        Err(End::Failed(reason)) => job.end(Status::Failed, "Failed", Some(reason.clone()), now),
        Err(End::Shutdown) => {}
    };
    match &result {
        Ok(_) => {
            // What is left is in S3; the log stays.
            if let Err(error) = std::fs::remove_dir_all(&work.opt_ml) {
                tracing::warn!(job = job.name, %error, "cannot remove the job's files");
            }
        }
        Err(End::Failed(reason)) => tracing::warn!(job = job.name, reason, log = %work.log.display(), "job failed"),
        Err(End::Stopped | End::Shutdown) => {}
    }
    if let Err(error) = work.update(end) {
        tracing::error!(job = job.name, %error, "cannot keep how the job ended");
    }
}

impl Work<'_> {
    async fn all(&self, folder: &Path) -> Result<Status, End> {
        let shared = self.engine.part::<Shared>();
        let _slot = self.unless_stopped(shared.slots.acquire()).await?;
        // Left over from a job of this name in a state folder that was thrown away.
        let _ = std::fs::remove_dir_all(folder);
        std::fs::create_dir_all(&self.opt_ml).map_err(|error| End::internal(&error))?;
        let image = match self.job.kind {
            Kind::Training => self.job.text("/AlgorithmSpecification/TrainingImage"),
            Kind::Processing => self.job.text("/AppSpecification/ImageUri"),
        };
        let image = image.ok_or_else(|| End::client(&"the local engine needs a container image to run"))?;
        let python = self.engine.images.python(image);
        let python = python.map_err(|error| End::client(&format_args!("cannot pull the container image: {error}")))?;
        let python = std::path::absolute(python).map_err(|error| End::internal(&error))?;

        self.enter("Downloading")?;
        let spec = self
            .unless_stopped(async {
                match self.job.kind {
                    Kind::Training => training::prepare(self, &python).await,
                    Kind::Processing => processing::prepare(self, &python).await,
                }
            })
            .await??;

        self.enter("Training")?;
        let exit = self.execute(spec).await?;
        match (self.job.kind, &exit) {
            (Kind::Training, _) => training::after(self, &self.log)?,
            (Kind::Processing, _) => processing::after(self)?,
        }
        match exit {
            Exit::Itself(status) if status.success() => {
                self.enter("Uploading")?;
                self.unless_stopped(self.upload()).await??;
                Ok(Status::Completed)
            }
            Exit::Itself(status) => Err(End::Failed(self.failure(exit_code(status)))),
            // A training job keeps what it has learned until it is stopped; a processing job's outputs are not whole.
            Exit::Stopped if self.job.kind == Kind::Training => {
                self.upload().await?;
                Err(End::Stopped)
            }
            Exit::Stopped => Err(End::Stopped),
            Exit::TimedOut => {
                if self.job.kind == Kind::Training {
                    self.upload().await?;
                }
                Ok(Status::Stopped)
            }
        }
    }

    async fn upload(&self) -> Result<(), End> {
        match self.job.kind {
            Kind::Training => training::upload(self).await,
            Kind::Processing => processing::upload(self).await,
        }
    }

    /// Runs the process to its end, to the job's time limit, or until the job is stopped.
    async fn execute(&self, spec: LaunchSpec) -> Result<Exit, End> {
        let launcher = super::launcher(self.engine).await.map_err(|error| End::internal(&error))?;
        let program = spec.program.clone();
        let mut child =
            launcher.spawn(spec).map_err(|error| End::client(&format_args!("cannot start `{program}`: {error}")))?;
        let now = self.engine.now();
        self.update(|job| job.started = Some(now))?;
        tracing::info!(job = self.job.name, log = %self.log.display(), "job started");
        let limit =
            self.job.request.get("StoppingCondition").and_then(|condition| condition.get("MaxRuntimeInSeconds"));
        let limit = Duration::from_secs(limit.and_then(Value::as_u64).unwrap_or(86_400));
        let ended = tokio::select! {
            status = child.wait() => Some(status.map(Exit::Itself)),
            () = tokio::time::sleep(limit) => Some(Ok(Exit::TimedOut)),
            () = self.stop.cancelled() => Some(Ok(Exit::Stopped)),
            () = self.engine.shutdown.cancelled() => None,
        };
        match ended {
            Some(Ok(Exit::Itself(status))) => Ok(Exit::Itself(status)),
            Some(Ok(exit)) => {
                if matches!(exit, Exit::TimedOut) {
                    self.enter("Stopping")?;
                }
                process::stop(&mut child, process::DEFAULT_GRACE).await.map_err(|error| End::internal(&error))?;
                Ok(exit)
            }
            Some(Err(error)) => Err(End::internal(&error)),
            None => {
                // The engine's own end is bounded: be quicker than that.
                let _ = process::stop(&mut child, process::DEFAULT_GRACE / 2).await;
                Err(End::Shutdown)
            }
        }
    }

    /// The failure reason of a process that ended with this code.
    fn failure(&self, code: i32) -> String {
        let said = match self.job.kind {
            Kind::Training => read_start(&self.opt_ml.join("output/failure")),
            Kind::Processing => read_start(&self.opt_ml.join("output/message")),
        };
        let said = said.unwrap_or_else(|| "See job logs for more information".to_owned());
        let code = format!(", exit code: {code}");
        let head = "AlgorithmError: ";
        let room = 1024 - head.len() - code.len();
        format!("{head}{}{code}", said.chars().take(room).collect::<String>())
    }

    pub(super) fn spec(
        &self,
        program: String,
        args: Vec<String>,
        python: &Path,
        env: Vec<(String, String)>,
    ) -> LaunchSpec {
        let mut path = python.parent().unwrap_or(Path::new("/")).as_os_str().to_owned();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        // What the image brings can be changed by what the request sets.
        let mut all = vec![
            ("PATH".to_owned(), path.to_string_lossy().into_owned()),
            ("PYTHONUNBUFFERED".to_owned(), "1".to_owned()),
            ("PYTHONDONTWRITEBYTECODE".to_owned(), "1".to_owned()),
        ];
        if let Some(given) = self.job.request.get("Environment").and_then(Value::as_object) {
            all.extend(given.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())));
        }
        all.extend(env);
        LaunchSpec { program, args, env: all, opt_ml: self.opt_ml.clone(), log: self.log.clone() }
    }

    pub(super) fn update(&self, change: impl FnOnce(&mut Job)) -> Result<(), store::Error> {
        let changed = self.engine.store.update(&self.job.key(), |job: &mut Job| {
            change(job);
            Ok::<_, store::Error>(())
        });
        changed.map(drop)
    }

    fn enter(&self, secondary: &str) -> Result<(), store::Error> {
        let now = self.engine.now();
        self.update(|job| job.enter(secondary, now))
    }

    async fn unless_stopped<T>(&self, phase: impl Future<Output = T>) -> Result<T, End> {
        tokio::select! {
            biased;
            () = self.engine.shutdown.cancelled() => Err(End::Shutdown),
            () = self.stop.cancelled() => Err(End::Stopped),
            result = phase => Ok(result),
        }
    }
}

/// The first 1024 characters of a file, `None` when there are none.
pub(super) fn read_start(file: &Path) -> Option<String> {
    use std::io::Read as _;
    let mut start = Vec::new();
    std::fs::File::open(file).ok()?.take(4 * 1024).read_to_end(&mut start).ok()?;
    let text: String = String::from_utf8_lossy(&start).trim().chars().take(1024).collect();
    (!text.is_empty()).then_some(text)
}
