//! A manifest into a domain: what is missing is made, what is there and equal is taken as it is, what differs is told.
//!
//! [`plan`] is pure. [`apply`] does what it says and changes nothing else.

pub(crate) mod apply;
mod differ;
mod plan;
mod references;
pub(crate) mod script;
#[cfg(test)]
mod tests;

pub(crate) use differ::Difference;
pub(crate) use plan::{Action, Item, Plan, There, Wishes, plan};
