//! The targets: one function for each thing that comes in, to be given any bytes. It panics where a promise is broken.
//!
//! The programs in `fuzz_targets` give them to libFuzzer. Tests of the crates under test include the same modules, and
//! `bounded`, by their paths.

pub mod documents;
#[cfg(feature = "cloud")]
pub mod definitions;
#[cfg(feature = "cloud")]
pub mod events;
pub mod saml;
