//! The queues of one deployment, by their names.

use handlers::apply::Deployment;
use serde::Serialize;

/// The functions of a deployment, without its prefix.
pub(crate) const FUNCTIONS: [&str; 7] = [
    "on-data-arrival",
    "on-schedule",
    "on-pipeline-status",
    "on-endpoint-status",
    "on-model-package",
    "sweep",
    "pipeline-resource",
];

/// How an event came into its queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// The function was given it, and ended in an error each time.
    Failed,
    /// EventBridge could not hand it to the function.
    Undelivered,
    /// EventBridge Scheduler could not hand it to the function.
    Firing,
}

/// A dead-letter queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Queue {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) kind: Kind,
    /// For which function its events are; where the event does not say otherwise.
    pub(crate) function: &'static str,
}

impl Queue {
    /// `None` for a queue that is none of this deployment's dead-letter queues. Of two deployments one may have the
    /// other's prefix as the beginning of its own, so the whole name counts.
    pub(crate) fn of_url(prefix: &str, url: &str) -> Option<Self> {
        let name = url.rsplit('/').next()?;
        let own = name.strip_prefix(prefix)?.strip_prefix('-')?;
        let (kind, function) = match own.strip_suffix("-failed") {
            Some(function) => (Kind::Failed, function),
            None if own == "schedule-undelivered" => (Kind::Firing, "on-schedule"),
            None => (Kind::Undelivered, own.strip_suffix("-undelivered")?),
        };
        let function = FUNCTIONS.into_iter().find(|known| *known == function)?;
        Some(Self { name: name.to_owned(), url: url.to_owned(), kind, function })
    }
}

/// What the names of the deployment's functions and queues begin with.
pub(crate) fn prefix_of(deployment: &Deployment) -> String {
    let name = deployment.schedule_function_arn.rsplit(':').next().unwrap_or_default();
    name.strip_suffix("-on-schedule").unwrap_or(&deployment.schedule_group).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_is_known_by_its_whole_name() {
        let read = |name: &str| Queue::of_url("tidegate", &format!("http://h/0/{name}")).map(|q| (q.kind, q.function));
        assert_eq!(read("tidegate-on-data-arrival-failed"), Some((Kind::Failed, "on-data-arrival")));
        assert_eq!(read("tidegate-on-model-package-undelivered"), Some((Kind::Undelivered, "on-model-package")));
        assert_eq!(read("tidegate-schedule-undelivered"), Some((Kind::Firing, "on-schedule")));
        for other in ["tidegate-b-on-schedule-failed", "tidegate-on-schedule", "tidegate2-sweep-failed", "tidegate-x"] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
