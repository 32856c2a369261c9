//! What the files need against the account's quotas.
//!
//! Quotas are found by name, as Service Quotas lists them; one that is not listed is not checked. Whether users start an
//! app is up to them: the need for apps is one for each profile of the files, all at the same time.

use std::collections::BTreeMap;

use super::deployed::{Deployed, RunningApp};
use super::{Finding, Severity};
use crate::studio::file::{App, Domain};

const DOMAINS: &str = "Total domains";
const PROFILES: &str = "Maximum number of Studio user profiles allowed per account";
const APPS: &str = "Maximum number of running Studio apps allowed per account";

pub(super) fn compare(domains: &[Domain], deployed: &Deployed) -> Vec<Finding> {
    let quotas = match &deployed.quotas {
        Ok(quotas) => quotas,
        Err(why) => {
            let meaning = format!("the quotas cannot be listed: {why}");
            return vec![Finding::new(Severity::NotChecked, None, "quotas", meaning)];
        }
    };
    let check = Check { quotas };
    let mut findings =
        vec![check.domains(domains, deployed), check.profiles(domains, deployed), check.apps(domains, deployed)];
    let mut needs: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for domain in domains {
        for App { kind, default_instance_type } in &domain.apps {
            // A Jupyter server runs on a system instance, which has no quota of its own.
            if let Some(instance) = default_instance_type.as_deref().filter(|instance| *instance != "system") {
                *needs.entry((kind, instance)).or_default() += domain.profiles.len() as u64;
            }
        }
    }
    findings.extend(needs.into_iter().map(|((kind, instance), users)| {
        let ours: Vec<&str> = domains.iter().flat_map(|domain| deployed.named(&domain.name)).collect();
        let same = |app: &&RunningApp| {
            app.kind == kind
                && app.instance_type.as_deref() == Some(instance)
                && !ours.contains(&app.domain_id.as_str())
        };
        match &deployed.apps {
            Ok(apps) => check.instances(kind, instance, apps.iter().filter(same).count() as u64, users),
            Err(why) => not_counted(&format!("{kind} on {instance}"), "running apps", why),
        }
    }));
    findings
}

struct Check<'a> {
    quotas: &'a BTreeMap<String, f64>,
}

impl Check<'_> {
    fn domains(&self, domains: &[Domain], deployed: &Deployed) -> Finding {
        let there = match &deployed.domains {
            Ok(there) => there.len() as u64,
            Err(why) => return not_counted(DOMAINS, "domains", why),
        };
        let new = domains.iter().filter(|domain| deployed.named(&domain.name).is_empty()).count() as u64;
        let need = format!("{there} are there, {new} would be made");
        self.judge(DOMAINS, there + new, need, Severity::Stops, new > 0)
    }

    fn profiles(&self, domains: &[Domain], deployed: &Deployed) -> Finding {
        let there = match &deployed.profiles {
            Ok(there) => *there,
            Err(why) => return not_counted(PROFILES, "profiles", why),
        };
        let mut new = 0;
        for domain in domains {
            let existing = match deployed.only(&domain.name).map(|(_, state)| &state.profiles) {
                None => &Vec::new(),
                Some(Ok(existing)) => existing,
                Some(Err(why)) => return not_counted(PROFILES, "profiles", why),
            };
            let is_new = |name: &str| !existing.iter().any(|other| other.eq_ignore_ascii_case(name));
            new += domain.profiles.iter().filter(|profile| is_new(&profile.name)).count() as u64;
        }
        let need = format!("{there} are there, {new} would be made");
        self.judge(PROFILES, there + new, need, Severity::Stops, new > 0)
    }

    fn apps(&self, domains: &[Domain], deployed: &Deployed) -> Finding {
        let apps = match &deployed.apps {
            Ok(apps) => apps,
            Err(why) => return not_counted(APPS, "running apps", why),
        };
        let ours: Vec<&str> = domains.iter().flat_map(|domain| deployed.named(&domain.name)).collect();
        let elsewhere = apps.iter().filter(|app| !ours.contains(&app.domain_id.as_str())).count() as u64;
        let users: u64 = domains.iter().map(|domain| domain.profiles.len() as u64).sum();
        let need = format!("{elsewhere} run in other domains, and one for each of the {users} users");
        self.judge(APPS, elsewhere + users, need, Severity::Warns, true)
    }

    /// The default instance type of an app, for every user at once.
    fn instances(&self, kind: &str, instance: &str, elsewhere: u64, users: u64) -> Finding {
        let prefix = match kind {
            "RSessionGateway" => format!("{kind} Apps running on {instance} instance"),
            _ => format!("Studio {kind} Apps running on {instance} instance"),
        };
        // Some end in the plural.
        let name = [prefix.clone(), format!("{prefix}s")].into_iter().find(|name| self.quotas.contains_key(name));
        let name = name.unwrap_or_else(|| format!("{prefix}s"));
        let need = format!("{elsewhere} run in other domains, and one for each of the {users} users");
        self.judge(&name, elsewhere + users, need, Severity::Warns, users > 0)
    }

    /// `asks`: whether a deployment adds to what is there. What is full already is no reason to refuse one that does not.
    fn judge(&self, name: &str, needed: u64, need: String, short: Severity, asks: bool) -> Finding {
        let Some(quota) = self.quotas.get(name).copied() else {
            return Finding::new(
                Severity::NotChecked,
                None,
                format!("quota `{name}`"),
                "Service Quotas lists no quota of this name here",
            );
        };
        #[expect(clippy::cast_precision_loss, reason = "numbers of users fit a double")]
        let fits = needed as f64 <= quota;
        let finding = match fits || !asks {
            true => Finding::new(Severity::Fine, None, format!("quota `{name}`"), need),
            false => Finding::new(
                short,
                None,
                format!("quota `{name}`"),
                format!("{need}: ask for more at Service Quotas (service `sagemaker`) before that"),
            ),
        };
        finding.values(quota.to_string(), needed.to_string())
    }
}

fn not_counted(quota: &str, what: &str, why: &str) -> Finding {
    Finding::new(Severity::NotChecked, None, format!("quota `{quota}`"), format!("the {what} cannot be counted: {why}"))
}
