//! A job as it is kept and described.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::api::epoch;
use crate::store::Document;

/// Training or processing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// A training job.
    Training,
    /// A processing job.
    Processing,
}

impl Kind {
    /// How members of requests and answers begin: `TrainingJobName`, `ProcessingJobName`.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Training => "Training",
            Kind::Processing => "Processing",
        }
    }

    /// The first part of the ARN's path.
    pub fn path(self) -> &'static str {
        match self {
            Kind::Training => "training-job",
            Kind::Processing => "processing-job",
        }
    }

    /// The key in the store. Training and processing jobs may have the same name.
    pub fn key(self, name: &str) -> String {
        format!("{}/{name}", self.path())
    }
}

/// `TrainingJobStatus` and `ProcessingJobStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// Waiting or running.
    InProgress,
    /// Ended well.
    Completed,
    /// Ended badly.
    Failed,
    /// Asked to stop.
    Stopping,
    /// Stopped, by request or by its time limit.
    Stopped,
}

impl Status {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Status::InProgress => "InProgress",
            Status::Completed => "Completed",
            Status::Failed => "Failed",
            Status::Stopping => "Stopping",
            Status::Stopped => "Stopped",
        }
    }

    /// Whether nothing follows.
    pub fn is_final(self) -> bool {
        matches!(self, Status::Completed | Status::Failed | Status::Stopped)
    }
}

/// One of a training job's `SecondaryStatusTransitions`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Transition {
    /// The secondary status.
    pub status: String,
    /// Since when.
    pub start: Timestamp,
    /// Until when.
    pub end: Option<Timestamp>,
}

/// A job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Training or processing.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// The request that made it, without tags.
    pub request: Map<String, Value>,
    /// Where it is.
    pub status: Status,
    /// Where it is, finer. SageMaker shows it for training jobs only.
    pub transitions: Vec<Transition>,
    /// When it was requested.
    pub created: Timestamp,
    /// When it last changed.
    pub modified: Timestamp,
    /// When its process was started.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// Why it failed.
    pub failure_reason: Option<String>,
    /// What a processing container left in `/opt/ml/output/message`.
    pub exit_message: Option<String>,
    /// Where a training job's model is.
    pub model: Option<String>,
    /// The last values of the metrics that the request defines: name, value, time.
    #[serde(default)]
    pub metrics: Vec<(String, f64, Timestamp)>,
}

impl Document for Job {
    const KIND: &'static str = "job";
}

/// SageMaker cuts a failure reason at 1024 characters.
const LONGEST_REASON: usize = 1024;

impl Job {
    /// A job that waits for its turn.
    pub fn new(kind: Kind, name: String, arn: String, mut request: Map<String, Value>, now: Timestamp) -> Self {
        request.remove("Tags");
        let start = Transition { status: "Starting".to_owned(), start: now, end: None };
        Self {
            kind,
            name,
            arn,
            request,
            status: Status::InProgress,
            transitions: vec![start],
            created: now,
            modified: now,
            started: None,
            ended: None,
            failure_reason: None,
            exit_message: None,
            model: None,
            metrics: Vec::new(),
        }
    }

    /// The key in the store.
    pub fn key(&self) -> String {
        self.kind.key(&self.name)
    }

    /// Goes on to another secondary status.
    pub fn enter(&mut self, secondary: &str, now: Timestamp) {
        if let Some(last) = self.transitions.last_mut() {
            if last.status == secondary {
                return;
            }
            last.end = Some(now);
        }
        self.transitions.push(Transition { status: secondary.to_owned(), start: now, end: None });
        self.modified = now;
    }

    /// Ends.
    pub fn end(&mut self, status: Status, secondary: &str, reason: Option<String>, now: Timestamp) {
        self.enter(secondary, now);
        if let Some(last) = self.transitions.last_mut() {
            last.end = Some(now);
        }
        self.status = status;
        self.failure_reason = reason.map(|reason| reason.chars().take(LONGEST_REASON).collect());
        self.ended = Some(now);
        self.modified = now;
    }

    /// What `DescribeTrainingJob` or `DescribeProcessingJob` answers.
    pub fn describe(&self) -> Value {
        let mut answer = self.request.clone();
        let kind = self.kind.name();
        let mut set = |name: String, value: Value| {
            if !value.is_null() {
                answer.insert(name, value);
            }
        };
        let time = |time: Option<Timestamp>| time.map_or(Value::Null, epoch);
        set(format!("{kind}JobArn"), self.arn.as_str().into());
        set(format!("{kind}JobStatus"), self.status.name().into());
        set("CreationTime".to_owned(), epoch(self.created));
        set("LastModifiedTime".to_owned(), epoch(self.modified));
        set(format!("{kind}StartTime"), time(self.started));
        set(format!("{kind}EndTime"), time(self.ended));
        set("FailureReason".to_owned(), self.failure_reason.clone().into());
        match self.kind {
            Kind::Processing => set("ExitMessage".to_owned(), self.exit_message.clone().into()),
            Kind::Training => {
                set(
                    "ModelArtifacts".to_owned(),
                    json!({"S3ModelArtifacts": self.model.as_deref().unwrap_or_default()}),
                );
                set("SecondaryStatus".to_owned(), self.secondary().into());
                set("SecondaryStatusTransitions".to_owned(), self.transitions.iter().map(transition).collect());
                if let (Some(start), Some(end)) = (self.started, self.ended) {
                    let seconds = end.duration_since(start).as_secs().max(0);
                    set("TrainingTimeInSeconds".to_owned(), seconds.into());
                    set("BillableTimeInSeconds".to_owned(), seconds.into());
                }
                if !self.metrics.is_empty() {
                    let metric = |(name, value, time): &(String, f64, Timestamp)| json!({"MetricName": name, "Value": value, "Timestamp": epoch(*time)});
                    set("FinalMetricDataList".to_owned(), self.metrics.iter().map(metric).collect());
                }
            }
        }
        Value::Object(answer)
    }

    /// What the listings show.
    pub fn summary(&self) -> Value {
        let described = self.describe();
        let kind = self.kind.name();
        let mut members = vec![
            format!("{kind}JobName"),
            format!("{kind}JobArn"),
            format!("{kind}JobStatus"),
            format!("{kind}EndTime"),
            "CreationTime".to_owned(),
            "LastModifiedTime".to_owned(),
        ];
        members.extend(match self.kind {
            Kind::Training => vec!["SecondaryStatus".to_owned()],
            Kind::Processing => vec!["FailureReason".to_owned(), "ExitMessage".to_owned()],
        });
        let pick = |name: String| described.get(&name).cloned().map(|value| (name, value));
        Value::Object(members.into_iter().filter_map(pick).collect())
    }

    /// The finer status of a training job.
    pub fn secondary(&self) -> &str {
        self.transitions.last().map_or("", |last| last.status.as_str())
    }

    /// A string in the request, by JSON pointer.
    pub fn text(&self, pointer: &str) -> Option<&str> {
        let (first, rest) = pointer.strip_prefix('/').map(|path| path.split_once('/').unwrap_or((path, "")))?;
        let member = self.request.get(first)?;
        let value = if rest.is_empty() { Some(member) } else { member.pointer(&format!("/{rest}")) };
        value.and_then(Value::as_str)
    }

    /// A list in the request, by JSON pointer; empty when absent.
    pub fn list(&self, member: &str) -> &[Value] {
        self.request.get(member).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }
}

fn transition(transition: &Transition) -> Value {
    let mut value = json!({"Status": transition.status, "StartTime": epoch(transition.start)});
    if let (Some(end), Some(value)) = (transition.end, value.as_object_mut()) {
        value.insert("EndTime".to_owned(), epoch(end));
    }
    value
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn a_training_job_is_described_with_its_transitions() {
        let request = json!({"TrainingJobName": "j", "RoleArn": "r", "Tags": []});
        let mut job = Job::new(Kind::Training, "j".into(), "arn".into(), request.as_object().unwrap().clone(), at(1));
        job.enter("Training", at(2));
        job.started = Some(at(2));
        job.end(Status::Failed, "Failed", Some("x".repeat(2000)), at(5));
        let described = job.describe();
        assert_eq!(described["RoleArn"], "r");
        assert!(described.get("Tags").is_none());
        assert_eq!(described["SecondaryStatus"], "Failed");
        assert_eq!(described["TrainingTimeInSeconds"], 3);
        assert_eq!(described["FailureReason"].as_str().unwrap().len(), 1024);
        let statuses: Vec<_> = job.transitions.iter().map(|t| (t.status.as_str(), t.end)).collect();
        assert_eq!(statuses, [("Starting", Some(at(2))), ("Training", Some(at(5))), ("Failed", Some(at(5)))]);
        assert!(job.summary().get("RoleArn").is_none());
        assert_eq!(job.text("/TrainingJobName"), Some("j"));
    }
}
