//! A plan of addresses.

use comfy_table::Cell;

use super::{Style, table};
use crate::studio::addresses::{Apps, Level, Plan, Spread};

/// The lines of the sum, what they come to, and what is recommended.
pub(crate) fn text(plan: &Plan, style: Style, width: Option<u16>) -> String {
    let mut rows = table::empty(style, width, &["ADDRESSES OF", "EACH", "FULLEST SUBNET", "IN ALL", "MEANING"]);
    for line in &plan.lines {
        let each = match line.level {
            Level::Domain => format!("{} a subnet", line.each),
            Level::User => format!("{} a user", line.each),
        };
        rows.add_row([
            Cell::new(line.what),
            Cell::new(each),
            Cell::new(line.fullest_subnet),
            Cell::new(line.total),
            Cell::new(&line.meaning),
        ]);
    }
    rows.add_row([
        Cell::new("in use at once"),
        Cell::new(""),
        Cell::new(plan.fullest_subnet),
        Cell::new(plan.total),
        Cell::new("the fullest subnet decides the size of all"),
    ]);
    let mut page = vec![heading(plan), String::new(), table::lines(rows, &[0, 1, 2, 3], &[2, 3]), String::new()];
    page.extend(recommendation(plan, style));
    page.push(String::new());
    page.extend(notes(plan));
    page.join("\n")
}

fn heading(plan: &Plan) -> String {
    let demand = &plan.demand;
    let users = match demand.growth {
        0 => format!("{} {}", plan.users, plural(plan.users, "user", "users")),
        growth => format!("{} users ({} and {growth} % more)", plan.users, demand.users),
    };
    let studio = match demand.apps {
        Apps::Classic { .. } => "Studio Classic",
        Apps::Spaces { .. } => "Studio",
    };
    format!("{users} of {studio} in {} {}", demand.subnets, plural(demand.subnets, "subnet", "subnets"))
}

fn recommendation(plan: &Plan, style: Style) -> Vec<String> {
    let subnet = &plan.subnet;
    let room = match subnet.room_users {
        Some(users) => format!("room for {} more, or {users} {}", subnet.room, plural(users, "user", "users")),
        None => format!("room for {} more", subnet.room),
    };
    let blocks: Vec<String> = plan.subnets.iter().map(ToString::to_string).collect();
    let prefix = |prefix: &str| style.bold(prefix);
    vec![
        format!(
            "each subnet  {}  {} addresses, {} without the {} that AWS keeps: {room}",
            prefix(&format!("/{}", subnet.prefix)),
            subnet.addresses,
            subnet.usable,
            plan.reserved_in_each_subnet
        ),
        format!("the VPC      {}  with {}", prefix(&plan.vpc.to_string()), blocks.join(", ")),
    ]
}

fn notes(plan: &Plan) -> Vec<String> {
    let (users, crowd) = (plan.users, plan.users_in_fullest_subnet);
    let spread = match plan.demand.spread {
        Spread::OneSubnet => format!(
            "SageMaker AI chooses the subnet of each app and job, so all {users} users are counted in one subnet: {} of \
             the domain and {users} × {}.",
            plan.domain_in_each_subnet, plan.for_each_user
        ),
        Spread::ZoneLost => format!(
            "The users are taken to spread evenly over the subnets that are left when a zone is lost: {crowd} in one."
        ),
        Spread::Even => format!(
            "The users are taken to spread evenly, {crowd} in the fullest subnet. SageMaker AI does not promise that, and \
             a lost zone breaks it."
        ),
    };
    vec![
        spread,
        "Not counted: endpoints that serve models in these subnets, load balancers, functions (--other).".to_owned(),
    ]
}

fn plural(number: u64, one: &'static str, many: &'static str) -> &'static str {
    if number == 1 { one } else { many }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::golden;
    use super::*;
    use crate::studio::addresses::{Demand, plan};

    fn example(users: u64) -> Plan {
        let demand = Demand {
            users,
            apps: Apps::Classic { instance_types: 2 },
            training: 1,
            efa: false,
            subnets: 3,
            endpoints: 10,
            other: 0,
            growth: 0,
            spread: Spread::OneSubnet,
        };
        plan(&demand, std::net::Ipv4Addr::new(10, 0, 0, 0)).unwrap()
    }

    #[test]
    fn e3_the_whitepaper_s_hundred_users_are_a_table() {
        golden("addresses", &text(&example(100), Style::new(false), None));
    }

    #[test]
    fn no_line_of_the_table_is_wider_than_the_terminal() {
        let text = text(&example(1), Style::new(false), Some(90));
        let table: Vec<&str> = text.split("\n\n").nth(1).unwrap().lines().collect();
        assert!(table.len() > 6 && table.iter().all(|line| line.chars().count() <= 90), "{text}");
    }
}
