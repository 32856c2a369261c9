use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use statemachine::run::{Inputs, ObjectVersion, Trigger};
use statemachine::{Event, EventKind, RunId};
use tracing::info;

use super::{Envelope, Intake, IntakeError};
use crate::ledger::Verdict;

/// The detail of `Object Created` (EventBridge, in the S3 user guide). The key is not URL-encoded here.
#[derive(Debug, Deserialize)]
struct Detail {
    bucket: Bucket,
    object: Object,
}

#[derive(Debug, Deserialize)]
struct Bucket {
    name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Object {
    key: String,
    #[serde(default)]
    size: u64,
    etag: Option<String>,
    version_id: Option<String>,
}

impl Intake<'_> {
    /// An object arrived under `raw/`: every pipeline that waits for it gets a run.
    ///
    /// # Errors
    /// The event is malformed, foreign, or of another bucket; or it could not be carried through.
    pub async fn data_arrival(self, event: Value) -> Result<(), IntakeError> {
        let envelope: Envelope<Detail> = Envelope::parse(event, &self.scope, "aws.s3", &["Object Created"])?;
        let Detail { bucket, object } = envelope.detail;
        let ours = &self.context.settings.bucket;
        if bucket.name != *ours {
            let found = &bucket.name;
            return Err(IntakeError::Unreadable(format!(
                "`detail.bucket.name` is `{found}`, and `{ours}` is accepted"
            )));
        }
        // What the console makes when a person creates a folder.
        if object.key.ends_with('/') && object.size == 0 {
            info!(key = object.key, "a folder is no data");
            return Ok(());
        }
        let object = ObjectVersion {
            bucket: bucket.name,
            key: object.key,
            version_id: object.version_id.filter(|version| version != "null"),
            etag: object.etag.map(|etag| etag.trim_matches('"').to_owned()),
            size: object.size,
        };
        let pipelines = self.ledger().pipelines().await?;
        let waiting: Vec<_> = pipelines
            .into_iter()
            .filter(|pipeline| matches!(pipeline.waits_for(&object.key, object.size), Verdict::Takes(_)))
            .collect();
        if waiting.is_empty() {
            info!(object = %object, "no pipeline waits for this object");
        }
        let mut failed = None;
        for pipeline in waiting {
            let id = RunId::arrival(&pipeline.name, &object);
            let inputs =
                Inputs { uri: staged_prefix(ours, &pipeline.name, &id), objects: vec![object.clone()], exact: true };
            let kind = EventKind::Requested {
                trigger: Trigger::Arrival { object: object.clone() },
                spec: Box::new(pipeline.spec),
                inputs,
                parameters: BTreeMap::new(),
            };
            // One pipeline's trouble is not another's.
            if let Err(error) = self.drive.give(&id, &[Event { at: envelope.time, kind }], true).await {
                failed.get_or_insert(error);
            }
        }
        failed.map_or(Ok(()), |error| Err(error.into()))
    }
}

/// Where a run's inputs are copied.
pub(super) fn staged_prefix(bucket: &str, pipeline: &str, id: &RunId) -> String {
    format!("s3://{bucket}/runs/{pipeline}/{id}/input/")
}
