//! The ledger: one DynamoDB table that holds all that Tidegate knows.
//!
//! | `pk` | `sk` | what |
//! |---|---|---|
//! | `run#<id>` | `state` | a run, whole, with its outbox; `version` fences it |
//! | `endpoint#<name>` | `state` | an endpoint's champion, deployment and queue; `version` fences it |
//! | `queue#<pipeline>` | `state` | the run that collects objects, the runs under way, the runs that wait; `version` fences it |
//! | `object#s3://<bucket>/<key>` | `object#<version>` | what became of a version of an object; goes after 90 days |
//! | `object#s3://<bucket>/<key>` | `taken#<version>#<pipeline>` | the run that reads it |
//! | `execution#<arn>`, `package#<arn>` | `run` | which run it belongs to |
//! | `node#<id>` | `node` | a lineage node with its facts |
//! | `node#<id>` | `to#…`, `from#…` | a lineage edge, once from each side |
//! | `pipelines` | `<name>` | a pipeline as it was applied |
//! | `tidegate` | `settings` | where the orchestrator's resources are |
//!
//! The index `by-time` lists a pipeline's runs: `gsi_pk` is `runs#<pipeline>`, `gsi_sk` the time of creation. The index
//! `by-due` lists the runs of which something is expected: `due_pk` is `due`, `due_sk` the time at which the sweep is to look
//! at the run. Runs at an end with nothing left to do are not in it.

mod commit;
mod item;
mod lineage;
mod objects;
mod pipelines;
mod runs;

pub use commit::{Change, CommitError};
pub use lineage::{Direction, Neighbour, NodeView};
pub use objects::{ObjectChange, ObjectOutcome, ObjectRecord};
pub use pipelines::{Complete, Expected, PipelineRecord, Verdict, Wait};
pub use runs::{RunPage, Versioned};

use aws_sdk_dynamodb::Client;
use jiff::SignedDuration;
use statemachine::text::one_line;

use crate::settings::SILENCE;

/// The ledger, by its table.
#[derive(Clone, Copy, Debug)]
pub struct Ledger<'a> {
    client: &'a Client,
    table: &'a str,
    silence: SignedDuration,
}

/// The ledger could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// DynamoDB refused or could not be reached.
    #[error("the ledger `{table}` cannot be {verb}: {reason}")]
    Call {
        /// The table.
        table: String,
        /// read or written.
        verb: &'static str,
        /// In the SDK's words.
        reason: String,
    },
    /// An item is not of the form that this version writes or knows.
    #[error("item `{key}` of the ledger is malformed: {reason}; it was written by another version or by hand")]
    Malformed {
        /// Which.
        key: String,
        /// How.
        reason: String,
    },
}

impl<'a> Ledger<'a> {
    /// A ledger over a client.
    #[must_use]
    pub fn new(client: &'a Client, table: &'a str) -> Self {
        Self { client, table, silence: SILENCE }
    }

    /// With another time after which a silent run is due.
    #[must_use]
    pub fn with_silence(self, silence: SignedDuration) -> Self {
        Self { silence, ..self }
    }

    fn read_failed<E: std::error::Error + Send + Sync + 'static>(&self, error: E) -> LedgerError {
        self.failed("read", error)
    }

    fn write_failed<E: std::error::Error + Send + Sync + 'static>(&self, error: E) -> LedgerError {
        self.failed("written", error)
    }

    fn failed<E: std::error::Error + Send + Sync + 'static>(&self, verb: &'static str, error: E) -> LedgerError {
        let mut reason = error.to_string();
        // The outermost alone says as little as "service error".
        let mut inner = error.source();
        while let Some(error) = inner {
            reason.push_str(&format!(": {error}"));
            inner = error.source();
        }
        LedgerError::Call { table: self.table.to_owned(), verb, reason: one_line(&reason, 500) }
    }
}
