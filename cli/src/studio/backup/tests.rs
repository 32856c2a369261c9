//! What is read of a domain, on the wire.

use serde_json::json;

use super::scripted::{Server, World, arn, serve};
use super::*;

/// A domain with five profiles and three spaces, whose pages hold two.
fn world() -> World {
    let mut world = World::default();
    for (id, name) in [("d-1", "other"), ("d-2", "twin"), ("d-3", "twin"), ("d-old", "old")] {
        world.domain(id, name, "fs-0a");
    }
    for (number, name) in ["eve", "dan", "cat", "bob", "ann"].into_iter().enumerate() {
        let key = format!("d-old/{name}");
        let profile = json!({"DomainId": "d-old", "UserProfileName": name, "UserProfileArn": arn("user-profile", &key),
            "Status": "InService", "HomeEfsFileSystemUid": (200_000 + number).to_string(), "CreationTime": 1.0,
            "UserSettings": {"ExecutionRole": "arn:aws:iam::111122223333:role/analyst", "NewerThanThisProgram": {"X": [1]}}});
        world.tags.insert(arn("user-profile", &key), BTreeMap::from([("studiouserid".into(), name.into())]));
        world.profiles.insert(key, profile);
    }
    for name in ["x", "y", "z"] {
        let key = format!("d-old/{name}");
        let space = json!({"DomainId": "d-old", "SpaceName": name, "SpaceArn": arn("space", &key), "Status": "InService",
            "SpaceDisplayName": "Our space", "SpaceSettings": {"AppType": "JupyterLab"}, "Url": "https://x",
            "OwnershipSettings": {"OwnerUserProfileName": "ann"}, "SpaceSharingSettings": {"SharingType": "Shared"}});
        world.spaces.insert(key, space);
    }
    world
}

async fn read(server: &Server) -> Result<Taken, Error> {
    super::read(&server.client, "d-old", "2026-11-21T17:00:00.5Z".parse().unwrap(), |_| {}).await
}

#[tokio::test]
async fn e4_a_backup_has_every_page_and_settings_word_for_word() {
    let server = serve(world()).await;
    assert_eq!(find(&server.client, "old").await.unwrap(), "d-old");
    let Taken { backup, unfit, busy } = read(&server).await.unwrap();
    assert_eq!((unfit, busy), (vec![], vec![]));
    let names: Vec<&str> = backup.profiles.iter().map(|profile| profile.name.as_str()).collect();
    assert_eq!(names, ["ann", "bob", "cat", "dan", "eve"]);
    let ann = &backup.profiles[0];
    assert_eq!(
        (ann.uid.map(|uid| uid.to_string()).as_deref(), ann.tags["studiouserid"].as_str()),
        (Some("200004"), "ann")
    );
    assert_eq!(ann.settings["NewerThanThisProgram"], json!({"X": [1]}));
    let [x, ..] = backup.spaces.as_slice() else { panic!("no spaces") };
    assert_eq!(
        (backup.spaces.len(), x.uid, x.owner(), x.display_name.as_deref()),
        (3, None, Some("ann"), Some("Our space"))
    );
    assert_eq!(x.sharing["SharingType"], "Shared");
    let domain = &backup.domain;
    assert_eq!((domain.name.as_str(), domain.vpc_id.as_deref()), ("old", Some("vpc-1")));
    assert_eq!(domain.file_system.as_ref().unwrap().to_string(), "fs-0a");
    // Nothing that changes by itself.
    assert_eq!(domain.settings.keys().collect::<Vec<_>>(), ["AppNetworkAccessType", "DefaultUserSettings"]);
    assert_eq!(backup.taken.to_string(), "2026-11-21T17:00:00Z");
    // The same once more, to the letter.
    assert_eq!(read(&server).await.unwrap().backup.document().unwrap(), backup.document().unwrap());
}

#[tokio::test]
async fn e4_a_domain_is_found_by_name_or_id_and_two_of_one_name_are_an_error() {
    let server = serve(world()).await;
    assert_eq!(find(&server.client, "d-3").await.unwrap(), "d-3");
    let error = find(&server.client, "twin").await.unwrap_err();
    assert_eq!((error.code.number(), error.lines), (2, vec!["2 domains are named `twin`".to_owned()]));
    assert_eq!(error.hint.as_deref(), Some("name one by its id: d-2, d-3"));
    let error = find(&server.client, "nobody").await.unwrap_err();
    assert!(error.hint.is_some_and(|hint| hint.contains("`old` (d-old)")));
}

#[tokio::test]
async fn e4_half_a_backup_is_none() {
    let whole = {
        let server = serve(world()).await;
        read(&server).await.unwrap();
        let world = server.world.lock().unwrap();
        world.called.clone()
    };
    // 1 domain with its tags, 3 pages of profiles, each read with its tags, 2 of spaces.
    assert_eq!(whole.len(), 2 + 3 + 5 * 2 + 2 + 3 * 2);
    for (call, operation) in whole.iter().enumerate() {
        let server = serve(World { refuses: Some(call), ..world() }).await;
        let error = read(&server).await.unwrap_err();
        assert!(error.lines[0].contains("AccessDeniedException"), "{call} {operation}: {error:?}");
        assert_eq!(error.code.number(), 1);
    }
}

#[tokio::test]
async fn e4_what_is_going_or_failed_is_told_and_left_out() {
    let mut world = world();
    let mut set = |name: &str, key: &str, value: &str| {
        world.profiles.get_mut(&format!("d-old/{name}")).unwrap()[key] = value.into();
    };
    set("ann", "Status", "Failed");
    set("ann", "FailureReason", "no such role");
    set("bob", "Status", "Deleting");
    set("cat", "Status", "Updating");
    set("dan", "Status", "Update_Failed");
    set("eve", "HomeEfsFileSystemUid", "");
    let server = serve(world).await;
    let taken = read(&server).await.unwrap();
    let names: Vec<&str> = taken.backup.profiles.iter().map(|profile| profile.name.as_str()).collect();
    assert_eq!(names, ["cat", "dan", "eve"]);
    assert_eq!(taken.busy.len(), 1);
    assert_eq!(
        taken.warnings(),
        [
            "profile `ann` is Failed: no such role and not in the manifest",
            "profile `bob` is Deleting and not in the manifest",
            "profile `eve` has no user id on the file system yet: its home folder cannot be found by this manifest"
        ]
    );
}

#[tokio::test]
async fn e4_an_id_that_would_be_root_s_ends_the_backup() {
    let mut world = world();
    world.profiles.get_mut("d-old/ann").unwrap()["HomeEfsFileSystemUid"] = "0".into();
    let server = serve(world).await;
    let error = read(&server).await.unwrap_err();
    assert!(error.lines[0].starts_with("profile `ann`: `HomeEfsFileSystemUid` is `0`"), "{error:?}");
}
