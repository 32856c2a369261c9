//! The file of people and service providers.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::Error;

/// Everybody and everything that the identity provider knows.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Directory {
    pub(super) people: Vec<Person>,
    pub(super) apps: Vec<App>,
}

/// Somebody who can sign in.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Person {
    pub(super) name: String,
    /// The NameID, if it is not the name.
    name_id: Option<String>,
    pub(super) name_id_format: Option<String>,
    #[serde(default)]
    pub(super) attributes: BTreeMap<String, Values>,
}

impl Person {
    pub(super) fn name_id(&self) -> &str {
        self.name_id.as_deref().unwrap_or(&self.name)
    }
}

/// The values of an attribute; one may stand without a list.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Values {
    One(String),
    Many(Vec<String>),
}

impl Values {
    pub(super) fn all(&self) -> Vec<&str> {
        match self {
            Self::One(value) => vec![value],
            Self::Many(values) => values.iter().map(String::as_str).collect(),
        }
    }
}

/// A service provider.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct App {
    pub(super) name: String,
    /// Its entity ID: the Issuer of its requests, the Audience of what it is sent.
    pub(super) audience: String,
    /// Its assertion consumer service, the only address that answers go to.
    pub(super) acs: String,
    /// The RelayState of a sign-in that starts at the identity provider.
    pub(super) relay_state: Option<String>,
    /// SessionNotOnOrAfter, counted from the sign-in.
    pub(super) session_seconds: Option<u32>,
}

impl Directory {
    pub(super) fn read(file: &Path) -> Result<Self, Error> {
        let text =
            std::fs::read(file).map_err(|source| Error::File { what: "cannot read", file: file.to_owned(), source })?;
        serde_json::from_slice(&text).map_err(|source| Error::People { file: file.to_owned(), source })
    }

    pub(super) fn person(&self, name: &str) -> Option<&Person> {
        self.people.iter().find(|person| person.name == name)
    }

    pub(super) fn app(&self, name: &str) -> Option<&App> {
        self.apps.iter().find(|app| app.name == name)
    }
}
