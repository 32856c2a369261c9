//! Lineage as a tree.

use std::collections::BTreeMap;

use handlers::ledger::Direction;
use jiff::Timestamp;
use serde::Serialize;
use statemachine::lineage::{NodeId, NodeKind, Relation};
use statemachine::text::one_line;

use super::{Style, time};

/// The longest text from outside in one line, in characters.
const LIMIT: usize = 1200;

/// A node and what lies behind it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Tree {
    pub(crate) id: NodeId,
    pub(crate) kind: Option<NodeKind>,
    /// How it is tied to the node above it, and since when; nothing at the root.
    pub(crate) tie: Option<Tie>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) facts: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cut: Option<Cut>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) related: Vec<Tree>,
}

/// An edge, seen from the node above.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Tie {
    pub(crate) relation: Relation,
    pub(crate) at: Timestamp,
    pub(crate) run: String,
}

/// Why nothing is shown behind a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Cut {
    /// It is shown elsewhere in this tree.
    Shown,
    /// The depth that was asked for is reached.
    Depth,
    /// The tree has grown too large.
    Size,
}

/// The tree in lines.
pub(crate) fn text(tree: &Tree, direction: Direction, style: Style) -> String {
    let paint = Paint { direction, style };
    let mut lines = vec![paint.title(tree)];
    paint.below(tree, "", &mut lines);
    lines.join("\n")
}

struct Paint {
    direction: Direction,
    style: Style,
}

impl Paint {
    fn below(&self, tree: &Tree, indent: &str, lines: &mut Vec<String>) {
        let style = self.style;
        let rule = if tree.related.is_empty() { "   " } else { "│  " };
        for (name, value) in tree.facts.iter().filter(|(_, value)| !value.is_empty()) {
            let name = style.dim(&format!("{}:", one_line(name, LIMIT)));
            lines.push(format!("{}{}{name} {}", style.dim(indent), style.dim(rule), one_line(value, LIMIT)));
        }
        let last = tree.related.len().saturating_sub(1);
        for (position, related) in tree.related.iter().enumerate() {
            let (branch, rule) = if position == last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            lines.push(format!("{}{}", style.dim(&format!("{indent}{branch}")), self.title(related)));
            self.below(related, &format!("{indent}{rule}"), lines);
        }
    }

    /// An edge reads "A words B", A being the cause: the words stand between the two in either direction.
    fn title(&self, tree: &Tree) -> String {
        let style = self.style;
        let id = style.bold(&one_line(tree.id.as_str(), LIMIT));
        let kind = tree.kind.and_then(word).map(|word| format!("{} ", style.cyan(word))).unwrap_or_default();
        let (mut before, mut behind) = (String::new(), String::new());
        if let Some(tie) = &tree.tie {
            let words = tie.relation.words();
            let at = match tie.relation {
                Relation::ServedBy => format!("since {}", time::stamp(tie.at)),
                _ => time::stamp(tie.at),
            };
            match self.direction {
                Direction::Forward => {
                    before = format!("{} ", style.dim(words));
                    behind = style.dim(&format!("  ({at})"));
                }
                Direction::Back => behind = style.dim(&format!("  ({words} the above, {at})")),
            }
        }
        let cut = match tree.cut {
            None => "",
            Some(Cut::Shown) => "  (shown above)",
            Some(Cut::Depth) => "  (more with --depth)",
            Some(Cut::Size) => "  (more: start from this node)",
        };
        format!("{before}{kind}{id}{behind}{}", style.dim(cut))
    }
}

/// The kinds whose identity does not tell them.
fn word(kind: NodeKind) -> Option<&'static str> {
    match kind {
        NodeKind::Object => Some("object"),
        NodeKind::Execution => Some("execution"),
        NodeKind::Model => Some("model"),
        NodeKind::ModelPackage => Some("package"),
        NodeKind::Run
        | NodeKind::Code
        | NodeKind::Definition
        | NodeKind::Image
        | NodeKind::Decision
        | NodeKind::Endpoint => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::golden;
    use super::*;

    fn node(id: &str, kind: NodeKind, relation: Option<Relation>, related: Vec<Tree>) -> Tree {
        let at = Timestamp::from_second(1_700_000_000).unwrap();
        let tie = relation.map(|relation| Tie { relation, at, run: "a-0123456789abcdef".into() });
        Tree { id: NodeId::named(id), kind: Some(kind), tie, facts: BTreeMap::new(), cut: None, related }
    }

    #[test]
    fn lineage_is_a_tree() {
        let object = node("s3://data/raw/a.csv?versionId=v1", NodeKind::Object, Some(Relation::InputTo), vec![]);
        let run = node("run:a-0123456789abcdef", NodeKind::Run, Some(Relation::Started), vec![object]);
        let mut code = node("code:c0de", NodeKind::Code, Some(Relation::ExecutedBy), vec![]);
        code.cut = Some(Cut::Shown);
        let mut execution = node(
            "arn:aws:sagemaker:us-east-1:000000000000:pipeline/tumours/execution/abcdefghijkl",
            NodeKind::Execution,
            Some(Relation::Produced),
            vec![code, run],
        );
        execution.facts.insert("parameters".into(), "Rounds=7\u{1b}[2J".into());
        let mut decision = node("decision:a-0123456789abcdef", NodeKind::Decision, Some(Relation::Judged), vec![]);
        decision.facts.insert("metrics".into(), "accuracy=0.97".into());
        decision.facts.insert("empty".into(), String::new());
        let model =
            node("s3://data/model.tar.gz", NodeKind::Model, Some(Relation::RegisteredAs), vec![decision, execution]);
        let package = node(
            "arn:aws:sagemaker:us-east-1:000000000000:model-package/tumours/1",
            NodeKind::ModelPackage,
            Some(Relation::ServedBy),
            vec![model],
        );
        let tree = node("endpoint:tumours", NodeKind::Endpoint, None, vec![package]);
        golden("lineage", &text(&tree, Direction::Back, Style::new(false)));
        assert!(text(&tree, Direction::Back, Style::new(true)).contains("\u{1b}["));
    }

    #[test]
    fn forwards_the_relation_stands_before_what_came_of_it() {
        let run = node("run:a-0123456789abcdef", NodeKind::Run, Some(Relation::InputTo), vec![]);
        let tree = node("s3://data/raw/a.csv?versionId=v1", NodeKind::Object, None, vec![run]);
        let expected = "object s3://data/raw/a.csv?versionId=v1\n\
                        └─ input to run:a-0123456789abcdef  (2023-11-14 22:13:20Z)";
        assert_eq!(text(&tree, Direction::Forward, Style::new(false)), expected);
    }
}
