//! A schedule.

use handlers::ledger::PipelineRecord;
use jiff::Timestamp;
use statemachine::run::{Phase, RunId};

use super::{Cause, Todo, Why};
use crate::render::time;

/// One time at which a schedule was due, and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Due {
    pub(crate) at: Timestamp,
    pub(crate) run: Option<Fired>,
}

/// The run of a due time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fired {
    pub(crate) id: RunId,
    pub(crate) phase: Phase,
    pub(crate) created: Timestamp,
}

/// What a schedule did at its last due times, the newest first, and when it is due next. `rhythm` is its expression with
/// its time zone; `expects` says that it looks for data and starts nothing.
pub(crate) fn schedule(
    pipeline: &PipelineRecord,
    name: &str,
    rhythm: &str,
    dues: &[Due],
    next: Option<Timestamp>,
    expects: bool,
) -> Why {
    // Of a time before it was applied as it is now nothing can be said, unless there is a run.
    let counts = |due: &&Due| due.run.is_some() || due.at >= pipeline.applied;
    let dues: Vec<&Due> = dues.iter().filter(counts).collect();
    let told = |due: &Due| outcome(due, expects);
    let (state, because) = match (dues.first(), next) {
        (Some(newest), _) => {
            let (state, words) = told(newest);
            (state, format!("it was due at {}: {words}", time::stamp(newest.at)))
        }
        (None, Some(next)) => (
            "waiting",
            format!("it was not due since its pipeline was applied as it is now; it is due at {}", time::stamp(next)),
        ),
        (None, None) => {
            ("unknown", "no firing of it is known, and when it is due only EventBridge Scheduler knows".into())
        }
    };
    let mut chain: Vec<Cause> = dues.iter().map(|due| Cause::at(due.at, format!("due: {}", told(due).1))).collect();
    chain.push(Cause::at(pipeline.applied, format!("pipeline `{}` was applied as it is now: {rhythm}", pipeline.name)));
    chain.sort_by_key(|entry| std::cmp::Reverse(entry.at));
    let mut todo: Vec<Todo> = dues
        .iter()
        .filter_map(|due| due.run.as_ref())
        .take(1)
        .map(|run| Todo::new("see the newest run", format!("tidegate why {}", run.id)))
        .collect();
    if state == "missed" && !expects {
        todo.push(Todo::new("see whether the firing is among the dead letters", "tidegate dlq list"));
        todo.push(Todo::new("start the pipeline by hand", format!("tidegate start {}", pipeline.name)));
    }
    Why {
        about: format!("schedule {}.{name}: {rhythm}", pipeline.name),
        state: state.to_owned(),
        because,
        chain,
        gate: Vec::new(),
        next: next.map(|next| Cause::at(next, "it is due next")).into_iter().collect(),
        todo,
    }
}

fn outcome(due: &Due, expects: bool) -> (&'static str, String) {
    match &due.run {
        Some(run) if expects => ("missed", format!("no data had come; told as {}", run.id)),
        Some(Fired { id, phase: Phase::Missed, .. }) => {
            ("missed", format!("it did not fire, which was found out and told as {id}"))
        }
        Some(Fired { id, phase, created }) => {
            let late = created.duration_since(due.at).as_secs() > 60;
            let late = if late { format!(", {} late", time::span(due.at, *created)) } else { String::new() };
            ("fired", format!("it fired{late}: run {id}, which is {phase}"))
        }
        None if expects => ("kept", "data had come".to_owned()),
        None => ("missed", "no run is known; the sweep writes down a firing that is lost within 15 minutes".to_owned()),
    }
}
