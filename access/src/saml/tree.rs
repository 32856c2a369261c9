//! The document, parsed once. The checks, the verifier and the reader of the claims share this one tree.

use std::collections::HashSet;

use uppsala::{Document, NodeId, NodeKind, Parser, XmlError};

use super::Refusal;

/// The deepest nesting of elements; assertions of real identity providers stay below 12.
const DEPTH: u32 = 32;
/// The most nodes: an assertion of a person in 2000 groups stays below.
const NODES: usize = 10_000;
/// Attributes that some reader of XML signatures takes for an ID, in lower case.
const ID_ATTRIBUTES: [&str; 2] = ["id", "assertionid"];

pub(super) const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
pub(super) const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
pub(super) const DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";

/// A document without document type, comments and processing instructions, within limits, with unique IDs.
pub(super) struct Tree<'a> {
    document: Document<'a>,
    source: &'a str,
    root: NodeId,
}

impl<'a> Tree<'a> {
    pub(super) fn parse(source: &'a str) -> Result<Self, Refusal> {
        let document = Parser::new()
            .with_forbid_dtd(true)
            .with_forbid_entities(true)
            .with_max_depth(DEPTH)
            .parse(source)
            .map_err(|error| why(&error))?;
        if let Some(declaration) = &document.xml_declaration {
            let utf8 = declaration.encoding.as_ref().is_none_or(|name| name.eq_ignore_ascii_case("utf-8"));
            if !utf8 || declaration.version != "1.0" {
                return Err(Refusal::Encoding);
            }
        }
        let root = document.document_element().ok_or(Refusal::Xml)?;
        let tree = Self { document, source, root };
        tree.check_nodes()?;
        Ok(tree)
    }

    fn check_nodes(&self) -> Result<(), Refusal> {
        let nodes = self.document.descendants(self.document.root());
        if nodes.len() > NODES {
            return Err(Refusal::XmlLimit);
        }
        let mut ids = HashSet::new();
        for node in nodes {
            match self.document.node_kind(node) {
                Some(NodeKind::Comment(_) | NodeKind::ProcessingInstruction(_)) => return Err(Refusal::Comment),
                Some(NodeKind::Element(element)) => {
                    let mut own = element.attributes.iter().filter(|attribute| {
                        ID_ATTRIBUTES.iter().any(|name| attribute.name.local_name.eq_ignore_ascii_case(name))
                    });
                    // The verifier reads attributes by their local name alone, so one in a namespace could stand before
                    // the one that is read here.
                    let Some(id) = own.next() else { continue };
                    let plain = id.name.namespace_uri.is_none() && id.name.prefix.is_none() && !id.value.is_empty();
                    if !plain || own.next().is_some() || !ids.insert(id.value.as_ref()) {
                        return Err(Refusal::Id);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) fn document(&self) -> &Document<'a> {
        &self.document
    }

    pub(super) fn source(&self) -> &'a str {
        self.source
    }

    pub(super) fn root(&self) -> NodeId {
        self.root
    }

    /// Whether `node` is the element `name` of `namespace`.
    pub(super) fn is(&self, node: NodeId, namespace: &str, name: &str) -> bool {
        self.document.element(node).is_some_and(|element| element.matches_name_ns(namespace, name))
    }

    /// The local name of an element of `namespace`.
    pub(super) fn name_in(&self, node: NodeId, namespace: &str) -> Option<&str> {
        let element = self.document.element(node)?;
        (element.name.namespace_uri.as_deref() == Some(namespace)).then(|| element.name.local_name.as_ref())
    }

    /// Every element of the document that is `name` of `namespace`, wherever it is.
    pub(super) fn everywhere(&self, namespace: &str, name: &str) -> Vec<NodeId> {
        let all = self.document.descendants(self.document.root());
        all.into_iter().filter(|node| self.is(*node, namespace, name)).collect()
    }

    /// The elements in `node`. Between them there may be white space and nothing else.
    pub(super) fn elements(&self, node: NodeId) -> Result<Vec<NodeId>, Refusal> {
        let mut elements = Vec::new();
        for child in self.document.children(node) {
            match self.document.node_kind(child) {
                Some(NodeKind::Element(_)) => elements.push(child),
                Some(NodeKind::Text(text) | NodeKind::CData(text)) if is_blank(text) => {}
                _ => return Err(Refusal::Text),
            }
        }
        Ok(elements)
    }

    /// The one element `name` of `namespace` in `node`, or none.
    pub(super) fn at_most_one(&self, node: NodeId, namespace: &str, name: &str) -> Result<Option<NodeId>, Refusal> {
        let mut found = self.elements(node)?.into_iter().filter(|child| self.is(*child, namespace, name));
        let first = found.next();
        if found.next().is_some() { Err(Refusal::Element) } else { Ok(first) }
    }

    /// The attribute `name` without a namespace.
    pub(super) fn attribute(&self, node: NodeId, name: &str) -> Option<&str> {
        let attributes = &self.document.element(node)?.attributes;
        let found = attributes.iter().find(|found| found.name.namespace_uri.is_none() && found.name.local_name == name);
        found.map(|found| found.value.as_ref())
    }

    /// Whether `node` has no attributes but those in `names`, without a namespace.
    pub(super) fn has_only_attributes(&self, node: NodeId, names: &[&str]) -> bool {
        self.document.element(node).is_some_and(|element| {
            element.attributes.iter().all(|attribute| {
                attribute.name.namespace_uri.is_none() && names.contains(&attribute.name.local_name.as_ref())
            })
        })
    }

    /// The whole text of `node`, which holds nothing else.
    pub(super) fn text(&self, node: NodeId) -> Result<String, Refusal> {
        let mut whole = String::new();
        for child in self.document.children(node) {
            match self.document.node_kind(child) {
                Some(NodeKind::Text(text) | NodeKind::CData(text)) => whole.push_str(text),
                _ => return Err(Refusal::Text),
            }
        }
        Ok(whole)
    }
}

/// White space of XML, which is less than that of Unicode.
fn is_blank(text: &str) -> bool {
    text.chars().all(|character| matches!(character, ' ' | '\t' | '\r' | '\n'))
}

/// The parser tells its limits apart by the message alone.
fn why(error: &XmlError) -> Refusal {
    let message = error.to_string();
    if message.contains("DOCTYPE") {
        Refusal::Doctype
    } else if message.contains("maximum depth") {
        Refusal::XmlLimit
    } else {
        Refusal::Xml
    }
}
