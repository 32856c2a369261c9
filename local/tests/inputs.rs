//! Any definition is read or refused by the engine, and whatever is rendered is read.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr)]
#![allow(unreachable_pub, dead_code)]

#[path = "../../fuzz/src/bounded.rs"]
mod bounded;
#[path = "../../fuzz/src/definitions.rs"]
mod definitions;
#[path = "../../fuzz/src/documents.rs"]
mod documents;

#[test]
fn any_definition_is_read_or_refused() {
    bounded::run("definition", definitions::definition, 256);
}
