//! What an error of AWS means, read in one place.
//!
//! SageMaker says "exists" and "missing" mostly by a `ValidationException` and its text, sometimes by a code of its own;
//! its newer operations differ from its older ones.

use std::error::Error;
use std::fmt::{self, Display};

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use statemachine::text::one_line;

/// The longest quotation of AWS's words, in characters.
const QUOTED_LIMIT: usize = 600;

/// Why a command could not be carried out, or a question not answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EffectError {
    /// The same again may succeed later: throttling, a quota, a fault of the service, a change in progress, no answer.
    #[error("{0}")]
    Retry(String),
    /// AWS refused for want of room, throttled or beyond a quota: the same succeeds once others are done.
    #[error("{0}")]
    NoRoom(String),
    /// The same again would fail again, until someone changes something.
    #[error("{0}")]
    Permanent(String),
}

/// What a failed call means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// There is no such thing.
    Missing,
    /// There is such a thing already.
    Exists,
    /// Later perhaps.
    Busy,
    /// Too many at once: later.
    Throttled,
    /// The account may have no more of them: later, where others end by themselves.
    Quota,
    /// The role may not.
    Denied,
    /// It is wrong.
    Refused,
}

/// A call that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CallError {
    pub(crate) meaning: Meaning,
    said: String,
}

impl CallError {
    /// Reads an SDK error.
    pub(crate) fn of<E>(error: SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        match &error {
            SdkError::ServiceError(context) => {
                let code = context.err().code().unwrap_or_default();
                let message = context.err().message().unwrap_or_default();
                let status = context.raw().status().as_u16();
                Self::read(code, message, status)
            }
            SdkError::TimeoutError(_) => Self { meaning: Meaning::Busy, said: "AWS did not answer in time".to_owned() },
            SdkError::ConstructionFailure(_) => Self::in_words(Meaning::Refused, &error),
            _ => Self::in_words(Meaning::Busy, &error),
        }
    }

    /// An answer that broke off, or one without what it must hold.
    pub(crate) fn busy(said: impl Into<String>) -> Self {
        Self { meaning: Meaning::Busy, said: said.into() }
    }

    /// The error and what is behind it: the outermost alone says as little as "dispatch failure".
    fn in_words(meaning: Meaning, error: &dyn Error) -> Self {
        let mut said = error.to_string();
        let mut inner = error.source();
        while let Some(error) = inner {
            said.push_str(&format!(": {error}"));
            inner = error.source();
        }
        Self { meaning, said: one_line(&said, QUOTED_LIMIT) }
    }

    /// No answer came, of a call that is made without the service's SDK.
    pub(crate) fn unanswered(error: &(dyn Error + 'static)) -> Self {
        Self::in_words(Meaning::Busy, error)
    }

    /// Reads an answer's code, message and HTTP status.
    pub(crate) fn read(code: &str, message: &str, status: u16) -> Self {
        let said = match (message, code) {
            // The answer to a HEAD has no body.
            ("", "") => format!("AWS answered with HTTP status {status}"),
            ("", code) => code.to_owned(),
            (message, "") => message.to_owned(),
            (message, code) => format!("{message} ({code})"),
        };
        Self { meaning: meaning(code, message, status), said: one_line(&said, QUOTED_LIMIT) }
    }

    /// The error of an effect: `what` went wrong, such as "pipeline `p` cannot be started".
    pub(crate) fn effect(self, what: impl Display) -> EffectError {
        match self.meaning {
            Meaning::Busy => EffectError::Retry(format!("{what} now: {self}")),
            Meaning::Throttled | Meaning::Quota => EffectError::NoRoom(format!("{what} now: {self}")),
            Meaning::Denied => EffectError::Permanent(format!("{what}: the function's role has no permission: {self}")),
            _ => EffectError::Permanent(format!("{what}: {self}")),
        }
    }

    /// As [`effect`](Self::effect), but what is missing is said in words of one's own.
    pub(crate) fn or_missing(self, what: impl Display, missing: impl FnOnce() -> String) -> EffectError {
        if self.meaning == Meaning::Missing { EffectError::Permanent(missing()) } else { self.effect(what) }
    }
}

impl Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said)
    }
}

/// Codes of throttling, quotas that free up, faults, and changes in progress, over all services used here. Among them
/// are expired credentials: the next start of the function has new ones.
const BUSY: [&str; 15] = [
    "ConflictException",
    "ExpiredToken",
    "ExpiredTokenException",
    "InternalError",
    "InternalErrorException",
    "InternalFailure",
    "InternalServerException",
    "LimitExceededException",
    "OperationAborted",
    "PriorRequestNotComplete",
    "RequestTimeTooSkewed",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
];

const THROTTLED: [&str; 9] = [
    "KMSThrottling",
    "KMSThrottlingException",
    "RequestLimitExceeded",
    "SlowDown",
    "Throttled",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
];

const MISSING: [&str; 7] = [
    "NoSuchBucket",
    "NoSuchKey",
    "NoSuchVersion",
    "NotFound",
    "NotFoundException",
    "ResourceNotFound",
    "ResourceNotFoundException",
];

const DENIED: [&str; 8] = [
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "AuthorizationErrorException",
    "Forbidden",
    "InvalidAccessKeyId",
    "NotAuthorized",
    "UnrecognizedClientException",
];

fn meaning(code: &str, message: &str, status: u16) -> Meaning {
    let message = message.to_ascii_lowercase();
    let says = |texts: &[&str]| texts.iter().any(|text| message.contains(text));
    let exists = || says(&["already existing", "already exist"]);
    match code {
        // Scheduler answers so to a second creation, other services to a race.
        "ConflictException" if exists() => Meaning::Exists,
        _ if MISSING.contains(&code) => Meaning::Missing,
        _ if BUSY.contains(&code) => Meaning::Busy,
        _ if THROTTLED.contains(&code) => Meaning::Throttled,
        "ResourceLimitExceeded" => Meaning::Quota,
        _ if DENIED.contains(&code) => Meaning::Denied,
        "ResourceInUse" | "ResourceInUseException" => Meaning::Exists,
        "ValidationException" | "ValidationError" | "InvalidRequest" => match () {
            () if says(&["rate exceeded"]) => Meaning::Throttled,
            () if says(&["in-progress", "in progress", "is being "]) => Meaning::Busy,
            () if exists() => Meaning::Exists,
            () if says(&["could not find", "does not exist", "not found"]) => Meaning::Missing,
            () => Meaning::Refused,
        },
        _ => match status {
            404 => Meaning::Missing,
            401 | 403 => Meaning::Denied,
            429 => Meaning::Throttled,
            408 | 500.. => Meaning::Busy,
            _ => Meaning::Refused,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_of_sagemaker_are_understood() {
        let arn = "\"arn:aws:sagemaker:eu-west-1:123456789012:endpoint/e\"";
        for (code, message, expected) in [
            ("ValidationException", format!("Could not find endpoint {arn}."), Meaning::Missing),
            ("ValidationException", format!("Could not find model {arn}."), Meaning::Missing),
            ("ValidationException", format!("Could not find endpoint configuration {arn}."), Meaning::Missing),
            ("ValidationException", "Requested resource not found.".into(), Meaning::Missing),
            ("ValidationException", format!("ModelPackageGroup {arn} does not exist."), Meaning::Missing),
            ("ResourceNotFound", format!("Pipeline {arn} does not exist."), Meaning::Missing),
            ("ValidationException", format!("Cannot create already existing model {arn}."), Meaning::Exists),
            (
                "ValidationException",
                format!("Cannot create already existing endpoint configuration {arn}."),
                Meaning::Exists,
            ),
            ("ValidationException", format!("Cannot create already existing endpoint {arn}."), Meaning::Exists),
            ("ValidationException", format!("Model Package Group already exists: {arn}"), Meaning::Exists),
            ("ResourceInUse", String::new(), Meaning::Exists),
            ("ConflictException", "Schedule s already exists.".into(), Meaning::Exists),
            ("ConflictException", "There was a conflict".into(), Meaning::Busy),
            ("ValidationException", format!("Cannot update in-progress endpoint {arn}."), Meaning::Busy),
            ("ResourceLimitExceeded", "The account-level service limit is 20".into(), Meaning::Quota),
            ("ThrottlingException", "Rate exceeded".into(), Meaning::Throttled),
            ("ValidationException", "1 validation error detected".into(), Meaning::Refused),
            ("AccessDeniedException", "User is not authorized".into(), Meaning::Denied),
        ] {
            assert_eq!(meaning(code, &message, 400), expected, "{code}: {message}");
        }
    }

    #[test]
    fn without_a_code_the_status_tells() {
        for (status, expected) in [
            (404, Meaning::Missing),
            (403, Meaning::Denied),
            (412, Meaning::Refused),
            (429, Meaning::Throttled),
            (500, Meaning::Busy),
            (503, Meaning::Busy),
        ] {
            assert_eq!(meaning("", "", status), expected, "{status}");
        }
    }

    #[test]
    fn what_is_said_fits_one_line_and_names_the_code() {
        let error = CallError::read("ValidationException", "bad\u{1b}[2J\nname", 400).effect("it cannot be done");
        assert_eq!(error, EffectError::Permanent("it cannot be done: bad [2J name (ValidationException)".to_owned()));
        let busy = CallError::read("SlowDown", "", 503).effect("it cannot be done");
        assert_eq!(busy, EffectError::NoRoom("it cannot be done now: SlowDown".to_owned()));
    }
}
