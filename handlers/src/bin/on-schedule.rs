//! Lambda: a schedule fired.

use handlers::runtime::serve;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    serve(async |intake, event| intake.schedule(event).await).await
}
