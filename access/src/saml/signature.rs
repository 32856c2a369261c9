//! XML signatures in the one form that SAML has. `bergshamra` computes; what it is let near is decided here first, since it
//! knows far more of XML Signature than is good for an assertion: references to files, XPath, XSLT, attributes by their local
//! name.

use bergshamra::core::algorithm;
use bergshamra::dsig::verify::verify_all_document_with_source;
use bergshamra::{DsigContext, KeysManager, VerifyResult};
use jiff::Timestamp;
use uppsala::NodeId;

use super::envelope::Envelope;
use super::tree::{DSIG, Tree};
use super::{Certificates, Refusal};

const SIGNATURES: [&str; 6] = [
    algorithm::RSA_SHA256,
    algorithm::RSA_SHA384,
    algorithm::RSA_SHA512,
    algorithm::ECDSA_SHA256,
    algorithm::ECDSA_SHA384,
    algorithm::ECDSA_SHA512,
];
const DIGESTS: [&str; 3] = [algorithm::SHA256, algorithm::SHA384, algorithm::SHA512];

/// An Assertion whose own signature has been verified. The only way to one is [`verify`].
pub(super) struct VerifiedAssertion(NodeId);

impl VerifiedAssertion {
    pub(super) fn node(&self) -> NodeId {
        self.0
    }
}

/// Verifies every signature of the document: that of the Assertion, which must be there, and that of the Response, if there
/// is one.
pub(super) fn verify(
    tree: &Tree<'_>,
    envelope: &Envelope<'_>,
    certificates: &Certificates,
    now: Timestamp,
) -> Result<VerifiedAssertion, Refusal> {
    let own = envelope.assertion_signature.ok_or(Refusal::SignatureMissing)?;
    let outer = envelope.response_signature.map(|signature| (signature, tree.root()));
    let signatures: Vec<_> = std::iter::once((own, envelope.assertion)).chain(outer).collect();
    for (signature, target) in &signatures {
        check_form(tree, *signature, *target)?;
    }
    if covers(tree, certificates.keys(now, true), &signatures) {
        return Ok(VerifiedAssertion(envelope.assertion));
    }
    // Asked only to say why: the answer is no in either case.
    let late = covers(tree, certificates.keys(now, false), &signatures);
    Err(if late { Refusal::CertificateValidity } else { Refusal::Signature })
}

/// Whether every signature of the document is valid under `keys`, and each covers its own target in this very tree.
fn covers(tree: &Tree<'_>, keys: KeysManager, signatures: &[(NodeId, NodeId)]) -> bool {
    if keys.is_empty() {
        return false;
    }
    // Strict, and keys from the manager alone.
    let context = DsigContext::new(keys);
    let Ok(results) = verify_all_document_with_source(&context, tree.document(), Some(tree.source())) else {
        return false;
    };
    results.len() == signatures.len()
        && signatures.iter().all(|(signature, target)| {
            results.iter().any(|result| match result {
                VerifyResult::Valid { signature_node, references, .. } if signature_node == signature => {
                    matches!(references.as_slice(), [one] if one.digest_verified && one.resolved_node == Some(*target))
                }
                _ => false,
            })
        })
}

/// Checks that `signature`, a child of `target`, has nothing but what a signature of SAML has (SAML Core, section 5.4).
fn check_form(tree: &Tree<'_>, signature: NodeId, target: NodeId) -> Result<(), Refusal> {
    let form = Refusal::SignatureForm;
    // KeyInfo is not looked into: no key in it is ever used.
    let (info, value) = match parts(tree, signature, &["Id"], form)?.as_slice() {
        [info, value] => (*info, *value),
        [info, value, key] if tree.is(*key, DSIG, "KeyInfo") => (*info, *value),
        _ => return Err(form),
    };
    named(tree, info, "SignedInfo", form)?;
    leaf(tree, value, "SignatureValue", &["Id"])?;
    let parts_of_info = parts(tree, info, &["Id"], form)?;
    let [canonicalization, method, references @ ..] = parts_of_info.as_slice() else { return Err(form) };
    named(tree, *canonicalization, "CanonicalizationMethod", form)?;
    check_algorithm(tree, *canonicalization, &[algorithm::EXC_C14N], Refusal::Canonicalization)?;
    named(tree, *method, "SignatureMethod", form)?;
    check_algorithm(tree, *method, &SIGNATURES, Refusal::SignatureAlgorithm)?;
    let [reference] = references else { return Err(Refusal::Reference) };
    check_reference(tree, *reference, target)
}

fn check_reference(tree: &Tree<'_>, reference: NodeId, target: NodeId) -> Result<(), Refusal> {
    named(tree, reference, "Reference", Refusal::Reference)?;
    let parts = parts(tree, reference, &["URI"], Refusal::Reference)?;
    let id = tree.attribute(target, "ID").filter(|id| is_name(id)).ok_or(Refusal::Reference)?;
    if tree.attribute(reference, "URI").and_then(|uri| uri.strip_prefix('#')) != Some(id) {
        return Err(Refusal::Reference);
    }
    let [transforms, digest, value] = parts.as_slice() else { return Err(Refusal::Reference) };
    named(tree, *transforms, "Transforms", Refusal::Transforms)?;
    check_transforms(tree, *transforms)?;
    named(tree, *digest, "DigestMethod", Refusal::Reference)?;
    check_algorithm(tree, *digest, &DIGESTS, Refusal::DigestAlgorithm)?;
    leaf(tree, *value, "DigestValue", &[])
}

/// Enveloped-signature, then exclusive canonicalisation. The latter may list prefixes to keep (OpenSAML writes `xs`): this
/// only adds declarations to what is digested.
fn check_transforms(tree: &Tree<'_>, transforms: NodeId) -> Result<(), Refusal> {
    let wrong = Refusal::Transforms;
    let both = parts(tree, transforms, &[], wrong)?;
    let [enveloped, exclusive] = both.as_slice() else { return Err(wrong) };
    named(tree, *enveloped, "Transform", wrong)?;
    named(tree, *exclusive, "Transform", wrong)?;
    check_algorithm(tree, *enveloped, &[algorithm::ENVELOPED_SIGNATURE], wrong)?;
    if tree.attribute(*exclusive, "Algorithm") != Some(algorithm::EXC_C14N) {
        return Err(wrong);
    }
    match parts(tree, *exclusive, &["Algorithm"], wrong)?.as_slice() {
        [] => Ok(()),
        [prefixes] if tree.is(*prefixes, algorithm::EXC_C14N, "InclusiveNamespaces") => {
            let inside = parts(tree, *prefixes, &["PrefixList"], wrong)?;
            if inside.is_empty() { Ok(()) } else { Err(wrong) }
        }
        _ => Err(wrong),
    }
}

/// The elements of `node`, which has no other attributes than `attributes`.
fn parts(tree: &Tree<'_>, node: NodeId, attributes: &[&str], wrong: Refusal) -> Result<Vec<NodeId>, Refusal> {
    if !tree.has_only_attributes(node, attributes) {
        return Err(wrong);
    }
    tree.elements(node).map_err(|_| wrong)
}

fn named(tree: &Tree<'_>, node: NodeId, name: &str, wrong: Refusal) -> Result<(), Refusal> {
    if tree.is(node, DSIG, name) { Ok(()) } else { Err(wrong) }
}

/// An element with one of `algorithms` and without parameters.
fn check_algorithm(tree: &Tree<'_>, node: NodeId, algorithms: &[&str], wrong: Refusal) -> Result<(), Refusal> {
    let known = tree.attribute(node, "Algorithm").is_some_and(|found| algorithms.contains(&found));
    if known && parts(tree, node, &["Algorithm"], wrong)?.is_empty() { Ok(()) } else { Err(wrong) }
}

/// An element with text alone.
fn leaf(tree: &Tree<'_>, node: NodeId, name: &str, attributes: &[&str]) -> Result<(), Refusal> {
    let wrong = Refusal::SignatureForm;
    named(tree, node, name, wrong)?;
    if !tree.has_only_attributes(node, attributes) {
        return Err(wrong);
    }
    tree.text(node).map(|_| ()).map_err(|_| wrong)
}

/// A name that means nothing else in a URI fragment: `xpointer(/)` would be the whole document.
fn is_name(id: &str) -> bool {
    let first = id.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    first && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
}
