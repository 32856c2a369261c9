//! `tidegate replay`

use serde::Serialize;
use serde_json::json;
use statemachine::RunId;
use statemachine::run::Phase;

use crate::context::Context;
use crate::error::Error;
use crate::target::Session;
use crate::{ask, follow};

/// The most replays of one run that are looked through for a free number.
const MOST: u32 = 100;

/// Which run's work to do once more.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  tidegate replay a-0123456789abcdef --wait\n  tidegate replay a-01 --again\n\n\
                        The new run reads the same object versions with the same parameters, under the pipeline as it \
                        is applied now.\nReplaying a run twice is replaying it once, unless --again is given.")]
pub(crate) struct Arguments {
    /// The run's id, or as much of its beginning as no other run has
    run: String,
    /// Even if it was replayed before
    #[arg(long)]
    again: bool,
    /// Follow the new run to its end; exit code 1 unless it ends live or succeeded
    #[arg(long, short)]
    wait: bool,
}

/// What came of it.
#[derive(Debug, Serialize)]
struct Replayed {
    run: RunId,
    phase: Phase,
    /// Whether it had been replayed before.
    existed: bool,
    of: RunId,
    attempt: u32,
}

pub(crate) async fn run(context: &Context, arguments: &Arguments) -> Result<(), Error> {
    let session = context.session().await?;
    let of = follow::find(&session, &arguments.run).await?;
    if of.inputs.uri.is_empty() {
        return Err(Error::failed(format!("run {} has read nothing, so there is no work to do once more", of.id))
            .hint(format!("`tidegate why {}` tells why, and what you can do", of.id)));
    }
    let pipelines = session.ledger().pipelines().await?;
    if !pipelines.iter().any(|pipeline| pipeline.name == of.spec.pipeline) {
        return Err(Error::failed(format!("pipeline `{}` of run {} is not applied any more", of.spec.pipeline, of.id))
            .hint("`tidegate apply DIR` makes it again"));
    }
    if !of.phase.is_end() {
        context.terminal.warn(&format!("run {} is not over: it is {}", of.id, of.phase));
    }
    let attempt = if arguments.again { free(&session, &of.id).await? } else { 1 };
    let answer = ask::on_schedule(&session, &json!({"kind": "replay", "run": of.id, "attempt": attempt})).await?;
    let replayed = Replayed { run: answer.run, phase: answer.phase, existed: answer.existed, of: of.id, attempt };
    let first = match replayed.existed {
        true => format!("run {} replays it already: it is {}", replayed.run, replayed.phase),
        false => format!("run {} replays {}", replayed.run, replayed.of),
    };
    if arguments.wait {
        context.terminal.note(&first);
        return follow::to_the_end(context, &session, &replayed.run).await;
    }
    context.terminal.show(&replayed, || {
        let next = match replayed.existed {
            true => format!("replay it once more with: tidegate replay {} --again", replayed.of),
            false => format!("follow it with: tidegate run {} --wait", replayed.run),
        };
        format!("{first}\n\n{next}")
    })
}

/// The number of the next replay that there is no run for.
async fn free(session: &Session, of: &RunId) -> Result<u32, Error> {
    for attempt in 1..=MOST {
        if session.ledger().run(&RunId::replay(of, attempt)).await?.is_none() {
            return Ok(attempt);
        }
    }
    Err(Error::failed(format!("run {of} was replayed {MOST} times already")).hint("replay one of its replays"))
}
