//! The demo, as a newcomer runs it.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tidegate_tests::Cloud;

/// Runs the demo on the test's own cloud and looks for each piece of evidence that it promises.
pub(crate) fn shows_what_it_promises(cloud: &Cloud) -> Result<()> {
    let shown = cloud.tidegate(&["demo", "--keep"])?;
    for evidence in [
        "1. A file dropped into raw/ becomes a model that answers",
        "2. An execution started by the AWS CLI is adopted",
        "3. Shuffled labels: the gate refuses, the old model answers",
        "4. A broken file: one alert",
        "5. A schedule fires",
        "6. What answers now, and what it was made of",
        "gate passed: binary_classification_metrics.accuracy",
        "gate failed: binary_classification_metrics.accuracy",
        "Step:       preprocess",
        "versionId=",
        "code:",
        "decision:",
    ] {
        ensure!(shown.contains(evidence), "`{evidence}` is not in what the demo showed:\n{shown}");
    }
    Ok(())
}

/// The way into Studio, as a newcomer is shown it: somebody comes in, somebody does not, and nobody twice.
pub(crate) fn shows_a_sign_in(cloud: &Cloud) -> Result<()> {
    let shown = cloud.tidegate(&["demo", "--access"])?;
    for evidence in [
        "3. Ann signs in, and has a profile from then on",
        "churn-team",
        "ann\tInService",
        "4. Bob belongs to another team",
        "You cannot enter here",
        "5. What let Ann in once lets nobody in twice",
        "request-unknown",
    ] {
        ensure!(shown.contains(evidence), "`{evidence}` is not in what the demo showed:\n{shown}");
    }
    ensure!(!shown.contains("token="), "the demo prints what lets people in:\n{shown}");
    Ok(())
}

/// What the demo did is in the ledger, by the public listings.
pub(crate) fn ledger_tells(cloud: &Cloud) -> Result<()> {
    let runs = cloud.tidegate_json(&["runs", "--pipeline", "breast-cancer"])?;
    let runs = runs.as_array().context("a list of runs")?;
    let count = |phase: &str| runs.iter().filter(|run| run["phase"] == phase).count();
    ensure!(count("live") == 1, "one run is live: {runs:?}");
    ensure!(count("rejected") == 1 && count("failed") == 1, "one is rejected, one failed: {runs:?}");
    ensure!(count("superseded") == 2, "two were live before: {runs:?}");
    let kinds: Vec<_> = runs.iter().filter_map(|run| run["trigger"]["kind"].as_str()).collect();
    for kind in ["arrival", "schedule", "manual"] {
        ensure!(kinds.contains(&kind), "a run by {kind}: {kinds:?}");
    }
    let inbox = cloud.tidegate_json(&["local", "inbox"])?;
    let failed = |alert: &&Value| alert.to_string().contains("failed in step preprocess");
    let alerts = inbox.as_array().context("a list of alerts")?;
    ensure!(alerts.iter().filter(failed).count() == 1, "one alert for the broken file: {alerts:?}");

    let lineage = cloud.tidegate(&["lineage", "endpoint:breast-cancer"])?;
    for part in ["model-package/", "model.tar.gz", "code:", "definition:", "versionId=", "decision:", "accuracy="] {
        ensure!(lineage.contains(part), "`{part}` is not in the lineage of the endpoint:\n{lineage}");
    }
    Ok(())
}
