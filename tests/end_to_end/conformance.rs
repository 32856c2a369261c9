//! The engine, as clients that know nothing of it see it.

use anyhow::{Result, ensure};
use tidegate_tests::Cloud;

/// boto3, given endpoint variables and nothing else.
pub(crate) fn boto3(cloud: &Cloud) -> Result<()> {
    let told = cloud.python("conformance.py", &[])?;
    ensure!(told.contains("checks passed"), "{told}");
    Ok(())
}
