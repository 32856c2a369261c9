//! Lambda: CloudFormation asks for the orchestrator's settings, a pipeline, or data to begin with.

use std::sync::Arc;

use handlers::aws::Aws;
use handlers::cloudformation::serve;
use handlers::resource::{Context, handle};
use handlers::runtime::init_logs;
use handlers::settings::variable;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    init_logs();
    let context = Arc::new(Context { aws: Aws::from_environment()?, table: variable("TIDEGATE_TABLE")? });
    serve(|event| handle(Arc::clone(&context), event)).await
}
