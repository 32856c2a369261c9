//! Does what a plan says. Whatever is done a second time changes nothing: after a failure it is simply run again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sagemaker::types::Tag;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::{Action, Item, Plan, There};
use crate::error::Error;
use crate::studio::backup::wire::Members;
use crate::studio::backup::{self, Kind, Status};
use crate::studio::manifest::{Backup, Uid};

/// Something of the manifest that could not be restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Failure {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    /// In one line, which names it.
    pub(crate) why: String,
}

/// How often SageMaker is asked, and how long something may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) every: Duration,
    pub(crate) at_most: Duration,
}

impl Default for Pace {
    /// A profile takes some seconds; half an hour is a failure that SageMaker does not tell.
    fn default() -> Self {
        Self { every: Duration::from_secs(2), at_most: Duration::from_secs(30 * 60) }
    }
}

/// What the new domain has.
///
/// # Errors
/// What cannot be read; lifecycle configurations that may not be listed are simply not known.
pub(crate) async fn look(
    client: &aws_sdk_sagemaker::Client,
    domain: &str,
    now: Timestamp,
    say: impl Fn(&str),
) -> Result<There, Error> {
    let taken = backup::read(client, domain, now, &say).await?;
    say("reading lifecycle configurations");
    let mut pages = client.list_studio_lifecycle_configs().into_paginator().items().send();
    let mut scripts = Some(BTreeSet::new());
    while let Some(item) = pages.next().await {
        match item {
            Ok(config) => {
                if let (Some(scripts), Some(arn)) = (&mut scripts, config.studio_lifecycle_config_arn()) {
                    scripts.insert(arn.to_owned());
                }
            }
            Err(SdkError::ServiceError(_)) => {
                scripts = None;
                break;
            }
            Err(error) => return Err(Error::aws("the lifecycle configurations cannot be listed", error)),
        }
    }
    Ok(There { taken, scripts })
}

/// Makes and updates what the plan says, and waits until all of it is in service and has its user id. Returns what
/// failed; the rest is done all the same.
///
/// # Errors
/// When SageMaker cannot be reached any more.
pub(crate) async fn apply(
    client: &aws_sdk_sagemaker::Client,
    plan: &Plan,
    (manifest, there): (&Backup, &There),
    pace: Pace,
    say: impl Fn(&str),
) -> Result<Vec<Failure>, Error> {
    let domain = there.taken.backup.domain.id.as_str();
    let work = Work { client, domain, pace };
    let mut failures = Vec::new();
    // A space needs its owner in service.
    for kind in [Kind::Profile, Kind::Space] {
        let mut waited: Vec<&Item> = Vec::new();
        for item in plan.items.iter().filter(|item| item.kind == kind) {
            let is_busy = there
                .taken
                .busy
                .iter()
                .any(|(busy, name)| *busy == kind && name.as_str().eq_ignore_ascii_case(&item.name));
            let (words, name) = (kind.words(), item.name.as_str());
            let done = match &item.action {
                Action::Make { members } => {
                    say(&format!("making {words} {name}"));
                    work.make(item, members).await?
                }
                Action::Update { members, tags, arn } => {
                    say(&format!("updating {words} {name}"));
                    match if is_busy { work.wait(item, false).await? } else { Ok(()) } {
                        Ok(()) => match work.tag(item, arn.as_str(), tags).await? {
                            Ok(()) => work.update(item, members).await?,
                            failed => failed,
                        },
                        failed => failed,
                    }
                }
                Action::Stop { .. } => continue,
                Action::Adopt | Action::Leave if is_busy => Ok(()),
                Action::Adopt | Action::Leave => continue,
            };
            match done {
                Ok(()) => waited.push(item),
                Err(why) => failures.push(Failure { kind: item.kind, name: item.name.clone(), why }),
            }
        }
        for (number, item) in waited.iter().enumerate() {
            say(&format!("waiting for {} {} of {}: {}", kind.words(), number + 1, waited.len(), item.name));
            let needs_uid = uid(manifest, item.kind, &item.name).is_some();
            if let Err(why) = work.wait(item, needs_uid).await? {
                failures.push(Failure { kind: item.kind, name: item.name.clone(), why });
            }
        }
    }
    Ok(failures)
}

/// Whose files they were.
pub(crate) fn uid(backup: &Backup, kind: Kind, name: &str) -> Option<Uid> {
    match kind {
        Kind::Profile => backup.profiles.iter().find(|it| it.name.as_str().eq_ignore_ascii_case(name))?.uid,
        Kind::Space => backup.spaces.iter().find(|it| it.name.as_str().eq_ignore_ascii_case(name))?.uid,
    }
}

/// What became of one item: done, or why not. The outer error ends everything.
type Done = Result<Result<(), String>, Error>;

struct Work<'a> {
    client: &'a aws_sdk_sagemaker::Client,
    domain: &'a str,
    pace: Pace,
}

impl Work<'_> {
    async fn make(&self, item: &Item, members: &Map<String, Value>) -> Done {
        let members = Members(members.clone());
        match item.kind {
            Kind::Profile => {
                let request = self.client.create_user_profile().domain_id(self.domain).user_profile_name(&item.name);
                made(item, request.customize().interceptor(members).send().await)
            }
            Kind::Space => {
                let request = self.client.create_space().domain_id(self.domain).space_name(&item.name);
                made(item, request.customize().interceptor(members).send().await)
            }
        }
    }

    async fn update(&self, item: &Item, members: &Map<String, Value>) -> Done {
        if members.is_empty() {
            return Ok(Ok(()));
        }
        let members = Members(members.clone());
        match item.kind {
            Kind::Profile => {
                let request = self.client.update_user_profile().domain_id(self.domain).user_profile_name(&item.name);
                told(item, "updated", request.customize().interceptor(members).send().await)
            }
            Kind::Space => {
                let request = self.client.update_space().domain_id(self.domain).space_name(&item.name);
                told(item, "updated", request.customize().interceptor(members).send().await)
            }
        }
    }

    async fn tag(&self, item: &Item, arn: &str, tags: &BTreeMap<String, String>) -> Done {
        if tags.is_empty() {
            return Ok(Ok(()));
        }
        let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
        told(item, "tagged", self.client.add_tags().resource_arn(arn).set_tags(Some(tags)).send().await)
    }

    /// Until it is in service, with its user id where one is needed.
    async fn wait(&self, item: &Item, needs_uid: bool) -> Done {
        let (kind, name) = (item.kind.words(), item.name.as_str());
        let began = Instant::now();
        loop {
            let found = match item.kind {
                Kind::Profile => {
                    let found = backup::profile(self.client, self.domain, name).await?;
                    found.map(|(profile, status)| (profile.uid, status))
                }
                Kind::Space => {
                    let found = backup::space(self.client, self.domain, name).await?;
                    found.map(|(space, status)| (space.uid, status))
                }
            };
            let lacks = match found {
                None => return Ok(Err(format!("{kind} `{name}` is gone: somebody has deleted it"))),
                Some((_, Status::Unfit(status))) => return Ok(Err(format!("{kind} `{name}` is {status}"))),
                Some((None, Status::InService)) if needs_uid => "has no user id on the file system",
                Some((_, Status::InService)) => return Ok(Ok(())),
                Some((_, Status::Busy)) => "is not in service",
            };
            if began.elapsed() >= self.pace.at_most {
                let seconds = self.pace.at_most.as_secs();
                return Ok(Err(format!("{kind} `{name}` {lacks} after {seconds} s: run this again later")));
            }
            tokio::time::sleep(self.pace.every).await;
        }
    }
}

/// One that exists was made by an attempt whose answer was lost, or by somebody else: it is looked at afterwards.
fn made<T, E, R>(item: &Item, answer: Result<T, SdkError<E, R>>) -> Done
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    match answer {
        Err(error) if error.code() == Some("ResourceInUse") => Ok(Ok(())),
        answer => told(item, "made", answer),
    }
}

/// A refusal is this item's; silence is everybody's.
fn told<T, E, R>(item: &Item, verb: &str, answer: Result<T, SdkError<E, R>>) -> Done
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let what = || format!("{} `{}` cannot be {verb}", item.kind.words(), item.name);
    match answer {
        Ok(_) => Ok(Ok(())),
        Err(error @ SdkError::ServiceError(_)) => Ok(Err(Error::aws(what(), error).lines.join(" "))),
        Err(error) => Err(Error::aws(what(), error)),
    }
}
