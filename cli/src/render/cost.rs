//! What templates cost.

use comfy_table::Cell;
use statemachine::text::one_line;

use super::{Style, table};
use crate::cost::Estimate;

const RESOURCES: usize = 90;

/// What is fixed, what is not known, what depends on use.
pub(crate) fn text(estimate: &Estimate, style: Style, width: Option<u16>) -> String {
    let mut page = vec![format!(
        "{} in {}, list prices of {}, {} hours a month",
        estimate.stacks.join(", "),
        estimate.region,
        estimate.prices_of,
        estimate.hours_in_a_month
    )];
    page.extend([String::new(), style.bold("fixed, before anybody uses anything"), fixed(estimate, style, width)]);
    if !estimate.unknown.is_empty() {
        let mut rows = table::empty(style, width, &["TYPE", "NUMBER", "WHY", "WHICH"]);
        for unknown in &estimate.unknown {
            rows.add_row([
                Cell::new(&unknown.kind),
                Cell::new(unknown.resources.len()),
                Cell::new(&unknown.why),
                Cell::new(one_line(&unknown.resources.join(", "), RESOURCES)),
            ]);
        }
        page.extend([String::new(), style.yellow("no price known: not in the sum"), table::lines(rows, &[0], &[1])]);
    }
    if !estimate.by_use.is_empty() {
        let mut rows = table::empty(style, width, &["TYPE", "NUMBER", "DEPENDS ON"]);
        for by_use in &estimate.by_use {
            rows.add_row([Cell::new(&by_use.kind), Cell::new(by_use.resources), Cell::new(&by_use.depends_on)]);
        }
        page.extend([String::new(), style.bold("billed by use: not in the sum"), table::lines(rows, &[0], &[1])]);
    }
    let free: u64 = estimate.free.values().sum();
    page.extend([String::new(), format!("{free} further resources cost nothing; --output json lists their types.")]);
    page.extend(estimate.notes.iter().map(|note| format!("note: {note}")));
    page.extend(notes(estimate));
    page.join("\n")
}

fn fixed(estimate: &Estimate, style: Style, width: Option<u16>) -> String {
    let currency = &estimate.currency;
    let mut rows =
        table::empty(style, width, &["WHAT", "NUMBER", "BILLED AS", "UNIT PRICE", &format!("{currency} A MONTH")]);
    for line in &estimate.fixed {
        rows.add_row([
            Cell::new(&line.what),
            Cell::new(line.resources),
            Cell::new(format!("{} × {}", line.units, line.unit)),
            Cell::new(format!("{} a {}", line.unit_price.exact(), line.per)),
            Cell::new(line.monthly),
        ]);
    }
    rows.add_row([Cell::new("together"), Cell::new(""), Cell::new(""), Cell::new(""), Cell::new(estimate.monthly)]);
    table::lines(rows, &[3, 4], &[1, 4])
}

/// What a price comes with, and those that could not be checked.
fn notes(estimate: &Estimate) -> Vec<String> {
    let mut notes = Vec::new();
    for line in estimate.fixed.iter().filter(|line| !line.note.is_empty()) {
        notes.push(format!("{}: {}.", line.what, line.note));
        if line.checked.contains("not checked") || line.checked.contains("not compared") {
            notes.push(format!("  its price: {}; see {}", line.checked, line.source));
        }
    }
    if !notes.is_empty() {
        notes.insert(0, String::new());
    }
    notes
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fixtures::golden;
    use super::*;
    use crate::cost::{Prices, Template, estimate};

    #[test]
    fn a13_the_cost_is_a_table() {
        let endpoint = json!({"Type": "AWS::EC2::VPCEndpoint",
            "Properties": {"VpcEndpointType": "Interface", "SubnetIds": ["a", "b"]}});
        let mut template: Template = serde_json::from_value(json!({"Resources": {
            "E": endpoint, "F": endpoint,
            "K": {"Type": "AWS::KMS::Key"},
            "N": {"Type": "AWS::EC2::NatGateway"},
            "L": {"Type": "AWS::Lambda::Function"},
            "R": {"Type": "AWS::IAM::Role"},
        }}))
        .unwrap();
        template.stack = "TidegateNetwork".to_owned();
        let found = estimate(&[template], &Prices::built_in().unwrap(), "ap-southeast-2", None);
        golden("cost", &text(&found, Style::new(false), None));
    }
}
