//! Plans, what they do on the wire, and the script.

mod effects;
mod homes;
mod plans;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::*;
use crate::studio::backup::{Kind, Taken};
use crate::studio::manifest::tests::{arn, backup};
use crate::studio::manifest::{Backup, Name, Profile, Space, Uid};

/// A new domain beside the manifest's, with nothing in it.
fn empty() -> There {
    let mut backup = backup();
    (backup.domain.id, backup.domain.name) = ("d-new".into(), "new".into());
    backup.domain.arn = arn("domain", "d-new");
    backup.domain.file_system = crate::studio::manifest::FileSystem::new("fs-0b");
    (backup.profiles, backup.spaces) = (vec![], vec![]);
    There { taken: Taken { backup, unfit: vec![], busy: vec![] }, scripts: Some(BTreeSet::new()) }
}

/// As SageMaker would do it, at once.
fn done(plan: &Plan, mut there: There) -> There {
    let object = |members: &serde_json::Map<String, Value>, key: &str| {
        members.get(key).and_then(Value::as_object).cloned().unwrap_or_default()
    };
    let text = |members: &serde_json::Map<String, Value>, key: &str| {
        members.get(key).and_then(Value::as_str).map(str::to_owned)
    };
    let new = &mut there.taken.backup;
    for item in &plan.items {
        let uid = Uid::new(&(300_000 + new.profiles.len() + new.spaces.len()).to_string());
        let name = Name::new(&item.name).unwrap();
        match (&item.action, item.kind) {
            (Action::Make { members }, kind) => {
                let tags: BTreeMap<String, String> = members["Tags"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|tag| (tag["Key"].as_str().unwrap().to_owned(), tag["Value"].as_str().unwrap().to_owned()))
                    .collect();
                match kind {
                    Kind::Profile => new.profiles.push(Profile {
                        arn: arn("user-profile", &format!("d-new/{name}")),
                        name,
                        uid,
                        sso_user: text(members, "SingleSignOnUserValue"),
                        settings: object(members, "UserSettings"),
                        tags,
                    }),
                    Kind::Space => new.spaces.push(Space {
                        arn: arn("space", &format!("d-new/{name}")),
                        name,
                        uid,
                        display_name: text(members, "SpaceDisplayName"),
                        settings: object(members, "SpaceSettings"),
                        ownership: object(members, "OwnershipSettings"),
                        sharing: object(members, "SpaceSharingSettings"),
                        tags,
                    }),
                }
            }
            (Action::Update { members, tags, .. }, Kind::Profile) => {
                let found = new.profiles.iter_mut().find(|profile| profile.name.folded() == name.folded()).unwrap();
                found.settings.extend(object(members, "UserSettings"));
                found.tags.extend(tags.clone());
            }
            (Action::Update { members, tags, .. }, Kind::Space) => {
                let found = new.spaces.iter_mut().find(|space| space.name.folded() == name.folded()).unwrap();
                found.settings.extend(object(members, "SpaceSettings"));
                found.display_name = text(members, "SpaceDisplayName").or(found.display_name.take());
                found.tags.extend(tags.clone());
            }
            _ => {}
        }
    }
    there
}

fn words(plan: &Plan) -> Vec<String> {
    let word = |action: &Action| match action {
        Action::Make { .. } => "make",
        Action::Update { .. } => "update",
        Action::Adopt => "adopt",
        Action::Leave => "leave",
        Action::Stop { .. } => "stop",
    };
    plan.items.iter().map(|item| format!("{} {}", word(&item.action), item.name)).collect()
}

fn why(plan: &Plan, name: &str) -> String {
    match &plan.items.iter().find(|item| item.name == name).unwrap().action {
        Action::Stop { why } => why.clone(),
        other => panic!("{other:?}"),
    }
}

fn update() -> Wishes {
    Wishes { update: true, ..Wishes::default() }
}

fn restored(manifest: &Backup) -> There {
    let there = empty();
    done(&plan(manifest, &there, &Wishes::default()), there)
}
