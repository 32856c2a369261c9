use local::cloud::{Cloud, CloudInfo, ENGINE_PORT, FaultOptions, MINISTACK_PORT, Options, project_root};
use local::faults::{self, Rate};

use super::deploy;
use crate::context::{Context, current_folder};
use crate::error::{Code, Error};
use crate::interrupt;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  tidegate local up\n  tidegate local up --port 14566 --engine-port 14567 --home /tmp/cloud\n  tidegate local up --faults 0.1 --faults-seed 7"
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
    /// Rehearse a bad day: this share, from 0 to 1, of the functions' requests to AWS fail before or after their effect,
    /// are throttled or late, and as large a share of the events comes twice, or late
    #[arg(long, value_name = "RATE")]
    faults: Option<Rate>,
    /// With faults, this share of SageMaker's events never comes
    #[arg(long, value_name = "RATE", default_value = "0", requires = "faults")]
    faults_lost: Rate,
    /// Where chance begins: the same seed gives the n-th request the same fate
    #[arg(long, value_name = "NUMBER", default_value_t = 1, requires = "faults")]
    faults_seed: u64,
}

pub(super) async fn run(context: &Context, arguments: &Arguments) -> Result<(), Error> {
    let root = project_root(&current_folder()?)?;
    let mut options = Options::new(&root)?;
    if let Some(home) = context.existing_home()? {
        options.home = home;
    }
    options.ministack_port = arguments.port;
    options.engine_port = arguments.engine_port;
    options.faults =
        arguments.faults.map(|rate| FaultOptions { rate, lost: arguments.faults_lost, seed: arguments.faults_seed });
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
    if let Some(rate) = arguments.faults {
        // Not before: a bad day is for what is deployed, not for the deployment.
        faults::set_rate(&info.engine_url, rate).await.map_err(|error| Error::failed(error.to_string()))?;
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
