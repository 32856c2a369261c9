"""Security groups of a stack, and the rules that are resources of their own (SecurityGroupIngress and -Egress).

MiniStack knows no such rules, and lets a group go that others still name or use.

The first rule of its own that goes out takes the rule away that lets everything out, as on AWS; see
https://github.com/aws/aws-cdk/issues/987 for how that was found.
"""

import secrets

from ministack.core.responses import get_account_id
from ministack.services import ec2
from ministack.services.cloudformation import provisioners

import functions
import provision

GROUP = "AWS::EC2::SecurityGroup"
INGRESS = "AWS::EC2::SecurityGroupIngress"
EGRESS = "AWS::EC2::SecurityGroupEgress"

_EVERYTHING = [{"CidrIp": "0.0.0.0/0"}]

# Everything of a rule but its description.
_FIXED = ("CidrIp", "CidrIpv6", "FromPort", "GroupId", "IpProtocol", "ToPort")
_FIXED_IN = ("GroupName", "SourcePrefixListId", "SourceSecurityGroupId", "SourceSecurityGroupName",
             "SourceSecurityGroupOwnerId")
_FIXED_OUT = ("DestinationPrefixListId", "DestinationSecurityGroupId")


def install() -> None:
    provision.wrap(GROUP, attributes=lambda group: {"Id": group}, before_create=check_new, before_delete=check_unused)
    for kind, fixed, direction in ((INGRESS, _FIXED_IN, "IpPermissions"), (EGRESS, _FIXED_OUT, "IpPermissionsEgress")):
        provision.register(kind, *_rules(direction), replacing=(*_FIXED, *fixed))


def check_new(_logical_id, props, _stack_name) -> None:
    vpc_id, name = props.get("VpcId"), props.get("GroupName")
    if vpc_id and vpc_id not in ec2._vpcs:
        raise ValueError(f"The vpc ID '{vpc_id}' does not exist (InvalidVpcID.NotFound)")
    if name and any((each["GroupName"], each["VpcId"]) == (name, vpc_id) for each in ec2._security_groups.values()):
        raise ValueError(f"The security group '{name}' already exists for VPC '{vpc_id}' (InvalidGroup.Duplicate)")


def check_unused(group_id, _props) -> None:
    named = any(pair.get("GroupId") == group_id
                for other in ec2._security_groups.values() if other["GroupId"] != group_id
                for rule in [*other["IpPermissions"], *other["IpPermissionsEgress"]]
                for pair in rule.get("UserIdGroupPairs", []))
    used = any(group["GroupId"] == group_id for each in ec2._network_interfaces.values() for group in each["Groups"])
    used = used or group_id in functions.in_use("SecurityGroupIds")
    if named or used:
        raise ValueError(f"resource {group_id} has a dependent object (DependencyViolation)")


def _rules(direction: str):
    """The three handlers of one direction."""

    def create(_logical_id, props, _stack_name):
        group, rule = _group(props), _rule(props)
        if any(ec2._rules_match(_comparable(rule), _comparable(other)) for other in group[direction]):
            raise ValueError("the specified rule already exists (InvalidPermission.Duplicate)")
        if direction == "IpPermissionsEgress":
            group[direction] = [each for each in group[direction] if not _is_default(each)]
        rule["SecurityGroupRuleId"] = f"sgr-{secrets.token_hex(9)[:17]}"
        group[direction].append(rule)
        return rule["SecurityGroupRuleId"], {"Id": rule["SecurityGroupRuleId"]}

    def update(physical_id, _old, new, stack_name, logical_id):
        """Only the description is left to change."""
        for group in ec2._security_groups.values():
            for place, rule in enumerate(group[direction]):
                if rule.get("SecurityGroupRuleId") == physical_id:
                    group[direction][place] = {**_rule(new), "SecurityGroupRuleId": physical_id}
                    return physical_id, {"Id": physical_id}
        return create(logical_id, new, stack_name)

    def delete(physical_id, _props):
        for group in ec2._security_groups.values():
            group[direction] = [each for each in group[direction] if each.get("SecurityGroupRuleId") != physical_id]

    return create, update, delete


def _group(props: dict) -> dict:
    group_id, name = props.get("GroupId"), props.get("GroupName")
    for group in ec2._security_groups.values():
        if group_id == group["GroupId"] or not group_id and name == group["GroupName"]:
            return group
    raise ValueError(f"The security group '{group_id or name}' does not exist (InvalidGroup.NotFound)")


def _rule(props: dict) -> dict:
    [rule] = provisioners._ec2_sg_permissions([props])
    peers = sum(len(rule[kind]) for kind in ("IpRanges", "Ipv6Ranges", "PrefixListIds", "UserIdGroupPairs"))
    if peers != 1:
        raise ValueError("You must specify exactly one peer: a CIDR block, a prefix list or a security group")
    for pair in rule["UserIdGroupPairs"]:
        if pair.get("GroupId") and pair["GroupId"] not in ec2._security_groups:
            raise ValueError(f"The security group '{pair['GroupId']}' does not exist (InvalidGroup.NotFound)")
        pair.setdefault("UserId", get_account_id())
    return rule


def default_rules(group_id: str) -> dict:
    """What a VPC's default group lets through: its members among themselves, and everything out."""
    nothing = {"IpProtocol": "-1", "IpRanges": [], "Ipv6Ranges": [], "PrefixListIds": [], "UserIdGroupPairs": []}
    itself = [{"GroupId": group_id, "UserId": get_account_id()}]
    return {
        "IpPermissions": {**nothing, "UserIdGroupPairs": itself},
        "IpPermissionsEgress": {**nothing, "IpRanges": [dict(each) for each in _EVERYTHING]},
    }


def _is_default(rule: dict) -> bool:
    kept = [{"CidrIp": each["CidrIp"]} for each in rule.get("IpRanges", [])]
    return rule["IpProtocol"] == "-1" and kept == _EVERYTHING


def _comparable(rule: dict) -> dict:
    """A rule without what its description and its writer add: EC2 compares the rest."""
    kept = {key: value for key, value in rule.items() if key not in ("UserIdGroupPairs", "PrefixListIds")}
    pairs = [pair.get("GroupId") or pair.get("GroupName") for pair in rule.get("UserIdGroupPairs", [])]
    return {**kept, "_pairs": pairs, "_lists": [each.get("PrefixListId") for each in rule.get("PrefixListIds", [])]}
