//! Dead letters.

use comfy_table::Cell;
use jiff::Timestamp;
use statemachine::text::one_line;

use super::{Style, table, time};
use crate::dlq::{Kind, Letter, QueueView};

/// The longest cells, in characters.
const ABOUT_LIMIT: usize = 100;
const ERROR_LIMIT: usize = 140;

/// The longest line of an event, in characters, and the most lines: an event may be 256 KiB of nonsense.
const LINE_LIMIT: usize = 400;
const LINES: usize = 120;

/// The queues, then a line for each message.
pub(crate) fn list(
    queues: &[QueueView],
    letters: &[&Letter],
    style: Style,
    width: Option<u16>,
    now: Timestamp,
) -> String {
    let mut rows = table::empty(style, width, &["QUEUE", "MESSAGES", "OLDEST"]);
    for queue in queues {
        let oldest = queue.oldest.map(|oldest| time::ago(oldest, now)).unwrap_or_default();
        let messages = queue.messages.max(queue.approximately);
        rows.add_row([Cell::new(&queue.name), Cell::new(messages), Cell::new(oldest)]);
    }
    let mut text = table::lines(rows, &[0, 1, 2], &[]);
    if letters.is_empty() {
        return format!("{text}\n\nno dead letters");
    }
    let mut rows = table::empty(style, width, &["ID", "FUNCTION", "WHEN", "EVENT", "ERROR"]);
    for letter in letters {
        rows.add_row([
            Cell::new(letter.short()),
            Cell::new(&letter.function),
            Cell::new(letter.at.map(|at| time::ago(at, now)).unwrap_or_default()),
            Cell::new(event(letter)),
            Cell::new(one_line(letter.error.as_deref().unwrap_or_default(), ERROR_LIMIT)),
        ]);
    }
    text.push_str("\n\n");
    text.push_str(&table::lines(rows, &[0, 1, 2], &[]));
    text.push_str("\n\nlook further: tidegate dlq show ID; then replay or drop it");
    text
}

/// One message in one line.
pub(crate) fn line(letter: &Letter) -> String {
    let error = one_line(letter.error.as_deref().unwrap_or_default(), ERROR_LIMIT);
    format!("  {}  {}  {}  {error}", letter.short(), letter.function, event(letter))
}

fn event(letter: &Letter) -> String {
    let subject = &letter.subject;
    one_line(&format!("{} {}", subject.event_kind, subject.about), ABOUT_LIMIT)
}

/// All that is known of one message.
pub(crate) fn letter(letter: &Letter, style: Style, now: Timestamp) -> String {
    let mut page = vec![style.bold(&format!("message {}", one_line(&letter.id, ABOUT_LIMIT)))];
    let mut field = |name: &str, value: &str| {
        if !value.is_empty() {
            page.push(format!("  {} {}", style.dim(&format!("{name:<11}")), one_line(value, 1200)));
        }
    };
    let how = match letter.kind {
        Kind::Failed => "the function was given it, and ended in an error each time",
        Kind::Undelivered => "EventBridge could not hand it to the function",
        Kind::Firing => "EventBridge Scheduler could not hand it to the function",
    };
    field("queue", &letter.queue);
    field("function", &letter.function);
    field("how", how);
    let at = letter.at.map(|at| format!("{} ({})", time::stamp(at), time::ago(at, now)));
    field("when", &at.unwrap_or_default());
    field("event", &letter.subject.event_kind);
    field("about", &letter.subject.about);
    field("error", letter.error.as_deref().unwrap_or_default());
    field("attempts", &letter.attempts.map(|number| number.to_string()).unwrap_or_default());
    field("ended by", letter.condition.as_deref().unwrap_or_default());
    field("lost", letter.lost.as_deref().unwrap_or_default());
    if !letter.attributes.is_empty() {
        page.extend([String::new(), style.bold("attributes")]);
        page.extend(
            letter
                .attributes
                .iter()
                .map(|(name, value)| format!("  {} = {}", one_line(name, ABOUT_LIMIT), one_line(value, 1200))),
        );
    }
    page.extend([String::new(), style.bold("payload")]);
    page.extend(pretty(&letter.event));
    let short = letter.short();
    page.extend([String::new(), style.bold("look further")]);
    if letter.lost.is_none() {
        page.push(format!("  tidegate dlq replay {short}"));
    }
    page.push(format!("  tidegate dlq drop {short}"));
    page.join("\n")
}

/// JSON with its indentation, without what would move a terminal's cursor.
fn pretty(event: &serde_json::Value) -> Vec<String> {
    let text = serde_json::to_string_pretty(event).unwrap_or_default();
    let clean = |line: &str| {
        let words = line.trim_start_matches(' ');
        format!("  {}{}", " ".repeat(line.len() - words.len()), one_line(words, LINE_LIMIT))
    };
    let mut all: Vec<String> = text.lines().take(LINES).map(clean).collect();
    let more = text.lines().count().saturating_sub(LINES);
    if more > 0 || all.iter().any(|line| line.ends_with('…')) {
        all.push("  (cut; whole with --output json)".to_owned());
    }
    all
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fixtures::{at, golden};
    use super::*;
    use crate::dlq::samples::{failed, firing, read};

    fn views() -> Vec<QueueView> {
        let view = |name: &str, kind, function, messages| QueueView {
            name: format!("tidegate-{name}"),
            kind,
            function,
            messages,
            approximately: messages,
            oldest: (messages > 0).then(|| at(0)),
        };
        vec![
            view("on-data-arrival-failed", Kind::Failed, "on-data-arrival", 1),
            view("on-data-arrival-undelivered", Kind::Undelivered, "on-data-arrival", 0),
            view("schedule-undelivered", Kind::Firing, "on-schedule", 1),
        ]
    }

    #[test]
    fn dead_letters_are_listed_by_queue_and_one_by_one() {
        let (one, other) = (failed(), firing());
        golden("dlq-list", &list(&views(), &[&one, &other], Style::new(false), None, at(180)));
        assert!(list(&views(), &[], Style::new(false), None, at(180)).ends_with("no dead letters"));
    }

    #[test]
    fn a_dead_letter_is_shown_whole() {
        golden("dlq-failed", &letter(&failed(), Style::new(false), at(180)));
        golden("dlq-firing", &letter(&firing(), Style::new(false), at(180)));
    }

    #[test]
    fn nothing_in_an_event_reaches_the_terminal_as_a_command() {
        let nonsense = format!("\u{1b}[2J\u{9b}31m\u{202e}{}", "x".repeat(250 * 1024));
        let record = json!({"requestPayload": {"detail": nonsense}, "responsePayload": {"errorMessage": nonsense}});
        let poison = read("on-data-arrival-failed", record.to_string(), &[]);
        let shown = letter(&poison, Style::new(false), at(0)) + &list(&[], &[&poison], Style::new(false), None, at(0));
        assert!(!shown.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{shown}");
        assert!(shown.len() < 5000 && shown.contains("whole with --output json"), "{}", shown.len());
    }
}
