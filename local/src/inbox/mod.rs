//! The inbox: notifications that SNS delivers over HTTP, kept as files.

use std::sync::Arc;

use axum::Router;

use crate::engine::Engine;

/// The routes of this part of the engine.
pub fn router(_engine: Arc<Engine>) -> Router {
    Router::new()
}
