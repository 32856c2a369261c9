use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use statemachine::RunId;
use statemachine::run::ObjectVersion;

use super::item::{Item, Key, OBJECT, body, get_body, get_text, number, object_partition, text};
use super::{Ledger, LedgerError};

/// How long it is remembered what became of an object: 90 days. Dead letters, from which an event may come again, are
/// kept for 14.
const MEMORY: SignedDuration = SignedDuration::from_hours(90 * 24);

/// What became of an object that arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectRecord {
    /// Which version.
    pub object: ObjectVersion,
    /// When S3 says that it arrived.
    pub at: Timestamp,
    /// For each pipeline whose prefix it has.
    pub outcome: BTreeMap<String, ObjectOutcome>,
}

/// What one pipeline did with an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum ObjectOutcome {
    /// A run reads it.
    Taken {
        /// Which.
        run: RunId,
    },
    /// It starts nothing.
    Declined {
        /// Why.
        reason: String,
    },
}

/// An object that becomes a run's.
#[derive(Clone, Copy, Debug)]
pub struct ObjectChange<'c> {
    /// Which.
    pub object: &'c ObjectVersion,
    /// The run's pipeline.
    pub pipeline: &'c str,
    /// All that became of the object, where that is known with this change.
    pub record: Option<&'c ObjectRecord>,
}

impl Ledger<'_> {
    /// What became of one version of an object; `None` for one that has not been dealt with in full.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn object(&self, object: &ObjectVersion) -> Result<Option<ObjectRecord>, LedgerError> {
        self.item(Key::object(object)).await?.as_ref().map(get_body).transpose()
    }

    /// What became of every known version of an object, the newest first.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn objects(&self, bucket: &str, key: &str) -> Result<Vec<ObjectRecord>, LedgerError> {
        let items = self.partition(&object_partition(bucket, key), Some(OBJECT)).await?;
        let mut records = items.iter().map(get_body::<ObjectRecord>).collect::<Result<Vec<_>, _>>()?;
        records.sort_by_key(|record| std::cmp::Reverse(record.at));
        Ok(records)
    }

    /// Which runs took a version of an object, by pipeline.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn takers(&self, object: &ObjectVersion) -> Result<BTreeMap<String, RunId>, LedgerError> {
        let Key { pk, sk } = Key::taken(object, "");
        let items = self.partition(&pk, Some(&sk)).await?;
        let taker = |item: &Item| {
            let run = RunId::parse(get_text(item, "run")?);
            let run = run.map_err(|error| super::item::malformed(item, error.to_string()))?;
            let pipeline = get_text(item, "sk")?.strip_prefix(&sk).unwrap_or_default().to_owned();
            Ok((pipeline, run))
        };
        items.iter().map(taker).collect()
    }

    /// Stores what became of an object.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub async fn put_object(&self, record: &ObjectRecord) -> Result<(), LedgerError> {
        let item = Self::object_item(record)?;
        let request = self.client.put_item().table_name(self.table).set_item(Some(item));
        request.send().await.map(drop).map_err(|error| self.write_failed(error))
    }

    pub(super) fn object_items(
        &self,
        change: &ObjectChange<'_>,
        run: &RunId,
    ) -> Result<Vec<TransactWriteItem>, LedgerError> {
        let mut item = Key::taken(change.object, change.pipeline).into_item();
        item.insert("run".to_owned(), text(run.as_str()));
        if let Some(record) = change.record {
            item.insert("expires".to_owned(), forgotten(record.at));
        }
        let taken = Put::builder()
            .table_name(self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk) OR #run = :run")
            .expression_attribute_names("#run", "run")
            .expression_attribute_values(":run", text(run.as_str()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(|error| self.write_failed(error))?;
        let mut items = vec![TransactWriteItem::builder().put(taken).build()];
        if let Some(record) = change.record {
            items.push(TransactWriteItem::builder().put(self.put(Self::object_item(record)?)?).build());
        }
        Ok(items)
    }

    fn object_item(record: &ObjectRecord) -> Result<Item, LedgerError> {
        let key = Key::object(&record.object);
        let mut item = key.clone().into_item();
        item.insert("body".to_owned(), body(&key, record)?);
        item.insert("expires".to_owned(), forgotten(record.at));
        Ok(item)
    }
}

/// DynamoDB deletes the item some time after this.
fn forgotten(at: Timestamp) -> aws_sdk_dynamodb::types::AttributeValue {
    let end = at.saturating_add(MEMORY).unwrap_or(Timestamp::MAX);
    number(u64::try_from(end.as_second()).unwrap_or_default())
}
