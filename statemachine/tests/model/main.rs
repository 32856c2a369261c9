//! The protocol, checked with every interleaving of small cases: the real `statemachine::decide`, two workers that go
//! through the steps of `handlers/src/drive.rs`, and an outside that is SageMaker, as far as the protocol sees of it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout, clippy::panic, unreachable_pub)]
#![allow(clippy::large_enum_variant, clippy::type_complexity, reason = "states are made for comparison, not for speed")]
#![allow(clippy::disallowed_methods, reason = "the checker is timed; no decision is")]

mod checking;
mod fixtures;
mod protocol;
mod state;
mod worker;

use std::time::Instant;

use statemachine::queue::Concurrency;
use statemachine::run::ApprovalMode;
use stateright::{Checker, HasDiscoveries, Model, Path};

use checking::Action;
use fixtures::Kind;
use protocol::{Outcomes, Protocol};
use state::{Bounds, State};

const NO_FAULTS: Bounds =
    Bounds { duplicates: 0, losses: 0, crashes: 0, slow: 0, refusals: 0, failures: 0, unheard: 0, stops: 0, asks: 0 };

const TO_LIVE: Kind =
    Kind { concurrency: Concurrency::Unlimited, collects: false, deploys: Some(ApprovalMode::Automatic) };
const APPROVED: Kind = Kind { deploys: Some(ApprovalMode::Manual), ..TO_LIVE };
const TRAINS: Kind = Kind { deploys: None, ..TO_LIVE };
const ONE_AT_A_TIME: Kind = Kind { concurrency: Concurrency::Wait { at_most: 1 }, ..TRAINS };
const NEWEST_ONLY: Kind = Kind { concurrency: Concurrency::Replace, ..TRAINS };
const FIRST_ONLY: Kind = Kind { concurrency: Concurrency::Skip, ..TRAINS };
const COLLECTS: Kind = Kind { collects: true, ..TRAINS };

/// Looks at every state that can be reached, and returns how many there are.
fn check(model: Protocol) -> usize {
    let started = Instant::now();
    let checker = model.checker().finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    println!("{} states in {:.1} s", checker.unique_state_count(), started.elapsed().as_secs_f64());
    for (name, path) in checker.discoveries() {
        if name != checking::QUIET_AT_LAST {
            tell(name, &path);
        }
    }
    checker.assert_properties();
    checker.unique_state_count()
}

fn tell(name: &str, path: &Path<State, Action>) {
    println!("against: {name}");
    for (state, action) in path.clone().into_vec() {
        let runs: Vec<_> = state
            .runs
            .iter()
            .map(|(number, run)| {
                let outbox: Vec<_> = run.value.outbox.iter().map(|it| format!("{} {:?}", it.id, it.state)).collect();
                format!("{number} {} {outbox:?}", run.value.phase)
            })
            .collect();
        println!("  {runs:?} {:?} in flight {:?}", state.executions, state.inbox);
        if let Some(action) = action {
            println!("{action:?}");
        }
    }
}

/// The actions that lead to a state in which the property does not hold.
fn counterexample(model: Protocol, property: &'static str) -> Vec<Action> {
    let checker = model.checker().finish_when(HasDiscoveries::AnyOf([property].into())).spawn_bfs().join();
    let path = checker.discovery(property);
    path.unwrap_or_else(|| panic!("no counterexample to `{property}`")).into_actions()
}

#[test]
fn one_run_to_live() {
    let mut model = Protocol::new(TO_LIVE, 1, Bounds { duplicates: 1, crashes: 1, ..NO_FAULTS });
    model.outcomes = Outcomes { executions_fail: true, rollouts_fail: true, ..Outcomes::default() };
    assert_eq!(check(model), 131_491);
}

#[test]
fn one_run_whose_calls_are_refused() {
    let bounds = Bounds { failures: 1, refusals: 1, duplicates: 1, ..NO_FAULTS };
    assert_eq!(check(Protocol::new(TO_LIVE, 1, bounds)), 13_113);
}

#[test]
fn one_run_whose_calls_are_answered_by_nobody() {
    let bounds = Bounds { unheard: 1, crashes: 1, ..NO_FAULTS };
    assert_eq!(check(Protocol::new(TO_LIVE, 1, bounds)), 60_449);
}

#[test]
fn one_run_that_a_person_approves() {
    let mut model = Protocol::new(APPROVED, 1, Bounds { crashes: 1, losses: 1, ..NO_FAULTS });
    model.outcomes = Outcomes { person_refuses: true, ..Outcomes::default() };
    assert_eq!(check(model), 81_875);
}

#[test]
fn two_runs_one_endpoint() {
    let mut model = Protocol::new(TO_LIVE, 2, NO_FAULTS);
    model.outcomes = Outcomes { rollouts_fail: true, ..Outcomes::default() };
    model.split_reads = false;
    assert_eq!(check(model), 68_459);
}

#[test]
fn a_bad_model_of_two() {
    let mut model = Protocol::new(TO_LIVE, 2, NO_FAULTS);
    model.outcomes = Outcomes { executions_fail: true, bad_models: &[0], ..Outcomes::default() };
    model.split_reads = false;
    assert_eq!(check(model), 22_609);
}

#[test]
fn two_runs_one_place() {
    let mut model = Protocol::new(ONE_AT_A_TIME, 2, Bounds { stops: 1, refusals: 1, ..NO_FAULTS });
    model.split_reads = false;
    assert_eq!(check(model), 55_994);
}

#[test]
fn three_runs_one_place() {
    let mut model = Protocol::new(ONE_AT_A_TIME, 3, NO_FAULTS);
    model.split_reads = false;
    assert_eq!(check(model), 44_866);
}

#[test]
fn two_runs_the_newer_replaces() {
    let mut model = Protocol::new(NEWEST_ONLY, 2, Bounds { stops: 1, ..NO_FAULTS });
    model.split_reads = false;
    assert_eq!(check(model), 72_352);
}

#[test]
fn two_runs_one_is_skipped() {
    assert_eq!(check(Protocol::new(FIRST_ONLY, 2, Bounds { duplicates: 1, ..NO_FAULTS })), 19_647);
}

#[test]
fn two_objects_are_collected() {
    assert_eq!(check(Protocol::new(COLLECTS, 2, Bounds { duplicates: 1, ..NO_FAULTS })), 185_030);
}

/// Larger ones: `cargo test --release -p statemachine --test model -- --ignored --nocapture --test-threads 1`.
#[test]
#[ignore = "minutes"]
fn three_objects_are_collected() {
    check(Protocol::new(COLLECTS, 3, NO_FAULTS));
}

#[test]
#[ignore = "minutes"]
fn two_objects_are_collected_by_functions_that_die() {
    check(Protocol::new(COLLECTS, 2, Bounds { crashes: 1, ..NO_FAULTS }));
}

#[test]
#[ignore = "minutes"]
fn two_runs_one_endpoint_and_a_lost_message() {
    let mut model = Protocol::new(TO_LIVE, 2, Bounds { losses: 1, ..NO_FAULTS });
    model.outcomes = Outcomes { rollouts_fail: true, ..Outcomes::default() };
    model.split_reads = false;
    check(model);
}

#[test]
#[ignore = "minutes"]
fn two_runs_one_place_and_functions_that_die() {
    let mut model = Protocol::new(ONE_AT_A_TIME, 2, Bounds { stops: 1, refusals: 1, crashes: 1, ..NO_FAULTS });
    model.split_reads = false;
    check(model);
}

#[test]
#[ignore = "minutes"]
fn three_runs_the_newest_replaces() {
    let mut model = Protocol::new(NEWEST_ONLY, 3, NO_FAULTS);
    model.split_reads = false;
    check(model);
}

#[test]
fn without_the_fence_a_run_never_ends() {
    let mut model = Protocol::new(TO_LIVE, 1, Bounds { duplicates: 1, ..NO_FAULTS });
    model.fenced = false;
    let actions = counterexample(model, checking::COMES_TO_AN_END);
    assert!(actions.iter().any(|action| matches!(action, Action::Step { worker: 0, .. })), "{actions:#?}");
    assert!(actions.iter().any(|action| matches!(action, Action::Step { worker: 1, .. })), "{actions:#?}");
}

#[test]
fn without_the_token_a_run_has_two_executions() {
    let mut model = Protocol::new(TO_LIVE, 1, Bounds { crashes: 1, ..NO_FAULTS });
    model.tokens = false;
    let actions = counterexample(model, checking::ONE_EXECUTION);
    assert!(actions.iter().any(|action| matches!(action, Action::Crash(_))), "{actions:#?}");
}

/// A rollout is asked for, its answer is lost, and the second attempt is refused for good: how it ends, the endpoint tells.
#[test]
fn a_rollout_that_is_refused_after_it_was_asked_for_goes_on() {
    check(Protocol::new(TO_LIVE, 1, Bounds { failures: 1, unheard: 1, ..NO_FAULTS }));
}

/// Why a claim (`drive::CLAIM`) is longer than a function may live: a deployment has no token that SageMaker would refuse
/// once it is over.
#[test]
#[ignore = "a minute"]
fn without_claims_that_outlive_their_function_an_old_model_is_deployed_again() {
    let mut model = Protocol::new(TO_LIVE, 2, Bounds { slow: 1, ..NO_FAULTS });
    model.split_reads = false;
    let actions = counterexample(model, checking::ONE_DEPLOYMENT);
    let deploy = |action: &Action| matches!(action, Action::TimePasses { command, .. } if *command == statemachine::run::CommandId::deploy());
    assert!(actions.iter().any(deploy), "{actions:#?}");
}
