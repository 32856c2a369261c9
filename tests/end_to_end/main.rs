//! The whole of it, on one local cloud: the demo first, then what it leaves behind is put to the test.

#![allow(clippy::indexing_slicing, reason = "a test may panic")]

mod access;
mod arrivals;
mod configuration;
mod conformance;
mod dead_letters;
mod demo;
mod departure;
mod explained;
mod ground;
mod restarts;
mod stack;

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use libtest_mimic::{Arguments, Failed, Trial};
use tidegate_tests::Cloud;

type Scenario = fn(&Cloud) -> Result<()>;

const SCENARIOS: &[(&str, Scenario)] = &[
    ("the_demo_shows_what_it_promises", demo::shows_what_it_promises),
    ("the_ledger_tells_what_the_demo_did", demo::ledger_tells),
    ("nothing_listens_beyond_loopback", configuration::nothing_listens_beyond_loopback),
    ("a_bad_pipeline_yaml_changes_nothing", configuration::bad_yaml_changes_nothing),
    ("applying_again_changes_nothing", configuration::applying_again_changes_nothing),
    ("boto3_uses_the_engine_unchanged", conformance::boto3),
    ("the_same_object_event_three_times_makes_one_run", arrivals::three_times_is_once),
    ("status_events_in_reverse_order_end_in_the_same_ledger", arrivals::reverse_order),
    ("a_person_approves_before_a_model_goes_live", arrivals::approval),
    ("an_event_that_cannot_be_read_ends_in_the_dead_letter_queue", arrivals::poison),
    ("poison_in_every_form_is_kept_shown_and_dropped", dead_letters::poison_is_kept_shown_and_dropped),
    ("what_could_not_be_delivered_is_replayed_once", dead_letters::what_could_not_be_delivered_is_replayed_once),
    ("a_replay_reads_the_same_versions_once", explained::a_replay_reads_the_same_versions_once),
    ("why_tells_runs_objects_and_schedules", explained::why_tells_runs_objects_and_schedules),
    ("a_person_stops_a_run", explained::a_person_stops_a_run),
    ("killing_the_engine_in_a_training_leaves_no_run_hanging", restarts::engine_killed),
    ("killing_a_function_leaves_no_run_hanging", restarts::function_killed),
    ("cloudformation_makes_and_removes_a_pipeline", stack::makes_and_removes_a_pipeline),
    ("the_secure_ground_comes_stays_and_goes", ground::comes_stays_and_goes),
    ("the_demo_shows_a_sign_in", demo::shows_a_sign_in),
    ("people_come_in_by_saml", access::people_come_in_by_saml),
    ("people_come_in_by_cognito", access::people_come_in_by_cognito),
    ("a_domain_goes_and_comes_back", departure::a_domain_goes_and_comes_back),
    ("down_and_up_keep_ledger_bucket_and_registry", restarts::state_survives),
];

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // One cloud, two cores: scenarios go one after the other, in this order.
    arguments.test_threads = Some(1);
    if arguments.list {
        let trials = SCENARIOS.iter().map(|(name, _)| Trial::test(*name, || Ok(()))).collect();
        return libtest_mimic::run(&arguments, trials).exit_code();
    }
    let cloud = match Cloud::up() {
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
        Trial::test(*name, move || scenario(&cloud).map_err(|error| Failed::from(format!("{error:?}"))))
    });
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
    drop(cloud);
    conclusion.exit_code()
}
