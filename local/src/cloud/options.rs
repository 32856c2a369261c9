use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

use super::Error;
use crate::faults::Rate;

/// MiniStack's usual port.
pub const MINISTACK_PORT: u16 = 4566;
/// The engine's usual port.
pub const ENGINE_PORT: u16 = 4567;

/// What to start and where.
#[derive(Debug, Clone)]
pub struct Options {
    /// The checkout: `local/ministack/wrapper.py` and `.venv/cloud` are in it.
    pub root: PathBuf,
    /// The folder of all state; made if missing.
    pub home: PathBuf,
    /// MiniStack's port on 127.0.0.1.
    pub ministack_port: u16,
    /// The engine's port on 127.0.0.1.
    pub engine_port: u16,
    /// The region of both.
    pub region: String,
    /// The engine's command. `--home H --port P --ministack URL` is appended.
    pub engine: Vec<OsString>,
    /// A bad day, for rehearsal: requests of functions that go wrong, events that come twice and late.
    pub faults: Option<FaultOptions>,
    /// Further variables for both servers.
    pub env: Vec<(String, String)>,
    /// How long the two servers together may take to answer.
    pub within: Duration,
}

/// How bad a day it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FaultOptions {
    /// The share of events that EventBridge delivers twice, and of those that it delivers late. The share of requests is
    /// set once the cloud is up and deployed ([`crate::faults::set_rate`]).
    pub rate: Rate,
    /// The share of SageMaker's events that are never delivered.
    pub lost: Rate,
    /// Chance begins here.
    pub seed: u64,
}

/// In a rehearsal, a run is asked about after so short a silence that one can wait for it.
const SILENCE_SECONDS: &str = "20";

impl FaultOptions {
    /// What `local/ministack/disorder.py` is told: the functions reach the cloud by these addresses.
    pub(super) fn env(&self, ministack: &str, engine: &str) -> [(String, String); 2] {
        let functions = json!({
            "AWS_ENDPOINT_URL": ministack,
            "AWS_ENDPOINT_URL_SAGEMAKER": engine,
            "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": engine,
            "AWS_ENDPOINT_URL_SCHEDULER": engine,
            "TIDEGATE_SILENCE_SECONDS": SILENCE_SECONDS,
        });
        let events = json!({"seed": self.seed, "twice": self.rate, "late": self.rate, "lost": self.lost});
        [("TIDEGATE_FUNCTIONS_ENV", functions), ("TIDEGATE_EVENTS_DISORDER", events)]
            .map(|(name, value)| (name.to_owned(), value.to_string()))
    }
}

impl Options {
    /// The usual ports, home `<root>/.tidegate` unless `TIDEGATE_HOME` says otherwise, region from `AWS_REGION` or
    /// `AWS_DEFAULT_REGION`, else `us-east-1`, and this very program as the engine (`local engine`).
    ///
    /// # Errors
    /// When the path of the running program cannot be found out.
    pub fn new(root: impl Into<PathBuf>) -> Result<Self, Error> {
        let root = root.into();
        let program = std::env::current_exe().map_err(Error::io("find the path of this program"))?;
        let home = variable("TIDEGATE_HOME").map_or_else(|| root.join(".tidegate"), PathBuf::from);
        let region = variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION"));
        Ok(Self {
            root,
            home,
            ministack_port: MINISTACK_PORT,
            engine_port: ENGINE_PORT,
            region: region.unwrap_or_else(|| "us-east-1".into()),
            engine: vec![program.into(), "local".into(), "engine".into()],
            faults: None,
            env: Vec::new(),
            within: Duration::from_secs(60),
        })
    }

    pub(super) fn python(&self) -> PathBuf {
        self.root.join(".venv/cloud/bin/python")
    }

    pub(super) fn wrapper(&self) -> PathBuf {
        self.root.join(WRAPPER)
    }
}

const WRAPPER: &str = "local/ministack/wrapper.py";

/// The checkout: `TIDEGATE_ROOT`, else the nearest folder at or above `start` that is one, else the one that holds this
/// program.
///
/// # Errors
/// When there is none.
pub fn project_root(start: &Path) -> Result<PathBuf, Error> {
    if let Some(root) = variable("TIDEGATE_ROOT") {
        let root = PathBuf::from(root);
        return if root.join(WRAPPER).is_file() { Ok(root) } else { Err(Error::NoRoot { start: root }) };
    }
    let program = std::env::current_exe().ok();
    let above = |path: &Path| path.ancestors().find(|folder| folder.join(WRAPPER).is_file()).map(Path::to_owned);
    above(start).or_else(|| program.as_deref().and_then(above)).ok_or_else(|| Error::NoRoot { start: start.to_owned() })
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
