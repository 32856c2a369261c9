//! Lambda: goes to Cognito's pages and back, with a ticket for `studio-access`.

use handlers::access::{Function, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    serve(Function::SignIn).await
}
