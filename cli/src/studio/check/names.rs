//! What can be said of a file by itself, beyond what its reader refuses.

use std::collections::BTreeMap;

use super::{Finding, Severity};
use crate::studio::file::{Domain, Profile};

pub(super) fn of_the_file(domain: &Domain) -> Vec<Finding> {
    let name = Some(domain.name.as_str());
    let mut findings: Vec<Finding> =
        domain.warnings.iter().map(|warning| Finding::new(Severity::Warns, name, "file", warning)).collect();
    let profiles = domain.profiles.len();
    findings.push(Finding::new(
        Severity::Fine,
        name,
        "file",
        format!("`{}` is valid: {} domain, {profiles} user profiles", domain.file, domain.auth_mode),
    ));
    let mut folded: BTreeMap<String, &Profile> = BTreeMap::new();
    for profile in &domain.profiles {
        if let Some(other) = folded.insert(profile.name.to_lowercase(), profile) {
            // The reader refuses equal names; SageMaker's are not case sensitive (CreateUserProfile, API reference).
            findings.push(Finding::new(
                Severity::Stops,
                name,
                format!("domain.userProfiles.{}", profile.key),
                format!(
                    "{}:{}: `{}` and `{}` (line {}) are one profile to SageMaker, which does not tell upper from \
                         lower case: rename one of them",
                    domain.file, profile.line, profile.key, other.key, other.line
                ),
            ));
        }
    }
    findings
}
