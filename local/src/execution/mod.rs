//! Pipeline executions: the definition, its expressions and graph, and what runs them.
//!
//! An execution is a document in the store that changes with every step, so that the next engine can take it up.

mod attempt;
mod cache;
pub mod condition;
pub mod control;
pub mod definition;
mod events;
mod executor;
pub mod expr;
pub mod graph;
mod names;
pub mod path;
pub mod record;
mod retry;
mod step;

use std::sync::Arc;

pub use definition::Definition;

use crate::engine::Engine;

/// Takes up the executions that an earlier engine left. Jobs that were running then have failed.
pub async fn resume(engine: &Arc<Engine>) {
    let left = crate::jobs::fail_left_over(engine).map_err(crate::api::Error::from);
    if let Err(error) = left.and_then(|()| executor::resume(engine)) {
        tracing::error!(%error, "cannot take up what was left");
    }
}
