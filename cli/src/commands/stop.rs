//! `tidegate stop`

use serde::Serialize;
use serde_json::json;
use statemachine::RunId;
use statemachine::run::{Phase, Run};

use crate::context::Context;
use crate::error::Error;
use crate::{ask, follow};

/// Which run to stop.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  tidegate stop a-0123456789abcdef\n  tidegate stop a-01 --wait\n\n\
                        What is live stays live. A run whose execution is over cannot be stopped: refuse its model \
                        with `tidegate approve RUN --reject`, where it awaits approval.")]
pub(crate) struct Arguments {
    /// The run's id, or as much of its beginning as no other run has
    run: String,
    /// Follow it until it is stopped; exit code 1 if it ends otherwise
    #[arg(long, short)]
    wait: bool,
}

/// What came of it.
#[derive(Debug, Serialize)]
struct Stopped {
    run: RunId,
    phase: Phase,
    /// Why, as the ledger has it.
    because: String,
}

pub(crate) async fn run(context: &Context, arguments: &Arguments) -> Result<(), Error> {
    let session = context.session().await?;
    let before = follow::find(&session, &arguments.run).await?;
    refuse(&before)?;
    ask::on_schedule(&session, &json!({"kind": "stop", "run": before.id, "by": person()})).await?;
    let gone = || Error::failed(format!("run {} is not in the ledger any more", before.id));
    let mut run = session.ledger().run(&before.id).await?.ok_or_else(gone)?.value;
    // It may have got past its execution meanwhile.
    let Some(stop) = run.stop.clone() else {
        refuse(&run)?;
        return Err(Error::failed(format!("run {} was not stopped: it is {}", run.id, run.phase))
            .hint(format!("look again: `tidegate why {}`", run.id)));
    };
    if arguments.wait && !run.phase.is_end() {
        run = follow::until_the_end(context, &session, &run.id, &before.facts).await?;
    }
    let stopped = Stopped { run: run.id.clone(), phase: run.phase, because: stop.reason };
    context.terminal.show(&stopped, || match run.phase.is_end() {
        true => format!("run {} is {}: {}", run.id, run.phase, stopped.because),
        false => format!(
            "run {} is being stopped: {}\n\nfollow it with: tidegate run {} --wait",
            run.id, stopped.because, run.id
        ),
    })?;
    match run.phase {
        phase if !phase.is_end() => Ok(()),
        Phase::Stopped | Phase::Skipped => Ok(()),
        phase => Err(Error::failed(format!("run {} ended {phase} before it could be stopped", run.id))),
    }
}

/// A run whose execution is over is past stopping.
fn refuse(run: &Run) -> Result<(), Error> {
    match run.phase {
        Phase::Batching | Phase::Queued | Phase::Starting | Phase::Running => Ok(()),
        Phase::AwaitingApproval => {
            Err(Error::failed(format!("run {}'s execution is over: it awaits approval", run.id))
                .hint(format!("refuse its model with `tidegate approve {} --reject`", run.id)))
        }
        phase => Err(Error::failed(format!("run {} cannot be stopped: it is {phase}", run.id))
            .hint(format!("`tidegate why {}` tells how it came to that", run.id))),
    }
}

/// Who asks.
fn person() -> String {
    let name = |variable: &&str| std::env::var(variable).ok().filter(|name| !name.trim().is_empty());
    ["USER", "LOGNAME", "USERNAME"].iter().find_map(name).unwrap_or_else(|| "a person".to_owned())
}
