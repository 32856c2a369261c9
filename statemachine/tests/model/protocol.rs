//! The protocol: which pipeline, which faults, and what the outside does.

use std::collections::BTreeMap;

use statemachine::run::{
    Approval, Command, CommandId, EndpointStatus, ExecutionStatus, Failure, Outcome, Pending, PendingCommand, Phase,
    Purpose, RunSpec, Stop,
};
use statemachine::{Around, Endpoint, Event, EventKind, Queue, decide};

use crate::fixtures::{Kind, at, evaluation, id, object, package, requested, spec};
use crate::state::{Bounds, Frame, Kept, Luck, Message, NOW, Rollout, Started, State, Then, Worker};
use crate::worker::Answer;

/// How the end of an execution, of a rollout, or of a gate may be.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outcomes {
    pub executions_fail: bool,
    pub rollouts_fail: bool,
    /// The runs, by number, whose models do not pass the gate.
    pub bad_models: &'static [u8],
    /// Whether a person may refuse.
    pub person_refuses: bool,
}

/// A model of the protocol for one pipeline.
#[derive(Clone, Debug)]
pub struct Protocol {
    pub kind: Kind,
    /// How many objects arrive.
    pub size: u8,
    pub bounds: Bounds,
    pub outcomes: Outcomes,
    /// False: a commit ignores the versions that were read. For a test that expects a counterexample.
    pub fenced: bool,
    /// False: each start makes a new execution. For a test that expects a counterexample.
    pub tokens: bool,
    /// Whether others may come between the reading of a run and of what stands around it.
    pub split_reads: bool,
    spec: RunSpec,
    pub no_endpoint: Kept<Endpoint>,
    pub no_queue: Kept<Queue>,
}

impl Protocol {
    pub fn new(kind: Kind, size: u8, bounds: Bounds) -> Self {
        let outcomes = Outcomes::default();
        let (no_endpoint, no_queue) = (Kept::new(Endpoint::default()), Kept::new(Queue::default()));
        let spec = spec(kind);
        let (fenced, tokens, split_reads) = (true, true, true);
        Self { kind, size, bounds, outcomes, fenced, tokens, split_reads, spec, no_endpoint, no_queue }
    }

    pub fn spec(&self) -> &RunSpec {
        &self.spec
    }

    fn arn(execution: usize) -> String {
        format!("arn:execution/{execution}")
    }

    /// The effects of `handlers/src/effects`.
    pub fn call(&self, state: &mut State, run: u8, pending: &PendingCommand, luck: Luck) -> Answer {
        let (command, reason) = (pending.id.clone(), "no".to_owned());
        match luck {
            Luck::Well => self.carry_out(state, run, pending),
            Luck::NoRoom => {
                state.left.refusals -= 1;
                Answer::Told(EventKind::Postponed { command, reason })
            }
            Luck::Never => {
                state.left.failures -= 1;
                Answer::Told(EventKind::CommandFailed { command, reason })
            }
            Luck::Unheard => {
                state.left.unheard -= 1;
                self.carry_out(state, run, pending);
                Answer::Retry
            }
        }
    }

    fn carry_out(&self, state: &mut State, run: u8, pending: &PendingCommand) -> Answer {
        let done = || Answer::Told(EventKind::Done { command: pending.id.clone() });
        match &pending.command {
            Command::Start { .. } => {
                let known = state.executions.iter().position(|execution| execution.run == run && self.tokens);
                let number = known.unwrap_or_else(|| {
                    state.executions.push(Started { run, status: "Executing" });
                    let number = state.executions.len() - 1;
                    state.post(Message::Status(u8::try_from(number).unwrap(), "Executing"));
                    number
                });
                Answer::Told(EventKind::ExecutionStarted { execution_arn: Self::arn(number) })
            }
            Command::Evaluate { .. } => {
                let good = !self.outcomes.bad_models.contains(&run);
                Answer::Told(EventKind::Evaluated(Box::new(evaluation(good))))
            }
            Command::Register { .. } => {
                state.packages.entry(run).or_insert(None);
                Answer::Told(EventKind::Registered { package: package(run) })
            }
            Command::Deploy { .. } => match state.rollout {
                Rollout { next: Some(next), .. } if next != run => Answer::Retry,
                Rollout { serves, next: None } if serves != Some(run) => {
                    state.rollout.next = Some(run);
                    done()
                }
                _ => done(),
            },
            Command::Stop { execution_arn, .. } => {
                let number = (0..state.executions.len()).find(|number| Self::arn(*number) == *execution_arn);
                if let Some(execution) = number.and_then(|number| state.executions.get_mut(number))
                    && execution.status == "Executing"
                {
                    execution.status = "Stopping";
                }
                done()
            }
            Command::Wake { at: time, purpose: Purpose::Batch } => {
                state.timers.insert((run, time.as_second() - at(0).as_second()));
                done()
            }
            Command::Wake { .. } => done(),
            Command::Alert(alert) => {
                state.alerts.insert((run, alert.cause.name().to_owned()));
                done()
            }
            Command::Tell { .. } => unreachable!("told by the loop"),
        }
    }

    /// What becomes of a message: the intake up to its first step.
    pub fn deliver(&self, state: &mut State, message: Message) {
        let mut worker = Worker { message: Some(message), ..Worker::default() };
        let give = |run: u8, at: jiff::Timestamp, kind: EventKind| {
            self.give(state, run, vec![Event { at, kind }], None, false)
        };
        let frame = match message {
            Message::Object(number) if state.taken.contains_key(&number) => None,
            Message::Object(number) if self.kind.collects => Some(self.collect(state, number)),
            Message::Object(number) => {
                Some(self.give(state, number, vec![requested(self.kind, number)], Some(number), true))
            }
            Message::Status(execution, status) => {
                let run = self.owner(state, usize::from(execution));
                state.adopted |= run.is_none();
                run.map(|run| {
                    let event = execution_event(usize::from(execution), status);
                    self.give(state, run, vec![event], None, false)
                })
            }
            Message::EndpointEvent => {
                let number = |run: &statemachine::RunId| self.number(run);
                let endpoint = &state.endpoint.value;
                worker.then = Some(Then::Look {
                    deploying: endpoint.deploying.as_ref().map(|deployment| number(&deployment.run)),
                    waiting: endpoint.waiting.last().map(number),
                    champion: endpoint.champion.as_ref().map(|champion| number(&champion.run)),
                });
                endpoint.ended.as_ref().map(|ended| self.give(state, number(ended), Vec::new(), None, false))
            }
            Message::Approval(run, yes) => Some(give(run, at(500), approval(run, yes))),
            Message::StopRun(run) => {
                Some(give(run, at(NOW), EventKind::StopRequested(Stop { reason: "no".into(), by: None })))
            }
            Message::BatchDue(run, due) => Some(give(run, at(due), EventKind::BatchDue)),
        };
        worker.frames.extend(frame);
        self.occupy(state, worker);
    }

    /// A worker takes it up, where there is anything to do.
    pub fn occupy(&self, state: &mut State, worker: Worker) {
        if worker.is_idle() {
            return;
        }
        if let Some(idle) = state.workers.iter_mut().find(|worker| worker.is_idle()) {
            *idle = worker;
        }
    }

    /// `Intake::collect`: into the run that collects, or into a new one.
    pub fn collect(&self, state: &State, number: u8) -> Frame {
        let at = at(10 * i64::from(number));
        match &state.queue.value.batch {
            Some(open) => {
                let kind = EventKind::ObjectArrived { object: object(number) };
                self.give(state, self.number(open), vec![Event { at, kind }], Some(number), false)
            }
            None => self.give(state, number, vec![requested(self.kind, number)], Some(number), true),
        }
    }

    /// `Intake::run_of`: by the display name, else by the ledger's note of whose the execution is.
    fn owner(&self, state: &State, execution: usize) -> Option<u8> {
        let arn = Self::arn(execution);
        let named = state.executions.get(execution)?.run;
        let run = state.run(named)?;
        let ours = match &run.execution {
            Some(known) => known.arn == arn,
            None => run.has_pending(&CommandId::start()) || run.stop.is_some() || run.phase == Phase::Failed,
        };
        ours.then_some(named)
    }

    /// What DescribeEndpoint tells.
    pub fn endpoint_event(&self, state: &State, rolled_out: Option<u8>, not_asked_yet: bool) -> Event {
        let name = |run: u8| format!("p-{}", id(run));
        let (status, config) = match state.rollout {
            Rollout { next: Some(next), .. } => (EndpointStatus::InTransition, name(next)),
            Rollout { serves: Some(serves), .. } => (EndpointStatus::InService, name(serves)),
            Rollout { .. } => (EndpointStatus::Failed, "none".to_owned()),
        };
        let ours = status == EndpointStatus::InService && rolled_out.is_some_and(|run| name(run) == config);
        let status = if not_asked_yet && !ours { EndpointStatus::InTransition } else { status };
        Event { at: at(600), kind: EventKind::EndpointChanged { status, config, reason: None } }
    }

    /// `Intake::ask`: what AWS, asked about a silent run, tells.
    pub fn ask(&self, state: &State, number: u8) -> Vec<Event> {
        let Some(run) = state.run(number) else { return Vec::new() };
        let now = |kind| vec![Event { at: at(NOW), kind }];
        match run.phase {
            Phase::Batching => now(EventKind::BatchDue),
            Phase::Queued => now(EventKind::SlotFree),
            Phase::AwaitingTurn => now(EventKind::YourTurn),
            Phase::Starting | Phase::Running => {
                let Some(known) = &run.execution else { return Vec::new() };
                let execution = (0..state.executions.len()).find(|execution| Self::arn(*execution) == known.arn);
                let status = execution.and_then(|execution| state.executions.get(execution)).map(|found| found.status);
                match (execution, status) {
                    (Some(execution), Some(status)) if status != known.status.as_str() => {
                        vec![execution_event(execution, status)]
                    }
                    _ => Vec::new(),
                }
            }
            Phase::AwaitingApproval => match state.packages.get(&number) {
                Some(Some(yes)) => vec![Event { at: at(500), kind: approval(number, *yes) }],
                _ => Vec::new(),
            },
            Phase::Deploying if !run.has_pending(&CommandId::deploy()) => {
                vec![self.endpoint_event(state, Some(number), false)]
            }
            _ => Vec::new(),
        }
    }

    /// Whether asking about the run brings it on.
    pub fn asking_helps(&self, state: &State, number: u8) -> bool {
        let around = Around { endpoint: (*state.endpoint.value).clone(), queue: (*state.queue.value).clone() };
        let helps = |event: &Event| {
            let decision = decide(state.run(number), &around, event);
            matches!(decision.outcome, Outcome::Changed { .. })
        };
        self.ask(state, number).iter().any(helps)
    }

    /// The pipeline's runs and objects, counted.
    pub fn objects_of(&self, state: &State) -> BTreeMap<u8, usize> {
        let reads = |number: u8| {
            state.runs.values().filter(move |run| run.value.inputs.objects.contains(&object(number))).count()
        };
        (0..self.size).map(|number| (number, reads(number))).collect()
    }

    /// Every run's commands that are not done.
    pub fn pending(state: &State) -> Vec<(u8, CommandId, Pending)> {
        let runs = state.runs.iter();
        runs.flat_map(|(number, run)| run.value.outbox.iter().map(|it| (*number, it.id.clone(), it.state))).collect()
    }
}

fn approval(run: u8, yes: bool) -> EventKind {
    let approval = if yes { Approval::Approved } else { Approval::Rejected };
    EventKind::ApprovalChanged { approval, package: package(run) }
}

fn execution_event(execution: usize, word: &str) -> Event {
    let status = ExecutionStatus::parse(word).unwrap();
    let second = match status {
        ExecutionStatus::Executing => 100,
        ExecutionStatus::Stopping => 101,
        _ => 110,
    };
    let failure = (status == ExecutionStatus::Failed).then(|| Failure { step: None, reason: "no".into() });
    let execution_arn = Protocol::arn(execution);
    Event { at: at(second), kind: EventKind::ExecutionChanged { execution_arn, status, failure } }
}
