//! Alerts that were received.

use local::inbox::Message;
use statemachine::text::one_line;

use super::{Style, time};

const LIMIT: usize = 1200;

/// Each with its text, in the order of time.
pub(crate) fn text(messages: &[Message], style: Style) -> String {
    if messages.is_empty() {
        return "the inbox is empty".to_owned();
    }
    let mut lines = Vec::new();
    for message in messages {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        let subject = one_line(message.subject.as_deref().unwrap_or("(no subject)"), LIMIT);
        lines.push(format!("{}  {}", style.dim(&time::stamp(message.time)), style.bold(&subject)));
        // Columns within a line are the writer's.
        lines.extend(message.message.lines().map(|line| format!("  {}", clean(line)).trim_end().to_owned()));
    }
    lines.join("\n")
}

/// Without what a terminal would act upon.
fn clean(line: &str) -> String {
    line.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LIMIT).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn alerts_are_shown_with_their_text() {
        let message = Message {
            message_id: "1".into(),
            topic_arn: "arn".into(),
            subject: Some("Tidegate: tumours failed".into()),
            message: "Pipeline:   tumours\nReason:     no\u{1b}[2J\n\nTo look further".into(),
            time: jiff::Timestamp::from_second(1_700_000_000).unwrap(),
            attributes: BTreeMap::new(),
        };
        let expected = "2023-11-14 22:13:20Z  Tidegate: tumours failed\n  Pipeline:   tumours\n  Reason:     no [2J\n\n  \
                        To look further";
        assert_eq!(text(&[message], Style::new(false)), expected);
        assert_eq!(text(&[], Style::new(false)), "the inbox is empty");
    }
}
