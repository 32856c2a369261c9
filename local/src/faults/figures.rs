//! What the proxies have seen and done.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::plan::{Fault, Rate};

/// Requests and faults, by operation.
#[derive(Debug, Default)]
pub(super) struct Counts {
    operations: BTreeMap<String, Operation>,
}

#[derive(Debug, Default)]
struct Operation {
    requests: u64,
    faults: BTreeMap<Fault, u64>,
}

impl Counts {
    pub(super) fn add(&mut self, operation: &str, fault: Option<Fault>) {
        let counted = self.operations.entry(operation.to_owned()).or_default();
        counted.requests += 1;
        if let Some(fault) = fault {
            *counted.faults.entry(fault).or_default() += 1;
        }
    }

    pub(super) fn json(&self, rate: Rate, seed: u64) -> Value {
        let total = |fault| self.operations.values().filter_map(|operation| operation.faults.get(&fault)).sum::<u64>();
        let totals: BTreeMap<&str, u64> = Fault::ALL.iter().map(|fault| (fault.name(), total(*fault))).collect();
        let operations: BTreeMap<&String, Value> = self
            .operations
            .iter()
            .map(|(name, counted)| {
                let faults: BTreeMap<&str, u64> =
                    counted.faults.iter().map(|(fault, count)| (fault.name(), *count)).collect();
                (name, json!({"requests": counted.requests, "faults": faults}))
            })
            .collect();
        json!({
            "rate": rate,
            "seed": seed,
            "requests": self.operations.values().map(|operation| operation.requests).sum::<u64>(),
            "faulted": totals.values().sum::<u64>(),
            "faults": totals,
            "operations": operations,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn figures_are_told_by_operation_and_in_sum() {
        let mut counts = Counts::default();
        counts.add("dynamodb GetItem", None);
        counts.add("dynamodb GetItem", Some(Fault::Throttled));
        counts.add("sns Publish", Some(Fault::DroppedAfter));
        let told = counts.json(Rate::NONE, 7);
        assert_eq!((&told["requests"], &told["faulted"]), (&json!(3), &json!(2)));
        assert_eq!((&told["faults"]["throttled"], &told["faults"]["late"]), (&json!(1), &json!(0)));
        assert_eq!(told["operations"]["dynamodb GetItem"], json!({"requests": 2, "faults": {"throttled": 1}}));
        assert_eq!(told["operations"]["sns Publish"]["faults"]["dropped_after"], 1);
    }
}
