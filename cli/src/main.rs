//! `tidegate`, for people: applies pipelines, drops data, follows runs, and runs the cloud on one machine.
//!
//! What a command finds goes to standard output, everything said on the way to standard error. Exit codes: 0 done,
//! 1 failed, 2 wrong usage or configuration, 130 after Ctrl-C.

mod args;
mod ask;
mod commands;
mod context;
mod cost;
mod dlq;
mod error;
mod follow;
mod home;
mod infra;
mod interrupt;
mod progress;
mod render;
mod ssm;
mod studio;
mod target;
mod terminal;
mod view;
mod why;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Cli, Command};
use context::Context;
use error::Error;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let context = Context::new(&cli.globals);
    context.terminal.start_log(cli.command.is_server());
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return context.terminal.fail(&Error::failed(format!("cannot start the runtime: {error}"))),
    };
    match runtime.block_on(run(&context, &cli.command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => context.terminal.fail(&error),
    }
}

async fn run(context: &Context, command: &Command) -> Result<(), Error> {
    match command {
        // These end by themselves at a signal, and have something to stop first.
        Command::Local(arguments) => commands::local::run(context, arguments).await,
        Command::Demo(arguments) => commands::demo::run(context, arguments).await,
        Command::Plan(arguments) => interrupt::guard(commands::plan::run(context, arguments)).await,
        Command::Apply(arguments) => interrupt::guard(commands::apply::run(context, arguments)).await,
        Command::Drop(arguments) => interrupt::guard(commands::drop::run(context, arguments)).await,
        Command::Start(arguments) => interrupt::guard(commands::start::run(context, arguments)).await,
        Command::Runs(arguments) => interrupt::guard(commands::runs::run(context, arguments)).await,
        Command::Run(arguments) => interrupt::guard(commands::run::run(context, arguments)).await,
        Command::Lineage(arguments) => interrupt::guard(commands::lineage::run(context, arguments)).await,
        Command::Approve(arguments) => interrupt::guard(commands::approve::run(context, arguments)).await,
        Command::Why(arguments) => interrupt::guard(commands::why::run(context, arguments)).await,
        Command::Replay(arguments) => interrupt::guard(commands::replay::run(context, arguments)).await,
        Command::Stop(arguments) => interrupt::guard(commands::stop::run(context, arguments)).await,
        Command::Dlq(arguments) => commands::dlq::run(context, arguments).await,
        Command::Studio(arguments) => interrupt::guard(commands::studio::run(context, arguments)).await,
        Command::Cost(arguments) => interrupt::guard(commands::cost::run(context, arguments)).await,
        Command::Completions(arguments) => commands::completions::run(context, arguments),
    }
}
