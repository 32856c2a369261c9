//! Pipeline executions: the definition, its expressions and graph, and what runs them.

pub mod condition;
pub mod definition;
pub mod expr;
pub mod graph;
pub mod path;

pub use definition::Definition;

use std::sync::Arc;

use crate::engine::Engine;

/// Takes up the executions that an earlier engine left.
pub async fn resume(_engine: &Arc<Engine>) {}
