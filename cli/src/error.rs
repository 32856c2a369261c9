//! Why a command failed, as one clear line and perhaps a hint.

use std::io::ErrorKind;

use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use handlers::apply::{ApplyError, DeploymentError};
use handlers::ledger::LedgerError;

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// It was tried and failed.
    Failed,
    /// Nothing was tried: the command line or a configuration is wrong.
    Usage,
    /// Ctrl-C.
    Interrupted,
    /// SIGTERM.
    Terminated,
    /// Whoever read the output has gone, which is not our failure.
    NoReader,
}

impl Code {
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Interrupted => 130,
            Self::Terminated => 143,
            Self::NoReader => 0,
        }
    }
}

/// A failed command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Error {
    pub(crate) code: Code,
    /// One line each; none where there is nothing to say.
    pub(crate) lines: Vec<String>,
    pub(crate) hint: Option<String>,
}

impl Error {
    fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, lines: vec![message.into()], hint: None }
    }

    /// Exit code 1.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(Code::Failed, message)
    }

    /// Exit code 2.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Code::Usage, message)
    }

    /// Ends the process without a word.
    pub(crate) fn silent(code: Code) -> Self {
        Self { code, lines: Vec::new(), hint: None }
    }

    /// What to do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// `what` says what could not be done: "`a.csv` cannot be uploaded".
    pub(crate) fn aws<E, R>(what: impl std::fmt::Display, error: SdkError<E, R>) -> Self
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        let reason = match error.as_service_error().map(|service| (service.code(), service.message())) {
            Some((Some(code), Some(message))) => format!("{code}: {message}"),
            Some((Some(code), None)) => code.to_owned(),
            _ => plain(&DisplayErrorContext(error).to_string()),
        };
        told(what, &reason)
    }
}

/// A reason in the SDK's words, with a hint where a person can do something about it.
fn told(what: impl std::fmt::Display, reason: &str) -> Error {
    let has = |words: &[&str]| words.iter().any(|word| reason.contains(word));
    if has(&["no credentials found", "no providers in chain", "CredentialsNotLoaded"]) {
        return Error::failed("no AWS credentials were found")
            .hint("set AWS_PROFILE, or sign in with `aws sso login`; on this machine: `tidegate local up`");
    }
    let error = Error::failed(format!("{what}: {reason}"));
    if has(&["ExpiredToken", "token has expired", "SSO", "session has expired"]) {
        error.hint("your credentials have expired: sign in again, for example with `aws sso login`")
    } else if has(&["dispatch failure", "Connection refused", "dns error"]) {
        error.hint(
            "the service cannot be reached: is the local cloud up (`tidegate local status`), or the Region right?",
        )
    } else if has(&["AccessDenied", "UnauthorizedOperation"]) {
        error.hint("these credentials lack the permission: ask for it, or use another profile with AWS_PROFILE")
    } else {
        error
    }
}

/// Why no answer came, in one line.
pub(crate) fn transport<E, R>(error: &SdkError<E, R>) -> String
where
    E: std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let mut words = vec![error.to_string()];
    let mut inner = std::error::Error::source(error);
    while let Some(cause) = inner {
        words.push(cause.to_string());
        inner = cause.source();
    }
    plain(&words.join(": "))
}

/// The SDK puts its own structures in parentheses behind the words; words are enough for people.
fn plain(reason: &str) -> String {
    let structures =
        ["ServiceError(", "DispatchFailure(", "ConstructionFailure(", "TimeoutError(", "ResponseError(", "Unhandled("];
    let end = structures.iter().filter_map(|name| reason.find(&format!(" ({name}"))).min();
    let words = end.and_then(|end| reason.get(..end)).unwrap_or(reason);
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl From<LedgerError> for Error {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Call { table, reason, .. } if reason.contains("ResourceNotFoundException") => Self::failed(
                format!("no table `{table}` here: deploy the orchestrator first"),
            )
            .hint("on this machine: `tidegate local up`; at AWS: `npx cdk deploy --all` in infra/; or give --table"),
            LedgerError::Call { table, verb, reason } => {
                told(format!("the ledger `{table}` cannot be {verb}"), &plain(&reason))
            }
            malformed @ LedgerError::Malformed { .. } => Self::failed(malformed.to_string()),
        }
    }
}

impl From<DeploymentError> for Error {
    fn from(error: DeploymentError) -> Self {
        match error {
            DeploymentError::Ledger(error) => error.into(),
            other => Self::failed(other.to_string()).hint("on this machine: `tidegate local up`"),
        }
    }
}

impl From<ApplyError> for Error {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::Config(errors) => {
                let lines = errors.iter().map(ToString::to_string).collect();
                Self { code: Code::Usage, lines, hint: None }
            }
            ApplyError::Ledger(error) => error.into(),
            ApplyError::Aws(error) => Self::failed(plain(&error.to_string())),
            wrong @ (ApplyError::Files(_) | ApplyError::Render(_) | ApplyError::Invalid(_) | ApplyError::Taken(_)) => {
                Self::usage(wrong.to_string())
            }
        }
    }
}

impl From<local::cloud::Error> for Error {
    fn from(error: local::cloud::Error) -> Self {
        Self::failed(error.to_string())
    }
}

/// Only for writing to standard output.
impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::BrokenPipe => Self::silent(Code::NoReader),
            _ => Self::failed(format!("cannot write the output: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sdk_s_structures_are_left_out() {
        let reason = "dispatch failure: io error: client error (Connect): tcp connect error: Connection refused (os error \
                      111) (DispatchFailure(DispatchFailure { source: ConnectorError { kind: Io } }))";
        assert_eq!(
            plain(reason),
            "dispatch failure: io error: client error (Connect): tcp connect error: Connection refused (os error 111)"
        );
    }

    #[test]
    fn a_missing_table_says_what_to_do() {
        let reason = "service error: ResourceNotFoundException: Requested resource not found".to_owned();
        let error = Error::from(LedgerError::Call { table: "tidegate".into(), verb: "read", reason });
        assert_eq!(error.lines, ["no table `tidegate` here: deploy the orchestrator first"]);
        assert!(error.hint.is_some_and(|hint| hint.contains("tidegate local up")));
        assert_eq!(error.code.number(), 1);
    }

    #[test]
    fn missing_credentials_are_told_in_one_line() {
        let reason = "dispatch failure: other: the credential provider was not enabled: no credentials found in chain. \
                      Attempted: Environment: the credential provider was not enabled";
        let error = told("the ledger `tidegate` cannot be read", reason);
        assert_eq!(error.lines, ["no AWS credentials were found"]);
    }

    #[test]
    fn a_reader_that_went_away_is_no_failure() {
        let error = Error::from(std::io::Error::from(ErrorKind::BrokenPipe));
        assert_eq!((error.code.number(), error.lines.len()), (0, 0));
    }
}
