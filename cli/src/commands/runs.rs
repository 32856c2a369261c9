//! `tidegate runs`

use std::num::NonZeroUsize;

use statemachine::run::Phase;

use crate::context::Context;
use crate::error::Error;
use crate::render;
use crate::view::RunSummary;

/// Which runs.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  tidegate runs\n  tidegate runs --pipeline breast-cancer --limit 5 --output json\n  \
                        tidegate runs --phase failed"
)]
pub(crate) struct Arguments {
    /// Only those of this pipeline
    #[arg(long, short, value_name = "NAME")]
    pipeline: Option<String>,
    /// How many at most, newest first
    #[arg(long, short = 'n', value_name = "N", default_value = "20")]
    limit: NonZeroUsize,
    /// Only those in this phase, such as `failed` or `awaiting-approval`; of the newest 1000 of each pipeline
    #[arg(long, value_name = "PHASE", value_parser = phase)]
    phase: Option<Phase>,
}

/// The most runs of one pipeline that are looked through for those of a phase.
const SEARCHED: usize = 1000;

fn phase(text: &str) -> Result<Phase, String> {
    let wanted = text.replace(['-', '_'], " ");
    Phase::ALL.into_iter().find(|phase| phase.words() == wanted).ok_or_else(|| {
        let names: Vec<String> = Phase::ALL.iter().map(|phase| phase.words().replace(' ', "-")).collect();
        format!("accepted are {}", names.join(", "))
    })
}

pub(crate) async fn run(context: &Context, arguments: &Arguments) -> Result<(), Error> {
    let session = context.session().await?;
    let ledger = session.ledger();
    let limit = arguments.limit.get();
    let names = match &arguments.pipeline {
        Some(name) => vec![name.clone()],
        None => ledger.pipelines().await?.into_iter().map(|pipeline| pipeline.name).collect(),
    };
    let (mut runs, mut more) = (Vec::new(), false);
    for name in &names {
        let page = ledger.runs(name, if arguments.phase.is_some() { SEARCHED } else { limit }).await?;
        more |= page.more;
        runs.extend(page.runs.into_iter().filter(|run| arguments.phase.is_none_or(|phase| run.phase == phase)));
    }
    if let (Some(name), true) = (&arguments.pipeline, runs.is_empty()) {
        let pipelines = ledger.pipelines().await?;
        if !pipelines.iter().any(|pipeline| pipeline.name == *name) {
            return Err(super::drop::unknown(&pipelines, name));
        }
    }
    runs.sort_by(|a, b| (b.created, &b.id).cmp(&(a.created, &a.id)));
    more |= runs.len() > limit;
    runs.truncate(limit);
    let runs: Vec<RunSummary> = runs.iter().map(RunSummary::of).collect();
    let terminal = &context.terminal;
    terminal.show(&runs, || render::runs::text(&runs, terminal.style(), terminal.width(), jiff::Timestamp::now()))?;
    if more && !terminal.is_json() {
        terminal.note(&format!("there are more: --limit {}", limit.saturating_mul(5)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_is_named_as_it_is_shown() {
        assert_eq!(phase("awaiting-approval"), Ok(Phase::AwaitingApproval));
        assert_eq!(phase("rolled_back"), Ok(Phase::RolledBack));
        assert!(phase("dead").unwrap_err().contains("awaiting-approval, "));
    }
}
