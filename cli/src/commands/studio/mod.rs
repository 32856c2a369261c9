//! `tidegate studio`: what an administrator asks before a Studio domain is made or changed.

mod check;
mod plan_ips;

use crate::context::Context;
use crate::error::Error;

/// What to ask.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Compare domain files with what is deployed, before anything is changed
    Check(check::Arguments),
    /// Plan the addresses of a domain's VPC and subnets
    PlanIps(plan_ips::Arguments),
}

pub(crate) async fn run(context: &Context, arguments: &Arguments) -> Result<(), Error> {
    match &arguments.command {
        Command::Check(arguments) => check::run(context, arguments).await,
        Command::PlanIps(arguments) => plan_ips::run(context, arguments),
    }
}
