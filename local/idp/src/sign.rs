//! Signatures as identity providers make them: enveloped, exclusive canonicalisation, right after the Issuer.

use bergshamra::core::{algorithm, ns};
use uppsala::{Document, NodeId};

use crate::{Error, Identity, KeyKind};

/// Which elements of a Response are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signed {
    /// The Assertion alone: what most identity providers do.
    Assertion,
    /// The Assertion, then the Response around it.
    Both,
    /// The Response alone: what Tidegate refuses.
    Response,
}

/// The algorithms of a signature, as URIs of XML Signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Algorithms {
    /// SignatureMethod.
    pub signature: &'static str,
    /// DigestMethod.
    pub digest: &'static str,
}

impl Algorithms {
    /// What the key of `kind` usually signs with: SHA-256, but SHA-384 on P-384.
    #[must_use]
    pub fn usual(kind: KeyKind) -> Self {
        let signature = match kind {
            KeyKind::Rsa2048 => algorithm::RSA_SHA256,
            KeyKind::EcdsaP256 => algorithm::ECDSA_SHA256,
            KeyKind::EcdsaP384 => algorithm::ECDSA_SHA384,
        };
        Self { signature, digest: algorithm::SHA256 }
    }
}

impl Identity {
    /// Signs the element of `xml` whose `ID` is `id`: enveloped, exclusive canonicalisation, the usual algorithms, certificate in
    /// KeyInfo, as its child after the Issuer (or as its first child). What is outside of the new Signature stays byte for
    /// byte as it was.
    ///
    /// # Errors
    /// When `xml` cannot be read, has no such element, or has a Signature before it in document order.
    pub fn sign(&self, xml: &str, id: &str) -> Result<String, Error> {
        self.sign_with(xml, id, Algorithms::usual(self.kind()))
    }

    /// [`Identity::sign`] with other algorithms.
    ///
    /// # Errors
    /// As [`Identity::sign`]; also when the signer does not have the algorithm.
    pub fn sign_with(&self, xml: &str, id: &str, algorithms: Algorithms) -> Result<String, Error> {
        let place = place_of_signature(xml, id)?;
        let (before, after) = xml.split_at_checked(place).ok_or_else(|| Error::NoSuchElement(id.to_owned()))?;
        self.sign_template(&format!("{before}{}{after}", template(id, algorithms)))
    }
}

/// An empty Signature over the element `id`, to be filled by the signer.
fn template(id: &str, algorithms: Algorithms) -> String {
    let Algorithms { signature, digest } = algorithms;
    format!(
        "<ds:Signature xmlns:ds=\"{dsig}\"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm=\"{c14n}\"/>\
         <ds:SignatureMethod Algorithm=\"{signature}\"/><ds:Reference URI=\"#{id}\"><ds:Transforms>\
         <ds:Transform Algorithm=\"{enveloped}\"/><ds:Transform Algorithm=\"{c14n}\"/></ds:Transforms>\
         <ds:DigestMethod Algorithm=\"{digest}\"/><ds:DigestValue></ds:DigestValue></ds:Reference></ds:SignedInfo>\
         <ds:SignatureValue></ds:SignatureValue><ds:KeyInfo><ds:X509Data/></ds:KeyInfo></ds:Signature>",
        dsig = ns::DSIG,
        c14n = algorithm::EXC_C14N,
        enveloped = algorithm::ENVELOPED_SIGNATURE,
    )
}

/// The byte of `xml` where the Signature of the element `id` goes.
fn place_of_signature(xml: &str, id: &str) -> Result<usize, Error> {
    let unreadable = |error: uppsala::XmlError| bergshamra::Error::XmlParse(error.to_string());
    let document = uppsala::parse(xml).map_err(unreadable)?;
    let missing = || Error::NoSuchElement(id.to_owned());
    let root = document.document_element().ok_or_else(missing)?;
    let element = std::iter::once(root)
        .chain(document.descendants(root))
        .find(|node| document.get_attribute(*node, "ID") == Some(id))
        .ok_or_else(missing)?;
    let children = document.children(element);
    let range = |node: NodeId| document.node_range(node).ok_or_else(missing);
    match (children.iter().find(|node| is_issuer(&document, **node)), children.first()) {
        (Some(issuer), _) => Ok(range(*issuer)?.end),
        (None, Some(first)) => Ok(range(*first)?.start),
        (None, None) => Err(missing()),
    }
}

fn is_issuer(document: &Document<'_>, node: NodeId) -> bool {
    document.element(node).is_some_and(|element| element.name.local_name == "Issuer")
}
