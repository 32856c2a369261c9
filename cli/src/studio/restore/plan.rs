//! What is to be done so that a domain holds what a manifest has.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::differ::{self, Difference};
use super::references::{Move, Reference, Replacements};
use crate::studio::backup::{Kind, Taken, Unfit};
use crate::studio::manifest::{Arn, Backup, Domain, Profile, Space};

/// The tag that says whose a profile is (`infra/lib/studio/profiles.ts`).
const OWNER_TAG: &str = "studiouserid";

/// What SageMaker never changes of a space.
const FIXED: [&str; 1] = ["AppType"];

/// What the person asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wishes {
    /// Make what differs equal.
    pub(crate) update: bool,
    pub(crate) replacements: Replacements,
    /// Users of Identity Center by the names of profiles in lower case.
    pub(crate) sso_users: BTreeMap<String, String>,
}

/// What the new domain has.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct There {
    pub(crate) taken: Taken,
    /// Lifecycle configurations where it is; `None` if they could not be listed.
    pub(crate) scripts: Option<BTreeSet<String>>,
}

/// A plan, in the order in which it is done: profiles, then the spaces that they own.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Plan {
    pub(crate) items: Vec<Item>,
    /// What differs between the domains themselves, which nothing here changes.
    pub(crate) domain: Vec<Difference>,
    pub(crate) warnings: Vec<String>,
}

/// A profile or a space of the manifest.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Item {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    #[serde(flatten)]
    pub(crate) action: Action,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) differences: Vec<Difference>,
}

/// What becomes of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "action")]
pub(crate) enum Action {
    /// Members of CreateUserProfile or CreateSpace, beside the names.
    Make { members: Map<String, Value> },
    /// It is there; members of UpdateUserProfile or UpdateSpace, and tags to add.
    Update { members: Map<String, Value>, tags: BTreeMap<String, String>, arn: Arn },
    /// It is there, and equal.
    Adopt,
    /// It is there, and differs: it is left as it is.
    Leave,
    /// A person has to decide something first.
    Stop { why: String },
}

impl Action {
    /// Whether anything is called for it.
    pub(crate) fn is_step(&self) -> bool {
        matches!(self, Self::Make { .. } | Self::Update { .. })
    }

    pub(crate) fn is_stop(&self) -> bool {
        matches!(self, Self::Stop { .. })
    }
}

impl Plan {
    /// Items for which something is called.
    pub(crate) fn steps(&self) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(|item| item.action.is_step())
    }

    pub(crate) fn stops(&self) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(|item| item.action.is_stop())
    }

    /// What becomes of the one of this kind and name.
    pub(crate) fn action(&self, kind: Kind, name: &str) -> Option<&Action> {
        let is_it = |item: &&Item| item.kind == kind && item.name.eq_ignore_ascii_case(name);
        self.items.iter().find(is_it).map(|item| &item.action)
    }
}

/// What is to be done.
pub(crate) fn plan(manifest: &Backup, there: &There, wishes: &Wishes) -> Plan {
    let (old, new) = (&manifest.domain, &there.taken.backup.domain);
    let moved = Move { old, new, scripts: there.scripts.as_ref(), replacements: &wishes.replacements };
    let mut planner = Planner { there, wishes, moved, plan: Plan::default() };
    planner.domains();
    for profile in &manifest.profiles {
        planner.profile(profile);
    }
    for space in &manifest.spaces {
        planner.space(space);
    }
    planner.plan.warnings.sort();
    planner.plan.warnings.dedup();
    planner.plan
}

struct Planner<'a> {
    there: &'a There,
    wishes: &'a Wishes,
    moved: Move<'a>,
    plan: Plan,
}

impl Planner<'_> {
    /// What whoever restores should know of the domains themselves.
    fn domains(&mut self) {
        let (old, new) = (self.moved.old, self.moved.new);
        let facts = |domain: &Domain| {
            let facts = json!({"AuthMode": domain.auth_mode, "VpcId": domain.vpc_id, "SubnetIds": domain.subnet_ids,
                "KmsKeyId": domain.kms_key_id});
            let mut facts = facts.as_object().cloned().unwrap_or_default();
            facts.extend(domain.settings.clone());
            facts
        };
        (self.plan.domain, _) = differ::settings(&facts(old), &facts(new), "domain", &[]);
        for difference in &mut self.plan.domain {
            difference.can_update = false;
        }
        match (old.auth_mode.as_str(), new.auth_mode.as_str()) {
            ("SSO", "IAM") => self.plan.warnings.push(
                "the old domain is opened through Identity Center, the new one through IAM: profiles are made without \
                 their users there, and who may open one is decided by its tag `studiouserid`"
                    .to_owned(),
            ),
            ("SSO", "SSO") => self.plan.warnings.push(
                "assign the users or their groups to the new domain's application in Identity Center: an assignment is \
                 not part of a profile"
                    .to_owned(),
            ),
            _ => {}
        }
    }

    fn push(&mut self, kind: Kind, name: &str, action: Action, differences: Vec<Difference>) {
        self.plan.items.push(Item { kind, name: name.to_owned(), action, differences });
    }

    fn stop(&mut self, kind: Kind, name: &str, why: impl Into<String>) {
        self.push(kind, name, Action::Stop { why: why.into() }, Vec::new());
    }

    fn unfit(&self, kind: Kind, name: &str) -> Option<String> {
        let is_it = |unfit: &&Unfit| unfit.kind == kind && unfit.name.eq_ignore_ascii_case(name);
        let unfit = self.there.taken.unfit.iter().find(is_it)?;
        Some(format!("one of this name is {}: delete it, or wait until it is gone, and run this again", unfit.status))
    }

    /// Settings as the new domain can have them; an error where only a person can say what to do.
    fn carry(&mut self, settings: &Map<String, Value>, at: &str) -> Result<Map<String, Value>, String> {
        let (carried, references) = self.moved.carry(settings, at);
        // Without it the domain's default role would be the profile's, with whatever that may do.
        if let Some(role) = references.iter().find(|role| !role.carried && role.at.ends_with(".ExecutionRole")) {
            return Err(format!(
                "its role `{}` {}: give another one with --map {}=ARN, or --map {}= for the domain's default",
                role.value, role.why, role.value, role.value
            ));
        }
        self.plan.warnings.extend(references.iter().map(warning));
        Ok(carried)
    }

    /// Tags that can be given. AWS's own cannot, and SageMaker's name the old domain.
    fn tags(&self, tags: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let given = tags.iter().filter(|(key, _)| !key.starts_with("aws:") && !key.starts_with("sagemaker:"));
        given.filter_map(|(key, value)| Some((key.clone(), self.moved.tag(key, value)?))).collect()
    }

    fn profile(&mut self, profile: &Profile) {
        let (kind, name) = (Kind::Profile, profile.name.as_str());
        if let Some(why) = self.unfit(kind, name) {
            return self.stop(kind, name, why);
        }
        let settings = match self.carry(&profile.settings, "UserSettings") {
            Ok(settings) => settings,
            Err(why) => return self.stop(kind, name, why),
        };
        let tags = self.tags(&profile.tags);
        let is_sso = self.moved.new.auth_mode == "SSO";
        let given = self.wishes.sso_users.get(&profile.name.folded());
        let user = given.or(profile.sso_user.as_ref()).filter(|_| is_sso);
        let here = &self.there.taken.backup.profiles;
        let Some(found) = here.iter().find(|other| other.name.folded() == profile.name.folded()) else {
            return match (is_sso, user) {
                (true, None) => self.stop(
                    kind,
                    name,
                    format!(
                        "the new domain is opened through Identity Center, and the manifest knows no user of it: give \
                         --sso-user {name}=USER"
                    ),
                ),
                (_, Some(user))
                    if let Some(other) = here.iter().find(|other| other.sso_user.as_ref() == Some(user)) =>
                {
                    let why = format!(
                        "the user `{user}` has the profile `{}` there: SageMaker makes no second one",
                        other.name
                    );
                    self.stop(kind, name, why);
                }
                _ => {
                    let mut members = Map::from_iter([("Tags".to_owned(), listed(&tags))]);
                    if !settings.is_empty() {
                        members.insert("UserSettings".to_owned(), Value::Object(settings));
                    }
                    if let Some(user) = user {
                        members.insert("SingleSignOnUserIdentifier".to_owned(), "UserName".into());
                        members.insert("SingleSignOnUserValue".to_owned(), user.clone().into());
                    }
                    self.push(kind, name, Action::Make { members }, Vec::new());
                }
            };
        };
        // Files go to whoever the profile is of: a namesake's is not this person's.
        let (wanted, owner) = (tags.get(OWNER_TAG), found.tags.get(OWNER_TAG));
        if let (Some(wanted), Some(owner)) = (wanted, owner)
            && wanted != owner
        {
            let why =
                format!("the profile there is of `{owner}` by its tag `{OWNER_TAG}`, and the manifest's of `{wanted}`");
            return self.stop(kind, name, why);
        }
        if let (Some(user), Some(owner)) = (user, &found.sso_user)
            && user != owner
        {
            let why = format!("the profile there is of the user `{owner}`, and the manifest's of `{user}`");
            return self.stop(kind, name, why);
        }
        let (mut differences, update) = differ::settings(&settings, &found.settings, "UserSettings", &[]);
        let (more, missing) = differ::tags(&tags, &found.tags);
        differences.extend(more);
        let mut members = Map::new();
        if !update.is_empty() {
            members.insert("UserSettings".to_owned(), Value::Object(update));
        }
        self.found(kind, name, differences, members, missing, &found.arn);
    }

    fn space(&mut self, space: &Space) {
        let (kind, name) = (Kind::Space, space.name.as_str());
        if let Some(why) = self.unfit(kind, name) {
            return self.stop(kind, name, why);
        }
        if let Some(why) = self.owner_s(space) {
            return self.stop(kind, name, why);
        }
        let settings = match self.carry(&space.settings, "SpaceSettings") {
            Ok(settings) => settings,
            Err(why) => return self.stop(kind, name, why),
        };
        let tags = self.tags(&space.tags);
        let here = &self.there.taken.backup.spaces;
        let Some(found) = here.iter().find(|other| other.name.folded() == space.name.folded()) else {
            let mut members = Map::from_iter([("Tags".to_owned(), listed(&tags))]);
            let parts = [
                ("SpaceSettings", &settings),
                ("OwnershipSettings", &space.ownership),
                ("SpaceSharingSettings", &space.sharing),
            ];
            for (key, part) in parts.into_iter().filter(|(_, part)| !part.is_empty()) {
                members.insert(key.to_owned(), Value::Object(part.clone()));
            }
            if let Some(display_name) = &space.display_name {
                members.insert("SpaceDisplayName".to_owned(), display_name.clone().into());
            }
            return self.push(kind, name, Action::Make { members }, Vec::new());
        };
        if let (Some(wanted), Some(owner)) = (space.owner(), found.owner())
            && !wanted.eq_ignore_ascii_case(owner)
        {
            let why = format!("the space there is of the profile `{owner}`, and the manifest's of `{wanted}`");
            return self.stop(kind, name, why);
        }
        let (mut differences, update) = differ::settings(&settings, &found.settings, "SpaceSettings", &FIXED);
        // UpdateSpace has no members for these.
        let fixed = [
            ("OwnershipSettings", &space.ownership, &found.ownership),
            ("SpaceSharingSettings", &space.sharing, &found.sharing),
        ];
        for (at, wanted, found) in fixed {
            let (mut more, _) = differ::settings(wanted, found, at, &[]);
            // Names of profiles are compared above, as SageMaker does.
            more.retain(|difference| !difference.at.ends_with(".OwnerUserProfileName") || difference.found.is_none());
            more.iter_mut().for_each(|difference| difference.can_update = false);
            differences.extend(more);
        }
        let mut members = Map::new();
        if !update.is_empty() {
            members.insert("SpaceSettings".to_owned(), Value::Object(update));
        }
        if space.display_name != found.display_name {
            let (wanted, there) = (space.display_name.as_deref(), found.display_name.as_deref());
            differences.push(Difference::new("SpaceDisplayName", wanted, there, wanted.is_some()));
            if let Some(wanted) = wanted {
                members.insert("SpaceDisplayName".to_owned(), wanted.into());
            }
        }
        let (more, missing) = differ::tags(&tags, &found.tags);
        differences.extend(more);
        self.found(kind, name, differences, members, missing, &found.arn);
    }

    /// Why its owner cannot have it.
    fn owner_s(&self, space: &Space) -> Option<String> {
        let owner = space.owner()?;
        match self.plan.action(Kind::Profile, owner) {
            Some(Action::Stop { .. }) => Some(format!("its owner, the profile `{owner}`, is not restored")),
            Some(_) => None,
            None => {
                let mut here = self.there.taken.backup.profiles.iter();
                let is_there = here.any(|profile| profile.name.as_str().eq_ignore_ascii_case(owner));
                (!is_there).then(|| format!("its owner, the profile `{owner}`, is neither in the manifest nor there"))
            }
        }
    }

    /// It is there.
    fn found(
        &mut self,
        kind: Kind,
        name: &str,
        differences: Vec<Difference>,
        members: Map<String, Value>,
        tags: BTreeMap<String, String>,
        arn: &Arn,
    ) {
        let action = if differences.is_empty() {
            Action::Adopt
        } else if self.wishes.update && !(members.is_empty() && tags.is_empty()) {
            Action::Update { members, tags, arn: arn.clone() }
        } else {
            Action::Leave
        };
        self.push(kind, name, action, differences);
    }
}

/// What a person is told of a reference; the same for all who have it.
fn warning(reference: &Reference) -> String {
    let Reference { at, value, carried, why, instead } = reference;
    let key = at.rsplit('.').next().unwrap_or(at);
    let key = key.split('[').next().unwrap_or(key);
    let done = if *carried { "and is kept" } else { "and is left out" };
    let advice = match instead {
        Some(other) => format!("the new domain has `{other}` in its place: --map {value}={other}"),
        None => format!("--map {value}=OTHER gives another one, and --map {value}= leaves it out without this warning"),
    };
    format!("`{value}` ({key}) {why}, {done}: {advice}")
}

/// As SageMaker takes tags.
fn listed(tags: &BTreeMap<String, String>) -> Value {
    tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}
