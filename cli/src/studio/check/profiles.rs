//! The users of a file against the deployed domain's profiles.

use super::deployed::{Deployed, State};
use super::{Finding, Severity};
use crate::studio::file::{Domain, Profile};

/// How many names a finding lists.
const NAMES: usize = 10;

pub(super) fn compare(domain: &Domain, deployed: &Deployed) -> Vec<Finding> {
    // Without a domain there are no profiles; that there is none, or several, is said elsewhere.
    let Some((_, state)) = deployed.only(&domain.name) else { return Vec::new() };
    let what = "domain.userProfiles";
    let there = match &state.profiles {
        Ok(there) => there,
        Err(why) => {
            let meaning = format!("the profiles cannot be listed: {why}");
            return vec![Finding::new(Severity::NotChecked, Some(&domain.name), what, meaning)];
        }
    };
    let mut findings = Vec::new();
    let (mut added, mut kept) = (Vec::new(), 0_usize);
    for profile in &domain.profiles {
        match there.iter().find(|name| name.eq_ignore_ascii_case(&profile.name)) {
            None => added.push(profile.name.as_str()),
            Some(name) => match collision(domain, profile, name, state) {
                Some(finding) => findings.push(finding),
                None => kept += 1,
            },
        }
    }
    if kept > 0 {
        let meaning = format!("{kept} of the file's profiles are there and belong to the same users");
        findings.push(Finding::new(Severity::Fine, Some(&domain.name), what, meaning));
    }
    if !added.is_empty() {
        let meaning = format!("{} would be made: {}", added.len(), some(&added));
        findings.push(Finding::new(Severity::Fine, Some(&domain.name), what, meaning));
    }
    let wanted = |name: &&String| domain.profiles.iter().any(|profile| profile.name.eq_ignore_ascii_case(name));
    let others: Vec<&str> = there.iter().filter(|name| !wanted(name)).map(String::as_str).collect();
    if !others.is_empty() {
        let meaning = format!(
            "{} deployed profiles are not in the file: {}. Those that the stack made are deleted with a deployment, after \
             their apps and spaces are; the home folders stay in EFS",
            others.len(),
            some(&others)
        );
        findings.push(Finding::new(Severity::Warns, Some(&domain.name), what, meaning));
    }
    findings
}

/// Why an existing profile is in the way.
fn collision(domain: &Domain, profile: &Profile, there: &str, state: &State) -> Option<Finding> {
    let at = format!("{}:{}", domain.file, profile.line);
    let finding = |severity, meaning: String| {
        Finding::new(severity, Some(&domain.name), format!("domain.userProfiles.{}", profile.key), meaning)
    };
    if there != profile.name {
        let meaning = format!(
            "{at}: the profile `{there}` is there, and SageMaker does not tell upper from lower case: use the same letters"
        );
        return Some(finding(Severity::Stops, meaning).values(there, &profile.name));
    }
    match state.owners.get(&there.to_lowercase()) {
        Some(Ok(Some(owner))) if *owner == profile.key => None,
        Some(Ok(Some(owner))) => {
            let meaning = format!(
                "{at}: the profile `{there}` belongs to another user, and whose it is cannot be changed: rename the key, or \
                 delete the profile if the user has gone"
            );
            Some(finding(Severity::Stops, meaning).values(owner, &profile.key))
        }
        Some(Ok(None)) => {
            let meaning = format!(
                "{at}: the profile `{there}` is there without a tag that says whose it is. Tags of a profile cannot be \
                 changed by CloudFormation, which would replace it"
            );
            Some(finding(Severity::Warns, meaning))
        }
        Some(Err(why)) => {
            Some(finding(Severity::NotChecked, format!("whose the profile `{there}` is cannot be found out: {why}")))
        }
        None => Some(finding(Severity::NotChecked, format!("whose the profile `{there}` is was not asked"))),
    }
}

/// The first few names.
fn some(names: &[&str]) -> String {
    let first: Vec<&str> = names.iter().take(NAMES).copied().collect();
    match names.len().saturating_sub(first.len()) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}
