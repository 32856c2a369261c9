//! What becomes of a manifest's profiles and spaces in a domain.

use comfy_table::{Cell, Color};

use super::{Style, table};
use crate::studio::restore::apply::Failure;
use crate::studio::restore::{Action, Difference, Item, Plan};

/// What is done, or would be; then how the domains themselves differ.
pub(crate) fn text(plan: &Plan, failures: &[Failure], dry_run: bool, style: Style, width: Option<u16>) -> String {
    let mut rows = table::empty(style, width, &["WHAT", "NAME", "ACTION", "DIFFERS IN", "MANIFEST", "DOMAIN"]);
    for item in &plan.items {
        let (words, colour) =
            if has_failed(item, failures) { ("failed", Color::Red) } else { words(&item.action, dry_run) };
        let first = [Cell::new(item.kind.words()), Cell::new(&item.name), Cell::new(words).fg(colour)];
        match (&item.action, item.differences.as_slice()) {
            (Action::Stop { why }, _) => drop(rows.add_row(first.into_iter().chain([Cell::new(why)]))),
            (_, []) => drop(rows.add_row(first)),
            (_, differences) => {
                for (number, difference) in differences.iter().enumerate() {
                    let lead = if number == 0 { first.to_vec() } else { vec![Cell::new(""); 3] };
                    rows.add_row(lead.into_iter().chain(cells(difference)));
                }
            }
        }
    }
    let mut text = table::lines(rows, &[0, 1, 2], &[]);
    if !plan.domain.is_empty() {
        let mut rows = table::empty(style, width, &["THE DOMAINS DIFFER IN", "MANIFEST", "DOMAIN"]);
        for difference in &plan.domain {
            rows.add_row(cells(difference));
        }
        text = format!("{text}\n\n{}", table::lines(rows, &[0], &[]));
    }
    format!("{text}\n\n{}", counts(&plan.items, failures, dry_run))
}

fn cells(difference: &Difference) -> [Cell; 3] {
    let shown = |value: &Option<String>| Cell::new(value.as_deref().unwrap_or("-"));
    [Cell::new(&difference.at), shown(&difference.wanted), shown(&difference.found)]
}

fn words(action: &Action, dry_run: bool) -> (&'static str, Color) {
    match (action, dry_run) {
        (Action::Make { .. }, true) => ("would be made", Color::Cyan),
        (Action::Make { .. }, false) => ("made", Color::Green),
        (Action::Update { .. }, true) => ("would be updated", Color::Cyan),
        (Action::Update { .. }, false) => ("updated", Color::Green),
        (Action::Adopt, _) => ("is there", Color::Green),
        (Action::Leave, _) => ("differs, left as it is", Color::Yellow),
        (Action::Stop { .. }, _) => ("not restored", Color::Red),
    }
}

fn has_failed(item: &Item, failures: &[Failure]) -> bool {
    failures.iter().any(|failure| (failure.kind, &failure.name) == (item.kind, &item.name))
}

fn counts(items: &[Item], failures: &[Failure], dry_run: bool) -> String {
    let kinds: [fn(&Action) -> bool; 5] = [
        |action| matches!(action, Action::Make { .. }),
        |action| matches!(action, Action::Update { .. }),
        |action| matches!(action, Action::Adopt),
        |action| matches!(action, Action::Leave),
        |action| matches!(action, Action::Stop { .. }),
    ];
    let counts = kinds.iter().filter_map(|is| {
        let of: Vec<&Item> = items.iter().filter(|item| is(&item.action) && !has_failed(item, failures)).collect();
        Some(format!("{} {}", of.len(), words(&of.first()?.action, dry_run).0))
    });
    let failed = items.iter().filter(|item| has_failed(item, failures)).count();
    let counts: Vec<String> = counts.chain((failed > 0).then(|| format!("{failed} failed"))).collect();
    if counts.is_empty() { "the manifest has no profiles and no spaces".to_owned() } else { counts.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::golden;
    use super::*;
    use crate::studio::backup::Kind;

    fn plan() -> Plan {
        let item = |kind, name: &str, action, differences| Item { kind, name: name.into(), action, differences };
        let difference = |at: &str, wanted: Option<&str>, found: Option<&str>| Difference {
            at: at.into(),
            wanted: wanted.map(str::to_owned),
            found: found.map(str::to_owned),
            can_update: true,
        };
        let role =
            difference("UserSettings.ExecutionRole", Some("arn:aws:iam::1:role/a"), Some("arn:aws:iam::1:role/b"));
        let tag = difference("tags.DomainName", Some("new"), None);
        let why = "the profile there is of `x` by its tag `studiouserid`, and the manifest's of `cat`".to_owned();
        Plan {
            items: vec![
                item(Kind::Profile, "ann", Action::Make { members: Default::default() }, vec![]),
                item(Kind::Profile, "bob", Action::Leave, vec![role, tag]),
                item(Kind::Profile, "cat", Action::Stop { why }, vec![]),
                item(Kind::Profile, "dan", Action::Adopt, vec![]),
                item(Kind::Space, "lab", Action::Make { members: Default::default() }, vec![]),
            ],
            domain: vec![difference("domain.VpcId", Some("vpc-1"), Some("vpc-2"))],
            warnings: vec![],
        }
    }

    #[test]
    fn e4_what_would_become_of_each_is_a_table() {
        golden("restore-dry-run", &text(&plan(), &[], true, Style::new(false), None));
    }

    #[test]
    fn e4_what_failed_is_not_called_made() {
        let why = "space `lab` cannot be made: AccessDeniedException: no".to_owned();
        let failures = [Failure { kind: Kind::Space, name: "lab".into(), why }];
        golden("restore-failed", &text(&plan(), &failures, false, Style::new(false), None));
    }
}
