use std::collections::HashMap;

use regex::Regex;
use serde::Deserialize;

use super::pattern;

/// A use of a shape.
#[derive(Debug, Deserialize)]
pub(super) struct Reference {
    pub(super) shape: String,
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Structure,
    List,
    Map,
    String,
    Integer,
    Long,
    Float,
    Double,
    Boolean,
    Timestamp,
    Blob,
}

/// One shape of the service model, with its constraints.
#[derive(Debug, Deserialize)]
pub(super) struct Shape {
    #[serde(rename = "type")]
    pub(super) kind: Kind,
    #[serde(default)]
    pub(super) members: HashMap<String, Reference>,
    #[serde(default)]
    pub(super) required: Vec<String>,
    /// The items of a list.
    pub(super) member: Option<Reference>,
    pub(super) key: Option<Reference>,
    pub(super) value: Option<Reference>,
    pub(super) min: Option<f64>,
    pub(super) max: Option<f64>,
    #[serde(rename = "enum", default)]
    pub(super) values: Vec<String>,
    pub(super) pattern: Option<String>,
    #[serde(default)]
    pub(super) union: bool,
    #[serde(default)]
    sensitive: bool,
    #[serde(skip)]
    pub(super) regex: Option<Regex>,
}

impl Shape {
    pub(super) fn compile(&mut self) {
        self.regex = self.pattern.as_deref().and_then(pattern::translate);
    }

    pub(super) fn references(&self) -> impl Iterator<Item = &str> {
        let parts = [&self.member, &self.key, &self.value];
        self.members.values().chain(parts.into_iter().flatten()).map(|reference| reference.shape.as_str())
    }

    /// The pattern, when it could not be translated.
    pub(super) fn unchecked_pattern(&self) -> Option<&str> {
        if self.regex.is_some() { None } else { self.pattern.as_deref() }
    }

    /// Whether a value of this shape may be shown in a message.
    pub(super) fn shown(&self) -> bool {
        !self.sensitive
    }
}
