//! EFS and AWS Backup. EFS deletes only what is marked to go with the stack: the role's policy says so.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{No, Reply, STACK, World, page};
use crate::effects::testing::Noted;
use crate::studio::cleanup::names::DEPARTS_WITH;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct FileSystem {
    pub(in super::super) tags: BTreeMap<String, String>,
    /// How often it is still seen after it was deleted.
    pub(in super::super) leaving: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct MountTarget {
    pub(in super::super) file_system: String,
    pub(in super::super) group: String,
    pub(in super::super) leaving: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum JobState {
    Running(u32),
    Ended(&'static str),
}

fn path(request: &Noted) -> Vec<&str> {
    let rest = request.uri.split_once("://").unwrap().1.split('?').next().unwrap();
    rest.split('/').skip(1).collect()
}

fn query(request: &Noted, name: &str) -> Option<String> {
    let query = request.uri.split_once('?')?.1;
    let found = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name)?;
    Some(found.1.into_owned())
}

pub(super) fn operation(request: &Noted) -> &'static str {
    match (&*request.method, &path(request)[..]) {
        ("GET", [_, "file-systems"]) => "DescribeFileSystems",
        ("GET", [_, "mount-targets"]) => "DescribeMountTargets",
        ("DELETE", [_, "mount-targets", _]) => "DeleteMountTarget",
        ("DELETE", [_, "file-systems", _]) => "DeleteFileSystem",
        ("POST", [_, "resource-tags", _]) => "TagResource",
        ("PUT", ["backup-jobs"]) => "StartBackupJob",
        ("GET", ["backup-jobs", _]) => "DescribeBackupJob",
        other => panic!("{other:?} is not known here"),
    }
}

fn fades(leaving: &mut Option<u32>) -> bool {
    match leaving {
        Some(0) => false,
        Some(looks) => {
            *looks -= 1;
            true
        }
        None => true,
    }
}

fn state(leaving: Option<u32>) -> &'static str {
    if leaving.is_some() { "deleting" } else { "available" }
}

impl World {
    fn departs(&self, file_system: &str) -> Result<(), No> {
        let found = self.file_systems.get(file_system);
        let marked = found.is_some_and(|found| found.tags.get(DEPARTS_WITH).map(String::as_str) == Some(STACK));
        if marked { Ok(()) } else { Err(No("AccessDeniedException", 403)) }
    }

    pub(super) fn efs(&mut self, operation: &str, request: &Noted) -> Reply {
        let id = path(request).last().copied().unwrap_or_default();
        match operation {
            "DescribeFileSystems" => {
                let token = query(request, "Marker");
                if token.is_none() {
                    self.file_systems.retain(|_, found| fades(&mut found.leaving));
                }
                let all = self.file_systems.iter().map(|(id, found)| {
                    let tags: Vec<Value> =
                        found.tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
                    json!({
                        "OwnerId": "123456789012", "CreationToken": id, "FileSystemId": id, "CreationTime": 0,
                        "LifeCycleState": state(found.leaving), "NumberOfMountTargets": 0, "SizeInBytes": {"Value": 0},
                        "PerformanceMode": "generalPurpose", "Tags": tags,
                    })
                });
                let (page, token) = page(all.collect(), token.as_deref());
                Ok(json!({"FileSystems": page, "NextMarker": token}))
            }
            "DescribeMountTargets" => {
                let wanted = query(request, "FileSystemId").unwrap();
                self.departs(&wanted)?;
                let token = query(request, "Marker");
                if token.is_none() {
                    self.mount_targets.retain(|_, found| fades(&mut found.leaving));
                }
                let own = self.mount_targets.iter().filter(|(_, found)| found.file_system == wanted);
                let all = own.map(|(id, found)| {
                    json!({
                        "MountTargetId": id, "FileSystemId": wanted, "SubnetId": "subnet-1",
                        "LifeCycleState": state(found.leaving),
                    })
                });
                let (page, token) = page(all.collect(), token.as_deref());
                Ok(json!({"MountTargets": page, "NextMarker": token}))
            }
            "TagResource" => {
                let found = self.file_systems.get_mut(id).ok_or(No("FileSystemNotFound", 404))?;
                for tag in request.json()["Tags"].as_array().unwrap() {
                    let text = |name: &str| tag[name].as_str().unwrap().to_owned();
                    found.tags.insert(text("Key"), text("Value"));
                }
                self.note(format!("tag {id}"));
                Ok(json!({}))
            }
            "DeleteMountTarget" => {
                let found = self.mount_targets.get(id).ok_or(No("MountTargetNotFound", 404))?;
                self.departs(&found.file_system)?;
                if found.leaving.is_some() {
                    return Err(No("IncorrectMountTargetState", 409));
                }
                let patience = self.patience;
                self.mount_targets.get_mut(id).unwrap().leaving = Some(patience);
                self.note(format!("mount target {id}"));
                Ok(Value::Null)
            }
            _ => {
                self.departs(id)?;
                if self.mount_targets.values().any(|target| target.file_system == id) {
                    return Err(No("FileSystemInUse", 409));
                }
                let patience = self.patience;
                self.file_systems.get_mut(id).unwrap().leaving = Some(patience);
                self.note(format!("file system {id}"));
                Ok(Value::Null)
            }
        }
    }

    pub(super) fn backup(&mut self, operation: &str, request: &Noted) -> Reply {
        if operation == "DescribeBackupJob" {
            let id = path(request).last().unwrap().to_string();
            let (_, state) = self.jobs.get_mut(&id).ok_or(No("ResourceNotFoundException", 400))?;
            if let JobState::Running(looks) = state {
                *looks = looks.saturating_sub(1);
                if *looks == 0 {
                    *state = JobState::Ended(self.bad_jobs.pop().unwrap_or("COMPLETED"));
                }
            }
            let now = jiff::Timestamp::now().as_second();
            let mut told = match state {
                JobState::Running(_) => json!({"State": "RUNNING", "PercentDone": "40.0"}),
                JobState::Ended("OLD") => json!({"State": "COMPLETED", "CompletionDate": now - 90_000}),
                JobState::Ended("COMPLETED") => json!({"State": "COMPLETED", "CompletionDate": now - 60}),
                // Of another file system, though the tag says otherwise.
                JobState::Ended("ANOTHER'S") => {
                    json!({"State": "COMPLETED", "CompletionDate": now - 60, "ResourceArn": "x"})
                }
                JobState::Ended(other) => json!({"State": other, "StatusMessage": "the role may not"}),
            };
            let arn = "arn:aws:elasticfilesystem:eu-west-1:123456789012:file-system/fs-1";
            let told_arn = told.get("ResourceArn").cloned().unwrap_or_else(|| arn.into());
            told["ResourceArn"] = told_arn;
            told["BackupVaultName"] = "tidegate-team-home".into();
            return Ok(told);
        }
        let input = request.json();
        let text = |name: &str| input[name].as_str().unwrap().to_owned();
        assert_eq!(text("BackupVaultName"), "tidegate-team-home");
        assert_eq!(text("IamRoleArn"), "arn:aws:iam::123456789012:role/backup");
        let id = text("ResourceArn").rsplit('/').next().unwrap().to_owned();
        if !self.file_systems.contains_key(&id) {
            return Err(No("InvalidParameterValueException", 400));
        }
        let token = text("IdempotencyToken");
        if let Some((known, _)) = self.jobs.iter().find(|(_, (other, _))| *other == token) {
            return Ok(json!({"BackupJobId": known}));
        }
        let working = self.apps.iter().filter(|app| app.domain == "d-1" && app.is_there()).count();
        assert_eq!(working, 0, "the backup begins while somebody works");
        let job = format!("job-{}", self.jobs.len() + 1);
        self.jobs.insert(job.clone(), (token, JobState::Running(self.patience)));
        self.note(format!("backup {id}"));
        Ok(json!({"BackupJobId": job}))
    }
}
