//! Lambda: CloudFormation asks for the orchestrator's settings or a pipeline.

use std::sync::Arc;

use handlers::aws::Aws;
use handlers::resource::{Context, handle};
use handlers::runtime::init_logs;
use handlers::settings::variable;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_logs();
    let context = Arc::new(Context { aws: Aws::from_environment()?, table: variable("TIDEGATE_TABLE")? });
    run(service_fn(async |event: LambdaEvent<Value>| -> Result<(), Error> {
        let answered = Box::pin(handle(Arc::clone(&context), event)).await;
        answered.inspect_err(|error| tracing::error!(%error, "CloudFormation was not answered")).map_err(Error::from)
    }))
    .await
}
