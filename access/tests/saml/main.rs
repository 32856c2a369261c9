//! What `access::saml` accepts and refuses. The threat table of docs/ACCESS.md names these tests.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod attacks;
mod certificates;
mod checks;
mod foreign;
mod form;
mod look;
mod mutations;
mod oracle;
mod request;
mod support;
mod times;
mod wrapping;
