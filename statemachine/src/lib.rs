//! What must happen, and never how: the pure core of Tidegate.
//!
//! Nothing here does input or output, reads a clock, draws a random number or knows an AWS crate. Handlers turn an AWS
//! event into an [`Event`], ask [`decide`], commit the answer under the version that they read, and carry out the
//! commands that it holds.

pub mod alert;
pub mod config;
pub mod definition;
pub mod endpoint;
pub mod gate;
pub mod lineage;
pub mod queue;
pub mod run;
pub mod text;

pub use endpoint::Endpoint;
pub use queue::Queue;
pub use run::{Around, Decision, Event, EventKind, Run, RunId, decide};
