//! Training and processing jobs, run as processes under SageMaker's `/opt/ml` contract.
//!
//! A job is a document in the store and, while it runs, a task here. When the engine ends, however it ends, its jobs' processes
//! end with it; the next engine finds the documents and lets those jobs fail.

pub mod archive;
mod check;
mod document;
pub mod process;
mod processing;
mod run;
mod training;
pub mod transfer;

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};
use tokio::sync::{OnceCell, Semaphore, watch};
use tokio_util::sync::CancellationToken;

pub use archive::{pack, unpack};
pub use document::{Job, Kind, Status};
use process::Launcher;

use crate::api::Error;
use crate::engine::Engine;
use crate::store;

/// The environment variable that bounds how many jobs run at once; more wait as `InProgress`, `Starting`.
pub const PARALLEL_JOBS_VARIABLE: &str = "TIDEGATE_PARALLEL_JOBS";
const PARALLEL_JOBS: usize = 2;

/// Why a job failed that was running when the engine ended.
pub const ENGINE_STOPPED: &str = "InternalServerError: the local engine stopped while this job was running";

/// What the jobs of an engine share in memory.
#[derive(Debug)]
struct Shared {
    launcher: OnceCell<Arc<Launcher>>,
    slots: Semaphore,
    running: Mutex<HashMap<String, Running>>,
}

#[derive(Debug, Clone)]
struct Running {
    stop: CancellationToken,
    /// Closed when the job's task has ended.
    done: watch::Receiver<()>,
}

impl Default for Shared {
    fn default() -> Self {
        let slots = std::env::var(PARALLEL_JOBS_VARIABLE).ok().and_then(|text| text.parse().ok());
        Self {
            launcher: OnceCell::new(),
            slots: Semaphore::new(slots.filter(|slots| *slots > 0).unwrap_or(PARALLEL_JOBS).min(1024)),
            running: Mutex::default(),
        }
    }
}

impl Shared {
    fn running(&self, key: &str) -> Option<Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }
}

/// The engine's launcher of processes, for jobs and model servers. The machine is probed at the first call.
///
/// # Errors
/// When the launcher's thread cannot be made.
pub async fn launcher(engine: &Engine) -> io::Result<Arc<Launcher>> {
    let shared = engine.part::<Shared>();
    let launcher = shared.launcher.get_or_try_init(|| async { Launcher::probe(cloud_env(engine)).await.map(Arc::new) });
    launcher.await.cloned()
}

/// What tells the AWS SDKs in a step to stay on this machine.
fn cloud_env(engine: &Engine) -> Vec<(String, String)> {
    let config = &engine.config;
    let own = format!("http://127.0.0.1:{}", config.port);
    [
        ("AWS_ENDPOINT_URL", config.ministack.as_str()),
        ("AWS_ENDPOINT_URL_SAGEMAKER", &own),
        ("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", &own),
        ("AWS_ENDPOINT_URL_SCHEDULER", &own),
        ("AWS_REGION", &config.region),
        ("AWS_DEFAULT_REGION", &config.region),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

/// Makes a job of a checked request and lets it run.
///
/// # Errors
/// `ResourceInUse` when the name is taken, `ValidationException` for what the service model cannot tell.
pub fn create(engine: &Arc<Engine>, kind: Kind, request: Map<String, Value>) -> Result<Job, Error> {
    check::request(kind, &request)?;
    let name = request.get(&format!("{}JobName", kind.name())).and_then(Value::as_str).unwrap_or_default().to_owned();
    let arn = engine.arn(&format!("{}/{}", kind.path(), name.to_lowercase()));
    let job = Job::new(kind, name, arn, request, engine.now());
    if !engine.store.create(&job.key(), &job)? {
        return Err(Error::in_use(format!(
            "Job name must be unique within an AWS account and region, and a {} job with this name already exists ({})",
            kind.name().to_lowercase(),
            job.arn
        )));
    }
    let stop = CancellationToken::new();
    let (done_sender, done) = watch::channel(());
    let shared = engine.part::<Shared>();
    let key = job.key();
    shared
        .running
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(key.clone(), Running { stop: stop.clone(), done });
    let (task_engine, task_job) = (Arc::clone(engine), job.clone());
    engine.tasks.spawn(async move {
        // Dropped at the end, a panic included: whoever waits goes on.
        let _done = done_sender;
        run::run(&task_engine, &task_job, &stop).await;
        shared.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
    });
    Ok(job)
}

/// The job with this name.
///
/// # Errors
/// When the store cannot be read.
pub fn find(engine: &Engine, kind: Kind, name: &str) -> Result<Option<Job>, store::Error> {
    engine.store.get(&kind.key(name))
}

/// All jobs of a kind.
///
/// # Errors
/// When the store cannot be read.
pub fn all(engine: &Engine, kind: Kind) -> Result<Vec<Job>, store::Error> {
    engine.store.list_prefix(&kind.key(""))
}

/// Waits until the job's task has ended, and returns the job. When the engine is shutting down the job may not be final.
///
/// # Errors
/// When the store cannot be read.
pub async fn wait(engine: &Engine, kind: Kind, name: &str) -> Result<Option<Job>, store::Error> {
    if let Some(mut running) = engine.part::<Shared>().running(&kind.key(name)) {
        while running.done.changed().await.is_ok() {}
    }
    find(engine, kind, name)
}

/// Asks a job to stop: SIGTERM, then SIGKILL. Returns the status it was in, `None` when there is no such job.
///
/// # Errors
/// When the store cannot be written.
pub fn stop(engine: &Engine, kind: Kind, name: &str) -> Result<Option<Status>, store::Error> {
    let key = kind.key(name);
    let now = engine.now();
    let before = engine.store.update(&key, |job: &mut Job| {
        let before = job.status;
        if before == Status::InProgress {
            job.status = Status::Stopping;
            job.enter("Stopping", now);
        }
        Ok::<_, store::Error>(before)
    })?;
    if let Some(running) = engine.part::<Shared>().running(&key) {
        running.stop.cancel();
    }
    Ok(before)
}

/// Lets the jobs fail that an earlier engine left running; their processes ended with it.
///
/// # Errors
/// When the store cannot be read or written.
pub fn fail_left_over(engine: &Engine) -> Result<(), store::Error> {
    for job in engine.store.list::<Job>()? {
        if job.status.is_final() {
            continue;
        }
        tracing::warn!(job = job.name, "the engine ended while this job was running");
        let now = engine.now();
        engine.store.update(&job.key(), |job: &mut Job| {
            match job.status {
                Status::Stopping => job.end(Status::Stopped, "Stopped", None, now),
                _ => job.end(Status::Failed, "Failed", Some(ENGINE_STOPPED.to_owned()), now),
            }
            Ok::<_, store::Error>(())
        })?;
    }
    Ok(())
}

/// The folder of a job: `log`, and `opt-ml` until it has ended well.
pub fn folder(engine: &Engine, job: &Job) -> PathBuf {
    engine.job_dir(&job.name)
}
