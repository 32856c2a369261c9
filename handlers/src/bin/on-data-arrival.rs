//! Lambda: an object was created under `raw/`.

use handlers::runtime::serve;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    serve(async |intake, event| intake.data_arrival(event).await).await
}
