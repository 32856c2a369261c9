//! One run.

use jiff::Timestamp;
use statemachine::run::{Phase, RunId};
use statemachine::text::one_line;

use super::{Style, time};
use crate::view::{EndpointView, RunView};

/// The longest text from outside in one line, in characters.
const LIMIT: usize = 1200;

/// All that is known of a run, and the commands to look further.
pub(crate) fn text(run: &RunView, style: Style, now: Timestamp) -> String {
    let mut page = Page { style, lines: Vec::new() };
    header(&mut page, run, now);
    inputs(&mut page, run);
    timeline(&mut page, run);
    gate(&mut page, run);
    pending(&mut page, run, now);
    further(&mut page, run);
    page.lines.join("\n")
}

struct Page {
    style: Style,
    lines: Vec<String>,
}

impl Page {
    fn line(&mut self, line: String) {
        self.lines.push(line);
    }

    fn title(&mut self, title: &str) {
        self.lines.push(String::new());
        self.lines.push(self.style.bold(title));
    }

    fn field(&mut self, name: &str, value: &str) {
        self.lines.push(format!("  {} {}", self.style.dim(&format!("{name:<11}")), one_line(value, LIMIT)));
    }

    fn optional(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.field(name, value);
        }
    }
}

fn header(page: &mut Page, run: &RunView, now: Timestamp) {
    let summary = &run.summary;
    page.line(format!("run {}  {}", page.style.bold(summary.id.as_str()), page.style.phase(summary.phase)));
    page.field("pipeline", &summary.pipeline);
    page.field("trigger", &summary.trigger.to_string());
    let created = format!("{} ({})", time::stamp(summary.created), time::ago(summary.created, now));
    page.field("created", &created);
    page.field("took", &time::span(summary.created, summary.ended.unwrap_or(now)));
    if let Some(until) = run.collects_until {
        page.field("collects", &format!("objects until {}, unless more come", time::stamp(until)));
    }
    if let Some(deadline) = run.deadline {
        let late = if deadline < now { ": it is late" } else { "" };
        page.field("deadline", &format!("{}{late}", time::stamp(deadline)));
    }
    if let Some(stop) = run.stop.as_deref().filter(|_| !summary.phase.is_end()) {
        page.field("stop", &format!("it is being stopped: {stop}"));
    }
    if let Some(arn) = &summary.execution {
        let status = run.execution_status.map(|status| format!(" ({})", status.as_str())).unwrap_or_default();
        page.field("execution", &format!("{arn}{status}"));
    }
    page.field("code", &run.code);
    page.field("definition", &run.definition);
    page.optional("model", run.model.as_deref());
    page.optional("package", summary.package.as_deref());
    if let Some(approval) = &run.approval {
        page.field("approval", &format!("{:?} {}", approval.decision, time::stamp(approval.at)));
    }
    if let Some(endpoint) = &run.endpoint_now {
        page.field("endpoint", &format!("{}: {}", endpoint.name, endpoint_words(endpoint, &summary.id)));
    }
    if let Some(reason) = &summary.reason {
        let reason = page.style.red(&one_line(reason, LIMIT));
        let name = page.style.dim(&format!("{:<11}", "why"));
        page.line(format!("  {name} {reason}"));
    }
}

fn endpoint_words(endpoint: &EndpointView, run: &RunId) -> String {
    let live = match (&endpoint.live, endpoint.since) {
        (Some(live), Some(since)) if live == run => format!("this run's model answers since {}", time::stamp(since)),
        (Some(live), Some(since)) => format!("the model of run {live} answers since {}", time::stamp(since)),
        _ => "nothing answers yet".to_owned(),
    };
    match &endpoint.deploying {
        Some(deploying) if deploying == run => format!("{live}; this run's model is being rolled out"),
        Some(deploying) => format!("{live}; that of run {deploying} is being rolled out"),
        None => live,
    }
}

fn inputs(page: &mut Page, run: &RunView) {
    page.title("inputs");
    page.line(format!("  {}", one_line(&run.inputs.uri, LIMIT)));
    let exact = if run.inputs.exact { "exactly" } else { "seen there when the run was adopted" };
    for object in &run.inputs.objects {
        let about = page.style.dim(&format!("({} bytes, {exact})", object.size));
        page.line(format!("  {} {about}", one_line(&object.to_string(), LIMIT)));
    }
    if !run.parameters.is_empty() {
        page.title("parameters");
        for (name, value) in &run.parameters {
            page.line(format!("  {} = {}", one_line(name, LIMIT), one_line(value, LIMIT)));
        }
    }
}

fn timeline(page: &mut Page, run: &RunView) {
    page.title("timeline");
    for fact in &run.timeline {
        let after = format!("+{}", time::span(run.summary.created, fact.at));
        let at = page.style.dim(&format!("{}  {after:<9}", time::clock(fact.at)));
        page.line(format!("  {at} {}", one_line(&fact.what, LIMIT)));
    }
}

fn gate(page: &mut Page, run: &RunView) {
    let Some(gate) = &run.gate else { return };
    page.title(if gate.passed { "gate passed" } else { "gate failed" });
    for check in &gate.checks {
        let sign = if check.passed { page.style.green("✓") } else { page.style.red("✗") };
        page.line(format!("  {sign} {}", one_line(&check.explanation, LIMIT)));
    }
}

fn pending(page: &mut Page, run: &RunView, now: Timestamp) {
    if run.pending.is_empty() {
        return;
    }
    page.title("still to be done");
    for pending in &run.pending {
        let who = match (pending.claimed_until, pending.waits_until) {
            (Some(until), _) if until > now => format!("a function is at it until {}", time::clock(until)),
            (Some(until), _) => format!("a function was at it until {}", time::clock(until)),
            (None, Some(until)) => {
                let times =
                    if pending.attempts == 1 { "once".to_owned() } else { format!("{} times", pending.attempts) };
                format!("AWS had no room for it {times}; it waits until {}", time::clock(until))
            }
            (None, None) => "nobody is at it".to_owned(),
        };
        page.line(format!("  {} ({who})", one_line(&pending.command, LIMIT)));
    }
}

fn further(page: &mut Page, run: &RunView) {
    page.title("look further");
    let summary = &run.summary;
    let mut commands = vec![format!("tidegate why {}", summary.id), format!("tidegate lineage run:{}", summary.id)];
    if summary.phase == Phase::AwaitingApproval {
        commands.push(format!("tidegate approve {}", summary.id));
    }
    if !summary.phase.is_end() {
        commands.push(format!("tidegate run {} --wait", summary.id));
    }
    if let Some(arn) = &summary.execution {
        commands.push(format!("aws sagemaker list-pipeline-execution-steps --pipeline-execution-arn {arn}"));
    }
    if let Some(report) = &run.report {
        commands.push(format!("aws s3 cp {report} -"));
    }
    for command in commands {
        page.line(format!("  {}", one_line(&command, LIMIT)));
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{at, failed, golden, live, rejected, running};
    use super::*;
    use statemachine::{Endpoint, Run};

    fn shown((run, endpoint): &(Run, Endpoint)) -> String {
        text(&RunView::of(run, Some(endpoint)), Style::new(false), at(3720))
    }

    #[test]
    fn a_run_that_went_live_is_told_whole() {
        golden("run-live", &shown(&live()));
    }

    #[test]
    fn a_rejected_run_tells_which_check_failed() {
        golden("run-rejected", &shown(&rejected()));
    }

    #[test]
    fn a_failed_run_tells_step_and_reason_and_no_escape_sequence() {
        let text = shown(&failed());
        golden("run-failed", &text);
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'));
    }

    #[test]
    fn a_run_under_way_can_be_waited_for() {
        let text = shown(&running());
        assert!(text.contains("tidegate run m-") || text.contains("tidegate run a-"), "{text}");
        assert!(text.contains("--wait"), "{text}");
    }
}
