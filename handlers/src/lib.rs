//! How it happens: events in, decisions committed, commands carried out.
//!
//! An event takes one road: [`intake`] reads it, [`statemachine::decide`] answers, [`ledger`] stores the answer under
//! the version that was read, [`effects`] carries out the commands that the answer holds; [`drive`] is the loop that
//! joins them. The binaries in `src/bin` are one Lambda function each and hold nothing but their wiring.

pub mod access;
pub mod apply;
pub mod aws;
pub mod cloudformation;
pub mod drive;
pub mod effects;
pub mod intake;
pub mod ledger;
pub mod observe;
pub mod resource;
pub mod runtime;
pub mod settings;
pub mod signed;
pub mod studio;
pub mod sweep;
