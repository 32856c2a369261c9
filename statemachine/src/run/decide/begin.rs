//! The first event of a run, and the way to its execution.

use super::*;

/// The first event of a run that the ledger does not know.
pub(super) fn first(around: &Around, event: &Event) -> Decision {
    let illegal = |because: String| Decision { outcome: Outcome::Illegal, because };
    let none = (Inputs { uri: String::new(), objects: Vec::new(), exact: false }, BTreeMap::new());
    let (trigger, spec, (inputs, parameters)) = match &event.kind {
        EventKind::Requested { trigger: Trigger::Manual, .. } => {
            return illegal("a manual start is adopted, never requested".to_owned());
        }
        EventKind::Requested { trigger, spec, inputs, parameters } => {
            (trigger.clone(), spec, (inputs.clone(), parameters.clone()))
        }
        EventKind::Adopted { spec, inputs, parameters, .. } => {
            (Trigger::Manual, spec, (inputs.clone(), parameters.clone()))
        }
        EventKind::Missed { trigger, spec, .. } => (trigger.clone(), spec, none),
        other => return illegal(format!("{} came for a run that the ledger does not have", other.name())),
    };
    let id = match (&event.kind, &trigger) {
        (EventKind::Adopted { execution_arn, .. }, _) => RunId::manual(execution_arn),
        (_, trigger) => match RunId::of(&spec.pipeline, trigger) {
            Some(id) => id,
            None => return illegal("a manual start has no run before its execution is known".to_owned()),
        },
    };
    let run = Run {
        id,
        trigger,
        created: event.at,
        spec: (**spec).clone(),
        phase: Phase::Starting,
        inputs,
        parameters,
        execution: None,
        failure: None,
        evaluation: None,
        gate: None,
        package: None,
        approval: None,
        facts: Vec::new(),
        heard: None,
        batch: None,
        deadline: None,
        stop: None,
        outbox: Vec::new(),
    };
    let mut step = Step::new(&run, around, event);
    let verdict = match &event.kind {
        EventKind::Missed { reason, .. } => step.missed(reason),
        EventKind::Adopted { execution_arn, .. } => {
            step.record_request();
            step.bind(execution_arn);
            step.run.phase = Phase::Running;
            step.set_deadline();
            Verdict::changed(format!("a new run by {}", run.trigger))
        }
        _ => match (&run.trigger, &step.queue.batch) {
            (Trigger::Batch { .. }, Some(open)) if *open != run.id => {
                Verdict::ignored(format!("run {open} collects objects"))
            }
            (Trigger::Batch { .. }, _) => step.collect(),
            _ => {
                step.record_request();
                step.begin()
            }
        },
    };
    step.conclude(around, verdict)
}

impl Step {
    /// Opens a collection with the objects that the run has.
    fn collect(&mut self) -> Verdict {
        self.run.phase = Phase::Batching;
        self.run.batch = Some(Batch { last: self.at });
        self.queue.batch = Some(self.run.id.clone());
        self.run.learn(self.at, "waits for more objects");
        self.wake_for_the_batch();
        Verdict::changed("a new run that collects objects")
    }

    fn wake_for_the_batch(&mut self) {
        if let Some(at) = self.run.batch_due() {
            self.run.command(CommandId::wake(Purpose::Batch, at), Command::Wake { at, purpose: Purpose::Batch });
        }
    }

    pub(super) fn object_arrived(&mut self, object: &ObjectVersion) -> Verdict {
        if self.run.inputs.objects.contains(object) {
            return Verdict::ignored("the object is in the run already");
        }
        let (Phase::Batching, Some(batch)) = (self.run.phase, self.run.batch) else {
            return Verdict::ignored("the run collects no objects any more");
        };
        // The clock is S3's: late events do not move it back.
        self.run.batch = Some(Batch { last: batch.last.max(self.at) });
        let known = self.run.inputs.objects.iter_mut().find(|known| {
            known.bucket == object.bucket && known.key == object.key && known.version() != object.version()
        });
        match known {
            Some(newer) if object.is_older_than(newer) => {
                self.run.learn(self.at, format!("{} was overwritten before the run began", object.key));
                return Verdict::changed("a newer version of the object is in the run");
            }
            Some(older) => *older = object.clone(),
            None => self.run.inputs.objects.push(object.clone()),
        }
        if is_full(&self.run.inputs.objects) {
            return self.close("the run holds as many objects as one can");
        }
        Verdict::changed("one more object")
    }

    pub(super) fn batch_is_due(&mut self) -> Verdict {
        let (Phase::Batching, Some(due)) = (self.run.phase, self.run.batch_due()) else {
            return Verdict::ignored("the run collects no objects any more");
        };
        if self.at < due {
            let id = CommandId::wake(Purpose::Batch, due);
            if self.run.has_pending(&id) {
                return Verdict::ignored("the run is to be woken later");
            }
            self.wake_for_the_batch();
            return Verdict::changed(format!("objects still come; the run waits until {due}"));
        }
        self.close("no more objects came")
    }

    /// Ends the collection: what the run reads is settled.
    fn close(&mut self, because: &str) -> Verdict {
        self.run.batch = None;
        self.run.inputs.objects.sort();
        let count = self.run.inputs.objects.len();
        self.run.learn(self.at, format!("collected {count} {}", if count == 1 { "object" } else { "objects" }));
        self.record_request();
        match self.begin() {
            Verdict::Changed(then) => Verdict::Changed(format!("{because}; {then}")),
            other => other,
        }
    }

    /// Writes down why there is a run, and what it reads.
    fn record_request(&mut self) {
        let trigger = self.run.trigger.to_string();
        self.run.learn(self.run.created, format!("requested by {trigger}"));
        let facts = [("trigger", trigger), ("pipeline", self.run.spec.pipeline.clone())];
        let node = self.lineage.node_with(NodeId::run(&self.run.id), NodeKind::Run, facts);
        for object in self.run.inputs.objects.clone() {
            let source = self.lineage.node(NodeId::object(&object), NodeKind::Object);
            self.edge(source, node.clone(), Relation::InputTo);
        }
    }

    fn set_deadline(&mut self) {
        let after = seconds_of(self.run.spec.deadline_seconds);
        let at = self.at.saturating_add(after).unwrap_or(Timestamp::MAX);
        self.run.deadline = Some(at);
        self.run.command(CommandId::wake(Purpose::Deadline, at), Command::Wake { at, purpose: Purpose::Deadline });
    }

    /// Its inputs are settled: the run asks for its execution, waits for a place, or is skipped.
    fn begin(&mut self) -> Verdict {
        let concurrency = self.run.spec.concurrency;
        let others = self.queue.active.iter().chain(&self.queue.waiting).any(|other| *other != self.run.id);
        match concurrency {
            Concurrency::Unlimited => {}
            Concurrency::Skip if others => {
                let other = self.queue.active.iter().chain(&self.queue.waiting).next().map(ToString::to_string);
                let reason = format!("skipped: run {} is under way", other.unwrap_or_default());
                return self.skip(reason);
            }
            Concurrency::Replace if others => return self.replace_the_others(),
            Concurrency::Wait { .. } if self.queue.waiting.len() >= QUEUE_LIMIT => {
                let reason = format!("skipped: {QUEUE_LIMIT} runs wait already");
                self.alert_once(Cause::QueueFull, &reason);
                return self.skip(reason);
            }
            Concurrency::Wait { .. }
                if others && !(self.queue.has_room(concurrency) && self.queue.waiting.is_empty()) =>
            {
                self.set_deadline();
                return self.enqueue();
            }
            Concurrency::Skip | Concurrency::Replace | Concurrency::Wait { .. } => {}
        }
        self.start();
        self.set_deadline();
        Verdict::changed(format!("a new run by {}", self.run.trigger))
    }

    pub(super) fn start(&mut self) {
        self.run.phase = Phase::Starting;
        self.command_start();
        let size = serde_json::to_string(&self.run).map_or(usize::MAX, |text| text.len());
        if size > RUN_BYTES {
            self.acknowledge(&CommandId::start());
            let count = self.run.inputs.objects.len();
            let reason = format!(
                "the names of the {count} objects that the run reads are too long to be recorded: give shorter names, or \
                 pack the objects into fewer"
            );
            // Enough to see which they were.
            self.run.inputs.objects.truncate(100);
            self.fail(Failure { step: None, reason });
        }
    }

    fn enqueue(&mut self) -> Verdict {
        let id = self.run.id.clone();
        self.run.phase = Phase::Queued;
        let ahead = self.queue.waiting.len();
        let active = self.queue.active.len();
        let fact = format!("waits for a place: {active} under way, {ahead} waiting before it");
        self.run.learn(self.at, fact.clone());
        if !self.queue.waiting.contains(&id) {
            self.queue.waiting.push(id);
        }
        Verdict::changed(format!("the run {fact}"))
    }

    fn skip(&mut self, reason: String) -> Verdict {
        self.run.phase = Phase::Skipped;
        self.run.learn(self.at, reason.clone());
        Verdict::changed(reason)
    }

    /// Whoever waits is replaced; whoever is under way is stopped, and gives its place to this run.
    fn replace_the_others(&mut self) -> Verdict {
        let by = self.run.id.clone();
        let others = self.queue.active.iter().chain(&self.queue.waiting).filter(|other| **other != by);
        for other in others.cloned().collect::<Vec<_>>() {
            let message = Message::Replaced { by: by.clone() };
            self.run.command(CommandId::tell(&other, &message), Command::Tell { run: other, message });
        }
        self.queue.waiting.clear();
        let verdict = if self.queue.has_room(self.run.spec.concurrency) {
            self.start();
            Verdict::changed("the run takes the place of those that waited")
        } else {
            self.enqueue()
        };
        self.set_deadline();
        verdict
    }

    /// A trigger that is known. It begins after all where it had been given up as missed.
    pub(super) fn requested_again(&mut self, inputs: &Inputs, parameters: &BTreeMap<String, String>) -> Verdict {
        if self.run.phase != Phase::Missed {
            return Verdict::ignored("this trigger has a run already");
        }
        self.run.inputs = inputs.clone();
        self.run.parameters = parameters.clone();
        self.run.failure = None;
        self.run.learn(self.at, "came after all");
        self.record_request();
        self.begin()
    }

    fn missed(&mut self, reason: &str) -> Verdict {
        if matches!(self.run.trigger, Trigger::Arrival { .. } | Trigger::Batch { .. } | Trigger::Replay { .. }) {
            self.record_request();
            self.fail(Failure { step: None, reason: reason.to_owned() });
            return Verdict::changed(reason.to_owned());
        }
        self.run.phase = Phase::Missed;
        self.run.learn(self.at, crate::text::one_line(reason, 1000));
        self.run.failure = Some(Failure { step: None, reason: reason.to_owned() });
        let cause =
            if matches!(self.run.trigger, Trigger::Expected { .. }) { Cause::NoData } else { Cause::ScheduleMissed };
        self.alert_once(cause, reason);
        Verdict::changed(reason.to_owned())
    }
}

/// The longest record of a run that begins, in bytes. DynamoDB takes 400 KB for an item, and more is to come: facts, an
/// evaluation, alerts.
const RUN_BYTES: usize = 300_000;

/// The most objects that one run collects.
const COLLECTION_LIMIT: usize = 500;

/// The most bytes of names that one run collects. Each name is stored a few times in the run's item, and DynamoDB takes
/// 400 KB for an item.
const COLLECTION_BYTES: usize = 60_000;

fn is_full(objects: &[ObjectVersion]) -> bool {
    let bytes = objects.iter().map(|object| object.key.len() + object.bucket.len() + object.version().len() + 100);
    objects.len() >= COLLECTION_LIMIT || bytes.sum::<usize>() >= COLLECTION_BYTES
}
