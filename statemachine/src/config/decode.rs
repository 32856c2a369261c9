//! The sections of `pipeline.yaml` beside the steps, one function each.

use std::collections::BTreeMap;

use super::cron::Cron;
use super::names::{ParameterName, ScheduleName};
use super::reader::{Field, Reader, Section, Wants};
use super::schedule::{Rate, ScheduleExpression, TimeZone};
use super::template::Template;
use super::text::{Invalid, quote_all};
use super::tree::Content;
use super::values::{Approval, Duration, Scalar, VALUE_LIMIT};
use super::{Deployment, INPUT_DATA_URI, InstanceCount, Parallel, Schedule};
use crate::gate::{AgainstChampion, Comparison, Criterion, Direction, Finite, Gate, MetricPath, Threshold};
use crate::queue::Concurrency;

pub(super) const PIPELINE_KEYS: [&str; 10] = [
    "pipeline",
    "description",
    "trigger",
    "schedules",
    "concurrency",
    "deadline",
    "parameters",
    "steps",
    "gate",
    "deployment",
];

/// SageMaker takes 200 parameters, one of which is [`INPUT_DATA_URI`].
const PARAMETER_COUNT_LIMIT: usize = 199;

/// The bounds of `deadline`, in seconds: 5 minutes to 30 days.
const DEADLINES: std::ops::RangeInclusive<u64> = 300..=30 * 86_400;

pub(super) fn concurrency(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<Concurrency> {
    if let Content::Mapping(_) = field.node.content {
        let section = field.section(reader, &["parallel"])?;
        let parallel = section.required(reader, "parallel", "parallel: 3")?.whole(reader, Parallel::new)?;
        return Some(Concurrency::Wait { at_most: parallel.get() });
    }
    match field.node.content.plain_text() {
        Some("queue") => Some(Concurrency::Wait { at_most: 1 }),
        Some("skip") => Some(Concurrency::Skip),
        Some("replace") => Some(Concurrency::Replace),
        _ => {
            let found = field.node.content.describe();
            let accepted = "`queue`, `skip`, `replace` and `{parallel: 3}`";
            field.problem(reader, format!("{found} is not accepted: accepted are {accepted}"));
            None
        }
    }
}

pub(super) fn deadline(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<Duration> {
    let deadline: Duration = field.parse(reader)?;
    if !DEADLINES.contains(&deadline.seconds()) {
        field.problem(reader, Invalid::of(&deadline.to_string(), "a deadline", "`5m` to `30d`"));
        return None;
    }
    Some(deadline)
}

pub(super) fn parameters(reader: &mut Reader<'_>, field: &Field<'_>) -> BTreeMap<ParameterName, Option<Scalar>> {
    let entries = field.named::<ParameterName>(reader, "a mapping of names and defaults").unwrap_or_default();
    if entries.len() > PARAMETER_COUNT_LIMIT {
        field.problem(reader, format!("{} parameters: {PARAMETER_COUNT_LIMIT} are accepted", entries.len()));
    }
    let mut parameters = BTreeMap::new();
    for (name, _, field) in entries {
        let Some(name) = name else { continue };
        if name.as_str() == INPUT_DATA_URI {
            let message = format!("`parameters.{INPUT_DATA_URI}` is built in: remove it");
            reader.problem(field.place, &field.path, message);
            continue;
        }
        let default = scalar(reader, &field);
        parameters.insert(name, default);
    }
    parameters
}

/// A plain value, kept with its type.
pub(super) fn scalar(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<Scalar> {
    match &field.node.content {
        Content::Boolean(value) => Some(Scalar::Boolean(*value)),
        Content::Integer(_, value) => Some(Scalar::Integer(*value)),
        Content::Float(_, value) => Finite::new(*value).map(Scalar::Float),
        Content::String(text) if text.chars().count() <= VALUE_LIMIT => Some(Scalar::String(text.clone())),
        Content::String(text) => {
            let length = text.chars().count();
            field.problem(reader, format!("the text has {length} characters: {VALUE_LIMIT} are accepted, shorten it"));
            None
        }
        other => {
            field.problem(
                reader,
                format!("{} is not a plain value: accepted are text, a number, `true` or `false`", other.describe()),
            );
            None
        }
    }
}

pub(super) fn schedules(reader: &mut Reader<'_>, field: &Field<'_>) -> BTreeMap<ScheduleName, Schedule> {
    let mut schedules = BTreeMap::new();
    for (name, _, field) in field.named::<ScheduleName>(reader, "a mapping of names and schedules").unwrap_or_default()
    {
        let schedule = schedule(reader, &field);
        if let (Some(name), Some(schedule)) = (name, schedule) {
            schedules.insert(name, schedule);
        }
    }
    schedules
}

fn schedule(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<Schedule> {
    let section = field.section(reader, &["cron", "rate", "at", "timezone", "parameters"])?;
    let expression = expression(reader, &section);
    let time_zone = match section.optional(reader, "timezone") {
        Some(field) => field.parse(reader),
        None if section.has("timezone") => None,
        None => Some(TimeZone::utc()),
    };
    let mut parameters = BTreeMap::new();
    let mut complete = true;
    if let Some(field) = section.optional(reader, "parameters") {
        let entries = field.named::<ParameterName>(reader, "a mapping of names and values");
        complete = entries.is_some();
        for (name, _, field) in entries.unwrap_or_default() {
            let value = schedule_value(reader, &field);
            match (name, value) {
                (Some(name), Some(value)) => {
                    reader.use_one(&field, &name, Wants::Given(value.clone()));
                    parameters.insert(name, value);
                }
                _ => complete = false,
            }
        }
    }
    complete.then_some(())?;
    Some(Schedule { expression: expression?, time_zone: time_zone?, parameters })
}

fn schedule_value(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<Template> {
    let template: Template = field.parse(reader)?;
    if template.parameters().next().is_some() {
        let message = "a schedule knows no parameters: accepted are text, `{{bucket}}`, `{{account}}` and `{{region}}`";
        field.problem(reader, message);
        return None;
    }
    Some(template)
}

fn expression(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<ScheduleExpression> {
    let given: Vec<&str> = ["cron", "rate", "at"].into_iter().filter(|key| section.has(key)).collect();
    let [key] = given.as_slice() else {
        let path = section.path.quoted();
        let message = if given.is_empty() {
            format!("{path} has none of `cron`, `rate` and `at`: give exactly one")
        } else {
            format!("{path} has {}: give exactly one of `cron`, `rate` and `at`", quote_all(given.iter().copied()))
        };
        reader.problem(section.place, &section.path, message);
        return None;
    };
    let field = section.optional(reader, key)?;
    match *key {
        "cron" => field.parse::<Cron>(reader).map(ScheduleExpression::Cron),
        "rate" => field.parse::<Rate>(reader).map(ScheduleExpression::Rate),
        _ => field.parse::<At>(reader).map(|at| at.0),
    }
}

struct At(ScheduleExpression);

impl std::str::FromStr for At {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        ScheduleExpression::at(text).map(Self)
    }
}

pub(super) fn gate(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<Gate> {
    let items = field.list(reader)?;
    let count = items.len();
    let criteria: Vec<Criterion> = items.iter().filter_map(|item| criterion(reader, item)).collect();
    if criteria.len() < count {
        return None;
    }
    Gate::new(criteria).map_err(|error| field.problem(reader, error)).ok()
}

fn criterion(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<Criterion> {
    let problems_before = reader.problems.len();
    let section = field.section(reader, &["metric", "at_least", "above", "at_most", "below", "champion"])?;
    let metric = section.required(reader, "metric", "metric: binary_classification_metrics.auc").and_then(|field| {
        let path = MetricPath::new(field.text(reader)?);
        path.map_err(|error| field.problem(reader, error)).ok()
    });
    let given: Vec<Comparison> = Comparison::ALL.into_iter().filter(|one| section.has(one.key())).collect();
    let threshold = match given.as_slice() {
        [] => None,
        [comparison] => section
            .optional(reader, comparison.key())
            .and_then(|field| field.number(reader))
            .map(|value| Threshold { comparison: *comparison, value }),
        _ => {
            let found = quote_all(given.iter().map(|one| one.key()));
            let message =
                format!("{} has {found}: give one, and another criterion for the other", section.path.quoted());
            reader.problem(section.place, &section.path, message);
            None
        }
    };
    let direction = given.first().map(|comparison| comparison.direction());
    let champion = section.optional(reader, "champion").and_then(|field| champion(reader, &field, direction));
    if reader.problems.len() > problems_before {
        return None;
    }
    Criterion::new(metric?, threshold, champion).map_err(|error| field.problem(reader, error)).ok()
}

fn champion(reader: &mut Reader<'_>, field: &Field<'_>, direction: Option<Direction>) -> Option<AgainstChampion> {
    let section = field.section(reader, &["tolerance", "better"])?;
    let tolerance = section.required(reader, "tolerance", "tolerance: 0.02");
    let better = section.optional(reader, "better").and_then(|field| {
        let better = match field.text(reader)? {
            "higher" => Direction::Higher,
            "lower" => Direction::Lower,
            other => {
                let message = Invalid::of(other, "a direction", "`higher` or `lower`");
                field.problem(reader, message);
                return None;
            }
        };
        if direction.is_some_and(|direction| direction != better) {
            field.problem(reader, "it contradicts the bound of this criterion: remove `better`");
        }
        Some(better)
    });
    if better.is_none() && direction.is_none() && !section.has("better") {
        let message = format!(
            "{} does not tell which way is better: add a bound such as `at_least: 0.9`, or `better: higher`",
            section.path.quoted()
        );
        reader.problem(section.place, &section.path, message);
    }
    let field = tolerance?;
    let tolerance = field.number(reader)?;
    let against = AgainstChampion::new(tolerance, better.or(direction)?);
    against.map_err(|error| field.problem(reader, error)).ok()
}

pub(super) fn deployment(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<Deployment> {
    let section = field.section(reader, &["endpoint", "image", "instance", "instances", "script", "approval"])?;
    let endpoint = section.required(reader, "endpoint", "endpoint: my-model").and_then(|field| field.parse(reader));
    let image = section.required(reader, "image", "image: autogluon").and_then(|field| field.parse(reader));
    let instance = section.required(reader, "instance", "instance: ml.m5.large").and_then(|field| field.parse(reader));
    let instances = match section.optional(reader, "instances") {
        Some(field) => field.whole(reader, InstanceCount::new),
        None => InstanceCount::new(1).ok(),
    };
    let script = section.required(reader, "script", "script: src/inference.py").and_then(|field| field.script(reader));
    let approval = match section.optional(reader, "approval") {
        Some(field) => field.parse(reader),
        None => Some(Approval::Automatic),
    };
    Some(Deployment {
        endpoint: endpoint?,
        image: image?,
        instance: instance?,
        instances: instances?,
        script: script?,
        approval: approval?,
    })
}
