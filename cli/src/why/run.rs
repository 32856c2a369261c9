//! A run.

use jiff::{SignedDuration, Timestamp};
use statemachine::run::{
    Approval, Command, CommandId, Fact, Failure, Pending, PendingCommand, Phase, Purpose, Run, RunId, Trigger,
};
use statemachine::text::one_line;
use statemachine::{Endpoint, Queue};

use super::{Cause, Criterion, Todo, Why, counted};
use crate::render::time;

/// The longest sentence, in characters.
const LIMIT: usize = 1000;

/// The most facts that are told; `tidegate run` has them all.
const FACTS: usize = 30;

/// The most objects that are named.
const OBJECTS: usize = 5;

/// The fact that the deadline has passed.
const LATE: &str = "not done by its deadline";

/// What stands around a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Around<'a> {
    pub(crate) endpoint: Option<&'a Endpoint>,
    pub(crate) queue: Option<&'a Queue>,
    /// The run of its first replay, where there is one.
    pub(crate) replay: Option<&'a Run>,
    /// How long it may be silent before AWS is asked.
    pub(crate) silence: SignedDuration,
}

/// Why a run stands where it stands.
pub(crate) fn run(run: &Run, around: &Around<'_>, now: Timestamp) -> Why {
    let checks = run.gate.iter().flat_map(|gate| &gate.checks);
    Why {
        about: format!("run {} of pipeline {}", run.id, one_line(&run.spec.pipeline, 256)),
        state: run.phase.words().to_owned(),
        because: one_line(&because(run, around), LIMIT),
        chain: chain(run),
        gate: checks
            .map(|check| Criterion { passed: check.passed, explanation: one_line(&check.explanation, LIMIT) })
            .collect(),
        next: next(run, around, now),
        todo: todo(run, around),
    }
}

fn because(run: &Run, around: &Around<'_>) -> String {
    if let Some(stop) = run.stop.as_ref().filter(|_| !run.phase.is_end()) {
        return match run.phase {
            Phase::Starting => format!("it is to be stopped as soon as its execution is known: {}", stop.reason),
            _ => format!("its execution is being stopped: {}", stop.reason),
        };
    }
    match run.phase {
        Phase::Batching => batching(run),
        Phase::Queued => queued(run, around.queue),
        Phase::Starting => starting(run),
        Phase::Running => match newest(run, |what| what.starts_with("step ")) {
            Some(fact) => format!("SageMaker executes it; the newest of its steps: {}", words(fact)),
            None => "SageMaker executes it; nothing was heard of its steps yet".to_owned(),
        },
        Phase::Evaluating if run.gate.is_some() => "the gate let its model pass, which is being registered".to_owned(),
        Phase::Evaluating => "its execution succeeded, and its evaluation report is being read".to_owned(),
        Phase::AwaitingApproval => {
            "the gate let its model pass, and `pipeline.yaml` asks for a person's approval".to_owned()
        }
        Phase::AwaitingTurn => match around.endpoint.and_then(|endpoint| endpoint.deploying.as_ref()) {
            Some(other) => format!(
                "its model may go live, and waits: that of run {} is being rolled out since {}",
                other.run,
                time::stamp(other.since)
            ),
            None => "its model may go live; it is about to be told that its turn has come".to_owned(),
        },
        Phase::Deploying => format!("its model is being rolled out to endpoint {}", endpoint_of(run)),
        Phase::Live => format!("its model answers at endpoint {}", endpoint_of(run)),
        Phase::Succeeded => match (&run.spec.gate, &run.spec.deployment) {
            (Some(_), _) => "the gate let its model pass, and `pipeline.yaml` asks for no deployment".to_owned(),
            (None, _) => "its execution succeeded, and `pipeline.yaml` asks for no gate and no deployment".to_owned(),
        },
        Phase::Rejected => rejected(run),
        Phase::Failed | Phase::Missed => match &run.failure {
            Some(Failure { step: Some(step), reason }) => format!("step {step} failed: {reason}"),
            Some(Failure { step: None, reason }) => reason.clone(),
            None => "no reason is known".to_owned(),
        },
        Phase::RolledBack => {
            let reason = run.failure.as_ref().map_or("SageMaker gave no reason", |failure| &failure.reason);
            format!("SageMaker took its model back, and the model before answers: {reason}")
        }
        Phase::Stopped | Phase::Skipped | Phase::Superseded => ended_otherwise(run),
    }
}

fn batching(run: &Run) -> String {
    let count = counted(run.inputs.objects.len(), "object");
    let (Some(batch), Some(spec)) = (&run.batch, &run.spec.batch) else {
        return format!("it collects objects, and has {count}");
    };
    format!(
        "it collects objects until none came for {}, at most {} after the first: it has {count}, the last of {}",
        lasting(spec.quiet_seconds),
        lasting(spec.longest_seconds),
        time::stamp(batch.last)
    )
}

fn queued(run: &Run, queue: Option<&Queue>) -> String {
    let limit =
        run.spec.concurrency.limit().map_or(String::new(), |limit| {
            format!("; `pipeline.yaml` allows {} at a time", counted(limit, "execution"))
        });
    let place = queue.and_then(|queue| {
        let place = queue.waiting.iter().position(|waiting| *waiting == run.id)?;
        let active: Vec<String> = queue.active.iter().map(ToString::to_string).collect();
        let active = if active.is_empty() { "none".to_owned() } else { active.join(", ") };
        Some(format!("it waits for a place, as number {} of {}; under way: {active}", place + 1, queue.waiting.len()))
    });
    format!("{}{limit}", place.unwrap_or_else(|| "its place in the queue is being given to it".to_owned()))
}

fn starting(run: &Run) -> String {
    let start = run.outbox.iter().find(|pending| pending.id == CommandId::start());
    match start {
        Some(PendingCommand { state: Pending::Waiting { .. }, attempts, .. }) => {
            let waits = |what: &str| what.starts_with("start waits for room");
            let reason = newest(run, waits).and_then(|fact| fact.what.split_once(": ")).map(|(_, reason)| reason);
            let times = if *attempts == 1 { "once".to_owned() } else { format!("{attempts} times") };
            let reason = reason.unwrap_or("it gave no reason");
            format!("SageMaker had no room for its execution, {times} so far, and it is not lost: {reason}")
        }
        Some(_) => "its execution is being asked for".to_owned(),
        None => "its execution was asked for, and nothing was heard of it yet".to_owned(),
    }
}

fn rejected(run: &Run) -> String {
    match (&run.gate, run.approval) {
        (_, Some((Approval::Rejected, at))) => {
            format!("a person refused its model at {}; what was live stays live", time::stamp(at))
        }
        (Some(gate), _) if !gate.passed => {
            let failed = gate.checks.iter().filter(|check| !check.passed);
            let failed: Vec<&str> = failed.map(|check| check.explanation.as_str()).collect();
            format!("the gate refused its model, and what was live stays live: {}", failed.join("; "))
        }
        _ => "its model was refused; what was live stays live".to_owned(),
    }
}

fn ended_otherwise(run: &Run) -> String {
    let newest = run.facts.last().map(words).unwrap_or_default();
    match (run.phase, &run.stop) {
        (Phase::Skipped, Some(stop)) => format!("it did not begin: {}", stop.reason),
        (Phase::Skipped, None) => match newest.strip_prefix("skipped: ") {
            Some(reason) => format!("it was skipped, as `concurrency` asks: {reason}"),
            None => newest,
        },
        (Phase::Stopped, Some(stop)) => stop.reason.clone(),
        (Phase::Stopped, None) if newest == "the endpoint was deleted" => {
            "its model was live, and the endpoint was deleted".to_owned()
        }
        (Phase::Stopped, None) => "someone stopped its execution at SageMaker, not through Tidegate".to_owned(),
        (_, _) => match newest.strip_prefix("superseded by ") {
            Some(by) => format!("a newer model took its place: that of run {by}"),
            None => newest,
        },
    }
}

fn newest(run: &Run, wanted: impl Fn(&str) -> bool) -> Option<&Fact> {
    run.facts.iter().rev().find(|fact| wanted(&fact.what))
}

/// What is known to have happened, the newest first; at its end, why there is a run and what it reads.
fn chain(run: &Run) -> Vec<Cause> {
    let told = |fact: &&Fact| {
        let what = fact.what.as_str();
        // That a step begins says nothing once it has ended; the newest is in the sentence at the head.
        let begins = what.starts_with("step ") && (what.ends_with(" Starting") || what.ends_with(" Executing"));
        !begins && !what.starts_with("requested by")
    };
    let facts = run.facts.iter().rev().filter(told);
    let all = facts.clone().count();
    let mut chain: Vec<Cause> =
        facts.take(FACTS).map(|fact| Cause::at(fact.at, one_line(&words(fact), LIMIT))).collect();
    if all > FACTS {
        chain.push(Cause::timeless(format!("and {} before; `tidegate run {}` has them all", all - FACTS, run.id)));
    }
    chain.extend(inputs(run));
    chain.push(Cause::at(run.created, one_line(&trigger(run), LIMIT)));
    chain
}

fn trigger(run: &Run) -> String {
    match &run.trigger {
        Trigger::Arrival { object } => format!("it began because {object} arrived"),
        Trigger::Batch { first } => format!("it began because {first} arrived, the first of its objects"),
        Trigger::Replay { of, attempt } => {
            format!("it began because a person asked for the work of run {of} once more (replay {attempt})")
        }
        Trigger::Expected { due } => format!("it was written down because data was expected by {}", time::stamp(*due)),
        Trigger::Schedule { name, scheduled_time } if run.phase == Phase::Missed => {
            format!("it was written down because schedule `{name}` was due at {}", time::stamp(*scheduled_time))
        }
        Trigger::Schedule { name, scheduled_time } => {
            format!("it began because schedule `{name}` was due at {}", time::stamp(*scheduled_time))
        }
        Trigger::Manual => {
            "it began because somebody started an execution by other means than Tidegate, which adopted it".to_owned()
        }
    }
}

fn inputs(run: &Run) -> Option<Cause> {
    let objects = &run.inputs.objects;
    let alone = matches!(&run.trigger, Trigger::Arrival { object } if objects.as_slice() == [object.clone()]);
    if objects.is_empty() || alone {
        return None;
    }
    let mut named: Vec<String> = objects.iter().take(OBJECTS).map(ToString::to_string).collect();
    if objects.len() > OBJECTS {
        named.push(format!("and {} more", objects.len() - OBJECTS));
    }
    let how = if run.inputs.exact { "reads exactly" } else { "reads a prefix, where it saw" };
    let what = format!("it {how} {}: {}", counted(objects.len(), "object"), named.join(", "));
    Some(Cause::timeless(one_line(&what, LIMIT)))
}

/// A fact as a sentence.
fn words(fact: &Fact) -> String {
    match fact.what.as_str() {
        "execution Executing" => "SageMaker began to execute it".to_owned(),
        "execution Stopping" => "SageMaker began to stop its execution".to_owned(),
        "execution Stopped" => "its execution was stopped".to_owned(),
        "execution Failed" => "its execution failed".to_owned(),
        "execution Succeeded" => "its execution succeeded".to_owned(),
        other => other.to_owned(),
    }
}

/// What is expected by itself, and when.
fn next(run: &Run, around: &Around<'_>, now: Timestamp) -> Vec<Cause> {
    let mut next: Vec<Cause> = run.outbox.iter().filter_map(|pending| expected(pending, now)).collect();
    if let Some(due) = run.batch_due() {
        next.push(Cause::at(due, "it stops collecting and begins, unless more objects come"));
    }
    if let Some(deadline) = run.deadline.filter(|_| !run.phase.is_end()) {
        next.push(match deadline > now {
            true => Cause::at(deadline, "its deadline: people are told if it is not done by then"),
            false if run.facts.iter().any(|fact| fact.what == LATE) => {
                Cause::at(deadline, "its deadline has passed, and people are told once")
            }
            false => Cause::at(deadline, "its deadline has passed, which is about to be noticed"),
        });
    }
    if let Some(due) = run.due(around.silence).filter(|_| !run.phase.is_end()) {
        let what = "the sweep looks at it, and asks AWS how it stands, if nothing is heard of it before";
        next.push(Cause::at(due, what));
    }
    if next.is_empty() {
        next.extend(
            match run.phase {
                Phase::Live => Some("its model answers until a newer one passes the gate"),
                Phase::Failed | Phase::Stopped if run.execution.is_some() && run.evaluation.is_none() => {
                    Some("nothing, unless a person retries the execution or replays the run")
                }
                _ => Some("nothing: the run is at its end"),
            }
            .map(Cause::timeless),
        );
    }
    next.sort_by_key(|cause| cause.at);
    next
}

/// A command of the outbox, and when somebody will see to it.
fn expected(pending: &PendingCommand, now: Timestamp) -> Option<Cause> {
    let what = match &pending.command {
        // The times of waking are told as what they are for.
        Command::Wake { purpose: Purpose::Batch | Purpose::Deadline, .. } => return None,
        Command::Start { .. } => "SageMaker is asked for its execution".to_owned(),
        Command::Evaluate { .. } => "its evaluation report is read".to_owned(),
        Command::Register { .. } => "its model is registered".to_owned(),
        Command::Deploy { endpoint, .. } => format!("SageMaker is asked to roll its model out to endpoint {endpoint}"),
        Command::Stop { .. } => "SageMaker is asked to stop its execution".to_owned(),
        Command::Alert(alert) => {
            let subject = alert.subject.strip_prefix("Tidegate: ").unwrap_or(&alert.subject);
            format!("an alert is sent, \"{subject}\"")
        }
        Command::Tell { run, .. } => format!("run {run} is told"),
    };
    let tried = match pending.attempts {
        0 => String::new(),
        attempts => format!(" (tried {} in vain)", counted(attempts.try_into().unwrap_or(usize::MAX), "time")),
    };
    Some(match pending.state {
        Pending::Unclaimed => Cause::timeless(format!("{what}{tried}: at the next sweep, within a minute")),
        Pending::Claimed { until } if until > now => {
            Cause::at(until, format!("{what}{tried}: a function is at it; if that dies, it is done after this time"))
        }
        Pending::Claimed { until } => Cause::at(until, format!("{what}{tried}: the function died; the sweep does it")),
        Pending::Waiting { until } => Cause::at(until, format!("{what} again{tried}")),
    })
}

fn todo(run: &Run, around: &Around<'_>) -> Vec<Todo> {
    let id = &run.id;
    let mut todo = Vec::new();
    match run.phase {
        Phase::Batching | Phase::Queued | Phase::Starting | Phase::Running if run.stop.is_none() => {
            todo.push(Todo::new("follow it", format!("tidegate run {id} --wait")));
            todo.push(Todo::new("stop it", format!("tidegate stop {id}")));
        }
        Phase::AwaitingApproval => {
            todo.push(Todo::new("let its model go live", format!("tidegate approve {id}")));
            todo.push(Todo::new("refuse it", format!("tidegate approve {id} --reject")));
        }
        phase if !phase.is_end() => todo.push(Todo::new("follow it", format!("tidegate run {id} --wait"))),
        Phase::Missed => {
            todo.push(Todo::new("see whether a firing is among the dead letters", "tidegate dlq list"));
            let pipeline = &run.spec.pipeline;
            todo.push(Todo::new("start the pipeline by hand", format!("tidegate start {pipeline}")));
        }
        Phase::Live => todo.push(Todo::new(
            "see what answers and what it was made of",
            format!("tidegate lineage endpoint:{}", endpoint_of(run)),
        )),
        _ => {}
    }
    if run.phase.is_end() && !matches!(run.phase, Phase::Live | Phase::Succeeded) {
        match around.replay {
            Some(replay) => {
                let what = format!("see its replay, which is {}", replay.phase);
                todo.push(Todo::new(what, format!("tidegate why {}", replay.id)));
                todo.push(Todo::new("replay it once more", format!("tidegate replay {id} --again")));
            }
            None if replayable(run) => {
                todo.push(Todo::new("do its work once more, on the same data", format!("tidegate replay {id}")));
            }
            None => {}
        }
    }
    let replaced = run.stop.as_ref().and_then(|stop| stop.by.clone());
    if let Some(by) = replaced.or_else(|| superseded_by(run)) {
        todo.push(Todo::new("see the run that took its place", format!("tidegate why {by}")));
    }
    if let (Phase::Failed | Phase::Stopped, Some(execution)) = (run.phase, &run.execution) {
        todo.push(Todo::new(
            "see its steps",
            format!("aws sagemaker list-pipeline-execution-steps --pipeline-execution-arn {}", execution.arn),
        ));
    }
    todo.push(Todo::new("see all that is known of it", format!("tidegate run {id}")));
    todo
}

/// A run of which nothing came has no work to do again.
fn replayable(run: &Run) -> bool {
    run.phase != Phase::Superseded && !run.inputs.uri.is_empty()
}

fn superseded_by(run: &Run) -> Option<RunId> {
    let fact = newest(run, |what| what.starts_with("superseded by "))?;
    RunId::parse(fact.what.strip_prefix("superseded by ")?).ok()
}

fn endpoint_of(run: &Run) -> &str {
    run.spec.deployment.as_ref().map_or("", |deployment| &deployment.endpoint)
}

fn lasting(seconds: u64) -> String {
    let end = i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    time::span(Timestamp::UNIX_EPOCH, end.unwrap_or(Timestamp::MAX))
}
