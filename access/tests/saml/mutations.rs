//! Random changes of signed documents. Whatever is accepted has the claims that were signed, and `saml-rs` accepts it, too,
//! and reads the same.

use std::sync::LazyLock;

use access::saml::Verified;
use idp::Signed;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use uppsala::NodeId;

use crate::oracle;
use crate::support::{ECDSA, RSA, SIGNED, response, verify};

/// Signed documents of several forms, all with the claims of [`response`].
static DOCUMENTS: LazyLock<Vec<String>> = LazyLock::new(|| {
    vec![
        SIGNED.clone(),
        response().signed(&RSA, Signed::Both).unwrap(),
        response().signed(&ECDSA, Signed::Assertion).unwrap(),
        response().signed(&RSA, Signed::Response).unwrap(),
    ]
});

/// Pieces that an attacker would put in.
const PIECES: [&str; 22] = [
    "<!---->",
    "<?x?>",
    "<![CDATA[admin]]>",
    "admin",
    " ",
    "\n",
    "&#x20;",
    "&amp;",
    "<x/>",
    "<x ID=\"_assertion\"/>",
    "<saml:NameID>admin</saml:NameID>",
    "<saml:Attribute Name=\"role\"><saml:AttributeValue>admin</saml:AttributeValue></saml:Attribute>",
    "<saml:Assertion ID=\"_evil\"/>",
    "<samlp:Extensions/>",
    "<ds:Object/>",
    "<ds:KeyInfo/>",
    " xml:id=\"_assertion\"",
    " ID=\"_assertion\"",
    " xmlns=\"urn:oasis:names:tc:SAML:2.0:assertion\"",
    " xmlns:saml=\"urn:x\"",
    "<!DOCTYPE x>",
    "_evil",
];

/// Where `saml-rs` refuses and this service does not: it wants the certificate in KeyInfo, if there is one, to be a pinned one
/// (here KeyInfo is not looked at), and InResponseTo on the Response, too (here the signed one in the Assertion counts).
const STRICTER: [&str; 2] = ["certificate mismatch", "inResponseTo mismatch"];

#[derive(Debug, Clone)]
enum Bytes {
    Set(Index, u8),
    Insert(Index, &'static str),
    Remove(Index, usize),
    Repeat(Index, usize, Index),
}

fn bytes() -> impl Strategy<Value = Bytes> {
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Bytes::Set(at, byte)),
        (any::<Index>(), select(&PIECES[..])).prop_map(|(at, piece)| Bytes::Insert(at, piece)),
        (any::<Index>(), 1_usize..64).prop_map(|(at, count)| Bytes::Remove(at, count)),
        (any::<Index>(), 1_usize..256, any::<Index>()).prop_map(|(from, count, to)| Bytes::Repeat(from, count, to)),
    ]
}

impl Bytes {
    fn apply(&self, document: &mut Vec<u8>) {
        let place = |index: &Index| index.index(document.len());
        match self {
            Self::Set(at, byte) => {
                let at = place(at);
                document[at] = *byte;
            }
            Self::Insert(at, piece) => {
                let at = place(at);
                document.splice(at..at, piece.bytes());
            }
            Self::Remove(at, count) => {
                let at = place(at);
                document.drain(at..(at + count).min(document.len() - 1));
            }
            Self::Repeat(from, count, to) => {
                let (from, to) = (place(from), place(to));
                let piece = document[from..(from + count).min(document.len())].to_vec();
                document.splice(to..to, piece);
            }
        }
    }
}

#[derive(Debug, Clone)]
enum Nodes {
    Remove(Index),
    Copy(Index, Index),
    Move(Index, Index),
    Wrap(Index, Index),
    Swap(Index, Index),
    Into(Index, &'static str),
    Rename(Index, &'static str),
}

fn nodes() -> impl Strategy<Value = Nodes> {
    let names =
        ["saml:Assertion", "samlp:Extensions", "saml:Advice", "ds:Object", "samlp:Response", "ds:Signature", "x"];
    let place = any::<Index>;
    prop_oneof![
        place().prop_map(Nodes::Remove),
        (place(), place()).prop_map(|(node, to)| Nodes::Copy(node, to)),
        (place(), place()).prop_map(|(node, to)| Nodes::Move(node, to)),
        (place(), place()).prop_map(|(node, by)| Nodes::Wrap(node, by)),
        (place(), place()).prop_map(|(one, other)| Nodes::Swap(one, other)),
        (place(), select(&PIECES[..])).prop_map(|(node, piece)| Nodes::Into(node, piece)),
        (place(), select(names.to_vec())).prop_map(|(node, name)| Nodes::Rename(node, name)),
    ]
}

/// An element of a document: the places of its start, of the end of its start tag, of its end tag, and of its end.
#[derive(Clone, Copy)]
struct Element {
    start: usize,
    inside: usize,
    tail: usize,
    end: usize,
}

fn elements(xml: &str) -> Vec<Element> {
    let Ok(document) = uppsala::parse(xml) else { return Vec::new() };
    let is_element = |node: &NodeId| document.element(*node).is_some();
    let all = document.descendants(document.root()).into_iter().filter(is_element);
    let found = all.filter_map(|node| {
        let range = document.node_range(node)?;
        let text = &xml[range.clone()];
        // Values have no `>` here, so the first one ends the start tag.
        let (inside, tail) = match (text.ends_with("/>"), text.find('>')?, text.rfind("</")) {
            (false, inside, Some(tail)) => (inside + 1, tail),
            _ => (text.len(), text.len()),
        };
        Some(Element { start: range.start, inside: range.start + inside, tail: range.start + tail, end: range.end })
    });
    found.collect()
}

impl Nodes {
    fn apply(&self, xml: &str) -> String {
        let all = elements(xml);
        if all.is_empty() {
            return xml.to_owned();
        }
        let of = |index: &Index| all[index.index(all.len())];
        let text = |element: Element| &xml[element.start..element.end];
        let insert = |at: usize, piece: &str| format!("{}{piece}{}", &xml[..at], &xml[at..]);
        let replace =
            |element: Element, piece: &str| format!("{}{piece}{}", &xml[..element.start], &xml[element.end..]);
        match self {
            Self::Remove(node) => replace(of(node), ""),
            Self::Copy(node, to) => insert(of(to).inside, text(of(node))),
            Self::Move(node, to) => {
                let (node, to) = (of(node), of(to));
                let with = insert(to.inside, text(node));
                let shift = if to.inside <= node.start { node.end - node.start } else { 0 };
                let inside_itself = to.inside > node.start && to.inside < node.end;
                if inside_itself {
                    return xml.to_owned();
                }
                format!("{}{}", &with[..node.start + shift], &with[node.end + shift..])
            }
            Self::Wrap(node, by) => {
                let (node, by) = (of(node), of(by));
                let wrapped = format!("{}{}{}", &xml[by.start..by.inside], text(node), &xml[by.tail..by.end]);
                replace(node, &wrapped)
            }
            Self::Swap(one, other) => {
                let (one, other) = (of(one), of(other));
                let (first, second) = if one.start <= other.start { (one, other) } else { (other, one) };
                if first.end > second.start {
                    return xml.to_owned();
                }
                let between = &xml[first.end..second.start];
                format!("{}{}{between}{}{}", &xml[..first.start], text(second), text(first), &xml[second.end..])
            }
            Self::Into(node, piece) => insert(of(node).inside, piece),
            Self::Rename(node, name) => {
                let node = of(node);
                let old = xml[node.start + 1..].split([' ', '>', '/']).next().unwrap_or_default();
                replace(node, &text(node).replace(old, name))
            }
        }
    }
}

/// Whether it is accepted; if so, with the claims that were signed.
fn check(xml: &str) -> bool {
    let Ok(verified) = verify(xml) else { return false };
    let signed = response();
    let Verified { issuer, assertion_id, in_response_to, name_id, attributes, .. } = verified;
    assert_eq!(
        (issuer.as_str(), assertion_id.as_str(), name_id.as_str()),
        ("https://idp.example", "_assertion", "mallory@example.com")
    );
    assert_eq!(in_response_to.as_deref(), Some("_request"));
    assert_eq!(attributes, signed.attributes.into_iter().collect());
    match oracle::claims(xml, Some("_request")) {
        Ok(read) => assert_eq!(read, (name_id, attributes)),
        Err(error) => assert!(STRICTER.iter().any(|known| error.starts_with(known)), "saml-rs: {error}: {xml}"),
    }
    true
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn changed_bytes_never_change_claims(document in any::<Index>(), changes in vec(bytes(), 1..4)) {
        let mut bytes = document.get(&DOCUMENTS).clone().into_bytes();
        for change in &changes {
            change.apply(&mut bytes);
        }
        if let Ok(xml) = String::from_utf8(bytes) {
            check(&xml);
        }
    }

    #[test]
    fn changed_structure_never_changes_claims(document in any::<Index>(), changes in vec(nodes(), 1..4)) {
        let mut xml = document.get(&DOCUMENTS).clone();
        for change in &changes {
            let changed = change.apply(&xml);
            if changed.len() < 90_000 {
                xml = changed;
            }
        }
        check(&xml);
    }
}

#[test]
fn what_changes_nothing_signed_is_accepted_by_both() {
    let key = crate::support::part(&SIGNED, "<ds:KeyInfo>", "</ds:KeyInfo>");
    for xml in [
        SIGNED.clone(),
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}\n", &*SIGNED),
        SIGNED.replace(key, ""),
        SIGNED.replace("<samlp:Status>", "\n <samlp:Status>"),
        SIGNED.replace("mallory", "<![CDATA[mallory]]>"),
        SIGNED.replace(
            " Version=\"2.0\" IssueInstant=\"2026-01-02T03:04:05Z\"><saml:Issuer>",
            "\n\tIssueInstant='2026-01-02T03:04:05Z' Version='2.0'><saml:Issuer>",
        ),
        DOCUMENTS[1].clone(),
        DOCUMENTS[2].clone(),
    ] {
        assert!(check(&xml), "{xml}");
    }
}
