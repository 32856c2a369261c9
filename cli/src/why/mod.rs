//! Why something came to what it came to: the ledger's records, in sentences. Everything here is pure.

mod object;
mod run;
mod schedule;

pub(crate) use object::{Fate, Found, There, object};
pub(crate) use run::{Around, run};
pub(crate) use schedule::{Due, Fired, schedule};

use jiff::Timestamp;
use serde::Serialize;

/// An explanation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Why {
    /// What is explained.
    pub(crate) about: String,
    /// Where it stands.
    pub(crate) state: String,
    /// The newest cause, as a sentence.
    pub(crate) because: String,
    /// What led to it, the newest first.
    pub(crate) chain: Vec<Cause>,
    /// The gate's decision by criterion, where there was one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) gate: Vec<Criterion>,
    /// What is expected by itself, the earliest first.
    pub(crate) next: Vec<Cause>,
    /// What a person can do.
    pub(crate) todo: Vec<Todo>,
}

/// Something that happened, or is to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Cause {
    pub(crate) at: Option<Timestamp>,
    pub(crate) what: String,
}

/// A demand of the gate.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Criterion {
    pub(crate) passed: bool,
    pub(crate) explanation: String,
}

/// Something that a person can do.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Todo {
    /// What for.
    pub(crate) to: String,
    pub(crate) command: String,
}

impl Cause {
    fn at(at: Timestamp, what: impl Into<String>) -> Self {
        Self { at: Some(at), what: what.into() }
    }

    fn timeless(what: impl Into<String>) -> Self {
        Self { at: None, what: what.into() }
    }
}

impl Todo {
    fn new(to: impl Into<String>, command: impl Into<String>) -> Self {
        Self { to: to.into(), command: command.into() }
    }
}

/// `1 object`, `2 objects`
fn counted(number: usize, one: &str) -> String {
    format!("{number} {one}{}", if number == 1 { "" } else { "s" })
}
