//! What synthesised CloudFormation templates cost in a month before anybody uses anything.
//!
//! Every resource ends in one of four places: it is priced, it is billed by use, it costs nothing, or nothing is known
//! of it. Nothing is left out, so that a total that looks complete is.

mod count;
mod length;
mod prices;
mod template;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

pub(crate) use prices::{Amount, Prices};
pub(crate) use template::{Template, read};

use count::Charge;

/// The hours that AWS's own calculator takes a month to have: 365 × 24 / 12.
pub(crate) const HOURS: u64 = 730;

/// What is known of some templates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Estimate {
    pub(crate) region: String,
    pub(crate) currency: String,
    /// When the prices were looked up.
    pub(crate) prices_of: String,
    pub(crate) hours_in_a_month: u64,
    pub(crate) stacks: Vec<String>,
    pub(crate) fixed: Vec<Line>,
    /// Of the fixed lines; what is unknown is not in it.
    pub(crate) monthly: Amount,
    pub(crate) unknown: Vec<Unknown>,
    pub(crate) by_use: Vec<ByUse>,
    /// Resources that cost nothing, by type.
    pub(crate) free: BTreeMap<String, u64>,
    pub(crate) notes: Vec<String>,
}

/// What some resources cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Line {
    pub(crate) what: String,
    /// CloudFormation's types.
    pub(crate) types: BTreeSet<String>,
    pub(crate) resources: u64,
    /// How often the price is paid: zones of endpoints, metrics of alarms.
    pub(crate) units: u64,
    pub(crate) unit: String,
    pub(crate) unit_price: Amount,
    pub(crate) per: String,
    pub(crate) monthly: Amount,
    pub(crate) note: String,
    pub(crate) source: String,
    pub(crate) checked: String,
}

/// A resource whose price is not known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Unknown {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// `stack/logical id`.
    pub(crate) resources: Vec<String>,
    pub(crate) why: String,
}

/// Resources that are billed by use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ByUse {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) resources: u64,
    pub(crate) depends_on: String,
}

/// Counts and prices. `zones` is how many zones an interface endpoint is taken to be in where its template does not say.
pub(crate) fn estimate(templates: &[Template], prices: &Prices, region: &str, zones: Option<u64>) -> Estimate {
    let mut priced: BTreeMap<&str, (BTreeSet<String>, u64, u64)> = BTreeMap::new();
    let mut unknown: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    let mut by_use: BTreeMap<(String, &str), u64> = BTreeMap::new();
    let mut free: BTreeMap<String, u64> = BTreeMap::new();
    let mut notes = Vec::new();
    for template in templates {
        for (id, resource) in &template.resources {
            let kind = &resource.kind;
            if resource.condition.is_some() && kind != "AWS::CDK::Metadata" {
                notes.push(format!("`{}/{id}` is made under a condition; it is counted", template.stack));
            }
            match count::charge(resource, template, templates, zones) {
                Charge::Units(price, units) => {
                    let line = priced.entry(price).or_default();
                    line.0.insert(kind.clone());
                    line.1 += 1;
                    line.2 += units;
                }
                Charge::ByUse(depends_on) => *by_use.entry((kind.clone(), depends_on)).or_default() += 1,
                Charge::Nothing => *free.entry(kind.clone()).or_default() += 1,
                Charge::Unknown(why) => {
                    unknown.entry((kind.clone(), why)).or_default().push(format!("{}/{id}", template.stack));
                }
            }
        }
    }
    let mut fixed = Vec::new();
    for (name, (types, resources, units)) in priced {
        match prices.of(name, region) {
            Some((price, figure)) => {
                let times = if price.per == "hour" { units * HOURS } else { units };
                fixed.push(Line {
                    what: price.what.clone(),
                    types,
                    resources,
                    units,
                    unit: price.unit.clone(),
                    unit_price: figure.price,
                    per: price.per.clone(),
                    monthly: figure.price.times(times),
                    note: price.note.clone(),
                    source: price.source.clone(),
                    checked: figure.checked.clone(),
                });
            }
            None => {
                let kind = types.into_iter().collect::<Vec<_>>().join(", ");
                unknown.entry((kind, format!("no price of `{name}` is known in {region}"))).or_default();
            }
        }
    }
    fixed.sort_by(|a, b| b.monthly.cmp(&a.monthly).then_with(|| a.what.cmp(&b.what)));
    Estimate {
        region: region.to_owned(),
        currency: prices.currency.clone(),
        prices_of: prices.date.clone(),
        hours_in_a_month: HOURS,
        stacks: templates.iter().map(|template| template.stack.clone()).collect(),
        monthly: fixed.iter().map(|line| line.monthly).sum(),
        fixed,
        unknown: unknown.into_iter().map(|((kind, why), resources)| Unknown { kind, resources, why }).collect(),
        by_use: by_use
            .into_iter()
            .map(|((kind, depends_on), resources)| ByUse { kind, resources, depends_on: depends_on.to_owned() })
            .collect(),
        free,
        notes,
    }
}
