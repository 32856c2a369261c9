//! Whatever call of AWS goes wrong, and however, each story ends as it would have: one execution, one deployment, one
//! alert.
//!
//! The functions run here as they do in Lambda, with their own clients, against a small AWS on loopback. A story is told
//! once without faults, which counts its calls; then once for each call, each fault and each extent of it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod calls;
mod cloud;
mod fault;
mod scenario;
mod through;
mod time;
mod verdict;
mod world;

use cloud::Sabotage;
use fault::{Extent, Fault};
use scenario::{ALL, Scenario};

/// The stories, told without faults: they end as they say.
#[test]
fn every_story_ends_as_told() {
    let mut all = Vec::new();
    for scenario in &ALL {
        let outcome = world::play(scenario.start(), 0, false);
        let wrongs = verdict::wrongs(scenario, &outcome, None);
        all.extend(wrongs.iter().map(|wrong| format!("{}: {wrong} {:?}", scenario.name, outcome.errors.last())));
    }
    assert!(all.is_empty(), "{all:#?}");
}

/// For each call of each story: it fails before or after its effect, breaks, hangs, is throttled, or its function is
/// killed; once, twice, for the whole invocation, for two in a row, or for longer than Lambda tries.
#[test]
fn whatever_call_fails_each_story_ends_the_same() {
    let report = through::all(&ALL, Sabotage::default(), |_, _| true);
    println!("{report}");
    assert!(report.wrongs.is_empty(), "{report}");
}

/// The test can fail: a ledger whose conditions count for nothing lets two writers undo each other's work.
#[test]
fn without_the_ledgers_conditions_the_stories_end_otherwise() {
    let sabotage = Sabotage { no_conditions: true, ..Sabotage::default() };
    let report = through::all(&told_twice(), sabotage, |call, plan| {
        call.operation == "PutItem" && plan.fault == Fault::Late && plan.extent == Extent::Calls(1)
    });
    assert!(!report.wrongs.is_empty(), "nothing was noticed: {report}");
}

/// The test can fail: where SageMaker forgets the tokens, what is asked for again is made again.
#[test]
fn without_sagemakers_tokens_there_are_two_executions() {
    let sabotage = Sabotage { no_tokens: true, ..Sabotage::default() };
    let report = through::all(&told_twice(), sabotage, |call, plan| {
        ["StartPipelineExecution", "CreateModelPackage"].contains(&call.operation.as_str()) && plan.fault.has_effect()
    });
    for made_twice in ["executions: 2 instead of 1", "model packages: 2 instead of 1"] {
        let noticed = report.wrongs.iter().any(|wrong| wrong.contains(made_twice));
        assert!(noticed, "nobody noticed {made_twice}: {report}");
    }
}

fn told_twice() -> Vec<Scenario> {
    ALL.into_iter().filter(|story| story.name == "every event comes twice").collect()
}
