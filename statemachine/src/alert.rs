//! What people are told when a run ends badly, in text that a mail client shows as it is.

use serde::{Deserialize, Serialize};

use crate::run::Run;
use crate::text::one_line;

/// SNS accepts a subject of fewer than 100 ASCII characters that begins with a letter, digit or punctuation mark and
/// holds no line break (Publish, in the SNS API reference).
pub const SUBJECT_LIMIT: usize = 99;

/// The longest reason quoted in an alert, in characters. SNS takes 256 KiB; a person reads a paragraph.
pub const REASON_LIMIT: usize = 1000;

/// Why people are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The run failed.
    Failed,
    /// The gate or a person refused the model.
    Rejected,
    /// SageMaker took the new model back.
    RolledBack,
    /// A person must approve.
    ApprovalNeeded,
    /// What was live is gone.
    EndpointGone,
    /// The run is not done by its deadline.
    Stuck,
    /// A schedule was due and did not fire.
    ScheduleMissed,
    /// Data was expected and did not come.
    NoData,
    /// The pipeline's queue is full.
    QueueFull,
}

impl Cause {
    /// A name for message attributes, so that subscriptions can filter.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Rejected => "rejected",
            Self::RolledBack => "rolled_back",
            Self::ApprovalNeeded => "approval_needed",
            Self::EndpointGone => "endpoint_gone",
            Self::Stuck => "stuck",
            Self::ScheduleMissed => "schedule_missed",
            Self::NoData => "no_data",
            Self::QueueFull => "queue_full",
        }
    }

    /// `error` where something broke, `warning` where someone should look, `info` where someone is asked.
    #[must_use]
    pub fn severity(self) -> &'static str {
        match self {
            Self::Failed | Self::EndpointGone | Self::ScheduleMissed | Self::QueueFull => "error",
            Self::Rejected | Self::RolledBack | Self::Stuck | Self::NoData => "warning",
            Self::ApprovalNeeded => "info",
        }
    }
}

/// A message to people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Why.
    pub cause: Cause,
    /// The pipeline it is about.
    pub pipeline: String,
    /// The subject, within SNS's limits.
    pub subject: String,
    /// The text.
    pub body: String,
}

impl Alert {
    /// Tells of a run. `step` and `reason` come from outside and are cleaned here.
    #[must_use]
    pub fn of(run: &Run, cause: Cause, step: Option<&str>, reason: &str) -> Self {
        let pipeline = one_line(&run.spec.pipeline, 256);
        let step = step.map(|step| one_line(step, 256));
        let reason = one_line(reason, REASON_LIMIT);
        let what = match (cause, &step) {
            (Cause::Failed, Some(step)) => format!("{pipeline} failed in step {step}"),
            (Cause::Failed, None) => format!("{pipeline} failed"),
            (Cause::Rejected, _) => format!("{pipeline}: new model rejected"),
            (Cause::RolledBack, _) => format!("{pipeline}: deployment rolled back"),
            (Cause::ApprovalNeeded, _) => format!("{pipeline}: a model awaits approval"),
            (Cause::Stuck, _) => format!("{pipeline}: a run is not done by its deadline"),
            (Cause::ScheduleMissed, _) => format!("{pipeline}: a schedule did not fire"),
            (Cause::NoData, _) => format!("{pipeline}: no data came"),
            (Cause::QueueFull, _) => format!("{pipeline}: the queue is full"),
            (Cause::EndpointGone, _) => format!("{pipeline}: the endpoint was deleted"),
        };
        let mut lines = vec![
            format!("Pipeline:   {pipeline}"),
            format!("Run:        {} ({})", run.id, one_line(&run.trigger.to_string(), 1200)),
        ];
        if let Some(step) = &step {
            lines.push(format!("Step:       {step}"));
        }
        lines.push(format!("Reason:     {reason}"));
        if let Some(execution) = &run.execution {
            lines.push(format!("Execution:  {}", execution.arn));
        }
        if let Some(package) = &run.package {
            lines.push(format!("Model:      {package}"));
        }
        lines.push(String::new());
        if matches!(cause, Cause::Rejected | Cause::RolledBack) {
            lines.push("The model that was live before still answers.".to_owned());
        }
        if cause == Cause::ApprovalNeeded {
            lines.push(format!("To approve it:    tidegate approve {}", run.id));
        }
        let look = if matches!(cause, Cause::Stuck | Cause::ScheduleMissed | Cause::NoData) { "why" } else { "run" };
        lines.push(format!("To look further:  tidegate {look} {}", run.id));
        if let (Cause::Failed, Some(execution)) = (cause, &run.execution) {
            lines.push(format!(
                "                  aws sagemaker list-pipeline-execution-steps --pipeline-execution-arn {}",
                execution.arn
            ));
        }
        Self { cause, pipeline, subject: subject(&what), body: lines.join("\n") }
    }
}

fn subject(what: &str) -> String {
    let ascii: String =
        format!("Tidegate: {what}").chars().map(|c| if c.is_ascii_graphic() { c } else { ' ' }).collect();
    // The ellipsis that `one_line` may add is not ASCII, and three dots take its place.
    let line = one_line(&ascii, SUBJECT_LIMIT - 2);
    line.replace('…', "...")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::fixtures::run;
    use proptest::prelude::*;

    #[test]
    fn a_failure_names_pipeline_run_step_reason_and_the_next_command() {
        let run = run();
        let alert = Alert::of(&run, Cause::Failed, Some("train"), "AlgorithmError: bad\u{1b}[2J\nlabel");
        assert_eq!(alert.subject, "Tidegate: tumours failed in step train");
        for part in ["tumours", run.id.as_str(), "train", "AlgorithmError: bad [2J label", "tidegate run "] {
            assert!(alert.body.contains(part), "{part} in\n{}", alert.body);
        }
    }

    proptest! {
        #[test]
        fn subject_and_body_stay_within_what_sns_and_a_mail_client_take(step: String, reason: String) {
            let alert = Alert::of(&run(), Cause::Failed, Some(&step), &reason);
            prop_assert!(alert.subject.len() < 100);
            prop_assert!(alert.subject.bytes().all(|b| (0x20..0x7f).contains(&b)));
            prop_assert!(!alert.body.chars().any(|c| c.is_control() && c != '\n'));
            prop_assert!(alert.body.lines().count() < 12);
        }
    }
}
