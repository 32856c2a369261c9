//! docs/LIFECYCLE.md says what `decide` does.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, reason = "the test, not the core, reads and writes the document")]

// What the fixtures know by these names: they are those of the unit tests.
use statemachine::run::*;
use statemachine::{endpoint, gate, queue};

#[allow(dead_code, reason = "the unit tests use the rest")]
#[path = "../src/run/fixtures.rs"]
mod fixtures;

use fixtures::*;

#[test]
fn the_lifecycle_table_in_the_docs_is_fresh() {
    let worlds: Vec<_> = Phase::ALL
        .into_iter()
        .map(|phase| {
            let world = world_in(phase);
            (phase, world.run.unwrap(), world.around)
        })
        .collect();
    let table = lifecycle_table(&worlds, &every_event);
    let text = format!(
        "# The lifecycle of a run\n\nGenerated from `statemachine::decide` by its test \
         `the_lifecycle_table_in_the_docs_is_fresh`: what each event does in each phase. To write it anew:\n\
         `UPDATE_DOCS=1 cargo test --workspace --test lifecycle`.\n\n{table}"
    );
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/LIFECYCLE.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    let stored = std::fs::read_to_string(path).unwrap_or_default();
    assert!(stored == text, "docs/LIFECYCLE.md is stale: run UPDATE_DOCS=1 cargo test --workspace --test lifecycle");
}
