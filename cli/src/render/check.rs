//! What a check of domain files found.

use comfy_table::{Cell, Color};

use super::{Style, table};
use crate::studio::check::{Finding, Severity};

/// The worst first, as given.
pub(crate) fn text(findings: &[Finding], style: Style, width: Option<u16>) -> String {
    let mut rows = table::empty(style, width, &["VERDICT", "DOMAIN", "WHAT", "DEPLOYED", "FILE", "MEANING"]);
    for finding in findings {
        rows.add_row([
            Cell::new(finding.severity.words()).fg(colour(finding.severity)),
            Cell::new(finding.domain.as_deref().unwrap_or_default()),
            Cell::new(&finding.what),
            Cell::new(finding.deployed.as_deref().unwrap_or_default()),
            Cell::new(finding.wanted.as_deref().unwrap_or_default()),
            Cell::new(&finding.meaning),
        ]);
    }
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let counts = [Severity::Stops, Severity::Warns, Severity::NotChecked, Severity::Fine]
        .map(|severity| format!("{} {}", count(severity), severity.words()));
    format!("{}\n\n{}", table::lines(rows, &[0], &[]), counts.join(", "))
}

fn colour(severity: Severity) -> Color {
    match severity {
        Severity::Stops => Color::Red,
        Severity::Warns => Color::Yellow,
        Severity::NotChecked => Color::Cyan,
        Severity::Fine => Color::Green,
    }
}
