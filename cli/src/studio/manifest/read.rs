//! Reads a manifest, and says of a wrong one where it is wrong. It decides who owns whose files: nothing is guessed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Map, Value};
use statemachine::text::one_line;

use super::{Arn, Backup, Domain, FORMAT, FileSystem, Name, Profile, Space, Uid, VERSION, digest, sorted};
use crate::error::Error;

/// Reads a document. `file` is how the person named it.
///
/// # Errors
/// Exit code 2: it is no manifest, of another version, changed since it was written, or wrong at a key.
pub(crate) fn parse(file: &str, text: &[u8]) -> Result<Backup, Error> {
    let document: Value =
        serde_json::from_slice(text).map_err(|error| Error::usage(format!("`{file}` is no JSON: {error}")))?;
    let at = At { file, key: String::new(), value: &document };
    let format = document.get("format").and_then(Value::as_str);
    if format != Some(FORMAT) {
        return Err(Error::usage(format!("`{file}` is no manifest: its `format` is not `{FORMAT}`"))
            .hint("`tidegate studio backup` writes one"));
    }
    // The version comes first: another version may have other keys.
    let version = at.member("version")?;
    if version.value.as_u64() != Some(VERSION) {
        let error = version.wrong(&format!("{VERSION}"));
        return Err(error.hint("read it with the version of this program that wrote it, or a later one"));
    }
    let document = at.members(&["format", "version", "sha256", "backup"])?;
    let (sha256, backup) = (document.at("sha256")?, document.at("backup")?);
    let found = digest(&sorted(backup.value.clone()));
    if sha256.text()? != found {
        return Err(Error::usage(format!(
            "`{file}` is not as it was written: SHA-256 of `backup` is {found}, and `sha256` says {}",
            shown(sha256.value)
        ))
        .hint("take another copy of it, or an earlier version of the object"));
    }
    let members = backup.members(&["taken", "domain", "profiles", "spaces"])?;
    let taken = members.at("taken")?;
    let read = Backup {
        taken: taken.text()?.parse::<Timestamp>().map_err(|_| taken.wrong("a time such as `2026-11-21T17:00:00Z`"))?,
        domain: domain(members.at("domain")?)?,
        profiles: members.at("profiles")?.list()?.iter().map(profile).collect::<Result<_, _>>()?,
        spaces: members.at("spaces")?.list()?.iter().map(space).collect::<Result<_, _>>()?,
    };
    alone(members.at("profiles")?, read.profiles.iter().map(|profile| (&profile.name, profile.uid)))?;
    // SageMaker does not say that spaces of one owner have ids of their own.
    alone(members.at("spaces")?, read.spaces.iter().map(|space| (&space.name, None)))?;
    Ok(read)
}

/// Two of one name would be one, and two users of one id would share their files.
fn alone<'a>(at: &At<'_>, all: impl Iterator<Item = (&'a Name, Option<Uid>)>) -> Result<(), Error> {
    let (mut names, mut uids) = (BTreeSet::new(), BTreeSet::new());
    for ((name, uid), item) in all.zip(at.list()?) {
        if !names.insert(name.folded()) {
            return Err(item.member("name")?.wrong("each name once, upper or lower case"));
        }
        if uid.is_some_and(|uid| !uids.insert(uid)) {
            return Err(item.member("uid")?.wrong("each number once"));
        }
    }
    Ok(())
}

fn domain(at: &At<'_>) -> Result<Domain, Error> {
    let members = at.members(&[
        "id",
        "name",
        "arn",
        "authMode",
        "vpcId",
        "subnetIds",
        "kmsKeyId",
        "fileSystem",
        "settings",
        "tags",
    ])?;
    let mode = members.at("authMode")?;
    let auth_mode = match mode.text()? {
        "IAM" => "IAM",
        "SSO" => "SSO",
        _ => return Err(mode.wrong("`IAM` or `SSO`")),
    };
    let subnets = members.at("subnetIds")?;
    Ok(Domain {
        id: members.at("id")?.filled()?,
        name: members.at("name")?.filled()?,
        arn: members.at("arn")?.known(Arn::new, Arn::ACCEPTED)?,
        auth_mode: auth_mode.to_owned(),
        vpc_id: members.at("vpcId")?.optional(At::filled)?,
        subnet_ids: subnets.list()?.iter().map(At::filled).collect::<Result<_, _>>()?,
        kms_key_id: members.at("kmsKeyId")?.optional(At::filled)?,
        file_system: members.at("fileSystem")?.optional(|at| at.known(FileSystem::new, FileSystem::ACCEPTED))?,
        settings: members.at("settings")?.object()?.clone(),
        tags: members.at("tags")?.tags()?,
    })
}

fn profile(at: &At<'_>) -> Result<Profile, Error> {
    let members = at.members(&["name", "arn", "uid", "ssoUser", "settings", "tags"])?;
    Ok(Profile {
        name: members.at("name")?.known(Name::new, Name::ACCEPTED)?,
        arn: members.at("arn")?.known(Arn::new, Arn::ACCEPTED)?,
        uid: members.at("uid")?.optional(|at| at.known(Uid::new, Uid::ACCEPTED))?,
        sso_user: members.at("ssoUser")?.optional(At::filled)?,
        settings: members.at("settings")?.object()?.clone(),
        tags: members.at("tags")?.tags()?,
    })
}

fn space(at: &At<'_>) -> Result<Space, Error> {
    let members = at.members(&["name", "arn", "displayName", "uid", "settings", "ownership", "sharing", "tags"])?;
    Ok(Space {
        name: members.at("name")?.known(Name::new, Name::ACCEPTED)?,
        arn: members.at("arn")?.known(Arn::new, Arn::ACCEPTED)?,
        display_name: members.at("displayName")?.optional(At::filled)?,
        uid: members.at("uid")?.optional(|at| at.known(Uid::new, Uid::ACCEPTED))?,
        settings: members.at("settings")?.object()?.clone(),
        ownership: members.at("ownership")?.object()?.clone(),
        sharing: members.at("sharing")?.object()?.clone(),
        tags: members.at("tags")?.tags()?,
    })
}

/// A value, and where it stands.
struct At<'a> {
    file: &'a str,
    key: String,
    value: &'a Value,
}

/// The members of an object whose keys are known.
struct Members<'a>(BTreeMap<&'a str, At<'a>>, At<'a>);

impl<'a> Members<'a> {
    fn at(&self, key: &str) -> Result<&At<'a>, Error> {
        self.0.get(key).ok_or_else(|| self.1.missing(key))
    }
}

impl<'a> At<'a> {
    fn wrong(&self, accepted: &str) -> Error {
        Error::usage(format!("`{}`: `{}` is {}: accepted is {accepted}", self.file, self.key, shown(self.value)))
    }

    fn missing(&self, key: &str) -> Error {
        Error::usage(format!("`{}`: `{}` is missing", self.file, self.below(key)))
    }

    fn below(&self, key: &str) -> String {
        if self.key.is_empty() { key.to_owned() } else { format!("{}.{key}", self.key) }
    }

    fn object(&self) -> Result<&'a Map<String, Value>, Error> {
        self.value.as_object().ok_or_else(|| self.wrong("an object"))
    }

    fn member(&self, key: &str) -> Result<At<'a>, Error> {
        let value = self.object()?.get(key).ok_or_else(|| self.missing(key))?;
        Ok(At { file: self.file, key: self.below(key), value })
    }

    /// All of its members, which are these and no others.
    fn members(&self, known: &[&str]) -> Result<Members<'a>, Error> {
        let mut members = BTreeMap::new();
        for (key, value) in self.object()? {
            let at = At { file: self.file, key: self.below(key), value };
            if !known.contains(&key.as_str()) {
                return Err(Error::usage(format!(
                    "`{}`: `{}` is no known key: accepted are {}",
                    self.file,
                    at.key,
                    known.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
                )));
            }
            members.insert(key.as_str(), at);
        }
        Ok(Members(members, At { file: self.file, key: self.key.clone(), value: self.value }))
    }

    fn text(&self) -> Result<&'a str, Error> {
        self.value.as_str().ok_or_else(|| self.wrong("a text"))
    }

    fn filled(&self) -> Result<String, Error> {
        self.text().ok().filter(|text| !text.is_empty()).map(str::to_owned).ok_or_else(|| self.wrong("a text"))
    }

    fn known<T>(&self, read: impl Fn(&str) -> Option<T>, accepted: &str) -> Result<T, Error> {
        self.value.as_str().and_then(read).ok_or_else(|| self.wrong(accepted))
    }

    fn optional<T>(&self, read: impl Fn(&Self) -> Result<T, Error>) -> Result<Option<T>, Error> {
        if self.value.is_null() { Ok(None) } else { read(self).map(Some) }
    }

    fn list(&self) -> Result<Vec<At<'a>>, Error> {
        let items = self.value.as_array().ok_or_else(|| self.wrong("a list"))?;
        let item = |(number, value)| At { file: self.file, key: format!("{}[{number}]", self.key), value };
        Ok(items.iter().enumerate().map(item).collect())
    }

    fn tags(&self) -> Result<BTreeMap<String, String>, Error> {
        let text = |(key, value): (&String, &'a Value)| {
            let at = At { file: self.file, key: self.below(key), value };
            Ok((key.clone(), at.text()?.to_owned()))
        };
        self.object()?.iter().map(text).collect()
    }
}

/// A value in a message.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("`{}`", one_line(text, 80)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        other => format!("`{other}`"),
    }
}
