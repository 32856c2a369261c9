//! `tidegate runs`

use std::num::NonZeroUsize;

use crate::context::Context;
use crate::error::Error;
use crate::render;
use crate::view::RunSummary;

/// Which runs.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  tidegate runs\n  tidegate runs --pipeline breast-cancer --limit 5 --output json")]
pub(crate) struct Arguments {
    /// Only those of this pipeline
    #[arg(long, short, value_name = "NAME")]
    pipeline: Option<String>,
    /// How many at most, newest first
    #[arg(long, short = 'n', value_name = "N", default_value = "20")]
    limit: NonZeroUsize,
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
        let page = ledger.runs(name, limit).await?;
        more |= page.more;
        runs.extend(page.runs);
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
