//! How results look to people. Everything here is pure: what is shown, and the time now, are arguments.

pub(crate) mod addresses;
pub(crate) mod check;
pub(crate) mod cost;
pub(crate) mod dlq;
#[cfg(test)]
pub(crate) mod fixtures;
pub(crate) mod inbox;
pub(crate) mod lineage;
pub(crate) mod plan;
pub(crate) mod restore;
pub(crate) mod run;
pub(crate) mod runs;
pub(crate) mod status;
mod style;
mod table;
pub(crate) mod time;
pub(crate) mod why;

pub(crate) use style::Style;
