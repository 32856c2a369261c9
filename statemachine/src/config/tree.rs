//! YAML as a tree in which every key and value knows its place in the file.
//!
//! Every problem is collected; only a syntax error ends the reading, for nothing behind it can be trusted.

use std::collections::BTreeMap;

use granit_parser::{Event, Parser, ScalarStyle, Span};
use serde_json::Value;

use super::errors::{KeyPath, PROBLEM_LIMIT, Place, Problem};
use super::text::quote;

/// The largest `pipeline.yaml`, in bytes.
pub const FILE_LIMIT: usize = 1024 * 1024;

/// The most memory of a tree, aliases expanded and anchors kept, in bytes, reckoned roughly. A large pipeline needs a
/// few hundred thousand; a bomb of nested aliases needs more than there is.
const COST_LIMIT: usize = 16 * 1024 * 1024;

/// What a node costs beside its text.
const NODE_COST: usize = 64;

/// The deepest nesting. `pipeline.yaml` needs five levels.
const DEPTH_LIMIT: usize = 32;

/// A value and where it begins.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) content: Content,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    /// `~`, `null`, or nothing behind a colon.
    Null,
    Boolean(bool),
    /// The text as written, and its value.
    Integer(String, i64),
    /// The text as written, and its value, which is finite.
    Float(String, f64),
    String(String),
    List(Vec<Node>),
    /// In the order of the file; keys are unique.
    Mapping(Vec<Entry>),
}

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) place: Place,
    pub(super) value: Node,
}

impl Content {
    /// What it is, for a person.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Null => "nothing".to_owned(),
            Self::Boolean(value) => quote(if *value { "true" } else { "false" }),
            Self::Integer(text, _) | Self::Float(text, _) | Self::String(text) => quote(text),
            Self::List(_) => "a list".to_owned(),
            Self::Mapping(_) => "a mapping".to_owned(),
        }
    }

    /// The text of a plain value, as written.
    pub(super) fn plain_text(&self) -> Option<&str> {
        match self {
            Self::Boolean(true) => Some("true"),
            Self::Boolean(false) => Some("false"),
            Self::Integer(text, _) | Self::Float(text, _) | Self::String(text) => Some(text),
            Self::Null | Self::List(_) | Self::Mapping(_) => None,
        }
    }
}

/// Reads one YAML document.
pub(super) fn read(text: &str, problems: &mut Vec<Problem>) -> Option<Node> {
    if text.len() > FILE_LIMIT {
        let message = format!("the file has {} bytes: {FILE_LIMIT} are accepted, make it smaller", text.len());
        problems.push(Problem::new(Place::START, KeyPath::root(), message));
        return None;
    }
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let outcome = match event {
            Ok((event, span)) => builder.take(event, span),
            Err(error) => {
                let place = Place::at(error.marker().line(), error.marker().col());
                let message = syntax_message(text, place, &error.info());
                Err(Problem::new(place, KeyPath::root(), message))
            }
        };
        if let Err(problem) = outcome {
            builder.problems.push(problem);
            problems.append(&mut builder.problems);
            return None;
        }
    }
    problems.append(&mut builder.problems);
    if builder.root.is_none() {
        problems.push(Problem::new(Place::START, KeyPath::root(), "the file is empty: begin with `pipeline: <name>`"));
    }
    builder.root
}

/// The parser's words, and what to do about the commonest mistake.
fn syntax_message(text: &str, place: Place, info: &str) -> String {
    let line = text.lines().nth(place.line.saturating_sub(1)).unwrap_or_default();
    let indent: String = line.chars().take_while(|c| c.is_whitespace()).collect();
    if indent.contains('\t') {
        return "the line is indented with a tab: YAML accepts spaces only, replace it".to_owned();
    }
    let info = info.trim_end_matches('.');
    let mut letters = info.chars();
    let info = match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect::<String>(),
        None => String::new(),
    };
    format!("not YAML: {}", info.replace('\n', " "))
}

#[derive(Default)]
struct Builder {
    root: Option<Node>,
    open: Vec<Open>,
    /// A copy of each anchored node, with its cost.
    anchors: BTreeMap<usize, (Node, usize)>,
    cost: usize,
    documents: usize,
    problems: Vec<Problem>,
}

/// A list or mapping that is not closed yet.
struct Open {
    place: Place,
    anchor: usize,
    cost_before: usize,
    kind: OpenKind,
}

enum OpenKind {
    List(Vec<Node>),
    Mapping {
        entries: Vec<Entry>,
        /// The line of each key so far.
        lines: BTreeMap<String, usize>,
        key: Option<(Option<String>, Place)>,
    },
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Problem> {
        let place = Place::at(span.start.line(), span.start.col());
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(self.problem(place, "a second document begins here: one file holds one pipeline"));
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                if tag.is_some() {
                    return Err(self.tagged(&span));
                }
                let cost = NODE_COST + text.len();
                self.count(cost, place)?;
                let node = Node { place, content: scalar(&text, style) };
                self.close(node, anchor, cost)?;
            }
            Event::SequenceStart(_, _, Some(_)) | Event::MappingStart(_, _, Some(_)) => {
                return Err(self.tagged(&span));
            }
            Event::SequenceStart(_, anchor, _) => self.open(place, anchor, OpenKind::List(Vec::new()))?,
            Event::MappingStart(_, anchor, _) => {
                self.open(place, anchor, OpenKind::Mapping { entries: Vec::new(), lines: BTreeMap::new(), key: None })?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(open) = self.open.pop() {
                    let content = match open.kind {
                        OpenKind::List(items) => Content::List(items),
                        OpenKind::Mapping { entries, .. } => Content::Mapping(entries),
                    };
                    let cost = self.cost - open.cost_before;
                    self.close(Node { place: open.place, content }, open.anchor, cost)?;
                }
            }
            Event::Alias(anchor) => {
                let Some((node, cost)) = self.anchors.get(&anchor).cloned() else {
                    return Err(self.problem(place, "an alias stands inside its own anchor: write the value out"));
                };
                self.count(cost, place)?;
                self.close(node, 0, cost)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn open(&mut self, place: Place, anchor: usize, kind: OpenKind) -> Result<(), Problem> {
        if self.open.len() >= DEPTH_LIMIT {
            return Err(self.problem(place, &format!("nested more than {DEPTH_LIMIT} levels deep: flatten it")));
        }
        let cost_before = self.cost;
        self.count(NODE_COST, place)?;
        self.open.push(Open { place, anchor, cost_before, kind });
        Ok(())
    }

    fn count(&mut self, more: usize, place: Place) -> Result<(), Problem> {
        self.cost = self.cost.saturating_add(more);
        if self.cost > COST_LIMIT {
            return Err(self.problem(place, "too many values, aliases included: make the file smaller"));
        }
        Ok(())
    }

    /// Puts a finished node into what is open around it.
    fn close(&mut self, node: Node, anchor: usize, cost: usize) -> Result<(), Problem> {
        if anchor != 0 {
            self.count(cost, node.place)?;
            self.anchors.insert(anchor, (node.clone(), cost));
        }
        let path = self.path();
        match self.open.last_mut().map(|open| &mut open.kind) {
            None => self.root = Some(node),
            Some(OpenKind::List(items)) => items.push(node),
            Some(OpenKind::Mapping { entries, lines, key }) => match key.take() {
                None => {
                    let name = node.content.plain_text().map(str::to_owned);
                    if name.is_none() {
                        let message = format!("{} is not a key: accepted is plain text", node.content.describe());
                        note(&mut self.problems, Problem::new(node.place, path, message));
                    }
                    *key = Some((name, node.place));
                }
                Some((None, _)) => {}
                Some((Some(name), place)) => match lines.get(&name) {
                    Some(first) => {
                        let message =
                            format!("{} stands twice, first on line {first}: keep one of them", path.quoted());
                        note(&mut self.problems, Problem::new(place, path, message));
                    }
                    None => {
                        lines.insert(name.clone(), place.line);
                        entries.push(Entry { key: name, place, value: node });
                    }
                },
            },
        }
        Ok(())
    }

    fn tagged(&self, span: &Span) -> Problem {
        let start = span.tag_start().unwrap_or(span.start);
        let place = Place::at(start.line(), start.col());
        self.problem(place, "a tag is not accepted: write the value without `!`")
    }

    fn problem(&self, place: Place, message: &str) -> Problem {
        Problem::new(place, self.path(), message)
    }

    fn path(&self) -> KeyPath {
        self.open.iter().fold(KeyPath::root(), |path, open| match &open.kind {
            OpenKind::List(items) => path.item(items.len()),
            OpenKind::Mapping { key: Some((Some(name), _)), .. } => path.child(name),
            OpenKind::Mapping { .. } => path,
        })
    }
}

fn note(problems: &mut Vec<Problem>, problem: Problem) {
    if problems.len() <= PROBLEM_LIMIT {
        problems.push(problem);
    }
}

/// The core schema of YAML 1.2, without octal and hexadecimal numbers, infinity and NaN, which stay text.
fn scalar(text: &str, style: ScalarStyle) -> Content {
    if style != ScalarStyle::Plain {
        return Content::String(text.to_owned());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Content::Null,
        "true" | "True" | "TRUE" => return Content::Boolean(true),
        "false" | "False" | "FALSE" => return Content::Boolean(false),
        _ => {}
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.is_empty()
        && digits.chars().all(|c| c.is_ascii_digit())
        && let Ok(number) = text.parse()
    {
        return Content::Integer(text.to_owned(), number);
    }
    let numeric = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits.chars().any(|c| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'));
    match text.parse::<f64>() {
        Ok(number) if numeric && number.is_finite() => Content::Float(text.to_owned(), number),
        _ => Content::String(text.to_owned()),
    }
}

/// The same tree from JSON, in which nothing has a place.
pub(super) fn from_json(value: &Value) -> Node {
    let content = match value {
        Value::Null => Content::Null,
        Value::Bool(value) => Content::Boolean(*value),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => Content::Integer(integer.to_string(), integer),
            (None, Some(float)) => Content::Float(number.to_string(), float),
            (None, None) => Content::String(number.to_string()),
        },
        Value::String(text) => Content::String(text.clone()),
        Value::Array(items) => Content::List(items.iter().map(from_json).collect()),
        Value::Object(members) => Content::Mapping(
            members
                .iter()
                .map(|(key, value)| Entry { key: key.clone(), place: Place::NONE, value: from_json(value) })
                .collect(),
        ),
    };
    Node { place: Place::NONE, content }
}
