use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use statemachine::run::{Inputs, ObjectVersion, Trigger};
use statemachine::{Event, EventKind, RunId};
use tracing::info;

use super::{Envelope, Intake, IntakeError, Scope};
use crate::drive::{DriveError, Given};
use crate::ledger::{ObjectChange, ObjectOutcome, ObjectRecord, PipelineRecord, Verdict, Wait};

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
    sequencer: Option<String>,
}

/// An object that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrived {
    /// Which version.
    pub object: ObjectVersion,
    /// When, as S3 says.
    pub at: Timestamp,
}

/// Reads `Object Created` of S3, in the scope and of this bucket. `None` for what the console makes when a person creates
/// a folder.
///
/// # Errors
/// The event is malformed, foreign, or of another bucket.
pub fn read_arrival(event: Value, scope: &Scope, ours: &str) -> Result<Option<Arrived>, IntakeError> {
    let envelope: Envelope<Detail> = Envelope::parse(event, scope, "aws.s3", &["Object Created"])?;
    let Detail { bucket, object } = envelope.detail;
    if bucket.name != *ours {
        let found = &bucket.name;
        return Err(IntakeError::Unreadable(format!("`detail.bucket.name` is `{found}`, and `{ours}` is accepted")));
    }
    if object.key.ends_with('/') && object.size == 0 {
        return Ok(None);
    }
    let object = ObjectVersion {
        bucket: bucket.name,
        key: object.key,
        version_id: object.version_id.filter(|version| version != "null"),
        etag: object.etag.map(|etag| etag.trim_matches('"').to_owned()),
        size: object.size,
        sequencer: object.sequencer,
    };
    Ok(Some(Arrived { object, at: envelope.time }))
}

impl Intake<'_> {
    /// An object arrived under `raw/`: every pipeline that waits for it gets a run.
    ///
    /// # Errors
    /// The event is malformed, foreign, or of another bucket; or it could not be carried through.
    pub async fn data_arrival(self, event: Value) -> Result<(), IntakeError> {
        let Some(Arrived { object, at }) = read_arrival(event, &self.scope, &self.context.settings.bucket)? else {
            info!("a folder is no data");
            return Ok(());
        };
        // What is known has its runs, and whatever they have still to do is in their outboxes.
        if let Some(record) = self.ledger().object(&object).await? {
            info!(object = %object, outcome = ?record.outcome, "the object was dealt with before");
            return Ok(());
        }
        let pipelines = self.ledger().pipelines().await?;
        let mut record = ObjectRecord { object, at, outcome: BTreeMap::new() };
        let mut takers = Vec::new();
        for pipeline in pipelines {
            match pipeline.waits_for(&record.object.key, record.object.size) {
                Verdict::NotMine => {}
                Verdict::Declined(reason) => {
                    record.outcome.insert(pipeline.name, ObjectOutcome::Declined { reason });
                }
                Verdict::Takes(wait) => takers.push((pipeline, wait)),
            }
        }
        self.take(record, takers).await
    }

    /// Gives the object to the pipelines that wait for it, and writes down what became of it.
    async fn take(&self, mut record: ObjectRecord, takers: Vec<(PipelineRecord, Wait)>) -> Result<(), IntakeError> {
        if takers.is_empty() {
            info!(object = %record.object, "no pipeline waits for this object");
        }
        let alone = takers.len() == 1;
        let mut written = false;
        let mut failed = None;
        for (pipeline, wait) in takers {
            let name = pipeline.name.clone();
            let taken = match wait {
                Wait::Batch => Box::pin(self.collect(pipeline, &record, alone)).await,
                Wait::Run | Wait::Marker | Wait::Manifest => Box::pin(self.begin(pipeline, wait, &record, alone)).await,
            };
            match taken {
                Ok(Taken { run, noted }) => {
                    written = alone && noted;
                    record.outcome.insert(name, ObjectOutcome::Taken { run });
                }
                // One pipeline's trouble is not another's.
                Err(error) => {
                    failed.get_or_insert(error);
                }
            }
        }
        if let Some(error) = failed {
            return Err(error);
        }
        if !written {
            self.ledger().put_object(&record).await?;
        }
        Ok(())
    }

    /// A run for this object, or for those that it stands for.
    async fn begin(
        &self,
        pipeline: PipelineRecord,
        wait: Wait,
        record: &ObjectRecord,
        alone: bool,
    ) -> Result<Taken, IntakeError> {
        let object = &record.object;
        let id = RunId::arrival(&pipeline.name, object);
        let objects = match wait {
            Wait::Marker | Wait::Manifest => self.objects_behind(&pipeline, wait, object).await?,
            Wait::Run | Wait::Batch => Ok(vec![object.clone()]),
        };
        let trigger = Trigger::Arrival { object: object.clone() };
        let (objects, problem) = match objects {
            Ok(objects) => (objects, None),
            Err(problem) => (Vec::new(), Some(problem)),
        };
        let spec = Box::new(pipeline.spec);
        let kind = match problem {
            Some(reason) => EventKind::Missed { trigger, spec, reason },
            None => {
                let uri = staged_prefix(&self.context.settings.bucket, &pipeline.name, &id);
                let inputs = Inputs { uri, objects, exact: true };
                EventKind::Requested { trigger, spec, inputs, parameters: BTreeMap::new() }
            }
        };
        self.note(&pipeline.name, record, &id, Event { at: record.at, kind }, alone).await
    }

    /// Into the run that collects objects, or into a new one that does.
    async fn collect(
        &self,
        pipeline: PipelineRecord,
        record: &ObjectRecord,
        alone: bool,
    ) -> Result<Taken, IntakeError> {
        let object = &record.object;
        for _ in 0..COLLECTORS {
            let open = self.ledger().queue(&pipeline.name).await?.and_then(|queue| queue.value.batch);
            let (id, kind) = match open {
                Some(id) => (id, EventKind::ObjectArrived { object: object.clone() }),
                None => {
                    let id = RunId::arrival(&pipeline.name, object);
                    let uri = staged_prefix(&self.context.settings.bucket, &pipeline.name, &id);
                    let kind = EventKind::Requested {
                        trigger: Trigger::Batch { first: object.clone() },
                        spec: Box::new(pipeline.spec.clone()),
                        inputs: Inputs { uri, objects: vec![object.clone()], exact: true },
                        parameters: BTreeMap::new(),
                    };
                    (id, kind)
                }
            };
            match self.note(&pipeline.name, record, &id, Event { at: record.at, kind }, alone).await {
                // The run that was open is closed, or another was opened meanwhile.
                Err(IntakeError::Crowded(_)) => {}
                settled => return settled,
            }
        }
        Err(IntakeError::Crowded(pipeline.name))
    }

    /// Gives the run its event and notes, in the same commit, that the object is the run's. [`IntakeError::Crowded`] when
    /// the run did not take it.
    async fn note(
        &self,
        pipeline: &str,
        record: &ObjectRecord,
        id: &RunId,
        event: Event,
        alone: bool,
    ) -> Result<Taken, IntakeError> {
        let mut whole = record.clone();
        whole.outcome.insert(pipeline.to_owned(), ObjectOutcome::Taken { run: id.clone() });
        let object = &record.object;
        let change = ObjectChange { object, pipeline, record: alone.then_some(&whole) };
        let fresh = !matches!(event.kind, EventKind::ObjectArrived { .. });
        match self.drive.give_object(id, &[event], fresh, Some(change)).await {
            Ok(Some(Given { run, committed: true })) => Ok(Taken { run: run.id, noted: alone }),
            Ok(Some(Given { run, committed: false })) => {
                let reads = run.inputs.objects.contains(object);
                let began = matches!(&run.trigger, Trigger::Arrival { object: first } if first == object);
                // A newer version of the object may stand in its place: then the note tells.
                if reads || began {
                    Ok(Taken { run: run.id, noted: false })
                } else {
                    self.taker(pipeline, object).await
                }
            }
            Ok(None) => self.taker(pipeline, object).await,
            Err(DriveError::Taken(run)) => Ok(Taken { run, noted: false }),
            Err(error) => Err(error.into()),
        }
    }

    async fn taker(&self, pipeline: &str, object: &ObjectVersion) -> Result<Taken, IntakeError> {
        let mut takers = self.ledger().takers(object).await?;
        let run = takers.remove(pipeline).ok_or_else(|| IntakeError::Crowded(pipeline.to_owned()))?;
        Ok(Taken { run, noted: false })
    }
}

/// How often an object looks for the run that collects, while runs close and open around it.
const COLLECTORS: usize = 6;

/// Whose an object is.
struct Taken {
    run: RunId,
    /// Whether the whole record of the object is stored.
    noted: bool,
}

/// Where a run's inputs are copied.
pub(super) fn staged_prefix(bucket: &str, pipeline: &str, id: &RunId) -> String {
    format!("s3://{bucket}/runs/{pipeline}/{id}/input/")
}
