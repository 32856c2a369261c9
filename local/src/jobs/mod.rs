//! Training and processing jobs, run as processes under SageMaker's `/opt/ml` contract.

pub mod process;

use std::io;
use std::sync::Arc;

use process::Launcher;
use tokio::sync::OnceCell;

use crate::engine::Engine;

/// The environment variable that bounds how many jobs run at once; more wait as `InProgress`, `Starting`.
pub const PARALLEL_JOBS_VARIABLE: &str = "TIDEGATE_PARALLEL_JOBS";

/// What the jobs of an engine share in memory.
#[derive(Debug, Default)]
struct Shared {
    launcher: OnceCell<Arc<Launcher>>,
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
