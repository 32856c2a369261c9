//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::commands;

const EXAMPLES: &str = "\
Examples:
  tidegate local up                              start the cloud on this machine
  tidegate apply pipelines/breast-cancer         make a pipeline as its folder says
  tidegate drop cells.csv --wait                 give it data, follow the run to its end
  tidegate runs                                  what ran, and how it ended
  tidegate why a-0123456789abcdef                why a run ran, waited, failed; also of an object or a schedule
  tidegate lineage endpoint:breast-cancer        what answers, and what it was made of

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 130 after Ctrl-C.";

/// From data in `raw/` to a live endpoint, on Amazon SageMaker or on this machine.
#[derive(Debug, Parser)]
#[command(name = "tidegate", version, after_help = EXAMPLES, max_term_width = 110, disable_help_subcommand = false)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct Globals {
    /// How results are written to standard output
    #[arg(long, short, global = true, value_enum, default_value_t = Format::Table, help_heading = "Everywhere")]
    pub(crate) output: Format,
    /// Use AWS with ordinary credentials (profile, SSO, environment) even if a local cloud runs; also
    /// TIDEGATE_TARGET=aws
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub(crate) aws: bool,
    /// The folder of the local cloud's state; by default the nearest `.tidegate` at or above the current folder
    #[arg(long, global = true, value_name = "DIR", env = "TIDEGATE_HOME", hide_env_values = true)]
    #[arg(help_heading = "Everywhere")]
    pub(crate) home: Option<PathBuf>,
    /// The ledger's DynamoDB table
    #[arg(long, global = true, value_name = "NAME", env = "TIDEGATE_TABLE", hide_env_values = true)]
    #[arg(default_value = "tidegate", help_heading = "Everywhere")]
    pub(crate) table: String,
    /// Say more on standard error; twice for debugging
    #[arg(long, short, global = true, action = clap::ArgAction::Count, help_heading = "Everywhere")]
    pub(crate) verbose: u8,
}

/// How results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The cloud on this machine: start it, look at it, stop it
    Local(commands::local::Arguments),
    /// Show what `apply` would change
    Plan(commands::plan::Arguments),
    /// Make a pipeline as its folder says: upload its scripts, create or update it and its schedules
    Apply(commands::apply::Arguments),
    /// Give a pipeline a file: upload it to where the pipeline waits for data
    Drop(commands::drop::Arguments),
    /// Start a pipeline by hand
    Start(commands::start::Arguments),
    /// List runs, newest first
    Runs(commands::runs::Arguments),
    /// Show one run: timeline, gate decision, what to look at next
    Run(commands::run::Arguments),
    /// Tell why a run, an object or a schedule came to what it came to, and what is expected next
    Why(commands::why::Arguments),
    /// Show what something was made of, or what was made of it
    Lineage(commands::lineage::Arguments),
    /// Let the model of a run go live, or refuse it
    Approve(commands::approve::Arguments),
    /// Do a run's work once more, on the same object versions
    Replay(commands::replay::Arguments),
    /// Stop a run that collects, waits or is executed
    Stop(commands::stop::Arguments),
    /// Events that did not come through: look at them, give them to their function again, drop them
    Dlq(commands::dlq::Arguments),
    /// Plan a Studio domain, check what a change would meet, keep what it holds and restore it
    Studio(commands::studio::Arguments),
    /// Tell what synthesised stacks cost a month before anybody uses them
    Cost(commands::cost::Arguments),
    /// Show on this machine what Tidegate does, with real training on real data
    Demo(commands::demo::Arguments),
    /// Print a completion script for a shell
    Completions(commands::completions::Arguments),
}

impl Command {
    /// Whether it serves until it is stopped, its log being all it has to say.
    pub(crate) fn is_server(&self) -> bool {
        matches!(self, Self::Local(arguments) if arguments.is_server())
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn global_options_are_taken_after_the_command_too() {
        let cli = Cli::try_parse_from(["tidegate", "runs", "--output", "json", "--aws"]).unwrap();
        assert_eq!((cli.globals.output, cli.globals.aws), (Format::Json, true));
    }
}
