//! Reading the tree: known keys, required keys, plain values, and a problem noted for everything that is off.

use std::fmt::Display;
use std::str::FromStr;

use super::errors::{KeyPath, PROBLEM_LIMIT, Place, Problem};
use super::names::ParameterName;
use super::template::Template;
use super::text::{quote, quote_all};
use super::tree::{Content, Entry, Node};
use super::values::ScriptPath;

/// What is gathered while a file is read.
pub(super) struct Reader<'f> {
    pub(super) problems: Vec<Problem>,
    /// Every place that names a pipeline parameter, looked at when all parameters are known.
    pub(super) uses: Vec<Use>,
    files: &'f dyn Fn(&str) -> bool,
}

/// A parameter was named.
pub(super) struct Use {
    pub(super) name: ParameterName,
    pub(super) path: KeyPath,
    pub(super) place: Place,
    pub(super) wants: Wants,
}

/// What the parameter must be there.
pub(super) enum Wants {
    /// It is put into a text.
    Anything,
    /// It stands for a whole address.
    Text,
    /// It stands for an instance type.
    Instance,
    /// It is given this value.
    Given(Template),
}

impl<'f> Reader<'f> {
    pub(super) fn new(files: &'f dyn Fn(&str) -> bool) -> Self {
        Self { problems: Vec::new(), uses: Vec::new(), files }
    }

    /// So many problems are noted that further ones would not be told.
    pub(super) fn full(&self) -> bool {
        self.problems.len() > PROBLEM_LIMIT
    }

    pub(super) fn problem(&mut self, place: Place, path: &KeyPath, message: impl Into<String>) {
        if self.full() {
            return;
        }
        self.problems.push(Problem::new(place, path.clone(), message));
    }

    pub(super) fn uses(&mut self, field: &Field<'_>, template: &Template) {
        for name in template.parameters() {
            self.use_one(field, name, Wants::Anything);
        }
    }

    pub(super) fn use_one(&mut self, field: &Field<'_>, name: &ParameterName, wants: Wants) {
        let (path, place) = (field.path.clone(), field.node.place);
        self.uses.push(Use { name: name.clone(), path, place, wants });
    }
}

/// A key and its value.
pub(super) struct Field<'n> {
    pub(super) path: KeyPath,
    /// Of the key.
    pub(super) place: Place,
    pub(super) node: &'n Node,
}

impl<'n> Field<'n> {
    /// Notes a problem with the value.
    pub(super) fn problem(&self, reader: &mut Reader<'_>, message: impl Display) {
        reader.problem(self.node.place, &self.path, format!("{}: {message}", self.path.quoted()));
    }

    fn wrong_kind(&self, reader: &mut Reader<'_>, accepted: &str) {
        let found = match &self.node.content {
            // `"1"` and `1` look alike once quoted.
            Content::String(text) => format!("the text {}", quote(text)),
            other => other.describe(),
        };
        reader.problem(
            self.node.place,
            &self.path,
            format!("{} is {found}: accepted is {accepted}", self.path.quoted()),
        );
    }

    /// The text of a plain value.
    pub(super) fn text(&self, reader: &mut Reader<'_>) -> Option<&'n str> {
        let text = self.node.content.plain_text();
        if text.is_none() {
            self.wrong_kind(reader, "text");
        }
        text
    }

    /// A plain value of a type of ours.
    pub(super) fn parse<T: FromStr<Err: Display>>(&self, reader: &mut Reader<'_>) -> Option<T> {
        match self.text(reader)?.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.problem(reader, error);
                None
            }
        }
    }

    /// A whole number of a type of ours.
    pub(super) fn whole<T, E: Display>(&self, reader: &mut Reader<'_>, make: fn(i64) -> Result<T, E>) -> Option<T> {
        let Content::Integer(_, number) = self.node.content else {
            self.wrong_kind(reader, "a whole number");
            return None;
        };
        match make(number) {
            Ok(value) => Some(value),
            Err(error) => {
                self.problem(reader, error);
                None
            }
        }
    }

    /// A number.
    pub(super) fn number(&self, reader: &mut Reader<'_>) -> Option<crate::gate::Finite> {
        let number = match self.node.content {
            // Whole numbers of a threshold are far below 2^53, where doubles begin to leave some out.
            #[allow(clippy::cast_precision_loss)]
            Content::Integer(_, number) => crate::gate::Finite::new(number as f64),
            Content::Float(_, number) => crate::gate::Finite::new(number),
            _ => None,
        };
        if number.is_none() {
            self.wrong_kind(reader, "a number");
        }
        number
    }

    /// A script, which must exist.
    pub(super) fn script(&self, reader: &mut Reader<'_>) -> Option<ScriptPath> {
        let script: ScriptPath = self.parse(reader)?;
        if (reader.files)(script.as_str()) {
            return Some(script);
        }
        let message =
            format!("{} does not exist beside pipeline.yaml: create it or mend the path", quote(script.as_str()));
        self.problem(reader, message);
        None
    }

    /// The items of a list.
    pub(super) fn list(&self, reader: &mut Reader<'_>) -> Option<Vec<Field<'n>>> {
        let Content::List(items) = &self.node.content else {
            self.wrong_kind(reader, "a list");
            return None;
        };
        let item =
            |(position, node): (usize, &'n Node)| Field { path: self.path.item(position), place: node.place, node };
        Some(items.iter().enumerate().map(item).collect())
    }

    /// The entries of a mapping whose keys are free, each key checked to be a name.
    pub(super) fn named<K: FromStr<Err: Display>>(
        &self,
        reader: &mut Reader<'_>,
        accepted: &str,
    ) -> Option<Vec<(Option<K>, &'n str, Field<'n>)>> {
        let Content::Mapping(entries) = &self.node.content else {
            self.wrong_kind(reader, accepted);
            return None;
        };
        let mut named = Vec::with_capacity(entries.len());
        for Entry { key, place, value } in entries {
            let path = self.path.child(key);
            let name = match key.parse() {
                Ok(name) => Some(name),
                Err(error) => {
                    reader.problem(*place, &path, format!("{}: {error}", self.path.quoted()));
                    None
                }
            };
            named.push((name, key.as_str(), Field { path, place: *place, node: value }));
        }
        Some(named)
    }

    /// A mapping with known keys.
    pub(super) fn section(&self, reader: &mut Reader<'_>, accepted: &'static [&'static str]) -> Option<Section<'n>> {
        let Content::Mapping(entries) = &self.node.content else {
            self.wrong_kind(reader, &format!("a mapping with {}", quote_all(accepted.iter().copied())));
            return None;
        };
        let section = Section { path: self.path.clone(), place: self.place, entries, accepted };
        section.refuse_unknown(reader);
        Some(section)
    }
}

/// A mapping with known keys.
pub(super) struct Section<'n> {
    pub(super) path: KeyPath,
    /// Of the key that it stands under.
    pub(super) place: Place,
    entries: &'n [Entry],
    accepted: &'static [&'static str],
}

impl<'n> Section<'n> {
    /// The mapping under a key, its keys not judged yet.
    pub(super) fn peek(field: &Field<'n>) -> Option<Self> {
        match &field.node.content {
            Content::Mapping(entries) => {
                Some(Self { path: field.path.clone(), place: field.place, entries, accepted: &[] })
            }
            _ => None,
        }
    }

    fn refuse_unknown(&self, reader: &mut Reader<'_>) {
        let accepted = || self.accepted.iter().copied();
        for entry in self.entries.iter().filter(|entry| !self.accepted.contains(&entry.key.as_str())) {
            if reader.full() {
                return;
            }
            let path = self.path.child(&entry.key);
            let mut message = format!("{} is not a key here: accepted are {}", path.quoted(), quote_all(accepted()));
            if let Some(near) = nearest(&entry.key, accepted()) {
                message.push_str(&format!("; did you mean {}?", quote(near)));
            }
            reader.problem(entry.place, &path, message);
        }
    }

    /// Whether an unknown key was probably meant to be this one; then its absence is no second problem.
    fn misspelt(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| {
            !self.accepted.contains(&entry.key.as_str())
                && nearest(&entry.key, self.accepted.iter().copied()) == Some(key)
        })
    }

    /// Whether the key stands there at all.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.key == key)
    }

    /// The key, if it is there; a key without a value is a problem.
    pub(super) fn optional(&self, reader: &mut Reader<'_>, key: &str) -> Option<Field<'n>> {
        self.find(reader, key, "or remove the key")
    }

    /// The key, whose absence is a problem; `example` shows what to add.
    pub(super) fn required(&self, reader: &mut Reader<'_>, key: &str, example: &str) -> Option<Field<'n>> {
        if !self.has(key) {
            if !self.misspelt(key) {
                let message = format!("{} has no `{key}`: add it, such as {}", self.path.quoted(), quote(example));
                reader.problem(self.place, &self.path.child(key), message);
            }
            return None;
        }
        self.find(reader, key, &format!("such as {}", quote(example)))
    }

    fn find(&self, reader: &mut Reader<'_>, key: &str, advice: &str) -> Option<Field<'n>> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        let path = self.path.child(key);
        if matches!(entry.value.content, Content::Null) {
            let message = format!("{} has no value: give it one, {advice}", path.quoted());
            reader.problem(entry.place, &path, message);
            return None;
        }
        Some(Field { path, place: entry.place, node: &entry.value })
    }
}

/// With how many names a word is compared; a pipeline has fewer.
const NAMES_COMPARED: usize = 300;

/// The name that was probably meant: at most two letters away, and fewer than half of what was written.
pub(super) fn nearest<'a>(written: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let close = |name: &str| strsim::damerau_levenshtein(&written.to_lowercase(), &name.to_lowercase());
    // A text of any length may be written; only one about as long as a name can be near it.
    if written.len() > 300 {
        return None;
    }
    names
        .take(NAMES_COMPARED)
        .map(|name| (close(name), name))
        .filter(|(distance, name)| *distance <= 2 && distance * 2 < name.len().max(1))
        .min()
        .map(|(_, name)| name)
}
