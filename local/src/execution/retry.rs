//! When a failed step is tried again.

use std::time::Duration;

use super::definition::{RetryLimit, RetryPolicy};
use crate::api::{Code, Error};
use crate::jobs::ENGINE_STOPPED;

/// How often a call that failed through no fault of the user is tried again without a policy.
const UNASKED: u32 = 2;

/// A failed attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    /// The exception types of retry policies that it counts as.
    pub(super) kinds: &'static [&'static str],
    /// The step's `FailureReason`.
    pub(super) reason: String,
}

impl Failure {
    /// What no retry policy is for: the user's own mistake.
    pub(super) fn client(reason: &str) -> Self {
        Self { kinds: &[], reason: format!("ClientError: {reason}") }
    }

    /// A refused request.
    pub(super) fn of_call(operation: &str, error: &Error) -> Self {
        let kinds: &[&str] = match error.code {
            Code::Internal => &["Step.SERVICE_FAULT"],
            Code::ResourceLimitExceeded => &["SageMaker.RESOURCE_LIMIT"],
            _ => &[],
        };
        let reason = format!(
            "ClientError: Failed to invoke sagemaker:{operation}. Error Details: {} ({})",
            error.message,
            error.code.name()
        );
        Self { kinds, reason }
    }

    /// A job that failed.
    pub(super) fn of_job(reason: &str) -> Self {
        let kinds: &[&str] = if reason == ENGINE_STOPPED {
            // A job cut off by the engine's end is a fault of the service, however a policy calls that.
            &["SageMaker.JOB_INTERNAL_ERROR", "Step.SERVICE_FAULT"]
        } else if reason.starts_with("InternalServerError") {
            &["SageMaker.JOB_INTERNAL_ERROR"]
        } else if reason.starts_with("CapacityError") {
            &["SageMaker.CAPACITY_ERROR"]
        } else {
            &[]
        };
        Self { kinds, reason: reason.to_owned() }
    }

    /// How long to wait before the next attempt, `None` when there is none. `attempts` is how often the step was tried,
    /// `elapsed` the time since its start.
    pub(super) fn wait(&self, policies: &[RetryPolicy], attempts: u32, elapsed: Duration) -> Option<Duration> {
        let retries = attempts.saturating_sub(1);
        let policy =
            policies.iter().find(|policy| policy.failures.iter().any(|kind| self.kinds.contains(&kind.as_str())));
        let Some(policy) = policy else {
            let unasked = self.kinds == ["Step.SERVICE_FAULT"] && retries < UNASKED;
            return unasked.then_some(Duration::from_secs(1));
        };
        let factor = policy.backoff.powi(i32::try_from(retries).unwrap_or(i32::MAX));
        let wait = Duration::try_from_secs_f64(policy.interval.as_secs_f64() * factor).unwrap_or(Duration::MAX);
        let more = match policy.limit {
            RetryLimit::Attempts(most) => retries < most,
            RetryLimit::Within(time) => elapsed.saturating_add(wait) <= time,
        };
        more.then_some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(failure: &str, limit: RetryLimit) -> RetryPolicy {
        RetryPolicy { failures: vec![failure.to_owned()], interval: Duration::from_secs(2), backoff: 3.0, limit }
    }

    #[test]
    fn a_policy_is_for_its_kind_of_failure() {
        let policies = [policy("SageMaker.JOB_INTERNAL_ERROR", RetryLimit::Attempts(2))];
        let internal = Failure::of_job("InternalServerError: disk");
        let wait = |attempts| internal.wait(&policies, attempts, Duration::ZERO);
        assert_eq!(wait(1), Some(Duration::from_secs(2)));
        assert_eq!(wait(2), Some(Duration::from_secs(6)));
        assert_eq!(wait(3), None);
        assert_eq!(Failure::of_job("AlgorithmError: x").wait(&policies, 1, Duration::ZERO), None);
        assert_eq!(Failure::client("x").wait(&policies, 1, Duration::ZERO), None);
    }

    #[test]
    fn a_policy_can_end_by_time() {
        let policies = [policy("SageMaker.CAPACITY_ERROR", RetryLimit::Within(Duration::from_secs(60)))];
        let failure = Failure::of_job("CapacityError: none left");
        assert_eq!(failure.wait(&policies, 1, Duration::from_secs(58)), Some(Duration::from_secs(2)));
        assert_eq!(failure.wait(&policies, 1, Duration::from_secs(59)), None);
    }

    #[test]
    fn the_engines_end_counts_as_either_fault() {
        for kind in ["SageMaker.JOB_INTERNAL_ERROR", "Step.SERVICE_FAULT"] {
            let policies = [policy(kind, RetryLimit::Attempts(1))];
            assert!(Failure::of_job(ENGINE_STOPPED).wait(&policies, 1, Duration::ZERO).is_some());
        }
        assert!(Failure::of_job(ENGINE_STOPPED).wait(&[], 1, Duration::ZERO).is_none());
    }

    #[test]
    fn a_service_fault_is_retried_unasked() {
        let fault = Failure::of_call("CreateModel", &Error::internal("x"));
        assert!(fault.wait(&[], 1, Duration::ZERO).is_some());
        assert!(fault.wait(&[], 3, Duration::ZERO).is_none());
        assert!(Failure::of_call("CreateModel", &Error::validation("x")).wait(&[], 1, Duration::ZERO).is_none());
    }
}
