//! The context that every operation gets, and the server.

mod config;
pub mod http;
mod images;
pub(crate) mod ministack;
mod s3;
mod server;
#[cfg(test)]
pub(crate) mod testing;

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use config::EngineConfig;
pub use images::{Images, ImagesError};
pub(crate) use server::is_loopback;
pub use server::run;

use crate::Error;
use crate::api::{self, Code, Registry};
use crate::events::Emitter;
use crate::model::ServiceModel;
use crate::store::Store;

/// Everything an operation may need. One per process, shared by `Arc`.
pub struct Engine {
    /// What the engine was started with.
    pub config: EngineConfig,
    /// Resources, kept over a restart.
    pub store: Store,
    /// Service events to the local EventBridge, kept until they are delivered.
    pub events: Emitter,
    /// S3 of the local cloud.
    pub s3: aws_sdk_s3::Client,
    /// Which Python stands in for which container image.
    pub images: Images,
    /// The shapes that requests are checked against.
    pub model: ServiceModel,
    /// The operations, by name.
    pub operations: Registry,
    /// Cancelled when the engine stops; whatever runs in the background listens to it.
    pub shutdown: CancellationToken,
    /// Background tasks, waited for at the end. Spawn long-lived work here.
    pub tasks: TaskTracker,
    parts: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

impl Engine {
    /// Reads the state under the home folder and the service model; starts nothing.
    ///
    /// # Errors
    /// When the home folder, the image map or the service model cannot be read.
    pub fn open(config: EngineConfig) -> Result<Arc<Self>, Error> {
        let store = Store::open(&config.state_dir())?;
        let events = Emitter::open(&config)?;
        let images = Images::read(&config)?;
        let operations = Registry::standard();
        let model = ServiceModel::read(&config.service_models, operations.names())?;
        let s3 = s3::client(&config);
        Ok(Arc::new(Self {
            store,
            events,
            s3,
            images,
            model,
            operations,
            shutdown: CancellationToken::new(),
            tasks: TaskTracker::new(),
            parts: Mutex::new(HashMap::new()),
            config,
        }))
    }

    /// The time now. Every time in a resource or an event comes from here.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    /// The ARN of a SageMaker resource, `arn:aws:sagemaker:<region>:<account>:<path>`.
    #[must_use]
    pub fn arn(&self, path: &str) -> String {
        format!("arn:aws:sagemaker:{}:{}:{path}", self.config.region, self.config.account)
    }

    /// Does one operation of the SageMaker API, checks included, as if it had come over the wire.
    ///
    /// # Errors
    /// What SageMaker would answer.
    pub async fn call(self: &Arc<Self>, operation: &str, request: Value) -> api::Result {
        let Some(handler) = self.operations.get(operation) else {
            let message = if self.model.knows(operation) {
                format!("the local engine does not have the operation {operation}")
            } else {
                format!("there is no operation {operation} in SageMaker")
            };
            return Err(api::Error::new(Code::UnknownOperation, message));
        };
        self.model.check(operation, &request)?;
        handler(Arc::clone(self), request).await
    }

    /// The one value of type `T` that belongs to this engine, made at the first call. A module keeps here what lives in
    /// memory only, such as its running tasks.
    #[must_use]
    pub fn part<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let part = parts.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(T::default()));
        Arc::clone(part).downcast::<T>().unwrap_or_default()
    }

    /// The folder of a job, `home/engine/jobs/<name>`. Not created here.
    #[must_use]
    pub fn job_dir(&self, name: &str) -> PathBuf {
        self.config.engine_dir().join("jobs").join(name)
    }
}
