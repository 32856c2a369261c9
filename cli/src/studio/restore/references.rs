//! What settings name that may be the old domain's: security groups, scripts, roles, keys, file systems, images.
//!
//! Each is given another value by the person, or carried over because it is as good in the new domain, or left out and
//! told. Nothing that the new domain cannot use is handed to it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::studio::manifest::Domain;

/// Values that stand for others in the new domain; `None` leaves the old one out.
pub(crate) type Replacements = BTreeMap<String, Option<String>>;

/// Where settings come from, and where they go.
pub(super) struct Move<'a> {
    pub(super) old: &'a Domain,
    pub(super) new: &'a Domain,
    /// Lifecycle configurations that exist where the new domain is; `None` if they could not be listed.
    pub(super) scripts: Option<&'a BTreeSet<String>>,
    pub(super) replacements: &'a Replacements,
}

/// A reference that a person should know of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    /// Where it stands, such as `UserSettings.SecurityGroups[0]`.
    pub(super) at: String,
    pub(super) value: String,
    /// Whether the new settings have it.
    pub(super) carried: bool,
    pub(super) why: String,
    /// What the new domain has in the place where the old one has this.
    pub(super) instead: Option<String>,
}

/// Members that make what they stand in useless when they are left out.
const NEEDED: [&str; 3] = ["FileSystemId", "ImageName", "AppImageConfigName"];

enum Walked {
    Keep(Value),
    /// Left out.
    Gone,
    /// Left out, with the item of the list that it is in.
    Whole,
}

impl Move<'_> {
    /// The settings as the new domain can have them, and what there is to know of their references.
    pub(super) fn carry(&self, settings: &Map<String, Value>, at: &str) -> (Map<String, Value>, Vec<Reference>) {
        let (mut carried, mut references) = (Map::new(), Vec::new());
        for (key, value) in settings {
            if let Walked::Keep(value) = self.walk(value, key, &format!("{at}.{key}"), &mut references) {
                carried.insert(key.clone(), value);
            }
        }
        (carried, references)
    }

    /// A tag's value with what stands for it.
    pub(super) fn tag(&self, key: &str, value: &str) -> Option<String> {
        // Says whose of several domains it is; sign-in goes by it.
        if key == "DomainName" {
            return Some(self.new.name.clone());
        }
        self.replacements.get(value).cloned().unwrap_or_else(|| Some(value.to_owned()))
    }

    fn walk(&self, value: &Value, key: &str, at: &str, references: &mut Vec<Reference>) -> Walked {
        match value {
            Value::Object(members) => {
                let mut kept = Map::new();
                for (key, value) in members {
                    match self.walk(value, key, &format!("{at}.{key}"), references) {
                        Walked::Keep(value) => drop(kept.insert(key.clone(), value)),
                        Walked::Gone if NEEDED.contains(&key.as_str()) => return Walked::Whole,
                        Walked::Gone => {}
                        Walked::Whole => return Walked::Whole,
                    }
                }
                Walked::Keep(Value::Object(kept))
            }
            Value::Array(items) => {
                let mut kept = Vec::new();
                for (number, item) in items.iter().enumerate() {
                    if let Walked::Keep(item) = self.walk(item, key, &format!("{at}[{number}]"), references) {
                        kept.push(item);
                    }
                }
                Walked::Keep(Value::Array(kept))
            }
            Value::String(text) => self.text(text, key, at, references),
            other => Walked::Keep(other.clone()),
        }
    }

    fn text(&self, text: &str, key: &str, at: &str, references: &mut Vec<Reference>) -> Walked {
        match self.replacements.get(text) {
            Some(Some(other)) => return Walked::Keep(Value::String(other.clone())),
            Some(None) => return Walked::Gone,
            None => {}
        }
        let refused = self.refusal(text, key);
        let instead = self.instead(text);
        let own = instead.is_some().then(|| "is the old domain's own, and may go with it".to_owned());
        let carried = refused.is_none();
        if let Some(why) = refused.or(own) {
            references.push(Reference { at: at.to_owned(), value: text.to_owned(), carried, why, instead });
        }
        if carried { Walked::Keep(Value::String(text.to_owned())) } else { Walked::Gone }
    }

    /// Why the new domain cannot use it.
    fn refusal(&self, text: &str, key: &str) -> Option<String> {
        let (old, new) = (self.old, self.new);
        let other_account = old.arn.account() != new.arn.account();
        let other_region = old.arn.region() != new.arn.region();
        if text.starts_with("sg-") || text.starts_with("subnet-") || text.starts_with("fs-") {
            return (old.vpc_id != new.vpc_id).then(|| {
                let vpc = |domain: &Domain| domain.vpc_id.as_ref().map_or("none".to_owned(), |id| format!("`{id}`"));
                format!("is of the old domain's VPC {}, and the new one is in {}", vpc(old), vpc(new))
            });
        }
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        if let ["arn", _, _, region, account, resource] = parts.as_slice() {
            if !region.is_empty() && *region != new.arn.region() {
                return Some(format!("is of Region {region}, and the new domain is in {}", new.arn.region()));
            }
            // AWS's own images are of AWS's accounts, wherever the domain is.
            if other_account && *account == old.arn.account() {
                return Some(format!("is of account {account}, and the new domain is in {}", new.arn.account()));
            }
            let missing = resource.starts_with("studio-lifecycle-config/")
                && self.scripts.is_some_and(|scripts| !scripts.contains(text));
            return missing.then(|| "is a lifecycle configuration that does not exist any more".to_owned());
        }
        let is_key = key.ends_with("KmsKeyId");
        if (is_key || NEEDED.contains(&key)) && (other_account || other_region) {
            return Some(format!("names something of account {} in {}", old.arn.account(), old.arn.region()));
        }
        None
    }

    /// What the new domain's own settings have where the old one's have this.
    fn instead(&self, text: &str) -> Option<String> {
        // Words such as `ENABLED` stand there too.
        let is_reference = ["arn:", "sg-", "fs-", "subnet-", "s3://"].iter().any(|start| text.starts_with(start));
        let old = Value::Object(self.old.settings.clone());
        let mut pointers = Vec::new();
        if is_reference {
            find(&old, text, &mut String::new(), &mut pointers);
        }
        let new = Value::Object(self.new.settings.clone());
        let found: BTreeSet<&str> =
            pointers.iter().filter_map(|pointer| new.pointer(pointer).and_then(Value::as_str)).collect();
        match (found.len(), found.first()) {
            (1, Some(other)) if *other != text => Some((*other).to_owned()),
            _ => None,
        }
    }
}

/// Where a text stands, as JSON pointers.
fn find(value: &Value, text: &str, at: &mut String, found: &mut Vec<String>) {
    let length = at.len();
    let children: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(number, item)| (number.to_string(), item)).collect(),
        Value::String(other) if other == text => return found.push(at.clone()),
        _ => return,
    };
    for (key, child) in children {
        at.push('/');
        at.push_str(&key.replace('~', "~0").replace('/', "~1"));
        find(child, text, at, found);
        at.truncate(length);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::studio::manifest::Arn;
    use crate::studio::manifest::tests::{backup, map};

    const ROLE: &str = "arn:aws:iam::111122223333:role/analyst";
    const SCRIPT: &str = "arn:aws:sagemaker:eu-west-1:111122223333:studio-lifecycle-config/lab";
    const IMAGE: &str = "arn:aws:sagemaker:eu-west-1:819792524951:image/sagemaker-distribution-cpu";

    fn settings() -> Map<String, Value> {
        map(json!({
            "ExecutionRole": ROLE,
            "SecurityGroups": ["sg-own", "sg-more"],
            "SharingSettings": {"NotebookOutputOption": "Allowed", "S3KmsKeyId": "1234"},
            "JupyterLabAppSettings": {
                "DefaultResourceSpec": {"LifecycleConfigArn": SCRIPT, "SageMakerImageArn": IMAGE},
                "LifecycleConfigArns": [SCRIPT],
                "CustomImages": [{"ImageName": "i", "AppImageConfigName": "c"}]},
            "CustomFileSystemConfigs": [{"EFSFileSystemConfig": {"FileSystemId": "fs-1", "FileSystemPath": "/"}}]}))
    }

    /// The new domain, changed; then what is carried and what is told.
    fn carry(
        change: impl FnOnce(&mut Domain),
        scripts: Option<&[&str]>,
        replacements: &[(&str, Option<&str>)],
    ) -> (Map<String, Value>, Vec<Reference>) {
        let old = backup().domain;
        let mut new = backup().domain;
        (new.id, new.name) = ("d-new".into(), "new".into());
        change(&mut new);
        let scripts: Option<BTreeSet<String>> =
            scripts.map(|scripts| scripts.iter().map(|arn| (*arn).to_owned()).collect());
        let replacements: Replacements =
            replacements.iter().map(|(old, new)| ((*old).to_owned(), new.map(str::to_owned))).collect();
        let moved = Move { old: &old, new: &new, scripts: scripts.as_ref(), replacements: &replacements };
        moved.carry(&settings(), "UserSettings")
    }

    fn left_out(references: &[Reference]) -> Vec<&str> {
        references.iter().filter(|reference| !reference.carried).map(|reference| reference.at.as_str()).collect()
    }

    #[test]
    fn e4_in_the_same_account_and_vpc_settings_are_carried_word_for_word() {
        let (carried, references) = carry(|_| {}, Some(&[SCRIPT]), &[]);
        assert_eq!((carried, references), (settings(), vec![]));
    }

    #[test]
    fn e4_another_vpc_s_groups_and_file_systems_are_left_out() {
        let (carried, references) = carry(|new| new.vpc_id = Some("vpc-2".into()), Some(&[SCRIPT]), &[]);
        assert_eq!(carried["SecurityGroups"], json!([]));
        assert_eq!(carried["CustomFileSystemConfigs"], json!([]), "half a configuration is refused by SageMaker");
        assert_eq!(carried["JupyterLabAppSettings"], settings()["JupyterLabAppSettings"]);
        assert_eq!(references.len(), 3);
        assert_eq!(references[0].why, "is of the old domain's VPC `vpc-1`, and the new one is in `vpc-2`");
    }

    #[test]
    fn e4_another_account_s_roles_scripts_keys_and_images_are_left_out_and_aws_s_images_are_not() {
        let other = Arn::new("arn:aws:sagemaker:eu-west-1:444455556666:domain/d-new").unwrap();
        let (carried, references) = carry(|new| new.arn = other, None, &[]);
        assert_eq!(
            left_out(&references),
            [
                "UserSettings.ExecutionRole",
                "UserSettings.SharingSettings.S3KmsKeyId",
                "UserSettings.JupyterLabAppSettings.DefaultResourceSpec.LifecycleConfigArn",
                "UserSettings.JupyterLabAppSettings.LifecycleConfigArns[0]",
                "UserSettings.JupyterLabAppSettings.CustomImages[0].ImageName",
            ]
        );
        assert_eq!(
            carried["JupyterLabAppSettings"],
            json!({"DefaultResourceSpec": {"SageMakerImageArn": IMAGE}, "LifecycleConfigArns": [], "CustomImages": []})
        );
        assert_eq!(carried["SharingSettings"], json!({"NotebookOutputOption": "Allowed"}));
    }

    #[test]
    fn e4_scripts_that_are_gone_are_left_out_and_unlisted_ones_are_tried() {
        let (_, references) = carry(|_| {}, Some(&[]), &[]);
        assert_eq!(references.len(), 2);
        assert!(references.iter().all(|reference| reference.why.contains("does not exist any more")));
        assert_eq!(carry(|_| {}, None, &[]).1, vec![]);
    }

    #[test]
    fn e4_replacements_win_and_an_empty_one_leaves_out_without_a_word() {
        let replacements = [("sg-own", Some("sg-new")), ("sg-more", None), (SCRIPT, Some("arn:new"))];
        let (carried, references) = carry(|new| new.vpc_id = None, Some(&[]), &replacements);
        assert_eq!(carried["SecurityGroups"], json!(["sg-new"]));
        assert_eq!(carried["JupyterLabAppSettings"]["LifecycleConfigArns"], json!(["arn:new"]));
        assert_eq!(left_out(&references), ["UserSettings.CustomFileSystemConfigs[0].EFSFileSystemConfig.FileSystemId"]);
    }

    #[test]
    fn e4_what_is_the_old_domain_s_own_is_told_with_what_the_new_one_has_in_its_place() {
        let old_s = json!({"DefaultUserSettings": {"SecurityGroups": ["sg-own"], "ExecutionRole": ROLE}});
        let new_s = json!({"DefaultUserSettings": {"SecurityGroups": ["sg-new"], "ExecutionRole": ROLE}});
        let (mut old, mut new) = (backup().domain, backup().domain);
        (old.settings, new.settings) = (map(old_s), map(new_s));
        let moved = Move { old: &old, new: &new, scripts: None, replacements: &Replacements::new() };
        let (carried, references) = moved.carry(&settings(), "UserSettings");
        assert_eq!(carried, settings());
        let [only] = references.as_slice() else { panic!("{references:?}") };
        assert_eq!((only.value.as_str(), only.instead.as_deref(), only.carried), ("sg-own", Some("sg-new"), true));
    }

    #[test]
    fn e4_the_tag_domain_name_becomes_the_new_domain_s() {
        let (old, mut new) = (backup().domain, backup().domain);
        new.name = "new".into();
        let replacements =
            Replacements::from([("blue".to_owned(), None), ("red".to_owned(), Some("green".to_owned()))]);
        let moved = Move { old: &old, new: &new, scripts: None, replacements: &replacements };
        assert_eq!(moved.tag("DomainName", "old").as_deref(), Some("new"));
        assert_eq!(moved.tag("Team", "old").as_deref(), Some("old"));
        assert_eq!((moved.tag("Team", "red").as_deref(), moved.tag("Team", "blue")), (Some("green"), None));
    }
}
