use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use statemachine::lineage::{Edge, Lineage, Node, NodeId, NodeKind};

use super::item::{Item, Key, body, get_body, get_text, node_partition};
use super::{Ledger, LedgerError};

/// Which way to walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// To the causes.
    Back,
    /// To what came of it.
    Forward,
}

/// The other end of an edge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Neighbour {
    /// The edge.
    pub edge: Edge,
    /// The node at its other end.
    pub node: NodeId,
}

/// A node with its edges.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeView {
    /// The node; `None` when only edges name it.
    pub node: Option<Node>,
    /// What it came of.
    pub causes: Vec<Neighbour>,
    /// What came of it.
    pub effects: Vec<Neighbour>,
}

impl Ledger<'_> {
    /// A node and both directions of its edges, in one query.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn node(&self, id: &NodeId) -> Result<NodeView, LedgerError> {
        let mut view = NodeView { node: None, causes: Vec::new(), effects: Vec::new() };
        for item in self.partition(&node_partition(id), None).await? {
            let sk = get_text(&item, "sk")?;
            if sk == "node" {
                view.node = Some(read_node(id, &item)?);
                continue;
            }
            let edge: Edge = get_body(&item)?;
            if sk.starts_with("to#") {
                view.effects.push(Neighbour { node: edge.to.clone(), edge });
            } else {
                view.causes.push(Neighbour { node: edge.from.clone(), edge });
            }
        }
        let by_time = |neighbour: &Neighbour| (neighbour.edge.at, neighbour.node.clone());
        view.causes.sort_by_key(by_time);
        view.effects.sort_by_key(by_time);
        Ok(view)
    }

    /// The model package that an endpoint served at a time: the newest that began to be served by then.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn served_at(&self, endpoint: &str, time: Timestamp) -> Result<Option<Neighbour>, LedgerError> {
        let view = self.node(&NodeId::endpoint(endpoint)).await?;
        Ok(view.causes.into_iter().rfind(|neighbour| neighbour.edge.at <= time))
    }

    pub(super) fn lineage_items(&self, lineage: &Lineage) -> Result<BTreeMap<Key, TransactWriteItem>, LedgerError> {
        let mut items = BTreeMap::new();
        for node in &lineage.nodes {
            let update = self.node_update(node)?;
            // Of two mentions of a node the one with facts counts.
            let key = Key::node(&node.id);
            if !node.facts.is_empty() || !items.contains_key(&key) {
                items.insert(key, TransactWriteItem::builder().update(update).build());
            }
        }
        for edge in &lineage.edges {
            let sides = [("to", &edge.from, &edge.to), ("from", &edge.to, &edge.from)];
            for (side, at, other) in sides {
                let key = Key::edge(side, at, edge.relation, other);
                let mut item = key.clone().into_item();
                item.insert("body".to_owned(), body(&key, edge)?);
                items.insert(key, TransactWriteItem::builder().put(self.put(item)?).build());
            }
        }
        Ok(items)
    }

    /// A node that is mentioned again without facts keeps those it has.
    fn node_update(&self, node: &Node) -> Result<Update, LedgerError> {
        let facts = if node.facts.is_empty() { "if_not_exists(facts, :facts)" } else { ":facts" };
        let key = Key::node(&node.id);
        let update = Update::builder()
            .set_key(Some(key.clone().into_item()))
            .update_expression(format!("SET kind = :kind, facts = {facts}"))
            .expression_attribute_values(":kind", body(&key, &node.kind)?)
            .expression_attribute_values(":facts", body(&key, &node.facts)?);
        self.update(update)
    }
}

fn read_node(id: &NodeId, item: &Item) -> Result<Node, LedgerError> {
    let json = |name: &str| match item.get(name) {
        Some(AttributeValue::S(value)) => value.as_str(),
        _ => "null",
    };
    let malformed = |error: serde_json::Error| super::item::malformed(item, error.to_string());
    let kind: NodeKind = serde_json::from_str(json("kind")).map_err(malformed)?;
    let facts = serde_json::from_str(json("facts")).map_err(malformed)?;
    Ok(Node { id: id.clone(), kind, facts })
}
