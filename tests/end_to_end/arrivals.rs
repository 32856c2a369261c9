//! Events: doubled, out of order, unreadable; and the person in between.

use std::fs;

use anyhow::{Result, ensure};
use tidegate_tests::{Cloud, root};

pub(crate) fn three_times_is_once(cloud: &Cloud) -> Result<()> {
    cloud.python("three_times.py", &[]).map(drop)
}

pub(crate) fn reverse_order(cloud: &Cloud) -> Result<()> {
    cloud.python("reverse_order.py", &[]).map(drop)
}

pub(crate) fn poison(cloud: &Cloud) -> Result<()> {
    cloud.python("poison.py", &[]).map(drop)
}

/// The example with `approval: manual`, applied over itself for the time of this test.
pub(crate) fn approval(cloud: &Cloud) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let example = root().join("pipelines/breast-cancer");
    let yaml = fs::read_to_string(example.join("pipeline.yaml"))?;
    let manual = yaml.replace("approval: automatic", "approval: manual");
    ensure!(manual != yaml, "the example has no `approval: automatic` any more");
    fs::write(folder.path().join("pipeline.yaml"), manual)?;
    fs::create_dir(folder.path().join("src"))?;
    for script in fs::read_dir(example.join("src"))?.flatten().filter(|entry| entry.path().is_file()) {
        fs::copy(script.path(), folder.path().join("src").join(script.file_name()))?;
    }
    let planned = cloud.tidegate(&["plan", &folder.path().to_string_lossy()])?;
    ensure!(planned.contains("deployment.approval: \"automatic\" becomes \"manual\""), "the plan tells it: {planned}");
    cloud.tidegate(&["apply", &folder.path().to_string_lossy()])?;
    let python = root().join(".venv/ml/bin/python");
    let outcome = cloud.python("approval.py", &[&python.to_string_lossy()]);
    cloud.tidegate(&["apply", "pipelines/breast-cancer"])?;
    outcome.map(drop)
}
