//! What every checked text type shares: the error, and how text of a user's is quoted.

/// Why a value cannot be what it should be: what was found, in backticks, and what is accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub(crate) String);

impl Invalid {
    /// `found` is not `what`: accepted is `accepted`.
    pub(crate) fn of(found: &str, what: &str, accepted: &str) -> Self {
        Self(format!("{} is not {what}: accepted is {accepted}", quote(found)))
    }
}

/// The longest quotation of a user's text in an error, in characters.
pub(crate) const QUOTED_LIMIT: usize = 80;

/// The text in backticks, on one line, without control characters, cut when it is long.
pub(crate) fn quote(text: &str) -> String {
    let mut characters = text.chars();
    let cut = visible(characters.by_ref().take(QUOTED_LIMIT));
    let more = if characters.next().is_some() { "…" } else { "" };
    format!("`{cut}{more}`")
}

/// The text with everything escaped that a terminal would act upon: control characters, and those that turn the
/// direction of writing or show nothing.
pub(crate) fn visible(characters: impl Iterator<Item = char>) -> String {
    let mut text = String::new();
    for c in characters {
        let hidden = matches!(
            c,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
        );
        if c.is_control() || hidden {
            text.extend(c.escape_default());
        } else {
            text.push(c);
        }
    }
    text
}

/// The most names that are listed.
const LISTED_LIMIT: usize = 30;

/// Several names in backticks, joined by commas; of very many, the first.
pub(crate) fn quote_all<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names = names.into_iter();
    let mut listed = names.by_ref().take(LISTED_LIMIT).map(quote).collect::<Vec<_>>().join(", ");
    if names.next().is_some() {
        listed.push_str(" and others");
    }
    listed
}

/// Letters and digits, with single or repeated hyphens inside: the pattern of most SageMaker names,
/// `[a-zA-Z0-9](-*[a-zA-Z0-9])*`.
pub(crate) fn is_hyphenated(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.ends_with(|c: char| c.is_ascii_alphanumeric())
}

/// Letters, digits, `-` and `_`, beginning and ending with none but a letter or digit at the front.
pub(crate) fn is_identifier(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// Checks the length, and says by how much it is off.
pub(crate) fn within(text: &str, what: &str, limit: usize) -> Result<(), Invalid> {
    let length = text.chars().count();
    if text.is_empty() {
        return Err(Invalid(format!("{what} is empty: accepted are 1 to {limit} characters")));
    }
    if length > limit {
        return Err(Invalid(format!(
            "{} has {length} characters: {what} has {limit} at most, shorten it",
            quote(text)
        )));
    }
    Ok(())
}

/// A text that is checked when it is made, and again when it is deserialised.
macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks and takes the text.
            ///
            /// # Errors
            /// Names what was found and what is accepted.
            pub fn new(text: impl Into<String>) -> Result<Self, $crate::config::Invalid> {
                let text = text.into();
                let check: fn(&str) -> Result<(), $crate::config::Invalid> = $check;
                check(&text)?;
                Ok(Self(text))
            }

            /// The text as written.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::config::Invalid;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::new(text)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::config::Invalid;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}
pub(crate) use checked_text;

/// Serialises as `Display`, deserialises through `FromStr`.
macro_rules! serde_as_text {
    ($name:ident) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use serde_as_text;
