//! Each story once more for each call, each fault and each extent of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use crate::cloud::{Call, Sabotage};
use crate::fault::{self, Plan, Progress};
use crate::scenario::Scenario;
use crate::verdict;
use crate::world::{Outcome, play};

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Report {
    stories: usize,
    calls: usize,
    pub(crate) played: usize,
    /// Runs in which an event became a dead letter and was given again.
    dead: usize,
    /// Runs in which something may be done again that AWS knows no token for.
    excused: usize,
    seconds: f64,
    operations: BTreeMap<Call, usize>,
    pub(crate) wrongs: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stories, calls, played, dead, excused, seconds, operations, wrongs } = self;
        writeln!(
            f,
            "{stories} stories, {calls} calls of {} operations, {played} faults in {seconds:.1} s; {dead} with dead \
             letters given again, {excused} in which an alert or a rollout may come again; {} ended otherwise",
            operations.len(),
            wrongs.len()
        )?;
        wrongs.iter().take(12).try_for_each(|wrong| writeln!(f, "- {wrong}"))
    }
}

/// One run to be made.
struct Job<'s> {
    scenario: &'s Scenario,
    clean: &'s Outcome,
    plan: Plan,
}

/// `FAULTS=all` leaves nothing out. Otherwise an event that makes the same calls for the same reason as an event of an
/// earlier story is not gone through again, and what the SDK makes up for is tried once for each operation of a function.
fn everything() -> bool {
    std::env::var("FAULTS").is_ok_and(|value| value == "all")
}

/// Numbers for Regions, unique in the process.
static NUMBER: AtomicUsize = AtomicUsize::new(1);

/// Plays them all, on every core; `which` says what is to go wrong.
pub(crate) fn all(scenarios: &[Scenario], sabotage: Sabotage, which: fn(&Call, &Plan) -> bool) -> Report {
    let began = Instant::now();
    let clean: Vec<Outcome> = scenarios.iter().map(|scenario| play(scenario.start(), 0, true)).collect();
    let mut jobs = Vec::new();
    let mut known = BTreeSet::new();
    for (scenario, clean) in scenarios.iter().zip(&clean) {
        for taken in scenario.in_focus(clean) {
            if !everything() && !known.insert(taken.likeness(&clean.cloud.calls)) {
                continue;
            }
            for call in taken.calls.clone() {
                let all = fault::all(&clean.cloud.calls[call]);
                let plans = all.map(|(fault, extent)| Plan { call, fault, extent });
                let function = taken.delivery.function;
                for plan in plans {
                    let call = &clean.cloud.calls[call];
                    let kind = format!("{function:?} {call} {:?} {:?}", plan.fault, plan.extent);
                    let again = plan.looks_the_same() && !everything() && !known.insert(kind);
                    if which(call, &plan) && !again {
                        jobs.push(Job { scenario, clean, plan });
                    }
                }
            }
        }
    }
    let mut report = Report { stories: scenarios.len(), played: jobs.len(), ..Report::default() };
    for outcome in &clean {
        report.calls += outcome.cloud.calls.len();
        for call in &outcome.cloud.calls {
            *report.operations.entry(call.clone()).or_default() += 1;
        }
    }
    let report = Mutex::new(report);
    let next = AtomicUsize::new(0);
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    job.run(sabotage, &report);
                }
            });
        }
    });
    let mut report = report.into_inner().unwrap();
    report.seconds = began.elapsed().as_secs_f64();
    report.wrongs.sort();
    report
}

impl Job<'_> {
    fn run(&self, sabotage: Sabotage, report: &Mutex<Report>) {
        let Self { scenario, clean, plan } = self;
        // What came before the call is as it was without the fault.
        let event = clean.taken.iter().position(|taken| taken.calls.contains(&plan.call)).unwrap();
        let mut place = clean.places[event].clone();
        place.cloud.progress = Some(Progress::new(*plan));
        place.cloud.sabotage = sabotage;
        let outcome = play(place, NUMBER.fetch_add(1, Ordering::Relaxed), false);
        let mut wrongs = verdict::wrongs(scenario, &outcome, Some(clean));
        let call = &clean.cloud.calls[plan.call];
        let struck = outcome.cloud.progress.as_ref().and_then(Progress::struck);
        if struck != Some(call) {
            wrongs.push(format!("the fault was to strike {call}, and struck {struck:?}"));
        }
        let mut report = report.lock().unwrap();
        report.dead += usize::from(outcome.dead > 0);
        report.excused += usize::from(!outcome.cloud.excuses.is_empty());
        if !wrongs.is_empty() {
            let function = clean.taken[event].delivery.function;
            let errors = outcome.errors.last().map_or("none", String::as_str);
            if std::env::var_os("FAULTS_SHOW").is_some() {
                eprintln!("WRONG {}: {plan} ({call}): {}", scenario.name, wrongs.join("; "));
            }
            report.wrongs.push(format!(
                "{}: {plan} ({call} of {function:?}): {}\n    last error: {errors}",
                scenario.name,
                wrongs.join("; ")
            ));
        }
    }
}
