//! Endpoints: one server process each.

use std::sync::Arc;

use axum::Router;

use crate::engine::Engine;

/// SageMaker Runtime.
pub fn router(_engine: Arc<Engine>) -> Router {
    Router::new()
}

/// Starts again what was in service.
pub async fn resume(_engine: &Arc<Engine>) {}
