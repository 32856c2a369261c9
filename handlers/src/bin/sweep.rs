//! Lambda: once a minute, whatever was left behind.

use handlers::runtime::serve_context;
use handlers::sweep::sweep;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    serve_context(async |context, _scope, _event| sweep(context).await).await
}
