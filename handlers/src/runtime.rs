//! What every function does at its start, once.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde::Serialize;
use serde_json::Value;
use tracing_subscriber::EnvFilter;

use crate::aws::Aws;
use crate::intake::{Intake, IntakeError, Scope};
use crate::settings::{Clock, Context, Settings};

/// Structured logs on standard output, one JSON object a line; `RUST_LOG` sets the level, `info` by default.
pub fn init_logs() {
    init_at(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info")));
}

/// The same, at the level `info` whatever `RUST_LOG` says: at finer levels the clients and the runtime tell what they send
/// and get, which for sign-in is secret.
pub fn init_quiet_logs() {
    init_at(EnvFilter::new("info"));
}

fn init_at(filter: EnvFilter) {
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
pub async fn serve<H, T>(handle: H) -> Result<(), Error>
where
    H: for<'a> AsyncFn(Intake<'a>, Value) -> Result<T, IntakeError>,
    T: Serialize + Send + 'static,
{
    serve_context(async |context, scope, event| handle(Intake::new(context, scope), event).await).await
}

/// As [`serve`], for what needs no intake.
///
/// # Errors
/// As there.
pub async fn serve_context<H, T>(handle: H) -> Result<(), Error>
where
    H: for<'a> AsyncFn(&'a Context, Scope, Value) -> Result<T, IntakeError>,
    T: Serialize + Send + 'static,
{
    init_logs();
    let context =
        Context { aws: Aws::from_environment()?, settings: Settings::from_environment()?, clock: Clock::system() };
    let (context, handle) = (&context, &handle);
    run(service_fn(async move |event: LambdaEvent<Value>| -> Result<T, Error> {
        let scope = Scope::of_function(&event.context.invoked_function_arn, context.aws.region());
        match Box::pin(handle(context, scope, event.payload)).await {
            Ok(answer) => Ok(answer),
            Err(error) => {
                tracing::error!(request_id = event.context.request_id, error = %error, "the event was not handled");
                Err(error.into())
            }
        }
    }))
    .await
}
