//! The domains.

use std::collections::BTreeMap;
use std::fmt;

use super::error::{ConfigError, Found};
use super::raw;
use super::text::{
    DomainId, DomainName, Group, LifecycleConfigArn, RoleArn, RoleName, SecurityGroupId, TagKey, TagValue,
};
use super::{accept, wrong};

/// The most security groups that a profile may have (`UserSettings`, SageMaker API reference).
const GROUPS: usize = 5;

/// The most tags that the file may add: SageMaker takes 50, and two are Tidegate's.
const TAGS: usize = 48;

/// A domain of Studio, and what a profile in it gets when it is made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Domain {
    /// Its name, by which it is found.
    pub name: DomainName,
    /// Its id, where the file knows it.
    pub id: Option<DomainId>,
    /// The group of the user pool whose members may enter; `None` lets nobody in by Cognito.
    pub group: Option<Group>,
    /// The roles that a claim may choose from.
    pub execution_roles: BTreeMap<RoleName, RoleArn>,
    /// The role without such a claim; `None` leaves it to the domain.
    pub default_execution_role: Option<RoleArn>,
    /// Groups of the profile's applications.
    pub security_groups: Vec<SecurityGroupId>,
    /// Lifecycle configurations.
    pub lifecycle_configs: BTreeMap<Application, LifecycleConfigArn>,
    /// Further tags.
    pub tags: BTreeMap<TagKey, TagValue>,
}

/// An application of Studio that takes a lifecycle configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Application {
    /// JupyterLab.
    JupyterLab,
    /// Code Editor.
    CodeEditor,
    /// The Jupyter server of Studio Classic.
    JupyterServer,
    /// The kernels of Studio Classic.
    KernelGateway,
}

impl Application {
    const ALL: [Self; 4] = [Self::JupyterLab, Self::CodeEditor, Self::JupyterServer, Self::KernelGateway];
}

impl fmt::Display for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// The domains: at least one, no name and no group twice.
#[derive(Clone, Debug)]
pub struct Domains(Vec<Domain>);

impl Domains {
    pub(super) fn of(raw: Vec<raw::Domain>) -> Result<Self, ConfigError> {
        let mut domains: Vec<Domain> = Vec::new();
        for (index, raw) in raw.into_iter().enumerate() {
            let key = format!("domains[{index}]");
            let domain = read(raw, &key)?;
            if domains.iter().any(|known| known.name == domain.name) {
                return Err(wrong(&format!("{key}.name"), domain.name.as_str(), "a name that is there once"));
            }
            let taken = |group: &Group| domains.iter().any(|known| known.group.as_ref() == Some(group));
            if let Some(group) = domain.group.as_ref().filter(|group| taken(group)) {
                let accepted = "a group that is there once: a group has one domain";
                return Err(wrong(&format!("{key}.group"), group.as_str(), accepted));
            }
            domains.push(domain);
        }
        if domains.is_empty() {
            return Err(ConfigError::Value {
                key: "domains".to_owned(),
                found: Found::Words("empty".to_owned()),
                accepted: "at least one domain".to_owned(),
            });
        }
        Ok(Self(domains))
    }

    /// All, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Domain> {
        self.0.iter()
    }

    /// The one of this name, exactly.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Domain> {
        self.0.iter().find(|domain| domain.name.as_str() == name)
    }

    /// The only one, if there is one only.
    #[must_use]
    pub fn only(&self) -> Option<&Domain> {
        match &*self.0 {
            [domain] => Some(domain),
            _ => None,
        }
    }

    /// How many there are; never none.
    #[must_use]
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn list(&self) -> String {
        let names: Vec<String> = self.0.iter().map(|domain| format!("`{}`", domain.name)).collect();
        names.join(", ")
    }
}

fn read(raw: raw::Domain, key: &str) -> Result<Domain, ConfigError> {
    let at = |name: &str| format!("{key}.{name}");
    let few = |name: &str, number: usize, limit: usize| {
        let found = Found::Words(format!("a list of {number}"));
        let error = || ConfigError::Value { key: at(name), found, accepted: format!("at most {limit}") };
        if number > limit { Err(error()) } else { Ok(()) }
    };
    few("securityGroups", raw.security_groups.len(), GROUPS)?;
    few("tags", raw.tags.len(), TAGS)?;
    let roles = raw.execution_roles.iter().map(|(name, arn)| {
        let key = at(&format!("executionRoles.{name}"));
        Ok((accept(&key, name, RoleName::parse)?, accept(&key, arn, RoleArn::parse)?))
    });
    let groups = raw.security_groups.iter().enumerate();
    let groups = groups.map(|(n, id)| accept(&at(&format!("securityGroups[{n}]")), id, SecurityGroupId::parse));
    let configs = raw.lifecycle_configs.iter().map(|(name, arn)| {
        let key = at(&format!("lifecycleConfigs.{name}"));
        let application = Application::ALL.into_iter().find(|known| known.to_string() == *name);
        let accepted = || format!("one of {}", Application::ALL.map(|known| format!("`{known}`")).join(", "));
        let application = application.ok_or_else(|| wrong(&at("lifecycleConfigs"), name, &accepted()))?;
        Ok((application, accept(&key, arn, LifecycleConfigArn::parse)?))
    });
    let tags = raw.tags.iter().map(|(name, value)| {
        let key = at(&format!("tags.{name}"));
        Ok((accept(&key, name, TagKey::parse)?, accept(&key, value, TagValue::parse)?))
    });
    Ok(Domain {
        name: accept(&at("name"), &raw.name, DomainName::parse)?,
        id: raw.id.as_deref().map(|id| accept(&at("id"), id, DomainId::parse)).transpose()?,
        group: raw.group.as_deref().map(|group| accept(&at("group"), group, Group::parse)).transpose()?,
        execution_roles: roles.collect::<Result<_, ConfigError>>()?,
        default_execution_role: raw
            .default_execution_role
            .as_deref()
            .map(|arn| accept(&at("defaultExecutionRole"), arn, RoleArn::parse))
            .transpose()?,
        security_groups: groups.collect::<Result<_, ConfigError>>()?,
        lifecycle_configs: configs.collect::<Result<_, ConfigError>>()?,
        tags: tags.collect::<Result<_, ConfigError>>()?,
    })
}
