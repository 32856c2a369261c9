//! Pipeline executions: the definition, its expressions and graph, and what runs them.

pub mod condition;
pub mod definition;
pub mod expr;
pub mod graph;
pub mod path;

pub use definition::Definition;

/// Takes up the executions and jobs that an earlier engine left. The server calls it once at start, when the port is
/// bound and before the first request is answered.
pub async fn resume(_engine: &std::sync::Arc<crate::engine::Engine>) {}

use std::sync::Arc;

use crate::engine::Engine;

/// Takes up the executions that an earlier engine left.
pub async fn resume(_engine: &Arc<Engine>) {}
