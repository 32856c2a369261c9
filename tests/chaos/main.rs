//! A bad day: hundreds of arrivals, and status events twice, late and out of order; requests of functions that fail before
//! or after their effect; functions that are killed. Then the ledger is compared with what really happened.
//!
//! `TIDEGATE_CHAOS_RUNS` says how many runs there must be, 30 by default; `make chaos` asks for 500. `TIDEGATE_CHAOS_SEED`
//! gives chance another beginning.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use libtest_mimic::{Arguments, Failed, Trial};
use tidegate_tests::{Cloud, programs, root};

/// The share of the functions' requests that go wrong.
const RATE: &str = "0.1";
/// The share of SageMaker's events that never come.
const LOST: &str = "0.02";
const RUNS: &str = "30";
const SEED: &str = "7";

type Scenario = fn(&Cloud) -> Result<()>;

/// In this order: the second spoils what the first has left.
const SCENARIOS: &[(&str, Scenario)] = &[
    ("on_a_bad_day_nothing_is_lost_and_nothing_is_done_twice", chaos),
    ("what_is_lost_or_done_twice_on_purpose_is_found", sabotage),
];

fn chaos(cloud: &Cloud) -> Result<()> {
    let (runs, seed) = (setting("TIDEGATE_CHAOS_RUNS", RUNS), setting("TIDEGATE_CHAOS_SEED", SEED));
    program(cloud, "chaos.py", &["--runs", &runs, "--seed", &seed, "--rate", RATE])
}

fn sabotage(cloud: &Cloud) -> Result<()> {
    program(cloud, "sabotage.py", &[])
}

/// Its figures are the point of it: they go where the test's own output goes.
fn program(cloud: &Cloud, name: &str, arguments: &[&str]) -> Result<()> {
    let mut command = cloud.public_door(&root().join(".venv/cloud/bin/python"));
    command.arg(root().join("tests/chaos").join(name)).args(arguments).env("TIDEGATE", programs()?.join("tidegate"));
    let status = command.status().context("python cannot be started: run `make setup`")?;
    if status.success() {
        return Ok(());
    }
    let logs = keep_logs(cloud)?;
    bail!("{name} ended with {status}; what is wrong stands above, and the logs of that day are in {}", logs.display())
}

/// The cloud goes with the test; what it wrote is wanted when something is wrong.
fn keep_logs(cloud: &Cloud) -> Result<PathBuf> {
    let kept = programs()?.join("chaos-logs");
    std::fs::create_dir_all(&kept)?;
    for log in std::fs::read_dir(cloud.home().join("logs"))?.flatten() {
        std::fs::copy(log.path(), kept.join(log.file_name()))?;
    }
    Ok(kept)
}

fn setting(name: &str, usual: &str) -> String {
    std::env::var(name).ok().filter(|value| !value.is_empty()).unwrap_or_else(|| usual.to_owned())
}

fn up() -> Result<Cloud> {
    let seed = setting("TIDEGATE_CHAOS_SEED", SEED);
    let seed = seed.parse().with_context(|| format!("TIDEGATE_CHAOS_SEED is `{seed}`: give a whole number"))?;
    // The steps take no time to speak of; what is rehearsed is all that stands around them.
    // Both waits outlast a claim of the dead, as those of Lambda do (a minute, two minutes).
    let env = [("TIDEGATE_PARALLEL_JOBS", "6"), ("TIDEGATE_ASYNC_RETRY_SECONDS", "42,42")];
    Cloud::up_with_faults(RATE, LOST, seed, &env)
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    if arguments.list {
        let trials = SCENARIOS.iter().map(|(name, _)| Trial::test(*name, || Ok(()))).collect();
        return libtest_mimic::run(&arguments, trials).exit_code();
    }
    let cloud = match up() {
        Ok(cloud) => Arc::new(cloud),
        Err(error) => {
            #[allow(clippy::print_stderr, reason = "there is no test yet that could tell")]
            {
                eprintln!("error: the local cloud did not start: {error:#}");
            }
            return ExitCode::FAILURE;
        }
    };
    let trials = SCENARIOS.iter().map(|(name, scenario)| {
        let cloud = Arc::clone(&cloud);
        Trial::test(*name, move || scenario(&cloud).map_err(|error| Failed::from(format!("{error:#}"))))
    });
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
    drop(cloud);
    conclusion.exit_code()
}
