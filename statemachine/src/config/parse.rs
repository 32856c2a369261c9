//! The whole file: section by section, then what holds across them.

use super::check::{self, Top};
use super::errors::{Errors, KeyPath, Place, Problem};
use super::names::PipelineName;
use super::reader::{Field, Reader, Section};
use super::tree::{self, Content, Node};
use super::values::Duration;
use super::{DEFAULT_DEADLINE, Pipeline, decode, steps, trigger};
use crate::queue::Concurrency;

impl Pipeline {
    /// Reads `pipeline.yaml`. `file` is named in errors; `exists` answers whether a path relative to the file exists.
    ///
    /// # Errors
    /// Every problem of the file; after a syntax error, only that one.
    pub fn parse(file: &str, text: &str, exists: &dyn Fn(&str) -> bool) -> Result<Self, Errors> {
        let mut problems = Vec::new();
        let Some(root) = tree::read(text, &mut problems) else { return Err(Errors::new(file, problems)) };
        from_tree(&root, exists, problems).map_err(|problems| Errors::new(file, problems))
    }
}

/// Reads a tree, be it of YAML or of a stored pipeline.
pub(super) fn from_tree(
    root: &Node,
    exists: &dyn Fn(&str) -> bool,
    problems: Vec<Problem>,
) -> Result<Pipeline, Vec<Problem>> {
    let mut reader = Reader::new(exists);
    reader.problems = problems;
    let place = if root.place == Place::NONE { Place::NONE } else { Place::START };
    let field = Field { path: KeyPath::root(), place, node: root };
    let Some(top) = field.section(&mut reader, &decode::PIPELINE_KEYS) else { return Err(reader.problems) };
    match pipeline(&mut reader, &top) {
        Some(pipeline) if reader.problems.is_empty() => Ok(pipeline),
        _ => Err(reader.problems),
    }
}

fn pipeline(reader: &mut Reader<'_>, top: &Section<'_>) -> Option<Pipeline> {
    let name_field = top.required(reader, "pipeline", "pipeline: my-pipeline");
    let name: Option<PipelineName> = name_field.as_ref().and_then(|field| field.parse(reader));
    let description = top.optional(reader, "description").and_then(|field| field.parse(reader));
    let arrival = top.optional(reader, "trigger").and_then(|field| trigger::arrival(reader, &field));

    let parameters = match top.optional(reader, "parameters") {
        Some(field) => decode::parameters(reader, &field),
        None => Default::default(),
    };
    let schedules_field = top.optional(reader, "schedules");
    let schedules = schedules_field.as_ref().map(|field| decode::schedules(reader, field)).unwrap_or_default();

    let concurrency = match top.optional(reader, "concurrency") {
        Some(field) => decode::concurrency(reader, &field),
        None => Some(Concurrency::Unlimited),
    };
    let deadline = match top.optional(reader, "deadline") {
        Some(field) => decode::deadline(reader, &field),
        None => Duration::from_seconds(DEFAULT_DEADLINE),
    };

    let drafts = match top.required(reader, "steps", "steps: {}") {
        Some(field) => steps::steps(reader, &field),
        None => Vec::new(),
    };
    check::references(reader, &drafts);
    let order = check::order(reader, &drafts);
    check::parameters(reader, &parameters);

    let gate_field = top.optional(reader, "gate");
    let gate = gate_field.as_ref().and_then(|field| decode::gate(reader, field));
    let deployment_field = top.optional(reader, "deployment");
    let deployment = deployment_field.as_ref().and_then(|field| decode::deployment(reader, field));

    let demands = Top {
        name: name.as_ref(),
        name_place: name_field.as_ref().map_or(Place::NONE, |field| field.node.place),
        gate: gate_field.as_ref(),
        deployment: deployment_field.as_ref(),
        has_arrival: top.has("trigger"),
        expects: arrival.as_ref().is_some_and(|arrival| arrival.expected.is_some()),
        schedules: schedules_field.as_ref().map(schedule_keys).unwrap_or_default(),
    };
    check::top(reader, &demands, &drafts);

    let mut read: std::collections::BTreeMap<String, super::Step> =
        drafts.into_iter().filter_map(|draft| Some((draft.key, draft.step?))).collect();
    let steps = order?.iter().map(|name| read.remove(name)).collect::<Option<Vec<_>>>()?;
    let parameters = parameters.into_iter().map(|(name, default)| Some((name, default?))).collect::<Option<_>>()?;
    Some(Pipeline {
        name: name?,
        description,
        arrival,
        schedules,
        concurrency: concurrency?,
        deadline: deadline?,
        parameters,
        steps,
        gate,
        deployment,
    })
}

/// Each schedule's key and place, and the names of the parameters it gives; faulty ones too.
fn schedule_keys(field: &Field<'_>) -> Vec<(String, Place, Vec<String>)> {
    let Content::Mapping(entries) = &field.node.content else { return Vec::new() };
    let keys = |node: &Node, key: &str| match &node.content {
        Content::Mapping(entries) => entries.iter().find(|entry| entry.key == key).map(|entry| entry.value.clone()),
        _ => None,
    };
    entries
        .iter()
        .map(|entry| {
            let given = match keys(&entry.value, "parameters").map(|node| node.content) {
                Some(Content::Mapping(given)) => given.into_iter().map(|entry| entry.key).collect(),
                _ => Vec::new(),
            };
            (entry.key.clone(), entry.place, given)
        })
        .collect()
}
