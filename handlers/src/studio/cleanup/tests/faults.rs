//! Every call goes wrong, one after the other, and then for the whole of a request.

use std::collections::{BTreeMap, BTreeSet};

use super::cloud::{Calls, Cloud, FAULTS, Fault, STACK, World};
use super::world::{OURS, domain_goes, left, others, take_down, twice, world};
use super::{CONTENTS, HOMES, SHORT, delete, last, place};
use crate::studio::cleanup::names::DEPARTS_WITH;

/// No answer about one thing makes another go too early.
fn in_order(world: &World, what: &str) {
    let done = &world.done;
    assert!(place(done, "backup fs-1") < place(done, "space d-1"), "{what}: {done:?}");
    assert!(last(done, "mount target") < place(done, "file system fs-1"), "{what}: {done:?}");
}

/// Everything has been deleted that goes before the domain, and the domain.
async fn without_domain() -> World {
    let cloud = Cloud::new(quick());
    twice(&cloud, CONTENTS).await;
    cloud.with(domain_goes);
    cloud.with(|world| world.clone())
}

/// Nothing takes longer than to the next look.
fn quick() -> World {
    World { patience: 0, ..world() }
}

#[tokio::test]
async fn d7_whatever_call_fails_and_however_nothing_is_left_and_nothing_foreign_is_touched() {
    let mut tried = 0;
    for (resource, begin) in [(CONTENTS, quick()), (HOMES, without_domain().await)] {
        let (before, calls) = (others(&begin), begin.calls.len());
        for fault in FAULTS {
            for number in calls.. {
                let fault = Some((Calls::Number(number), fault));
                let cloud = Cloud::new(World { fault: fault.clone(), ..begin.clone() });
                twice(&cloud, resource).await;
                let world = cloud.with(|world| world.clone());
                let Some(call) = world.calls.get(number) else { break };
                let what = format!("{fault:?} at {call}");
                assert_eq!(others(&world), before, "{what}");
                let left = left(&world);
                if resource == HOMES {
                    assert_eq!(left, Vec::<String>::new(), "{what}");
                    in_order(&world, &what);
                } else {
                    assert!(left.iter().all(|one| OURS.contains(&one.as_str())), "{what}: {left:?}");
                    assert_eq!(left.len(), OURS.len(), "{what}: {left:?}");
                    let marked = |tags: &BTreeMap<String, String>| tags.get(DEPARTS_WITH).is_some_and(|by| by == STACK);
                    assert!(marked(&world.file_systems["fs-1"].tags), "{what}");
                    assert!(["sg-in-1", "sg-out-1"].iter().all(|id| marked(&world.groups[*id].tags)), "{what}");
                    assert!(world.jobs.len() == 1 || call == "DescribeBackupJob", "{what}");
                }
                tried += 1;
            }
        }
    }
    assert!(tried > 400, "{tried}");
}

#[tokio::test]
async fn d7_whatever_operation_fails_throughout_the_next_request_finishes() {
    let operations: BTreeSet<String> = {
        let cloud = Cloud::new(quick());
        take_down(&cloud).await;
        cloud.with(|world| world.calls.iter().cloned().collect())
    };
    assert_eq!(operations.len(), 20, "{operations:?}");
    for operation in operations {
        for fault in FAULTS {
            let what = format!("{fault:?} of every {operation}");
            let cloud = Cloud::new(quick());
            let before = cloud.with(|world| {
                world.fault = Some((Calls::Named(operation.clone()), fault));
                others(world)
            });
            let mut failed = Vec::new();
            for resource in [CONTENTS, HOMES] {
                let answer = delete(&cloud, resource, SHORT).await;
                if answer["Status"] == "SUCCESS" {
                    cloud.with(domain_goes);
                    continue;
                }
                failed.push(answer["Reason"].as_str().unwrap().to_owned());
                break;
            }
            // A fault after the effect may go unnoticed: it is looked again, and it is done.
            if matches!(fault, Fault::Before | Fault::Throttled | Fault::Denied) {
                assert_eq!(failed.len(), 1, "{what}");
            }
            for reason in failed {
                assert!(reason.contains("delete the stack again"), "{what}: {reason}");
            }
            cloud.with(|world| world.fault = None);
            take_down(&cloud).await;
            cloud.with(|world| {
                assert_eq!((left(world), others(world)), (Vec::new(), before), "{what}");
                in_order(world, &what);
            });
        }
    }
}
