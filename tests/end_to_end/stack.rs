//! The pipeline as a part of the stack, through CloudFormation and the function that answers it.

use anyhow::{Result, ensure};
use serde_json::json;
use tidegate_tests::Cloud;

/// On an empty cloud of its own: the stack brings the pipeline and takes it away, and nothing is left.
pub(crate) fn makes_and_removes_a_pipeline(_: &Cloud) -> Result<()> {
    let cloud = Cloud::up_empty()?;
    let pipelines = ["sagemaker", "list-pipelines", "--query", "PipelineSummaries[].PipelineName"];
    let schedules = ["scheduler", "list-schedules", "--query", "Schedules[].Name"];
    let of_pipelines = ["scheduler", "list-schedules", "--query", "Schedules[?GroupName=='tidegate'].Name"];
    cloud.cdk(&["bootstrap"])?;
    cloud.cdk(&["deploy", "--all", "--require-approval", "never"])?;
    ensure!(cloud.aws(&pipelines)? == json!(["breast-cancer"]), "the stack made the pipeline");
    ensure!(cloud.aws(&of_pipelines)? == json!(["breast-cancer.nightly"]), "and its schedule");
    let again = cloud.cdk(&["deploy", "--all", "--require-approval", "never"]);
    ensure!(again.is_ok(), "a second deployment is well: {again:?}");
    cloud.cdk(&["destroy", "--all", "--force"])?;
    ensure!(cloud.aws(&pipelines)? == json!([]), "the stack took the pipeline away");
    ensure!(cloud.aws(&schedules)? == json!([]), "and its schedule, and that of the sweep");
    Ok(())
}
