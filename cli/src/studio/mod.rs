//! Studio domains: planning before anything is made or changed, and what is kept for the day on which one is lost.

pub(crate) mod addresses;
pub(crate) mod backup;
pub(crate) mod check;
pub(crate) mod file;
pub(crate) mod manifest;
pub(crate) mod restore;
