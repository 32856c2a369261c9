//! What each event costs: its calls of AWS, as docs/CALLS.md lists them.

use std::fmt::Write as _;

use crate::cloud::{Call, Function};
use crate::scenario::{ALL, IDLE, Scenario};
use crate::world::{Outcome, Taken, play};

/// An event, and how it is found: the story, what the event says, and which of those that say it.
struct Row {
    what: &'static str,
    story: &'static str,
    function: Function,
    /// Part of the event.
    says: &'static str,
    nth: usize,
}

const fn row(what: &'static str, story: &'static str, function: Function, says: &'static str, nth: usize) -> Row {
    Row { what, story, function, says, nth }
}

const LIVE: &str = "an arrival goes live";
const DUPLICATE: &str = "the same arrival again";
const ORDINARY: [&str; 2] = ["an execution is executing", "a step has changed"];

const ROWS: [Row; 22] = [
    row("an object arrives: a run begins and its execution starts", LIVE, Function::DataArrival, "", 0),
    row(DUPLICATE, "every event comes twice", Function::DataArrival, "", 1),
    row("an object arrives and begins a collection", "three objects are collected", Function::DataArrival, "", 0),
    row("an object arrives and is collected", "three objects are collected", Function::DataArrival, "", 1),
    row("a collection is complete", "three objects are collected", Function::Schedule, "batch", 1),
    row("an object arrives and has to wait", "the second of two waits for its place", Function::DataArrival, "", 1),
    row("an object arrives and is skipped", "the second of two is skipped", Function::DataArrival, "", 1),
    row(ORDINARY[0], LIVE, Function::PipelineStatus, "Executing", 0),
    row(ORDINARY[1], LIVE, Function::PipelineStatus, "currentStepStatus", 0),
    row("an execution has failed", "an execution fails", Function::PipelineStatus, "ExecutionStatusFailed", 0),
    row(
        "an execution has succeeded: its model passes and is rolled out",
        LIVE,
        Function::PipelineStatus,
        "ExecutionStatusSucceeded",
        0,
    ),
    row(
        "an execution has succeeded: its model is refused",
        "the gate refuses a model",
        Function::PipelineStatus,
        "ExecutionStatusSucceeded",
        0,
    ),
    row(
        "an execution that somebody else started is seen",
        "an execution that a person started",
        Function::PipelineStatus,
        "",
        0,
    ),
    row("a model package is registered", LIVE, Function::ModelPackage, "", 0),
    row("a person approves: the model is rolled out", "a person approves", Function::ModelPackage, "", 1),
    row("an endpoint is changing", LIVE, Function::EndpointStatus, "CREATING", 0),
    row("an endpoint is in service: the model is live", LIVE, Function::EndpointStatus, "IN_SERVICE", 0),
    row("a schedule fires", "a schedule fires, and fires again", Function::Schedule, "nightly", 0),
    row("the same firing again", "a schedule fires, and fires again", Function::Schedule, "nightly", 1),
    row("the deadline of a run that is done", LIVE, Function::Schedule, "deadline", 0),
    row("a sweep finds nothing due", IDLE.name, Function::Sweep, "", 0),
    row("a sweep asks about a run that is executing", "the second of two is skipped", Function::Sweep, "", 0),
];

/// `dynamodb.GetItem ×2, dynamodb.PutItem`
fn listed(calls: &[Call]) -> String {
    let mut text = String::new();
    let mut rest = calls;
    while let [first, ..] = rest {
        let same = rest.iter().take_while(|call| *call == first).count();
        let times = if same > 1 { format!(" ×{same}") } else { String::new() };
        let comma = if text.is_empty() { "" } else { ", " };
        // Writing to a string cannot fail.
        let _ = write!(text, "{comma}{first}{times}");
        rest = &rest[same..];
    }
    text
}

fn taken<'o>(outcome: &'o Outcome, row: &Row) -> &'o Taken {
    let says = |taken: &&Taken| {
        let delivery = &taken.delivery;
        let text = delivery.event.to_string().replace("Status\":\"", "Status");
        delivery.function == row.function && text.contains(row.says)
    };
    outcome.taken.iter().filter(says).nth(row.nth).unwrap_or_else(|| panic!("no event is {}", row.what))
}

/// `UPDATE_DOCS=1` writes the table anew.
#[test]
fn the_calls_of_each_event_are_listed_and_bounded() {
    let stories: Vec<Scenario> = ALL.into_iter().chain([IDLE]).collect();
    let mut told: Vec<(&str, Outcome)> = Vec::new();
    let mut table = String::from("| event | calls | which, in their order |\n|---|---|---|\n");
    for row in &ROWS {
        if !told.iter().any(|(name, _)| *name == row.story) {
            let story = stories.iter().find(|story| story.name == row.story).unwrap();
            told.push((row.story, play(story.start(), 0, false)));
        }
        let (_, outcome) = told.iter().find(|(name, _)| *name == row.story).unwrap();
        let calls = &outcome.cloud.calls[taken(outcome, row).calls.clone()];
        let _ = writeln!(table, "| {} | {} | {} |", row.what, calls.len(), listed(calls));
        if row.what == DUPLICATE {
            assert_eq!(listed(calls), "dynamodb.GetItem", "{DUPLICATE}");
        }
        if ORDINARY.contains(&row.what) {
            assert!(calls.len() <= 3, "{}: {}", row.what, listed(calls));
        }
    }
    let text = format!(
        "# What an event costs\n\n\
         Generated by the test `the_calls_of_each_event_are_listed_and_bounded`, which counts them on the wire. To write \
         it anew:\n`UPDATE_DOCS=1 cargo test --workspace --test faults calls`.\n\n\
         One pipeline is applied, and each object is one; a run of more objects has a `s3.CopyObject` for each. A \
         duplicate arrival\ncosts one call, an ordinary status event at most three.\n\n{table}"
    );
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/CALLS.md");
    let stored = std::fs::read_to_string(path).unwrap_or_default();
    // What follows is of the test `the_calls_of_a_sign_in_are_listed_and_bounded`.
    let (before, after) = stored.split_at(stored.find("\n# What a sign-in costs\n").unwrap_or(stored.len()));
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, format!("{text}{after}")).unwrap();
        return;
    }
    assert!(
        before == text,
        "docs/CALLS.md is stale: run UPDATE_DOCS=1 cargo test --workspace --test faults calls\n{text}"
    );
}
