//! One module for each command.

pub(crate) mod apply;
pub(crate) mod approve;
pub(crate) mod completions;
pub(crate) mod cost;
pub(crate) mod demo;
pub(crate) mod dlq;
pub(crate) mod drop;
pub(crate) mod lineage;
pub(crate) mod local;
pub(crate) mod plan;
pub(crate) mod replay;
pub(crate) mod run;
pub(crate) mod runs;
pub(crate) mod start;
pub(crate) mod stop;
pub(crate) mod studio;
pub(crate) mod why;
