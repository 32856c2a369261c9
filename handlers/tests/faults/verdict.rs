//! Whether a run with a fault came to the same end as one without.

use std::collections::{BTreeMap, BTreeSet};

use statemachine::{Endpoint, Run};

use crate::cloud::Cloud;
use crate::scenario::Scenario;
use crate::world::Outcome;

/// What is wrong with the end of a story, in words; nothing where it ended as told.
pub(crate) fn wrongs(scenario: &Scenario, outcome: &Outcome, clean: Option<&Outcome>) -> Vec<String> {
    let cloud = &outcome.cloud;
    let mut wrongs = cloud.problems.clone();
    let mut differs = |what: &str, found: String, expected: String| {
        if found != expected {
            wrongs.push(format!("{what}: {found} instead of {expected}"));
        }
    };
    let runs = runs(cloud);
    let phase = |run: &Run| serde_json::to_value(run.phase).unwrap().as_str().unwrap().to_owned();
    let mut phases: Vec<String> = runs.iter().map(phase).collect();
    let mut expected = scenario.phases.to_vec();
    if !scenario.ordered {
        phases.sort();
        expected.sort_unstable();
    }
    differs("phases", format!("{phases:?}"), format!("{expected:?}"));
    let left: Vec<String> = runs.iter().flat_map(|run| &run.outbox).map(|pending| pending.id.to_string()).collect();
    differs("left in an outbox", format!("{left:?}"), "[]".to_owned());

    let started = cloud.executions.all.len();
    differs("executions", started.to_string(), scenario.executions.to_string());
    for run in runs.iter().filter(|run| scenario.executions > 0 && run.execution.is_some()) {
        let known = run.execution.as_ref().map(|execution| execution.arn.as_str());
        let there = cloud.executions.all.iter().any(|execution| Some(execution.arn.as_str()) == known);
        differs("the execution of a run is there", there.to_string(), "true".to_owned());
    }
    let mut changes = cloud.hosting.changes.clone();
    if cloud.excuses.contains("UpdateEndpoint") {
        changes.dedup();
    }
    differs("deployments", changes.len().to_string(), scenario.deployments.to_string());
    let once: BTreeSet<&String> = changes.iter().collect();
    differs("models deployed once", once.len().to_string(), changes.len().to_string());
    let registered = runs.iter().filter(|run| run.package.is_some()).count();
    differs("model packages", cloud.registry.packages.len().to_string(), registered.to_string());
    for endpoint in endpoints(cloud) {
        let flight = format!("{:?} {:?}", endpoint.deploying, endpoint.waiting);
        differs("an endpoint in flight", flight, "None []".to_owned());
        let serves = cloud.hosting.endpoints.get(&endpoint.name).map(|known| known.config.clone());
        differs("what is served", format!("{serves:?}"), format!("{:?}", endpoint.champion.map(|it| it.config)));
    }

    let mut alerts = BTreeMap::<(&str, &str), u32>::new();
    for published in &cloud.topic.0 {
        *alerts.entry((published.cause.as_str(), published.run().unwrap_or_default())).or_default() += 1;
    }
    let mut causes: Vec<&str> = alerts.keys().map(|(cause, _)| *cause).collect();
    causes.sort_unstable();
    differs("alerts", format!("{causes:?}"), format!("{:?}", scenario.alerts));
    if !cloud.excuses.contains("Publish") {
        let repeated = alerts.values().filter(|count| **count > 1).count();
        differs("alerts that came again", repeated.to_string(), "0".to_owned());
    }
    match clean {
        None => differs("dead letters", outcome.dead.to_string(), "0".to_owned()),
        Some(_) if !scenario.ordered => {}
        Some(clean) => {
            differs("facts", format!("{:?}", facts(cloud)), format!("{:?}", facts(&clean.cloud)));
            differs("items", format!("{:?}", items(cloud)), format!("{:?}", items(&clean.cloud)));
            differs("objects", format!("{:?}", objects(cloud)), format!("{:?}", objects(&clean.cloud)));
        }
    }
    wrongs
}

/// All runs, in the order of their creation.
pub(crate) fn runs(cloud: &Cloud) -> Vec<Run> {
    let bodies = cloud.table.bodies("run#", "state");
    let mut runs: Vec<Run> = bodies.iter().map(|body| serde_json::from_str(body).unwrap()).collect();
    runs.sort_by_key(|run| run.created);
    runs
}

fn endpoints(cloud: &Cloud) -> Vec<Endpoint> {
    let bodies = cloud.table.bodies("endpoint#", "state");
    bodies.iter().map(|body| serde_json::from_str(body).unwrap()).collect()
}

/// What each run knows, without the times, and without what only a fault makes it wait for.
fn facts(cloud: &Cloud) -> Vec<BTreeSet<String>> {
    let facts = |run: Run| run.facts.into_iter().map(|fact| fact.what).filter(|what| !what.contains("waits for room"));
    runs(cloud).into_iter().map(|run| facts(run).collect()).collect()
}

/// What there is in the ledger.
fn items(cloud: &Cloud) -> Vec<&(String, String)> {
    cloud.table.items.keys().collect()
}

/// What there is in the bucket.
fn objects(cloud: &Cloud) -> Vec<&String> {
    cloud.s3.0.keys().collect()
}
