//! File systems of EFS, as far as it matters here.

use std::collections::BTreeMap;

use aws_sdk_efs::types::{FileSystemDescription, LifeCycleState, Tag};

use crate::aws::Aws;
use crate::studio::cleanup::trouble::{Trouble, unless_gone};

/// A file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::studio::cleanup) struct FileSystem {
    pub(in crate::studio::cleanup) id: String,
    tags: BTreeMap<String, String>,
    leaving: bool,
}

/// A way into a file system from a subnet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MountTarget {
    pub(super) id: String,
    pub(super) leaving: bool,
}

impl FileSystem {
    pub(in crate::studio::cleanup) fn tag(&self, key: &str) -> Option<&str> {
        self.tags.get(key).map(String::as_str)
    }

    /// It is being deleted.
    pub(in crate::studio::cleanup) fn is_leaving(&self) -> bool {
        self.leaving
    }

    fn read(description: FileSystemDescription) -> Option<Self> {
        let state = description.life_cycle_state;
        (state != LifeCycleState::Deleted).then(|| Self {
            id: description.file_system_id,
            tags: description.tags.into_iter().map(|tag| (tag.key, tag.value)).collect(),
            leaving: state == LifeCycleState::Deleting,
        })
    }

    #[cfg(test)]
    pub(super) fn of(id: &str, tags: &[(&str, &str)], leaving: bool) -> Self {
        let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Self { id: id.to_owned(), tags, leaving }
    }
}

/// Every file system of the account in this Region, through all pages.
pub(in crate::studio::cleanup) async fn all(aws: &Aws) -> Result<Vec<FileSystem>, Trouble> {
    let pages = aws.efs().describe_file_systems().into_paginator().page_size(100).items().send();
    let found = pages.collect::<Result<Vec<_>, _>>().await;
    let found = found.map_err(|error| Trouble::from(error).at("the file systems cannot be listed"))?;
    Ok(found.into_iter().filter_map(FileSystem::read).collect())
}

/// Puts a tag on a file system.
pub(in crate::studio::cleanup) async fn tag(aws: &Aws, id: &str, key: &str, value: &str) -> Result<(), Trouble> {
    let what = format!("the file system `{id}` cannot be tagged");
    let tag = Tag::builder().key(key).value(value).build().map_err(|error| Trouble::Refused(error.to_string()))?;
    let tagged = aws.efs().tag_resource().resource_id(id).tags(tag).send().await;
    tagged.map(drop).map_err(|error| Trouble::from(error).at(&what))
}

/// Its mount targets, through all pages; none if it is gone.
pub(super) async fn mount_targets(aws: &Aws, id: &str) -> Result<Vec<MountTarget>, Trouble> {
    let pages = aws.efs().describe_mount_targets().file_system_id(id).into_paginator().items().send();
    let what = format!("the mount targets of `{id}` cannot be listed");
    let found = pages.collect::<Result<Vec<_>, _>>().await.map_err(|error| Trouble::from(error).at(&what));
    let found = unless_gone(found)?.unwrap_or_default();
    let there = found.into_iter().filter(|target| target.life_cycle_state != LifeCycleState::Deleted);
    let read = |target: aws_sdk_efs::types::MountTargetDescription| MountTarget {
        leaving: target.life_cycle_state == LifeCycleState::Deleting,
        id: target.mount_target_id,
    };
    Ok(there.map(read).collect())
}

/// Deletes a mount target.
pub(super) async fn delete_mount_target(aws: &Aws, id: &str) -> Result<(), Trouble> {
    let deleted = aws.efs().delete_mount_target().mount_target_id(id).send().await;
    let what = format!("the mount target `{id}` cannot be deleted");
    deleted.map(drop).map_err(|error| Trouble::from(error).at(&what))
}

/// Deletes a file system.
pub(super) async fn delete(aws: &Aws, id: &str) -> Result<(), Trouble> {
    let deleted = aws.efs().delete_file_system().file_system_id(id).send().await;
    let what = format!("the file system `{id}` cannot be deleted");
    deleted.map(drop).map_err(|error| Trouble::from(error).at(&what))
}
