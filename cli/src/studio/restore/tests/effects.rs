//! Plans done on the wire, with failures at every call.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::error::Error;
use crate::studio::backup::scripted::{Server, World, serve};
use crate::studio::manifest::tests::tags;
use crate::studio::restore::apply::{Failure, Pace, look};

const PACE: Pace = Pace { every: Duration::from_millis(1), at_most: Duration::from_secs(20) };

fn world() -> World {
    let mut world = World::default();
    world.domain("d-new", "new", "fs-0b");
    world
}

/// The whole of it, as the command does.
async fn restore(server: &Server, manifest: &Backup, wishes: &Wishes) -> Result<(There, Plan, Vec<Failure>), Error> {
    let look = || look(&server.client, "d-new", Timestamp::UNIX_EPOCH, |_| {});
    let there = look().await?;
    let todo = plan(manifest, &there, wishes);
    let failures = apply::apply(&server.client, &todo, (manifest, &there), PACE, |_| {}).await?;
    Ok((look().await?, todo, failures))
}

#[tokio::test]
async fn e4_a_manifest_is_restored_with_ids_tags_and_settings_and_once_more_nothing_is_done() {
    let server = serve(world()).await;
    let mut manifest = backup();
    manifest.profiles[0].settings.insert("NewerThanThisProgram".into(), json!({"X": [1, "ü"]}));
    let (there, _, failures) = restore(&server, &manifest, &Wishes::default()).await.unwrap();
    assert_eq!(failures, []);
    let ann = &there.taken.backup.profiles[0];
    assert_eq!(ann.settings, manifest.profiles[0].settings);
    assert_eq!(ann.tags, tags(&[("DomainName", "new"), ("studiouserid", "ann")]));
    assert!(there.taken.backup.profiles.iter().all(|profile| profile.uid.is_some()), "ids are waited for");
    assert_eq!(there.taken.backup.spaces[0].owner(), Some("ann"));
    let called = server.world.lock().unwrap().called.len();
    let (_, todo, failures) = restore(&server, &manifest, &update()).await.unwrap();
    assert_eq!(
        (words(&todo), failures),
        (vec!["adopt ann".to_owned(), "adopt bob".into(), "adopt lab".into()], vec![])
    );
    let world = server.world.lock().unwrap();
    let after = &world.called[called..];
    assert!(after.iter().all(|call| call.starts_with("List") || call.starts_with("Describe")), "{after:?}");
}

#[tokio::test]
async fn e4_an_update_makes_equal_what_differs() {
    let server = serve(world()).await;
    let manifest = backup();
    restore(&server, &manifest, &Wishes::default()).await.unwrap();
    {
        let mut world = server.world.lock().unwrap();
        world.profiles.get_mut("d-new/ann").unwrap()["UserSettings"] =
            json!({"ExecutionRole": "arn:aws:iam::111122223333:role/x"});
        world.tags.clear();
    }
    let (_, todo, failures) = restore(&server, &manifest, &update()).await.unwrap();
    assert_eq!(
        (words(&todo), failures),
        (vec!["update ann".to_owned(), "update bob".into(), "adopt lab".into()], vec![])
    );
    let (_, todo, _) = restore(&server, &manifest, &update()).await.unwrap();
    assert_eq!(words(&todo), ["adopt ann", "adopt bob", "adopt lab"]);
}

#[tokio::test]
async fn e4_after_a_failure_at_any_call_it_is_run_again_and_ends_the_same() {
    let whole = {
        let server = serve(world()).await;
        restore(&server, &backup(), &Wishes::default()).await.unwrap();
        std::mem::take(&mut server.world.lock().unwrap().called)
    };
    assert!(whole.len() > 20 && whole.contains(&"CreateSpace".to_owned()), "{whole:?}");
    for (call, operation) in whole.iter().enumerate() {
        let server = serve(World { refuses: Some(call), ..world() }).await;
        match restore(&server, &backup(), &Wishes::default()).await {
            // Scripts that may not be listed are not known, and nothing here has any.
            Ok((there, _, failures)) if operation == "ListStudioLifecycleConfigs" => {
                assert_eq!((failures, there.taken.backup.profiles.len()), (vec![], 2));
            }
            Ok((_, _, failures)) => {
                assert!(operation.starts_with("Create"), "{call} {operation}");
                assert!(failures[0].why.contains("AccessDeniedException"), "{failures:?}");
            }
            Err(error) => assert!(error.lines[0].contains("AccessDeniedException"), "{call} {operation}: {error:?}"),
        }
        let (there, _, failures) = restore(&server, &backup(), &Wishes::default()).await.unwrap();
        assert_eq!(failures, [], "{call} {operation}");
        assert_eq!(words(&plan(&backup(), &there, &update())), ["adopt ann", "adopt bob", "adopt lab"]);
        assert!(there.taken.backup.spaces[0].uid.is_some(), "{call} {operation}");
    }
}

#[tokio::test]
async fn e4_one_refusal_leaves_the_rest_done() {
    let server = serve(World { forbids: ["CreateSpace"].into(), ..world() }).await;
    let (there, _, failures) = restore(&server, &backup(), &Wishes::default()).await.unwrap();
    assert_eq!(there.taken.backup.profiles.len(), 2);
    let [only] = failures.as_slice() else { panic!("{failures:?}") };
    assert_eq!(
        (only.kind, only.why.as_str()),
        (Kind::Space, "space `lab` cannot be made: AccessDeniedException: refused")
    );
}

#[tokio::test]
async fn e4_what_is_never_in_service_ends_the_wait_with_a_reason() {
    let server = serve(world()).await;
    let there = look(&server.client, "d-new", Timestamp::UNIX_EPOCH, |_| {}).await.unwrap();
    let manifest = backup();
    let todo = plan(&manifest, &there, &Wishes::default());
    let pace = Pace { at_most: Duration::ZERO, ..PACE };
    let failures = apply::apply(&server.client, &todo, (&manifest, &there), pace, |_| {}).await.unwrap();
    assert_eq!(failures[0].why, "profile `ann` is not in service after 0 s: run this again later");
}
