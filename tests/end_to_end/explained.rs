//! Why something came to what it came to, and a run's work done once more.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tidegate_tests::{Cloud, eventually};

use crate::dead_letters::data;

const BUCKET: &str = "tidegate-data-000000000000-us-east-1";

fn runs(cloud: &Cloud) -> Result<Vec<Value>> {
    let runs = cloud.tidegate_json(&["runs", "--pipeline", "breast-cancer", "--limit", "500"])?;
    Ok(runs.as_array().context("a list of runs")?.clone())
}

fn text<'a>(value: &'a Value, member: &str) -> Result<&'a str> {
    value[member].as_str().with_context(|| format!("`{member}` in {value}"))
}

/// A run that an arrival began and whose model was good enough to go live.
fn good_arrival(cloud: &Cloud) -> Result<Value> {
    let good = |run: &Value| {
        run["trigger"]["kind"] == "arrival" && matches!(run["phase"].as_str(), Some("live" | "superseded"))
    };
    runs(cloud)?.into_iter().find(good).context("the demo has left a run of an arrival that went live")
}

/// The object is overwritten by one that cannot be read. The replay reads what its run read, and there is one of it.
pub(crate) fn a_replay_reads_the_same_versions_once(cloud: &Cloud) -> Result<()> {
    let run = good_arrival(cloud)?;
    let id = text(&run, "id")?;
    let (key, version) = (text(&run["trigger"]["object"], "key")?, text(&run["trigger"]["object"], "version_id")?);
    let folder = tempfile::tempdir()?;
    let file = folder.path().join(key.rsplit('/').next().context("a file name")?);
    data(&file, &["--malformed"])?;
    let overwritten = cloud.tidegate_output(&["drop", &file.to_string_lossy(), "--wait"])?;
    ensure!(overwritten.status.code() == Some(1), "what took the object's place cannot be read");

    let replayed = cloud.tidegate_json(&["replay", id])?;
    let replay = text(&replayed, "run")?;
    ensure!(replayed["existed"] == false && replay.starts_with("r-"), "{replayed}");
    let again = cloud.tidegate_json(&["replay", id])?;
    ensure!(again["existed"] == true && again["run"] == *replay, "{again}");
    ensure!(cloud.tidegate(&["replay", id])?.contains("--again"), "how to do it once more is told");
    let ended = cloud.tidegate_json(&["replay", id, "--wait"])?;
    ensure!(ended["phase"] == "live", "the replay's model is as good as its run's: {ended}");
    let objects = &ended["inputs"]["objects"];
    ensure!(objects.as_array().is_some_and(|all| all.len() == 1), "{objects}");
    ensure!(objects[0]["key"] == *key && objects[0]["version_id"] == *version, "it read {objects}");
    let replays = runs(cloud)?.into_iter().filter(|run| run["trigger"]["of"] == *id).count();
    ensure!(replays == 1, "{replays} runs replay {id}");
    let why = cloud.tidegate(&["why", replay])?;
    ensure!(why.contains("once more (replay 1)") && why.contains(version), "{why}");
    Ok(())
}

/// A run, an object that was taken, one that was declined, one that never came, a schedule, and nonsense.
pub(crate) fn why_tells_runs_objects_and_schedules(cloud: &Cloud) -> Result<()> {
    let run = good_arrival(cloud)?;
    let (id, object) = (text(&run, "id")?, &run["trigger"]["object"]);
    let (key, version) = (text(object, "key")?, text(object, "version_id")?);
    let told = cloud.tidegate(&["why", id])?;
    for part in [&format!("it began because s3://{BUCKET}/{key}?versionId={version} arrived"), "gate", "accuracy"] {
        ensure!(told.contains(part), "`{part}` is not in:\n{told}");
    }
    let rejected = runs(cloud)?.into_iter().find(|run| run["phase"] == "rejected").context("a rejected run")?;
    let told = cloud.tidegate_json(&["why", text(&rejected, "id")?])?;
    ensure!(text(&told, "because")?.starts_with("the gate refused its model"), "{told}");
    ensure!(told["gate"].as_array().is_some_and(|gate| gate.iter().any(|one| one["passed"] == false)), "{told}");

    let taken = cloud.tidegate(&["why", &format!("s3://{BUCKET}/{key}?versionId={version}")])?;
    ensure!(taken.contains(&format!("Pipeline `breast-cancer` took it: run {id}")), "{taken}");

    let folder = tempfile::tempdir()?;
    let note = folder.path().join("note.txt");
    std::fs::write(&note, "no data")?;
    let address = format!("s3://{BUCKET}/raw/breast-cancer/note.txt");
    cloud
        .public_door(&tidegate_tests::root().join(".venv/cloud/bin/aws"))
        .args(["s3", "cp", &note.to_string_lossy(), &address])
        .output()?;
    let declined = eventually("the object's record", std::time::Duration::from_secs(60), || {
        let told = cloud.tidegate_json(&["why", "raw/breast-cancer/note.txt"])?;
        Ok((told["state"] == "declined").then_some(told))
    })?;
    ensure!(text(&declined, "because")?.contains("its key does not end in `.csv`"), "{declined}");
    let dropped = cloud.tidegate_output(&["drop", &note.to_string_lossy()])?;
    let dropped = String::from_utf8_lossy(&dropped.stderr).into_owned();
    ensure!(dropped.contains("pipeline `breast-cancer`: its key does not end in `.csv`"), "{dropped}");

    let never = cloud.tidegate(&["why", "raw/breast-cancer/never.csv"])?;
    ensure!(never.contains("No event of it has come") && never.contains("waits for such an object"), "{never}");

    let schedule = cloud.tidegate_json(&["why", "breast-cancer.nightly"])?;
    ensure!(schedule["next"][0]["at"].is_string(), "{schedule}");

    let nonsense = cloud.tidegate_output(&["why", "breast-cancer.nigtly"])?;
    let nonsense = (nonsense.status.code(), String::from_utf8_lossy(&nonsense.stderr).into_owned());
    ensure!(nonsense.0 == Some(2) && nonsense.1.contains("near it: `breast-cancer.nightly`"), "{nonsense:?}");
    let nowhere = cloud.tidegate_output(&["lineage", "endpoint:nope"])?;
    let nowhere = String::from_utf8_lossy(&nowhere.stderr).into_owned();
    ensure!(nowhere.contains("`endpoint:breast-cancer`"), "{nowhere}");
    Ok(())
}

/// A run is stopped by a person, who is told why it ended so.
pub(crate) fn a_person_stops_a_run(cloud: &Cloud) -> Result<()> {
    let run = good_arrival(cloud)?;
    let replayed = cloud.tidegate_json(&["replay", text(&run, "id")?, "--again"])?;
    let id = text(&replayed, "run")?;
    let stopped = cloud.tidegate_json(&["stop", id, "--wait"])?;
    ensure!(stopped["phase"] == "stopped", "{stopped}");
    ensure!(text(&stopped, "because")?.starts_with("stopped by "), "{stopped}");
    let why = cloud.tidegate_json(&["why", id])?;
    ensure!(text(&why, "because")?.starts_with("stopped by "), "{why}");
    let twice = cloud.tidegate_output(&["stop", id])?;
    ensure!(twice.status.code() == Some(1), "a run that is stopped cannot be stopped");
    Ok(())
}
