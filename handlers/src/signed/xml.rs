//! What is read of an XML answer.

use uppsala::{Document, NodeId, NodeKind, Parser};

/// An element with its children, and with its own text where it has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    name: String,
    text: String,
    children: Vec<Element>,
}

impl Element {
    /// The outermost element. `None`: it is no XML, or has what no answer of AWS has: a document type, or a depth beyond
    /// the parser's bound of 128.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let document = Parser::new().with_forbid_dtd(true).parse(text).ok()?;
        Self::read(&document, document.document_element()?)
    }

    fn read(document: &Document<'_>, id: NodeId) -> Option<Self> {
        let NodeKind::Element(element) = document.node_kind(id)? else { return None };
        let children: Vec<Self> = document.children_iter(id).filter_map(|child| Self::read(document, child)).collect();
        let text = if children.is_empty() { document.text_content_deep(id).trim().to_owned() } else { String::new() };
        Some(Self { name: element.name.local_name.to_string(), text, children })
    }

    /// The first child of a name.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the first child of a name; empty when there is none.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.child(name).map_or("", |child| &child.text)
    }

    /// Its own text; empty when it has children.
    pub(crate) fn content(&self) -> &str {
        &self.text
    }

    /// The members of a list: what a child of this name holds under `item`, or under `member`.
    pub(crate) fn list(&self, name: &str) -> impl Iterator<Item = &Self> {
        let items = self.child(name).map(|list| list.children.as_slice()).unwrap_or_default();
        items.iter().filter(|item| matches!(item.name.as_str(), "item" | "member"))
    }

    /// The first element of a name, in itself or at any depth.
    pub(crate) fn find(&self, name: &str) -> Option<&Self> {
        if self.name == name { Some(self) } else { self.children.iter().find_map(|child| child.find(name)) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn lists_and_texts_are_found_whatever_the_namespace() {
        let answer = Element::parse(
            "<?xml version=\"1.0\"?><A xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><set><item><id>a&amp;b</id></item>\
             <item><id> c </id></item><other/></set><nextToken/></A>",
        )
        .unwrap();
        let ids: Vec<&str> = answer.list("set").map(|item| item.text("id")).collect();
        assert_eq!(ids, ["a&b", "c"]);
        assert_eq!((answer.text("nextToken"), answer.text("none")), ("", ""));
        assert_eq!(answer.list("none").count(), 0);
        assert_eq!(answer.find("id").unwrap().content(), "a&b");
    }

    #[test]
    fn what_no_answer_has_is_refused() {
        let deep = format!("{}{}", "<a>".repeat(1000), "</a>".repeat(1000));
        for bad in ["", "{}", "<a>", "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>", "<!DOCTYPE a><a/>", &deep] {
            assert_eq!(Element::parse(bad), None, "{bad}");
        }
    }
}
