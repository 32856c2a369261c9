//! The checks of the service model, and of what the local scheduler can do.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::error::Error;
use super::expression::{Expression, Plan};
use super::model::{Settings, Target, time};

/// AWS's default for `MaximumEventAgeInSeconds`, and its largest value.
pub(super) const MAX_AGE: i64 = 86_400;
/// AWS's default for `MaximumRetryAttempts`, and its largest value.
pub(super) const MAX_RETRIES: i64 = 185;

fn wrong(at: &str, constraint: &str) -> Error {
    Error::Validation(format!(
        "1 validation error detected: Value at '{at}' failed to satisfy constraint: {constraint}"
    ))
}

/// A schedule's or group's name.
pub(super) fn name(value: &str, at: &str) -> Result<(), Error> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if value.is_empty() || value.len() > 64 {
        return Err(wrong(at, "Member must have length between 1 and 64"));
    }
    if value.bytes().all(fits) {
        Ok(())
    } else {
        Err(wrong(at, "Member must satisfy regular expression pattern: ^[0-9a-zA-Z-_.]+$"))
    }
}

pub(super) fn token(value: Option<&str>) -> Result<(), Error> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    match value {
        Some(value) if value.is_empty() || value.len() > 64 || !value.bytes().all(fits) => {
            Err(wrong("clientToken", "Member must satisfy regular expression pattern: ^[a-zA-Z0-9-_]+$"))
        }
        _ => Ok(()),
    }
}

/// When a schedule with these settings is due.
pub(super) fn plan(settings: &Settings, anchor: Timestamp) -> Result<Plan, Error> {
    let text = &settings.schedule_expression;
    if text.is_empty() || text.len() > 256 {
        return Err(wrong("scheduleExpression", "Member must have length between 1 and 256"));
    }
    let expression = Expression::parse(text)
        .map_err(|reason| Error::Validation(format!("Invalid Schedule Expression {text}. {reason}")))?;
    let zone = settings.schedule_expression_timezone.as_deref().unwrap_or("UTC");
    let zone = TimeZone::get(zone).map_err(|_| {
        Error::Validation(format!(
            "Provided ScheduleExpressionTimezone {zone} is not valid; give a name as in Europe/Zurich"
        ))
    })?;
    let read = |seconds: Option<f64>, at: &str| match seconds {
        Some(seconds) => time(seconds).map(Some).ok_or_else(|| wrong(at, "Member must be a time")),
        None => Ok(None),
    };
    let (start, end) = (read(settings.start_date, "startDate")?, read(settings.end_date, "endDate")?);
    if let (Some(start), Some(end)) = (start, end)
        && start >= end
    {
        return Err(Error::Validation("The StartDate you specify cannot be later than the EndDate.".into()));
    }
    Ok(Plan { expression, zone, anchor: start.unwrap_or(anchor), start, end })
}

pub(super) fn settings(settings: &Settings, region: &str, account: &str) -> Result<(), Error> {
    if settings.description.as_ref().is_some_and(|text| text.chars().count() > 512) {
        return Err(wrong("description", "Member must have length less than or equal to 512"));
    }
    let window = &settings.flexible_time_window;
    match (window.mode.as_str(), window.maximum_window_in_minutes) {
        ("OFF", None) | ("FLEXIBLE", Some(1..=1440)) => {}
        ("OFF", Some(_)) => {
            return Err(Error::Validation(
                "MaximumWindowInMinutes cannot be specified when FlexibleTimeWindow Mode is OFF.".into(),
            ));
        }
        ("FLEXIBLE", _) => {
            return Err(wrong("flexibleTimeWindow.maximumWindowInMinutes", "Member must be between 1 and 1440"));
        }
        _ => return Err(wrong("flexibleTimeWindow.mode", "Member must satisfy enum value set: [OFF, FLEXIBLE]")),
    }
    target(&settings.target, region, account)
}

/// What can be invoked here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Function,
    Queue,
    Topic,
    Pipeline,
}

pub(super) fn kind(arn: &str) -> Option<Kind> {
    let mut parts = arn.splitn(6, ':').skip(2);
    let (service, _region, _account, resource) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    match service {
        "lambda" if resource.starts_with("function:") => Some(Kind::Function),
        "sqs" if !resource.is_empty() => Some(Kind::Queue),
        "sns" if !resource.is_empty() => Some(Kind::Topic),
        "sagemaker" if resource.starts_with("pipeline/") => Some(Kind::Pipeline),
        _ => None,
    }
}

fn target(target: &Target, region: &str, account: &str) -> Result<(), Error> {
    let Some(kind) = kind(&target.arn) else {
        return Err(Error::Validation(format!(
            "Provided Arn {} is not in correct format or is no target of the local scheduler, which invokes Lambda \
             functions, SQS queues, SNS topics and SageMaker pipelines.",
            target.arn
        )));
    };
    let place: Vec<&str> = target.arn.split(':').skip(3).take(2).collect();
    if place != [region, account] {
        return Err(Error::Validation(format!("the local target {} must be in {region} and {account}", target.arn)));
    }
    if !is_role(&target.role_arn) {
        return Err(wrong(
            "target.roleArn",
            r"Member must satisfy regular expression pattern: ^arn:aws(-[a-z]+)?:iam::\d{12}:role\/[\w+=,.@\/-]+$",
        ));
    }
    if target.input.as_ref().is_some_and(String::is_empty) {
        return Err(wrong("target.input", "Member must have length greater than or equal to 1"));
    }
    if let Some(policy) = &target.retry_policy {
        if policy.maximum_event_age_in_seconds.is_some_and(|age| !(60..=MAX_AGE).contains(&age)) {
            return Err(wrong("target.retryPolicy.maximumEventAgeInSeconds", "Member must be between 60 and 86400"));
        }
        if policy.maximum_retry_attempts.is_some_and(|attempts| !(0..=MAX_RETRIES).contains(&attempts)) {
            return Err(wrong("target.retryPolicy.maximumRetryAttempts", "Member must be between 0 and 185"));
        }
    }
    if let Some(arn) = target.dead_letter_config.as_ref().and_then(|config| config.arn.as_ref())
        && self::kind(arn) != Some(Kind::Queue)
    {
        return Err(wrong("target.deadLetterConfig.arn", "Member must be the ARN of an SQS queue"));
    }
    let fifo = kind == Kind::Queue && target.arn.ends_with(".fifo");
    if fifo && target.sqs_parameters.as_ref().is_none_or(|parameters| parameters.message_group_id.is_none()) {
        return Err(Error::Validation("SqsParameters.MessageGroupId is required for a FIFO queue.".into()));
    }
    Ok(())
}

fn is_role(arn: &str) -> bool {
    let Some((before, name)) = arn.split_once(":role/") else { return false };
    let parts: Vec<&str> = before.split(':').collect();
    let ["arn", partition, "iam", "", account] = parts.as_slice() else { return false };
    let fits = |character: char| character.is_ascii_alphanumeric() || "_+=,.@/-".contains(character);
    (*partition == "aws" || partition.starts_with("aws-"))
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(fits)
}
