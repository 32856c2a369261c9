//! How many addresses a Studio domain needs, after AWS's whitepaper "SageMaker Studio Administration Best Practices"
//! (Network management, VPC network planning).
//!
//! SageMaker AI chooses the subnet of every app and every job; nobody else can. How the users spread over the subnets is
//! therefore an assumption, and the plan says which one it makes ([`Spread`]). The whitepaper's is the careful one: all
//! users may land in one subnet, so that every subnet is as large as the fullest.

mod block;
#[cfg(test)]
mod tests;

use serde::Serialize;

pub(crate) use block::Block;

use crate::error::Error;

/// What AWS keeps in every subnet: network, router, DNS, future use, broadcast (VPC user guide, "Subnet sizing").
pub(crate) const RESERVED: u64 = 5;

/// Addresses of one training or processing instance in a VPC (whitepaper, table 1).
const TRAINING: u64 = 2;

/// The same with Elastic Fabric Adapter.
const TRAINING_EFA: u64 = 5;

/// The largest and the smallest block of a VPC and of a subnet (VPC user guide, "VPC CIDR blocks").
const LARGEST: u8 = 16;
const SMALLEST: u8 = 28;

/// Beyond every real domain, and far from overflow.
pub(crate) const MOST: u64 = 1_000_000;

/// How the users' addresses spread over the subnets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Spread {
    /// All users may land in one subnet, as the whitepaper counts
    OneSubnet,
    /// The users spread evenly, and go on doing so when one zone is lost
    ZoneLost,
    /// The users spread evenly over all subnets: the least, and nobody promises it
    Even,
}

/// What a user runs at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "studio")]
pub(crate) enum Apps {
    /// Studio Classic: a Jupyter server on an instance of its own, and one instance for each type that kernels run on,
    /// however many apps share it.
    Classic { instance_types: u64 },
    /// Studio: each running space is an instance.
    Spaces { spaces: u64 },
}

impl Apps {
    fn addresses(self) -> u64 {
        match self {
            Self::Classic { instance_types } => 1 + instance_types,
            Self::Spaces { spaces } => spaces,
        }
    }
}

/// What is asked. Every number is at most [`MOST`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Demand {
    /// Users who work at the same time, today.
    pub(crate) users: u64,
    #[serde(flatten)]
    pub(crate) apps: Apps,
    /// Training and processing instances in the VPC, of each user, at the same time.
    pub(crate) training: u64,
    pub(crate) efa: bool,
    /// Subnets of the domain, one in each Availability Zone.
    pub(crate) subnets: u64,
    /// Interface endpoints in the VPC.
    pub(crate) endpoints: u64,
    /// Whatever else lives in each subnet.
    pub(crate) other: u64,
    /// How many more users are expected, in percent.
    pub(crate) growth: u64,
    pub(crate) spread: Spread,
}

/// For whom addresses are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// In every subnet, however many users there are.
    Domain,
    /// For each user.
    User,
}

/// One kind of address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Line {
    pub(crate) what: &'static str,
    pub(crate) level: Level,
    /// In each subnet for the domain's, for each user for theirs.
    pub(crate) each: u64,
    /// In the fullest subnet.
    pub(crate) fullest_subnet: u64,
    /// In all subnets together.
    pub(crate) total: u64,
    pub(crate) meaning: String,
}

/// What a block is recommended for, and what it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Subnet {
    /// Of a CIDR block: `22` for a /22.
    pub(crate) prefix: u8,
    pub(crate) addresses: u64,
    /// Without those that AWS keeps.
    pub(crate) usable: u64,
    /// Usable and not needed.
    pub(crate) room: u64,
    /// How many further users that is, beyond the growth. `None` where a user needs no address.
    pub(crate) room_users: Option<u64>,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Plan {
    pub(crate) demand: Demand,
    /// With the growth, rounded up.
    pub(crate) users: u64,
    /// Users who are counted in the fullest subnet.
    pub(crate) users_in_fullest_subnet: u64,
    pub(crate) lines: Vec<Line>,
    /// Of the domain, in each subnet.
    pub(crate) domain_in_each_subnet: u64,
    pub(crate) for_each_user: u64,
    /// In use at once in the VPC.
    pub(crate) total: u64,
    /// In use at once in the fullest subnet: what a subnet must hold.
    pub(crate) fullest_subnet: u64,
    pub(crate) reserved_in_each_subnet: u64,
    pub(crate) subnet: Subnet,
    pub(crate) vpc: Block,
    pub(crate) subnets: Vec<Block>,
}

/// Plans the subnets from `start` on.
///
/// # Errors
/// Exit code 2 when no subnet or no VPC is large enough, or `start` is no boundary of such a VPC.
pub(crate) fn plan(demand: &Demand, start: std::net::Ipv4Addr) -> Result<Plan, Error> {
    let users = (demand.users * (100 + demand.growth)).div_ceil(100);
    let crowd = crowd(users, demand);
    let lines = lines(demand, users, crowd);
    let sum = |level: Level, part: fn(&Line) -> u64| -> u64 {
        lines.iter().filter(|line| line.level == level).map(part).sum()
    };
    let (domain, user) = (sum(Level::Domain, |line| line.each), sum(Level::User, |line| line.each));
    let total = lines.iter().map(|line| line.total).sum();
    let fullest = lines.iter().map(|line| line.fullest_subnet).sum::<u64>();

    let prefix = block::holding(fullest + RESERVED).ok_or_else(|| too_many(demand, fullest))?;
    let addresses = block::size(prefix);
    let usable = addresses - RESERVED;
    let room = usable - fullest;
    let vpc = block::holding(addresses * demand.subnets).ok_or_else(|| too_wide(demand, prefix))?;
    let vpc = Block::new(start, vpc)?;
    Ok(Plan {
        demand: demand.clone(),
        users,
        users_in_fullest_subnet: crowd,
        domain_in_each_subnet: domain,
        for_each_user: user,
        total,
        fullest_subnet: fullest,
        reserved_in_each_subnet: RESERVED,
        subnet: Subnet { prefix, addresses, usable, room, room_users: room_users(demand, room, user, users, crowd) },
        subnets: vpc.parts(prefix).take(usize::try_from(demand.subnets).unwrap_or(usize::MAX)).collect(),
        vpc,
        lines,
    })
}

/// The users in the fullest subnet.
fn crowd(users: u64, demand: &Demand) -> u64 {
    match demand.spread {
        Spread::OneSubnet => users,
        Spread::ZoneLost => users.div_ceil(demand.subnets.saturating_sub(1).max(1)),
        Spread::Even => users.div_ceil(demand.subnets),
    }
}

/// How many more users there may be until the fullest subnet is full.
fn room_users(demand: &Demand, room: u64, user: u64, users: u64, crowd: u64) -> Option<u64> {
    let most_in_one = crowd + room.checked_div(user)?;
    let most = match demand.spread {
        Spread::OneSubnet => most_in_one,
        Spread::ZoneLost => most_in_one * demand.subnets.saturating_sub(1).max(1),
        Spread::Even => most_in_one * demand.subnets,
    };
    Some(most - users)
}

fn lines(demand: &Demand, users: u64, crowd: u64) -> Vec<Line> {
    let domain = |what, each, meaning: String| Line {
        what,
        level: Level::Domain,
        each,
        fullest_subnet: each,
        total: each * demand.subnets,
        meaning,
    };
    let user = |what, each, meaning: String| Line {
        what,
        level: Level::User,
        each,
        fullest_subnet: each * crowd,
        total: each * users,
        meaning,
    };
    let mut lines = vec![
        domain("EFS mount target", 1, "one in each subnet of the domain".into()),
        domain("interface endpoints", demand.endpoints, "each endpoint has one address in every subnet".into()),
    ];
    if demand.other > 0 {
        lines.push(domain("other", demand.other, "what else you said lives in each subnet".into()));
    }
    match demand.apps {
        Apps::Classic { .. } => lines.extend([
            user("Jupyter server", 1, "one system instance for each user".into()),
            user(
                "kernel instances",
                demand.apps.addresses() - 1,
                "one for each instance type in use, however many apps share it".into(),
            ),
        ]),
        Apps::Spaces { spaces } => {
            lines.push(user("spaces", spaces, "one for each space that runs: each is an instance".into()));
        }
    }
    let (each, meaning) = match demand.efa {
        true => (TRAINING_EFA, "five for each training or processing instance, with EFA"),
        false => (TRAINING, "two for each training or processing instance"),
    };
    lines.push(user("training", each * demand.training, meaning.into()));
    lines
}

fn too_many(demand: &Demand, fullest: u64) -> Error {
    let most = block::size(LARGEST) - RESERVED;
    let error = Error::usage(format!(
        "the fullest subnet needs {fullest} addresses: the largest subnet, a /{LARGEST}, has {most} that can be used"
    ));
    error.hint(match demand.spread {
        Spread::OneSubnet => {
            "plan with fewer users in a domain, or with `--spread zone-lost` if the users are known to spread"
        }
        Spread::ZoneLost | Spread::Even => "plan with fewer users in a domain, or with more subnets",
    })
}

fn too_wide(demand: &Demand, prefix: u8) -> Error {
    Error::usage(format!(
        "{} subnets of /{prefix} do not fit into one /{LARGEST}, the largest block of a VPC",
        demand.subnets
    ))
    .hint("plan with fewer users in a domain, or with `--spread zone-lost` if the users are known to spread")
}
