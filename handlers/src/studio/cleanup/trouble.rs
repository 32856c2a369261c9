//! What a failed call means to a clean-up.

use std::error::Error;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::effects::{CallError, Meaning};
use crate::signed::Failed;

/// Why a call was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// What it is about is gone, which is what a clean-up wants.
    Gone,
    /// Not yet: throttled, in use, changing, no answer.
    Later(String),
    /// Refused. Also of what has just gone: without its tags a condition on them denies. So it is looked again.
    Refused(String),
}

/// Codes of what is gone, beside those that every service has.
const GONE: [&str; 6] = [
    "FileSystemNotFound",
    "InvalidGroup.NotFound",
    "InvalidPermission.NotFound",
    "InvalidSecurityGroupID.NotFound",
    "MountTargetNotFound",
    "ResourceNotFound",
];

/// Codes of what is still in use or changing, and of EC2's faults.
const LATER: [&str; 12] = [
    "DependencyFailureException",
    "DependencyTimeout",
    "DependencyViolation",
    "FileSystemInUse",
    "IncorrectFileSystemLifeCycleState",
    "IncorrectMountTargetState",
    "InternalServerError",
    "InvalidGroup.InUse",
    "ResourceInUse",
    "ServerInternal",
    "TooManyRequests",
    "Unavailable",
];

impl Trouble {
    fn judge(code: &str, error: &CallError) -> Self {
        let said = error.to_string();
        match (code, error.meaning) {
            (code, _) if GONE.contains(&code) => Self::Gone,
            (code, _) if LATER.contains(&code) => Self::Later(said),
            (_, Meaning::Missing) => Self::Gone,
            (_, Meaning::Busy | Meaning::Throttled | Meaning::Quota | Meaning::Exists) => Self::Later(said),
            (_, Meaning::Denied | Meaning::Refused) => Self::Refused(said),
        }
    }

    /// In front of what AWS says, what was to be done.
    pub(super) fn at(self, what: &str) -> Self {
        match self {
            Self::Gone => Self::Gone,
            Self::Later(said) => Self::Later(format!("{what}: {said}")),
            Self::Refused(said) => Self::Refused(format!("{what}: {said}")),
        }
    }
}

impl<E> From<SdkError<E, HttpResponse>> for Trouble
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        let code = error.as_service_error().and_then(ProvideErrorMetadata::code).unwrap_or_default().to_owned();
        Self::judge(&code, &CallError::of(error))
    }
}

impl From<Failed> for Trouble {
    fn from(Failed { code, error }: Failed) -> Self {
        Self::judge(&code, &error)
    }
}

/// The answer, or nothing where what it is about is gone.
pub(super) fn unless_gone<T>(result: Result<T, Trouble>) -> Result<Option<T>, Trouble> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(Trouble::Gone) => Ok(None),
        Err(trouble) => Err(trouble),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d7_what_is_gone_is_done_what_is_in_use_comes_later_and_the_rest_is_refused() {
        let judge = |code: &str, message: &str, status: u16| Trouble::from(Failed::read(code, message, status));
        let arn = "arn:aws:sagemaker:eu-west-1:123456789012:domain/d-1";
        for (code, message, status) in [
            ("InvalidGroup.NotFound", "The security group 'sg-1' does not exist", 400),
            ("FileSystemNotFound", "File system 'fs-1' does not exist.", 404),
            ("MountTargetNotFound", "", 404),
            ("ResourceNotFound", "", 400),
            ("ResourceNotFoundException", "", 400),
            ("ValidationException", &format!("Could not find {arn}"), 400),
        ] {
            assert_eq!(judge(code, message, status), Trouble::Gone, "{code}");
        }
        for (code, message, status) in [
            ("DependencyViolation", "resource sg-1 has a dependent object", 400),
            ("FileSystemInUse", "has mount targets", 409),
            ("ResourceInUse", "", 400),
            ("ThrottlingException", "Rate exceeded", 400),
            ("RequestLimitExceeded", "", 503),
            ("TooManyRequests", "", 429),
            ("Unavailable", "", 503),
            ("", "", 500),
        ] {
            assert!(matches!(judge(code, message, status), Trouble::Later(_)), "{code}");
        }
        for (code, status) in [("UnauthorizedOperation", 403), ("AccessDeniedException", 400), ("ValidationError", 400)]
        {
            assert!(matches!(judge(code, "you may not", status), Trouble::Refused(_)), "{code}");
        }
    }
}
