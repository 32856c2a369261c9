//! EC2's security groups. It changes only what is marked to go with the stack: the role's policy says so.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{No, Reply, STACK, World};
use crate::studio::cleanup::names::{DEPARTS_WITH, MANAGED_BY};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Group {
    pub(in super::super) name: String,
    pub(in super::super) tags: BTreeMap<String, String>,
    /// The groups that its rules for TCP 2049 name: for coming in, and for going out.
    pub(in super::super) ingress: Vec<String>,
    pub(in super::super) egress: Vec<String>,
}

impl World {
    fn marked(&mut self, id: &str) -> Result<&mut Group, No> {
        let group = self.groups.get_mut(id).ok_or(No("InvalidGroup.NotFound", 400))?;
        let ours = group.tags.get(DEPARTS_WITH).map(String::as_str) == Some(STACK);
        if ours { Ok(group) } else { Err(No("UnauthorizedOperation", 403)) }
    }

    pub(super) fn ec2(&mut self, operation: &str, form: &BTreeMap<String, String>) -> Reply {
        let done = |name: &str| Ok(Value::String(format!("<{name}Response><return>true</return></{name}Response>")));
        match operation {
            "DescribeSecurityGroups" => Ok(Value::String(self.describe(form))),
            "CreateTags" => {
                let id = &form["ResourceId.1"];
                let group = self.groups.get_mut(id).ok_or(No("InvalidGroup.NotFound", 400))?;
                if !group.tags.get(MANAGED_BY).is_some_and(|arn| arn.ends_with("domain/d-1")) {
                    return Err(No("UnauthorizedOperation", 403));
                }
                group.tags.insert(form["Tag.1.Key"].clone(), form["Tag.1.Value"].clone());
                self.note(format!("tag {id}"));
                done(operation)
            }
            "RevokeSecurityGroupIngress" | "RevokeSecurityGroupEgress" => {
                assert_eq!(form["IpPermissions.1.IpProtocol"], "tcp");
                assert_eq!((&*form["IpPermissions.1.FromPort"], &*form["IpPermissions.1.ToPort"]), ("2049", "2049"));
                let (id, peer) = (form["GroupId"].clone(), form["IpPermissions.1.Groups.1.GroupId"].clone());
                let group = self.marked(&id)?;
                let rules = if operation.ends_with("Ingress") { &mut group.ingress } else { &mut group.egress };
                let place =
                    rules.iter().position(|known| *known == peer).ok_or(No("InvalidPermission.NotFound", 400))?;
                rules.remove(place);
                self.note(format!("rule {id} {peer}"));
                done(operation)
            }
            "DeleteSecurityGroup" => {
                let id = form["GroupId"].clone();
                self.marked(&id)?;
                let mounted = self.mount_targets.values().any(|target| target.group == id);
                let others = self.groups.iter().filter(|(other, _)| **other != id);
                let named =
                    others.flat_map(|(_, group)| group.ingress.iter().chain(&group.egress)).any(|peer| *peer == id);
                if mounted || named {
                    return Err(No("DependencyViolation", 400));
                }
                self.groups.remove(&id);
                self.note(format!("group {id}"));
                done(operation)
            }
            other => panic!("{other} is not known here"),
        }
    }

    fn describe(&self, form: &BTreeMap<String, String>) -> String {
        let (tag, value) = (form["Filter.1.Name"].strip_prefix("tag:").unwrap(), &form["Filter.1.Value.1"]);
        let begin: usize = form.get("NextToken").map_or(0, |token| token.parse().unwrap());
        let found: Vec<_> = self.groups.iter().filter(|(_, group)| group.tags.get(tag) == Some(value)).collect();
        let rules = |name: &str, peers: &[String]| {
            let pairs: String = peers.iter().map(|peer| format!("<item><groupId>{peer}</groupId></item>")).collect();
            // A rule of another kind stands beside them in every group.
            format!(
                "<{name}><item><ipProtocol>-1</ipProtocol><groups/><ipRanges><item><cidrIp>0.0.0.0/0</cidrIp></item></ipRanges>\
                 </item><item><ipProtocol>tcp</ipProtocol><fromPort>2049</fromPort><toPort>2049</toPort><groups>{pairs}</groups>\
                 </item></{name}>"
            )
        };
        let item = |(id, group): &(&String, &Group)| {
            let tags: String = group
                .tags
                .iter()
                .map(|(key, value)| format!("<item><key>{key}</key><value>{value}</value></item>"))
                .collect();
            format!(
                "<item><groupId>{id}</groupId><groupName>{}</groupName><tagSet>{tags}</tagSet>{}{}</item>",
                group.name,
                rules("ipPermissions", &group.ingress),
                rules("ipPermissionsEgress", &group.egress)
            )
        };
        let items: String = found.iter().skip(begin).take(1).map(item).collect();
        let more = begin + 1 < found.len();
        let next = if more { format!("<nextToken>{}</nextToken>", begin + 1) } else { String::new() };
        format!(
            "<DescribeSecurityGroupsResponse><securityGroupInfo>{items}</securityGroupInfo>{next}</DescribeSecurityGroupsResponse>"
        )
    }
}
