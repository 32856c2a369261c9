//! Laws of `decide` over whatever sequence of events: repetition, order, ends, the queue, the due time, the JSON.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, unreachable_pub, dead_code)]

#[path = "model/fixtures.rs"]
mod fixtures;

use std::collections::BTreeMap;

use jiff::SignedDuration;
use proptest::prelude::*;
use statemachine::queue::Concurrency;
use statemachine::run::{
    Approval, ApprovalMode, Command, CommandId, EndpointStatus, ExecutionStatus, Failure, Message, Outcome, Pending,
    Phase, Stop,
};
use statemachine::{Around, Endpoint, Event, EventKind, Queue, Run, RunId, decide};

use fixtures::{Kind, at, evaluation, id, object, package, requested};

/// Three runs that share a queue and an endpoint.
const RUNS: u8 = 3;

#[derive(Clone, Debug, PartialEq)]
struct World {
    kind: Kind,
    runs: BTreeMap<u8, Run>,
    around: Around,
}

impl World {
    fn new(kind: Kind) -> Self {
        let around = Around { endpoint: Endpoint::new("p"), queue: Queue::new("p") };
        Self { kind, runs: BTreeMap::new(), around }
    }

    /// Reads what the event concerns and nothing else, as the handlers do.
    fn give(&mut self, number: u8, event: &Event) -> bool {
        let run = self.runs.get(&number);
        let mut around = Around::default();
        let spec = fixtures::spec(self.kind);
        if run.is_some() && event.kind.concerns_endpoint() {
            around.endpoint = self.around.endpoint.clone();
        }
        if spec.has_queue() && event.kind.concerns_queue() {
            around.queue = self.around.queue.clone();
        }
        let Outcome::Changed { run, endpoint, queue, .. } = decide(run, &around, event).outcome else { return false };
        assert_eq!(run.id, id(number));
        self.runs.insert(number, *run);
        self.around.endpoint = endpoint.unwrap_or(std::mem::take(&mut self.around.endpoint));
        self.around.queue = queue.unwrap_or(std::mem::take(&mut self.around.queue));
        true
    }

    /// One of the run's commands that may be answered so.
    fn pending(&self, number: u8, choice: usize, fits: fn(&Command) -> bool) -> CommandId {
        let pending = self.runs.get(&number).into_iter().flat_map(|run| &run.outbox);
        let pending: Vec<_> = pending.filter(|pending| fits(&pending.command)).collect();
        match pending.len() {
            0 => CommandId::alert("none"),
            length => pending[choice % length].id.clone(),
        }
    }

    /// Whether the intake takes an execution's event for this run's: it knows it, or may have asked for it.
    fn may_have_an_execution(&self, number: u8) -> bool {
        self.runs.get(&number).is_none_or(|run| {
            run.execution.is_some() || run.has_pending(&CommandId::start()) || run.phase == Phase::Starting
        })
    }

    fn event(&self, number: u8, what: &What) -> Event {
        let foreign = matches!(what, What::Started(_) | What::Execution(..)) && !self.may_have_an_execution(number);
        if foreign {
            return self.event(number, &What::Swept(0));
        }
        let execution_arn = format!("execution/{number}");
        let second = |second: i64, kind: EventKind| Event { at: at(100 + second), kind };
        match what {
            What::Request => requested(self.kind, number),
            What::Started(time) => second(*time, EventKind::ExecutionStarted { execution_arn }),
            What::Execution(time, status) => {
                let failure = (*status == ExecutionStatus::Failed).then(|| Failure { step: None, reason: "no".into() });
                second(*time, EventKind::ExecutionChanged { execution_arn, status: *status, failure })
            }
            What::Evaluated(time, good) => second(*time, EventKind::Evaluated(Box::new(evaluation(*good)))),
            What::Registered(time) => second(*time, EventKind::Registered { package: package(number) }),
            What::Approval(time, yes) => {
                let approval = if *yes { Approval::Approved } else { Approval::Rejected };
                second(*time, EventKind::ApprovalChanged { approval, package: package(number) })
            }
            What::Endpoint(time, status, whose) => {
                let config = format!("p-{}", id(*whose));
                second(*time, EventKind::EndpointChanged { status: *status, config, reason: None })
            }
            What::Object(time, which) => second(*time, EventKind::ObjectArrived { object: object(*which) }),
            What::BatchDue(time) => second(*time, EventKind::BatchDue),
            What::SlotFree(time) => second(*time, EventKind::SlotFree),
            What::Stop(time, by) => {
                let by = by.filter(|by| *by != number).map(id);
                second(*time, EventKind::StopRequested(Stop { reason: "no".into(), by }))
            }
            What::Postponed(time) => second(
                *time,
                EventKind::Postponed {
                    command: self.pending(number, 0, |command| !matches!(command, Command::Tell { .. })),
                    reason: "no room".into(),
                },
            ),
            What::Deadline(time) => second(*time, EventKind::DeadlinePassed),
            What::Swept(time) => second(*time, EventKind::Swept),
            What::YourTurn(time) => second(*time, EventKind::YourTurn),
            What::Superseded(time, by) => second(*time, EventKind::Superseded { by: id(*by) }),
            What::Done(time, choice) => {
                second(*time, EventKind::Done { command: self.pending(number, *choice, is_done_without_telling) })
            }
            What::Failed(time, choice) => {
                let command = self.pending(number, *choice, |command| !matches!(command, Command::Tell { .. }));
                second(*time, EventKind::CommandFailed { command, reason: "no".into() })
            }
        }
    }

    fn after(kind: Kind, steps: &[(u8, What)]) -> Self {
        let mut world = Self::new(kind);
        for (number, what) in steps {
            let event = world.event(*number, what);
            world.give(*number, &event);
        }
        world
    }
}

/// An event, of which the world at hand fills in the rest. With it goes a time.
#[derive(Clone, Debug)]
enum What {
    Request,
    Started(i64),
    Execution(i64, ExecutionStatus),
    Evaluated(i64, bool),
    Registered(i64),
    Approval(i64, bool),
    Endpoint(i64, EndpointStatus, u8),
    Object(i64, u8),
    BatchDue(i64),
    SlotFree(i64),
    Stop(i64, Option<u8>),
    Postponed(i64),
    Deadline(i64),
    Swept(i64),
    YourTurn(i64),
    Superseded(i64, u8),
    Done(i64, usize),
    Failed(i64, usize),
}

fn kinds() -> impl Strategy<Value = Kind> {
    let concurrency = prop::sample::select(vec![
        Concurrency::Unlimited,
        Concurrency::Wait { at_most: 1 },
        Concurrency::Wait { at_most: 2 },
        Concurrency::Skip,
        Concurrency::Replace,
    ]);
    let deploys = prop::sample::select(vec![None, Some(ApprovalMode::Automatic), Some(ApprovalMode::Manual)]);
    (concurrency, any::<bool>(), deploys).prop_map(|(concurrency, collects, deploys)| Kind {
        concurrency,
        collects,
        deploys,
    })
}

fn what() -> impl Strategy<Value = What> {
    // Some are later than the deadline of a day.
    let time = || prop_oneof![4 => 0i64..400, 1 => Just(100_000i64)];
    let statuses = prop::sample::select(ExecutionStatus::ALL.to_vec());
    let endpoints = prop::sample::select(vec![
        EndpointStatus::InTransition,
        EndpointStatus::InService,
        EndpointStatus::Failed,
        EndpointStatus::Deleted,
    ]);
    prop_oneof![
        5 => Just(What::Request),
        2 => time().prop_map(What::Started),
        6 => (time(), statuses).prop_map(|(time, status)| What::Execution(time, status)),
        3 => (time(), prop::bool::weighted(0.8)).prop_map(|(time, good)| What::Evaluated(time, good)),
        3 => time().prop_map(What::Registered),
        2 => (time(), any::<bool>()).prop_map(|(time, yes)| What::Approval(time, yes)),
        4 => (time(), endpoints, 0..RUNS).prop_map(|(time, status, whose)| What::Endpoint(time, status, whose)),
        2 => (time(), 0..RUNS + 2).prop_map(|(time, which)| What::Object(time, which)),
        3 => time().prop_map(What::BatchDue),
        3 => time().prop_map(What::SlotFree),
        1 => (time(), prop::option::of(0..RUNS)).prop_map(|(time, by)| What::Stop(time, by)),
        1 => time().prop_map(What::Postponed),
        1 => time().prop_map(What::Deadline),
        1 => time().prop_map(What::Swept),
        2 => time().prop_map(What::YourTurn),
        1 => (time(), 0..RUNS).prop_map(|(time, by)| What::Superseded(time, by)),
        4 => (time(), any::<usize>()).prop_map(|(time, choice)| What::Done(time, choice)),
        1 => (time(), any::<usize>()).prop_map(|(time, choice)| What::Failed(time, choice)),
    ]
}

fn steps(length: std::ops::Range<usize>) -> impl Strategy<Value = Vec<(u8, What)>> {
    prop::collection::vec((0..RUNS, what()), length)
}

/// The others are answered by an event that tells more, or were carried out by giving another run an event.
fn is_done_without_telling(command: &Command) -> bool {
    matches!(command, Command::Deploy { .. } | Command::Stop { .. } | Command::Wake { .. } | Command::Alert(_))
}

/// What the outside does with a command that is carried out for the last time: it answers, well.
fn answer(world: &mut World, number: u8, id_of: &CommandId, command: &Command, second: i64) {
    let event = |kind| Event { at: at(second), kind };
    let kind = match command {
        Command::Start { .. } => EventKind::ExecutionStarted { execution_arn: format!("execution/{number}") },
        Command::Evaluate { .. } => EventKind::Evaluated(Box::new(evaluation(true))),
        Command::Register { .. } => EventKind::Registered { package: package(number) },
        Command::Deploy { .. } => {
            world.give(number, &event(EventKind::Done { command: id_of.clone() }));
            let config = format!("p-{}", id(number));
            EventKind::EndpointChanged { status: EndpointStatus::InService, config, reason: None }
        }
        Command::Stop { execution_arn, .. } => {
            world.give(number, &event(EventKind::Done { command: id_of.clone() }));
            let execution_arn = execution_arn.clone();
            EventKind::ExecutionChanged { execution_arn, status: ExecutionStatus::Stopped, failure: None }
        }
        Command::Tell { run, message } => {
            let kind = match message {
                Message::YourTurn => EventKind::YourTurn,
                Message::Superseded { by } => EventKind::Superseded { by: by.clone() },
                Message::SlotFree => EventKind::SlotFree,
                Message::Replaced { by } => {
                    EventKind::StopRequested(Stop { reason: "replaced".into(), by: Some(by.clone()) })
                }
            };
            if let Some(other) = (0..RUNS).find(|other| id(*other) == *run) {
                world.give(other, &event(kind));
            }
            EventKind::Done { command: id_of.clone() }
        }
        Command::Wake { .. } | Command::Alert(_) => EventKind::Done { command: id_of.clone() },
    };
    world.give(number, &event(kind));
}

/// What the sweep would ask about the run, and AWS, where all goes well, would answer.
fn sweep(world: &mut World, number: u8, second: i64) {
    let run = world.runs[&number].clone();
    let kind = match run.phase {
        Phase::Batching => EventKind::BatchDue,
        Phase::Queued => EventKind::SlotFree,
        Phase::AwaitingTurn => EventKind::YourTurn,
        Phase::Starting | Phase::Running => {
            let Some(execution) = run.execution else { return };
            let stopped = run.stop.is_some();
            let status = if stopped { ExecutionStatus::Stopped } else { ExecutionStatus::Succeeded };
            // The sweep tells only what is news.
            if execution.status == status {
                return;
            }
            EventKind::ExecutionChanged { execution_arn: execution.arn, status, failure: None }
        }
        Phase::AwaitingApproval => {
            EventKind::ApprovalChanged { approval: Approval::Approved, package: run.package.unwrap_or_default() }
        }
        Phase::Deploying if !run.has_pending(&CommandId::deploy()) => EventKind::EndpointChanged {
            status: EndpointStatus::InService,
            config: format!("p-{}", id(number)),
            reason: None,
        },
        _ => return,
    };
    world.give(number, &Event { at: at(second), kind });
}

fn active_by_phase(world: &World) -> Vec<RunId> {
    let mut ids: Vec<_> =
        world.runs.values().filter(|run| run.phase.takes_a_place()).map(|run| run.id.clone()).collect();
    ids.sort();
    ids
}

fn same_after_json<T: serde::Serialize + serde::de::DeserializeOwned>(value: &T) -> T {
    serde_json::from_str(&serde_json::to_string(value).unwrap()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_event_twice_equals_once(
        kind in kinds(), steps in steps(0..40), number in 0..RUNS, what in what(),
    ) {
        let mut world = World::after(kind, &steps);
        let event = world.event(number, &what);
        world.give(number, &event);
        let once = world.clone();
        world.give(number, &event);
        prop_assert_eq!(once, world, "{}", event.kind.name());
    }

    /// Of one execution that ends once: SageMaker's events in any order, some of them twice.
    #[test]
    fn any_order_of_the_events_of_an_execution_ends_in_the_same_place(
        kind in kinds(),
        end in prop::sample::select(
            vec![ExecutionStatus::Succeeded, ExecutionStatus::Failed, ExecutionStatus::Stopped]),
        order in Just(vec![0usize, 1, 2, 3, 0, 2, 3]).prop_shuffle(),
        good in any::<bool>(),
    ) {
        let kind = Kind { collects: false, ..kind };
        let events = [
            What::Started(5),
            What::Execution(1, ExecutionStatus::Executing),
            What::Execution(30, end),
            What::Execution(20, ExecutionStatus::Stopping),
        ];
        let place = |order: &[usize]| {
            let mut world = World::after(kind, &[(0, What::Request)]);
            for index in order {
                let event = world.event(0, &events[*index]);
                world.give(0, &event);
            }
            let event = world.event(0, &What::Evaluated(40, good));
            world.give(0, &event);
            let run = world.runs[&0].clone();
            (run.phase, run.execution, run.evaluation, world.around)
        };
        prop_assert_eq!(place(&[0, 1, 2, 3]), place(&order));
    }

    #[test]
    fn every_run_comes_to_an_end_if_all_goes_on_well(kind in kinds(), steps in steps(0..40)) {
        let mut world = World::after(kind, &steps);
        let mut second = 200_000;
        for _ in 0..60 {
            for number in world.runs.keys().copied().collect::<Vec<_>>() {
                while let Some(pending) = world.runs[&number].outbox.first().cloned() {
                    second += 1;
                    answer(&mut world, number, &pending.id, &pending.command, second);
                    prop_assert!(!world.runs[&number].has_pending(&pending.id), "{}", pending.id);
                }
                second += 1;
                sweep(&mut world, number, second);
            }
        }
        for run in world.runs.values() {
            prop_assert!(run.phase.is_end() && run.outbox.is_empty(), "{} {:?}", run.phase, run.outbox);
        }
        prop_assert!(world.around.queue.waiting.is_empty() && world.around.queue.active.is_empty());
        prop_assert!(world.around.queue.batch.is_none());
        prop_assert!(world.around.endpoint.deploying.is_none() && world.around.endpoint.waiting.is_empty());
    }

    #[test]
    fn the_queue_is_true_to_the_phases_of_its_runs(kind in kinds(), steps in steps(0..60)) {
        let mut world = World::new(kind);
        for (number, what) in &steps {
            let event = world.event(*number, what);
            world.give(*number, &event);
            let queue = &world.around.queue;
            let mut active = queue.active.clone();
            active.sort();
            let bounded = kind.concurrency != Concurrency::Unlimited;
            let expected = if bounded { active_by_phase(&world) } else { Vec::new() };
            prop_assert_eq!(active, expected, "after {}", event.kind.name());
            for run in world.runs.values() {
                prop_assert!(!queue.waiting.contains(&run.id) || run.phase == Phase::Queued, "{}", event.kind.name());
                prop_assert_eq!(queue.batch.as_ref() == Some(&run.id), run.phase == Phase::Batching);
            }
        }
    }

    #[test]
    fn one_deployment_at_a_time_and_only_of_what_passed(kind in kinds(), steps in steps(0..60)) {
        let mut world = World::new(kind);
        for (number, what) in &steps {
            let event = world.event(*number, what);
            world.give(*number, &event);
            let deploying: Vec<_> = world.runs.values().filter(|run| run.phase == Phase::Deploying).collect();
            prop_assert!(deploying.len() <= 1);
            let noted = world.around.endpoint.deploying.as_ref().map(|deployment| &deployment.run);
            prop_assert_eq!(deploying.first().map(|run| &run.id), noted);
            for run in deploying {
                prop_assert!(run.gate.as_ref().is_some_and(|gate| gate.passed));
            }
        }
    }

    #[test]
    fn a_run_is_due_unless_it_is_at_an_end_with_nothing_to_do(kind in kinds(), steps in steps(0..40)) {
        let world = World::after(kind, &steps);
        for run in world.runs.values() {
            let done = run.phase.is_end() && run.outbox.is_empty();
            prop_assert_eq!(run.due(SignedDuration::from_secs(900)).is_none(), done, "{}", run.phase);
            // What is due is not seen before its claim has ended.
            let mut claimed = run.clone();
            for pending in &mut claimed.outbox {
                pending.state = Pending::Claimed { until: at(500_000) };
            }
            prop_assert!(claimed.unclaimed(at(499_999)).next().is_none());
            prop_assert_eq!(claimed.unclaimed(at(500_000)).count(), run.outbox.len());
        }
    }

    #[test]
    fn what_the_ledger_stores_reads_back(kind in kinds(), steps in steps(0..40)) {
        let world = World::after(kind, &steps);
        for run in world.runs.values() {
            prop_assert_eq!(&same_after_json(run), run);
        }
        prop_assert_eq!(&same_after_json(&world.around.endpoint), &world.around.endpoint);
        prop_assert_eq!(&same_after_json(&world.around.queue), &world.around.queue);
    }
}
