//! Lambda: an endpoint changed its state.

use handlers::runtime::serve;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    serve(async |intake, event| intake.endpoint_status(event).await).await
}
