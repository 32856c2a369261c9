use local::cloud::{Cloud, CloudInfo, ENGINE_PORT, MINISTACK_PORT, Options, project_root};

use super::deploy;
use crate::context::{Context, current_folder};
use crate::error::{Code, Error};
use crate::interrupt;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  tidegate local up\n  tidegate local up --port 14566 --engine-port 14567 --home /tmp/cloud"
)]
pub(crate) struct Arguments {
    /// The port of everything but SageMaker and Scheduler, on 127.0.0.1
    #[arg(long, default_value_t = MINISTACK_PORT)]
    port: u16,
    /// The port of SageMaker, Scheduler and the inbox, on 127.0.0.1
    #[arg(long, default_value_t = ENGINE_PORT)]
    engine_port: u16,
    /// Do not deploy the orchestrator into it
    #[arg(long)]
    no_deploy: bool,
}

pub(super) async fn run(context: &Context, arguments: &Arguments) -> Result<(), Error> {
    let root = project_root(&current_folder()?)?;
    let mut options = Options::new(&root)?;
    if let Some(home) = context.existing_home()? {
        options.home = home;
    }
    options.ministack_port = arguments.port;
    options.engine_port = arguments.engine_port;
    let info = interrupt::guard(start(context, &options)).await?;
    if !arguments.no_deploy {
        let deployed = interrupt::guard(deploy::deploy(context, &root, &info)).await;
        if let Err(error) = deployed {
            // Ctrl-C asks for nothing to be left behind; a failed deployment leaves something to look at.
            if info.started && matches!(error.code, Code::Interrupted | Code::Terminated) {
                Cloud::down(&info.home, false).await?;
            }
            return Err(error);
        }
    }
    context.terminal.show(&info, || summary(&info))
}

async fn start(context: &Context, options: &Options) -> Result<CloudInfo, Error> {
    let progress = context.terminal.progress("starting the local cloud");
    let info = Cloud::up(options).await?;
    progress.done(if info.started { "the local cloud is up" } else { "the local cloud was up already" });
    Ok(info)
}

fn summary(info: &CloudInfo) -> String {
    format!(
        "home        {}\nAWS         {}\nSageMaker   {}\n\nfor the AWS CLI and boto3: eval \"$(tidegate local env)\"",
        info.home.display(),
        info.ministack_url,
        info.engine_url
    )
}
