//! The Response around the Assertion. None of it is signed where only the Assertion is, so it is checked and never a claim.

use uppsala::NodeId;

use super::tree::{ASSERTION, DSIG, PROTOCOL, Tree};
use super::{Refusal, time};

const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";
const ENTITY: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity";
const ENCRYPTED: [&str; 3] = ["EncryptedAssertion", "EncryptedID", "EncryptedAttribute"];

/// A Response with one Assertion and signatures in the right places only.
pub(super) struct Envelope<'t> {
    pub(super) assertion: NodeId,
    pub(super) assertion_signature: Option<NodeId>,
    pub(super) response_signature: Option<NodeId>,
    /// InResponseTo of the Response.
    pub(super) in_response_to: Option<&'t str>,
}

impl<'t> Envelope<'t> {
    /// Checks the Response. `destination` is what Destination must be; without one it is not looked at.
    pub(super) fn open(tree: &'t Tree<'_>, issuer: &str, destination: Option<&str>) -> Result<Self, Refusal> {
        let root = tree.root();
        if !tree.is(root, PROTOCOL, "Response") {
            return Err(Refusal::Root);
        }
        check_version(tree, root)?;
        tree.attribute(root, "ID").ok_or(Refusal::Id)?;
        time::required(tree, root, "IssueInstant")?;
        check_status(tree, root)?;
        if destination.is_some_and(|expected| tree.attribute(root, "Destination") != Some(expected)) {
            return Err(Refusal::Destination);
        }
        if let Some(node) = tree.at_most_one(root, ASSERTION, "Issuer")? {
            check_issuer(tree, node, issuer)?;
        }
        if ENCRYPTED.iter().any(|name| !tree.everywhere(ASSERTION, name).is_empty()) {
            return Err(Refusal::Encrypted);
        }
        let assertion = the_assertion(tree)?;
        check_children(tree, root)?;
        let assertion_signature = tree.at_most_one(assertion, DSIG, "Signature").map_err(place)?;
        let response_signature = tree.at_most_one(root, DSIG, "Signature").map_err(place)?;
        let expected = usize::from(assertion_signature.is_some()) + usize::from(response_signature.is_some());
        if tree.everywhere(DSIG, "Signature").len() != expected {
            return Err(Refusal::SignaturePlace);
        }
        let in_response_to = tree.attribute(root, "InResponseTo");
        Ok(Self { assertion, assertion_signature, response_signature, in_response_to })
    }
}

fn place(refusal: Refusal) -> Refusal {
    if refusal == Refusal::Element { Refusal::SignaturePlace } else { refusal }
}

/// The only Assertion of the whole document, which is a child of the root.
fn the_assertion(tree: &Tree<'_>) -> Result<NodeId, Refusal> {
    match tree.everywhere(ASSERTION, "Assertion").as_slice() {
        [only] if tree.document().parent(*only) == Some(tree.root()) => Ok(*only),
        _ => Err(Refusal::Assertion),
    }
}

fn check_children(tree: &Tree<'_>, root: NodeId) -> Result<(), Refusal> {
    let known = |node| {
        tree.is(node, ASSERTION, "Issuer")
            || tree.is(node, DSIG, "Signature")
            || tree.is(node, PROTOCOL, "Status")
            || tree.is(node, ASSERTION, "Assertion")
    };
    if tree.elements(root)?.into_iter().all(known) { Ok(()) } else { Err(Refusal::Element) }
}

fn check_status(tree: &Tree<'_>, root: NodeId) -> Result<(), Refusal> {
    let status = tree.at_most_one(root, PROTOCOL, "Status")?.ok_or(Refusal::Status)?;
    let code = tree.at_most_one(status, PROTOCOL, "StatusCode")?.ok_or(Refusal::Status)?;
    if tree.attribute(code, "Value") == Some(SUCCESS) { Ok(()) } else { Err(Refusal::Status) }
}

/// Version 2.0, of a Response or of an Assertion.
pub(super) fn check_version(tree: &Tree<'_>, node: NodeId) -> Result<(), Refusal> {
    if tree.attribute(node, "Version") == Some("2.0") { Ok(()) } else { Err(Refusal::Version) }
}

/// The Issuer, byte for byte, in the form of an entity ID.
pub(super) fn check_issuer(tree: &Tree<'_>, node: NodeId, issuer: &str) -> Result<(), Refusal> {
    let entity = tree.attribute(node, "Format").is_none_or(|format| format == ENTITY);
    let qualified =
        ["NameQualifier", "SPNameQualifier", "SPProvidedID"].iter().any(|name| tree.attribute(node, name).is_some());
    if entity && !qualified && tree.text(node)? == issuer { Ok(()) } else { Err(Refusal::Issuer) }
}
