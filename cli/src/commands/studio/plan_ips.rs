//! `tidegate studio plan-ips`

use std::net::Ipv4Addr;

use clap::builder::RangedU64ValueParser;

use crate::context::Context;
use crate::error::Error;
use crate::render;
use crate::studio::addresses::{Apps, Demand, MOST, Spread, plan};

/// Numbers far beyond every domain are mistakes.
fn number(least: u64) -> RangedU64ValueParser {
    RangedU64ValueParser::new().range(least..=MOST)
}

/// For whom addresses are planned.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("apps").args(["spaces", "instance_types"]).required(true)))]
#[command(after_help = "Examples:\n  \
          tidegate studio plan-ips --users 100 --spaces 2\n  \
          tidegate studio plan-ips --users 40 --spaces 1 --growth 50 --subnets 2 --start 10.20.0.0\n  \
          tidegate studio plan-ips --users 100 --instance-types 2 --output json\n\n\
          docs/PLANNING.md tells what each number means and where it comes from.")]
pub(crate) struct Arguments {
    /// Users who work at the same time
    #[arg(long, short, value_name = "N", value_parser = number(1))]
    users: u64,
    /// Spaces that each user runs at the same time (JupyterLab, Code Editor): each is an instance
    #[arg(long, value_name = "N", value_parser = number(0))]
    spaces: Option<u64>,
    /// Studio Classic: instance types on which each user runs kernels at the same time, besides the Jupyter server
    #[arg(long, value_name = "N", value_parser = number(0))]
    instance_types: Option<u64>,
    /// Training and processing instances that each user runs in these subnets at the same time
    #[arg(long, value_name = "N", default_value = "1", value_parser = number(0))]
    training: u64,
    /// Those instances use Elastic Fabric Adapter
    #[arg(long)]
    efa: bool,
    /// Subnets of the domain, one in each Availability Zone
    #[arg(long, value_name = "N", default_value = "3", value_parser = RangedU64ValueParser::<u64>::new().range(1..=16))]
    subnets: u64,
    /// Interface endpoints of the VPC: four for SageMaker AI and about six for what it works with
    #[arg(long, value_name = "N", default_value = "10", value_parser = RangedU64ValueParser::<u64>::new().range(0..=1000))]
    endpoints: u64,
    /// Addresses of anything else in each subnet, such as functions or databases
    #[arg(long, value_name = "N", default_value = "0", value_parser = number(0))]
    other: u64,
    /// How many more users are expected, in percent
    #[arg(long, value_name = "PERCENT", default_value = "0", value_parser = RangedU64ValueParser::<u64>::new().range(0..=1000))]
    growth: u64,
    /// How users are taken to spread over the subnets; SageMaker AI decides where an app runs
    #[arg(long, value_enum, default_value_t = Spread::OneSubnet)]
    spread: Spread,
    /// Where the VPC's block begins
    #[arg(long, value_name = "ADDRESS", default_value = "10.0.0.0")]
    start: Ipv4Addr,
}

impl Arguments {
    fn demand(&self) -> Demand {
        let apps = match (self.spaces, self.instance_types) {
            (_, Some(instance_types)) => Apps::Classic { instance_types },
            (spaces, None) => Apps::Spaces { spaces: spaces.unwrap_or_default() },
        };
        Demand {
            users: self.users,
            apps,
            training: self.training,
            efa: self.efa,
            subnets: self.subnets,
            endpoints: self.endpoints,
            other: self.other,
            growth: self.growth,
            spread: self.spread,
        }
    }
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<(), Error> {
    let plan = plan(&arguments.demand(), arguments.start)?;
    let terminal = &context.terminal;
    terminal.show(&plan, || render::addresses::text(&plan, terminal.style(), terminal.width()))
}
