//! Explanations.

use jiff::Timestamp;
use statemachine::text::one_line;

use super::{Style, time};
use crate::why::{Cause, Why};

/// The longest line, in characters.
const LIMIT: usize = 1600;

/// What it is, the newest cause, the chain that led to it, and what follows.
pub(crate) fn text(why: &Why, style: Style, now: Timestamp) -> String {
    let mut lines = vec![format!("{}  {}", style.bold(&one_line(&why.about, LIMIT)), style.cyan(&why.state))];
    lines.push(format!("  {}", capital(&one_line(&why.because, LIMIT))));
    let mut part = |title: &str, body: Vec<String>| {
        if !body.is_empty() {
            lines.extend([String::new(), style.bold(title)]);
            lines.extend(body);
        }
    };
    let check = |passed| if passed { style.green("✓") } else { style.red("✗") };
    let gate = why.gate.iter().map(|one| format!("  {} {}", check(one.passed), one_line(&one.explanation, LIMIT)));
    part("gate", gate.collect());
    part("how it came to that, the newest first", why.chain.iter().map(|cause| past(cause, style)).collect());
    part("what is expected next", why.next.iter().map(|cause| future(cause, style, now)).collect());
    let todo = why
        .todo
        .iter()
        .map(|todo| format!("  {}  {}", one_line(&todo.command, LIMIT), style.dim(&format!("({})", todo.to))));
    part("what you can do", todo.collect());
    lines.join("\n")
}

fn past(cause: &Cause, style: Style) -> String {
    let at = cause.at.map(time::stamp).unwrap_or_default();
    format!("  {} {}", style.dim(&format!("{at:<20}")), one_line(&cause.what, LIMIT))
}

fn future(cause: &Cause, style: Style, now: Timestamp) -> String {
    let at = match cause.at {
        Some(at) if at > now => format!("{} (in {})", time::stamp(at), time::span(now, at)),
        Some(at) => format!("{} ({})", time::stamp(at), time::ago(at, now)),
        None => return format!("  {}", one_line(&cause.what, LIMIT)),
    };
    format!("  {} {}", style.dim(&at), one_line(&cause.what, LIMIT))
}

fn capital(sentence: &str) -> String {
    let mut characters = sentence.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use handlers::ledger::{ObjectOutcome, ObjectRecord};
    use statemachine::run::Phase;

    use super::super::fixtures::{at, every_phase, golden, live, object, pipeline};
    use super::*;
    use crate::why::{self, Around, Due, Fate, Fired, Found, There};

    fn plain(why: &Why) -> String {
        text(why, Style::new(false), at(180))
    }

    #[test]
    fn every_phase_of_a_run_has_its_reason() {
        let mut pages = Vec::new();
        let mut phases = BTreeSet::new();
        for (name, run, around) in every_phase() {
            let silence = handlers::settings::SILENCE;
            let (endpoint, queue) = (Some(&around.endpoint), Some(&around.queue));
            let why = why::run(&run, &Around { endpoint, queue, replay: None, silence }, at(180));
            phases.insert(run.phase);
            pages.push(format!("## {name}\n\n{}", plain(&why)));
        }
        let text = pages.join("\n\n");
        golden("why-runs", &text);
        assert_eq!(phases.into_iter().collect::<Vec<_>>(), Phase::ALL, "a phase is not in the golden file");
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'));
    }

    fn fate(name: &str, outcome: ObjectOutcome) -> Fate {
        let run = live().0;
        let record = ObjectRecord {
            object: object(name),
            at: at(0),
            outcome: BTreeMap::from([("tumours".to_owned(), outcome)]),
        };
        Fate { record, runs: BTreeMap::from([(run.id.clone(), run)]) }
    }

    fn of_object(key: &str, fates: Vec<Fate>, there: There) -> String {
        let pipelines = [pipeline("tumours")];
        let found = Found { bucket: "data", key, version: None, fates, there, pipelines: &pipelines };
        plain(&why::object(&found, at(180)))
    }

    #[test]
    fn an_object_was_taken_or_declined_or_is_not_known() {
        let there = |second| There::Yes { size: 9, modified: Some(at(second)), taken: BTreeMap::new() };
        let taken = fate("a.csv", ObjectOutcome::Taken { run: live().0.id });
        let declined = fate("a.txt", ObjectOutcome::Declined { reason: "its key does not end in `.csv`".into() });
        let pages = [
            ("taken", of_object("raw/tumours/a.csv", vec![taken], there(0))),
            ("declined", of_object("raw/tumours/a.txt", vec![declined], there(0))),
            ("its event has not come", of_object("raw/tumours/b.csv", vec![], there(170))),
            ("it was there before the pipeline", of_object("raw/tumours/b.csv", vec![], there(-90_000))),
            ("a suffix that nobody waits for", of_object("raw/tumours/b.txt", vec![], There::No)),
            ("a prefix that nobody waits for", of_object("raw/other/b.csv", vec![], There::No)),
        ];
        let pages = pages.map(|(name, page)| format!("## {name}\n\n{page}"));
        golden("why-objects", &pages.join("\n\n"));
    }

    #[test]
    fn a_schedule_tells_its_last_times_and_its_next() {
        let day = 86_400;
        let fired = |second, phase| {
            let (id, created) = (live().0.id, at(second + 2));
            Due { at: at(second), run: Some(Fired { id, phase, created }) }
        };
        let pipeline = pipeline("tumours");
        let tell = |dues: &[Due], next, expects| {
            plain(&why::schedule(&pipeline, "nightly", "cron(0 3 * * ? *) (Europe/Zurich)", dues, next, expects))
        };
        let dues = [
            fired(-100, Phase::Live),
            fired(-100 - day / 2, Phase::Missed),
            Due { at: at(-100 - 3 * day / 4), run: None },
            Due { at: at(-100 - 2 * day), run: None },
        ];
        let pages = [
            ("it fired", tell(&dues, Some(at(day)), false)),
            ("it was lost", tell(&dues[1..], Some(at(day)), false)),
            ("not yet due", tell(&[], Some(at(day)), false)),
            ("data had come", tell(&dues[2..], Some(at(day)), true)),
        ];
        let pages = pages.map(|(name, page)| format!("## {name}\n\n{page}"));
        golden("why-schedules", &pages.join("\n\n"));
    }
}
