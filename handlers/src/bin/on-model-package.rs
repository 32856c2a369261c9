//! Lambda: a model package was approved or refused.

use handlers::runtime::serve;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    serve(async |intake, event| intake.model_package(event).await).await
}
