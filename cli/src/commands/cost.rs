//! `tidegate cost`

use std::path::{Path, PathBuf};

use clap::builder::RangedU64ValueParser;

use crate::context::Context;
use crate::cost::{Prices, estimate, read};
use crate::error::Error;
use crate::{infra, render};

/// Which templates.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
          tidegate cost\n  \
          tidegate cost --synth -c network=new -c functionsInVpc=true -c zones=3 --region eu-west-1\n  \
          tidegate cost infra/cdk.out --output json | jq .monthly\n\n\
          A month has 730 hours. What is billed by use is listed and not counted, nor are free tiers and discounts. The \
          prices are list prices of the day that is shown; docs/PLANNING.md tells how they were checked.")]
pub(crate) struct Arguments {
    /// A folder that `cdk synth` wrote, or one template; by default infra/cdk.out
    #[arg(value_name = "FOLDER")]
    place: Option<PathBuf>,
    /// In which Region
    #[arg(long, value_name = "REGION", env = "AWS_REGION", hide_env_values = true, default_value = "us-east-1")]
    region: String,
    /// How many zones an interface endpoint is in, where its template does not tell
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<u64>::new().range(1..=16))]
    zones: Option<u64>,
    /// Synthesise the stacks into FOLDER first
    #[arg(long)]
    synth: bool,
    /// A context value for the synthesis, as `cdk -c` takes it
    #[arg(long, short, value_name = "KEY=VALUE", requires = "synth")]
    context: Vec<String>,
}

pub(crate) async fn run(context: &Context, arguments: &Arguments) -> Result<(), Error> {
    let prices = Prices::built_in()?;
    let regions = prices.regions();
    if !regions.contains(&arguments.region.as_str()) {
        return Err(Error::usage(format!("no prices are known for the Region `{}`", arguments.region))
            .hint(format!("give one of {} with --region", regions.join(", "))));
    }
    let place = match &arguments.place {
        Some(place) => place.clone(),
        None => infra::folder()?.join("cdk.out"),
    };
    if arguments.synth {
        synthesise(context, &place, &arguments.context).await?;
    } else if !place.exists() {
        return Err(Error::usage(format!("there is no `{}`", place.display()))
            .hint("`cd infra && npx cdk synth` writes infra/cdk.out; or say --synth"));
    }
    let templates = read(&place)?;
    let estimate = estimate(&templates, &prices, &arguments.region, arguments.zones);
    let terminal = &context.terminal;
    terminal.show(&estimate, || render::cost::text(&estimate, terminal.style(), terminal.width()))
}

async fn synthesise(context: &Context, place: &Path, values: &[String]) -> Result<(), Error> {
    let infra = infra::folder()?;
    let cdk = infra.join("node_modules/.bin/cdk");
    let place = std::path::absolute(place)
        .map_err(|error| Error::usage(format!("`{}` is no folder: {error}", place.display())))?;
    let place = place.to_string_lossy();
    let mut arguments = vec!["synth", "--quiet", "--output", &place];
    arguments.extend(values.iter().flat_map(|value| ["--context", value]));
    let progress = context.terminal.progress("synthesising the stacks");
    let output = infra::run(&infra, &cdk, &arguments).await?;
    if output.status.success() {
        progress.done("the stacks are synthesised");
        return Ok(());
    }
    let told = String::from_utf8_lossy(&output.stderr);
    Err(Error::failed(format!("`cdk synth` failed ({}):\n{}", output.status, told.trim_end())))
}
