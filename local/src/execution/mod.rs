//! Pipeline executions: the definition, its expressions and graph, and what runs them.

use std::sync::Arc;

use crate::engine::Engine;

/// Takes up the executions and jobs that an earlier engine left, once at start.
pub async fn resume(_engine: &Arc<Engine>) {}
