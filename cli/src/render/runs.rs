//! The listing of runs.

use comfy_table::{Cell, Color};
use statemachine::run::Trigger;
use statemachine::text::one_line;

use super::style::{Style, Tone, tone};
use super::{table, time};
use crate::view::RunSummary;

/// The longest cells, in characters.
const TRIGGER_LIMIT: usize = 60;
const REASON_LIMIT: usize = 120;

/// The columns that do not wrap: RUN, PHASE, CREATED, TOOK.
const FIRM: [usize; 4] = [0, 2, 4, 5];

/// A table, newest first as given. `width` is that of the terminal; without one, nothing is wrapped.
pub(crate) fn text(runs: &[RunSummary], style: Style, width: Option<u16>, now: jiff::Timestamp) -> String {
    if runs.is_empty() {
        return "no runs yet".to_owned();
    }
    let titles = ["RUN", "PIPELINE", "PHASE", "TRIGGER", "CREATED", "TOOK", "WHY"];
    let mut rows = table::empty(style, width, &titles);
    for run in runs {
        rows.add_row([
            Cell::new(&run.id),
            Cell::new(one_line(&run.pipeline, TRIGGER_LIMIT)),
            Cell::new(run.phase.words()).fg(colour(tone(run.phase))),
            Cell::new(one_line(&trigger(&run.trigger), TRIGGER_LIMIT)),
            Cell::new(time::ago(run.created, now)),
            Cell::new(time::span(run.created, run.ended.unwrap_or(now))),
            Cell::new(one_line(run.reason.as_deref().unwrap_or_default(), REASON_LIMIT)),
        ]);
    }
    // An id is copied, and times are short; where there is little room the words wrap.
    table::lines(rows, &FIRM, &[])
}

fn colour(tone: Tone) -> Color {
    match tone {
        Tone::Good => Color::Green,
        Tone::Bad => Color::Red,
        Tone::Look => Color::Yellow,
        Tone::Busy => Color::Cyan,
        Tone::Past => Color::DarkGrey,
    }
}

fn trigger(trigger: &Trigger) -> String {
    match trigger {
        Trigger::Arrival { object } => format!("arrival {}", object.file_name()),
        Trigger::Schedule { name, scheduled_time } => format!("schedule {name} {}", time::stamp(*scheduled_time)),
        Trigger::Batch { first } => format!("batch {}", first.file_name()),
        Trigger::Replay { of, .. } => format!("replay {of}"),
        Trigger::Expected { due } => format!("expected {}", time::stamp(*due)),
        Trigger::Manual => "manual".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{at, failed, golden, live, rejected, running};
    use super::*;

    fn all() -> Vec<RunSummary> {
        [live(), rejected(), failed(), running()].iter().map(|(run, _)| RunSummary::of(run)).collect()
    }

    #[test]
    fn runs_are_a_table() {
        let text = text(&all(), Style::new(false), None, at(120));
        golden("runs", &text);
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let text = text(&all(), Style::new(false), Some(90), at(120));
        assert!(text.lines().all(|line| line.chars().count() <= 90), "{text}");
    }

    #[test]
    fn only_a_terminal_gets_colours() {
        assert!(!text(&all(), Style::new(false), None, at(120)).contains('\u{1b}'));
        assert!(text(&all(), Style::new(true), None, at(120)).contains('\u{1b}'));
    }

    #[test]
    fn nothing_is_said_to_be_nothing() {
        assert_eq!(text(&[], Style::new(false), None, at(0)), "no runs yet");
    }
}
