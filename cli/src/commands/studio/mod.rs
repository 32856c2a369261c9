//! `tidegate studio`: what an administrator asks before a Studio domain is made or changed, and does when one is lost.

mod backup;
mod check;
mod plan_ips;
mod restore;

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
    /// Write down what a domain holds: profiles, spaces, user ids, roles, settings, tags
    Backup(backup::Arguments),
    /// Make what a manifest has in another domain, and a script that copies the home folders
    Restore(restore::Arguments),
}

pub(crate) async fn run(context: &Context, arguments: &Arguments) -> Result<(), Error> {
    match &arguments.command {
        Command::Check(arguments) => check::run(context, arguments).await,
        Command::PlanIps(arguments) => plan_ips::run(context, arguments),
        Command::Backup(arguments) => backup::run(context, arguments).await,
        Command::Restore(arguments) => restore::run(context, arguments).await,
    }
}
