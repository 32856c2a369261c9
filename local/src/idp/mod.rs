//! An identity provider on loopback, for the demo and for end-to-end tests: it asks nobody for a password. Who the people
//! are, and what is said of them, is in one file; it is read at each request, so that it can be changed meanwhile.

mod identity;
mod page;
mod people;
mod server;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

pub use identity::certificate;
pub use server::{Server, run};

/// The identity provider's usual port.
pub const PORT: u16 = 4568;

/// What the identity provider is started with.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder of the local cloud's state (`.tidegate`). Key and certificate are in `idp/` in it.
    pub home: PathBuf,
    /// Port on 127.0.0.1. 0 takes a free one.
    pub port: u16,
    /// The people and the service providers, a JSON file:
    ///
    /// ```json
    /// {"people": [{"name": "ana@example.com", "attributes": {"domain": ["team1"]}}],
    ///  "apps": [{"name": "studio", "audience": "https://sp.example/", "acs": "https://sp.example/saml"}]}
    /// ```
    ///
    /// A person may have a `nameId` other than the name, and a `nameIdFormat`; an app a `relayState` for sign-in that
    /// starts here, and `sessionSeconds`.
    pub people: PathBuf,
    /// The entity ID, which is the Issuer of all assertions; the URL of the metadata unless it is given.
    pub issuer: Option<String>,
}

/// Why the identity provider cannot start or answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be read or written.
    #[error("{what} `{file}`: {source}")]
    File {
        /// What was tried.
        what: &'static str,
        /// The file.
        file: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The file of people does not have its form.
    #[error("`{file}` does not describe people and apps: {source}")]
    People {
        /// The file.
        file: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// The key, the certificate, a request or a Response.
    #[error(transparent)]
    Saml(#[from] ::idp::Error),
    /// A request that the file of people gives no reason to answer.
    #[error("{0}")]
    Stranger(String),
    /// The port cannot be had.
    #[error("cannot listen on 127.0.0.1:{port}: {source}")]
    Listen {
        /// The port.
        port: u16,
        /// Why.
        source: std::io::Error,
    },
    /// The server ended by itself.
    #[error("the identity provider's server stopped: {0}")]
    Server(std::io::Error),
}
