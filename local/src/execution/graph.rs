//! What waits for what.

use std::collections::{BTreeMap, BTreeSet};

use super::definition::Step;
use super::expr;

/// The steps and their edges.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Graph {
    nodes: Vec<Node>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Node {
    name: String,
    after: BTreeSet<String>,
    branch: Option<(String, bool)>,
}

/// Where a step is, as far as others care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Not started.
    Waiting,
    /// Started.
    Active,
    /// Succeeded; a condition with its outcome.
    Succeeded(Option<bool>),
    /// Failed or stopped: what waits for it never starts.
    Failed,
    /// Will not run: on the branch not taken, or after such a step.
    Skipped,
}

/// What can be done next.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Next {
    /// Steps that wait for nothing any more, in the definition's order.
    pub start: Vec<String>,
    /// Steps that will not run.
    pub skip: Vec<String>,
}

impl Graph {
    /// Draws the edges: what a step reads from, what it depends on, the condition that holds it.
    ///
    /// # Errors
    /// A sentence that names a cycle, or an expression that cannot be read.
    pub fn of(steps: &[Step]) -> Result<Self, String> {
        let mut nodes = Vec::with_capacity(steps.len());
        for step in steps {
            let references = expr::references(&step.arguments)?;
            let mut after: BTreeSet<String> =
                references.iter().filter_map(|reference| reference.step().map(str::to_owned)).collect();
            after.extend(step.depends_on.iter().cloned());
            after.extend(step.branch.iter().map(|(condition, _)| condition.clone()));
            nodes.push(Node { name: step.name.clone(), after, branch: step.branch.clone() });
        }
        let graph = Self { nodes };
        match graph.cycle() {
            Some(steps) => Err(format!("Cyclic dependency between the steps {}", steps.join(", "))),
            None => Ok(graph),
        }
    }

    /// The steps that a step waits for.
    pub fn after(&self, step: &str) -> impl Iterator<Item = &str> {
        self.nodes.iter().filter(move |node| node.name == step).flat_map(|node| node.after.iter().map(String::as_str))
    }

    /// Steps that remain when everything that waits for nothing is taken away again and again.
    fn cycle(&self) -> Option<Vec<String>> {
        let mut left: BTreeMap<&str, &BTreeSet<String>> =
            self.nodes.iter().map(|node| (node.name.as_str(), &node.after)).collect();
        loop {
            let free: Vec<&str> = left
                .iter()
                .filter(|(_, after)| !after.iter().any(|name| left.contains_key(name.as_str())))
                .map(|(name, _)| *name)
                .collect();
            if free.is_empty() {
                break;
            }
            left.retain(|name, _| !free.contains(name));
        }
        (!left.is_empty()).then(|| left.keys().map(|name| format!("`{name}`")).collect())
    }

    /// Decides what starts and what is skipped.
    pub fn next(&self, progress: &BTreeMap<String, Progress>) -> Next {
        let mut known = progress.clone();
        let mut next = Next::default();
        // A skip can skip what comes after it, so go on until nothing changes. Bounded by the number of steps.
        loop {
            let at = |name: &str| known.get(name).copied().unwrap_or(Progress::Waiting);
            let skipped: Vec<String> = self
                .nodes
                .iter()
                .filter(|node| at(&node.name) == Progress::Waiting && node.is_skipped(&at))
                .map(|node| node.name.clone())
                .collect();
            if skipped.is_empty() {
                break;
            }
            known.extend(skipped.iter().map(|name| (name.clone(), Progress::Skipped)));
            next.skip.extend(skipped);
        }
        let at = |name: &str| known.get(name).copied().unwrap_or(Progress::Waiting);
        let ready = |node: &&Node| {
            at(&node.name) == Progress::Waiting
                && node.after.iter().all(|name| matches!(at(name), Progress::Succeeded(_)))
        };
        next.start = self.nodes.iter().filter(ready).map(|node| node.name.clone()).collect();
        next
    }
}

impl Node {
    fn is_skipped(&self, at: &impl Fn(&str) -> Progress) -> bool {
        let wrong_branch = self.branch.as_ref().is_some_and(|(condition, wanted)| match at(condition) {
            Progress::Succeeded(outcome) => outcome != Some(*wanted),
            _ => false,
        });
        wrong_branch || self.after.iter().any(|name| at(name) == Progress::Skipped)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    type Drawn<'a> = (&'a str, &'a [&'a str], Option<(&'a str, bool)>);

    fn graph(nodes: &[Drawn<'_>]) -> Graph {
        let node = |(name, after, branch): &Drawn<'_>| Node {
            name: (*name).to_owned(),
            after: after.iter().map(|name| (*name).to_owned()).collect(),
            branch: branch.map(|(name, outcome)| (name.to_owned(), outcome)),
        };
        Graph { nodes: nodes.iter().map(node).collect() }
    }

    fn next(graph: &Graph, progress: &[(&str, Progress)]) -> (Vec<String>, Vec<String>) {
        let next = graph.next(&progress.iter().map(|(name, at)| ((*name).to_owned(), *at)).collect());
        (next.start, next.skip)
    }

    #[test]
    fn a_step_starts_when_all_before_it_succeeded() {
        let graph = graph(&[("a", &[], None), ("b", &[], None), ("c", &["a", "b"], None)]);
        assert_eq!(next(&graph, &[]).0, ["a", "b"]);
        assert!(next(&graph, &[("a", Progress::Succeeded(None)), ("b", Progress::Active)]).0.is_empty());
        assert!(next(&graph, &[("a", Progress::Succeeded(None)), ("b", Progress::Failed)]).0.is_empty());
        assert_eq!(next(&graph, &[("a", Progress::Succeeded(None)), ("b", Progress::Succeeded(None))]).0, ["c"]);
    }

    #[test]
    fn the_branch_not_taken_is_skipped_with_all_that_follows() {
        let graph = graph(&[
            ("if", &[], None),
            ("yes", &["if"], Some(("if", true))),
            ("no", &["if"], Some(("if", false))),
            ("after", &["no"], None),
            ("later", &["after", "yes"], None),
        ]);
        let (start, skip) = next(&graph, &[("if", Progress::Succeeded(Some(true)))]);
        assert_eq!(start, ["yes"]);
        assert_eq!(skip, ["no", "after", "later"]);
        assert_eq!(next(&graph, &[("if", Progress::Failed)]), (vec![], vec![]));
    }

    #[test]
    fn a_cycle_is_named_without_what_leads_to_it() {
        let graph = graph(&[("a", &[], None), ("b", &["a", "c"], None), ("c", &["b"], None)]);
        assert_eq!(graph.cycle().unwrap(), ["`b`", "`c`"]);
    }
}
