//! EventBridge Scheduler: its API (restJson1) and the clock that fires.
//!
//! Schedules live in the engine's store and survive a restart. Unlike AWS's, this scheduler can be down: what was due
//! meanwhile is made up for once for each schedule, with the latest time that is not older than the schedule's
//! `MaximumEventAgeInSeconds`; when all are older, one goes to the schedule's dead-letter queue. A target is invoked within a second of the due time (AWS: within the minute), a flexible
//! window at its beginning, and retries come sooner than on AWS.

mod api;
mod clock;
mod context;
mod error;
mod expression;
mod group;
mod model;
mod target;
mod validate;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

pub use error::Error;
pub use expression::{Expression, Plan};

use crate::engine::Engine;

/// The routes of the Scheduler API. The clock starts with them, as a background task of the engine.
pub fn router(engine: Arc<Engine>) -> Router {
    engine.tasks.spawn(clock::run(Arc::clone(&engine)));
    Router::new()
        .route("/schedules", get(api::list))
        .route("/schedules/{name}", get(api::get).post(api::create).put(api::update).delete(api::delete))
        .route("/schedule-groups", get(group::list))
        .route("/schedule-groups/{name}", get(group::get).post(group::create).delete(group::delete))
        .route("/tags/{*resource}", get(group::tags).post(group::tag).delete(group::untag))
        .with_state(engine)
}
