//! An account with a domain that goes, `d-1`, and neighbours that stay.

use std::collections::BTreeMap;

use super::cloud::{App, Cloud, FileSystem, Group, MountTarget, Named, STACK, World};
use super::{LONG, delete};
use crate::studio::cleanup::names::{DEPARTS_WITH, MANAGED_BY};
use crate::studio::cleanup::{CONTENTS, HOMES};

pub(super) const ARN: &str = "arn:aws:sagemaker:eu-west-1:123456789012:domain/d-1";
const NEIGHBOUR: &str = "arn:aws:sagemaker:eu-west-1:123456789012:domain/d-2";
const GONE: &str = "arn:aws:sagemaker:eu-west-1:123456789012:domain/d-9";
const OTHER_STACK: &str = "arn:aws:cloudformation:eu-west-1:123456789012:stack/TidegateStudio-team/9";

pub(super) fn world() -> World {
    let app = |domain: &str, owner: &str, name: &str, status: &'static str| App {
        domain: domain.to_owned(),
        space: (owner == "lab").then(|| owner.to_owned()),
        profile: (owner != "lab").then(|| owner.to_owned()),
        name: name.to_owned(),
        status,
        looks: 2,
    };
    let named = |domain: &str, name: &str| Named {
        domain: domain.to_owned(),
        name: name.to_owned(),
        status: "InService",
        looks: 0,
    };
    let tags = |tags: &[(&str, &str)]| -> BTreeMap<String, String> {
        tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    let file_system = |pairs: &[(&str, &str)]| FileSystem { tags: tags(pairs), leaving: None };
    let target = |file_system: &str, group: &str| MountTarget {
        file_system: file_system.to_owned(),
        group: group.to_owned(),
        leaving: None,
    };
    let group = |name: &str, arn: &str, ingress: &[&str], egress: &[&str]| Group {
        name: name.to_owned(),
        tags: tags(&[(MANAGED_BY, arn)]),
        ingress: ingress.iter().map(|id| (*id).to_owned()).collect(),
        egress: egress.iter().map(|id| (*id).to_owned()).collect(),
    };
    World {
        stack_status: "DELETE_IN_PROGRESS".to_owned(),
        domains: ["d-1", "d-2", "d-3", "d-4"].map(|id| (id.to_owned(), "InService")).into(),
        apps: vec![
            app("d-1", "ann", "mine", "InService"),
            app("d-1", "lab", "default", "InService"),
            app("d-1", "bob", "broken", "Failed"),
            app("d-1", "bob", "young", "Pending"),
            app("d-1", "bob", "old", "Deleted"),
            app("d-2", "bob", "default", "InService"),
        ],
        spaces: vec![named("d-1", "lab"), named("d-1", "shared"), named("d-1", "third"), named("d-2", "lab")],
        profiles: vec![
            named("d-1", "ann"),
            named("d-1", "bob"),
            named("d-1", "cleo"),
            named("d-1", "dora"),
            named("d-2", "bob"),
        ],
        file_systems: [
            ("fs-0", file_system(&[])),
            ("fs-1", file_system(&[(MANAGED_BY, ARN), ("Name", "home")])),
            ("fs-2", file_system(&[(MANAGED_BY, NEIGHBOUR)])),
            // What somebody has marked by hand, and what another stack left.
            ("fs-3", file_system(&[(DEPARTS_WITH, STACK)])),
            ("fs-4", file_system(&[(DEPARTS_WITH, STACK), (MANAGED_BY, NEIGHBOUR)])),
            ("fs-5", file_system(&[(DEPARTS_WITH, OTHER_STACK), (MANAGED_BY, GONE)])),
        ]
        .map(|(id, found)| (id.to_owned(), found))
        .into(),
        mount_targets: [
            ("fsmt-1", target("fs-1", "sg-in-1")),
            ("fsmt-2", target("fs-1", "sg-in-1")),
            ("fsmt-3", target("fs-1", "sg-in-1")),
            ("fsmt-4", target("fs-2", "sg-in-2")),
            ("fsmt-5", target("fs-4", "sg-in-2")),
        ]
        .map(|(id, found)| (id.to_owned(), found))
        .into(),
        groups: [
            ("sg-in-1", group("security-group-for-inbound-nfs-d-1", ARN, &["sg-out-1", "sg-mine"], &[])),
            ("sg-out-1", group("security-group-for-outbound-nfs-d-1", ARN, &["sg-in-1"], &["sg-in-1"])),
            ("sg-in-2", group("security-group-for-inbound-nfs-d-2", NEIGHBOUR, &["sg-out-2"], &[])),
            ("sg-out-2", group("security-group-for-outbound-nfs-d-2", NEIGHBOUR, &[], &["sg-in-2"])),
            ("sg-mine", group("mine", ARN, &[], &[])),
        ]
        .map(|(id, found)| (id.to_owned(), found))
        .into(),
        patience: 1,
        ..World::default()
    }
}

pub(super) const OURS: [&str; 6] = ["fs-1", "fsmt-1", "fsmt-2", "fsmt-3", "sg-in-1", "sg-out-1"];

/// What is left of the domain, beside what CloudFormation deletes.
pub(super) fn left(world: &World) -> Vec<String> {
    let apps = world.apps.iter().filter(|app| app.domain == "d-1" && app.is_there()).map(|app| app.name.clone());
    let named = world.spaces.iter().chain(&world.profiles).filter(|one| one.domain == "d-1" && one.name != "ann");
    let ids = world.file_systems.keys().chain(world.mount_targets.keys()).chain(world.groups.keys());
    let ids = ids.filter(|id| OURS.contains(&id.as_str())).cloned();
    apps.chain(named.map(|one| one.name.clone())).chain(ids).collect()
}

/// What is not of the domain.
pub(super) fn others(world: &World) -> String {
    let ours = |id: &str| OURS.contains(&id);
    let apps: Vec<_> = world.apps.iter().filter(|app| app.domain != "d-1").collect();
    let named: Vec<_> = world.spaces.iter().chain(&world.profiles).filter(|one| one.domain != "d-1").collect();
    let files: Vec<_> = world.file_systems.iter().filter(|(id, _)| !ours(id)).collect();
    let targets: Vec<_> = world.mount_targets.iter().filter(|(id, _)| !ours(id)).collect();
    let groups: Vec<_> = world.groups.iter().filter(|(id, _)| !ours(id)).collect();
    format!("{apps:?} {named:?} {files:?} {targets:?} {groups:?}")
}

/// CloudFormation deletes the stack: what goes before the domain, the domain with its own profiles, what goes after it. A
/// request that fails is made a second time, and no more.
pub(super) async fn take_down(cloud: &Cloud) {
    twice(cloud, CONTENTS).await;
    cloud.with(domain_goes);
    twice(cloud, HOMES).await;
}

/// CloudFormation deletes its own profiles and the domain, in which nothing else may be left.
pub(super) fn domain_goes(world: &mut World) {
    let inside = left(world).into_iter().filter(|one| !OURS.contains(&one.as_str())).collect::<Vec<_>>();
    assert_eq!(inside, Vec::<String>::new(), "SageMaker deletes no domain with this in it");
    world.profiles.retain(|profile| profile.domain != "d-1");
    world.domains.remove("d-1");
}

pub(super) async fn twice(cloud: &Cloud, resource: &str) {
    let first = delete(cloud, resource, LONG).await;
    if first["Status"] != "SUCCESS" {
        let second = delete(cloud, resource, LONG).await;
        assert_eq!(second["Status"], "SUCCESS", "{first}, then {second}");
    }
}
