//! `tidegate apply`

use std::path::PathBuf;

use handlers::apply::{self, Deployment};

use crate::context::Context;
use crate::error::Error;
use crate::render;

/// Which pipeline.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  tidegate apply pipelines/breast-cancer\n  tidegate --aws apply")]
pub(crate) struct Arguments {
    /// The folder with pipeline.yaml
    #[arg(default_value = ".")]
    dir: PathBuf,
}

pub(crate) async fn run(context: &Context, arguments: &Arguments) -> Result<(), Error> {
    let files = super::plan::read(&arguments.dir)?;
    let session = context.session().await?;
    let ledger = session.ledger();
    let deployment = Deployment::load(&ledger).await?;
    let progress = context.terminal.progress(&format!("applying `{}`", files.name));
    let applied = apply::apply(&session.aws, &ledger, &deployment, &files, &|done| {
        progress.line(&format!("  {done}"));
    })
    .await?;
    progress.done(&format!("applied `{}`", files.name));
    for warning in &applied.warnings {
        context.terminal.warn(warning);
    }
    context.terminal.show(&applied, || render::plan::applied(&applied, context.terminal.style()))
}
