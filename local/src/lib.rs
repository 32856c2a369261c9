//! The cloud on one machine: a SageMaker engine that really runs the steps, EventBridge Scheduler, an inbox for
//! notifications, and the launcher of MiniStack, which is everything else.
//!
//! The engine is one HTTP server on loopback. It speaks AWS JSON 1.1 (SageMaker), SageMaker Runtime and the Scheduler's
//! REST protocol, so that the AWS CLI, boto3 and the AWS SDKs use it unchanged.

pub mod api;
pub mod cloud;
pub mod engine;
mod error;
pub mod events;
pub mod execution;
pub mod faults;
pub mod hosting;
pub mod idp;
pub mod inbox;
pub mod jobs;
pub mod model;
pub mod scheduler;
pub mod store;

pub use error::Error;
