//! The certificates of the identity provider that are pinned.

use bergshamra::keys::loader::load_x509_cert_der;
use bergshamra::{Key, KeysManager};
use jiff::Timestamp;
use x509_parser::pem::Pem;
use x509_parser::public_key::PublicKey;

/// The shortest RSA key that is taken, in bits (NIST SP 800-131A revision 2).
const RSA_BITS: usize = 2048;

/// Why a set of certificates cannot be pinned. Certificates are no secrets; still nothing of them is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// None was given.
    #[error("no certificate of the identity provider is configured: give at least one")]
    None,
    /// Not a PEM of one certificate.
    #[error("certificate {0} is not the PEM of one X.509 certificate")]
    Pem(usize),
    /// Not an RSA or ECDSA key that the verifier has.
    #[error("certificate {0} has neither an RSA key nor an ECDSA key on P-256, P-384 or P-521")]
    Key(usize),
    /// A short RSA key.
    #[error("certificate {0} has an RSA key of less than 2048 bits: renew it at the identity provider")]
    ShortKey(usize),
}

/// The pinned certificates: at least one, several while the identity provider changes its own. Each verifies only within its
/// own validity. Nothing else of a certificate counts: no chain, no revocation, no key usage, since what is pinned is trusted
/// for itself (Metadata for SAML V2.0, section 2.4.1.1, and its interoperability profile treat them so, too).
#[derive(Clone)]
pub struct Certificates {
    pinned: Vec<Pinned>,
}

#[derive(Clone)]
struct Pinned {
    key: Key,
    not_before: i64,
    not_after: i64,
}

impl Pinned {
    /// Both ends belong to the validity (RFC 5280, section 4.1.2.5).
    fn is_valid(&self, now: Timestamp) -> bool {
        (self.not_before..=self.not_after).contains(&now.as_second())
    }
}

impl std::fmt::Debug for Certificates {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Certificates").field("pinned", &self.pinned.len()).finish()
    }
}

impl Certificates {
    /// Reads certificates, each the PEM of exactly one.
    ///
    /// # Errors
    /// [`CertificateError`] with the position, from 1, of the first that cannot be pinned; none at all is an error, too.
    pub fn parse<T: AsRef<str>>(pems: impl IntoIterator<Item = T>) -> Result<Self, CertificateError> {
        let pinned: Vec<Pinned> = pems
            .into_iter()
            .enumerate()
            .map(|(index, pem)| pin(pem.as_ref(), index + 1))
            .collect::<Result<_, CertificateError>>()?;
        if pinned.is_empty() { Err(CertificateError::None) } else { Ok(Self { pinned }) }
    }

    /// The moments at which the certificates end, in the order in which they were given: to warn before the last one does.
    pub fn ends(&self) -> impl Iterator<Item = Timestamp> + '_ {
        self.pinned.iter().map(|pinned| Timestamp::from_second(pinned.not_after).unwrap_or(Timestamp::MAX))
    }

    /// The keys of the certificates that are valid at `now`, or of the others.
    pub(super) fn keys(&self, now: Timestamp, valid: bool) -> KeysManager {
        let mut keys = KeysManager::new();
        keys.add_keys(self.pinned.iter().filter(|pinned| pinned.is_valid(now) == valid).map(|found| found.key.clone()));
        keys
    }
}

fn pin(pem: &str, position: usize) -> Result<Pinned, CertificateError> {
    let wrong = CertificateError::Pem(position);
    let mut blocks = Pem::iter_from_buffer(pem.trim().as_bytes());
    let block = blocks.next().ok_or(wrong)?.map_err(|_| wrong)?;
    if block.label != "CERTIFICATE" || blocks.next().is_some() {
        return Err(wrong);
    }
    let certificate = block.parse_x509().map_err(|_| wrong)?;
    match certificate.public_key().parsed() {
        Ok(PublicKey::RSA(key)) if key.key_size() < RSA_BITS => return Err(CertificateError::ShortKey(position)),
        Ok(PublicKey::RSA(_) | PublicKey::EC(_)) => {}
        _ => return Err(CertificateError::Key(position)),
    }
    let mut key = load_x509_cert_der(&block.contents).map_err(|_| CertificateError::Key(position))?;
    // Without the certificate at the key, nothing in the verifier can take to chains or names.
    key.x509_chain.clear();
    let validity = certificate.validity();
    Ok(Pinned { key, not_before: validity.not_before.timestamp(), not_after: validity.not_after.timestamp() })
}
