//! A signing key and its self-signed certificate.

use std::time::Duration;

use bergshamra::keys::loader::{load_pem_auto, load_x509_cert_der};
use bergshamra::{DsigContext, Key, KeysManager};
use jiff::Timestamp;
use rcgen::{
    CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_RSA_SHA256, RsaKeySize,
};

use crate::Error;

/// The kind of a signing key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA of 2048 bits.
    Rsa2048,
    /// ECDSA over P-256.
    EcdsaP256,
    /// ECDSA over P-384.
    EcdsaP384,
}

/// A signing key with its self-signed certificate.
#[derive(Clone)]
pub struct Identity {
    kind: KeyKind,
    key: Key,
    key_pem: String,
    certificate_pem: String,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Identity").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl Identity {
    /// A new key, and a certificate of the common name `name` that is valid from `not_before` to `not_after`, both
    /// included, in whole seconds and not before 1970.
    ///
    /// # Errors
    /// When the cryptographic library cannot make the key or the certificate.
    pub fn new(kind: KeyKind, name: &str, not_before: Timestamp, not_after: Timestamp) -> Result<Self, Error> {
        let pair = match kind {
            KeyKind::Rsa2048 => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?,
            KeyKind::EcdsaP256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?,
            KeyKind::EcdsaP384 => KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384)?,
        };
        let since_epoch = |time: Timestamp| Duration::from_secs(time.as_second().try_into().unwrap_or(0));
        let mut parameters = CertificateParams::new(Vec::new())?;
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.not_before = rcgen::date_time_ymd(1970, 1, 1) + since_epoch(not_before);
        parameters.not_after = rcgen::date_time_ymd(1970, 1, 1) + since_epoch(not_after);
        let certificate = parameters.self_signed(&pair)?;
        Self::of(kind, pair.serialize_pem(), certificate.pem(), certificate.der())
    }

    /// The identity of a key (PKCS #8) and a certificate that [`Identity::key_pem`] and [`Identity::certificate_pem`]
    /// gave earlier.
    ///
    /// # Errors
    /// When one of them cannot be read, or the key is neither RSA nor ECDSA over P-256 or P-384.
    pub fn from_pem(key_pem: &str, certificate_pem: &str) -> Result<Self, Error> {
        let pair = KeyPair::from_pem(key_pem)?;
        let kind = match pair.algorithm() {
            algorithm if *algorithm == PKCS_ECDSA_P256_SHA256 => KeyKind::EcdsaP256,
            algorithm if *algorithm == PKCS_ECDSA_P384_SHA384 => KeyKind::EcdsaP384,
            _ => KeyKind::Rsa2048,
        };
        let der = load_pem_auto(certificate_pem.as_bytes(), None)?.x509_chain.into_iter().next().unwrap_or_default();
        Self::of(kind, key_pem.to_owned(), certificate_pem.to_owned(), &der)
    }

    fn of(kind: KeyKind, key_pem: String, certificate_pem: String, der: &[u8]) -> Result<Self, Error> {
        let mut key = load_pem_auto(key_pem.as_bytes(), None)?;
        // Read once, so that what cannot be read is found here and not by the service provider.
        key.x509_chain = load_x509_cert_der(der)?.x509_chain;
        Ok(Self { kind, key, key_pem, certificate_pem })
    }

    /// The kind of the key.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The private key, PKCS #8 in PEM: to keep one identity over restarts of the local cloud.
    #[must_use]
    pub fn key_pem(&self) -> &str {
        &self.key_pem
    }

    /// The certificate in PEM: what a service provider pins.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// The certificate in DER.
    #[must_use]
    pub fn certificate_der(&self) -> &[u8] {
        self.key.x509_chain.first().map_or(&[], Vec::as_slice)
    }

    /// Fills the first Signature template of `xml` (empty DigestValue, SignatureValue and X509Data) with this key, for
    /// signatures that [`Identity::sign`] does not make.
    ///
    /// # Errors
    /// When there is no template, or it names what the signer cannot do.
    pub fn sign_template(&self, xml: &str) -> Result<String, Error> {
        let mut keys = KeysManager::new();
        keys.add_key(self.key.clone());
        Ok(bergshamra::sign(&DsigContext::new(keys), xml)?)
    }
}
