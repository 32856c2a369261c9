//! Configuration, and where the servers listen.

use std::fs;

use anyhow::{Context, Result, ensure};
use tidegate_tests::{Cloud, root};

/// Linux lists its listening sockets in `/proc/net`; both of ours must be there, on 127.0.0.1 only.
pub(crate) fn nothing_listens_beyond_loopback(cloud: &Cloud) -> Result<()> {
    let mut found = 0;
    for (table, loopback) in [("/proc/net/tcp", "0100007F"), ("/proc/net/tcp6", "00000000000000000000000001000000")] {
        let Ok(text) = fs::read_to_string(table) else { continue };
        for line in text.lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            // State 0A is LISTEN.
            let [_, local, _, "0A", ..] = fields.as_slice() else { continue };
            let (address, port) = local.split_once(':').context("address:port")?;
            let port = u16::from_str_radix(port, 16)?;
            if cloud.ports().contains(&port) || is_ours(fields.get(9).copied().unwrap_or_default(), cloud)? {
                ensure!(address == loopback, "port {port} listens at {address} in {table}");
                found += 1;
            }
        }
    }
    // The two servers and the process of the live endpoint.
    ensure!(found >= 3, "{found} listening sockets were found");
    Ok(())
}

/// Whether a process whose command line or folder is of this cloud's home holds the socket.
fn is_ours(inode: &str, cloud: &Cloud) -> Result<bool> {
    let socket = format!("socket:[{inode}]");
    let home = cloud.home().to_string_lossy().into_owned();
    for process in fs::read_dir("/proc")?.flatten() {
        let path = process.path();
        let command = fs::read(path.join("cmdline")).unwrap_or_default();
        let environment = fs::read(path.join("environ")).unwrap_or_default();
        let mentions = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains(&home);
        if !mentions(&command) && !mentions(&environment) {
            continue;
        }
        let Ok(files) = fs::read_dir(path.join("fd")) else { continue };
        let holds = |file: fs::DirEntry| fs::read_link(file.path()).is_ok_and(|link| link.to_string_lossy() == socket);
        if files.flatten().any(holds) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Each mistake is told with file, line and key, and the deployed definition stays as it was.
pub(crate) fn bad_yaml_changes_nothing(cloud: &Cloud) -> Result<()> {
    let describe = ["sagemaker", "describe-pipeline", "--pipeline-name", "breast-cancer"];
    let before = cloud.aws(&describe)?;
    let folder = tempfile::tempdir()?;
    let example = root().join("pipelines/breast-cancer");
    let good = fs::read_to_string(example.join("pipeline.yaml"))?;
    fs::create_dir(folder.path().join("src"))?;
    for script in fs::read_dir(example.join("src"))?.flatten() {
        if script.path().is_file() {
            fs::copy(script.path(), folder.path().join("src").join(script.file_name()))?;
        }
    }
    for (mistake, from, to, key, accepted) in [
        ("unknown key", "at_least: 0.90", "at_leest: 0.90", "at_leest", "at_least"),
        ("wrong type", "instances: 1", "instances: many", "deployment.instances", "whole number"),
        ("missing script", "src/train.py", "src/trian.py", "steps.train.script", "src/trian.py"),
        (
            "name too long",
            "endpoint: breast-cancer",
            &format!("endpoint: {}", "e".repeat(64)),
            "deployment.endpoint",
            "44",
        ),
        ("unknown step", "preprocess.test", "preproces.test", "steps.evaluate.inputs.test", "preprocess"),
    ] {
        let bad = good.replacen(from, to, 1);
        ensure!(bad != good, "{mistake}: the example has no `{from}` any more");
        fs::write(folder.path().join("pipeline.yaml"), &bad)?;
        let output = cloud.tidegate_output(&["apply", &folder.path().to_string_lossy()])?;
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.code() == Some(2), "{mistake}: exit code {:?}\n{told}", output.status.code());
        let line = bad.lines().position(|line| line.contains(to)).context("the changed line")? + 1;
        for part in ["pipeline.yaml:", &format!(":{line}:"), key, accepted] {
            ensure!(told.contains(part), "{mistake}: `{part}` is not in:\n{told}");
        }
    }
    ensure!(cloud.aws(&describe)? == before, "the deployed pipeline changed");
    Ok(())
}

/// The same file and scripts give the same definition.
pub(crate) fn applying_again_changes_nothing(cloud: &Cloud) -> Result<()> {
    let describe = ["sagemaker", "describe-pipeline", "--pipeline-name", "breast-cancer"];
    // The demo left a schedule of its own; the example as it stands takes it away.
    cloud.tidegate(&["apply", "pipelines/breast-cancer"])?;
    let before = cloud.aws(&describe)?;
    // Runs have schedules too, for their deadlines.
    let list = ["scheduler", "list-schedules", "--name-prefix", "breast-cancer"];
    let schedules = cloud.aws(&list)?;
    cloud.tidegate(&["apply", "pipelines/breast-cancer"])?;
    ensure!(cloud.aws(&describe)? == before, "the second apply changed the pipeline");
    ensure!(cloud.aws(&list)? == schedules, "the second apply changed the schedules");
    Ok(())
}
