//! `tidegate local`: the cloud on this machine.

pub(crate) mod deploy;
mod down;
mod engine;
mod env;
mod fingerprint;
mod idp;
mod inbox;
mod logs;
mod status;
mod up;

use crate::context::Context;
use crate::error::Error;
use crate::interrupt;

/// What to do with it.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

impl Arguments {
    /// Whether it serves until it is stopped.
    pub(crate) fn is_server(&self) -> bool {
        match &self.command {
            Command::Engine(_) => true,
            Command::Idp(arguments) => arguments.is_server(),
            _ => false,
        }
    }
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Start it, and deploy the orchestrator into it
    Up(up::Arguments),
    /// Stop it; what it holds is kept for the next start
    Down(down::Arguments),
    /// Show what runs
    Status,
    /// Show logs: of the servers, a function, or a training or processing job
    Logs(logs::Arguments),
    /// Print the variables that turn the AWS CLI and SDKs to it, for `eval "$(tidegate local env)"`
    Env,
    /// Show the alerts that were sent
    Inbox,
    /// Run an identity provider that signs people of a file in, without a password, until it is stopped
    Idp(idp::Arguments),
    /// Run the SageMaker engine alone
    #[command(hide = true)]
    Engine(engine::Arguments),
}

pub(crate) async fn run(context: &Context, arguments: &Arguments) -> Result<(), Error> {
    match &arguments.command {
        Command::Up(arguments) => up::run(context, arguments).await,
        Command::Down(arguments) => down::run(context, arguments).await,
        Command::Status => interrupt::guard(status::run(context)).await,
        Command::Logs(arguments) => interrupt::guard(logs::run(context, arguments)).await,
        Command::Env => interrupt::guard(env::run(context)).await,
        Command::Inbox => inbox::run(context),
        Command::Idp(arguments) => idp::run(context, arguments).await,
        Command::Engine(arguments) => engine::run(context, arguments).await,
    }
}
