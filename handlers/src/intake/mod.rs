//! From an AWS event to events of the core.
//!
//! What cannot be parsed, or is not from where it says, is an error: Lambda hands the event to the function's on-failure
//! destination, and nothing is acknowledged that was not understood.

mod arrival;
mod ask;
mod completion;
mod endpoint;
mod envelope;
mod package;
mod schedule;
mod status;

pub use arrival::{Arrived, read_arrival};
pub use completion::manifest_keys;
pub use endpoint::{EndpointNews, read_endpoint_status};
pub use envelope::{Envelope, Scope};
pub use package::{Decided, read_model_package};
pub use schedule::{Answer, Errand, Firing, read_errand};
pub use status::{StatusChange, StatusNews, read_pipeline_status};

use statemachine::Event;
use statemachine::text::one_line;

use crate::drive::{Drive, DriveError};
use crate::ledger::{Ledger, LedgerError};
use crate::observe::{Observe, ObserveError};
use crate::settings::Context;

/// The most that is told of what is wrong with an event, in characters. The text goes into the log, and with the event
/// itself into a dead-letter queue, whose messages are bounded.
const REASON_LIMIT: usize = 1000;

/// Why an event was not handled.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The event is not what this function is for, or is not well-formed.
    #[error("the event cannot be read: {}", one_line(.0, REASON_LIMIT))]
    Unreadable(String),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A question to AWS failed.
    #[error(transparent)]
    Observe(#[from] ObserveError),
    /// It was read, and could not be done.
    #[error(transparent)]
    Drive(#[from] DriveError),
    /// The objects of a pipeline come faster than they can be collected.
    #[error("the objects of pipeline `{0}` come faster than they can be collected; the event is to be tried again")]
    Crowded(String),
}

/// One event's way in.
#[derive(Debug)]
pub struct Intake<'a> {
    context: &'a Context,
    scope: Scope,
    drive: Drive<'a>,
}

impl<'a> Intake<'a> {
    /// An intake for one invocation.
    #[must_use]
    pub fn new(context: &'a Context, scope: Scope) -> Self {
        Self { context, scope, drive: Drive::new(context) }
    }

    fn ledger(&self) -> Ledger<'a> {
        self.drive.ledger()
    }

    fn observe(&self) -> Observe<'a> {
        Observe::new(&self.context.aws)
    }

    /// An event of this moment.
    fn now(&self, kind: statemachine::EventKind) -> Event {
        Event { at: self.context.clock.now(), kind }
    }
}
