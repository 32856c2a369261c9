//! `tidegate studio check`

use std::path::PathBuf;

use crate::context::Context;
use crate::error::{Code, Error};
use crate::render;
use crate::studio::check::{Severity, ask, compare};
use crate::studio::file;

/// Which files.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
          tidegate studio check team.yaml\n  \
          tidegate studio check team.yaml other.yaml --output json\n  \
          tidegate studio check team.yaml --offline\n\n\
          Nothing is changed. Exit code 2 if a finding stops a deployment, or a file is wrong; 0 otherwise, also where \
          something could not be checked. docs/PLANNING.md lists what is looked at, and the permissions that it takes.")]
pub(crate) struct Arguments {
    /// Domain files, as `cdk deploy -c domains=FILE` takes them
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The value of a parameter that a file names as `ssm:/NAME`, instead of asking for it; several separated by commas
    #[arg(long, value_name = "NAME=VALUE", value_parser = parameter)]
    parameter: Vec<(String, Vec<String>)>,
    /// Check the files only, and ask AWS nothing
    #[arg(long)]
    offline: bool,
}

fn parameter(text: &str) -> Result<(String, Vec<String>), String> {
    let (name, value) = text.split_once('=').ok_or("give NAME=VALUE")?;
    let values: Vec<String> =
        value.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect();
    if name.is_empty() || values.is_empty() {
        return Err("give NAME=VALUE".to_owned());
    }
    Ok((name.to_owned(), values))
}

pub(crate) async fn run(context: &Context, arguments: &Arguments) -> Result<(), Error> {
    let domains = file::read(&arguments.files).await?;
    let deployed = match arguments.offline {
        true => None,
        false => {
            let session = context.session().await?;
            let quotas = session.service_quotas();
            let parameters = session.parameters();
            let given = arguments.parameter.iter().cloned().collect();
            let sagemaker = session.aws.sagemaker();
            let clients = ask::Clients {
                sagemaker,
                quotas: &quotas,
                parameters: &parameters,
                given: &given,
                region: session.aws.region(),
            };
            Some(ask::ask(&clients, &domains).await?)
        }
    };
    let findings = compare(&domains, deployed.as_ref());
    let terminal = &context.terminal;
    terminal.show(&findings, || render::check::text(&findings, terminal.style(), terminal.width()))?;
    match findings.iter().filter(|finding| finding.severity == Severity::Stops).count() {
        0 => Ok(()),
        1 => Err(Error { code: Code::Usage, ..Error::failed("one finding stops a deployment") }),
        stops => Err(Error { code: Code::Usage, ..Error::failed(format!("{stops} findings stop a deployment")) }),
    }
}
