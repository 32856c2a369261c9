//! Events that do not come through: kept, shown, given again, dropped.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tidegate_tests::{Cloud, eventually, root};

const ACCOUNT: &str = "000000000000";
const BUCKET: &str = "tidegate-data-000000000000-us-east-1";
const ARRIVAL: &str = "tidegate-on-data-arrival";

/// The messages that `tidegate dlq list` shows.
fn listed(cloud: &Cloud) -> Result<Vec<Value>> {
    let list = cloud.tidegate_json(&["dlq", "list"])?;
    Ok(list["messages"].as_array().context("a list of messages")?.clone())
}

fn runs(cloud: &Cloud) -> Result<Vec<Value>> {
    let runs = cloud.tidegate_json(&["runs", "--pipeline", "breast-cancer", "--limit", "500"])?;
    Ok(runs.as_array().context("a list of runs")?.clone())
}

/// Hands an event to a function as EventBridge does: asynchronously.
fn hand_over(cloud: &Cloud, function: &str, event: &Value) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (payload, answer) = (folder.path().join("payload"), folder.path().join("answer"));
    fs::write(&payload, event.to_string())?;
    let (payload, answer) = (format!("fileb://{}", payload.display()), answer.display().to_string());
    let name = format!("tidegate-{function}");
    let words = ["lambda", "invoke", "--function-name", &name, "--invocation-type", "Event", "--payload", &payload];
    let answer = cloud.aws(&[&words[..], &[&answer]].concat())?;
    ensure!(answer["StatusCode"] == 202, "the event was not accepted: {answer}");
    Ok(())
}

fn arrival(key: &str) -> Value {
    json!({
        "version": "0", "id": "11111111-1111-4111-8111-111111111111", "detail-type": "Object Created", "source": "aws.s3",
        "account": ACCOUNT, "time": "2026-01-02T03:04:05Z", "region": "us-east-1", "resources": [],
        "detail": {"version": "0", "bucket": {"name": BUCKET},
                   "object": {"key": key, "size": 9, "etag": "e", "version-id": "v", "sequencer": "0"}},
    })
}

fn with(mut event: Value, member: &str, value: impl Into<Value>) -> Value {
    event[member] = value.into();
    event
}

/// Each form of poison, by the function that is given it, the event, and what the error must name.
fn poison(execution: &str) -> Vec<(&'static str, Value, &'static str)> {
    let key = "raw/breast-cancer/poison.csv";
    let pipeline = format!("arn:aws:sagemaker:us-east-1:{ACCOUNT}:pipeline/breast-cancer");
    let status = json!({
        "pipelineArn": pipeline, "pipelineExecutionArn": execution,
        "currentPipelineExecutionStatus": "Poisoned",
    });
    let status = with(with(arrival(key), "source", "aws.sagemaker"), "detail", status);
    let status = with(status, "detail-type", "SageMaker Model Building Pipeline Execution Status Change");
    vec![
        ("on-data-arrival", json!({"poison": "no event at all"}), "time"),
        ("on-data-arrival", with(arrival(key), "account", "999999999999"), "`account` is `999999999999`"),
        ("on-data-arrival", with(arrival(key), "region", "mars-north-1"), "`region` is `mars-north-1`"),
        ("on-data-arrival", with(arrival(key), "source", "forged.s3"), "`source` is `forged.s3`"),
        ("on-pipeline-status", status, "Poisoned"),
        ("on-data-arrival", with(arrival(key), "detail", "x".repeat(250 * 1024)), "detail"),
    ]
}

/// None is acknowledged, each can be looked at as often as one likes, and leaves its queue when a person says so.
pub(crate) fn poison_is_kept_shown_and_dropped(cloud: &Cloud) -> Result<()> {
    let before = runs(cloud)?;
    // A status that SageMaker does not have, of an execution that it has.
    let live = before.iter().find(|run| run["phase"] == "live").context("the demo has left a live run")?;
    let execution = live["execution"].as_str().context("its execution")?;
    let poison = poison(execution);
    for (function, event, _) in &poison {
        hand_over(cloud, function, event)?;
    }
    // Three attempts lie 45 and 5 seconds apart.
    let letters = eventually("a dead letter for each poison", Duration::from_secs(150), || {
        let messages = listed(cloud)?;
        let of = |event: &Value| messages.iter().find(|message| message["event"] == *event).cloned();
        Ok(poison.iter().map(|(_, event, _)| of(event)).collect::<Option<Vec<Value>>>())
    })?;
    let after = runs(cloud)?;
    ensure!(after.len() == before.len() && after.contains(live), "poison has changed a run, or made one: {after:?}");
    let mut ids = Vec::new();
    for ((function, _, named), letter) in poison.iter().zip(&letters) {
        ensure!(letter["function"] == *function && letter["attempts"] == 3, "{letter}");
        let error = letter["error"].as_str().context("an error")?;
        ensure!(error.contains(named), "`{named}` is not in: {error}");
        let id = letter["id"].as_str().context("an id")?;
        let shown = cloud.tidegate(&["dlq", "show", id])?;
        ensure!(shown.contains(named) && shown.contains(function), "`{named}` is not in:\n{shown}");
        ensure!(shown.len() < 20_000, "nonsense is shown at its length: {} bytes", shown.len());
        ids.push(id.to_owned());
    }
    // Looking took nothing.
    let again = listed(cloud)?;
    for id in &ids {
        ensure!(again.iter().any(|message| message["id"] == **id), "looking at {id} has taken it");
    }
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let refused = cloud.tidegate_output(&[&["dlq", "drop"][..], &ids].concat())?;
    ensure!(refused.status.code() == Some(2), "dropping without a word needs --yes");
    cloud.tidegate(&[&["dlq", "drop", "--yes"][..], &ids].concat())?;
    let left = listed(cloud)?;
    ensure!(!left.iter().any(|message| ids.iter().any(|id| message["id"] == **id)), "dropped, and still there");
    let unknown = cloud.tidegate_output(&["dlq", "show", ids.first().context("an id")?])?;
    ensure!(unknown.status.code() == Some(1), "{}", String::from_utf8_lossy(&unknown.stderr));
    Ok(())
}

/// The rule may not invoke the function for a while. What comes meanwhile is given to it afterwards, and given twice it is
/// done once.
pub(crate) fn what_could_not_be_delivered_is_replayed_once(cloud: &Cloud) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("undelivered.csv");
    fs::write(&file, "no,data,at,all\n1,2,3,4\n")?;
    let permission = take_permission(cloud)?;
    let dropped = cloud.tidegate_json(&["drop", &file.to_string_lossy(), "--pipeline", "breast-cancer"]);
    let undelivered = eventually("the dead letter", Duration::from_secs(30), || {
        let messages = listed(cloud)?;
        let ours = |message: &&Value| message.to_string().contains("undelivered.csv");
        Ok(messages.iter().find(ours).cloned())
    });
    give_permission(cloud, &permission)?;
    let (dropped, letter) = (dropped?, undelivered?);
    let run = dropped["run"].as_str().context("the run's id")?;
    ensure!(letter["kind"] == "undelivered" && letter["function"] == "on-data-arrival", "{letter}");
    ensure!(letter["error"].as_str().is_some_and(|error| error.contains("NO_PERMISSIONS")), "{letter}");
    let why = cloud.tidegate(&["why", "raw/breast-cancer/undelivered.csv"])?;
    ensure!(why.contains("no event of it has come"), "{why}");

    let id = letter["id"].as_str().context("an id")?;
    let told = cloud.tidegate(&["dlq", "replay", id])?;
    ensure!(told.contains("changes nothing"), "{told}");
    ensure!(!listed(cloud)?.iter().any(|message| message["id"] == *id), "replayed, and still in its queue");
    let ended = || {
        let found = runs(cloud)?.into_iter().find(|other| other["id"] == *run);
        Ok(found.filter(|run| run["phase"] == "failed"))
    };
    let first = eventually("the run's end", Duration::from_secs(90), ended)?;

    // The same event a second time, as if it had been stored twice.
    // The AWS CLI asks SQS at an address of its own unless it is told otherwise.
    let here = cloud.aws_url();
    let queue = format!("{ARRIVAL}-undelivered");
    let url = cloud.aws(&["sqs", "get-queue-url", "--queue-name", &queue, "--endpoint-url", &here])?;
    let url = url["QueueUrl"].as_str().context("the queue's URL")?;
    let event = letter["event"].to_string();
    let words = ["sqs", "send-message", "--queue-url", url, "--message-body", &event];
    cloud.aws(&[&words[..], &["--endpoint-url", &here]].concat())?;
    let replayed = cloud.tidegate_json(&["dlq", "replay", "--all", "--function", "on-data-arrival"])?;
    ensure!(replayed.as_array().is_some_and(|all| all.iter().any(|one| one["done"] == true)), "{replayed}");
    std::thread::sleep(Duration::from_secs(3));
    let again: Vec<Value> =
        runs(cloud)?.into_iter().filter(|run| run["trigger"].to_string().contains("undelivered.csv")).collect();
    let same = again.iter().all(|run| run["id"] == first["id"] && run["execution"] == first["execution"]);
    ensure!(again.len() == 1 && same, "the second time did something: {first}, then {again:?}");
    Ok(())
}

/// Takes the rule's permission to invoke the function away; returns its statement.
fn take_permission(cloud: &Cloud) -> Result<Value> {
    let policy = cloud.aws(&["lambda", "get-policy", "--function-name", ARRIVAL])?;
    let policy: Value = serde_json::from_str(policy["Policy"].as_str().context("a policy")?)?;
    let statements = policy["Statement"].as_array().context("statements")?;
    let events = |statement: &&Value| statement["Principal"].to_string().contains("events.amazonaws.com");
    let Some(statement) = statements.iter().find(events) else { bail!("no permission for EventBridge: {policy}") };
    let sid = statement["Sid"].as_str().context("the statement's id")?;
    cloud.aws(&["lambda", "remove-permission", "--function-name", ARRIVAL, "--statement-id", sid])?;
    Ok(statement.clone())
}

fn give_permission(cloud: &Cloud, statement: &Value) -> Result<()> {
    let sid = statement["Sid"].as_str().context("the statement's id")?;
    let source = statement["Condition"].as_object().and_then(|condition| {
        condition.values().find_map(|one| one["AWS:SourceArn"].as_str().or(one["aws:SourceArn"].as_str()))
    });
    let words = ["lambda", "add-permission", "--function-name", ARRIVAL, "--statement-id", sid];
    let principal = ["--action", "lambda:InvokeFunction", "--principal", "events.amazonaws.com"];
    let source = source.map(|arn| vec!["--source-arn", arn]).unwrap_or_default();
    cloud.aws(&[&words[..], &principal, &source].concat()).map(drop)
}

/// Writes the example's data set, spoilt as the option says.
pub(crate) fn data(file: &std::path::Path, options: &[&str]) -> Result<()> {
    let mut command = Command::new(root().join(".venv/ml/bin/python"));
    let made = command.arg(root().join("pipelines/breast-cancer/data.py")).arg("--output").arg(file).args(options);
    let made = made.output()?;
    ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    Ok(())
}
