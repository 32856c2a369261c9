//! What is wrong with the configuration.

use std::fmt;

/// What is wrong, and with which key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// It is no JSON, or a key is not known, missing, or of another type.
    #[error("access.json: {}{reason}", at(.key))]
    Shape {
        /// Where; empty for the whole.
        key: String,
        /// How; names what was found and what is accepted.
        reason: String,
    },
    /// A value that is not accepted.
    #[error("access.json: `{key}` is {found}: accepted is {accepted}")]
    Value {
        /// Where.
        key: String,
        /// What is there.
        found: Found,
        /// What is accepted, and what to do.
        accepted: String,
    },
    /// An environment variable that is not accepted, or not there.
    #[error("environment variable `{name}` is {found}: accepted is {accepted}")]
    Variable {
        /// Which.
        name: &'static str,
        /// What it is.
        found: Found,
        /// What is accepted, and what to do.
        accepted: String,
    },
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// This text.
    Text(String),
    /// In words.
    Words(String),
}

/// The longest text that is told in full, in characters.
const TOLD: usize = 120;

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("not set"),
            Self::Words(words) => f.write_str(words),
            Self::Text(text) => {
                let shown: String = text.chars().take(TOLD).flat_map(char::escape_debug).collect();
                let more = if text.chars().count() > TOLD { "…" } else { "" };
                write!(f, "`{shown}{more}`")
            }
        }
    }
}

fn at(key: &str) -> String {
    if key.is_empty() || key == "." { String::new() } else { format!("`{key}`: ") }
}
