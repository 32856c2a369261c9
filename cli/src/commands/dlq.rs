//! `tidegate dlq`

use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use clap::builder::PossibleValuesParser;
use handlers::apply::Deployment;
use serde::Serialize;

use crate::context::Context;
use crate::dlq::{FUNCTIONS, Held, Letter, Look, QueueView, Shelf, prefix_of};
use crate::error::Error;
use crate::target::Session;
use crate::{interrupt, render};

/// What to do with events that did not come through.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  tidegate dlq list\n  tidegate dlq show 1f0c\n  \
                        tidegate dlq replay --all --function on-data-arrival\n  tidegate dlq drop 1f0c --yes\n\n\
                        Looking takes nothing out of the queues. A message that nobody takes is deleted after 14 days.")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List the queues and the events in them, the oldest first
    List(List),
    /// Show one event whole: what it is, why it did not come through
    Show(Show),
    /// Give events to their function again; each leaves its queue once Lambda has accepted it
    Replay(Replay),
    /// Delete events without handling them
    Drop(Drop),
}

#[derive(Debug, clap::Args)]
struct List {
    /// Only events of this function
    #[arg(long, short, value_name = "NAME", value_parser = PossibleValuesParser::new(FUNCTIONS))]
    function: Option<String>,
}

#[derive(Debug, clap::Args)]
struct Show {
    /// The message's id, or as much of its beginning as no other has
    id: String,
}

#[derive(Debug, clap::Args)]
struct Chosen {
    /// Messages, by id or by as much of its beginning as no other has
    #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
    ids: Vec<String>,
    /// All of them; with --function, all of that function
    #[arg(long)]
    all: bool,
    /// Only events of this function
    #[arg(long, short, value_name = "NAME", value_parser = PossibleValuesParser::new(FUNCTIONS))]
    function: Option<String>,
}

#[derive(Debug, clap::Args)]
struct Replay {
    #[command(flatten)]
    chosen: Chosen,
}

#[derive(Debug, clap::Args)]
struct Drop {
    #[command(flatten)]
    chosen: Chosen,
    /// Do not ask; needed where there is no terminal
    #[arg(long, short)]
    yes: bool,
}

/// What became of one message.
#[derive(Debug, Serialize)]
struct Outcome {
    id: String,
    function: String,
    done: bool,
    error: Option<String>,
}

#[derive(Serialize)]
struct Listing<'a> {
    queues: &'a [QueueView],
    messages: Vec<&'a Letter>,
    complete: bool,
}

/// Not to be guarded against signals from outside: what was looked at is put back at Ctrl-C too.
pub(crate) async fn run(context: &Context, arguments: &Arguments) -> Result<(), Error> {
    let (session, shelf) = interrupt::guard(async {
        let session = context.session().await?;
        let prefix = prefix_of(&Deployment::load(&session.ledger()).await?);
        let shelf = Shelf::new(session.sqs(), prefix.clone());
        Ok((session, (shelf, prefix)))
    })
    .await?;
    let (shelf, prefix) = shelf;
    let done = interrupt::guard(act(context, &session, &shelf, &prefix, &arguments.action)).await;
    shelf.put_back().await;
    done
}

async fn act(context: &Context, session: &Session, shelf: &Shelf, prefix: &str, action: &Action) -> Result<(), Error> {
    match action {
        Action::List(list) => {
            let look = shelf.look(list.function.as_deref()).await?;
            show_all(context, &look)
        }
        Action::Show(show) => {
            let look = shelf.look(None).await?;
            let letter = &find(&look.letters, &show.id)?.letter;
            let text = || render::dlq::letter(letter, context.terminal.style(), jiff::Timestamp::now());
            context.terminal.show(letter, text)
        }
        Action::Replay(replay) => {
            let look = shelf.look(replay.chosen.function.as_deref()).await?;
            let chosen = choose(&look, &replay.chosen)?;
            let lambda = session.lambda();
            let outcomes = each(&chosen, async |held| {
                send(&lambda, prefix, &held.letter).await?;
                shelf.delete(held).await
            });
            report(context, outcomes.await, "given to its function again", || {
                "an event that had been handled after all changes nothing; what came of it: `tidegate runs`".to_owned()
            })
        }
        Action::Drop(drop) => {
            let look = shelf.look(drop.chosen.function.as_deref()).await?;
            let mut chosen = choose(&look, &drop.chosen)?;
            let again;
            if !drop.yes && !chosen.is_empty() {
                confirm(context, shelf, &chosen).await?;
                // The answer may have taken longer than the messages were held.
                again = shelf.look(drop.chosen.function.as_deref()).await?;
                let wanted: Vec<String> = chosen.iter().map(|held| held.letter.id.clone()).collect();
                chosen = again.letters.iter().filter(|held| wanted.contains(&held.letter.id)).collect();
            }
            let outcomes = each(&chosen, async |held| shelf.delete(held).await);
            report(context, outcomes.await, "dropped", String::new)
        }
    }
}

fn show_all(context: &Context, look: &Look) -> Result<(), Error> {
    let complete = !look.queues.iter().any(QueueView::is_incomplete);
    let messages = look.letters.iter().map(|held| &held.letter).collect::<Vec<_>>();
    let listing = Listing { queues: &look.queues, messages, complete };
    let terminal = &context.terminal;
    terminal.show(&listing, || {
        render::dlq::list(&look.queues, &listing.messages, terminal.style(), terminal.width(), jiff::Timestamp::now())
    })?;
    if !complete && !terminal.is_json() {
        for queue in look.queues.iter().filter(|queue| queue.is_incomplete()) {
            let QueueView { name, messages, approximately, .. } = queue;
            terminal.note(&format!(
                "the list may be incomplete: `{name}` is said to hold {approximately} messages, and {messages} were seen; \
                 somebody else may be looking at the others, so list again in a minute"
            ));
        }
    }
    Ok(())
}

/// The message whose id begins so.
fn find<'a>(letters: &'a [Held], id: &str) -> Result<&'a Held, Error> {
    let found: Vec<&Held> = letters.iter().filter(|held| !id.is_empty() && held.letter.id.starts_with(id)).collect();
    match found.as_slice() {
        [only] => Ok(only),
        [] => Err(Error::failed(format!("there is no message `{id}`"))
            .hint("`tidegate dlq list` lists all; the beginning of an id is enough")),
        many => {
            let ids: Vec<String> = many.iter().take(5).map(|held| format!("`{}`", held.letter.id)).collect();
            Err(Error::usage(format!("`{id}` begins several messages: {}", ids.join(", "))))
        }
    }
}

fn choose<'a>(look: &'a Look, chosen: &Chosen) -> Result<Vec<&'a Held>, Error> {
    if chosen.all {
        return Ok(look.letters.iter().collect());
    }
    let mut found: Vec<&Held> = Vec::new();
    for id in &chosen.ids {
        let held = find(&look.letters, id)?;
        if !found.iter().any(|other| other.letter.id == held.letter.id) {
            found.push(held);
        }
    }
    Ok(found)
}

/// One after the other: the functions behind share one ledger, and one engine on a small machine.
async fn each(chosen: &[&Held], work: impl AsyncFn(&Held) -> Result<(), Error>) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for held in chosen {
        let error = work(held).await.err().map(|error| error.lines.join("; "));
        let (id, function) = (held.letter.id.clone(), held.letter.function.clone());
        outcomes.push(Outcome { id, function, done: error.is_none(), error });
    }
    outcomes
}

async fn send(lambda: &aws_sdk_lambda::Client, prefix: &str, letter: &Letter) -> Result<(), Error> {
    if let Some(why) = &letter.lost {
        return Err(Error::failed(format!("it cannot be given to a function: {why}")));
    }
    let name = format!("{prefix}-{}", letter.function);
    let request = lambda.invoke().function_name(&name).invocation_type(InvocationType::Event);
    let answer = request.payload(Blob::new(letter.event.to_string())).send().await;
    answer.map(drop).map_err(|error| Error::aws(format!("function `{name}` did not accept it"), error))
}

async fn confirm(context: &Context, shelf: &Shelf, chosen: &[&Held]) -> Result<(), Error> {
    if !context.terminal.can_ask() {
        return Err(Error::usage("dropped events are gone: give --yes to say that they may be"));
    }
    shelf.put_back().await;
    for held in chosen {
        context.terminal.note(&render::dlq::line(&held.letter));
    }
    let number = chosen.len();
    let what = if number == 1 { "this event".to_owned() } else { format!("these {number} events") };
    match context.terminal.ask(&format!("delete {what} without handling? [y/N] ")).await?.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(Error::failed("nothing was dropped")),
    }
}

fn report(
    context: &Context,
    outcomes: Vec<Outcome>,
    done: &str,
    further: impl FnOnce() -> String,
) -> Result<(), Error> {
    let failed = outcomes.iter().filter(|outcome| !outcome.done).count();
    context.terminal.show(&outcomes, || {
        if outcomes.is_empty() {
            return "the queues are empty: nothing to do".to_owned();
        }
        let line = |outcome: &Outcome| {
            let id = outcome.id.get(..8).unwrap_or(&outcome.id);
            match &outcome.error {
                None => format!("{id}  {}  {done}", outcome.function),
                Some(error) => format!("{id}  {}  kept: {error}", outcome.function),
            }
        };
        let mut lines: Vec<String> = outcomes.iter().map(line).collect();
        let further = further();
        if failed < outcomes.len() && !further.is_empty() {
            lines.extend([String::new(), further]);
        }
        lines.join("\n")
    })?;
    match failed {
        0 => Ok(()),
        failed => Err(Error::failed(format!("{failed} of {} messages are still in their queues", outcomes.len()))),
    }
}
