//! The SageMaker API: AWS JSON 1.1 over HTTP.

pub mod endpoint_configs;
pub mod endpoints;
mod error;
mod executions;
mod jobs;
pub(crate) mod listing;
pub mod model_packages;
pub mod models;
mod operation;
mod page;
pub mod pipelines;
pub(crate) mod security;
pub(crate) mod studio;
pub(crate) mod tags;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use serde::Serialize;
use serde_json::Value;

pub use error::{Code, Error};
pub use operation::{Handler, Operation, Registry};
pub(crate) use operation::{operations, read};
pub use page::{Page, page};

use crate::engine::Engine;

/// What an operation answers.
pub type Result<T = Value> = std::result::Result<T, Error>;

/// A time as AWS JSON 1.1 writes it: seconds since 1970 with a fraction, to the millisecond.
#[must_use]
pub fn epoch(time: jiff::Timestamp) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit a double until the year 280000")]
    let seconds = time.as_millisecond() as f64 / 1000.0;
    Value::from(seconds)
}

/// Sets a member of an answer, when there is something to set: AWS leaves empty members out.
pub fn put(answer: &mut Value, name: &str, value: Option<impl Serialize>) {
    if let (Value::Object(members), Some(value)) = (answer, value)
        && let Ok(value) = serde_json::to_value(value)
    {
        members.insert(name.to_owned(), value);
    }
}

/// The name in a name or an ARN: what follows the first `/` of an ARN's resource.
pub(crate) fn last_part(name_or_arn: &str) -> &str {
    match name_or_arn.strip_prefix("arn:") {
        Some(arn) => arn.split_once('/').map_or(arn, |(_, name)| name),
        None => name_or_arn,
    }
}

/// Whether the resource of an ARN exists, for kinds that this module keeps. Others are taken on trust.
fn exists(engine: &Engine, arn: &str) -> Result<()> {
    let kind = arn.split(':').nth(5).and_then(|resource| resource.split('/').next()).unwrap_or_default();
    let key = last_part(arn).to_lowercase();
    let there = match kind {
        "pipeline" if !key.contains('/') => engine.store.get::<pipelines::Pipeline>(&key)?.is_some(),
        "model" => engine.store.get::<models::Model>(&key)?.is_some(),
        "endpoint-config" => engine.store.get::<endpoint_configs::EndpointConfig>(&key)?.is_some(),
        "endpoint" => engine.store.get::<endpoints::Endpoint>(&key)?.is_some(),
        "model-package-group" => engine.store.get::<model_packages::Group>(&key)?.is_some(),
        "model-package" => model_packages::find(engine, arn).is_ok(),
        "domain" | "user-profile" | "space" | "app" | "studio-lifecycle-config" => {
            let path = arn.split_once(&format!(":{kind}/")).map_or("", |(_, path)| path);
            studio::exists(engine, kind, path)?.unwrap_or(true)
        }
        _ => true,
    };
    if there { Ok(()) } else { Err(Error::not_found(format!("Could not find the resource \"{arn}\"."))) }
}

/// What an operation answers when S3 does not give it a file: a missing one is the caller's fault, an S3 that does not
/// answer is not.
fn s3_refusal<E, R>(what: &str, uri: &str, error: SdkError<E, R>) -> Error
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    match &error {
        SdkError::ServiceError(refused) => {
            let code = refused.err().code().unwrap_or("no code");
            Error::validation(format!(
                "Could not access {what} at {uri}. Please ensure that the object exists and that the role may read it. \
                 S3 answered {code}."
            ))
        }
        _ => Error::internal(format!("cannot ask S3 for {uri}: {}", crate::engine::http::reason(&error))),
    }
}
