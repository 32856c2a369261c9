//! What a worker does in one step: the loop of `handlers/src/drive.rs`.
//!
//! A step ends where another worker, the outside or a crash may come between: before each commit, before each call. The
//! first read of a loop is one step with what comes before it: reading earlier than that only loses more races.

use statemachine::run::{CommandId, Message as Telling, Outcome, PendingCommand, Phase, Stop};
use statemachine::{Around, Event, EventKind, Run, RunId, decide};

use crate::fixtures::{at, id};
use crate::protocol::Protocol;
use crate::state::{Frame, Kept, Luck, NOW, Read, Stage, State, Then, Worker};

/// What came of a call.
pub enum Answer {
    Told(EventKind),
    Retry,
}

impl Protocol {
    /// A loop over a run's events, after its first read.
    pub fn give(&self, state: &State, run: u8, events: Vec<Event>, object: Option<u8>, fresh: bool) -> Frame {
        let frame = Frame {
            run,
            events: events.into_iter().map(Kept::new).collect(),
            object,
            settled: None,
            stage: Stage::Drain,
            todo: Vec::new(),
            doing: None,
        };
        self.read(state, frame, fresh)
    }

    /// A `fresh` run is most likely new: its first commit is tried without reading it.
    fn read(&self, state: &State, mut frame: Frame, fresh: bool) -> Frame {
        let value = if fresh { None } else { state.runs.get(&frame.run).cloned() };
        // Without reading, the fence is that there is no such run.
        let stale = fresh && self.fenced && state.runs.contains_key(&frame.run);
        let run = Read { value, stale };
        frame.stage = match self.split_reads && self.reads_around(&run, &frame) {
            true => Stage::Around { run },
            false => self.read_around(state, run, &frame),
        };
        frame
    }

    fn reads_around(&self, run: &Read<Option<Kept<Run>>>, frame: &Frame) -> bool {
        let spec = self.spec();
        let endpoint = run.value.is_some() && spec.deployment.is_some();
        frame.events.iter().any(|event| {
            let kind = &event.value.kind;
            (kind.concerns_endpoint() && endpoint) || (kind.concerns_queue() && spec.has_queue())
        })
    }

    /// What the events do not concern is read as empty, as in `Drive::around`.
    fn read_around(&self, state: &State, run: Read<Option<Kept<Run>>>, frame: &Frame) -> Stage {
        let spec = self.spec();
        let any = |concerns: fn(&EventKind) -> bool| frame.events.iter().any(|event| concerns(&event.value.kind));
        let endpoint = any(EventKind::concerns_endpoint) && run.value.is_some() && spec.deployment.is_some();
        let queue = any(EventKind::concerns_queue) && spec.has_queue();
        Stage::Commit {
            run,
            endpoint: Read::fresh(if endpoint { state.endpoint.clone() } else { self.no_endpoint.clone() }),
            queue: Read::fresh(if queue { state.queue.clone() } else { self.no_queue.clone() }),
        }
    }

    /// One step of a worker; `luck` is how the call goes that it makes, if it makes one.
    pub fn step(&self, state: &State, number: usize, luck: Luck) -> State {
        let mut next = state.clone();
        let mut worker = std::mem::take(&mut next.workers[number]);
        match worker.frames.pop() {
            None => self.go_on(&next, &mut worker),
            Some(mut frame) => match frame.stage.clone() {
                Stage::Around { run } => {
                    frame.stage = self.read_around(&next, run, &frame);
                    worker.frames.push(frame);
                }
                Stage::Commit { run, endpoint, queue } => {
                    self.commit(&mut next, &mut worker, frame, (run, endpoint, queue));
                }
                Stage::Drain => self.carry_out_next(&mut next, &mut worker, frame, luck),
                Stage::LetGo(pending) => {
                    let_go(&mut next, &mut worker, frame.run, &pending.value.id);
                    frame.stage = Stage::Drain;
                    worker.failed = true;
                    worker.frames.push(frame);
                }
                Stage::Telling(_) => unreachable!("a loop above it tells"),
            },
        }
        self.wind_up(&mut next, &mut worker);
        next.workers[number] = worker;
        next.canonical()
    }

    fn commit(
        &self,
        state: &mut State,
        worker: &mut Worker,
        mut frame: Frame,
        read: (Read<Option<Kept<Run>>>, Read<Kept<statemachine::Endpoint>>, Read<Kept<statemachine::Queue>>),
    ) {
        let (run, endpoint, queue) = read;
        let before = Around { endpoint: (*endpoint.value.value).clone(), queue: (*queue.value.value).clone() };
        let mut around = before.clone();
        let mut now = run.value.as_ref().map(|run| (*run.value).clone());
        let mut changed = false;
        for event in &frame.events {
            let decision = decide(now.as_ref(), &around, &event.value);
            if let Outcome::Changed { run, endpoint, queue, .. } = decision.outcome {
                now = Some(*run);
                around.endpoint = endpoint.unwrap_or(around.endpoint);
                around.queue = queue.unwrap_or(around.queue);
                changed = true;
            }
        }
        let settled = frame.settled.or(Some(changed));
        let Some(mut now) = now else {
            frame.settled = settled;
            frame.stage = Stage::Drain;
            frame.todo.clear();
            return worker.frames.push(frame);
        };
        project(&mut now);
        let ours = claim(&mut now);
        if changed || !ours.is_empty() {
            let (writes_endpoint, writes_queue) = (around.endpoint != before.endpoint, around.queue != before.queue);
            let object = frame.object.filter(|_| changed && frame.doing.is_none());
            let taker = object.and_then(|object| state.taken.get(&object));
            let lost =
                self.fenced && (run.stale || (writes_endpoint && endpoint.stale) || (writes_queue && queue.stale));
            if taker.is_some_and(|taker| *taker != frame.run) && !run.stale {
                // The object is another run's; nothing is stored, and nothing is left to do.
                return;
            }
            if lost {
                return worker.frames.push(self.read(state, frame, false));
            }
            self.store(state, worker, frame.run, &now);
            if writes_endpoint {
                state.endpoint = Kept::new(around.endpoint);
            }
            if writes_queue {
                state.queue = Kept::new(around.queue);
            }
            self.age(state, worker, writes_endpoint, writes_queue);
            if let Some(object) = object {
                state.taken.insert(object, frame.run);
            }
        }
        let had = |pending: &&PendingCommand| {
            frame.todo.iter().any(|todo| todo.value.id == pending.id) || ours.contains(&pending.id)
        };
        frame.todo = now.outbox.iter().filter(had).cloned().map(Kept::new).collect();
        frame.settled = settled;
        frame.doing = None;
        frame.events.clear();
        frame.stage = Stage::Drain;
        worker.frames.push(frame);
    }

    /// Writes a run; whoever has read it before has an old version.
    fn store(&self, state: &mut State, worker: &mut Worker, number: u8, run: &Run) {
        state.runs.insert(number, Kept::new(run.clone()));
        if !self.fenced {
            return;
        }
        let others = state.workers.iter_mut().chain([worker]).flat_map(|worker| &mut worker.frames);
        for frame in others.filter(|frame| frame.run == number) {
            if let Stage::Around { run } | Stage::Commit { run, .. } = &mut frame.stage {
                run.stale = true;
            }
        }
    }

    fn age(&self, state: &mut State, worker: &mut Worker, endpoint_written: bool, queue_written: bool) {
        for frame in state.workers.iter_mut().chain([worker]).flat_map(|worker| &mut worker.frames) {
            if let Stage::Commit { endpoint, queue, .. } = &mut frame.stage {
                // An empty one that was never read is never written.
                endpoint.stale |= endpoint_written && endpoint.value != self.no_endpoint;
                queue.stale |= queue_written && queue.value != self.no_queue;
            }
        }
    }

    fn carry_out_next(&self, state: &mut State, worker: &mut Worker, mut frame: Frame, luck: Luck) {
        let pending = frame.todo.remove(0);
        if let statemachine::run::Command::Tell { run: other, message } = &pending.value.command {
            let kind = match message {
                Telling::YourTurn => EventKind::YourTurn,
                Telling::Superseded { by } => EventKind::Superseded { by: by.clone() },
                Telling::SlotFree => EventKind::SlotFree,
                Telling::Replaced { by } => {
                    EventKind::StopRequested(Stop { reason: "replaced".into(), by: Some(by.clone()) })
                }
            };
            let other = self.number(other);
            frame.stage = Stage::Telling(pending);
            worker.frames.push(frame);
            let inner = self.give(state, other, vec![Event { at: at(NOW), kind }], None, false);
            return worker.frames.push(inner);
        }
        match self.call(state, frame.run, &pending.value, luck) {
            Answer::Told(kind) => worker.frames.push(self.answered(state, frame, pending, kind)),
            Answer::Retry => {
                frame.stage = Stage::LetGo(pending);
                worker.frames.push(frame);
            }
        }
    }

    fn answered(&self, state: &State, mut frame: Frame, pending: Kept<PendingCommand>, kind: EventKind) -> Frame {
        frame.events = vec![Kept::new(Event { at: at(NOW), kind })];
        frame.doing = Some(pending);
        self.read(state, frame, false)
    }

    /// Leaves the loops that are done, up to the next step of one that is not.
    fn wind_up(&self, state: &mut State, worker: &mut Worker) {
        while let Some(frame) = worker.frames.last() {
            if frame.stage != Stage::Drain || !frame.todo.is_empty() {
                return;
            }
            let Some(frame) = worker.frames.pop() else { return };
            if let Some(object) = frame.object
                && frame.settled == Some(false)
                && !worker.failed
            {
                self.object_was_not_taken(state, worker, object, frame.run);
            }
            if let Some(mut outer) = worker.frames.pop() {
                if let Stage::Telling(pending) = outer.stage.clone() {
                    if worker.failed {
                        outer.stage = Stage::LetGo(pending);
                    } else {
                        let done = EventKind::Done { command: pending.value.id.clone() };
                        outer = self.answered(state, outer, pending, done);
                    }
                }
                worker.frames.push(outer);
            }
        }
        if worker.then.is_none() || worker.failed {
            let done = std::mem::take(worker);
            if let (true, Some(message)) = (done.failed, done.message) {
                state.post(message);
            }
        }
    }

    /// The rest of `Intake::endpoint_status`.
    fn go_on(&self, state: &State, worker: &mut Worker) {
        match worker.then.take() {
            Some(Then::Look { deploying: None, waiting: Some(next), .. }) => {
                let event = Event { at: at(NOW), kind: EventKind::YourTurn };
                worker.frames.push(self.give(state, next, vec![event], None, false));
            }
            Some(Then::Look { deploying, champion, .. }) => {
                let Some(run) = deploying.or(champion) else { return };
                let not_asked_yet = state.run(run).is_some_and(|run| run.has_pending(&CommandId::deploy()));
                worker.then = Some(Then::View { run, rolled_out: deploying, not_asked_yet });
            }
            Some(Then::View { run, rolled_out, not_asked_yet }) => {
                let event = self.endpoint_event(state, rolled_out, not_asked_yet);
                worker.frames.push(self.give(state, run, vec![event], None, false));
            }
            None => {}
        }
    }

    /// `Intake::note`, after the run did not take the object.
    fn object_was_not_taken(&self, state: &mut State, worker: &mut Worker, object: u8, run: u8) {
        let reads = state.run(run).is_some_and(|run| run.inputs.objects.contains(&crate::fixtures::object(object)));
        if reads {
            state.taken.entry(object).or_insert(run);
        } else if !state.taken.contains_key(&object) {
            worker.frames.push(self.collect(state, object));
        }
    }

    /// By its id.
    pub fn number(&self, run: &RunId) -> u8 {
        (0..self.size).find(|number| id(*number) == *run).unwrap()
    }
}

/// What the model leaves out of a run, since nothing that is decided here depends on it: when it was last heard of (only
/// the sweep's index does), facts other than those of the execution, and the deadline, whose schedule and alert concern
/// no other part of the protocol.
fn project(run: &mut Run) {
    run.heard = None;
    run.facts.retain(|fact| fact.what.starts_with("execution "));
    run.outbox.retain(|pending| !pending.id.to_string().starts_with("wake:deadline"));
}

/// As in `drive.rs`.
fn claim(run: &mut Run) -> Vec<CommandId> {
    let free: Vec<CommandId> = run.unclaimed(at(NOW)).map(|pending| pending.id.clone()).collect();
    for pending in run.outbox.iter_mut().filter(|pending| free.contains(&pending.id)) {
        pending.claim(at(NOW + 40));
    }
    free
}

fn let_go(state: &mut State, worker: &mut Worker, number: u8, id: &CommandId) {
    let Some(stored) = state.runs.get(&number) else { return };
    let mut run = (*stored.value).clone();
    for pending in run.outbox.iter_mut().filter(|pending| pending.id == *id) {
        pending.let_go();
        // Only the wait after a refusal depends on it.
        pending.attempts = 0;
    }
    state.runs.insert(number, Kept::new(run));
    for frame in state.workers.iter_mut().chain([worker]).flat_map(|worker| &mut worker.frames) {
        if let Stage::Around { run } | Stage::Commit { run, .. } = &mut frame.stage
            && frame.run == number
        {
            run.stale = true;
        }
    }
}

/// Whether the run has ended, for those outside of the loop.
pub fn is_over(run: &Run) -> bool {
    run.phase.is_end() && run.phase != Phase::Missed
}
