use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use statemachine::run::RunSpec;

use super::item::{Key, body, get_body};
use super::{Ledger, LedgerError};

/// A pipeline as it was applied: what handlers need to begin a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PipelineRecord {
    /// Its name.
    pub name: String,
    /// Objects under this prefix start a run; `None` when arrivals do not.
    pub arrival_prefix: Option<String>,
    /// Only those whose key ends so.
    pub arrival_suffix: Option<String>,
    /// Only objects of so many bytes or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_size: Option<u64>,
    /// Only objects of so many bytes or fewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_size: Option<u64>,
    /// Which object says that all is there; `None` when none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complete: Option<Complete>,
    /// Whether a time is set by which something is to arrive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Expected>,
    /// What a run works under.
    pub spec: RunSpec,
    /// Every parameter of the definition with its default, `InputDataUri` among them.
    pub parameters: BTreeMap<String, String>,
    /// The schedules' ARNs by their names; without that of the check for expected data.
    pub schedules: BTreeMap<String, String>,
    /// The parsed `pipeline.yaml`.
    pub config: serde_json::Value,
    /// When.
    pub applied: Timestamp,
}

/// The object that says that all is there. Both names are that of the object in its folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Complete {
    /// It stands for all data in its folder.
    Marker {
        /// Such as `_SUCCESS`.
        name: String,
    },
    /// It lists the data.
    Manifest {
        /// Such as `manifest.json`.
        name: String,
    },
}

/// Data that is to arrive by some time. The time itself is kept by EventBridge Scheduler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    /// What arrived so long before the time counts.
    pub within_seconds: u64,
}

/// What a pipeline does with an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Its key is not under the pipeline's prefix.
    NotMine,
    /// It starts nothing, for this reason.
    Declined(String),
    /// It starts a run.
    Takes(Wait),
}

/// How an object starts a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// By itself.
    Run,
    /// Together with others that come soon.
    Batch,
    /// It says that its folder is complete.
    Marker,
    /// It lists the objects.
    Manifest,
}

impl PipelineRecord {
    /// What an object with this key and of this size, in bytes, starts. A marker or manifest is known by its name alone:
    /// suffix and sizes are those of data.
    #[must_use]
    pub fn waits_for(&self, key: &str, size: u64) -> Verdict {
        let Some(rest) = self.arrival_prefix.as_deref().and_then(|prefix| key.strip_prefix(prefix)) else {
            return Verdict::NotMine;
        };
        let file = rest.rsplit_once('/').map_or(rest, |(_, file)| file);
        let declined = match &self.complete {
            Some(Complete::Marker { name }) if name == file => return Verdict::Takes(Wait::Marker),
            Some(Complete::Manifest { name }) if name == file => return Verdict::Takes(Wait::Manifest),
            _ if file.is_empty() => "its key ends in `/`: a folder is no data".to_owned(),
            Some(Complete::Marker { name }) => format!("it is no `{name}`; the marker starts the run"),
            Some(Complete::Manifest { name }) => format!("it is no `{name}`; the manifest starts the run"),
            None => match self.unfit(key, size) {
                Some(reason) => reason,
                None if self.spec.batch.is_some() => return Verdict::Takes(Wait::Batch),
                None => return Verdict::Takes(Wait::Run),
            },
        };
        Verdict::Declined(declined)
    }

    /// Why an object is no data of this pipeline.
    fn unfit(&self, key: &str, size: u64) -> Option<String> {
        if let Some(suffix) = self.arrival_suffix.as_deref().filter(|suffix| !key.ends_with(suffix)) {
            return Some(format!("its key does not end in `{suffix}`"));
        }
        if let Some(min) = self.min_size.filter(|min| size < *min) {
            return Some(format!("it has {size} bytes; `min_size` is {min}"));
        }
        let max = self.max_size.filter(|max| size > *max)?;
        Some(format!("it has {size} bytes; `max_size` is {max}"))
    }
}

impl Ledger<'_> {
    /// Every applied pipeline, by name.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn pipelines(&self) -> Result<Vec<PipelineRecord>, LedgerError> {
        self.partition("pipelines", None).await?.iter().map(get_body).collect()
    }

    /// One pipeline.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn pipeline(&self, name: &str) -> Result<Option<PipelineRecord>, LedgerError> {
        self.item(Key::pipeline(name)).await?.as_ref().map(get_body).transpose()
    }

    /// Stores a pipeline; the last one to apply it counts.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub async fn put_pipeline(&self, record: &PipelineRecord) -> Result<(), LedgerError> {
        self.put_body(Key::pipeline(&record.name), record).await
    }

    /// Forgets a pipeline. Its runs and lineage stay.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub async fn delete_pipeline(&self, name: &str) -> Result<(), LedgerError> {
        let key = Key::pipeline(name).into_item();
        let request = self.client.delete_item().table_name(self.table).set_key(Some(key));
        request.send().await.map(drop).map_err(|error| self.write_failed(error))
    }

    /// Where the orchestrator's resources are; `None` before its stack is deployed.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn deployment(&self) -> Result<Option<serde_json::Value>, LedgerError> {
        self.item(Key::settings()).await?.as_ref().map(get_body).transpose()
    }

    /// Stores where the orchestrator's resources are.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub async fn put_deployment(&self, deployment: &serde_json::Value) -> Result<(), LedgerError> {
        self.put_body(Key::settings(), deployment).await
    }

    async fn put_body<T: Serialize>(&self, key: Key, value: &T) -> Result<(), LedgerError> {
        let mut item = key.clone().into_item();
        item.insert("body".to_owned(), body(&key, value)?);
        let request = self.client.put_item().table_name(self.table).set_item(Some(item));
        request.send().await.map(drop).map_err(|error| self.write_failed(error))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use statemachine::run::BatchSpec;

    use super::*;

    fn record(change: serde_json::Value) -> PipelineRecord {
        // As it was stored before there were sizes, markers, batches and limits.
        let mut stored = json!({
            "name": "p", "arrival_prefix": "raw/p/", "arrival_suffix": ".csv",
            "spec": {"pipeline": "p", "pipeline_arn": "arn:p", "code": "c", "definition": "d", "evaluation": null,
                     "gate": null, "deployment": null, "role_arn": "arn:r"},
            "parameters": {}, "schedules": {}, "config": {}, "applied": "2026-01-01T00:00:00Z",
        });
        for (key, value) in change.as_object().unwrap() {
            stored[key] = value.clone();
        }
        serde_json::from_value(stored).unwrap()
    }

    fn declined(reason: &str) -> Verdict {
        Verdict::Declined(reason.to_owned())
    }

    #[test]
    fn an_object_under_the_prefix_with_the_suffix_and_within_the_sizes_starts_a_run() {
        let plain = record(json!({}));
        assert_eq!(plain.waits_for("raw/p/a.csv", 0), Verdict::Takes(Wait::Run));
        assert_eq!(plain.waits_for("raw/p/2026/a b.csv", 1), Verdict::Takes(Wait::Run));
        assert_eq!(plain.waits_for("raw/p/a.txt", 1), declined("its key does not end in `.csv`"));
        assert_eq!(plain.waits_for("raw/p/x.csv/", 1), declined("its key ends in `/`: a folder is no data"));
        for key in ["raw/p2/a.csv", "raw/p", "a.csv"] {
            assert_eq!(plain.waits_for(key, 1), Verdict::NotMine, "{key}");
        }
        assert_eq!(record(json!({"arrival_prefix": null})).waits_for("raw/p/a.csv", 1), Verdict::NotMine);

        let sized = record(json!({"min_size": 1, "max_size": 10}));
        assert_eq!(sized.waits_for("raw/p/a.csv", 0), declined("it has 0 bytes; `min_size` is 1"));
        assert_eq!(sized.waits_for("raw/p/a.csv", 1), Verdict::Takes(Wait::Run));
        assert_eq!(sized.waits_for("raw/p/a.csv", 10), Verdict::Takes(Wait::Run));
        assert_eq!(sized.waits_for("raw/p/a.csv", 11), declined("it has 11 bytes; `max_size` is 10"));
    }

    #[test]
    fn objects_of_a_batch_are_chosen_as_others_are() {
        let mut batching = record(json!({"min_size": 1}));
        batching.spec.batch = Some(BatchSpec { quiet_seconds: 120, longest_seconds: 1800 });
        assert_eq!(batching.waits_for("raw/p/a.csv", 1), Verdict::Takes(Wait::Batch));
        assert_eq!(batching.waits_for("raw/p/a.csv", 0), declined("it has 0 bytes; `min_size` is 1"));
    }

    #[test]
    fn a_marker_or_manifest_starts_the_run_and_data_does_not() {
        let marked = record(json!({"complete": {"marker": {"name": "_SUCCESS"}}, "min_size": 1}));
        for key in ["raw/p/_SUCCESS", "raw/p/2026/11/_SUCCESS"] {
            assert_eq!(marked.waits_for(key, 0), Verdict::Takes(Wait::Marker), "{key}");
        }
        for key in ["raw/p/a.csv", "raw/p/x_SUCCESS", "raw/p/_SUCCESS/a.csv"] {
            assert_eq!(marked.waits_for(key, 1), declined("it is no `_SUCCESS`; the marker starts the run"), "{key}");
        }
        assert_eq!(marked.waits_for("raw/p/_SUCCESS/", 0), declined("its key ends in `/`: a folder is no data"));
        assert_eq!(marked.waits_for("raw/q/_SUCCESS", 0), Verdict::NotMine);

        let listed = record(json!({"complete": {"manifest": {"name": "m.json"}}}));
        assert_eq!(listed.waits_for("raw/p/m.json", 99), Verdict::Takes(Wait::Manifest));
        assert_eq!(listed.waits_for("raw/p/a.csv", 1), declined("it is no `m.json`; the manifest starts the run"));
    }

    #[test]
    fn what_a_record_says_of_arrivals_survives_being_stored() {
        let full = record(json!({
            "min_size": 1, "max_size": 2, "complete": {"marker": {"name": "_SUCCESS"}},
            "expected": {"within_seconds": 86400},
        }));
        assert_eq!(full.expected, Some(Expected { within_seconds: 86_400 }));
        assert_eq!(serde_json::from_value::<PipelineRecord>(serde_json::to_value(&full).unwrap()).unwrap(), full);
    }
}
