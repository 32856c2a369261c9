//! The protocol as a model to be checked: what may happen next, and what must hold.

use statemachine::run::{ApprovalMode, Command, CommandId, Pending, Phase};
use statemachine::{Event, EventKind};
use stateright::{Model, Property};

use crate::fixtures::at;
use crate::protocol::Protocol;
use crate::state::{Luck, Message, NOW, Stage, Started, State, Worker};
use crate::worker::is_over;

/// What may happen next.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// A worker takes up a message; `again` keeps one for later.
    Deliver { message: Message, again: bool },
    /// A message is never delivered.
    Lose(Message),
    /// A worker goes a step on.
    Step { worker: usize, luck: Luck },
    /// A worker dies.
    Crash(usize),
    /// A claim, or a wait, is over.
    TimePasses { run: u8, command: CommandId },
    /// The sweep takes up what is free.
    Sweep(u8),
    /// The sweep asks AWS about a run of which nothing was heard.
    Ask(u8),
    /// An execution ends.
    End { execution: u8, status: &'static str },
    /// A rollout ends.
    RolledOut { well: bool },
    /// A person decides.
    Decide { run: u8, yes: bool },
    /// A person stops a run.
    Stop(u8),
    /// A one-off schedule fires.
    Fire { run: u8, second: i64 },
}

impl Protocol {
    /// How the next step of a worker may go: well, and if it is a call, badly too.
    fn lucks(&self, state: &State, worker: &Worker) -> Vec<Luck> {
        let mut lucks = vec![Luck::Well];
        let call = worker.frames.last().filter(|frame| frame.stage == Stage::Drain);
        let Some(pending) = call.and_then(|frame| frame.todo.first()) else { return lucks };
        let command = &pending.value.command;
        if state.left.refusals > 0 && matches!(command, Command::Start { .. }) {
            lucks.push(Luck::NoRoom);
        }
        let essential = matches!(
            command,
            Command::Start { .. } | Command::Evaluate { .. } | Command::Register { .. } | Command::Deploy { .. }
        );
        if state.left.failures > 0 && essential {
            lucks.push(Luck::Never);
        }
        if state.left.unheard > 0 && !matches!(command, Command::Tell { .. }) {
            lucks.push(Luck::Unheard);
        }
        lucks
    }

    fn actions_inside(&self, state: &State, actions: &mut Vec<Action>) {
        let idle = state.workers.iter().any(Worker::is_idle);
        for (number, worker) in state.workers.iter().enumerate().filter(|(_, worker)| !worker.is_idle()) {
            let lucks = self.lucks(state, worker);
            actions.extend(lucks.into_iter().map(|luck| Action::Step { worker: number, luck }));
            if state.left.crashes > 0 {
                actions.push(Action::Crash(number));
            }
        }
        let mut messages = state.inbox.clone();
        messages.dedup();
        for message in messages {
            if idle {
                actions.push(Action::Deliver { message, again: false });
                if state.left.duplicates > 0 {
                    actions.push(Action::Deliver { message, again: true });
                }
            }
            // That an arrival or a person's wish is lost before it is taken up is not ours to mend.
            if state.left.losses > 0 && !matches!(message, Message::Object(_) | Message::StopRun(_)) {
                actions.push(Action::Lose(message));
            }
        }
        for (run, command, pending) in Self::pending(state) {
            let over = match pending {
                Pending::Unclaimed => false,
                Pending::Waiting { until } => until > at(NOW),
                Pending::Claimed { until } => until > at(NOW) && (state.left.slow > 0 || !state.is_held(run, &command)),
            };
            if over {
                actions.push(Action::TimePasses { run, command });
            }
        }
        if idle {
            let quiet = state.is_quiet();
            for run in state.runs.keys().copied() {
                if state.has_free(run) {
                    actions.push(Action::Sweep(run));
                }
                let timed = state.timers.iter().any(|(timed, _)| *timed == run);
                if (quiet && !timed && self.asking_helps(state, run))
                    || (state.left.asks > 0 && !self.ask(state, run).is_empty())
                {
                    actions.push(Action::Ask(run));
                }
            }
        }
    }

    fn actions_outside(&self, state: &State, actions: &mut Vec<Action>) {
        for (execution, found) in (0..).zip(&state.executions) {
            let ends: &[&'static str] = match found.status {
                "Executing" if self.outcomes.executions_fail => &["Succeeded", "Failed"],
                "Executing" => &["Succeeded"],
                "Stopping" => &["Stopped"],
                _ => &[],
            };
            actions.extend(ends.iter().map(|status| Action::End { execution, status }));
        }
        if state.rollout.next.is_some() {
            actions.push(Action::RolledOut { well: true });
            if self.outcomes.rollouts_fail {
                actions.push(Action::RolledOut { well: false });
            }
        }
        for (run, said) in &state.packages {
            if said.is_none() && state.awaits_approval(*run) {
                actions.push(Action::Decide { run: *run, yes: true });
                if self.outcomes.person_refuses {
                    actions.push(Action::Decide { run: *run, yes: false });
                }
            }
        }
        if state.left.stops > 0 {
            let running = state.runs.iter().filter(|(_, run)| !is_over(&run.value));
            actions.extend(running.map(|(number, _)| Action::Stop(*number)));
        }
        actions.extend(state.timers.iter().map(|(run, second)| Action::Fire { run: *run, second: *second }));
    }
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::new((0..self.size).map(Message::Object).collect(), self.bounds)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.actions_inside(state, actions);
        self.actions_outside(state, actions);
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        let take = |next: &mut State, message: Message| {
            let place = next.inbox.iter().position(|found| *found == message);
            place.map(|place| next.inbox.remove(place))
        };
        match action {
            Action::Step { worker, luck } => return Some(self.step(state, worker, luck)),
            Action::Deliver { message, again } => {
                match again {
                    true => next.left.duplicates -= 1,
                    false => drop(take(&mut next, message)?),
                }
                self.deliver(&mut next, message);
            }
            Action::Lose(message) => {
                next.left.losses -= 1;
                take(&mut next, message)?;
            }
            Action::Crash(worker) => {
                next.left.crashes -= 1;
                let dead = next.workers.get_mut(worker).map(std::mem::take)?;
                dead.message.into_iter().for_each(|message| next.post(message));
            }
            Action::TimePasses { run, command } => {
                if state.is_held(run, &command) {
                    next.left.slow -= 1;
                }
                next.time_passes(run, &command);
            }
            Action::Sweep(run) => {
                let frame = self.give(&next, run, Vec::new(), None, false);
                self.occupy(&mut next, Worker { frames: vec![frame], ..Worker::default() });
            }
            Action::Ask(run) => {
                let events = self.ask(&next, run);
                if !state.is_quiet() || !self.asking_helps(state, run) {
                    next.left.asks -= 1;
                }
                let swept = Event { at: at(NOW), kind: EventKind::Swept };
                let frame = self.give(&next, run, events.into_iter().chain([swept]).collect(), None, false);
                self.occupy(&mut next, Worker { frames: vec![frame], ..Worker::default() });
            }
            Action::End { execution, status } => {
                next.executions.get_mut(usize::from(execution))?.status = status;
                next.post(Message::Status(execution, status));
            }
            Action::RolledOut { well } => {
                let rolled_out = next.rollout.next.take();
                if well {
                    next.rollout.serves = rolled_out;
                }
                next.post(Message::EndpointEvent);
            }
            Action::Decide { run, yes } => {
                next.packages.insert(run, Some(yes));
                next.post(Message::Approval(run, yes));
            }
            Action::Stop(run) => {
                next.left.stops -= 1;
                next.post(Message::StopRun(run));
            }
            Action::Fire { run, second } => {
                next.timers.remove(&(run, second));
                next.post(Message::BatchDue(run, second));
            }
        }
        Some(next.canonical())
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(ONE_EXECUTION, |_, state: &State| {
                (0..).zip(&state.executions).all(|(number, one): (usize, &Started)| {
                    state.executions.iter().skip(number + 1).all(|other| other.run != one.run)
                })
            }),
            Property::always(OURS, |_, state: &State| !state.adopted),
            Property::always(GATED, gated),
            Property::always(ONE_DEPLOYMENT, one_deployment),
            Property::always(TRUE_QUEUE, true_queue),
            Property::always(BOUNDED, |model: &Self, state: &State| {
                let under_way = state.executions.iter().filter(|execution| execution.is_under_way()).count();
                model.kind.concurrency.limit().is_none_or(|limit| under_way <= limit)
            }),
            Property::always(COMES_TO_AN_END, comes_to_an_end),
            Property::always(ALERTED, alerted),
            Property::always(ONE_RUN_FOR_AN_OBJECT, |model: &Self, state: &State| {
                !(state.is_quiet() && state.is_settled()) || model.objects_of(state).values().all(|runs| *runs == 1)
            }),
            Property::always(SERVES_THE_CHAMPION, serves_the_champion),
            // Without these the others could hold for want of anything happening.
            Property::sometimes(QUIET_AT_LAST, |_, state: &State| {
                state.is_quiet() && state.is_settled() && state.runs.values().any(|run| is_over(&run.value))
            }),
        ]
    }
}

pub const ONE_EXECUTION: &str = "a run has one execution";
pub const OURS: &str = "no execution of ours is adopted as someone else's";
pub const GATED: &str = "nothing is rolled out without a passed gate and the approval that is asked for";
pub const ONE_DEPLOYMENT: &str = "one deployment at a time";
pub const TRUE_QUEUE: &str = "the queue holds who starts and runs, who waits and who collects";
pub const BOUNDED: &str = "no more executions than places";
pub const COMES_TO_AN_END: &str = "nobody waits for ever";
pub const ALERTED: &str = "every bad end has its alert";
pub const ONE_RUN_FOR_AN_OBJECT: &str = "an object is in one run";
pub const SERVES_THE_CHAMPION: &str = "the endpoint serves the champion";
pub const QUIET_AT_LAST: &str = "all is done";

fn gated(_: &Protocol, state: &State) -> bool {
    let rolled_out = state.rollout.next.into_iter().chain(state.rollout.serves);
    rolled_out.into_iter().all(|number| {
        state.run(number).is_some_and(|run| {
            let approval = run.spec.deployment.as_ref().map(|deployment| deployment.approval);
            let asked = approval == Some(ApprovalMode::Manual);
            run.gate.as_ref().is_some_and(|gate| gate.passed)
                && (!asked || state.packages.get(&number) == Some(&Some(true)))
        })
    })
}

/// By the ledger, and by SageMaker: what is rolled out is what the ledger says.
fn one_deployment(_: &Protocol, state: &State) -> bool {
    let deploying: Vec<_> = state.runs.values().filter(|run| run.value.phase == Phase::Deploying).collect();
    let noted = state.endpoint.value.deploying.as_ref().map(|deployment| &deployment.run);
    let rolled_out = state.rollout.next.map(crate::fixtures::id);
    deploying.len() <= 1
        && deploying.first().map(|run| &run.value.id) == noted
        && (rolled_out.is_none() || rolled_out.as_ref() == noted)
}

fn true_queue(model: &Protocol, state: &State) -> bool {
    if !model.spec().has_queue() {
        return true;
    }
    let queue = &state.queue.value;
    let with = |fits: fn(Phase) -> bool| {
        let mut ids: Vec<_> =
            state.runs.values().filter(|run| fits(run.value.phase)).map(|run| run.value.id.clone()).collect();
        ids.sort();
        ids
    };
    let sorted = |ids: &[statemachine::RunId]| {
        let mut ids = ids.to_vec();
        ids.sort();
        ids
    };
    let bounded = model.kind.concurrency.limit().is_some();
    (!bounded || sorted(&queue.active) == with(Phase::takes_a_place))
        && with(|phase| phase == Phase::Batching) == Vec::from_iter(queue.batch.clone())
        && queue.waiting.iter().all(|id| with(|phase| phase == Phase::Queued).contains(id))
}

/// Where nothing is under way and nothing will come by itself, every run is at an end, or asking about it helps.
fn comes_to_an_end(model: &Protocol, state: &State) -> bool {
    let open = || state.runs.iter().filter(|(_, run)| !run.value.phase.is_end());
    !(state.is_quiet() && state.is_settled())
        || open().next().is_none()
        || open().any(|(number, _)| model.asking_helps(state, *number))
}

/// Once nobody deploys any more.
fn serves_the_champion(_: &Protocol, state: &State) -> bool {
    let champion = state.endpoint.value.champion.as_ref().map(|champion| champion.run.clone());
    !(state.is_quiet() && state.is_settled())
        || state.runs.values().any(|run| !run.value.phase.is_end())
        || state.rollout.serves.map(crate::fixtures::id) == champion
}

fn alerted(_: &Protocol, state: &State) -> bool {
    !state.is_quiet()
        || state.runs.iter().all(|(number, run)| {
            let cause = match run.value.phase {
                Phase::Failed => "failed",
                Phase::Rejected => "rejected",
                Phase::RolledBack => "rolled_back",
                _ => return true,
            };
            state.alerts.contains(&(*number, cause.to_owned()))
        })
}
