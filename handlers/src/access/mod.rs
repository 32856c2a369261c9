//! The way into Studio: who was signed for by an identity provider or by Cognito gets a URL that opens the own profile.
//!
//! `studio-access` takes assertions, tickets and tokens, and is the only function that makes URLs; `studio-sign-in` goes to
//! Cognito's pages and back, and ends with a ticket (docs/adr/0015-two-functions-one-that-mints.md). What is decided, is
//! decided by the crate `access` from what was signed; here is what it needs of the world: the table, SageMaker, STS, HTTPS.
//!
//! Of assertions, tokens, codes, cookies, verifiers and URLs nothing is logged: the types that hold them have no `Debug`.

mod answer;
mod api;
mod cognito;
mod enter;
mod page;
mod problem;
mod request;
mod saml;
mod secret;
mod serve;
mod service;
mod store;
mod studio;
#[cfg(test)]
mod tests;

pub use serve::serve;
pub use service::Function;
