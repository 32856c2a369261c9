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
    /// What a run works under.
    pub spec: RunSpec,
    /// Every parameter of the definition with its default, `InputDataUri` among them.
    pub parameters: BTreeMap<String, String>,
    /// The schedules' ARNs by their names.
    pub schedules: BTreeMap<String, String>,
    /// The parsed `pipeline.yaml`.
    pub config: serde_json::Value,
    /// When.
    pub applied: Timestamp,
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
    /// What an object with this key and of this size starts.
    #[must_use]
    pub fn waits_for(&self, key: &str, _size: u64) -> Verdict {
        if !self.arrival_prefix.as_deref().is_some_and(|prefix| key.starts_with(prefix)) {
            return Verdict::NotMine;
        }
        match self.arrival_suffix.as_deref().filter(|suffix| !key.ends_with(suffix)) {
            Some(suffix) => Verdict::Declined(format!("its key does not end in `{suffix}`")),
            None if self.spec.batch.is_some() => Verdict::Takes(Wait::Batch),
            None => Verdict::Takes(Wait::Run),
        }
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
