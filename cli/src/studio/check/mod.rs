//! Domain files against what is deployed, before anything is changed.
//!
//! [`ask`] collects what AWS says, each part by itself: what cannot be asked is kept as the reason why, and becomes a
//! finding that says "not checked". The comparison is pure.

pub(crate) mod ask;
mod deployed;
mod names;
mod profiles;
mod quotas;
mod settings;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod wire;

use serde::Serialize;

pub(crate) use deployed::Deployed;

use super::file::Domain;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Severity {
    /// A deployment would fail, or replace what must not be replaced.
    Stops,
    /// A deployment would do something that may surprise.
    Warns,
    /// It could not be found out.
    NotChecked,
    Fine,
}

impl Severity {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Stops => "stops",
            Self::Warns => "warns",
            Self::NotChecked => "not checked",
            Self::Fine => "fine",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    pub(crate) severity: Severity,
    /// The domain's name; `None` for what concerns the account.
    pub(crate) domain: Option<String>,
    /// The key of the file, or what was looked at.
    pub(crate) what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) deployed: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) wanted: Option<String>,
    /// What it means, and what to do about it.
    pub(crate) meaning: String,
}

impl Finding {
    fn new(severity: Severity, domain: Option<&str>, what: impl Into<String>, meaning: impl Into<String>) -> Self {
        Self {
            severity,
            domain: domain.map(str::to_owned),
            what: what.into(),
            deployed: None,
            wanted: None,
            meaning: meaning.into(),
        }
    }

    fn values(mut self, deployed: impl Into<String>, wanted: impl Into<String>) -> Self {
        self.deployed = Some(deployed.into());
        self.wanted = Some(wanted.into());
        self
    }
}

/// Compares; the worst first. Without `deployed` only the files are looked at.
pub(crate) fn compare(domains: &[Domain], deployed: Option<&Deployed>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = domains.iter().flat_map(names::of_the_file).collect();
    match deployed {
        None => findings.push(Finding::new(
            Severity::NotChecked,
            None,
            "what is deployed",
            "nothing was asked (--offline): leave it out to compare settings, profiles and quotas",
        )),
        Some(deployed) => {
            for domain in domains {
                findings.extend(settings::compare(domain, deployed));
                findings.extend(profiles::compare(domain, deployed));
            }
            findings.extend(quotas::compare(domains, deployed));
        }
    }
    // Stable: what belongs together stays so.
    findings.sort_by_key(|finding| finding.severity);
    findings
}
