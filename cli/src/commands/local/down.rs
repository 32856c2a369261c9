use local::cloud::Cloud;

use super::deploy;
use crate::context::Context;
use crate::error::Error;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Forget everything it holds: data, ledger, models, logs
    #[arg(long)]
    purge: bool,
}

/// Not ended by Ctrl-C: a cloud that is half stopped helps nobody, and each step has its limit.
pub(super) async fn run(context: &Context, arguments: &Arguments) -> Result<(), Error> {
    let Some(home) = context.existing_home()? else {
        context.terminal.note("nothing was running");
        return Ok(());
    };
    let progress = context.terminal.progress("stopping the local cloud");
    if arguments.purge {
        deploy::forget(&home)?;
    }
    let ran = Cloud::down(&home, arguments.purge).await?;
    let what = match (ran, arguments.purge) {
        (true, true) => "stopped the local cloud and removed what it held",
        (true, false) => "stopped the local cloud; what it holds is kept",
        (false, true) => "nothing was running; removed what was held",
        (false, false) => "nothing was running",
    };
    progress.done(what);
    Ok(())
}
