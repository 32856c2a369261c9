use std::fmt::Write as _;

use super::Around;
use super::{Event, Outcome, Phase, Run, decide};

/// Makes example events for a run and its endpoint, each with a name.
pub type Examples<'e> = dyn Fn(&Run, &Around) -> Vec<(String, Event)> + 'e;

/// Renders what [`decide`] answers to each kind of event in each phase, as a Markdown table. `worlds` holds an example
/// of each phase; `events` an example of each kind, made for the run at hand. The table in `docs/LIFECYCLE.md` is this
/// one, and a test keeps it so.
#[must_use]
pub fn lifecycle_table(worlds: &[(Phase, Run, Around)], events: &Examples<'_>) -> String {
    let mut table = String::from("| in phase | event | then | because |\n|---|---|---|---|\n");
    for (phase, run, around) in worlds {
        for (name, event) in events(run, around) {
            let decision = decide(Some(run), around, &event);
            let then = match &decision.outcome {
                Outcome::Changed { run: after, .. } if after.phase == *phase => "stays, noted".to_owned(),
                Outcome::Changed { run: after, .. } => format!("**{}**", after.phase),
                Outcome::Ignored => "ignored".to_owned(),
                Outcome::Illegal => "illegal".to_owned(),
            };
            let because = decision.because.replace('|', "\\|");
            // Writing to a String cannot fail.
            let _ = writeln!(table, "| {phase} | {name} | {then} | {because} |");
        }
    }
    table
}
