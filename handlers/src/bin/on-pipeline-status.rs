//! Lambda: a pipeline execution, or a step of one, changed its status.

use handlers::runtime::serve;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    serve(async |intake, event| intake.pipeline_status(event).await).await
}
