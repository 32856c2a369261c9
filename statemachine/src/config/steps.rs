//! The steps of `pipeline.yaml`.

use std::collections::BTreeMap;

use super::errors::{KeyPath, Place};
use super::names::{HyperparameterName, InputName, OutputName, StepName};
use super::reader::{Field, Reader, Section, Wants};
use super::template::{Instance, Source, Template};
use super::text::{quote, quote_all};
use super::tree::Content;
use super::values::Duration;
use super::{MODEL_OUTPUT, REPORT_OUTPUT, Retries, RetryAttempts, Setting, Step, VolumeSize, Work, decode};
use crate::gate::Finite;

const KINDS: [&str; 3] = ["processing", "training", "evaluation"];

/// A processing job takes ten inputs, one of which is the code; a training job twenty.
const PROCESSING_INPUT_LIMIT: usize = 9;
const TRAINING_INPUT_LIMIT: usize = 20;
const OUTPUT_LIMIT: usize = 10;
const ARGUMENT_COUNT_LIMIT: usize = 100;
const ARGUMENT_LIMIT: usize = 256;
/// SageMaker itself takes far fewer. Checks across steps take time that grows with the square of their number.
const STEP_COUNT_LIMIT: usize = 500;
/// SageMaker takes 100, three of which are the container's own.
const HYPERPARAMETER_COUNT_LIMIT: usize = 97;
const HYPERPARAMETER_LIMIT: usize = 2500;

/// The longest runs that SageMaker takes: nine days of processing, 28 of training.
const PROCESSING_RUNTIME_LIMIT: u64 = 777_600;
const TRAINING_RUNTIME_LIMIT: u64 = 28 * 86_400;
/// The default of `max_runtime`.
const RUNTIME: u64 = 3600;
/// The default of `volume`, in GiB.
const VOLUME: i64 = 30;

/// A step as far as it could be read: the checks across steps go on even when one of them is faulty.
pub(super) struct Draft {
    pub(super) key: String,
    pub(super) path: KeyPath,
    pub(super) place: Place,
    pub(super) kind: Option<&'static str>,
    /// `None` when the outputs could not be read.
    pub(super) outputs: Option<Vec<OutputName>>,
    pub(super) inputs: Vec<DraftInput>,
    /// `None` when anything in it is faulty.
    pub(super) step: Option<Step>,
}

pub(super) struct DraftInput {
    pub(super) source: Source,
    pub(super) path: KeyPath,
    pub(super) place: Place,
}

pub(super) fn steps(reader: &mut Reader<'_>, field: &Field<'_>) -> Vec<Draft> {
    let entries = field.named::<StepName>(reader, "a mapping of names and steps").unwrap_or_default();
    if entries.is_empty() && matches!(field.node.content, Content::Mapping(_)) {
        field.problem(reader, "there is no step: add one");
    }
    if entries.len() > STEP_COUNT_LIMIT {
        field.problem(reader, format!("{} steps: {STEP_COUNT_LIMIT} are accepted", entries.len()));
        return Vec::new();
    }
    entries.into_iter().map(|(name, key, field)| draft(reader, name, key, &field)).collect()
}

fn draft(reader: &mut Reader<'_>, name: Option<StepName>, key: &str, field: &Field<'_>) -> Draft {
    let before = reader.problems.len();
    let mut draft = Draft {
        key: key.to_owned(),
        path: field.path.clone(),
        place: field.place,
        kind: None,
        outputs: None,
        inputs: Vec::new(),
        step: None,
    };
    draft.kind = kind(reader, field);
    let Some(kind) = draft.kind else { return draft };
    let Some(section) = field.section(reader, keys(kind)) else { return draft };
    let inputs = inputs(reader, &section, kind, &mut draft.inputs);
    let work = match kind {
        "processing" => {
            draft.outputs = outputs(reader, &section);
            let arguments = arguments(reader, &section);
            draft.outputs.clone().map(|outputs| Work::Processing { outputs, arguments })
        }
        "training" => {
            draft.outputs = OutputName::new(MODEL_OUTPUT).ok().map(|model| vec![model]);
            Some(Work::Training { hyperparameters: hyperparameters(reader, &section) })
        }
        _ => {
            draft.outputs = OutputName::new(REPORT_OUTPUT).ok().map(|report| vec![report]);
            let arguments = arguments(reader, &section);
            section
                .required(reader, "report", "report: evaluation.json")
                .and_then(|field| field.parse(reader))
                .map(|report| Work::Evaluation { report, arguments })
        }
    };
    let step = step(reader, &section, name, kind, inputs, work);
    // A problem anywhere in the step means that what was read of it is not what was meant.
    draft.step = step.filter(|_| reader.problems.len() == before);
    draft
}

fn keys(kind: &str) -> &'static [&'static str] {
    match kind {
        "processing" => &[
            "type",
            "image",
            "instance",
            "volume",
            "script",
            "inputs",
            "outputs",
            "arguments",
            "max_runtime",
            "retries",
            "cache",
        ],
        "training" => &[
            "type",
            "image",
            "instance",
            "volume",
            "script",
            "inputs",
            "hyperparameters",
            "max_runtime",
            "retries",
            "cache",
        ],
        _ => &[
            "type",
            "image",
            "instance",
            "volume",
            "script",
            "inputs",
            "arguments",
            "report",
            "max_runtime",
            "retries",
        ],
    }
}

/// The type comes first, for it decides which keys are known.
fn kind(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<&'static str> {
    let Content::Mapping(_) = field.node.content else {
        field.section(reader, keys("processing"));
        return None;
    };
    let section = Section::peek(field)?;
    let field = section.required(reader, "type", "type: processing")?;
    let text = field.text(reader)?;
    let known = KINDS.into_iter().find(|kind| *kind == text);
    if known.is_none() {
        field.problem(reader, format!("{} is not a type of step: accepted are {}", quote(text), quote_all(KINDS)));
    }
    known
}

fn step(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    name: Option<StepName>,
    kind: &str,
    inputs: BTreeMap<InputName, Source>,
    work: Option<Work>,
) -> Option<Step> {
    let image = section.required(reader, "image", "image: sklearn").and_then(|field| field.parse(reader));
    let instance = section.required(reader, "instance", "instance: ml.m5.large").and_then(|field| {
        let instance = field.parse(reader)?;
        if let Instance::Parameter(name) = &instance {
            reader.use_one(&field, name, Wants::Instance);
        }
        Some(instance)
    });
    let volume = match section.optional(reader, "volume") {
        Some(field) => field.whole(reader, VolumeSize::new),
        None => VolumeSize::new(VOLUME).ok(),
    };
    let script = section.required(reader, "script", "script: src/step.py").and_then(|field| field.script(reader));
    let limit = if kind == "training" { TRAINING_RUNTIME_LIMIT } else { PROCESSING_RUNTIME_LIMIT };
    let max_runtime = match section.optional(reader, "max_runtime") {
        Some(field) => bounded_duration(reader, &field, limit),
        None => Duration::from_seconds(RUNTIME),
    };
    let retries = section.optional(reader, "retries").and_then(|field| retries(reader, &field));
    let cache = section.optional(reader, "cache").and_then(|field| field.parse(reader));
    Some(Step {
        name: name?,
        image: image?,
        instance: instance?,
        volume: volume?,
        script: script?,
        inputs,
        max_runtime: max_runtime?,
        retries,
        cache,
        work: work?,
    })
}

fn bounded_duration(reader: &mut Reader<'_>, field: &Field<'_>, limit: u64) -> Option<Duration> {
    let duration: Duration = field.parse(reader)?;
    if duration.seconds() > limit {
        let days = limit / 86_400;
        field.problem(reader, format!("`{duration}` is too long: SageMaker accepts `{days}d` at most"));
        return None;
    }
    Some(duration)
}

fn inputs(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    kind: &str,
    drafts: &mut Vec<DraftInput>,
) -> BTreeMap<InputName, Source> {
    let mut inputs = BTreeMap::new();
    let Some(field) = section.optional(reader, "inputs") else { return inputs };
    let entries = field.named::<InputName>(reader, "a mapping of names and sources").unwrap_or_default();
    let limit = if kind == "training" { TRAINING_INPUT_LIMIT } else { PROCESSING_INPUT_LIMIT };
    if entries.len() > limit {
        field.problem(reader, format!("{} inputs: {limit} are accepted", entries.len()));
    }
    for (name, _, field) in entries {
        if kind != "training" && name.as_ref().is_some_and(|name| name.as_str() == "code") {
            let message = format!("{} is not free: the scripts lie there, choose another name", field.path.quoted());
            reader.problem(field.place, &field.path, message);
        }
        let source: Option<Source> = field.parse(reader);
        if let Some(source) = source {
            if let Source::Uri(template) = &source {
                match template.sole_parameter() {
                    Some(name) => reader.use_one(&field, name, Wants::Text),
                    None => reader.uses(&field, template),
                }
            }
            drafts.push(DraftInput { source: source.clone(), path: field.path.clone(), place: field.node.place });
            if let Some(name) = name {
                inputs.insert(name, source);
            }
        }
    }
    inputs
}

fn outputs(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<Vec<OutputName>> {
    let field = section.required(reader, "outputs", "outputs: [data]")?;
    let items = field.list(reader)?;
    if items.is_empty() || items.len() > OUTPUT_LIMIT {
        field.problem(reader, format!("{} outputs: accepted are 1 to {OUTPUT_LIMIT}", items.len()));
    }
    let count = items.len();
    let mut outputs: Vec<OutputName> = Vec::new();
    for item in items {
        let Some(output): Option<OutputName> = item.parse(reader) else { continue };
        // S3 finds a folder by how keys begin: `train` would bring `train_labels` along.
        let clash = outputs
            .iter()
            .find(|other| other.as_str().starts_with(output.as_str()) || output.as_str().starts_with(other.as_str()));
        match clash {
            Some(other) if *other == output => item.problem(reader, format!("`{output}` stands twice: remove one")),
            Some(other) => item.problem(
                reader,
                format!("`{output}` and `{other}` begin alike, and SageMaker reads by prefix: rename one of them"),
            ),
            None => outputs.push(output),
        }
    }
    (outputs.len() == count).then_some(outputs)
}

fn arguments(reader: &mut Reader<'_>, section: &Section<'_>) -> Vec<Template> {
    let Some(field) = section.optional(reader, "arguments") else { return Vec::new() };
    let items = field.list(reader).unwrap_or_default();
    if items.len() > ARGUMENT_COUNT_LIMIT {
        field.problem(reader, format!("{} arguments: {ARGUMENT_COUNT_LIMIT} are accepted", items.len()));
    }
    let mut arguments = Vec::with_capacity(items.len());
    for item in items {
        let Some(template): Option<Template> = item.parse(reader) else { continue };
        let length = template.literal().unwrap_or_default().chars().count();
        if length > ARGUMENT_LIMIT {
            item.problem(reader, format!("the argument has {length} characters: {ARGUMENT_LIMIT} are accepted"));
        }
        reader.uses(&item, &template);
        arguments.push(template);
    }
    arguments
}

fn hyperparameters(reader: &mut Reader<'_>, section: &Section<'_>) -> BTreeMap<HyperparameterName, Setting> {
    let mut settings = BTreeMap::new();
    let Some(field) = section.optional(reader, "hyperparameters") else { return settings };
    let entries = field.named::<HyperparameterName>(reader, "a mapping of names and values").unwrap_or_default();
    if entries.len() > HYPERPARAMETER_COUNT_LIMIT {
        field.problem(reader, format!("{} hyperparameters: {HYPERPARAMETER_COUNT_LIMIT} are accepted", entries.len()));
    }
    for (name, _, field) in entries {
        if let (Some(setting), Some(name)) = (setting(reader, &field), name) {
            settings.insert(name, setting);
        }
    }
    settings
}

fn setting(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<Setting> {
    if let Content::String(text) = &field.node.content
        && text.contains("{{")
    {
        let template: Template = field.parse(reader)?;
        reader.uses(field, &template);
        return Some(Setting::Template(template));
    }
    let scalar = decode::scalar(reader, field)?;
    let length = scalar.json().to_string().chars().count();
    if length > HYPERPARAMETER_LIMIT {
        field.problem(reader, format!("as JSON it has {length} characters: {HYPERPARAMETER_LIMIT} are accepted"));
    }
    Some(Setting::Plain(scalar))
}

fn retries(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<Retries> {
    let section = field.section(reader, &["attempts", "interval", "backoff"])?;
    let attempts =
        section.required(reader, "attempts", "attempts: 2").and_then(|field| field.whole(reader, RetryAttempts::new));
    let interval = match section.optional(reader, "interval") {
        Some(field) => field.parse(reader),
        None => Duration::from_seconds(1),
    };
    let backoff = match section.optional(reader, "backoff") {
        Some(field) => field.number(reader).and_then(|backoff| {
            if backoff.get() < 1.0 {
                field.problem(reader, format!("`{backoff}` is not a backoff: accepted is a number of 1 or more"));
                return None;
            }
            Some(backoff)
        }),
        None => Finite::new(2.0),
    };
    Some(Retries { attempts: attempts?, interval: interval?, backoff: backoff? })
}
