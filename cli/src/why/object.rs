//! An object.

use std::collections::BTreeMap;

use handlers::ledger::{ObjectOutcome, ObjectRecord, PipelineRecord, Verdict, Wait};
use jiff::{SignedDuration, Timestamp};
use statemachine::RunId;
use statemachine::run::{Run, Trigger};
use statemachine::text::one_line;

use super::{Cause, Todo, Why};
use crate::render::time;

/// The longest sentence, in characters.
const LIMIT: usize = 1500;

/// An event of S3's takes seconds; with the function's attempts, minutes.
const UNDER_WAY: SignedDuration = SignedDuration::from_mins(5);

/// What the ledger has of one version.
#[derive(Clone, Debug)]
pub(crate) struct Fate {
    pub(crate) record: ObjectRecord,
    /// The runs that took it, as they are now.
    pub(crate) runs: BTreeMap<RunId, Run>,
}

/// The object in the bucket, as it is now.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum There {
    /// It is there.
    Yes {
        size: u64,
        modified: Option<Timestamp>,
        /// Runs of the newest version, by pipeline, whose event is still being dealt with.
        taken: BTreeMap<String, RunId>,
    },
    /// The bucket has no such object.
    No,
    /// It cannot be told.
    Unknown(String),
}

/// All that was found out of an object.
#[derive(Clone, Debug)]
pub(crate) struct Found<'a> {
    pub(crate) bucket: &'a str,
    pub(crate) key: &'a str,
    /// The version that was asked for; all if `None`.
    pub(crate) version: Option<&'a str>,
    /// The newest first.
    pub(crate) fates: Vec<Fate>,
    pub(crate) there: There,
    pub(crate) pipelines: &'a [PipelineRecord],
}

/// What became of an object.
pub(crate) fn object(found: &Found<'_>, now: Timestamp) -> Why {
    let version = found.version.map(|version| format!("?versionId={version}")).unwrap_or_default();
    let about = one_line(&format!("object s3://{}/{}{version}", found.bucket, found.key), LIMIT);
    match found.fates.as_slice() {
        [] => unknown(found, about, now),
        [newest, ..] => {
            let (state, because) = fate(newest);
            let mut chain: Vec<Cause> = found.fates.iter().flat_map(told).collect();
            chain.extend(here(found));
            Why { about, state, because, chain, gate: Vec::new(), next: Vec::new(), todo: todo(newest) }
        }
    }
}

/// Where its newest version stands.
fn fate(fate: &Fate) -> (String, String) {
    let outcomes = &fate.record.outcome;
    let version = shown(&fate.record);
    let taken: Vec<String> = outcomes
        .iter()
        .filter_map(|(pipeline, outcome)| match outcome {
            ObjectOutcome::Taken { run } => Some(format!("pipeline `{pipeline}` took it{}", as_run(fate, run))),
            ObjectOutcome::Declined { .. } => None,
        })
        .collect();
    let declined: Vec<String> = outcomes
        .iter()
        .filter_map(|(pipeline, outcome)| match outcome {
            ObjectOutcome::Declined { reason } => Some(format!("pipeline `{pipeline}` declined it: {reason}")),
            ObjectOutcome::Taken { .. } => None,
        })
        .collect();
    let (state, words) = match (taken.is_empty(), declined.is_empty()) {
        (false, _) => ("taken", taken.join("; ")),
        (true, false) => ("declined", declined.join("; ")),
        (true, true) => ("no pipeline's", "no pipeline waited for objects under its prefix when it came".to_owned()),
    };
    (state.to_owned(), one_line(&format!("{words} (version {version})"), LIMIT))
}

/// `: run a-…, which is live`
fn as_run(fate: &Fate, id: &RunId) -> String {
    let Some(run) = fate.runs.get(id) else { return format!(": run {id}") };
    let object = &fate.record.object;
    let began = matches!(&run.trigger, Trigger::Arrival { object: first } if first == object);
    let left = if !began && !run.inputs.objects.contains(object) {
        "; a newer version took its place before the run began"
    } else {
        ""
    };
    format!(": run {id}, which is {}{left}", run.phase)
}

/// One version, as lines: what each pipeline did, and that it came.
fn told(fate: &Fate) -> Vec<Cause> {
    let record = &fate.record;
    let mut causes: Vec<Cause> = record
        .outcome
        .iter()
        .map(|(pipeline, outcome)| {
            let what = match outcome {
                ObjectOutcome::Taken { run } => format!("pipeline `{pipeline}` took it{}", as_run(fate, run)),
                ObjectOutcome::Declined { reason } => format!("pipeline `{pipeline}` declined it: {reason}"),
            };
            Cause::timeless(one_line(&what, LIMIT))
        })
        .collect();
    let came = format!("version {} came, {} bytes", shown(record), record.object.size);
    causes.push(Cause::at(record.at, one_line(&came, LIMIT)));
    causes
}

fn shown(record: &ObjectRecord) -> String {
    record.object.version()
}

fn todo(fate: &Fate) -> Vec<Todo> {
    let runs = fate.record.outcome.values().filter_map(|outcome| match outcome {
        ObjectOutcome::Taken { run } => Some(Todo::new("see its run", format!("tidegate why {run}"))),
        ObjectOutcome::Declined { .. } => None,
    });
    runs.collect()
}

/// What the bucket says of it.
fn here(found: &Found<'_>) -> Option<Cause> {
    match &found.there {
        There::Yes { .. } => None,
        There::No => Some(Cause::timeless("the bucket has no such object any more; runs that read it had copies")),
        There::Unknown(reason) => {
            Some(Cause::timeless(one_line(&format!("the bucket cannot be asked: {reason}"), LIMIT)))
        }
    }
}

/// The ledger knows nothing of it.
fn unknown(found: &Found<'_>, about: String, now: Timestamp) -> Why {
    let address = format!("s3://{}/{}", found.bucket, found.key);
    let size = match found.there {
        There::Yes { size, .. } => Some(size),
        There::No | There::Unknown(_) => None,
    };
    let mut chain = expectations(found, size);
    let mut next = Vec::new();
    let mut todo = Vec::new();
    let waits = found
        .pipelines
        .iter()
        .any(|pipeline| matches!(pipeline.waits_for(found.key, size.unwrap_or(u64::MAX / 2)), Verdict::Takes(_)));
    let because = match &found.there {
        There::No => "no event of it has come, and the bucket has no such object".to_owned(),
        There::Unknown(reason) => format!("no event of it has come; the bucket cannot be asked: {reason}"),
        There::Yes { taken, .. } if !taken.is_empty() => {
            let runs: Vec<String> = taken.iter().map(|(pipeline, run)| format!("`{pipeline}` as run {run}")).collect();
            todo.extend(taken.values().map(|run| Todo::new("see its run", format!("tidegate why {run}"))));
            format!("its event is being dealt with, and it was taken by {}", runs.join(", "))
        }
        There::Yes { size, modified, .. } => {
            if let Some(modified) = modified {
                chain.push(Cause::at(*modified, format!("it came into the bucket, {size} bytes")));
                if now.duration_since(*modified) < UNDER_WAY {
                    next.push(Cause::timeless(
                        "its event may be under way: it takes seconds, with a function's attempts minutes",
                    ));
                }
                chain.extend(before_the_pipeline(found, *modified));
            }
            todo.push(Todo::new("see whether its event is among the dead letters", "tidegate dlq list"));
            if waits {
                todo.push(Todo::new(
                    "make it arrive once more, as a new version",
                    format!("aws s3 cp {address} {address} --metadata-directive REPLACE"),
                ));
            }
            "the bucket has it, and no event of it has come".to_owned()
        }
    };
    // What is true at all times first; then the newest.
    chain.sort_by(|one, other| (one.at.is_some(), other.at).cmp(&(other.at.is_some(), one.at)));
    if found.version.is_some() {
        todo.push(Todo::new("see its other versions", format!("tidegate why {address}")));
    }
    Why { about, state: "unknown".to_owned(), because: one_line(&because, LIMIT), chain, gate: Vec::new(), next, todo }
}

/// What each pipeline would do with such an object.
fn expectations(found: &Found<'_>, size: Option<u64>) -> Vec<Cause> {
    let mut mine = Vec::new();
    let mut prefixes = Vec::new();
    for pipeline in found.pipelines {
        let name = &pipeline.name;
        // Of an object that is not there no size is known: one that fits.
        let size = size.unwrap_or_else(|| pipeline.min_size.or(pipeline.max_size).unwrap_or(1));
        match pipeline.waits_for(found.key, size) {
            Verdict::NotMine => prefixes.extend(pipeline.arrival_prefix.as_ref().map(|p| format!("`{p}` (`{name}`)"))),
            Verdict::Declined(reason) => mine.push(format!("pipeline `{name}` would decline such an object: {reason}")),
            Verdict::Takes(wait) => mine.push(format!("pipeline `{name}` waits for such an object: {}", starts(wait))),
        }
    }
    if mine.is_empty() {
        mine.push(match prefixes.is_empty() {
            true => "no pipeline waits for objects".to_owned(),
            false => {
                format!("no pipeline's prefix matches its key; they wait for objects under {}", prefixes.join(", "))
            }
        });
    }
    mine.into_iter().map(|what| Cause::timeless(one_line(&what, LIMIT))).collect()
}

fn starts(wait: Wait) -> &'static str {
    match wait {
        Wait::Run => "it starts a run",
        Wait::Batch => "it is collected into a run with others",
        Wait::Marker => "it says that its folder is complete, which starts a run of all in it",
        Wait::Manifest => "it lists the objects of a run",
    }
}

/// An object that was there first starts nothing.
fn before_the_pipeline(found: &Found<'_>, modified: Timestamp) -> Vec<Cause> {
    let later = found.pipelines.iter().filter(|pipeline| {
        let under = |prefix: &String| found.key.starts_with(prefix);
        pipeline.arrival_prefix.as_ref().is_some_and(under) && modified < pipeline.applied
    });
    let told = |pipeline: &PipelineRecord| {
        let (name, applied) = (&pipeline.name, time::stamp(pipeline.applied));
        format!("pipeline `{name}` was applied as it is now at {applied}, later than the object came")
    };
    later.map(|pipeline| Cause::at(pipeline.applied, told(pipeline))).collect()
}
