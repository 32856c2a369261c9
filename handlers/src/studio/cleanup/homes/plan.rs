//! The next step after the domain is gone. Pure.
//!
//! The order is EFS's and EC2's: a mount target uses a group, the rules of the two groups on each other hold both, and a file
//! system goes after its mount targets. What has the data goes last.

use std::collections::BTreeSet;

use super::files::{FileSystem, MountTarget};
use crate::studio::cleanup::groups::{Group, Rule};
use crate::studio::cleanup::names::{DEPARTS_WITH, DomainArn, MANAGED_BY};
use crate::studio::cleanup::rounds::{Step, some};

/// The domains that there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Domains {
    pub(super) staying: BTreeSet<DomainArn>,
    pub(super) leaving: BTreeSet<DomainArn>,
}

/// What may be of the stack: every file system, and every group that carries its mark.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) domains: Domains,
    pub(super) file_systems: Vec<FileSystem>,
    pub(super) groups: Vec<Group>,
}

/// What is to go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Departing {
    /// Domains of which something is marked, and which are being deleted themselves.
    pub(super) leaving: BTreeSet<DomainArn>,
    pub(super) file_systems: Vec<FileSystem>,
    pub(super) groups: Vec<Group>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::studio::cleanup) enum Action {
    DeleteMountTarget(String),
    /// The group, and its rule.
    Revoke(String, Rule),
    DeleteGroup(String),
    DeleteFileSystem(String),
}

/// What of all this goes with the stack: what says so, and of which SageMaker says that it was made for a domain in the stack's
/// own Region and account, and that domain is gone. A domain that somebody kept keeps its own.
pub(super) fn departing(stack: &str, seen: Seen) -> Departing {
    let Seen { domains, file_systems, groups } = seen;
    let mut leaving = BTreeSet::new();
    let mut goes = |mark: Option<&str>, domain: Option<DomainArn>| {
        let Some(domain) = domain.filter(|domain| mark == Some(stack) && domain.is_beside(stack)) else { return false };
        if domains.leaving.contains(&domain) {
            leaving.insert(domain);
            return false;
        }
        !domains.staying.contains(&domain)
    };
    let file_systems: Vec<FileSystem> = file_systems
        .into_iter()
        .filter(|found| goes(found.tag(DEPARTS_WITH), found.tag(MANAGED_BY).and_then(DomainArn::parse)))
        .collect();
    let groups = groups
        .into_iter()
        .filter(|found| found.managed_by.as_ref().is_some_and(|domain| domain.names_group(&found.name)))
        .filter(|found| goes(found.departs_with.as_deref(), found.managed_by.clone()))
        .collect();
    Departing { leaving, file_systems, groups }
}

/// Decides.
pub(super) fn next(departing: &Departing, mount_targets: &[MountTarget]) -> Step<Action> {
    let Departing { leaving, file_systems, groups } = departing;
    if !leaving.is_empty() {
        let names = some(leaving.iter().map(|domain| domain.id().to_owned()));
        return Step::Wait(format!("the domain is still being deleted: {names}"));
    }
    if !mount_targets.is_empty() {
        let what = some(mount_targets.iter().map(|target| target.id.clone()));
        let there = mount_targets.iter().filter(|target| !target.leaving);
        let actions = there.map(|target| Action::DeleteMountTarget(target.id.clone()));
        return step(format!("mount targets of the home folders are still there: {what}"), actions);
    }
    let names = || some(groups.iter().map(|group| group.id.clone()));
    let rules: Vec<Action> = groups.iter().flat_map(|group| crossing(group, groups)).collect();
    if !rules.is_empty() {
        return Step::Act(format!("security groups of the home folders still name each other: {}", names()), rules);
    }
    if !groups.is_empty() {
        let actions = groups.iter().map(|group| Action::DeleteGroup(group.id.clone()));
        return step(format!("security groups of the home folders are still there: {}", names()), actions);
    }
    if !file_systems.is_empty() {
        let what = some(file_systems.iter().map(|found| found.id.clone()));
        let there = file_systems.iter().filter(|found| !found.is_leaving());
        let actions = there.map(|found| Action::DeleteFileSystem(found.id.clone()));
        return step(format!("the file system of the home folders is still there: {what}"), actions);
    }
    Step::Done
}

fn step(what: String, actions: impl Iterator<Item = Action>) -> Step<Action> {
    let actions: Vec<Action> = actions.collect();
    if actions.is_empty() { Step::Wait(what) } else { Step::Act(what, actions) }
}

/// The rules of a group that name the other one of its domain. Whom else it names is no obstacle, and whoever else names it
/// has to let go of it.
fn crossing(group: &Group, groups: &[Group]) -> Vec<Action> {
    let others = groups.iter().filter(|other| other.id != group.id && other.managed_by == group.managed_by);
    let others: BTreeSet<&str> = others.map(|other| other.id.as_str()).collect();
    let rules = group.rules.iter().filter(|rule| others.contains(rule.peer.as_str()));
    rules.map(|rule| Action::Revoke(group.id.clone(), rule.clone())).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::studio::cleanup::groups::Way;

    const STACK: &str = "arn:aws:cloudformation:eu-west-1:123456789012:stack/TidegateStudio-team/1";
    const ARN: &str = "arn:aws:sagemaker:eu-west-1:123456789012:domain/d-1";

    fn domain() -> DomainArn {
        DomainArn::parse(ARN).unwrap()
    }

    fn file_system(tags: &[(&str, &str)]) -> FileSystem {
        FileSystem::of("fs-1", tags, false)
    }

    fn group(id: &str, peer: &str) -> Group {
        Group {
            id: id.to_owned(),
            name: "security-group-for-inbound-nfs-d-1".to_owned(),
            managed_by: Some(domain()),
            departs_with: Some(STACK.to_owned()),
            rules: vec![Rule {
                way: Way::In,
                protocol: "tcp".to_owned(),
                ports: ("2049".to_owned(), "2049".to_owned()),
                peer: peer.to_owned(),
            }],
        }
    }

    fn departs(seen: Seen) -> (usize, usize) {
        let departing = departing(STACK, seen);
        (departing.file_systems.len(), departing.groups.len())
    }

    #[test]
    fn d7_only_what_carries_mark_and_domain_goes() {
        let with = |tags: &[(&str, &str)]| departs(Seen { file_systems: vec![file_system(tags)], ..Seen::default() }).0;
        assert_eq!(with(&[(DEPARTS_WITH, STACK), (MANAGED_BY, ARN)]), 1);
        for tags in [
            &[][..],
            &[(DEPARTS_WITH, STACK)],
            &[(MANAGED_BY, ARN)],
            &[
                (DEPARTS_WITH, "arn:aws:cloudformation:eu-west-1:123456789012:stack/TidegateStudio-team/2"),
                (MANAGED_BY, ARN),
            ],
            &[(DEPARTS_WITH, STACK), (MANAGED_BY, "d-1")],
            &[(DEPARTS_WITH, STACK), (MANAGED_BY, "arn:aws:sagemaker:eu-west-2:123456789012:domain/d-1")],
        ] {
            assert_eq!(with(tags), 0, "{tags:?}");
        }
        let with = |change: fn(&mut Group)| {
            let mut group = group("sg-1", "sg-2");
            change(&mut group);
            departs(Seen { groups: vec![group], ..Seen::default() }).1
        };
        assert_eq!(with(|_| {}), 1);
        assert_eq!(with(|group| group.name = "mine".to_owned()), 0);
        assert_eq!(with(|group| group.name = "security-group-for-inbound-nfs-d-2".to_owned()), 0);
        assert_eq!(with(|group| group.managed_by = None), 0);
        assert_eq!(with(|group| group.departs_with = None), 0);
    }

    #[test]
    fn d7_a_domain_that_stays_keeps_its_own_and_one_that_goes_is_waited_for() {
        let seen = |domains: Domains| Seen {
            domains,
            file_systems: vec![file_system(&[(DEPARTS_WITH, STACK), (MANAGED_BY, ARN)])],
            groups: vec![group("sg-1", "sg-2")],
        };
        let staying = Domains { staying: [domain()].into(), ..Domains::default() };
        assert_eq!(next(&departing(STACK, seen(staying)), &[]), Step::Done);
        let leaving = Domains { leaving: [domain()].into(), ..Domains::default() };
        let said = "the domain is still being deleted: `d-1`".to_owned();
        assert_eq!(next(&departing(STACK, seen(leaving)), &[]), Step::Wait(said));
    }

    #[test]
    fn d7_mount_targets_rules_groups_and_the_file_system_go_in_this_order() {
        let mut all = Departing {
            leaving: BTreeSet::new(),
            file_systems: vec![file_system(&[])],
            groups: vec![group("sg-1", "sg-2"), group("sg-2", "sg-1"), group("sg-3", "sg-9")],
        };
        let acts = |departing: &Departing, targets: &[MountTarget]| match next(departing, targets) {
            Step::Act(_, actions) => actions,
            _ => Vec::new(),
        };
        let target = |leaving| MountTarget { id: "fsmt-1".to_owned(), leaving };
        assert_eq!(acts(&all, &[target(false)]), [Action::DeleteMountTarget("fsmt-1".into())]);
        assert!(matches!(next(&all, &[target(true)]), Step::Wait(_)));
        let revoked: Vec<String> = acts(&all, &[])
            .into_iter()
            .map(|action| match action {
                Action::Revoke(group, rule) => format!("{group}-{}", rule.peer),
                other => format!("{other:?}"),
            })
            .collect();
        assert_eq!(revoked, ["sg-1-sg-2", "sg-2-sg-1"], "what a foreign group has to do with it is its own");
        for group in &mut all.groups {
            group.rules.clear();
        }
        assert_eq!(acts(&all, &[]).len(), 3);
        all.groups.clear();
        assert_eq!(acts(&all, &[]), [Action::DeleteFileSystem("fs-1".into())]);
        all.file_systems = vec![FileSystem::of("fs-1", &[], true)];
        assert!(matches!(next(&all, &[]), Step::Wait(_)));
        all.file_systems.clear();
        assert_eq!(next(&all, &[]), Step::Done);
    }
}
