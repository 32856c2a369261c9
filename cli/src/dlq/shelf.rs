//! Looking at the queues without taking anything out of them.
//!
//! SQS shows a message only by handing it out: it is invisible to others for a while then. What was handed out here is put
//! back as soon as it was looked at, at Ctrl-C too; if this program is killed, after [`LOOK`] at the latest.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, Message, MessageSystemAttributeName, QueueAttributeName,
};
use jiff::Timestamp;
use serde::Serialize;
use tokio::task::JoinSet;

use super::{Kind, Letter, Queue, Raw};
use crate::error::Error;

/// How long a message is out of others' sight, in seconds.
const LOOK: i32 = 60;

/// How long a queue is asked for more, in seconds. Anything above 0 makes SQS ask all its servers, and not a few of them.
const ASK: i32 = 1;

/// After so many answers without a message a queue counts as seen.
const EMPTY_ANSWERS: usize = 2;

/// The most messages of one queue that are looked at.
const MOST: usize = 1000;

/// The most that SQS takes or gives in one call.
const BATCH: usize = 10;

/// How long putting everything back may take.
const PUT_BACK_WITHIN: Duration = Duration::from_secs(10);

/// A dead letter, and what it takes to delete it.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) letter: Letter,
    url: String,
    receipt: String,
}

/// A queue as it was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct QueueView {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// The function whose events it holds.
    pub(crate) function: &'static str,
    /// How many messages were seen.
    pub(crate) messages: usize,
    /// How many SQS says it has, those that somebody else looks at among them; it may be off for a minute.
    pub(crate) approximately: usize,
    /// When the oldest message that was seen came.
    pub(crate) oldest: Option<Timestamp>,
}

impl QueueView {
    /// Whether there may be more than was seen.
    pub(crate) fn is_incomplete(&self) -> bool {
        self.messages < self.approximately
    }
}

/// What the queues hold, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Look {
    pub(crate) queues: Vec<QueueView>,
    pub(crate) letters: Vec<Held>,
}

/// The receipts of a queue, by its URL.
type Receipts = BTreeMap<String, Vec<String>>;

/// The queues of a deployment.
#[derive(Debug)]
pub(crate) struct Shelf {
    sqs: Client,
    prefix: String,
    held: Arc<Mutex<Receipts>>,
}

impl Shelf {
    pub(crate) fn new(sqs: Client, prefix: String) -> Self {
        Self { sqs, prefix, held: Arc::default() }
    }

    /// The deployment's dead-letter queues, by name.
    async fn queues(&self) -> Result<Vec<Queue>, Error> {
        let cannot = |error| Error::aws("the queues cannot be listed", error);
        let pages = self.sqs.list_queues().queue_name_prefix(format!("{}-", self.prefix)).max_results(1000);
        let mut pages = pages.into_paginator().send();
        let mut queues = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(cannot)?;
            queues.extend(page.queue_urls().iter().filter_map(|url| Queue::of_url(&self.prefix, url)));
        }
        if queues.is_empty() {
            return Err(Error::failed(format!("there are no dead-letter queues `{}-…` here", self.prefix))
                .hint("deploy the orchestrator's stack, or give the right table with --table"));
        }
        queues.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(queues)
    }

    /// Looks at every queue, or at those that may hold events of one function.
    pub(crate) async fn look(&self, function: Option<&str>) -> Result<Look, Error> {
        let mut looks = JoinSet::new();
        for queue in self.queues().await? {
            // Firings of several functions share a queue.
            if function.is_none_or(|wanted| queue.kind == Kind::Firing || queue.function == wanted) {
                looks.spawn(look_at(self.sqs.clone(), self.prefix.clone(), queue, Arc::clone(&self.held)));
            }
        }
        let mut look = Look::default();
        while let Some(seen) = looks.join_next().await {
            let (queue, letters) = seen.map_err(|error| Error::failed(format!("a queue was not read: {error}")))??;
            look.queues.push(queue);
            look.letters.extend(letters);
        }
        look.queues.sort_by(|one, other| one.name.cmp(&other.name));
        look.letters.retain(|held| function.is_none_or(|wanted| held.letter.function == wanted));
        look.letters.sort_by(|one, other| (one.letter.at, &one.letter.id).cmp(&(other.letter.at, &other.letter.id)));
        Ok(look)
    }

    /// Takes a message out of its queue.
    pub(crate) async fn delete(&self, held: &Held) -> Result<(), Error> {
        let answer = self.sqs.delete_message().queue_url(&held.url).receipt_handle(&held.receipt).send().await;
        answer.map_err(|error| Error::aws(format!("message {} cannot be deleted", held.letter.short()), error))?;
        let mut all = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(receipts) = all.get_mut(&held.url) {
            receipts.retain(|receipt| *receipt != held.receipt);
        }
        Ok(())
    }

    /// Lets others see again what was looked at and not deleted. As far as it goes: whatever is left becomes visible by
    /// itself.
    pub(crate) async fn put_back(&self) {
        let all = std::mem::take(&mut *self.held.lock().unwrap_or_else(PoisonError::into_inner));
        let work = async {
            for (url, receipts) in &all {
                for some in receipts.chunks(BATCH) {
                    let entry = |(number, receipt): (usize, &String)| {
                        ChangeMessageVisibilityBatchRequestEntry::builder()
                            .id(number.to_string())
                            .receipt_handle(receipt)
                            .visibility_timeout(0)
                            .build()
                            .ok()
                    };
                    let entries = some.iter().enumerate().filter_map(entry).collect::<Vec<_>>();
                    let request = self.sqs.change_message_visibility_batch().queue_url(url);
                    let _ = request.set_entries(Some(entries)).send().await;
                }
            }
        };
        let _ = tokio::time::timeout(PUT_BACK_WITHIN, work).await;
    }
}

async fn look_at(
    sqs: Client,
    prefix: String,
    queue: Queue,
    held: Arc<Mutex<Receipts>>,
) -> Result<(QueueView, Vec<Held>), Error> {
    let approximately = count(&sqs, &queue).await?;
    let mut seen = HashSet::new();
    let mut letters: Vec<Held> = Vec::new();
    let mut empty = 0;
    while empty < EMPTY_ANSWERS && letters.len() < MOST {
        let request = sqs.receive_message().queue_url(&queue.url).max_number_of_messages(10);
        let request = request.visibility_timeout(LOOK).wait_time_seconds(ASK).message_attribute_names("All");
        let answer = request.message_system_attribute_names(MessageSystemAttributeName::SentTimestamp).send().await;
        let answer = answer.map_err(|error| Error::aws(format!("queue `{}` cannot be read", queue.name), error))?;
        let messages = answer.messages.unwrap_or_default();
        if messages.is_empty() {
            empty += 1;
            // Of a queue that is said to hold nothing, one answer is enough.
            if approximately == 0 {
                break;
            }
        }
        for message in messages {
            let (Some(raw), Some(receipt)) = (raw(&message), message.receipt_handle.clone()) else { continue };
            let mut all = held.lock().unwrap_or_else(PoisonError::into_inner);
            all.entry(queue.url.clone()).or_default().push(receipt.clone());
            // SQS may hand out a message twice.
            if seen.insert(raw.id.clone()) {
                letters.push(Held { letter: Letter::read(&prefix, &queue, raw), url: queue.url.clone(), receipt });
            }
        }
    }
    let oldest = letters.iter().filter_map(|held| held.letter.at).min();
    let Queue { name, kind, function, .. } = queue;
    Ok((QueueView { name, kind, function, messages: letters.len(), approximately, oldest }, letters))
}

/// How many messages SQS says that a queue has, seen by somebody or not.
async fn count(sqs: &Client, queue: &Queue) -> Result<usize, Error> {
    let names = [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        QueueAttributeName::ApproximateNumberOfMessagesDelayed,
    ];
    let request = sqs.get_queue_attributes().queue_url(&queue.url).set_attribute_names(Some(names.to_vec()));
    let answer = request.send().await;
    let answer = answer.map_err(|error| Error::aws(format!("queue `{}` cannot be read", queue.name), error))?;
    let attributes = answer.attributes.unwrap_or_default();
    Ok(names.iter().filter_map(|name| attributes.get(name)?.parse::<usize>().ok()).sum())
}

fn raw(message: &Message) -> Option<Raw> {
    let sent = message.attributes.as_ref().and_then(|all| all.get(&MessageSystemAttributeName::SentTimestamp));
    let sent = sent.and_then(|text| Timestamp::from_millisecond(text.parse().ok()?).ok());
    let attributes = message.message_attributes.iter().flatten();
    let attributes = attributes.filter_map(|(name, value)| Some((name.clone(), value.string_value.clone()?)));
    Some(Raw {
        id: message.message_id.clone()?,
        body: message.body.clone().unwrap_or_default(),
        sent,
        attributes: attributes.collect(),
    })
}
