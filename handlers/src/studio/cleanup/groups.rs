//! SageMaker's two security groups of a domain, by which applications reach the home folders.

use super::names::{DEPARTS_WITH, DomainArn, MANAGED_BY};
use super::trouble::Trouble;
use crate::signed::{Element, Query};

/// A security group, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) id: String,
    pub(super) name: String,
    /// The domain that SageMaker says it is of.
    pub(super) managed_by: Option<DomainArn>,
    /// The stack that takes it with it.
    pub(super) departs_with: Option<String>,
    /// Those that name another group.
    pub(super) rules: Vec<Rule>,
}

/// A rule of a group that names another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) way: Way,
    pub(super) protocol: String,
    /// As EC2 writes them; empty where the protocol has none.
    pub(super) ports: (String, String),
    /// The group that it names.
    pub(super) peer: String,
}

/// Which way a rule lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    In,
    Out,
}

/// Every group that carries a tag, through all pages.
pub(super) async fn tagged(ec2: &Query, tag: &str, value: &str) -> Result<Vec<Group>, Trouble> {
    let mut groups = Vec::new();
    let mut token = String::new();
    loop {
        let mut parameters = form([("Filter.1.Name", &*format!("tag:{tag}")), ("Filter.1.Value.1", value)]);
        if !token.is_empty() {
            parameters.extend(form([("NextToken", &*token)]));
        }
        let answer = ec2.call("DescribeSecurityGroups", &parameters).await;
        let answer = answer.map_err(|failed| Trouble::from(failed).at("the security groups cannot be listed"))?;
        groups.extend(answer.list("securityGroupInfo").map(read));
        token = answer.text("nextToken").to_owned();
        if token.is_empty() {
            return Ok(groups);
        }
    }
}

fn read(group: &Element) -> Group {
    let tag = |key: &str| {
        let own = group.list("tagSet").find(|tag| tag.text("key") == key);
        own.map(|tag| tag.text("value").to_owned())
    };
    let rules = |way: Way, name: &str| -> Vec<Rule> {
        let permissions = group.list(name);
        let pairs = permissions.flat_map(|permission| {
            permission.list("groups").map(move |pair| Rule {
                way,
                protocol: permission.text("ipProtocol").to_owned(),
                ports: (permission.text("fromPort").to_owned(), permission.text("toPort").to_owned()),
                peer: pair.text("groupId").to_owned(),
            })
        });
        pairs.collect()
    };
    Group {
        id: group.text("groupId").to_owned(),
        name: group.text("groupName").to_owned(),
        managed_by: tag(MANAGED_BY).and_then(|arn| DomainArn::parse(&arn)),
        departs_with: tag(DEPARTS_WITH),
        rules: [rules(Way::In, "ipPermissions"), rules(Way::Out, "ipPermissionsEgress")].concat(),
    }
}

/// Says that the group goes with the stack.
pub(super) async fn mark(ec2: &Query, group: &str, stack: &str) -> Result<(), Trouble> {
    let parameters = form([("ResourceId.1", group), ("Tag.1.Key", DEPARTS_WITH), ("Tag.1.Value", stack)]);
    done(ec2, "CreateTags", &parameters, || format!("the group `{group}` cannot be tagged")).await
}

/// Takes one rule out of a group.
pub(super) async fn revoke(ec2: &Query, group: &str, rule: &Rule) -> Result<(), Trouble> {
    let mut parameters = form([
        ("GroupId", group),
        ("IpPermissions.1.IpProtocol", &*rule.protocol),
        ("IpPermissions.1.Groups.1.GroupId", &*rule.peer),
    ]);
    let (from, to) = &rule.ports;
    for (name, port) in [("IpPermissions.1.FromPort", from), ("IpPermissions.1.ToPort", to)] {
        if !port.is_empty() {
            parameters.extend(form([(name, &**port)]));
        }
    }
    let action = match rule.way {
        Way::In => "RevokeSecurityGroupIngress",
        Way::Out => "RevokeSecurityGroupEgress",
    };
    done(ec2, action, &parameters, || format!("a rule of the group `{group}` cannot be revoked")).await
}

/// Deletes a group.
pub(super) async fn delete(ec2: &Query, group: &str) -> Result<(), Trouble> {
    let parameters = form([("GroupId", group)]);
    done(ec2, "DeleteSecurityGroup", &parameters, || format!("the group `{group}` cannot be deleted")).await
}

async fn done(
    ec2: &Query,
    action: &'static str,
    parameters: &[(String, String)],
    what: impl FnOnce() -> String,
) -> Result<(), Trouble> {
    let answer = ec2.call(action, parameters).await;
    answer.map(drop).map_err(|failed| Trouble::from(failed).at(&what()))
}

fn form<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}
