//! Whether a domain's settings may change: not when CloudFormation would replace the domain for it, and with the domain
//! everything in it, unless that was asked for.
//!
//! The guard's properties are the settings that cannot be changed in place. An update that is refused is rolled back, and
//! CloudFormation then asks for another update, with old and new exchanged; so it does when a change was allowed and
//! something else of the stack fails. These must succeed, or the stack is stuck in `UPDATE_ROLLBACK_FAILED`, and nothing but
//! the physical id tells them from somebody's wish: it is all that CloudFormation keeps for a resource between requests. So
//! the id says what was accepted last, and what before:
//!
//! | request | what is wanted is | answer |
//! |---|---|---|
//! | no change, or back from a refused one | what the id says is accepted | done, same id |
//! | back from an allowed one | what the id says was before, and the other side allowed replacement | done |
//! | a change with `AllowReplacement` | anything | done |
//! | a change | anything | refused |
//!
//! The id thus stays what it is for as long as the settings do. It changes only with a replacement that was allowed;
//! CloudFormation then deletes the old id, which does nothing.
//!
//! One wish looks exactly like a rollback: `AllowReplacement` taken back, together with a return to the settings of just
//! before, after the replacement was done. It is let through.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use statemachine::text::one_line;

use crate::cloudformation::{Answer, Envelope, PhysicalId, RequestType};

const ID: &str = "tidegate-studio-guard/";

const ALLOW: &str = "AllowReplacement";

/// What is no setting of the domain: the first two are CloudFormation's own.
const NO_SETTINGS: [&str; 3] = ["ServiceToken", "ServiceTimeout", ALLOW];

/// The longest value that is told in full, in characters: several have to fit a reason.
const VALUE_LIMIT: usize = 100;

/// Answers a request. Pure.
pub(super) fn answer(envelope: &Envelope) -> Answer {
    let new = Settings::of(&envelope.resource_properties);
    match envelope.request_type {
        RequestType::Create => done(&Id { accepted: new.digest(), before: None }),
        RequestType::Delete => Answer::done(PhysicalId::when_failed(envelope), json!({})),
        RequestType::Update => {
            let old = Settings::of(&envelope.old_resource_properties);
            let known = envelope.physical_id.as_deref().and_then(Id::parse);
            // Of an id of someone else's making, the template is all that is known.
            let known = known.unwrap_or_else(|| Id { accepted: old.digest(), before: None });
            let wanted = new.digest();
            if wanted == known.accepted {
                return done(&known);
            }
            let goes_back = known.before.as_ref() == Some(&wanted) && old.allows;
            if new.allows || goes_back {
                return done(&Id { accepted: wanted, before: Some(known.accepted) });
            }
            Answer::failed(PhysicalId::when_failed(envelope), &refusal(&old, &new))
        }
    }
}

fn done(id: &Id) -> Answer {
    Answer::done(PhysicalId::new(id.to_string()), json!({}))
}

/// What to do comes before the list: a reason may be cut at its end.
fn refusal(old: &Settings<'_>, new: &Settings<'_>) -> String {
    let names: std::collections::BTreeSet<&str> = old.values.keys().chain(new.values.keys()).copied().collect();
    let changes: Vec<String> = names
        .into_iter()
        .map(|name| (name, old.values.get(name), new.values.get(name)))
        .filter(|(_, before, after)| before.map(|value| canonical(value)) != after.map(|value| canonical(value)))
        .map(|(name, before, after)| format!("`{name}` is {} and would become {}", shown(before), shown(after)))
        .collect();
    format!(
        "CloudFormation would replace this Studio domain, and its user profiles, spaces and apps with it: make a new domain \
         under another name, or set `allowReplacement: true` in the domain's file. What differs: {}",
        changes.join("; ")
    )
}

fn shown(value: Option<&&Value>) -> String {
    match value {
        None => "not set".to_owned(),
        Some(value) => format!("`{}`", one_line(&canonical(value), VALUE_LIMIT)),
    }
}

/// The settings among the properties of one side.
struct Settings<'a> {
    values: BTreeMap<&'a str, &'a Value>,
    allows: bool,
}

impl<'a> Settings<'a> {
    fn of(properties: &'a Value) -> Self {
        let all = properties.as_object().into_iter().flatten();
        let settings = all.filter(|(name, _)| !NO_SETTINGS.contains(&name.as_str()));
        let allows = properties.get(ALLOW).is_some_and(|value| canonical(value).eq_ignore_ascii_case("true"));
        Self { values: settings.map(|(name, value)| (name.as_str(), value)).collect(), allows }
    }

    fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for (name, value) in &self.values {
            for part in [name.as_bytes(), canonical(value).as_bytes()] {
                hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
                hash.update(part);
            }
        }
        hash.finalize().iter().take(DIGEST_LENGTH / 2).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A value as text: a scalar as CloudFormation sends it, which is as a string whatever it is in the template; the members of
/// an object in the order of their names.
fn canonical(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| json!(canonical(item)).to_string()).collect();
            format!("[{}]", items.join(","))
        }
        Value::Object(members) => {
            let members: BTreeMap<&String, String> =
                members.iter().map(|(name, member)| (name, canonical(member))).collect();
            json!(members).to_string()
        }
        scalar => scalar.to_string(),
    }
}

/// Hexadecimal digits of a digest. It tells settings apart, and protects nothing.
const DIGEST_LENGTH: usize = 32;

/// What a physical id says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Id {
    /// The digest of the settings that the domain has.
    accepted: String,
    /// The digest of those that it had before a replacement that was allowed.
    before: Option<String>,
}

impl Id {
    fn parse(id: &str) -> Option<Self> {
        let mut digests = id.strip_prefix(ID)?.split('/');
        let digest = |text: &str| {
            let good = text.len() == DIGEST_LENGTH && text.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
            good.then(|| text.to_owned())
        };
        let accepted = digest(digests.next()?)?;
        let before = match digests.next() {
            None => None,
            Some(text) => Some(digest(text)?),
        };
        digests.next().is_none().then_some(Self { accepted, before })
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{ID}{}", self.accepted)?;
        self.before.iter().try_for_each(|before| write!(f, "/{before}"))
    }
}
