//! What holds across the sections: references, cycles, parameters, and that nothing deploys without a gate.

use std::collections::{BTreeMap, BTreeSet};

use super::errors::{KeyPath, Place};
use super::instance::InstanceType;
use super::names::{MODEL_PACKAGE_GROUP_LIMIT, ParameterName, PipelineName, SCHEDULE_RESOURCE_LIMIT};
use super::reader::{Field, Reader, Use, Wants, nearest};
use super::steps::Draft;
use super::template::{Source, Template};
use super::text::{quote, quote_all};
use super::values::Scalar;
use super::{EXPECTED_RESOURCE_SUFFIX, INPUT_DATA_URI, MODEL_OUTPUT};

/// Every `<step>.<output>` names an output of a step.
pub(super) fn references(reader: &mut Reader<'_>, drafts: &[Draft]) {
    for draft in drafts {
        for input in &draft.inputs {
            let Source::Step { step, output } = &input.source else { continue };
            let message = match drafts.iter().find(|other| other.key == step.as_str()) {
                None if reader.full() => return,
                None => {
                    let names = || drafts.iter().map(|draft| draft.key.as_str());
                    let mut message = format!(
                        "{}: there is no step {}: accepted are {}",
                        input.path.quoted(),
                        quote(step.as_str()),
                        quote_all(names())
                    );
                    if let Some(near) = nearest(step.as_str(), names()) {
                        message.push_str(&format!("; did you mean {}?", quote(near)));
                    }
                    message
                }
                Some(other) => match &other.outputs {
                    Some(outputs) if !outputs.contains(output) => format!(
                        "{}: step {} has no output {}: accepted are {}",
                        input.path.quoted(),
                        quote(step.as_str()),
                        quote(output.as_str()),
                        quote_all(outputs.iter().map(AsRef::as_ref))
                    ),
                    _ => continue,
                },
            };
            reader.problem(input.place, &input.path, message);
        }
    }
}

/// The order in which the steps can run: each after those it reads from, by name where that leaves a choice. `None`,
/// with a problem noted, if some wait for one another.
pub(super) fn order(reader: &mut Reader<'_>, drafts: &[Draft]) -> Option<Vec<String>> {
    let known: BTreeSet<&str> = drafts.iter().map(|draft| draft.key.as_str()).collect();
    let mut waiting: BTreeMap<&str, BTreeSet<&str>> = drafts
        .iter()
        .map(|draft| {
            let sources = draft.inputs.iter().filter_map(|input| match &input.source {
                Source::Step { step, .. } => known.get(step.as_str()).copied(),
                Source::Uri(_) => None,
            });
            (draft.key.as_str(), sources.collect())
        })
        .collect();
    let mut order: Vec<String> = Vec::with_capacity(drafts.len());
    while let Some(next) = waiting.iter().find(|(_, sources)| sources.is_empty()).map(|(name, _)| *name) {
        waiting.remove(next);
        for sources in waiting.values_mut() {
            sources.remove(next);
        }
        order.push(next.to_owned());
    }
    let Some(start) = waiting.keys().next().copied() else { return Some(order) };
    // Each of these waits for another of these, so going from one to the next must come round.
    let mut way: Vec<&str> = vec![start];
    let round = loop {
        let next = way.last().and_then(|name| waiting.get(name)).and_then(|sources| sources.first().copied());
        let Some(next) = next else { break way };
        if let Some(position) = way.iter().position(|name| *name == next) {
            break way.split_off(position);
        }
        way.push(next);
    };
    let first = round.first().copied().unwrap_or(start);
    let told = round.iter().chain(round.first()).map(|name| quote(name)).collect::<Vec<_>>().join(" reads from ");
    if let Some(draft) = drafts.iter().find(|draft| draft.key == first) {
        let message =
            format!("{}: {told}: steps cannot wait for one another, remove one of these inputs", draft.path.quoted());
        reader.problem(draft.place, &draft.path, message);
    }
    None
}

/// Every parameter that is named is declared, and is of a type that fits.
pub(super) fn parameters(reader: &mut Reader<'_>, declared: &BTreeMap<ParameterName, Option<Scalar>>) {
    for Use { name, path, place, wants } in std::mem::take(&mut reader.uses) {
        let built_in = name.as_str() == INPUT_DATA_URI;
        let message = match declared.get(&name) {
            None if built_in => match wants {
                Wants::Instance => format!("`{INPUT_DATA_URI}` is an address, not an instance type"),
                _ => continue,
            },
            None if reader.full() => return,
            None => {
                let names = || std::iter::once(INPUT_DATA_URI).chain(declared.keys().map(AsRef::as_ref));
                let mut message =
                    format!("there is no parameter {}: accepted are {}", quote(name.as_str()), quote_all(names()));
                match nearest(name.as_str(), names()) {
                    Some(near) => message.push_str(&format!("; did you mean {}?", quote(near))),
                    None => message.push_str("; or declare it under `parameters`"),
                }
                message
            }
            Some(Some(default)) => match misfit(&name, default, &wants) {
                Some(message) => message,
                None => continue,
            },
            // A faulty default is a problem already.
            Some(None) => continue,
        };
        reader.problem(place, &path, format!("{}: {message}", path.quoted()));
    }
}

fn misfit(name: &ParameterName, default: &Scalar, wants: &Wants) -> Option<String> {
    match (wants, default) {
        (Wants::Anything, _) | (Wants::Text, Scalar::String(_)) => None,
        (Wants::Text, other) => Some(format!(
            "parameter `{name}` is of type {}: an address must be text, write its default in quotes",
            other.type_name()
        )),
        (Wants::Instance, Scalar::String(text)) => InstanceType::new(text.as_str())
            .err()
            .map(|error| format!("the default of parameter `{name}` will not do: {error}")),
        (Wants::Instance, other) => Some(format!(
            "parameter `{name}` is of type {}: accepted is an instance type, such as `ml.m5.large`",
            other.type_name()
        )),
        (Wants::Given(value), default) => given(name, default, value),
    }
}

fn given(name: &ParameterName, default: &Scalar, value: &Template) -> Option<String> {
    let text = value.literal();
    let fits = match default {
        Scalar::String(_) => true,
        Scalar::Integer(_) => text.is_some_and(|text| text.parse::<i64>().is_ok()),
        Scalar::Float(_) => text.is_some_and(|text| text.parse::<f64>().is_ok_and(f64::is_finite)),
        Scalar::Boolean(_) => matches!(text, Some("true" | "false")),
    };
    (!fits).then(|| {
        format!(
            "{} does not fit parameter `{name}`, which is of type {}",
            quote(&value.to_string()),
            default.type_name()
        )
    })
}

/// What the sections at the top demand of one another.
pub(super) struct Top<'a, 'n> {
    pub(super) name: Option<&'a PipelineName>,
    pub(super) name_place: Place,
    pub(super) gate: Option<&'a Field<'n>>,
    pub(super) deployment: Option<&'a Field<'n>>,
    pub(super) has_arrival: bool,
    /// Data is expected by some time, which takes a schedule.
    pub(super) expects: bool,
    /// Each schedule: its key, its place, and the parameters it gives.
    pub(super) schedules: Vec<(String, Place, Vec<String>)>,
}

pub(super) fn top(reader: &mut Reader<'_>, top: &Top<'_, '_>, drafts: &[Draft]) {
    if let (Some(deployment), None) = (top.deployment, top.gate) {
        let message = "`deployment` needs `gate`: no model goes live without a passed gate, add one with a metric of \
                       the evaluation";
        reader.problem(deployment.place, &deployment.path, message);
    }
    if let Some(gate) = top.gate {
        evaluation(reader, gate, drafts);
    }
    if let (Some(_), Some(name)) = (top.deployment, top.name) {
        let length = name.as_str().len();
        if length > MODEL_PACKAGE_GROUP_LIMIT {
            let message = format!(
                "`pipeline`: the name has {length} characters: a pipeline that deploys names a model package group, \
                 which has {MODEL_PACKAGE_GROUP_LIMIT} at most, shorten it"
            );
            let path = KeyPath::root().child("pipeline");
            reader.problem(top.name_place, &path, message);
        }
    }
    if let (true, Some(name)) = (top.expects, top.name) {
        let (length, limit) = (name.as_str().len(), SCHEDULE_RESOURCE_LIMIT - EXPECTED_RESOURCE_SUFFIX.len());
        if length > limit {
            let message = format!(
                "`pipeline`: the name has {length} characters: with `trigger.arrival.expected`, which takes a schedule \
                 in EventBridge Scheduler, it has {limit} at most, shorten it"
            );
            reader.problem(top.name_place, &KeyPath::root().child("pipeline"), message);
        }
    }
    for (key, place, given) in &top.schedules {
        let path = KeyPath::root().child("schedules").child(key);
        if let Some(name) = top.name {
            let length = name.as_str().len() + 1 + key.len();
            if length > SCHEDULE_RESOURCE_LIMIT {
                let message = format!(
                    "{}: with the pipeline's name it has {length} characters: EventBridge Scheduler accepts \
                     {SCHEDULE_RESOURCE_LIMIT}, shorten either",
                    path.quoted()
                );
                reader.problem(*place, &path, message);
            }
        }
        if !top.has_arrival && !given.iter().any(|name| name == INPUT_DATA_URI) {
            let message = format!(
                "{} gives no `{INPUT_DATA_URI}`, and without `trigger.arrival` it has no default: add it under \
                 `parameters`",
                path.quoted()
            );
            reader.problem(*place, &path, message);
        }
    }
}

/// A gate reads the report of one evaluation of one model.
fn evaluation(reader: &mut Reader<'_>, gate: &Field<'_>, drafts: &[Draft]) {
    if drafts.iter().any(|draft| draft.kind.is_none()) {
        // A step of unknown type may be the evaluation; that problem is noted already.
        return;
    }
    let evaluations: Vec<&Draft> = drafts.iter().filter(|draft| draft.kind == Some("evaluation")).collect();
    let evaluation = match evaluations.as_slice() {
        [one] => *one,
        [] => {
            let message = "`gate` needs an evaluation: add a step of `type: evaluation`, whose report the gate reads";
            reader.problem(gate.place, &gate.path, message);
            return;
        }
        [_, second, ..] => {
            let message = format!(
                "{} is a second evaluation: a gate reads one report, make it `type: processing`",
                second.path.quoted()
            );
            reader.problem(second.place, &second.path, message);
            return;
        }
    };
    let trains = |name: &str| drafts.iter().any(|draft| draft.key == name && draft.kind == Some("training"));
    let models = evaluation.inputs.iter().filter(|input| match &input.source {
        Source::Step { step, output } => output.as_str() == MODEL_OUTPUT && trains(step.as_str()),
        Source::Uri(_) => false,
    });
    let count = models.count();
    if count != 1 {
        let message = format!(
            "{} reads {count} models: the gate judges one, give it exactly one input of the form \
             `<training step>.model`",
            evaluation.path.quoted()
        );
        reader.problem(evaluation.place, &evaluation.path.child("inputs"), message);
    }
}
