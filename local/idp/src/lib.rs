//! A small SAML 2.0 identity provider, as a library: a signing key with its self-signed certificate, signed Responses
//! from a short description, and the AuthnRequests that a service provider sends. For tests and for the local cloud; it
//! asks nobody for a password, so it must never be what production trusts.

mod description;
mod identity;
mod request;
mod sign;

pub use description::{NAME_ID_PERSISTENT, NAME_ID_UNSPECIFIED, Response, STATUS_SUCCESS, form_body};
pub use identity::{Identity, KeyKind};
pub use request::Request;
pub use sign::{Algorithms, Signed};

/// Why a key, a Response or a request could not be made or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The key pair or its certificate.
    #[error("cannot make the certificate of the identity provider: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The signer, or what it was given to sign.
    #[error("cannot sign: {0}")]
    Sign(#[from] bergshamra::Error),
    /// The element to sign is not in the document.
    #[error("no element with the ID `{0}` to sign")]
    NoSuchElement(String),
    /// A request that is not an AuthnRequest of the HTTP-Redirect binding.
    #[error("not an AuthnRequest of the HTTP-Redirect binding: {0}")]
    Request(String),
}
