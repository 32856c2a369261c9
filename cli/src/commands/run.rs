//! `tidegate run`

use crate::context::Context;
use crate::error::Error;
use crate::follow;

/// Which run.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  tidegate run a-0123456789abcdef\n  tidegate run a-01 --wait")]
pub(crate) struct Arguments {
    /// Its id, or as much of its beginning as no other run has
    id: String,
    /// Follow it to its end; exit code 1 unless it ends live or succeeded
    #[arg(long, short)]
    wait: bool,
}

pub(crate) async fn run(context: &Context, arguments: &Arguments) -> Result<(), Error> {
    let session = context.session().await?;
    if arguments.wait {
        // A run that has not begun yet can be waited for by its whole id.
        let id = match statemachine::RunId::parse(&arguments.id) {
            Ok(id) => id,
            Err(_) => follow::find(&session, &arguments.id).await?.id,
        };
        return follow::to_the_end(context, &session, &id).await;
    }
    let run = follow::find(&session, &arguments.id).await?;
    follow::show(context, &session, &run).await
}
