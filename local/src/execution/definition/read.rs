//! From JSON to types, without looking at references.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Map, Value};

use super::super::condition;
use super::{Parameter, PropertyFile, RetryLimit, RetryPolicy, Step, StepKind};

type Object = Map<String, Value>;
type Result<T> = std::result::Result<T, String>;

const FAILURES: &[&str] = &[
    "Step.SERVICE_FAULT",
    "Step.THROTTLING",
    "SageMaker.JOB_INTERNAL_ERROR",
    "SageMaker.CAPACITY_ERROR",
    "SageMaker.RESOURCE_LIMIT",
];

pub(super) fn document(document: &Value) -> Result<(Vec<Parameter>, Vec<Step>)> {
    let object = document.as_object().ok_or("Expecting start of Json Object.")?;
    known(object, &["Version", "Metadata", "Parameters", "Steps", "PipelineExperimentConfig"], "The definition")?;
    match object.get("Version").and_then(Value::as_str) {
        Some("2020-12-01") => {}
        _ => return Err("`Version` must be `2020-12-01`".to_owned()),
    }
    let mut parameters: Vec<Parameter> = Vec::new();
    for value in array(object, "Parameters", "The definition")? {
        let parameter = Parameter::read(value)?;
        if parameters.iter().any(|other| other.name == parameter.name) {
            return Err(format!("Duplicate parameter name `{}`", parameter.name));
        }
        parameters.push(parameter);
    }
    let mut steps = Vec::new();
    let listed = array(object, "Steps", "The definition")?;
    if listed.is_empty() {
        return Err("`Steps` needs at least one step".to_owned());
    }
    for value in listed {
        step(value, None, &mut steps)?;
    }
    let mut names = BTreeSet::new();
    match steps.iter().find(|step| !names.insert(step.name.as_str())) {
        Some(step) => Err(format!("Duplicate step name `{}`", step.name)),
        None => Ok((parameters, steps)),
    }
}

fn step(value: &Value, branch: Option<(String, bool)>, steps: &mut Vec<Step>) -> Result<()> {
    let object = value.as_object().ok_or("Expecting start of Json Object. Each of `Steps` must be an object")?;
    let name = text(object, "Name", "A step")?.ok_or("A step needs a `Name`")?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if name.is_empty() || name.len() > 64 || !name.chars().all(allowed) {
        return Err(format!("Step name `{name}` is not accepted; write 1 to 64 letters, digits, `-` and `_`"));
    }
    let place = format!("Step `{name}`");
    known(
        object,
        &[
            "Name",
            "Type",
            "Arguments",
            "DependsOn",
            "PropertyFiles",
            "CacheConfig",
            "RetryPolicies",
            "DisplayName",
            "Description",
        ],
        &place,
    )?;
    let kind = text(object, "Type", &place)?.ok_or_else(|| format!("{place} needs a `Type`"))?;
    let kind = StepKind::parse(&kind).ok_or_else(|| {
        let accepted = StepKind::ALL.map(StepKind::name).join(", ");
        format!("{place} has the unknown type `{kind}`; accepted are {accepted}")
    })?;
    let arguments = match object.get("Arguments") {
        Some(Value::Object(arguments)) => arguments.clone(),
        None if kind == StepKind::Fail => Object::new(),
        None => return Err(format!("{place} needs `Arguments`")),
        Some(_) => return Err(format!("`Arguments` of {place} must be an object")),
    };
    let mut step_arguments = arguments.clone();
    if kind == StepKind::Condition {
        step_arguments.retain(|name, _| name == "Conditions");
        known(&arguments, &["Conditions", "IfSteps", "ElseSteps"], &place)?;
        let conditions = array(&arguments, "Conditions", &place)?;
        conditions.iter().try_for_each(condition::check).map_err(|reason| format!("{place}: {reason}"))?;
    }
    let depends_on = array(object, "DependsOn", &place)?.iter().map(|name| {
        name.as_str().map(str::to_owned).ok_or_else(|| format!("`DependsOn` of {place} must be a list of step names"))
    });
    steps.push(Step {
        kind,
        display_name: text(object, "DisplayName", &place)?,
        description: text(object, "Description", &place)?,
        arguments: Value::Object(step_arguments),
        depends_on: depends_on.collect::<Result<_>>()?,
        property_files: array(object, "PropertyFiles", &place)?
            .iter()
            .map(|file| property_file(file, &place))
            .collect::<Result<_>>()?,
        cache: cache(object, &place)?,
        retries: array(object, "RetryPolicies", &place)?
            .iter()
            .map(|policy| retry(policy, &place))
            .collect::<Result<_>>()?,
        branch,
        name: name.clone(),
    });
    if kind == StepKind::Condition {
        for (member, outcome) in [("IfSteps", true), ("ElseSteps", false)] {
            for value in array(&arguments, member, &place)? {
                step(value, Some((name.clone(), outcome)), steps)?;
            }
        }
    }
    Ok(())
}

fn property_file(value: &Value, place: &str) -> Result<PropertyFile> {
    let object = value.as_object().ok_or_else(|| format!("`PropertyFiles` of {place} must be a list of objects"))?;
    known(object, &["PropertyFileName", "OutputName", "FilePath"], place)?;
    let member = |name| text(object, name, place)?.ok_or_else(|| format!("A property file of {place} needs `{name}`"));
    Ok(PropertyFile { name: member("PropertyFileName")?, output: member("OutputName")?, path: member("FilePath")? })
}

fn cache(step: &Object, place: &str) -> Result<Option<Duration>> {
    let Some(value) = step.get("CacheConfig") else { return Ok(None) };
    let object = value.as_object().ok_or_else(|| format!("`CacheConfig` of {place} must be an object"))?;
    known(object, &["Enabled", "ExpireAfter"], place)?;
    let enabled = object.get("Enabled").and_then(Value::as_bool);
    let enabled = enabled.ok_or_else(|| format!("`CacheConfig` of {place} needs `Enabled`, true or false"))?;
    let age = match text(object, "ExpireAfter", place)? {
        // Without it a result never gets too old.
        None => Duration::MAX,
        Some(text) => duration(&text).ok_or_else(|| {
            format!("`ExpireAfter` of {place} is `{text}`; write an ISO 8601 duration such as `PT1H` or `P30D`")
        })?,
    };
    Ok(enabled.then_some(age))
}

fn duration(text: &str) -> Option<Duration> {
    let span: jiff::Span = text.starts_with('P').then(|| text.parse().ok())??;
    let start = jiff::civil::date(2020, 12, 1);
    let seconds = span.total((jiff::Unit::Second, start)).ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

fn retry(value: &Value, place: &str) -> Result<RetryPolicy> {
    let object = value.as_object().ok_or_else(|| format!("`RetryPolicies` of {place} must be a list of objects"))?;
    known(object, &["ExceptionType", "IntervalSeconds", "BackoffRate", "MaxAttempts", "ExpireAfterMin"], place)?;
    let mut failures = Vec::new();
    for failure in array(object, "ExceptionType", place)? {
        match failure.as_str().filter(|name| FAILURES.contains(name)) {
            Some(name) => failures.push(name.to_owned()),
            None => {
                return Err(format!(
                    "A retry policy of {place} has the exception type `{failure}`; accepted are {}",
                    FAILURES.join(", ")
                ));
            }
        }
    }
    if failures.is_empty() {
        return Err(format!("A retry policy of {place} needs `ExceptionType`, a list"));
    }
    let number = |name: &str, accepted: std::ops::RangeInclusive<f64>| match object.get(name) {
        None => Ok(None),
        Some(value) => match value.as_f64().filter(|number| accepted.contains(number)) {
            Some(number) => Ok(Some(number)),
            None => Err(format!(
                "`{name}` of a retry policy of {place} is `{value}`; accepted is a number from {} to {}",
                accepted.start(),
                accepted.end()
            )),
        },
    };
    // Bounds beyond those of the documentation (interval ≥ 0, attempts up to 20) keep a wait representable.
    let attempts = number("MaxAttempts", 1.0..=20.0)?;
    let within = number("ExpireAfterMin", 1.0..=14400.0)?;
    let limit = match (attempts, within) {
        (Some(_), Some(_)) => {
            return Err(format!("A retry policy of {place} takes `MaxAttempts` or `ExpireAfterMin`, not both"));
        }
        (None, Some(minutes)) => RetryLimit::Within(Duration::from_secs_f64(minutes * 60.0)),
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be 1 to 20")]
        (attempts, None) => RetryLimit::Attempts(attempts.unwrap_or(5.0) as u32),
    };
    Ok(RetryPolicy {
        failures,
        interval: Duration::from_secs_f64(number("IntervalSeconds", 0.0..=86400.0)?.unwrap_or(1.0)),
        backoff: number("BackoffRate", 0.0..=100.0)?.unwrap_or(2.0),
        limit,
    })
}

pub(super) fn known(object: &Object, names: &[&str], place: &str) -> Result<()> {
    match object.keys().find(|name| !names.contains(&name.as_str())) {
        Some(name) => Err(format!("{place} has the unknown member `{name}`; accepted are {}", names.join(", "))),
        None => Ok(()),
    }
}

fn array<'a>(object: &'a Object, name: &str, place: &str) -> Result<&'a [Value]> {
    match object.get(name) {
        None => Ok(&[]),
        Some(Value::Array(list)) => Ok(list),
        Some(_) => Err(format!("Expecting start of Json Array. `{name}` of {place} must be a list")),
    }
}

pub(super) fn text(object: &Object, name: &str, place: &str) -> Result<Option<String>> {
    match object.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(format!("`{name}` of {place} must be a string")),
    }
}
