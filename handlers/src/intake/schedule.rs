use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use statemachine::run::{Inputs, Trigger};
use statemachine::{EventKind, RunId};

use super::arrival::staged_prefix;
use super::{Intake, IntakeError, envelope, now};
use crate::observe::OBJECT_LIMIT;

/// The parameter that says where a run's data is.
const INPUT: &str = "InputDataUri";

/// What a schedule of ours hands over; its context attributes are filled in by EventBridge Scheduler.
#[derive(Debug, Deserialize)]
struct Firing {
    pipeline: String,
    name: String,
    scheduled_time: String,
    #[serde(default)]
    parameters: BTreeMap<String, String>,
}

impl Intake<'_> {
    /// A schedule fired: its pipeline gets a run, on the data that is there now.
    ///
    /// # Errors
    /// The input is malformed or names a pipeline that is not applied; or it could not be carried through.
    pub async fn schedule(self, event: Value) -> Result<(), IntakeError> {
        let firing: Firing = serde_path_to_error::deserialize(event)
            .map_err(|error| IntakeError::Unreadable(format!("`{}`: {}", error.path(), error.inner())))?;
        let scheduled_time = envelope::read_time(&Value::String(firing.scheduled_time.clone())).ok_or_else(|| {
            IntakeError::Unreadable(format!("`scheduled_time` is `{}`, not a time", firing.scheduled_time))
        })?;
        let Some(pipeline) = self.ledger().pipeline(&firing.pipeline).await? else {
            let name = firing.pipeline;
            return Err(IntakeError::Unreadable(format!("`pipeline` is `{name}`, and no such pipeline is applied")));
        };
        let id = RunId::schedule(&pipeline.name, &firing.name, &scheduled_time.to_string());
        if self.ledger().run(&id).await?.is_some() {
            // Known: the data may have changed since, and must not be listed again. Whatever is pending is done.
            let kind = EventKind::Requested {
                trigger: Trigger::Schedule { name: firing.name, scheduled_time },
                spec: Box::new(pipeline.spec),
                inputs: Inputs { uri: String::new(), objects: Vec::new(), exact: false },
                parameters: BTreeMap::new(),
            };
            self.drive.give(&id, &[now(kind)], false).await?;
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
        self.drive.give(&id, &[now(kind)], true).await?;
        Ok(())
    }
}
