//! What survives when something dies.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tidegate_tests::{Cloud, eventually, root};

/// Drops the real data under a name of its own; returns the run.
fn drop_data(cloud: &Cloud, name: &str) -> Result<String> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join(name);
    let made = Command::new(root().join(".venv/ml/bin/python"))
        .arg(root().join("pipelines/breast-cancer/data.py"))
        .arg("--output")
        .arg(&file)
        .output()?;
    ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let dropped = cloud.tidegate_json(&["drop", &file.to_string_lossy(), "--pipeline", "breast-cancer"])?;
    Ok(dropped["run"].as_str().context("the run's id")?.to_owned())
}

fn run(cloud: &Cloud, id: &str) -> Result<Option<Value>> {
    let runs = cloud.tidegate_json(&["runs", "--pipeline", "breast-cancer"])?;
    Ok(runs.as_array().and_then(|runs| runs.iter().find(|run| run["id"] == id)).cloned())
}

/// The engine dies in a training. The run goes on after its restart, or fails with that reason and an alert.
pub(crate) fn engine_killed(cloud: &Cloud) -> Result<()> {
    let id = drop_data(cloud, "engine-killed.csv")?;
    eventually("the training", Duration::from_secs(60), || {
        let view = cloud.tidegate_json(&["run", &id]);
        let training = view.is_ok_and(|view| view.to_string().contains("step train (Training) Executing"));
        Ok(training.then_some(()))
    })?;
    let status = cloud.tidegate_json(&["local", "status"])?;
    let pid = find_pid(&status, "engine").with_context(|| format!("the engine's pid in {status}"))?;
    ensure!(Command::new("kill").args(["-9", &pid.to_string()]).status()?.success(), "the engine was not killed");
    cloud.start()?;
    let ended = eventually("the run's end", Duration::from_secs(150), || {
        let run = run(cloud, &id)?;
        let ended = |run: &Value| matches!(run["phase"].as_str(), Some("live" | "failed" | "rejected"));
        Ok(run.filter(ended))
    })?;
    if ended["phase"] == "failed" {
        let told = cloud.tidegate_json(&["run", &id])?.to_string();
        ensure!(told.contains("engine stopped"), "the reason is told: {told}");
        let alerted = || Ok(cloud.tidegate_json(&["local", "inbox"])?.to_string().contains(&id).then_some(()));
        eventually("its alert", Duration::from_secs(20), alerted)?;
    }
    Ok(())
}

fn find_pid(status: &Value, name: &str) -> Option<u64> {
    match status {
        Value::Object(members) => {
            let own = members.get(name).and_then(|part| part.get("pid")).and_then(Value::as_u64);
            let named = members.get("name").and_then(Value::as_str) == Some(name);
            own.or_else(|| named.then(|| members.get("pid")?.as_u64()).flatten())
                .or_else(|| members.values().find_map(|member| find_pid(member, name)))
        }
        Value::Array(items) => items.iter().find_map(|item| find_pid(item, name)),
        _ => None,
    }
}

pub(crate) fn function_killed(cloud: &Cloud) -> Result<()> {
    cloud.python("function_killed.py", &[]).map(drop)
}

/// What a person would miss: the ledger, the data, the registry, and the endpoint that answers.
pub(crate) fn state_survives(cloud: &Cloud) -> Result<()> {
    let see = || -> Result<Vec<Value>> {
        Ok(vec![
            cloud.tidegate_json(&["runs", "--pipeline", "breast-cancer", "--limit", "100"])?,
            cloud.aws(&["s3api", "list-object-versions", "--bucket", "tidegate-data-000000000000-us-east-1"])?["Versions"]
                .clone(),
            cloud.aws(&["sagemaker", "list-model-packages", "--model-package-group-name", "breast-cancer"])?,
            cloud.aws(&["sagemaker", "list-pipeline-executions", "--pipeline-name", "breast-cancer"])?,
            cloud.aws(&["scheduler", "list-schedules"])?,
        ])
    };
    let before = see()?;
    ensure!(before.iter().all(|seen| !seen.is_null()), "there is something to keep");
    cloud.down()?;
    ensure!(cloud.aws(&["sts", "get-caller-identity"]).is_err(), "it is down");
    cloud.start()?;
    let after = see()?;
    for (before, after) in before.iter().zip(&after) {
        if before != after {
            bail!("before:\n{before:#}\nafter:\n{after:#}");
        }
    }
    eventually("the endpoint in service again", Duration::from_secs(60), || {
        let endpoint = cloud.aws(&["sagemaker", "describe-endpoint", "--endpoint-name", "breast-cancer"])?;
        Ok((endpoint["EndpointStatus"] == "InService").then_some(()))
    })
}
