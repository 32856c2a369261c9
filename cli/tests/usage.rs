//! The program as a person or a script meets it where no cloud is.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// A folder of its own for each test.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("tidegate-usage-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// The program in an empty environment: no profile, no endpoint, no home folder of the person who runs the test.
fn tidegate(folder: &PathBuf) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
    command.env_clear().env("HOME", folder).env("AWS_EC2_METADATA_DISABLED", "true").current_dir(folder);
    command
}

fn run(folder: &PathBuf, arguments: &[&str]) -> (Output, String) {
    let output = tidegate(folder).args(arguments).output().unwrap();
    let told = String::from_utf8(output.stderr.clone()).unwrap();
    (output, told)
}

#[test]
fn wrong_usage_is_exit_code_2() {
    let folder = folder("usage");
    for arguments in [
        &["runs", "--limit", "0"][..],
        &["start"],
        &["frobnicate"],
        &["local", "up", "--faults", "2"],
        &["lineage", "x", "--at", "noon"],
        &["runs", "--phase", "dead"],
        &["why"],
        &["replay"],
        &["dlq", "replay"],
        &["dlq", "replay", "0123", "--all"],
        &["dlq", "list", "--function", "on-vacation"],
        &["studio", "plan-ips", "--users", "1"],
        &["studio", "plan-ips", "--users", "0", "--spaces", "1"],
        &["studio", "plan-ips", "--users", "1", "--spaces", "1", "--instance-types", "1"],
        &["studio", "plan-ips", "--users", "100000", "--spaces", "1"],
        &["studio", "check"],
        &["studio", "check", "x.yaml", "--parameter", "/a"],
        &["cost", "nowhere"],
        &["cost", "nowhere", "--region", "mars-1"],
        &["cost", "-c", "network=new"],
    ] {
        let (output, told) = run(&folder, arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {told}");
        assert!(output.stdout.is_empty() && told.starts_with("error: "), "{arguments:?}: {told}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn every_problem_of_a_pipeline_is_a_line_without_any_cloud() {
    let folder = folder("config");
    std::fs::write(folder.join("pipeline.yaml"), "pipeline: x\nsteps: 5\ngat: 1\n").unwrap();
    for verb in ["plan", "apply"] {
        let (output, told) = run(&folder, &[verb]);
        assert_eq!(output.status.code(), Some(2), "{told}");
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines.len(), 2, "{told}");
        assert!(lines[0].starts_with("error: ./pipeline.yaml:2:8: `steps`"), "{told}");
        assert!(lines[1].starts_with("error: ./pipeline.yaml:3:1: `gat`"), "{told}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_command_for_a_stopped_local_cloud_does_not_reach_aws() {
    let folder = folder("stopped");
    std::fs::create_dir_all(folder.join(".tidegate/engine")).unwrap();
    let (output, told) = run(&folder, &["runs"]);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.starts_with("error: the local cloud of `"), "{told}");
    assert!(told.contains("hint: start it with `tidegate local up`, or say --aws"), "{told}");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn without_region_or_credentials_one_line_tells_so() {
    let folder = folder("aws");
    let (output, told) = run(&folder, &["runs", "--aws"]);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert_eq!(told.lines().next(), Some("error: no AWS Region is set"));
    let here =
        tidegate(&folder).args(["runs", "--aws"]).env("AWS_ENDPOINT_URL", "http://127.0.0.1:1").output().unwrap();
    assert_eq!(here.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&here.stderr).contains("which is this machine"));
    let output = tidegate(&folder).args(["runs", "--aws"]).env("AWS_REGION", "eu-west-1").output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert_eq!(told.lines().next(), Some("error: no AWS credentials were found"), "{told}");
    assert_eq!(told.lines().count(), 2, "{told}");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let folder = folder("pipe");
    let mut command = tidegate(&folder);
    command.args(["completions", "bash"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn results_without_a_terminal_have_no_colour() {
    let folder = folder("colour");
    let (output, told) = run(&folder, &["local", "status", "--home", "nowhere"]);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(String::from_utf8(output.stdout).unwrap().contains("ministack    stopped\n"));
    std::fs::remove_dir_all(folder).unwrap();
}
