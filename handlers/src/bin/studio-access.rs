//! Lambda: takes assertions, tickets and tokens, and makes the URLs that open Studio.

use handlers::access::{Function, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    serve(Function::Access).await
}
