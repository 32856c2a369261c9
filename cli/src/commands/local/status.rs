use local::cloud::{Cloud, Status};
use local::jobs::process::{Isolation, Launcher};
use serde::Serialize;

use crate::context::Context;
use crate::error::Error;
use crate::render;

#[derive(Serialize)]
struct View {
    #[serde(flatten)]
    status: Status,
    up: bool,
    isolation: &'static str,
}

pub(super) async fn run(context: &Context) -> Result<(), Error> {
    let status = Cloud::status(&context.home()?).await?;
    // Tried anew, as the engine does it: the answer is the machine's, not the engine's.
    let isolation = match Launcher::probe(Vec::new()).await {
        Ok(launcher) => words(launcher.isolation()),
        Err(_) => "unknown",
    };
    let view = View { up: status.is_up(), status, isolation };
    context.terminal.show(&view, || render::status::text(&view.status, isolation, context.terminal.style()))
}

fn words(isolation: Isolation) -> &'static str {
    match isolation {
        Isolation::Namespaces => "own mount and process namespaces for each step",
        Isolation::UserNamespaces => "own user, mount and process namespaces for each step",
        Isolation::MountNamespace => "own mount namespace for each step",
        Isolation::RewrittenPaths => "none: /opt/ml is rewritten in arguments and environment",
    }
}
