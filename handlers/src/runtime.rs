//! What every function does at its start, once.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;
use tracing_subscriber::EnvFilter;

use crate::aws::Aws;
use crate::intake::{Intake, IntakeError, Scope};
use crate::settings::{Context, Settings};

/// Structured logs on standard output, one JSON object a line; `RUST_LOG` sets the level, `info` by default.
pub fn init_logs() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    // A second call, as tests make it, keeps the first subscriber.
    let _ = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_env_filter(filter)
        .with_target(false)
        .with_current_span(true)
        .with_span_list(false)
        .try_init();
}

/// Serves one kind of event until Lambda ends the process.
///
/// An error is returned to Lambda, which tries the event twice more and then hands it to the function's on-failure
/// destination: nothing that could not be handled is acknowledged.
///
/// # Errors
/// The environment lacks a setting, or the runtime API cannot be reached.
pub async fn serve<H>(handle: H) -> Result<(), Error>
where
    H: for<'a> AsyncFn(Intake<'a>, Value) -> Result<(), IntakeError>,
{
    init_logs();
    let context = Context { aws: Aws::from_environment()?, settings: Settings::from_environment()? };
    let (context, handle) = (&context, &handle);
    run(service_fn(async move |event: LambdaEvent<Value>| -> Result<(), Error> {
        let scope = Scope::of_function(&event.context.invoked_function_arn, context.aws.region());
        match Box::pin(handle(Intake::new(context, scope), event.payload)).await {
            Ok(()) => Ok(()),
            Err(error) => {
                tracing::error!(request_id = event.context.request_id, error = %error, "the event was not handled");
                Err(error.into())
            }
        }
    }))
    .await
}
