use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use statemachine::run::{Inputs, Phase, Purpose, Run, Stop, Trigger};
use statemachine::{EventKind, RunId};

use super::arrival::staged_prefix;
use super::{Intake, IntakeError, envelope};
use crate::ledger::PipelineRecord;
use crate::observe::OBJECT_LIMIT;

/// The parameter that says where a run's data is.
const INPUT: &str = "InputDataUri";

/// What a schedule of ours hands over; its context attributes are filled in by EventBridge Scheduler.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Firing {
    pipeline: String,
    name: String,
    #[serde(deserialize_with = "time")]
    scheduled_time: Timestamp,
    #[serde(default)]
    parameters: BTreeMap<String, String>,
}

/// What the function is asked for, told by its `kind`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Errand {
    /// A schedule of a pipeline, which has no `kind`.
    #[serde(skip)]
    Fire(Firing),
    /// A one-off schedule of a run.
    Wake {
        /// Which.
        run: RunId,
        /// What for.
        purpose: Purpose,
    },
    /// Data should have come by now.
    Expected {
        /// Whose.
        pipeline: String,
        /// By when.
        #[serde(deserialize_with = "time")]
        scheduled_time: Timestamp,
        /// What came so long before counts.
        within_seconds: u64,
    },
    /// A person wants an earlier run's work done once more.
    Replay {
        /// Which.
        run: RunId,
        /// 1 for the first time.
        attempt: u32,
    },
    /// A person wants a run stopped.
    Stop {
        /// Which.
        run: RunId,
        /// Who.
        by: String,
    },
}

/// Reads what the function is asked for.
///
/// # Errors
/// It is malformed, or of no kind that is known.
pub fn read_errand(event: Value) -> Result<Errand, IntakeError> {
    if event.get("kind").is_none() { read(event).map(Errand::Fire) } else { read(event) }
}

/// What came of an errand, for whoever waits for the answer.
#[derive(Clone, Debug, Serialize)]
pub struct Answer {
    /// The run.
    pub run: RunId,
    /// Where it stands.
    pub phase: Phase,
    /// Whether there was such a run before.
    pub existed: bool,
}

impl Intake<'_> {
    /// A schedule fired, or a person asks.
    ///
    /// # Errors
    /// The input is malformed or names a pipeline or a run that there is none of; or it could not be carried through.
    pub async fn schedule(self, event: Value) -> Result<Option<Answer>, IntakeError> {
        match read_errand(event)? {
            Errand::Fire(firing) => self.fire(firing).await.map(|()| None),
            Errand::Wake { run, purpose } => self.wake(&run, purpose).await.map(|()| None),
            Errand::Expected { pipeline, scheduled_time, within_seconds } => {
                self.expect(&pipeline, scheduled_time, within_seconds).await.map(|()| None)
            }
            Errand::Replay { run, attempt } => self.replay(&run, attempt).await.map(Some),
            Errand::Stop { run, by } => self.stop(&run, &by).await.map(Some),
        }
    }

    /// The pipeline gets a run, on the data that is there now.
    async fn fire(&self, firing: Firing) -> Result<(), IntakeError> {
        let scheduled_time = firing.scheduled_time;
        let pipeline = self.applied(&firing.pipeline).await?;
        let id = RunId::schedule(&pipeline.name, &firing.name, &scheduled_time.to_string());
        let known = self.ledger().run(&id).await?;
        if known.is_some_and(|run| run.value.phase != Phase::Missed) {
            // The data may have changed since, and must not be listed again. Whatever is pending is done.
            self.drive.give(&id, &[], false).await?;
            return Ok(());
        }
        let mut parameters = firing.parameters;
        let source = parameters.remove(INPUT).or_else(|| pipeline.parameters.get(INPUT).cloned()).unwrap_or_default();
        let objects = self.observe().objects(&source, OBJECT_LIMIT).await?;
        // Without data the execution is started all the same: SageMaker's own error is the clearest alert.
        let exact = !objects.is_empty();
        let uri = if exact { staged_prefix(&self.context.settings.bucket, &pipeline.name, &id) } else { source };
        let kind = EventKind::Requested {
            trigger: Trigger::Schedule { name: firing.name, scheduled_time },
            spec: Box::new(pipeline.spec),
            inputs: Inputs { uri, objects, exact },
            parameters,
        };
        self.drive.give(&id, &[self.now(kind)], true).await?;
        Ok(())
    }

    async fn wake(&self, id: &RunId, purpose: Purpose) -> Result<(), IntakeError> {
        let kind = match purpose {
            Purpose::Batch => EventKind::BatchDue,
            Purpose::Deadline => EventKind::DeadlinePassed,
        };
        self.drive.give(id, &[self.now(kind)], false).await?;
        Ok(())
    }

    /// Looks whether an object has begun a run within the time before; if none has, that is an event of its own.
    async fn expect(&self, pipeline: &str, due: Timestamp, within_seconds: u64) -> Result<(), IntakeError> {
        let pipeline = self.applied(pipeline).await?;
        let within = SignedDuration::from_secs(i64::try_from(within_seconds).unwrap_or(i64::MAX));
        let since = due.saturating_sub(within).unwrap_or(Timestamp::MIN);
        if self.arrived_since(&pipeline.name, since).await? {
            return Ok(());
        }
        let trigger = Trigger::Expected { due };
        let id = RunId::expected(&pipeline.name, &due.to_string());
        let prefix = pipeline.arrival_prefix.clone().unwrap_or_default();
        let reason = format!("no data came under {prefix} from {since} to {due}");
        let kind = EventKind::Missed { trigger, spec: Box::new(pipeline.spec), reason };
        self.drive.give(&id, &[self.now(kind)], true).await?;
        Ok(())
    }

    async fn arrived_since(&self, pipeline: &str, since: Timestamp) -> Result<bool, IntakeError> {
        // A collection that is open counts by its newest object.
        if let Some(open) = self.ledger().queue(pipeline).await?.and_then(|queue| queue.value.batch)
            && let Some(run) = self.ledger().run(&open).await?
            && run.value.batch.is_some_and(|batch| batch.last >= since)
        {
            return Ok(true);
        }
        let mut seen = RECENT_RUNS;
        loop {
            let page = self.ledger().runs(pipeline, seen).await?;
            let arrival = |run: &Run| matches!(run.trigger, Trigger::Arrival { .. } | Trigger::Batch { .. });
            if page.runs.iter().any(|run| arrival(run) && run.created >= since) {
                return Ok(true);
            }
            let past = page.runs.last().is_none_or(|run| run.created < since);
            if past || !page.more {
                return Ok(false);
            }
            seen *= 4;
        }
    }

    async fn replay(&self, of: &RunId, attempt: u32) -> Result<Answer, IntakeError> {
        let before = self.known(of).await?;
        let pipeline = self.applied(&before.spec.pipeline).await?;
        let id = RunId::replay(of, attempt);
        if let Some(run) = self.ledger().run(&id).await? {
            return Ok(Answer { run: id, phase: run.value.phase, existed: true });
        }
        if before.inputs.objects.is_empty() && before.inputs.uri.is_empty() {
            return Err(IntakeError::Unreadable(format!(
                "`run` is `{of}`, which read nothing: there is nothing to replay"
            )));
        }
        let objects = before.inputs.objects;
        let exact = !objects.is_empty();
        let uri = match exact {
            true => staged_prefix(&self.context.settings.bucket, &pipeline.name, &id),
            false => before.inputs.uri,
        };
        let mut parameters = before.parameters;
        parameters.remove(INPUT);
        let kind = EventKind::Requested {
            trigger: Trigger::Replay { of: of.clone(), attempt },
            spec: Box::new(pipeline.spec),
            inputs: Inputs { uri, objects, exact },
            parameters,
        };
        let run = self.drive.give(&id, &[self.now(kind)], true).await?;
        let phase = run.map_or(Phase::Starting, |run| run.phase);
        Ok(Answer { run: id, phase, existed: false })
    }

    async fn stop(&self, id: &RunId, by: &str) -> Result<Answer, IntakeError> {
        self.known(id).await?;
        let reason = format!("stopped by {}", statemachine::text::one_line(by, 200));
        let stop = Stop { reason, by: None };
        let run = self.drive.give(id, &[self.now(EventKind::StopRequested(stop))], false).await?;
        let phase = run.map_or(Phase::Stopped, |run| run.phase);
        Ok(Answer { run: id.clone(), phase, existed: true })
    }

    async fn applied(&self, name: &str) -> Result<PipelineRecord, IntakeError> {
        let pipeline = self.ledger().pipeline(name).await?;
        pipeline
            .ok_or_else(|| IntakeError::Unreadable(format!("`pipeline` is `{name}`, and no such pipeline is applied")))
    }

    async fn known(&self, id: &RunId) -> Result<Run, IntakeError> {
        let run = self.ledger().run(id).await?;
        run.map(|run| run.value)
            .ok_or_else(|| IntakeError::Unreadable(format!("`run` is `{id}`, and there is no such run")))
    }
}

/// How many runs are looked through at first for one that data began.
const RECENT_RUNS: usize = 50;

fn read<T: serde::de::DeserializeOwned>(event: Value) -> Result<T, IntakeError> {
    serde_path_to_error::deserialize(event)
        .map_err(|error| IntakeError::Unreadable(format!("`{}`: {}", error.path(), error.inner())))
}

fn time<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(deserializer)?;
    let wrong = || serde::de::Error::custom(format!("`{text}` is not a time"));
    envelope::read_time(&Value::String(text.clone())).ok_or_else(wrong)
}
