//! `tidegate plan`

use std::path::PathBuf;

use handlers::apply::{self, Deployment, ProjectFiles};

use crate::context::Context;
use crate::error::Error;
use crate::render;

/// Which pipeline.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  tidegate plan pipelines/breast-cancer\n  tidegate plan --output json | jq .changes"
)]
pub(crate) struct Arguments {
    /// The folder with pipeline.yaml
    #[arg(default_value = ".")]
    dir: PathBuf,
}

pub(crate) async fn run(context: &Context, arguments: &Arguments) -> Result<(), Error> {
    let files = read(&arguments.dir)?;
    let session = context.session().await?;
    let ledger = session.ledger();
    let deployment = Deployment::load(&ledger).await?;
    let plan = apply::plan(&session.aws, &ledger, &deployment, &files).await?;
    for warning in &plan.warnings {
        context.terminal.warn(warning);
    }
    context.terminal.show(&plan, || render::plan::plan(&plan, context.terminal.style()))
}

/// Reads a folder and checks its configuration before any cloud is asked, so that mistakes are told without one.
pub(super) fn read(dir: &std::path::Path) -> Result<ProjectFiles, Error> {
    let files = ProjectFiles::from_dir(dir).map_err(apply::ApplyError::from)?;
    apply::pipeline_name(&files)?;
    Ok(files)
}
