//! What an Assertion says, read from its node of the tree.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use uppsala::NodeId;

use super::Refusal;
use super::envelope::{check_issuer, check_version};
use super::time::{self, Clock};
use super::tree::{ASSERTION, DSIG, Tree};

const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";

/// What an Assertion must say.
pub(super) struct Rules<'r> {
    pub(super) issuer: &'r str,
    pub(super) audience: &'r str,
    pub(super) recipient: &'r str,
    pub(super) clock: Clock,
    /// InResponseTo of the Response around it.
    pub(super) in_response_to: Option<&'r str>,
}

/// What an Assertion says that has not been verified here: for the key of the replay record and the choice of a role before
/// AWS verifies it, and for nothing else.
#[derive(Clone, PartialEq, Eq)]
pub struct Seen {
    /// The entity ID of the identity provider.
    pub issuer: String,
    /// ID of the Assertion: with the issuer, the key of the replay record.
    pub assertion_id: String,
    /// ID of the request that it answers; none when the identity provider started.
    pub in_response_to: Option<String>,
    /// NameID, whole and as written.
    pub name_id: String,
    /// Values of attributes by Name, whole and as written, in the order of the document.
    pub attributes: BTreeMap<String, Vec<String>>,
    /// From this whole second on the Assertion is refused, whatever the clocks: how long a replay record must be kept.
    pub expires: Timestamp,
    /// SessionNotOnOrAfter, the earliest.
    pub session_ends: Option<Timestamp>,
}

impl std::fmt::Debug for Seen {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Claims are about a person, so they do not go to logs by accident.
        formatter.debug_struct("Seen").field("expires", &self.expires).finish_non_exhaustive()
    }
}

/// Reads the Assertion at `node`.
pub(super) fn read(tree: &Tree<'_>, node: NodeId, rules: &Rules<'_>) -> Result<Seen, Refusal> {
    check_version(tree, node)?;
    let assertion_id = tree.attribute(node, "ID").ok_or(Refusal::Id)?.to_owned();
    check_issued(time::required(tree, node, "IssueInstant")?, rules.clock)?;
    check_children(tree, node)?;
    let issuer = tree.at_most_one(node, ASSERTION, "Issuer")?.ok_or(Refusal::Issuer)?;
    check_issuer(tree, issuer, rules.issuer)?;
    let conditions = tree.at_most_one(node, ASSERTION, "Conditions")?.ok_or(Refusal::Conditions)?;
    let valid_until = check_conditions(tree, conditions, rules)?;
    let subject = tree.at_most_one(node, ASSERTION, "Subject")?.ok_or(Refusal::NameId)?;
    let name_id = name_id(tree, subject)?;
    let (confirmed_until, in_response_to) = check_confirmation(tree, subject, rules)?;
    let session_ends = check_session(tree, node, rules.clock)?;
    Ok(Seen {
        issuer: rules.issuer.to_owned(),
        assertion_id,
        in_response_to,
        name_id,
        attributes: attributes(tree, node)?,
        expires: whole_second(rules.clock.end(valid_until.min(confirmed_until))),
        session_ends,
    })
}

/// The next whole second: a record that is kept in seconds must not end before the Assertion does.
fn whole_second(time: Timestamp) -> Timestamp {
    let second = Timestamp::from_second(time.as_second()).unwrap_or(time);
    if second < time { second.saturating_add(SignedDuration::from_secs(1)).unwrap_or(time) } else { second }
}

fn check_issued(issued: Timestamp, clock: Clock) -> Result<(), Refusal> {
    if clock.reached(issued) { Ok(()) } else { Err(Refusal::Future) }
}

/// Advice and statements of other kinds are refused, since nobody here would read them.
fn check_children(tree: &Tree<'_>, node: NodeId) -> Result<(), Refusal> {
    const KNOWN: [&str; 5] = ["Issuer", "Subject", "Conditions", "AuthnStatement", "AttributeStatement"];
    let known = |child: NodeId| {
        tree.name_in(child, ASSERTION).is_some_and(|name| KNOWN.contains(&name)) || tree.is(child, DSIG, "Signature")
    };
    if tree.elements(node)?.into_iter().all(known) { Ok(()) } else { Err(Refusal::Element) }
}

/// Gives NotOnOrAfter.
fn check_conditions(tree: &Tree<'_>, conditions: NodeId, rules: &Rules<'_>) -> Result<Timestamp, Refusal> {
    let from = time::optional(tree, conditions, "NotBefore")?.ok_or(Refusal::Conditions)?;
    let until = time::optional(tree, conditions, "NotOnOrAfter")?.ok_or(Refusal::Conditions)?;
    if from >= until {
        return Err(Refusal::Conditions);
    }
    if !rules.clock.reached(from) {
        return Err(Refusal::NotYetValid);
    }
    if rules.clock.over(until) {
        return Err(Refusal::Expired);
    }
    let mut restricted = false;
    for condition in tree.elements(conditions)? {
        match tree.name_in(condition, ASSERTION) {
            Some("AudienceRestriction") => {
                check_audience(tree, condition, rules.audience)?;
                restricted = true;
            }
            // Every Assertion is used once here, and none is passed on, so both hold.
            Some("OneTimeUse" | "ProxyRestriction") => {}
            _ => return Err(Refusal::UnknownCondition),
        }
    }
    if restricted { Ok(until) } else { Err(Refusal::Audience) }
}

fn check_audience(tree: &Tree<'_>, restriction: NodeId, audience: &str) -> Result<(), Refusal> {
    let mut ours = false;
    for child in tree.elements(restriction)? {
        if !tree.is(child, ASSERTION, "Audience") {
            return Err(Refusal::Element);
        }
        ours |= tree.text(child)? == audience;
    }
    if ours { Ok(()) } else { Err(Refusal::Audience) }
}

fn name_id(tree: &Tree<'_>, subject: NodeId) -> Result<String, Refusal> {
    let mut names =
        tree.elements(subject)?.into_iter().filter(|child| !tree.is(*child, ASSERTION, "SubjectConfirmation"));
    let (Some(only), None) = (names.next(), names.next()) else { return Err(Refusal::NameId) };
    if !tree.is(only, ASSERTION, "NameID") {
        return Err(Refusal::NameId);
    }
    let name = tree.text(only)?;
    if name.is_empty() { Err(Refusal::NameId) } else { Ok(name) }
}

/// Gives NotOnOrAfter and InResponseTo (Profiles for SAML V2.0, section 4.1.4.2).
fn check_confirmation(
    tree: &Tree<'_>,
    subject: NodeId,
    rules: &Rules<'_>,
) -> Result<(Timestamp, Option<String>), Refusal> {
    let wrong = Refusal::Confirmation;
    let repeated = |_| wrong;
    let confirmation = tree.at_most_one(subject, ASSERTION, "SubjectConfirmation").map_err(repeated)?.ok_or(wrong)?;
    if tree.attribute(confirmation, "Method") != Some(BEARER) {
        return Err(wrong);
    }
    let parts = tree.elements(confirmation)?;
    let [data] = parts.as_slice() else { return Err(wrong) };
    if !tree.is(*data, ASSERTION, "SubjectConfirmationData") {
        return Err(wrong);
    }
    if tree.attribute(*data, "Recipient") != Some(rules.recipient) {
        return Err(Refusal::Recipient);
    }
    if tree.attribute(*data, "NotBefore").is_some() {
        return Err(Refusal::ConfirmationNotBefore);
    }
    let until = time::optional(tree, *data, "NotOnOrAfter")?.ok_or(Refusal::ConfirmationExpired)?;
    if rules.clock.over(until) {
        return Err(Refusal::ConfirmationExpired);
    }
    let in_response_to = tree.attribute(*data, "InResponseTo");
    if rules.in_response_to.is_some() && rules.in_response_to != in_response_to {
        return Err(Refusal::InResponseTo);
    }
    Ok((until, in_response_to.map(str::to_owned)))
}

/// Gives the earliest SessionNotOnOrAfter.
fn check_session(tree: &Tree<'_>, node: NodeId, clock: Clock) -> Result<Option<Timestamp>, Refusal> {
    let statements: Vec<NodeId> =
        tree.elements(node)?.into_iter().filter(|child| tree.is(*child, ASSERTION, "AuthnStatement")).collect();
    if statements.is_empty() {
        return Err(Refusal::AuthnStatement);
    }
    let mut ends = None;
    for statement in statements {
        check_issued(time::required(tree, statement, "AuthnInstant")?, clock)?;
        if let Some(end) = time::optional(tree, statement, "SessionNotOnOrAfter")? {
            if clock.over(end) {
                return Err(Refusal::SessionEnded);
            }
            ends = Some(ends.map_or(end, |earlier: Timestamp| earlier.min(end)));
        }
    }
    Ok(ends)
}

/// All attributes of all statements. Two of one Name are refused even where NameFormat differs: the map of claims goes by
/// Name alone.
fn attributes(tree: &Tree<'_>, node: NodeId) -> Result<BTreeMap<String, Vec<String>>, Refusal> {
    let mut all = BTreeMap::new();
    let children = tree.elements(node)?;
    for statement in children.into_iter().filter(|child| tree.is(*child, ASSERTION, "AttributeStatement")) {
        for attribute in tree.elements(statement)? {
            if !tree.is(attribute, ASSERTION, "Attribute") {
                return Err(Refusal::Element);
            }
            let name = tree.attribute(attribute, "Name").filter(|name| !name.is_empty()).ok_or(Refusal::Attribute)?;
            let mut values = Vec::new();
            for value in tree.elements(attribute)? {
                if !tree.is(value, ASSERTION, "AttributeValue") {
                    return Err(Refusal::Element);
                }
                values.push(tree.text(value)?);
            }
            if all.insert(name.to_owned(), values).is_some() {
                return Err(Refusal::Attribute);
            }
        }
    }
    Ok(all)
}
