use std::path::PathBuf;

use crate::faults::Proxies;

/// What the engine is started with.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// The folder of the local cloud's state (`.tidegate`). The engine writes to `engine/` and `inbox/` in it.
    pub home: PathBuf,
    /// Port on 127.0.0.1. 0 takes a free one.
    pub port: u16,
    /// AWS region in ARNs and events.
    pub region: String,
    /// Twelve-digit account in ARNs and events.
    pub account: String,
    /// MiniStack's URL, without a slash at the end.
    pub ministack: String,
    /// The map from container images to Python environments (`local/images.json`).
    pub images: PathBuf,
    /// The folder of the container shims `train.py` and `serve.py`.
    pub containers: PathBuf,
    /// The folder that relative paths in the image map start from, which is the checkout.
    pub root: PathBuf,
    /// The Python environment that holds botocore, whose service model requests are checked against (`.venv/cloud`), or
    /// the model file `service-2.json.gz` itself.
    pub service_models: PathBuf,
    /// The proxies in which requests of functions go wrong, for rehearsal.
    pub faults: Option<Proxies>,
}

impl EngineConfig {
    /// The configuration of a checkout at `root`: everything at its usual place, account 000000000000, region from
    /// `AWS_REGION` or `AWS_DEFAULT_REGION`, else `us-east-1`.
    #[must_use]
    pub fn of_checkout(root: impl Into<PathBuf>, home: impl Into<PathBuf>, port: u16, ministack: &str) -> Self {
        let root = root.into();
        let region = ["AWS_REGION", "AWS_DEFAULT_REGION"]
            .iter()
            .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
        Self {
            home: home.into(),
            port,
            region: region.unwrap_or_else(|| "us-east-1".into()),
            account: "000000000000".into(),
            ministack: ministack.trim_end_matches('/').to_owned(),
            images: root.join("local/images.json"),
            containers: root.join("local/containers"),
            service_models: root.join(".venv/cloud"),
            faults: None,
            root,
        }
    }

    /// `home/engine`.
    #[must_use]
    pub fn engine_dir(&self) -> PathBuf {
        self.home.join("engine")
    }

    /// `home/engine/state`, the documents of the store.
    #[must_use]
    pub fn state_dir(&self) -> PathBuf {
        self.engine_dir().join("state")
    }

    /// `home/engine/events`, events that are not delivered yet.
    #[must_use]
    pub fn events_dir(&self) -> PathBuf {
        self.engine_dir().join("events")
    }
}
