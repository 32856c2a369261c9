//! Before an execution: objects that are collected, places that are waited for, commands that find no room.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use proptest::prelude::*;

use super::command::patience;
use super::fixtures::*;
use super::*;
use crate::alert::Cause;
use crate::queue::Concurrency;
use crate::{Endpoint, Queue};

fn named(key: &str, sequencer: &str) -> ObjectVersion {
    ObjectVersion {
        key: format!("raw/tumours/{key}"),
        version_id: Some(format!("{key}-{sequencer}")),
        sequencer: Some(sequencer.into()),
        ..object("")
    }
}

/// Several runs of one pipeline around one queue and endpoint; what they tell each other is delivered when asked.
struct Site {
    around: Around,
    runs: BTreeMap<RunId, Run>,
}

impl Site {
    fn new() -> Self {
        let around = Around { endpoint: Endpoint::new("tumours"), queue: Queue::new("tumours") };
        Self { around, runs: BTreeMap::new() }
    }

    fn give(&mut self, id: &RunId, event: &Event) -> Decision {
        let decision = decide(self.runs.get(id), &self.around, event);
        if let Outcome::Changed { run, endpoint, queue, .. } = &decision.outcome {
            assert_eq!(run.id, *id);
            self.runs.insert(id.clone(), (**run).clone());
            self.around.endpoint = endpoint.clone().unwrap_or_else(|| self.around.endpoint.clone());
            self.around.queue = queue.clone().unwrap_or_else(|| self.around.queue.clone());
        }
        decision
    }

    /// A run by the arrival of `version`, under `concurrency`.
    fn request(&mut self, second: i64, version: &str, concurrency: Concurrency) -> RunId {
        let mut event = requested(version, ApprovalMode::Automatic);
        event.at = at(second);
        if let EventKind::Requested { spec, .. } = &mut event.kind {
            spec.concurrency = concurrency;
        }
        let id = RunId::arrival("tumours", &object(version));
        self.give(&id, &event);
        id
    }

    fn started(&mut self, second: i64, id: &RunId) {
        let kind = EventKind::ExecutionStarted { execution_arn: arn(id) };
        self.give(id, &Event { at: at(second), kind });
    }

    fn execution(&mut self, second: i64, id: &RunId, status: ExecutionStatus) {
        let failure = (status == ExecutionStatus::Failed).then(|| Failure { step: None, reason: "no".into() });
        let kind = EventKind::ExecutionChanged { execution_arn: arn(id), status, failure };
        self.give(id, &Event { at: at(second), kind });
    }

    /// Delivers everything that runs tell each other, until there is nothing to tell.
    fn tell(&mut self, second: i64) {
        loop {
            let told = self.runs.values().find_map(|run| {
                run.outbox.iter().find_map(|pending| match &pending.command {
                    Command::Tell { run: to, message } => {
                        Some((run.id.clone(), pending.id.clone(), to.clone(), message.clone()))
                    }
                    _ => None,
                })
            });
            let Some((from, command, to, message)) = told else { return };
            let kind = match message {
                Message::YourTurn => EventKind::YourTurn,
                Message::Superseded { by } => EventKind::Superseded { by },
                Message::SlotFree => EventKind::SlotFree,
                Message::Replaced { by } => {
                    EventKind::StopRequested(Stop { reason: format!("replaced by run {by}"), by: Some(by) })
                }
            };
            self.give(&to, &Event { at: at(second), kind });
            self.give(&from, &done(second, command));
        }
    }

    fn phase(&self, id: &RunId) -> Phase {
        self.runs[id].phase
    }

    fn commands(&self, id: &RunId) -> Vec<String> {
        self.runs[id].outbox.iter().map(|pending| pending.id.to_string()).filter(|id| !id.starts_with("wake")).collect()
    }

    fn facts(&self, id: &RunId) -> String {
        self.runs[id].facts.iter().map(|fact| fact.what.as_str()).collect::<Vec<_>>().join("; ")
    }
}

fn arn(id: &RunId) -> String {
    format!("arn:aws:sagemaker:us-east-1:000000000000:pipeline/tumours/execution/{id}")
}

fn batching() -> World {
    let mut event = requested("v1", ApprovalMode::Automatic);
    if let EventKind::Requested { trigger, spec, inputs, .. } = &mut event.kind {
        *trigger = Trigger::Batch { first: named("00", "01") };
        spec.batch = Some(BATCH);
        inputs.objects = vec![named("00", "01")];
    }
    World::after(&[event])
}

fn due(second: i64) -> Event {
    Event { at: at(second), kind: EventKind::BatchDue }
}

#[test]
fn forty_files_make_one_run_that_reads_exactly_their_versions() {
    let mut world = batching();
    for number in 1..40 {
        world.give(&arrived(number, named(&format!("{number:02}"), "01")));
    }
    assert_eq!(world.run().phase, Phase::Batching);
    assert_eq!(world.around.queue.batch.as_ref(), Some(&world.run().id));
    // The last object came at 39, and a minute's quiet is asked for: the first waking finds objects still coming.
    world.give(&due(60));
    assert_eq!(world.run().phase, Phase::Batching);
    assert!(world.run().has_pending(&CommandId::wake(Purpose::Batch, at(99))));
    world.give(&due(99));
    assert_eq!(world.run().phase, Phase::Starting);
    assert_eq!(world.around.queue.batch, None);
    let start = world.run().outbox.iter().find(|pending| pending.id == CommandId::start()).unwrap();
    let Command::Start { stage, .. } = &start.command else { panic!("no start") };
    assert_eq!(stage.len(), 40);
    assert!(stage.iter().all(|stage| stage.object.version_id.as_deref().unwrap().ends_with("-01")));
}

#[test]
fn objects_that_never_stop_coming_do_not_hold_a_run_back_for_ever() {
    let mut world = batching();
    for number in 1..60 {
        world.give(&arrived(number * 10, named(&number.to_string(), "01")));
    }
    world.give(&due(600));
    assert_eq!(world.run().phase, Phase::Starting);
}

#[test]
fn an_object_that_is_overwritten_while_objects_are_collected_is_read_once_at_its_newest() {
    let mut world = batching();
    world.give(&arrived(2, named("a", "03")));
    world.give(&arrived(3, named("a", "05")));
    // The event of an older version comes late.
    world.give(&arrived(4, named("a", "04")));
    world.give(&due(200));
    let objects = &world.run().inputs.objects;
    assert_eq!(objects.iter().map(ObjectVersion::version).collect::<Vec<_>>(), ["00-01", "a-05"]);
}

#[test]
fn what_comes_after_the_collection_is_not_the_runs() {
    let mut world = batching();
    world.give(&due(60));
    let before = world.run().clone();
    let decision = world.give(&arrived(61, named("late", "01")));
    assert_eq!(decision.outcome, Outcome::Ignored);
    assert_eq!(*world.run(), before);
}

#[test]
fn a_second_collection_is_not_opened_beside_the_first() {
    let world = batching();
    let mut event = requested("v2", ApprovalMode::Automatic);
    if let EventKind::Requested { trigger, spec, .. } = &mut event.kind {
        *trigger = Trigger::Batch { first: named("other", "01") };
        spec.batch = Some(BATCH);
    }
    assert_eq!(decide(None, &world.around, &event).outcome, Outcome::Ignored);
}

#[test]
fn a_run_that_holds_as_much_as_one_can_begins_at_once() {
    let mut world = batching();
    let mut number = 0;
    while world.run().phase == Phase::Batching {
        number += 1;
        assert!(number < 1000, "the collection has no end");
        world.give(&arrived(1, named(&format!("{}{number}", "k".repeat(900)), "01")));
    }
    assert!(serde_json::to_string(world.run()).unwrap().len() < 350_000, "the item outgrows DynamoDB's 400 KB");
}

#[test]
fn a_run_that_cannot_be_recorded_fails_with_an_alert_instead_of_being_refused_for_ever() {
    let mut event = requested("v1", ApprovalMode::Automatic);
    if let EventKind::Requested { inputs, .. } = &mut event.kind {
        inputs.objects = (0..500).map(|n| named(&format!("{}{n}", "k".repeat(400)), "01")).collect();
    }
    let world = World::after(&[event]);
    assert_eq!(world.run().phase, Phase::Failed);
    assert!(!world.run().has_pending(&CommandId::start()));
    assert!(world.pending().iter().any(|id| id.starts_with("alert:failed")));
    assert!(serde_json::to_string(world.run()).unwrap().len() < 400_000);
}

#[test]
fn one_at_a_time_and_the_oldest_goes_next() {
    let mut site = Site::new();
    let wait = Concurrency::Wait { at_most: 1 };
    let (a, b, c) = (site.request(0, "a", wait), site.request(1, "b", wait), site.request(2, "c", wait));
    assert_eq!([&a, &b, &c].map(|id| site.phase(id)), [Phase::Starting, Phase::Queued, Phase::Queued]);
    assert!(site.commands(&b).is_empty());
    site.started(3, &a);
    site.execution(4, &a, ExecutionStatus::Failed);
    site.tell(5);
    assert_eq!([&a, &b, &c].map(|id| site.phase(id)), [Phase::Failed, Phase::Starting, Phase::Queued]);
    site.started(6, &b);
    site.execution(7, &b, ExecutionStatus::Succeeded);
    site.tell(8);
    assert_eq!([&b, &c].map(|id| site.phase(id)), [Phase::Evaluating, Phase::Starting]);
    assert_eq!(site.around.queue.active, std::slice::from_ref(&c));
    assert!(site.around.queue.waiting.is_empty());
}

#[test]
fn three_at_a_time_where_three_are_allowed() {
    let mut site = Site::new();
    let ids: Vec<RunId> = (0..5).map(|n| site.request(n, &n.to_string(), Concurrency::Wait { at_most: 3 })).collect();
    let starting = |site: &Site| ids.iter().filter(|id| site.phase(id) == Phase::Starting).count();
    assert_eq!(starting(&site), 3);
    site.started(6, &ids[1]);
    site.execution(7, &ids[1], ExecutionStatus::Failed);
    site.tell(8);
    assert_eq!(starting(&site), 3);
    assert_eq!(site.phase(&ids[3]), Phase::Starting);
}

#[test]
fn a_skipped_trigger_is_in_the_ledger_with_its_reason_and_starts_nothing() {
    let mut site = Site::new();
    let a = site.request(0, "a", Concurrency::Skip);
    let b = site.request(1, "b", Concurrency::Skip);
    assert_eq!(site.phase(&b), Phase::Skipped);
    assert!(site.facts(&b).contains(&format!("skipped: run {a} is under way")), "{}", site.facts(&b));
    assert!(site.runs[&b].outbox.is_empty());
    site.started(2, &a);
    site.execution(3, &a, ExecutionStatus::Failed);
    assert_eq!(site.request(4, "c", Concurrency::Skip), RunId::arrival("tumours", &object("c")));
    assert_eq!(site.phase(&RunId::arrival("tumours", &object("c"))), Phase::Starting);
}

#[test]
fn a_newer_run_stops_the_one_under_way_and_takes_its_place() {
    let mut site = Site::new();
    let a = site.request(0, "a", Concurrency::Replace);
    site.started(1, &a);
    let b = site.request(2, "b", Concurrency::Replace);
    let c = site.request(3, "c", Concurrency::Replace);
    site.tell(4);
    assert_eq!([&b, &c].map(|id| site.phase(id)), [Phase::Skipped, Phase::Queued]);
    assert!(site.facts(&b).contains(&format!("replaced by run {c}")), "{}", site.facts(&b));
    assert_eq!(site.commands(&a), ["stop"]);
    assert_eq!(site.phase(&a), Phase::Running, "it is stopped when SageMaker says so");
    site.execution(5, &a, ExecutionStatus::Stopping);
    site.execution(6, &a, ExecutionStatus::Stopped);
    site.tell(7);
    assert_eq!([&a, &c].map(|id| site.phase(id)), [Phase::Stopped, Phase::Starting]);
    assert_eq!(site.around.queue.active, [c]);
}

#[test]
fn a_run_that_is_stopped_while_its_execution_is_asked_for_is_stopped_once_that_is_known() {
    let mut site = Site::new();
    let a = site.request(0, "a", Concurrency::Replace);
    site.give(&a, &stop(1, None));
    assert_eq!(site.phase(&a), Phase::Starting);
    assert_eq!(site.commands(&a), ["start"], "whoever asks for it may have got it");
    site.started(2, &a);
    assert_eq!(site.commands(&a), ["stop"]);
}

#[test]
fn a_run_can_be_stopped_again_after_a_person_retried_it_or_the_stop_was_refused() {
    let mut world = world_in(Phase::Running);
    world.give(&stop(20, None));
    world.give(&stop(21, None));
    assert_eq!(world.pending(), ["stop"], "once while it is under way");
    let refused = EventKind::CommandFailed { command: CommandId::stop(), reason: "no permission".into() };
    world.give(&Event { at: at(22), kind: refused });
    world.give(&stop(23, None));
    assert_eq!(world.pending(), ["stop"]);
    world.give(&status(30, ExecutionStatus::Stopped));
    world.give(&status(40, ExecutionStatus::Executing));
    assert_eq!((world.run().phase, world.pending()), (Phase::Running, vec![]));
    world.give(&stop(50, None));
    assert_eq!(world.pending(), ["stop"]);
}

#[test]
fn that_a_run_is_late_is_told_however_much_is_known_of_it() {
    let mut world = world_in(Phase::Running);
    for second in 0..600 {
        world.give(&step(second, &"s".repeat(500), StepStatus::Executing));
    }
    let deadline = world.run().deadline.unwrap();
    world.give(&Event { at: deadline, kind: EventKind::DeadlinePassed });
    assert_eq!(world.pending(), ["alert:stuck"]);
}

#[test]
fn a_run_that_found_no_room_is_stopped_at_once() {
    let mut world = world_in(Phase::Starting);
    world.give(&postponed(1, CommandId::start()));
    world.give(&stop(2, None));
    assert_eq!(world.run().phase, Phase::Stopped);
    assert!(world.pending().is_empty());
}

#[test]
fn a_start_that_finds_no_room_waits_longer_each_time_and_is_not_lost() {
    let mut world = world_in(Phase::Starting);
    let mut now = at(1);
    for attempt in 1..20_u32 {
        world.give(&Event { at: now, ..postponed(0, CommandId::start()) });
        let pending = world.run().outbox[0].clone();
        assert_eq!(pending.attempts, attempt);
        let Pending::Waiting { until } = pending.state else { panic!("it does not wait") };
        assert!(world.run().unclaimed(now).all(|free| free.id != pending.id));
        assert!(world.run().unclaimed(until).any(|free| free.id == pending.id));
        assert!(world.run().due(SignedDuration::from_mins(15)).is_some_and(|due| due <= until));
        // Whoever claims it tries again.
        let run = world.run.as_mut().unwrap();
        run.outbox[0].state = Pending::Claimed { until };
        now = until;
    }
    let waits = |world: &World| world.run().facts.iter().filter(|fact| fact.what.contains("waits for room")).count();
    assert_eq!(waits(&world), 1, "the reason is told once");
}

#[test]
fn a_run_is_late_once_and_still_goes_on() {
    let mut world = world_in(Phase::Running);
    let deadline = world.run().deadline.unwrap();
    let passed = |at| Event { at, kind: EventKind::DeadlinePassed };
    assert_eq!(world.give(&passed(at(100))).outcome, Outcome::Ignored, "too early");
    for _ in 0..3 {
        world.give(&passed(deadline));
    }
    let alerts: Vec<_> =
        world.run().outbox.iter().filter(|pending| matches!(pending.command, Command::Alert(_))).collect();
    assert_eq!(alerts.len(), 1);
    assert_eq!(world.run().phase, Phase::Running);
    let mut ended = world_in(Phase::Failed);
    assert_eq!(ended.give(&passed(deadline)).outcome, Outcome::Ignored);
}

#[test]
fn a_firing_that_comes_after_it_was_given_up_begins_after_all() {
    let mut world = World::after(&[missed(0)]);
    assert_eq!(world.run().phase, Phase::Missed);
    assert_eq!(world.pending(), ["alert:schedule_missed"]);
    let mut event = requested("v1", ApprovalMode::Automatic);
    event.at = at(30);
    if let EventKind::Requested { trigger, .. } = &mut event.kind {
        *trigger = world.run().trigger.clone();
    }
    world.give(&event);
    assert_eq!(world.run().phase, Phase::Starting);
    assert!(world.pending().contains(&"start".to_owned()));
}

#[test]
fn data_that_does_not_come_is_an_alert_of_its_own() {
    let mut event = missed(0);
    if let EventKind::Missed { trigger, reason, .. } = &mut event.kind {
        *trigger = Trigger::Expected { due: at(0) };
        *reason = "no data came".into();
    }
    let world = World::after(&[event]);
    let Command::Alert(alert) = &world.run().outbox[0].command else { panic!("no alert") };
    assert_eq!((alert.cause, alert.cause.severity()), (Cause::NoData, "warning"));
}

#[test]
fn a_failure_that_the_sweep_finds_before_its_event_comes_is_one_alert() {
    let mut world = world_in(Phase::Running);
    world.give(&status(10, ExecutionStatus::Failed));
    world.give(&status(12, ExecutionStatus::Failed));
    world.give(&status(9, ExecutionStatus::Failed));
    let alerts = world.pending().into_iter().filter(|id| id.starts_with("alert:failed"));
    assert_eq!(alerts.count(), 1);
    // A person retries it, and it fails again: that is another cause.
    world.give(&status(20, ExecutionStatus::Executing));
    world.give(&status(30, ExecutionStatus::Failed));
    let alerts = world.pending().into_iter().filter(|id| id.starts_with("alert:failed"));
    assert_eq!(alerts.count(), 2);
}

#[test]
fn the_sweep_looks_at_what_is_not_done_and_at_nothing_else() {
    let silence = SignedDuration::from_mins(15);
    for phase in Phase::ALL {
        let mut world = world_in(phase);
        let run = world.run.as_mut().unwrap();
        run.outbox.clear();
        assert_eq!(run.due(silence).is_none(), phase.is_end(), "{phase}");
        if let Some(due) = run.due(silence) {
            assert!(due > run.created, "{phase}");
        }
    }
}

proptest! {
    #[test]
    fn waits_are_between_half_and_one_and_a_half_of_their_step(seed: u64, attempts in 1_u32..40) {
        let run = RunId::manual(&seed.to_string());
        let wait = patience(&run, &CommandId::start(), attempts).as_secs_f64();
        let step = (30.0 * 2_f64.powi(i32::try_from(attempts - 1).unwrap())).min(900.0);
        prop_assert!(wait >= step * 0.5 - 0.001 && wait <= step * 1.5 + 0.001, "{} of {}", wait, step);
        prop_assert_eq!(patience(&run, &CommandId::start(), attempts).as_secs_f64(), wait);
    }
}
