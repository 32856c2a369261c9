//! What a browser is given to show again.
//!
//! The cookie holds 256 random bits; what is stored, and what goes around as a request's id or a `state`, is their SHA-256.
//! So nobody who reads the table, the IdP's log or a URL has the cookie, and a look-up by the digest needs no comparison in
//! constant time.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

const BYTES: usize = 32;

/// 256 bits that nobody guesses.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Secret([u8; BYTES]);

/// The operating system gave no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gave no random bytes")]
pub(super) struct NoRandomness;

impl Secret {
    pub(super) fn new() -> Result<Self, NoRandomness> {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes).map_err(|_| NoRandomness)?;
        Ok(Self(bytes))
    }

    /// From a cookie; `None` for what is none of ours.
    pub(super) fn parse(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    /// For a cookie.
    pub(super) fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// What it is stored under, and known by outside: 64 hexadecimal digits.
    pub(super) fn id(&self) -> String {
        hex(&Sha256::digest(self.0))
    }

    /// The code verifier that belongs to it (RFC 7636): so that it is stored nowhere.
    pub(super) fn verifier(&self) -> String {
        let mut hash = Sha256::new();
        hash.update("tidegate code verifier\n");
        hash.update(self.0);
        URL_SAFE_NO_PAD.encode(hash.finalize())
    }

    /// The verifier's challenge, by S256.
    pub(super) fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_outside_does_not_tell_the_cookie() {
        let secret = Secret::new().unwrap();
        assert_ne!(secret, Secret::new().unwrap());
        assert_eq!(Secret::parse(&secret.text()), Some(secret.clone()));
        assert_eq!(secret.id().len(), 64);
        // RFC 7636 wants 43 to 128 characters.
        assert_eq!((secret.verifier().len(), secret.challenge().len()), (43, 43));
        let texts = [secret.text(), secret.id(), secret.verifier(), secret.challenge()];
        assert!(texts.iter().enumerate().all(|(n, text)| !texts[n + 1..].contains(text)));
        for bad in ["", "a", &secret.text()[1..], &format!("{}A", secret.text()), "%%%"] {
            assert_eq!(Secret::parse(bad), None, "{bad}");
        }
        assert_eq!(format!("{secret:?}"), "Secret");
    }
}
