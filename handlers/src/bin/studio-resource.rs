//! Lambda: CloudFormation asks whether a Studio domain may change as it is about to, and for what goes with it.

use std::sync::Arc;

use handlers::aws::Aws;
use handlers::cloudformation::serve;
use handlers::runtime::init_logs;
use handlers::studio::handle;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    init_logs();
    let aws = Arc::new(Aws::from_environment()?);
    serve(|event| handle(Arc::clone(&aws), event)).await
}
