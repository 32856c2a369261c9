//! Lineage: what came of what. A record is a set of nodes and of edges between them; both are idempotent to store.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::run::{ObjectVersion, RunId};

/// A node's identity. Each kind has a form of its own, so that no two nodes of different kinds share one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(String);

impl NodeId {
    /// `s3://bucket/key?versionId=v`; without a version where the bucket keeps none.
    #[must_use]
    pub fn object(object: &ObjectVersion) -> Self {
        Self(object.to_string())
    }

    /// `run:<id>`
    #[must_use]
    pub fn run(id: &RunId) -> Self {
        Self(format!("run:{id}"))
    }

    /// `code:<sha256>`: the content hash of the step scripts.
    #[must_use]
    pub fn code(sha256: &str) -> Self {
        Self(format!("code:{sha256}"))
    }

    /// `definition:<sha256>`: the hash of the SageMaker pipeline definition.
    #[must_use]
    pub fn definition(sha256: &str) -> Self {
        Self(format!("definition:{sha256}"))
    }

    /// `image:<uri>`
    #[must_use]
    pub fn image(uri: &str) -> Self {
        Self(format!("image:{uri}"))
    }

    /// `decision:<run id>`: what the gate decided for a run.
    #[must_use]
    pub fn decision(run: &RunId) -> Self {
        Self(format!("decision:{run}"))
    }

    /// `endpoint:<name>`
    #[must_use]
    pub fn endpoint(name: &str) -> Self {
        Self(format!("endpoint:{name}"))
    }

    /// Something that already has a name of its own: an ARN, an artifact's S3 address, or what a person typed.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// As stored and shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for NodeId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    /// An exact version of an S3 object.
    Object,
    /// A run of Tidegate's.
    Run,
    /// The step scripts, by content.
    Code,
    /// A SageMaker pipeline definition, by content.
    Definition,
    /// A container image.
    Image,
    /// A SageMaker pipeline execution.
    Execution,
    /// A trained model's artifact.
    Model,
    /// A gate decision.
    Decision,
    /// A version in the model registry.
    ModelPackage,
    /// A SageMaker endpoint.
    Endpoint,
}

/// A node with what is known of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Its identity.
    pub id: NodeId,
    /// What it is.
    pub kind: NodeKind,
    /// Facts worth showing: metrics, parameters, the decision in words.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, String>,
}

/// How the source of an edge took part in its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// The target read the source.
    InputTo,
    /// The target ran because of the source.
    Started,
    /// The target ran the source.
    ExecutedBy,
    /// The source made the target.
    Produced,
    /// The source judged the target.
    Judged,
    /// The target is the registry's entry for the source.
    RegisteredAs,
    /// The target answered with the source, from the edge's time on.
    ServedBy,
}

impl Relation {
    /// As shown between two nodes: "A `words` B".
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::InputTo => "input to",
            Self::Started => "started",
            Self::ExecutedBy => "executed by",
            Self::Produced => "produced",
            Self::Judged => "judged",
            Self::RegisteredAs => "registered as",
            Self::ServedBy => "served by",
        }
    }
}

/// An edge from a cause to what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Edge {
    /// The cause.
    pub from: NodeId,
    /// What came of it.
    pub to: NodeId,
    /// How.
    pub relation: Relation,
    /// When; for [`Relation::ServedBy`] the moment from which it holds.
    pub at: Timestamp,
    /// The run that recorded it.
    pub run: RunId,
}

/// Nodes and edges to be stored together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Lineage {
    /// The nodes; an identity may come again with more facts.
    pub nodes: Vec<Node>,
    /// The edges.
    pub edges: Vec<Edge>,
}

impl Lineage {
    /// Nothing to store.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty() && self.edges.is_empty()
    }

    /// Adds a node without facts.
    pub fn node(&mut self, id: NodeId, kind: NodeKind) -> NodeId {
        self.node_with(id, kind, [])
    }

    /// Adds a node with facts.
    pub fn node_with<const N: usize>(&mut self, id: NodeId, kind: NodeKind, facts: [(&str, String); N]) -> NodeId {
        let facts = facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        self.nodes.push(Node { id: id.clone(), kind, facts });
        id
    }
}
