//! What is wrong with a `pipeline.yaml`, and where.

use std::fmt;

use super::text::{QUOTED_LIMIT, quote, visible};

/// The most problems that are told of one file. Whoever has so many has given the wrong file.
pub const PROBLEM_LIMIT: usize = 100;

/// The longest message, in characters.
const MESSAGE_LIMIT: usize = 2000;

/// The longest key that is told in full, in bytes; no key that is accepted is longer.
const KEY_LIMIT: usize = 300;

/// The problems of one file, in the order of the file. Never empty; after [`PROBLEM_LIMIT`] of them one more says that
/// there are others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errors(Vec<ConfigError>);

impl Errors {
    pub(super) fn new(file: &str, mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| problem.place);
        problems.dedup();
        if problems.len() > PROBLEM_LIMIT {
            problems.truncate(PROBLEM_LIMIT);
            let place = problems.last().map_or(Place::NONE, |problem| problem.place);
            let message = format!("there are more than {PROBLEM_LIMIT} problems: mend these first");
            problems.push(Problem::new(place, KeyPath::root(), message));
        }
        let errors = problems.into_iter().map(|problem| ConfigError {
            file: file.to_owned(),
            line: problem.place.line,
            column: problem.place.column,
            key: problem.path.0,
            message: problem.message,
        });
        Self(errors.collect())
    }

    /// The problems.
    pub fn iter(&self) -> std::slice::Iter<'_, ConfigError> {
        self.0.iter()
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

impl<'a> IntoIterator for &'a Errors {
    type Item = &'a ConfigError;
    type IntoIter = std::slice::Iter<'a, ConfigError>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Errors {
    /// One problem on each line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, error) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Errors {}

/// One problem: where it is, what was found, what is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The file, as the caller named it; empty for a stored pipeline.
    pub file: String,
    /// From 1; 0 for a stored pipeline, which has no lines.
    pub line: usize,
    /// From 1, in characters; 0 for a stored pipeline.
    pub column: usize,
    /// The key, such as `steps.train.image`; empty for the file as a whole.
    pub key: String,
    /// What is wrong, and what to do.
    pub message: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "{}:{}:{}: ", self.file, self.line, self.column)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for ConfigError {}

/// A place in the file; both numbers from 1, or both 0 for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
}

impl Place {
    pub(super) const NONE: Self = Self { line: 0, column: 0 };
    pub(super) const START: Self = Self { line: 1, column: 1 };

    /// From the parser's numbers: lines from 1, columns from 0.
    pub(super) fn at(line: usize, column: usize) -> Self {
        Self { line: line.max(1), column: column + 1 }
    }
}

/// A problem that does not know its file yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) place: Place,
    pub(super) path: KeyPath,
    pub(super) message: String,
}

impl Problem {
    pub(super) fn new(place: Place, path: KeyPath, message: impl Into<String>) -> Self {
        // Errors of other modules and of the YAML parser quote the file as it is.
        let mut message = visible(message.into().chars().take(MESSAGE_LIMIT + 1));
        if let Some((end, _)) = message.char_indices().nth(MESSAGE_LIMIT) {
            message.truncate(end);
            message.push('…');
        }
        Self { place, path, message }
    }
}

/// The way to a key: `steps.train.inputs`, `gate[0].metric`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct KeyPath(String);

impl KeyPath {
    pub(super) fn root() -> Self {
        Self(String::new())
    }

    /// A key that is too long to be one of ours is cut: it would be repeated for everything below it.
    pub(super) fn child(&self, key: &str) -> Self {
        if key.len() > KEY_LIMIT {
            let cut: String = key.chars().take(QUOTED_LIMIT).collect();
            return self.child(&format!("{cut}…"));
        }
        if self.0.is_empty() { Self(key.to_owned()) } else { Self(format!("{}.{key}", self.0)) }
    }

    pub(super) fn item(&self, position: usize) -> Self {
        Self(format!("{}[{position}]", self.0))
    }

    /// In backticks, or `the file` for the whole.
    pub(super) fn quoted(&self) -> String {
        if self.0.is_empty() { "the file".to_owned() } else { quote(&self.0) }
    }
}
