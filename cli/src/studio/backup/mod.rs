//! What a domain holds, read from SageMaker: for its manifest, and for whoever restores into it.

#[cfg(test)]
pub(crate) mod scripted;
#[cfg(test)]
mod tests;
pub(crate) mod wire;

use std::collections::BTreeMap;

use aws_sdk_s3::error::ProvideErrorMetadata;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use super::manifest::{Arn, Backup, Domain, FileSystem, Name, Profile, Space, Uid};
use crate::error::Error;
use wire::Answer;

/// The most items of a page, for every listing here.
const PAGE: i32 = 100;

/// Members of DescribeDomain that say how applications are made. The others are ids, times and states.
const SETTINGS: [&str; 7] = [
    "AppNetworkAccessType",
    "AppSecurityGroupManagement",
    "DefaultSpaceSettings",
    "DefaultUserSettings",
    "DomainSettings",
    "SecurityGroupIdForDomainBoundary",
    "TagPropagation",
];

/// A profile or a space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    Profile,
    Space,
}

impl Kind {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Profile => "profile",
            Self::Space => "space",
        }
    }
}

/// What SageMaker is doing with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    InService,
    /// It will be in service, or is while it is changed.
    Busy,
    /// It was not made, or is going; with the reason if SageMaker gives one.
    Unfit(String),
}

/// Something that no backup holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Unfit {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    /// SageMaker's word, and its reason.
    pub(crate) status: String,
}

/// What a domain holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Taken {
    pub(crate) backup: Backup,
    pub(crate) unfit: Vec<Unfit>,
    /// What is being made or changed just now.
    pub(crate) busy: Vec<(Kind, Name)>,
}

impl Taken {
    /// What whoever restores should know: who has no id yet, and what is not in the backup.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let mut warnings: Vec<String> = self
            .unfit
            .iter()
            .map(|unfit| format!("{} `{}` is {} and not in the manifest", unfit.kind.words(), unfit.name, unfit.status))
            .collect();
        let without = self.backup.profiles.iter().filter(|profile| profile.uid.is_none());
        warnings.extend(without.map(|profile| {
            format!(
                "profile `{}` has no user id on the file system yet: its home folder cannot be found by this manifest",
                profile.name
            )
        }));
        if self.backup.domain.file_system.is_none() {
            warnings.push("the domain has no file system: there are no home folders to copy".to_owned());
        }
        warnings
    }
}

/// The domain that a person names, by its name or its id.
///
/// # Errors
/// Exit code 2 when there is none, or two of the name.
pub(crate) async fn find(client: &aws_sdk_sagemaker::Client, wanted: &str) -> Result<String, Error> {
    let mut pages = client.list_domains().into_paginator().page_size(PAGE).items().send();
    let mut all = Vec::new();
    while let Some(item) = pages.next().await {
        let domain = item.map_err(|error| Error::aws("the domains cannot be listed", error))?;
        all.push((
            domain.domain_id().unwrap_or_default().to_owned(),
            domain.domain_name().unwrap_or_default().to_owned(),
        ));
    }
    if all.iter().any(|(id, _)| id == wanted) {
        return Ok(wanted.to_owned());
    }
    let named: Vec<&str> = all.iter().filter(|(_, name)| name == wanted).map(|(id, _)| id.as_str()).collect();
    match named.as_slice() {
        [id] => Ok((*id).to_owned()),
        [] => {
            let there: Vec<String> = all.iter().map(|(id, name)| format!("`{name}` ({id})")).collect();
            let error = Error::usage(format!("there is no domain `{wanted}`"));
            Err(match there.is_empty() {
                true => error.hint("this account has none in this Region"),
                false => error.hint(format!("there are: {}", there.join(", "))),
            })
        }
        several => Err(Error::usage(format!("{} domains are named `{wanted}`", several.len()))
            .hint(format!("name one by its id: {}", several.join(", ")))),
    }
}

/// Reads all of a domain. `say` is told what is read.
///
/// # Errors
/// Whatever cannot be read: half a backup would look like a whole one.
pub(crate) async fn read(
    client: &aws_sdk_sagemaker::Client,
    id: &str,
    taken: Timestamp,
    say: impl Fn(&str),
) -> Result<Taken, Error> {
    say(&format!("reading domain {id}"));
    let domain = domain(client, id).await?;
    let (mut unfit, mut busy) = (Vec::new(), Vec::new());
    let (mut profiles, mut spaces) = (Vec::new(), Vec::new());
    let names = profile_names(client, id).await?;
    for (number, name) in names.iter().enumerate() {
        say(&format!("reading profile {} of {}: {name}", number + 1, names.len()));
        match profile(client, id, name).await? {
            Some((_, Status::Unfit(status))) => unfit.push(Unfit { kind: Kind::Profile, name: name.clone(), status }),
            Some((profile, status)) => {
                if status != Status::InService {
                    busy.push((Kind::Profile, profile.name.clone()));
                }
                profiles.push(profile);
            }
            None => {}
        }
    }
    let names = space_names(client, id).await?;
    for (number, name) in names.iter().enumerate() {
        say(&format!("reading space {} of {}: {name}", number + 1, names.len()));
        match space(client, id, name).await? {
            Some((_, Status::Unfit(status))) => unfit.push(Unfit { kind: Kind::Space, name: name.clone(), status }),
            Some((space, status)) => {
                if status != Status::InService {
                    busy.push((Kind::Space, space.name.clone()));
                }
                spaces.push(space);
            }
            None => {}
        }
    }
    profiles.sort_by(|one, other| one.name.cmp(&other.name));
    spaces.sort_by(|one, other| one.name.cmp(&other.name));
    unfit.sort_by(|one, other| (one.kind, &one.name).cmp(&(other.kind, &other.name)));
    // Whole seconds: that is what the name of the document says.
    let taken = Timestamp::from_second(taken.as_second()).unwrap_or(taken);
    Ok(Taken { backup: Backup { taken, domain, profiles, spaces }, unfit, busy })
}

async fn domain(client: &aws_sdk_sagemaker::Client, id: &str) -> Result<Domain, Error> {
    let answer = Answer::default();
    let request = client.describe_domain().domain_id(id).customize().interceptor(answer.clone());
    request.send().await.map_err(|error| Error::aws(format!("domain `{id}` cannot be read"), error))?;
    let said = Said { what: format!("domain `{id}`"), members: answer.take() };
    let arn = said.known("DomainArn", Arn::new, Arn::ACCEPTED)?;
    let mut settings = said.members.clone();
    settings.retain(|key, _| SETTINGS.contains(&key.as_str()));
    Ok(Domain {
        id: id.to_owned(),
        name: said.text("DomainName").unwrap_or_default().to_owned(),
        auth_mode: said.text("AuthMode").unwrap_or_default().to_owned(),
        vpc_id: said.text("VpcId").map(str::to_owned),
        subnet_ids: said.list("SubnetIds"),
        kms_key_id: said.text("KmsKeyId").or_else(|| said.text("HomeEfsFileSystemKmsKeyId")).map(str::to_owned),
        file_system: said.optional("HomeEfsFileSystemId", FileSystem::new, FileSystem::ACCEPTED)?,
        settings,
        tags: tags(client, &arn).await?,
        arn,
    })
}

/// `None` once it is gone.
pub(crate) async fn profile(
    client: &aws_sdk_sagemaker::Client,
    domain: &str,
    name: &str,
) -> Result<Option<(Profile, Status)>, Error> {
    let answer = Answer::default();
    let request = client.describe_user_profile().domain_id(domain).user_profile_name(name);
    match request.customize().interceptor(answer.clone()).send().await {
        Ok(_) => {}
        Err(error) if is_gone(error.code()) => return Ok(None),
        Err(error) => return Err(Error::aws(format!("profile `{name}` cannot be read"), error)),
    }
    let said = Said { what: format!("profile `{name}`"), members: answer.take() };
    let arn = said.known("UserProfileArn", Arn::new, Arn::ACCEPTED)?;
    let profile = Profile {
        name: said.known("UserProfileName", Name::new, Name::ACCEPTED)?,
        uid: said.optional("HomeEfsFileSystemUid", Uid::new, Uid::ACCEPTED)?,
        sso_user: said.text("SingleSignOnUserValue").filter(|user| !user.is_empty()).map(str::to_owned),
        settings: said.object("UserSettings"),
        tags: tags(client, &arn).await?,
        arn,
    };
    Ok(Some((profile, said.status())))
}

/// `None` once it is gone.
pub(crate) async fn space(
    client: &aws_sdk_sagemaker::Client,
    domain: &str,
    name: &str,
) -> Result<Option<(Space, Status)>, Error> {
    let answer = Answer::default();
    let request = client.describe_space().domain_id(domain).space_name(name);
    match request.customize().interceptor(answer.clone()).send().await {
        Ok(_) => {}
        Err(error) if is_gone(error.code()) => return Ok(None),
        Err(error) => return Err(Error::aws(format!("space `{name}` cannot be read"), error)),
    }
    let said = Said { what: format!("space `{name}`"), members: answer.take() };
    let arn = said.known("SpaceArn", Arn::new, Arn::ACCEPTED)?;
    let space = Space {
        name: said.known("SpaceName", Name::new, Name::ACCEPTED)?,
        display_name: said.text("SpaceDisplayName").filter(|name| !name.is_empty()).map(str::to_owned),
        uid: said.optional("HomeEfsFileSystemUid", Uid::new, Uid::ACCEPTED)?,
        settings: said.object("SpaceSettings"),
        ownership: said.object("OwnershipSettings"),
        sharing: said.object("SpaceSharingSettings"),
        tags: tags(client, &arn).await?,
        arn,
    };
    Ok(Some((space, said.status())))
}

fn is_gone(code: Option<&str>) -> bool {
    code.is_some_and(|code| matches!(code, "ResourceNotFound" | "ResourceNotFoundException"))
}

async fn profile_names(client: &aws_sdk_sagemaker::Client, domain: &str) -> Result<Vec<String>, Error> {
    let mut pages =
        client.list_user_profiles().domain_id_equals(domain).into_paginator().page_size(PAGE).items().send();
    let mut all = Vec::new();
    while let Some(item) = pages.next().await {
        let item = item.map_err(|error| Error::aws("the profiles cannot be listed", error))?;
        all.push(item.user_profile_name().unwrap_or_default().to_owned());
    }
    Ok(all)
}

async fn space_names(client: &aws_sdk_sagemaker::Client, domain: &str) -> Result<Vec<String>, Error> {
    let mut pages = client.list_spaces().domain_id_equals(domain).into_paginator().page_size(PAGE).items().send();
    let mut all = Vec::new();
    while let Some(item) = pages.next().await {
        let item = item.map_err(|error| Error::aws("the spaces cannot be listed", error))?;
        all.push(item.space_name().unwrap_or_default().to_owned());
    }
    Ok(all)
}

/// Gone things have none.
async fn tags(client: &aws_sdk_sagemaker::Client, arn: &Arn) -> Result<BTreeMap<String, String>, Error> {
    let mut pages = client.list_tags().resource_arn(arn.as_str()).into_paginator().items().send();
    let mut all = BTreeMap::new();
    while let Some(item) = pages.next().await {
        match item {
            Ok(tag) => all.insert(tag.key().unwrap_or_default().to_owned(), tag.value().unwrap_or_default().to_owned()),
            Err(error) if is_gone(error.code()) => break,
            Err(error) => {
                return Err(Error::aws(format!("the tags of `{}` cannot be read", arn.as_str()), error));
            }
        };
    }
    Ok(all)
}

/// An answer of SageMaker.
struct Said {
    what: String,
    members: Map<String, Value>,
}

impl Said {
    fn text(&self, key: &str) -> Option<&str> {
        self.members.get(key).and_then(Value::as_str)
    }

    fn object(&self, key: &str) -> Map<String, Value> {
        self.members.get(key).and_then(Value::as_object).cloned().unwrap_or_default()
    }

    fn list(&self, key: &str) -> Vec<String> {
        let items = self.members.get(key).and_then(Value::as_array);
        items.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    fn optional<T>(&self, key: &str, read: fn(&str) -> Option<T>, accepted: &str) -> Result<Option<T>, Error> {
        match self.text(key).filter(|text| !text.is_empty()) {
            None => Ok(None),
            Some(text) => read(text).map(Some).ok_or_else(|| {
                Error::failed(format!("{}: `{key}` is `{text}`, and this program understands {accepted}", self.what))
            }),
        }
    }

    fn known<T>(&self, key: &str, read: fn(&str) -> Option<T>, accepted: &str) -> Result<T, Error> {
        let missing = || Error::failed(format!("{}: SageMaker says no `{key}`", self.what));
        self.optional(key, read, accepted)?.ok_or_else(missing)
    }

    fn status(&self) -> Status {
        let status = self.text("Status").unwrap_or("of no status");
        match status {
            "InService" => Status::InService,
            "Pending" | "Updating" => Status::Busy,
            // An update that failed leaves it as it was.
            "Update_Failed" => Status::InService,
            _ => Status::Unfit(match self.text("FailureReason").filter(|reason| !reason.is_empty()) {
                Some(reason) => format!("{status}: {reason}"),
                None => status.to_owned(),
            }),
        }
    }
}
