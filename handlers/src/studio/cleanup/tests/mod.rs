#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod cloud;
mod faults;
mod world;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use self::cloud::{Cloud, JobState, STACK};
use self::world::{ARN, left, others, take_down, world};
use super::names::{DEPARTS_WITH, FINAL_BACKUP};
use super::{CONTENTS, HOMES};
use crate::cloudformation::ANSWER_TIME;
use crate::cloudformation::testing::{bucket, event, request};
use crate::studio::{MARGIN, handle_at};

/// Long enough for everything here that comes to an end.
const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(150);

fn properties(resource: &str) -> Value {
    match resource {
        CONTENTS => json!({
            "ServiceToken": "arn:f",
            "DomainArn": ARN,
            "OwnProfiles": ["ann"],
            "HomeFileSystemArn": "arn:aws:elasticfilesystem:eu-west-1:123456789012:file-system/fs-1",
            "FinalBackup": {
                "VaultName": "tidegate-team-home",
                "RoleArn": "arn:aws:iam::123456789012:role/backup",
            },
        }),
        _ => json!({"ServiceToken": "arn:f"}),
    }
}

fn id(resource: &str) -> &'static str {
    if resource == CONTENTS { "tidegate-studio-contents" } else { "tidegate-studio-homes" }
}

/// What CloudFormation is answered, which it is once.
async fn ask(cloud: &Cloud, kind: &str, resource: &str, properties: &Value, time: Duration) -> Value {
    let own = (kind != "Create").then(|| id(resource));
    let mut payload = request(kind, resource, properties, own);
    payload["StackId"] = json!(STACK);
    let (url, taken) = bucket(&[200, 200]).await;
    let mut event = event(payload, &url);
    let extra = u64::try_from((ANSWER_TIME + MARGIN + time).as_millis()).unwrap();
    event.context.deadline = event.context.deadline - 60_000 + extra;
    handle_at(Arc::new(cloud.aws()), event, Duration::from_millis(1)).await.unwrap();
    let taken = taken.lock().unwrap();
    assert_eq!(taken.len(), 1, "CloudFormation is answered once");
    serde_json::from_str(taken[0].split_once("\r\n\r\n").unwrap().1).unwrap()
}

async fn delete(cloud: &Cloud, resource: &str, time: Duration) -> Value {
    ask(cloud, "Delete", resource, &properties(resource), time).await
}

fn place(done: &[String], what: &str) -> usize {
    done.iter().position(|one| one.starts_with(what)).unwrap_or_else(|| panic!("no {what} in {done:?}"))
}

fn last(done: &[String], what: &str) -> usize {
    done.iter().rposition(|one| one.starts_with(what)).unwrap_or_else(|| panic!("no {what} in {done:?}"))
}

#[tokio::test]
async fn d7_everything_of_the_domain_goes_in_order_and_nothing_else() {
    let cloud = Cloud::new(world());
    let before = cloud.with(|world| others(world));
    take_down(&cloud).await;
    cloud.with(|world| {
        assert_eq!(left(world), Vec::<String>::new());
        assert_eq!(others(world), before);
        let done = &world.done;
        for (earlier, later) in [
            ("app ", "backup fs-1"),
            ("backup fs-1", "space "),
            ("backup fs-1", "profile "),
            ("space ", "profile "),
            ("tag sg-out-1", "profile "),
            ("profile ", "mount target "),
            ("mount target ", "rule "),
            ("rule ", "group "),
            ("group ", "file system fs-1"),
        ] {
            assert!(last(done, earlier) < place(done, later), "{earlier} before {later}: {done:?}");
        }
        assert_eq!(world.jobs.len(), 1);
        assert_eq!(done.iter().filter(|one| one.starts_with("app ")).count(), 4, "{done:?}");
    });
    // CloudFormation may ask again.
    let done = cloud.with(|world| world.done.clone());
    for resource in [CONTENTS, HOMES] {
        assert_eq!(delete(&cloud, resource, LONG).await["Status"], "SUCCESS");
    }
    assert_eq!(cloud.with(|world| world.done.clone()), done);
}

#[tokio::test]
async fn d7_nothing_goes_unless_the_stack_goes() {
    for status in [
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_ROLLBACK_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_IN_PROGRESS",
        "UPDATE_FAILED",
        "DELETE_FAILED",
    ] {
        let cloud = Cloud::new(world());
        cloud.with(|world| world.stack_status = status.to_owned());
        for resource in [CONTENTS, HOMES] {
            assert_eq!(delete(&cloud, resource, LONG).await["Status"], "SUCCESS", "{status}");
        }
        assert_eq!(cloud.with(|world| world.calls.clone()), ["DescribeStacks", "DescribeStacks"], "{status}");
    }
}

#[tokio::test]
async fn d7_a_creation_that_is_taken_back_needs_no_backup() {
    let cloud = Cloud::new(world());
    cloud.with(|world| world.stack_status = "ROLLBACK_IN_PROGRESS".to_owned());
    take_down(&cloud).await;
    cloud.with(|world| {
        assert_eq!(left(world), Vec::<String>::new());
        assert!(world.jobs.is_empty());
    });
}

#[tokio::test]
async fn d7_creations_and_updates_ask_aws_nothing_and_keep_the_id() {
    let cloud = Cloud::new(world());
    for resource in [CONTENTS, HOMES] {
        for kind in ["Create", "Update"] {
            let answer = ask(&cloud, kind, resource, &properties(resource), LONG).await;
            assert_eq!((&answer["Status"], &answer["PhysicalResourceId"]), (&json!("SUCCESS"), &json!(id(resource))));
        }
    }
    for (name, value) in [
        ("DomainArn", json!("d-1")),
        ("DomainArn", json!("arn:aws:sagemaker:eu-west-2:123456789012:domain/d-1")),
        ("HomeFileSystemArn", json!("fs-1")),
        ("FinalBackup", json!({"VaultName": "v"})),
    ] {
        let mut wrong = properties(CONTENTS);
        wrong[name] = value;
        let answer = ask(&cloud, "Create", CONTENTS, &wrong, LONG).await;
        assert_eq!(answer["Status"], "FAILED", "{wrong}");
        assert!(answer["Reason"].as_str().unwrap().contains(name), "{answer}");
        // What rolls it back.
        let mut payload = request("Delete", CONTENTS, &wrong, answer["PhysicalResourceId"].as_str());
        payload["StackId"] = json!(STACK);
        let (url, taken) = bucket(&[200]).await;
        handle_at(Arc::new(cloud.aws()), event(payload, &url), SHORT).await.unwrap();
        assert!(taken.lock().unwrap()[0].contains("SUCCESS"));
    }
    assert!(cloud.with(|world| world.calls.is_empty()));
}

#[tokio::test]
async fn d7_home_folders_that_are_kept_are_not_looked_at() {
    let cloud = Cloud::new(world());
    let mut kept = properties(CONTENTS);
    kept.as_object_mut().unwrap().retain(|name, _| !matches!(name.as_str(), "HomeFileSystemArn" | "FinalBackup"));
    assert_eq!(ask(&cloud, "Delete", CONTENTS, &kept, LONG).await["Status"], "SUCCESS");
    cloud.with(|world| {
        assert!(left(world).iter().all(|one| one.contains("fs") || one.contains("sg-")), "{:?}", left(world));
        assert!(!world.file_systems["fs-1"].tags.contains_key(DEPARTS_WITH));
        assert!(
            world
                .calls
                .iter()
                .all(|call| call == "DescribeStacks" || !call.contains("File") && !call.contains("Group"))
        );
    });
    // Without the mark what comes after the domain would leave them, too.
    cloud.with(|world| world.domains.remove("d-1"));
    assert_eq!(delete(&cloud, HOMES, LONG).await["Status"], "SUCCESS");
    assert!(cloud.with(|world| world.file_systems.contains_key("fs-1")));
}

#[tokio::test]
async fn d7_the_final_backup_can_be_left_out() {
    let cloud = Cloud::new(world());
    let mut without = properties(CONTENTS);
    without.as_object_mut().unwrap().shift_remove("FinalBackup");
    assert_eq!(ask(&cloud, "Delete", CONTENTS, &without, LONG).await["Status"], "SUCCESS");
    take_down(&cloud).await;
    cloud.with(|world| {
        assert_eq!((left(world).len(), world.calls.iter().any(|call| call == "StartBackupJob")), (0, true))
    });
    let cloud = Cloud::new(world());
    assert_eq!(ask(&cloud, "Delete", CONTENTS, &without, LONG).await["Status"], "SUCCESS");
    assert!(cloud.with(|world| world.jobs.is_empty()));
}

#[tokio::test]
async fn d7_a_backup_that_fails_keeps_everything_and_is_made_again_by_the_next_request() {
    for state in ["FAILED", "ABORTED", "EXPIRED", "PARTIAL"] {
        let cloud = Cloud::new(world());
        cloud.with(|world| world.bad_jobs = vec![state]);
        let answer = delete(&cloud, CONTENTS, LONG).await;
        let reason = answer["Reason"].as_str().unwrap();
        assert!(reason.contains(&format!("(job `job-1`: {state}: the role may not)")), "{reason}");
        assert!(reason.contains("delete the stack again"), "{reason}");
        cloud.with(|world| {
            assert!(!world.file_systems["fs-1"].tags.contains_key(DEPARTS_WITH));
            assert!(world.done.iter().all(|one| !one.starts_with("space") && !one.starts_with("profile")));
        });
        take_down(&cloud).await;
        cloud.with(|world| assert_eq!((left(world).len(), world.jobs.len()), (0, 2)));
    }
}

#[tokio::test]
async fn d7_a_backup_of_long_ago_does_not_count_and_one_under_way_does() {
    let cases = [
        (JobState::Ended("OLD"), false, 2),
        (JobState::Running(3), false, 1),
        (JobState::Ended("COMPLETED"), false, 1),
        (JobState::Ended("ANOTHER'S"), false, 2),
        // Somebody has worked since.
        (JobState::Running(3), true, 2),
        (JobState::Ended("COMPLETED"), true, 2),
    ];
    for (state, somebody_works, jobs) in cases {
        let cloud = Cloud::new(world());
        cloud.with(|world| {
            if !somebody_works {
                world.apps.retain(|app| app.domain != "d-1");
            }
            world.jobs.insert("job-1".to_owned(), ("another".to_owned(), state));
            world.file_systems.get_mut("fs-1").unwrap().tags.insert(FINAL_BACKUP.to_owned(), "job-1".to_owned());
        });
        take_down(&cloud).await;
        cloud.with(|world| assert_eq!((left(world).len(), world.jobs.len()), (0, jobs)));
    }
}

#[tokio::test]
async fn d7_a_domain_that_is_kept_keeps_its_home_folders() {
    let cloud = Cloud::new(world());
    assert_eq!(delete(&cloud, CONTENTS, LONG).await["Status"], "SUCCESS");
    // The stack is deleted, and somebody has kept the domain.
    let before = cloud.with(|world| world.done.clone());
    assert_eq!(delete(&cloud, HOMES, LONG).await["Status"], "SUCCESS");
    assert_eq!(cloud.with(|world| world.done.clone()), before);
}

#[tokio::test]
async fn d7_a_domain_that_somebody_deleted_before_leaves_its_home_folders_to_the_clean_up() {
    let cloud = Cloud::new(world());
    cloud.with(|world| {
        world.domains.remove("d-1");
        world.apps.retain(|app| app.domain != "d-1");
        world.spaces.retain(|space| space.domain != "d-1");
        world.profiles.retain(|profile| profile.domain != "d-1");
    });
    take_down(&cloud).await;
    cloud.with(|world| assert_eq!((left(world), world.jobs.len()), (Vec::new(), 1)));
}

#[tokio::test]
async fn d7_the_answer_comes_before_the_functions_time_is_up_and_says_what_still_goes_on() {
    let cloud = Cloud::new(world());
    cloud.with(|world| world.patience = 1_000_000);
    let begin = std::time::Instant::now();
    let reason = |answer: Value| {
        assert_eq!(answer["Status"], "FAILED");
        assert_eq!(answer["PhysicalResourceId"], "tidegate-studio-contents", "CloudFormation keeps the resource");
        answer["Reason"].as_str().unwrap().to_owned()
    };
    let said = reason(delete(&cloud, CONTENTS, SHORT).await);
    assert!(begin.elapsed() < SHORT + ANSWER_TIME, "{:?}", begin.elapsed());
    let begins = "not done yet, and the function's time is up: applications are still there: `ann/JupyterLab/mine`, ";
    assert!(said.starts_with(begins), "{said}");
    assert!(said.ends_with("; delete the stack again: the clean-up goes on from what is left"), "{said}");
    cloud.with(|world| world.apps.iter_mut().for_each(|app| app.looks = 1));
    let said = reason(delete(&cloud, CONTENTS, SHORT).await);
    assert!(said.contains("the final backup of the home folders is being made (job `job-1`, 40.0 % done)"), "{said}");
    cloud.with(|world| {
        world.patience = 1;
        world.jobs.values_mut().for_each(|(_, state)| *state = JobState::Running(1));
    });
    take_down(&cloud).await;
    cloud.with(|world| assert_eq!((left(world), world.jobs.len()), (Vec::new(), 1)));
    // Even a request that comes with no time left.
    let cloud = Cloud::new(self::world::world());
    assert_eq!(delete(&cloud, CONTENTS, Duration::ZERO).await["Status"], "FAILED");
}

#[tokio::test]
async fn d7_a_group_that_somebody_else_names_is_said_and_the_data_stays_until_it_is_let_go() {
    let cloud = Cloud::new(world());
    cloud.with(|world| world.groups.get_mut("sg-mine").unwrap().ingress.push("sg-out-1".to_owned()));
    assert_eq!(delete(&cloud, CONTENTS, LONG).await["Status"], "SUCCESS");
    cloud.with(|world| world.domains.remove("d-1"));
    let answer = delete(&cloud, HOMES, SHORT).await;
    let reason = answer["Reason"].as_str().unwrap();
    assert!(
        reason.contains("the group `sg-out-1` cannot be deleted: the fake says so (DependencyViolation)"),
        "{reason}"
    );
    cloud.with(|world| {
        assert!(world.file_systems.contains_key("fs-1"));
        assert!(!world.groups.contains_key("sg-in-1"));
        world.groups.get_mut("sg-mine").unwrap().ingress.clear();
    });
    assert_eq!(delete(&cloud, HOMES, LONG).await["Status"], "SUCCESS");
    cloud.with(|world| {
        assert!(left(world).iter().all(|one| !one.contains("fs") && !one.contains("sg-")), "{:?}", left(world))
    });
}
