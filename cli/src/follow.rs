//! Finding runs, and following one to its end.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use statemachine::run::{Fact, Phase, Run};
use statemachine::{RunId, text::one_line};

use crate::context::Context;
use crate::error::Error;
use crate::render;
use crate::target::{Place, Session};
use crate::view::RunView;

/// A run whose event was accepted is in the ledger within seconds, retries included within minutes.
const APPEARS_WITHIN: Duration = Duration::from_secs(180);

/// How many runs of each pipeline are searched for an abbreviated id.
const SEARCHED: usize = 1000;

/// The run of an id or of its beginning.
pub(crate) async fn find(session: &Session, id: &str) -> Result<Run, Error> {
    let ledger = session.ledger();
    let id = id.strip_prefix("run:").unwrap_or(id);
    let unknown = || {
        Error::failed(format!("there is no run `{id}`"))
            .hint("`tidegate runs` lists all; the beginning of an id is enough")
    };
    if let Ok(whole) = RunId::parse(id) {
        return Ok(ledger.run(&whole).await?.ok_or_else(unknown)?.value);
    }
    if id.is_empty() {
        return Err(unknown());
    }
    let mut found: Vec<Run> = Vec::new();
    for pipeline in ledger.pipelines().await? {
        let page = ledger.runs(&pipeline.name, SEARCHED).await?;
        // The index lags behind by moments; the run itself does not.
        found.extend(page.runs.into_iter().filter(|run| run.id.as_str().starts_with(id)));
    }
    let many: Vec<String> = found.iter().take(5).map(|run| format!("`{}`", run.id)).collect();
    match (found.pop(), found.is_empty()) {
        (Some(only), true) => Ok(ledger.run(&only.id).await?.ok_or_else(unknown)?.value),
        (Some(_), false) => Err(Error::usage(format!("`{id}` begins several runs: {}", many.join(", ")))),
        (None, _) => Err(unknown()),
    }
}

/// Whether a text may be the beginning of a run's id.
pub(crate) fn may_be_a_run(text: &str) -> bool {
    let mut rest = text.chars();
    let letter = rest.next().is_some_and(|first| "asmre".contains(first));
    letter && rest.next().is_none_or(|second| second == '-') && rest.all(|digit| digit.is_ascii_hexdigit())
}

/// Shows a run as it is now.
pub(crate) async fn show(context: &Context, session: &Session, run: &Run) -> Result<(), Error> {
    let endpoint = match &run.spec.deployment {
        Some(deployment) => session.ledger().endpoint(&deployment.endpoint).await?.map(|endpoint| endpoint.value),
        None => None,
    };
    let view = RunView::of(run, endpoint.as_ref());
    let terminal = &context.terminal;
    terminal.show(&view, || render::run::text(&view, terminal.style(), jiff::Timestamp::now()))
}

/// Follows a run to its end, telling what happens, and shows it then. A run that ended other than well is an error.
pub(crate) async fn to_the_end(context: &Context, session: &Session, id: &RunId) -> Result<(), Error> {
    to_the_end_from(context, session, id, &[]).await
}

/// The same, without telling again what is known.
pub(crate) async fn to_the_end_from(
    context: &Context,
    session: &Session,
    id: &RunId,
    known: &[Fact],
) -> Result<(), Error> {
    let run = until_the_end(context, session, id, known).await?;
    show(context, session, &run).await?;
    verdict(&run)
}

pub(crate) async fn until_the_end(
    context: &Context,
    session: &Session,
    id: &RunId,
    known: &[Fact],
) -> Result<Run, Error> {
    let pause = match session.place {
        Place::Local(_) => Duration::from_millis(300),
        Place::Aws { .. } => Duration::from_secs(3),
    };
    let ledger = session.ledger();
    let progress = context.terminal.progress(&format!("run {id}: waiting for it to begin"));
    let began = Instant::now();
    // Facts are ordered by the time they happened: one that is heard of late comes before others that were told.
    let (mut told, mut phase) = (known.iter().cloned().collect::<BTreeSet<Fact>>(), None);
    loop {
        let Some(run) = ledger.run(id).await?.map(|run| run.value) else {
            if began.elapsed() > APPEARS_WITHIN {
                return Err(Error::failed(format!("run {id} did not begin within {} s", APPEARS_WITHIN.as_secs()))
                    .hint("look at the functions' logs: `tidegate local logs on-data-arrival`, or CloudWatch Logs"));
            }
            tokio::time::sleep(pause).await;
            continue;
        };
        for fact in &run.facts {
            if !told.insert(fact.clone()) {
                continue;
            }
            progress.line(&format!("  {}  {}", render::time::clock(fact.at), one_line(&fact.what, 300)));
        }
        if phase != Some(run.phase) {
            phase = Some(run.phase);
            if run.phase == Phase::AwaitingApproval {
                progress.line(&format!("  a person must approve: `tidegate approve {id}`, or with --reject"));
            }
            if !run.phase.is_end() {
                progress.say(&format!("run {id}: {}", run.phase));
            }
        }
        if run.phase.is_end() {
            return Ok(run);
        }
        tokio::time::sleep(pause).await;
    }
}

/// Whether a run that ended did what it was for.
fn verdict(run: &Run) -> Result<(), Error> {
    match run.phase {
        Phase::Live | Phase::Succeeded => Ok(()),
        phase => {
            let summary = crate::view::RunSummary::of(run);
            let reason = summary.reason.map(|reason| format!(": {reason}")).unwrap_or_default();
            Err(Error::failed(format!("run {} ended {phase}{reason}", run.id)))
        }
    }
}
