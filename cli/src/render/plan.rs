//! What an apply would change, or has changed.

use handlers::apply::{Action, Applied, Plan};
use similar::{ChangeTag, TextDiff};
use statemachine::text::one_line;

use super::Style;

/// Unchanged lines shown around a change of the definition.
const AROUND: usize = 3;
const LIMIT: usize = 400;

/// A plan, with the definition's difference line by line.
pub(crate) fn plan(plan: &Plan, style: Style) -> String {
    let mut lines = vec![format!("pipeline {}", style.bold(&one_line(&plan.pipeline, LIMIT)))];
    for change in &plan.changes {
        lines.push(format!("  {} {}", sign(change.action, style), one_line(&change.what, LIMIT)));
        for detail in &change.details {
            lines.push(format!("      {}", style.dim(&one_line(detail, LIMIT))));
        }
    }
    let before = plan.definition_before.as_deref().map(pretty);
    let after = pretty(&plan.definition_after);
    match before {
        Some(before) if before != after => {
            lines.push(String::new());
            lines.push(style.bold("definition"));
            difference(&before, &after, style, &mut lines);
        }
        _ => {}
    }
    lines.push(String::new());
    lines.push(summary(plan));
    lines.join("\n")
}

fn summary(plan: &Plan) -> String {
    if plan.is_empty() {
        return "nothing to change".to_owned();
    }
    let count = |action| plan.changes.iter().filter(|change| change.action == action).count();
    format!(
        "{} to create, {} to update, {} to delete; `tidegate apply` does it",
        count(Action::Create),
        count(Action::Update),
        count(Action::Delete)
    )
}

/// What was done.
pub(crate) fn applied(applied: &Applied, style: Style) -> String {
    let mut lines = vec![
        format!("{} pipeline {}", sign(applied.action, style), style.bold(&one_line(&applied.pipeline, LIMIT))),
        format!("    {}", style.dim(&applied.pipeline_arn)),
        format!("    {} {}", style.dim("code"), applied.code_hash),
        format!("    {} {}", style.dim("definition"), applied.definition_hash),
    ];
    for (name, action) in &applied.schedules {
        lines.push(format!("{} schedule {}", sign(*action, style), one_line(name, LIMIT)));
    }
    lines.join("\n")
}

fn sign(action: Action, style: Style) -> String {
    match action {
        Action::Create => style.green("+"),
        Action::Update => style.yellow("~"),
        Action::Delete => style.red("-"),
        Action::Keep => style.dim("="),
    }
}

/// One value a line, so that a difference is small.
fn pretty(definition: &str) -> String {
    let value = serde_json::from_str::<serde_json::Value>(definition);
    value.ok().and_then(|value| serde_json::to_string_pretty(&value).ok()).unwrap_or_else(|| definition.to_owned())
}

fn difference(before: &str, after: &str, style: Style, lines: &mut Vec<String>) {
    let diff = TextDiff::from_lines(before, after);
    for (position, group) in diff.grouped_ops(AROUND).iter().enumerate() {
        if position > 0 {
            lines.push(style.dim("  ..."));
        }
        for change in group.iter().flat_map(|operation| diff.iter_changes(operation)) {
            let line = change.value().trim_end();
            lines.push(match change.tag() {
                ChangeTag::Delete => style.red(&format!("- {line}")),
                ChangeTag::Insert => style.green(&format!("+ {line}")),
                ChangeTag::Equal => style.dim(&format!("  {line}")),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use handlers::apply::Change;

    use super::super::fixtures::golden;
    use super::*;

    fn change(action: Action, what: &str, details: &[&str]) -> Change {
        Change { action, what: what.into(), details: details.iter().map(|detail| (*detail).to_owned()).collect() }
    }

    fn example() -> Plan {
        Plan {
            pipeline: "tumours".into(),
            code_hash: "c0de".into(),
            definition_hash: "def1".into(),
            changes: vec![
                change(Action::Create, "code c0de", &["s3://data/code/tumours/c0de/src/train.py"]),
                change(Action::Update, "pipeline `tumours`", &["definition"]),
                change(Action::Keep, "schedule `nightly`", &[]),
                change(Action::Delete, "schedule `hourly`", &[]),
            ],
            warnings: vec![],
            definition_before: Some(r#"{"Version":"2020-12-01","Steps":[{"Name":"train","Rounds":7}]}"#.into()),
            definition_after: r#"{"Version":"2020-12-01","Steps":[{"Name":"train","Rounds":8}]}"#.into(),
        }
    }

    #[test]
    fn a_plan_shows_what_would_change() {
        golden("plan", &plan(&example(), Style::new(false)));
    }

    #[test]
    fn a_plan_without_changes_says_so() {
        let mut nothing = example();
        nothing.changes.retain(|change| change.action == Action::Keep);
        nothing.definition_after = nothing.definition_before.clone().unwrap();
        let text = plan(&nothing, Style::new(false));
        assert_eq!(text, "pipeline tumours\n  = schedule `nightly`\n\nnothing to change");
    }
}
