//! The settings of a domain against the deployed one's.
//!
//! What cannot be changed in place is told by the file's reader: `createOnlyProperties` of `AWS::SageMaker::Domain` in the
//! CloudFormation registry (AuthMode, DomainName, KmsKeyId), and VpcId, which UpdateDomain does not take. Subnets and the network mode can (UpdateDomain, API reference), while no
//! app runs.

use std::collections::BTreeSet;

use super::deployed::{Deployed, Described, Known, State};
use super::{Finding, Severity};
use crate::studio::file::{Domain, Setting};

/// What CloudFormation tags whatever it makes with.
const STACK: &str = "aws:cloudformation:stack-name";

pub(super) fn compare(domain: &Domain, deployed: &Deployed) -> Vec<Finding> {
    let finding = |severity, what: &str, meaning: String| Finding::new(severity, Some(&domain.name), what, meaning);
    if let Err(why) = &deployed.domains {
        return vec![finding(Severity::NotChecked, "domain", format!("the domains cannot be listed: {why}"))];
    }
    let ids = deployed.named(&domain.name);
    if ids.is_empty() {
        return vec![finding(Severity::Fine, "domain", "there is none of this name: it would be made".to_owned())];
    }
    let Some((id, state)) = deployed.only(&domain.name) else {
        let meaning =
            format!("{} domains have this name ({}): delete or rename all but one", ids.len(), ids.join(", "));
        return vec![finding(Severity::Stops, "domain.name", meaning)];
    };
    let described = match &state.described {
        Ok(described) => described,
        Err(why) => {
            return vec![finding(Severity::NotChecked, "domain", format!("{id} cannot be described: {why}"))];
        }
    };
    let scene = Scene { domain, deployed, id, state, described };
    let mut findings = vec![scene.status(), scene.origin()];
    findings.extend(domain.immutable.iter().filter_map(|setting| scene.immutable(setting)));
    findings.extend([scene.subnets(), scene.network()]);
    findings
}

struct Scene<'a> {
    domain: &'a Domain,
    deployed: &'a Deployed,
    id: &'a str,
    state: &'a State,
    described: &'a Described,
}

impl Scene<'_> {
    fn finding(&self, severity: Severity, what: &str, meaning: impl Into<String>) -> Finding {
        Finding::new(severity, Some(&self.domain.name), what, meaning)
    }

    fn status(&self) -> Finding {
        let (id, status) = (self.id, &self.described.status);
        match status.as_str() {
            "InService" => self.finding(Severity::Fine, "domain", format!("{id} is in service")),
            "Pending" | "Updating" => {
                self.finding(Severity::Stops, "domain", format!("{id} is {status}: wait until it is in service"))
            }
            // Update_Failed may be updated again.
            "Update_Failed" => self.finding(
                Severity::Warns,
                "domain",
                format!(
                    "the last update of {id} failed: look why with `aws sagemaker describe-domain --domain-id {id}`"
                ),
            ),
            _ => self.finding(
                Severity::Stops,
                "domain",
                format!(
                    "{id} is {status}: look why with `aws sagemaker describe-domain --domain-id {id}`, and delete it"
                ),
            ),
        }
    }

    /// Whether a stack made it: another one would be made beside a domain that none did.
    fn origin(&self) -> Finding {
        match &self.state.tags {
            Err(why) => self.finding(Severity::NotChecked, "stack", format!("its tags cannot be listed: {why}")),
            Ok(tags) => match tags.get(STACK) {
                Some(stack) => self.finding(Severity::Fine, "stack", format!("it belongs to the stack `{stack}`")),
                None => self.finding(
                    Severity::Warns,
                    "stack",
                    format!(
                        "{} has no tag of a CloudFormation stack. If none made it, a deployment makes another beside it: give \
                         that one another `domain.name`, or import this one into the stack first",
                        self.id
                    ),
                ),
            },
        }
    }

    fn immutable(&self, setting: &Setting) -> Option<Finding> {
        let text = setting.value.as_str();
        match setting.setting.as_str() {
            // It was found by it.
            "DomainName" => None,
            "AuthMode" => Some(self.fixed(setting, Some(&self.described.auth_mode), self.one(text?))),
            "VpcId" => Some(self.vpc(self.fixed(setting, self.described.vpc_id.as_deref(), self.one(text?)))),
            "KmsKeyId" => Some(self.key(setting)),
            other => Some(self.finding(
                Severity::NotChecked,
                &setting.key,
                format!("this program does not know how to compare `{other}`"),
            )),
        }
    }

    /// A setting that replaces the domain when it differs.
    fn fixed(&self, setting: &Setting, deployed: Option<&str>, wanted: Known<String>) -> Finding {
        match wanted {
            Err(why) => self.finding(Severity::NotChecked, &setting.key, why),
            Ok(wanted) if deployed == Some(wanted.as_str()) => {
                self.finding(Severity::Fine, &setting.key, "the same").values(wanted.clone(), wanted)
            }
            Ok(wanted) => self.replaces(setting, deployed.unwrap_or("none"), &wanted),
        }
    }

    /// SageMaker refuses another VPC, and CloudFormation does not replace the domain for it: no switch helps.
    fn vpc(&self, mut finding: Finding) -> Finding {
        if finding.severity == Severity::Warns {
            finding.severity = Severity::Stops;
            "SageMaker refuses another VPC, also with `domain.allowReplacement`: put the deployed one into the file, or make a \
             domain of another `domain.name` and move the users"
                .clone_into(&mut finding.meaning);
        }
        finding
    }

    fn replaces(&self, setting: &Setting, deployed: &str, wanted: &str) -> Finding {
        let finding = if self.domain.allow_replacement {
            self.finding(
                Severity::Warns,
                &setting.key,
                "it cannot be changed, so the domain is replaced, as `domain.allowReplacement` allows: the new one begins \
                 with an empty file system, and the old one's stays behind",
            )
        } else {
            self.finding(
                Severity::Stops,
                &setting.key,
                "it cannot be changed after a domain is made: put the deployed value into the file, or make a domain of \
                 another `domain.name` and move the users",
            )
        };
        finding.values(deployed, wanted)
    }

    fn key(&self, setting: &Setting) -> Finding {
        let deployed = self.described.kms_key_id.as_deref();
        match (setting.value.as_str(), deployed) {
            (None, Some(deployed)) => self
                .finding(
                    Severity::Fine,
                    &setting.key,
                    "not given: the key that the stack makes. Whether the deployed one is that key is not compared",
                )
                .values(deployed, "the stack's own"),
            (None, None) => self.replaces(setting, "AWS's own key", "a key of the stack"),
            (Some(wanted), _) => match self.one(wanted) {
                Err(why) => self.finding(Severity::NotChecked, &setting.key, why),
                Ok(wanted) => {
                    let deployed = deployed.unwrap_or("AWS's own key");
                    match same_key(deployed, &wanted) {
                        Some(true) => self.finding(Severity::Fine, &setting.key, "the same").values(deployed, wanted),
                        Some(false) => self.replaces(setting, deployed, &wanted),
                        None => self
                            .finding(
                                Severity::NotChecked,
                                &setting.key,
                                "one is an alias: look with `aws kms describe-key` which key it stands for",
                            )
                            .values(deployed, wanted),
                    }
                }
            },
        }
    }

    fn subnets(&self) -> Finding {
        let what = "domain.subnetIds";
        let mut wanted = BTreeSet::new();
        for value in &self.domain.subnet_ids {
            match self.deployed.resolve(value, self.account()) {
                Ok(values) => wanted.extend(values),
                Err(why) => return self.finding(Severity::NotChecked, what, why),
            }
        }
        let deployed: BTreeSet<String> = self.described.subnet_ids.iter().cloned().collect();
        let list = |subnets: &BTreeSet<String>| subnets.iter().cloned().collect::<Vec<_>>().join(", ");
        let finding = if deployed == wanted {
            self.finding(Severity::Fine, what, "the same")
        } else if deployed.is_subset(&wanted) {
            self.finding(Severity::Warns, what, "subnets are added to the domain in place; apps that run do not notice")
        } else {
            self.idle(what, "subnets are taken from the domain")
        };
        finding.values(list(&deployed), list(&wanted))
    }

    /// The stacks make domains of no other kind.
    fn network(&self) -> Finding {
        let (what, wanted) = ("network access", "VpcOnly");
        let deployed = self.described.network.as_deref().unwrap_or("PublicInternetOnly");
        if deployed == wanted {
            return self.finding(Severity::Fine, what, "the same").values(deployed, wanted);
        }
        self.idle(what, "traffic moves into the VPC").values(deployed, wanted)
    }

    /// A change that SageMaker makes only while no app runs.
    fn idle(&self, what: &str, change: &str) -> Finding {
        match self.deployed.running_in(self.id) {
            Ok(0) => self.finding(Severity::Warns, what, format!("{change}; no app runs, as that needs")),
            Ok(running) => self.finding(
                Severity::Stops,
                what,
                format!("{change}, which SageMaker refuses while apps run: {running} do. Stop them first"),
            ),
            Err(why) => self.finding(
                Severity::NotChecked,
                what,
                format!("{change}, which SageMaker refuses while apps run; whether any do cannot be listed: {why}"),
            ),
        }
    }

    fn account(&self) -> &str {
        self.described.arn.split(':').nth(4).unwrap_or_default()
    }

    fn one(&self, value: &str) -> Known<String> {
        let mut values = self.deployed.resolve(value, self.account())?;
        match (values.pop(), values.is_empty()) {
            (Some(value), true) => Ok(value),
            _ => Err(format!("`{value}` holds no single value")),
        }
    }
}

/// Whether two names of keys mean one key; `None` where an alias hides it.
fn same_key(deployed: &str, wanted: &str) -> Option<bool> {
    if deployed == wanted {
        return Some(true);
    }
    if deployed.contains("alias/") || wanted.contains("alias/") {
        return None;
    }
    let id = |key: &str| key.rsplit('/').next().unwrap_or_default().to_owned();
    Some(id(deployed) == id(wanted))
}

/// The parameters that a file's values name.
pub(super) fn parameters(domain: &Domain) -> BTreeSet<String> {
    let settings = domain.immutable.iter().filter_map(|setting| setting.value.as_str());
    let values = settings.chain([domain.vpc_id.as_str()]).chain(domain.subnet_ids.iter().map(String::as_str));
    values.filter_map(|value| value.strip_prefix("ssm:")).map(str::to_owned).collect()
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn keys_are_compared_by_their_ids() {
        let arn = "arn:aws:kms:eu-west-1:111122223333:key/1234";
        assert_eq!(same_key("1234", arn), Some(true));
        assert_eq!(same_key("5678", arn), Some(false));
        assert_eq!(same_key("1234", "arn:aws:kms:eu-west-1:111122223333:alias/studio"), None);
        assert_eq!(same_key("alias/x", "alias/x"), Some(true));
    }
}
