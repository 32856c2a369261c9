use std::collections::BTreeMap;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update};
use statemachine::lineage::Lineage;
use statemachine::{Endpoint, Queue, Run, RunId};

use super::item::{Item, Key, body, get_body, get_number, get_text, number, text};
use super::objects::ObjectChange;
use super::runs::{DUE, Versioned, created_key, due_key};
use super::{Ledger, LedgerError};

/// DynamoDB takes 100 actions in one transaction (TransactWriteItems, in the DynamoDB API reference).
const TRANSACTION_LIMIT: usize = 100;

/// What is stored together.
#[derive(Debug)]
pub struct Change<'c> {
    /// The run as it is now, and the version that was read; `None` for a run that must not exist yet.
    pub run: &'c Run,
    /// The version of the run that the decision was made on.
    pub run_version: Option<u64>,
    /// The endpoint where it changed, with the version that was read.
    pub endpoint: Option<(&'c Endpoint, Option<u64>)>,
    /// The pipeline's queue where it changed, with the version that was read.
    pub queue: Option<(&'c Queue, Option<u64>)>,
    /// An object that becomes the run's with this change.
    pub object: Option<ObjectChange<'c>>,
    /// What to record.
    pub lineage: &'c Lineage,
    /// The run's execution became known with this change.
    pub new_execution: bool,
    /// The run's model package became known with this change.
    pub new_package: bool,
}

/// Why nothing was stored.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Someone else stored a newer version first: read again, decide again. Where DynamoDB told it, the run as it is.
    #[error("another invocation was faster")]
    Lost(Option<Box<Versioned<Run>>>),
    /// The object is another run's already.
    #[error("the object is read by run {0} already")]
    Taken(RunId),
    /// Anything else.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Ledger<'_> {
    /// Stores a change: all of it or nothing, and only if nobody changed the run or the endpoint since they were read.
    ///
    /// A change of the run alone is one PutItem. Anything more is one TransactWriteItems; lineage beyond the 100 actions
    /// that fit is stored ahead of it, which does no harm if the commit is then lost: it is true all the same.
    ///
    /// # Errors
    /// [`CommitError::Lost`] when the fence held.
    pub async fn commit(&self, change: &Change<'_>) -> Result<(), CommitError> {
        let outcome = self.store(change).await;
        match &outcome {
            // The answer of our own write was lost, and the SDK wrote again: the fence is ours. Claims carry a time, so
            // nobody else's run is equal.
            Err(CommitError::Lost(Some(stored)))
                if stored.version == change.run_version.map_or(1, |version| version + 1)
                    && stored.value == *change.run =>
            {
                Ok(())
            }
            _ => outcome,
        }
    }

    async fn store(&self, change: &Change<'_>) -> Result<(), CommitError> {
        let run = self.run_put(change)?;
        let mut around = self.around(change)?;
        if around.is_empty() && change.endpoint.is_none() && change.queue.is_none() && change.object.is_none() {
            return self.put_alone(run).await;
        }
        let mut last = vec![TransactWriteItem::builder().put(run).build()];
        if let Some(object) = &change.object {
            // Second, where `transact` looks for it.
            last.extend(self.object_items(object, &change.run.id)?);
        }
        if let Some((queue, version)) = change.queue {
            last.push(TransactWriteItem::builder().put(self.queue_put(queue, version)?).build());
        }
        if let Some((endpoint, version)) = change.endpoint {
            last.push(TransactWriteItem::builder().put(self.endpoint_put(endpoint, version)?).build());
        }
        let room = TRANSACTION_LIMIT - last.len();
        while around.len() > room {
            self.transact(around.drain(..room).collect()).await?;
        }
        last.append(&mut around);
        self.transact(last).await
    }

    /// What is stored beside the run and the endpoint: lineage, and to whom an execution or a package belongs. Each key
    /// once, as a transaction demands.
    fn around(&self, change: &Change<'_>) -> Result<Vec<TransactWriteItem>, LedgerError> {
        let mut items: BTreeMap<Key, TransactWriteItem> = self.lineage_items(change.lineage)?;
        let owners = [
            (change.new_execution, change.run.execution.as_ref().map(|execution| Key::execution(&execution.arn))),
            (change.new_package, change.run.package.as_deref().map(Key::package)),
        ];
        for (is_new, key) in owners {
            if let (true, Some(key)) = (is_new, key) {
                let mut item = key.clone().into_item();
                item.insert("run".to_owned(), text(change.run.id.as_str()));
                items.insert(key, TransactWriteItem::builder().put(self.put(item)?).build());
            }
        }
        Ok(items.into_values().collect())
    }

    fn run_put(&self, change: &Change<'_>) -> Result<Put, LedgerError> {
        let run = change.run;
        let key = Key::run(&run.id);
        let mut item = key.clone().into_item();
        item.insert("body".to_owned(), body(&key, run)?);
        item.insert("phase".to_owned(), text(run.phase.words()));
        item.insert("gsi_pk".to_owned(), text(format!("runs#{}", run.spec.pipeline)));
        item.insert("gsi_sk".to_owned(), text(created_key(run)));
        if let Some(due) = run.due(self.silence) {
            item.insert("due_pk".to_owned(), text(DUE));
            item.insert("due_sk".to_owned(), text(due_key(due, &run.id)));
        }
        self.fenced(item, change.run_version)
    }

    fn queue_put(&self, queue: &Queue, version: Option<u64>) -> Result<Put, LedgerError> {
        let key = Key::queue(&queue.pipeline);
        let mut item = key.clone().into_item();
        item.insert("body".to_owned(), body(&key, queue)?);
        self.fenced(item, version)
    }

    fn endpoint_put(&self, endpoint: &Endpoint, version: Option<u64>) -> Result<Put, LedgerError> {
        let key = Key::endpoint(&endpoint.name);
        let mut item = key.clone().into_item();
        item.insert("body".to_owned(), body(&key, endpoint)?);
        self.fenced(item, version)
    }

    /// A put that only succeeds on the version that was read.
    fn fenced(&self, mut item: Item, version: Option<u64>) -> Result<Put, LedgerError> {
        item.insert("version".to_owned(), number(version.map_or(1, |version| version + 1)));
        let put = Put::builder()
            .table_name(self.table)
            .set_item(Some(item))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let put = match version {
            None => put.condition_expression("attribute_not_exists(pk)"),
            Some(version) => {
                put.condition_expression("version = :read").expression_attribute_values(":read", number(version))
            }
        };
        put.build().map_err(|error| self.write_failed(error))
    }

    pub(super) fn put(&self, item: Item) -> Result<Put, LedgerError> {
        Put::builder().table_name(self.table).set_item(Some(item)).build().map_err(|error| self.write_failed(error))
    }

    pub(super) fn update(
        &self,
        update: aws_sdk_dynamodb::types::builders::UpdateBuilder,
    ) -> Result<Update, LedgerError> {
        update.table_name(self.table).build().map_err(|error| self.write_failed(error))
    }

    async fn put_alone(&self, put: Put) -> Result<(), CommitError> {
        let request = self
            .client
            .put_item()
            .table_name(self.table)
            .set_item(Some(put.item))
            .set_condition_expression(put.condition_expression)
            .set_expression_attribute_values(put.expression_attribute_values)
            .set_return_values_on_condition_check_failure(put.return_values_on_condition_check_failure);
        match request.send().await {
            Ok(_) => Ok(()),
            Err(SdkError::ServiceError(error)) => match error.into_err() {
                PutItemError::ConditionalCheckFailedException(lost) => Err(CommitError::Lost(stored(lost.item()))),
                other => Err(self.write_failed(other).into()),
            },
            Err(other) => Err(self.write_failed(other).into()),
        }
    }

    async fn transact(&self, items: Vec<TransactWriteItem>) -> Result<(), CommitError> {
        match self.client.transact_write_items().set_transact_items(Some(items)).send().await {
            Ok(_) => Ok(()),
            Err(SdkError::ServiceError(error)) => match error.into_err() {
                TransactWriteItemsError::TransactionCanceledException(cancelled) => {
                    let reasons = cancelled.cancellation_reasons();
                    let is = |code: &str| reasons.iter().any(|reason| reason.code() == Some(code));
                    let failed = |place: usize| {
                        reasons.get(place).filter(|reason| reason.code() == Some("ConditionalCheckFailed"))
                    };
                    // Only the note of an object holds the id of a run beside its key.
                    let taken = failed(1).and_then(|reason| reason.item());
                    let taken = taken.and_then(|item| get_text(item, "run").ok()).and_then(|id| RunId::parse(id).ok());
                    if let (Some(other), None) = (taken, failed(0)) {
                        return Err(CommitError::Taken(other));
                    }
                    if is("ConditionalCheckFailed") || is("TransactionConflict") {
                        return Err(CommitError::Lost(reasons.first().and_then(|reason| stored(reason.item()))));
                    }
                    Err(self.write_failed(cancelled).into())
                }
                TransactWriteItemsError::TransactionInProgressException(_) => Err(CommitError::Lost(None)),
                other => Err(self.write_failed(other).into()),
            },
            Err(other) => Err(self.write_failed(other).into()),
        }
    }
}

/// The item that held the fence, where DynamoDB returns it and it is a run.
fn stored(item: Option<&Item>) -> Option<Box<Versioned<Run>>> {
    let item = item.filter(|item| !item.is_empty())?;
    let value = get_body::<Run>(item).ok()?;
    let version = get_number(item, "version").ok()?;
    Some(Box::new(Versioned { value, version }))
}
