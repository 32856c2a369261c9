use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use statemachine::{Endpoint, Queue, Run, RunId};

use super::item::{BY_DUE, BY_TIME, Item, Key, get_body, get_number, get_text, text};
use super::{Ledger, LedgerError};

/// Something read, with the version to fence its change by.
#[derive(Clone, Debug, PartialEq)]
pub struct Versioned<T> {
    /// The thing.
    pub value: T,
    /// Its version, from 1.
    pub version: u64,
}

/// A page of a listing.
#[derive(Debug)]
pub struct RunPage {
    /// The runs, newest first.
    pub runs: Vec<Run>,
    /// Whether there are more.
    pub more: bool,
}

/// Sorts a pipeline's runs by their creation; the id makes it unique.
pub(super) fn created_key(run: &Run) -> String {
    format!("{:.3}#{}", run.created, run.id)
}

/// The partition of all runs that the sweep is to look at.
pub(super) const DUE: &str = "due";

/// Sorts by the time at which the sweep is to look.
pub(super) fn due_key(due: Timestamp, id: &RunId) -> String {
    format!("{due:.3}#{id}")
}

impl Ledger<'_> {
    /// A run, read consistently.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn run(&self, id: &RunId) -> Result<Option<Versioned<Run>>, LedgerError> {
        self.versioned(Key::run(id)).await
    }

    /// An endpoint's record, read consistently.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn endpoint(&self, name: &str) -> Result<Option<Versioned<Endpoint>>, LedgerError> {
        self.versioned(Key::endpoint(name)).await
    }

    /// A pipeline's queue, read consistently.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn queue(&self, pipeline: &str) -> Result<Option<Versioned<Queue>>, LedgerError> {
        self.versioned(Key::queue(pipeline)).await
    }

    /// The runs that were to be looked at by `now`, the longest due first, at most `limit`. Eventually consistent: look at
    /// the run itself before anything is done.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<RunId>, LedgerError> {
        let mut ids = Vec::new();
        let mut from = None;
        loop {
            let wanted = limit.saturating_sub(ids.len()).clamp(1, 100);
            let page = self
                .client
                .query()
                .table_name(self.table)
                .index_name(BY_DUE)
                .key_condition_expression("due_pk = :due AND due_sk < :now")
                .expression_attribute_values(":due", text(DUE))
                .expression_attribute_values(":now", text(format!("{now:.3}$")))
                .limit(i32::try_from(wanted).unwrap_or(100))
                .set_exclusive_start_key(from)
                .send()
                .await
                .map_err(|error| self.read_failed(error))?;
            for item in page.items() {
                // The partition's key is the run's: its body may be of a version that is not known here.
                let id = get_text(item, "pk")?.strip_prefix("run#").unwrap_or_default();
                ids.push(RunId::parse(id).map_err(|error| super::item::malformed(item, error.to_string()))?);
            }
            from = page.last_evaluated_key;
            if from.is_none() || ids.len() >= limit {
                return Ok(ids);
            }
        }
    }

    /// The run of a pipeline execution.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn run_of_execution(&self, arn: &str) -> Result<Option<RunId>, LedgerError> {
        self.owner(Key::execution(arn)).await
    }

    /// The run of a model package.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn run_of_package(&self, arn: &str) -> Result<Option<RunId>, LedgerError> {
        self.owner(Key::package(arn)).await
    }

    /// A pipeline's runs, newest first, at most `limit`. Eventually consistent: a run of this moment may be missing.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn runs(&self, pipeline: &str, limit: usize) -> Result<RunPage, LedgerError> {
        let mut runs = Vec::new();
        let mut from = None;
        loop {
            let wanted = limit.saturating_sub(runs.len()).clamp(1, 100);
            let page = self
                .client
                .query()
                .table_name(self.table)
                .index_name(BY_TIME)
                .key_condition_expression("gsi_pk = :pipeline")
                .expression_attribute_values(":pipeline", text(format!("runs#{pipeline}")))
                .scan_index_forward(false)
                .limit(i32::try_from(wanted).unwrap_or(100))
                .set_exclusive_start_key(from)
                .send()
                .await
                .map_err(|error| self.read_failed(error))?;
            for item in page.items() {
                runs.push(get_body(item)?);
            }
            from = page.last_evaluated_key;
            if from.is_none() || runs.len() >= limit {
                return Ok(RunPage { runs, more: from.is_some() });
            }
        }
    }

    pub(super) async fn item(&self, key: Key) -> Result<Option<Item>, LedgerError> {
        let request = self.client.get_item().table_name(self.table).set_key(Some(key.into_item()));
        let answer = request.consistent_read(true).send().await.map_err(|error| self.read_failed(error))?;
        Ok(answer.item)
    }

    /// All items of one partition whose sort key begins so.
    pub(super) async fn partition(&self, pk: &str, sk_prefix: Option<&str>) -> Result<Vec<Item>, LedgerError> {
        let mut items = Vec::new();
        let mut from: Option<std::collections::HashMap<String, AttributeValue>> = None;
        loop {
            let request = self
                .client
                .query()
                .table_name(self.table)
                .consistent_read(true)
                .expression_attribute_values(":pk", text(pk))
                .set_exclusive_start_key(from);
            let request = match sk_prefix {
                None => request.key_condition_expression("pk = :pk"),
                Some(prefix) => request
                    .key_condition_expression("pk = :pk AND begins_with(sk, :sk)")
                    .expression_attribute_values(":sk", text(prefix)),
            };
            let page = request.send().await.map_err(|error| self.read_failed(error))?;
            items.extend(page.items.unwrap_or_default());
            from = page.last_evaluated_key;
            if from.is_none() {
                return Ok(items);
            }
        }
    }

    async fn versioned<T: DeserializeOwned>(&self, key: Key) -> Result<Option<Versioned<T>>, LedgerError> {
        match self.item(key).await? {
            None => Ok(None),
            Some(item) => Ok(Some(Versioned { value: get_body(&item)?, version: get_number(&item, "version")? })),
        }
    }

    async fn owner(&self, key: Key) -> Result<Option<RunId>, LedgerError> {
        let Some(item) = self.item(key).await? else { return Ok(None) };
        let id = RunId::parse(get_text(&item, "run")?);
        id.map(Some).map_err(|error| super::item::malformed(&item, error.to_string()))
    }
}
