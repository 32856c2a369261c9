//! Planning of Studio domains, before anything is made or changed.

pub(crate) mod addresses;
pub(crate) mod check;
pub(crate) mod file;
