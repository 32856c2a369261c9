//! Keys and attributes of the table's items.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use statemachine::RunId;
use statemachine::lineage::{NodeId, Relation};
use statemachine::run::ObjectVersion;

use super::LedgerError;

pub(super) type Item = HashMap<String, AttributeValue>;

pub(super) const BY_TIME: &str = "by-time";

pub(super) const BY_DUE: &str = "by-due";

/// An item's primary key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) pk: String,
    pub(super) sk: String,
}

impl Key {
    fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self { pk: pk.into(), sk: sk.into() }
    }

    pub(super) fn run(id: &RunId) -> Self {
        Self::new(format!("run#{id}"), "state")
    }

    pub(super) fn endpoint(name: &str) -> Self {
        Self::new(format!("endpoint#{name}"), "state")
    }

    pub(super) fn queue(pipeline: &str) -> Self {
        Self::new(format!("queue#{pipeline}"), "state")
    }

    pub(super) fn object(object: &ObjectVersion) -> Self {
        Self::new(object_partition(&object.bucket, &object.key), format!("{OBJECT}{}", object.version()))
    }

    pub(super) fn taken(object: &ObjectVersion, pipeline: &str) -> Self {
        let version = object.version();
        Self::new(object_partition(&object.bucket, &object.key), format!("taken#{version}#{pipeline}"))
    }

    pub(super) fn execution(arn: &str) -> Self {
        Self::new(format!("execution#{arn}"), "run")
    }

    pub(super) fn package(arn: &str) -> Self {
        Self::new(format!("package#{arn}"), "run")
    }

    pub(super) fn node(id: &NodeId) -> Self {
        Self::new(node_partition(id), "node")
    }

    /// A sort key holds 1024 bytes, an object's name alone may have as many: the other end goes in by its hash, and in
    /// full as an attribute.
    pub(super) fn edge(side: &str, at: &NodeId, relation: Relation, other: &NodeId) -> Self {
        let hash: String = Sha256::digest(other.as_str()).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Self::new(node_partition(at), format!("{side}#{}#{hash}", relation_name(relation)))
    }

    pub(super) fn pipeline(name: &str) -> Self {
        Self::new("pipelines", name)
    }

    pub(super) fn settings() -> Self {
        Self::new("tidegate", "settings")
    }

    pub(super) fn into_item(self) -> Item {
        HashMap::from([("pk".to_owned(), text(self.pk)), ("sk".to_owned(), text(self.sk))])
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.pk, self.sk)
    }
}

/// Begins the sort keys of an object's versions.
pub(super) const OBJECT: &str = "object#";

pub(super) fn object_partition(bucket: &str, key: &str) -> String {
    format!("object#s3://{bucket}/{key}")
}

pub(super) fn node_partition(id: &NodeId) -> String {
    format!("node#{id}")
}

pub(super) fn relation_name(relation: Relation) -> &'static str {
    match relation {
        Relation::InputTo => "input_to",
        Relation::Started => "started",
        Relation::ExecutedBy => "executed_by",
        Relation::Produced => "produced",
        Relation::Judged => "judged",
        Relation::RegisteredAs => "registered_as",
        Relation::ServedBy => "served_by",
    }
}

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(super) fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(super) fn get_text<'i>(item: &'i Item, name: &str) -> Result<&'i str, LedgerError> {
    match item.get(name) {
        Some(AttributeValue::S(value)) => Ok(value),
        Some(_) => Err(malformed(item, format!("`{name}` is not a string"))),
        None => Err(malformed(item, format!("`{name}` is missing"))),
    }
}

pub(super) fn get_number(item: &Item, name: &str) -> Result<u64, LedgerError> {
    let parsed = match item.get(name) {
        Some(AttributeValue::N(value)) => value.parse().ok(),
        _ => None,
    };
    parsed.ok_or_else(|| malformed(item, format!("`{name}` is not a whole number")))
}

/// The `body` attribute: the thing itself, as JSON. Attributes beside it exist only for keys and conditions.
pub(super) fn body<T: Serialize>(key: &Key, value: &T) -> Result<AttributeValue, LedgerError> {
    let json = serde_json::to_string(value)
        .map_err(|error| LedgerError::Malformed { key: key.to_string(), reason: error.to_string() })?;
    Ok(text(json))
}

pub(super) fn get_body<T: DeserializeOwned>(item: &Item) -> Result<T, LedgerError> {
    serde_json::from_str(get_text(item, "body")?).map_err(|error| malformed(item, error.to_string()))
}

pub(super) fn malformed(item: &Item, reason: String) -> LedgerError {
    let part = |name: &str| match item.get(name) {
        Some(AttributeValue::S(value)) => value.clone(),
        _ => "?".to_owned(),
    };
    LedgerError::Malformed { key: format!("{} {}", part("pk"), part("sk")), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_outgrows_dynamodb() {
        let long = NodeId::named(format!("s3://{}/{}?versionId={}", "b".repeat(63), "k".repeat(1024), "v".repeat(64)));
        let key = Key::edge("from", &long, Relation::RegisteredAs, &long);
        assert!(key.pk.len() <= 2048 && key.sk.len() <= 1024, "{key}");
    }

    #[test]
    fn a_malformed_item_is_named() {
        let item = Key::endpoint("e").into_item();
        let error = get_body::<u8>(&item).unwrap_err().to_string();
        assert!(error.starts_with("item `endpoint#e state` of the ledger is malformed: `body` is missing"), "{error}");
    }
}
