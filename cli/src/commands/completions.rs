//! `tidegate completions`

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::args::Cli;
use crate::context::Context;
use crate::error::Error;

/// For which shell.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  tidegate completions bash > ~/.local/share/bash-completion/completions/tidegate")]
pub(crate) struct Arguments {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<(), Error> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "tidegate", &mut script);
    context.terminal.print(&String::from_utf8_lossy(&script))
}
