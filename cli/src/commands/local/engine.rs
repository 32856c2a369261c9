use std::path::PathBuf;

use local::cloud::project_root;
use local::engine::EngineConfig;
use local::faults::Proxies;

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
    /// Ports on 127.0.0.1 of the proxies in which requests of functions go wrong: before MiniStack, before the engine
    #[arg(long, num_args = 2, value_name = "PORT")]
    faults_ports: Vec<u16>,
    /// Where the chance of faults begins
    #[arg(long, default_value_t = 1)]
    faults_seed: u64,
}

/// The engine ends by itself at SIGTERM and SIGINT.
pub(super) async fn run(context: &Context, arguments: &Arguments) -> Result<(), Error> {
    let home = context.home()?;
    let root = match &arguments.root {
        Some(root) => root.clone(),
        None => project_root(&current_folder()?)?,
    };
    let faults = match *arguments.faults_ports {
        [ministack_port, engine_port] => Some(Proxies { ministack_port, engine_port, seed: arguments.faults_seed }),
        _ => None,
    };
    let config = EngineConfig { faults, ..EngineConfig::of_checkout(root, home, arguments.port, &arguments.ministack) };
    local::engine::run(config).await.map_err(|error| Error::failed(error.to_string()))
}
