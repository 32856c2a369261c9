//! Asks AWS for what the comparison needs, every listing through all its pages.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sagemaker::types::{AppStatus, Tag};

use super::deployed::{Deployed, Described, Known, Listed, RunningApp, State};
use super::settings;
use crate::error::Error;
use crate::ssm::Parameters;
use crate::studio::file::Domain;

/// Service Quotas' name of SageMaker.
const SERVICE: &str = "sagemaker";

/// The most items of a page, for every listing here.
const PAGE: i32 = 100;

/// The tag that says whose a profile is: the whitepaper's, which the stacks give and the guardrails read.
const OWNER_TAG: &str = "studiouserid";

/// MDAA's, whose value is `<role id>:<user>` as in `aws:userid`.
const SESSION_TAG: &str = "userid";

/// Whom to ask.
pub(crate) struct Clients<'a> {
    pub(crate) sagemaker: &'a aws_sdk_sagemaker::Client,
    pub(crate) quotas: &'a aws_sdk_servicequotas::Client,
    pub(crate) parameters: &'a Parameters,
    /// Values of parameters that the person gave; these are not asked for.
    pub(crate) given: &'a BTreeMap<String, Vec<String>>,
    pub(crate) region: &'a str,
}

/// Collects what is deployed.
///
/// # Errors
/// When AWS cannot be reached at all; what it refuses to tell is kept as the reason why.
pub(crate) async fn ask(clients: &Clients<'_>, files: &[Domain]) -> Result<Deployed, Error> {
    let sagemaker = clients.sagemaker;
    let domains = domains(sagemaker).await?;
    let mut states = BTreeMap::new();
    for domain in files {
        let named = domains.iter().flatten().filter(|listed| listed.name == domain.name);
        for Listed { id, .. } in named {
            states.insert(id.clone(), state(sagemaker, id, domain).await);
        }
    }
    let names: BTreeSet<String> = files.iter().flat_map(settings::parameters).collect();
    let mut parameters = BTreeMap::new();
    for name in names {
        let value = match clients.given.get(&name) {
            Some(given) => Ok(given.clone()),
            None => clients.parameters.values(&name).await.map_err(|why| {
                format!("the parameter `{name}` cannot be read ({why}): give its value with --parameter {name}=VALUE")
            }),
        };
        parameters.insert(name, value);
    }
    Ok(Deployed {
        region: clients.region.to_owned(),
        domains,
        states,
        profiles: profiles(sagemaker, None).await.map(|all| all.len() as u64),
        apps: apps(sagemaker).await,
        quotas: quotas(clients.quotas).await,
        parameters,
    })
}

/// The first question: credentials that are missing and a network that is not there end it.
async fn domains(client: &aws_sdk_sagemaker::Client) -> Result<Known<Vec<Listed>>, Error> {
    let mut pages = client.list_domains().into_paginator().page_size(PAGE).items().send();
    let mut all = Vec::new();
    while let Some(item) = pages.next().await {
        match item {
            Ok(domain) => all.push(Listed {
                id: domain.domain_id().unwrap_or_default().to_owned(),
                name: domain.domain_name().unwrap_or_default().to_owned(),
            }),
            Err(error @ SdkError::ServiceError(_)) => return Ok(Err(reason(error))),
            Err(error) => {
                let error = Error::aws("the domains cannot be listed", error);
                let hint = error.hint.clone().map(|hint| format!("{hint}; ")).unwrap_or_default();
                return Err(error.hint(format!("{hint}--offline checks the files only")));
            }
        }
    }
    Ok(Ok(all))
}

async fn state(client: &aws_sdk_sagemaker::Client, id: &str, file: &Domain) -> State {
    let described = match client.describe_domain().domain_id(id).send().await {
        Err(error) => Err(reason(error)),
        Ok(found) => Ok(Described {
            arn: found.domain_arn().unwrap_or_default().to_owned(),
            status: found.status().map(ToString::to_string).unwrap_or_default(),
            auth_mode: found.auth_mode().map(ToString::to_string).unwrap_or_default(),
            vpc_id: found.vpc_id().map(str::to_owned),
            subnet_ids: found.subnet_ids().to_vec(),
            kms_key_id: found.kms_key_id().map(str::to_owned),
            network: found.app_network_access_type().map(ToString::to_string),
        }),
    };
    let tags = match &described {
        Ok(described) => tags(client, &described.arn).await,
        Err(why) => Err(why.clone()),
    };
    let profiles = profiles(client, Some(id)).await;
    let mut owners = BTreeMap::new();
    for name in profiles.iter().flatten() {
        if file.profiles.iter().any(|profile| profile.name.eq_ignore_ascii_case(name)) {
            owners.insert(name.to_lowercase(), owner(client, id, name).await);
        }
    }
    State { described, tags, profiles, owners }
}

async fn profiles(client: &aws_sdk_sagemaker::Client, domain: Option<&str>) -> Known<Vec<String>> {
    let request = client.list_user_profiles().set_domain_id_equals(domain.map(str::to_owned));
    let mut pages = request.into_paginator().page_size(PAGE).items().send();
    let mut all = Vec::new();
    while let Some(item) = pages.next().await {
        all.push(item.map_err(reason)?.user_profile_name().unwrap_or_default().to_owned());
    }
    Ok(all)
}

/// The user of Identity Center, or what a tag says.
async fn owner(client: &aws_sdk_sagemaker::Client, domain: &str, name: &str) -> Known<Option<String>> {
    let found = client.describe_user_profile().domain_id(domain).user_profile_name(name).send().await;
    let found = found.map_err(reason)?;
    if let Some(user) = found.single_sign_on_user_value() {
        return Ok(Some(user.to_owned()));
    }
    let tags = tags(client, found.user_profile_arn().unwrap_or_default()).await?;
    Ok(owner_of(&tags))
}

fn owner_of(tags: &BTreeMap<String, String>) -> Option<String> {
    let session = || tags.get(SESSION_TAG).map(|value| value.split_once(':').map_or(value.as_str(), |(_, user)| user));
    tags.get(OWNER_TAG).map(String::as_str).or_else(session).map(str::to_owned)
}

async fn tags(client: &aws_sdk_sagemaker::Client, arn: &str) -> Known<BTreeMap<String, String>> {
    let mut pages = client.list_tags().resource_arn(arn).into_paginator().items().send();
    let mut all = BTreeMap::new();
    while let Some(item) = pages.next().await {
        let tag: Tag = item.map_err(reason)?;
        all.insert(tag.key().unwrap_or_default().to_owned(), tag.value().unwrap_or_default().to_owned());
    }
    Ok(all)
}

async fn apps(client: &aws_sdk_sagemaker::Client) -> Known<Vec<RunningApp>> {
    let mut pages = client.list_apps().into_paginator().page_size(PAGE).items().send();
    let mut all = Vec::new();
    while let Some(item) = pages.next().await {
        let app = item.map_err(reason)?;
        if matches!(app.status(), Some(AppStatus::InService | AppStatus::Pending | AppStatus::Deleting)) {
            all.push(RunningApp {
                domain_id: app.domain_id().unwrap_or_default().to_owned(),
                kind: app.app_type().map(ToString::to_string).unwrap_or_default(),
                instance_type: app.resource_spec().and_then(|spec| spec.instance_type()).map(ToString::to_string),
            });
        }
    }
    Ok(all)
}

async fn quotas(client: &aws_sdk_servicequotas::Client) -> Known<BTreeMap<String, f64>> {
    let request = client.list_service_quotas().service_code(SERVICE);
    let mut pages = request.into_paginator().page_size(PAGE).items().send();
    let mut all = BTreeMap::new();
    while let Some(item) = pages.next().await {
        let quota = item.map_err(reason)?;
        if let (Some(name), Some(value)) = (quota.quota_name(), quota.value()) {
            all.insert(name.to_owned(), value);
        }
    }
    Ok(all)
}

/// A code and a message, or what the transport says, in one line.
fn reason<E, R>(error: SdkError<E, R>) -> String
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    match error.as_service_error().map(|service| (service.code(), service.message())) {
        Some((Some(code), Some(message))) => format!("{code}: {message}"),
        Some((Some(code), None)) => code.to_owned(),
        _ => Error::aws("", error).lines.join(" ").trim_start_matches(": ").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e5_a_tag_says_whose_a_profile_is() {
        let owner = |tags: &[(&str, &str)]| {
            owner_of(&tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
        };
        assert_eq!(owner(&[("studiouserid", "a:b"), ("userid", "AROA:c")]).as_deref(), Some("a:b"));
        assert_eq!(owner(&[("userid", "AROA:c:d")]).as_deref(), Some("c:d"));
        assert_eq!(owner(&[("userid", "c")]).as_deref(), Some("c"));
        assert_eq!(owner(&[("Team", "blue")]), None);
    }
}
