use std::path::PathBuf;

use local::cloud::project_root;
use local::engine::EngineConfig;

use crate::context::{Context, current_folder};
use crate::error::Error;

/// As the launcher starts it.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Port on 127.0.0.1
    #[arg(long)]
    port: u16,
    /// MiniStack's URL
    #[arg(long)]
    ministack: String,
    /// The checkout
    #[arg(long)]
    root: Option<PathBuf>,
}

/// The engine ends by itself at SIGTERM and SIGINT.
pub(super) async fn run(context: &Context, arguments: &Arguments) -> Result<(), Error> {
    let home = context.home()?;
    let root = match &arguments.root {
        Some(root) => root.clone(),
        None => project_root(&current_folder()?)?,
    };
    let config = EngineConfig::of_checkout(root, home, arguments.port, &arguments.ministack);
    local::engine::run(config).await.map_err(|error| Error::failed(error.to_string()))
}
