//! Lambda: CloudFormation asks whether a Studio domain may change as it is about to.

use handlers::cloudformation::serve;
use handlers::runtime::init_logs;
use handlers::studio::handle;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    init_logs();
    serve(handle).await
}
