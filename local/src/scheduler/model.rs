//! The shapes of the API (botocore's service model `scheduler`, 2021-06-30) and the stored documents.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::store::Document;

/// The body of CreateSchedule and UpdateSchedule. Update replaces everything: what is left out falls back to its default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Settings {
    pub(super) schedule_expression: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) schedule_expression_timezone: Option<String>,
    /// Seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) start_date: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) end_date: Option<f64>,
    pub(super) flexible_time_window: FlexibleTimeWindow,
    pub(super) target: Target,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) state: ScheduleState,
    #[serde(default)]
    pub(super) action_after_completion: ActionAfterCompletion,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) kms_key_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) group_name: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum ScheduleState {
    #[default]
    Enabled,
    Disabled,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum ActionAfterCompletion {
    #[default]
    None,
    Delete,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct FlexibleTimeWindow {
    pub(super) mode: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) maximum_window_in_minutes: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Target {
    pub(super) arn: String,
    pub(super) role_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) input: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) retry_policy: Option<RetryPolicy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dead_letter_config: Option<DeadLetterConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sqs_parameters: Option<SqsParameters>,
    #[serde(rename = "SageMakerPipelineParameters", skip_serializing_if = "Option::is_none")]
    pub(super) pipeline_parameters: Option<PipelineParameters>,
    /// Parameters of targets that are not invoked here; kept so that a schedule reads back as it was written.
    #[serde(flatten)]
    pub(super) other: serde_json::Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RetryPolicy {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) maximum_event_age_in_seconds: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) maximum_retry_attempts: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DeadLetterConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) arn: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SqsParameters {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message_group_id: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PipelineParameters {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pipeline_parameter_list: Option<Vec<PipelineParameter>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PipelineParameter {
    pub(super) name: String,
    pub(super) value: String,
}

/// A schedule as it is kept, under the key `<group>/<name>`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Schedule {
    pub(super) name: String,
    pub(super) group: String,
    pub(super) arn: String,
    pub(super) settings: Settings,
    pub(super) created: Timestamp,
    pub(super) modified: Timestamp,
    /// From when a rate without a start date counts.
    pub(super) anchor: Timestamp,
    /// When it is due next. In the past after the engine was down.
    pub(super) next: Option<Timestamp>,
    /// The token of the request that created it.
    pub(super) token: Option<String>,
}

impl Document for Schedule {
    const KIND: &'static str = "schedule";
}

/// A schedule group, under its name. The group `default` is always there and not kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) created: Timestamp,
    pub(super) modified: Timestamp,
    pub(super) tags: Vec<Tag>,
    pub(super) token: Option<String>,
}

impl Document for Group {
    const KIND: &'static str = "schedule-group";
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    pub(super) key: String,
    pub(super) value: String,
}

/// A schedule that was due, until its target has taken it or it is given up; under `<group>/<name>/<time>`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Firing {
    pub(super) key: String,
    pub(super) schedule: String,
    pub(super) schedule_arn: String,
    pub(super) due: Timestamp,
    pub(super) target: Target,
    pub(super) attempts: u32,
}

impl Document for Firing {
    const KIND: &'static str = "schedule-firing";
}

pub(super) fn key(group: &str, name: &str) -> String {
    format!("{group}/{name}")
}

/// Seconds since 1970, to the millisecond, as the API reads and writes times.
pub(super) fn seconds(time: Timestamp) -> Value {
    crate::api::epoch(time)
}

pub(super) fn time(seconds: f64) -> Option<Timestamp> {
    let milliseconds = (seconds * 1000.0).round();
    // Beyond it no time of jiff's lies, and the conversion is exact.
    if milliseconds.abs() > 1.0e15 {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "bounded above")]
    Timestamp::from_millisecond(milliseconds as i64).ok()
}
