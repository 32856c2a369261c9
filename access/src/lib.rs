//! Who may enter Studio, decided from what was signed. Pure: no I/O, no clock, no randomness, no AWS crate.

pub mod config;
pub mod person;
pub mod saml;
pub mod token;
