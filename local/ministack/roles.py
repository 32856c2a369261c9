"""Roles, groups and managed policies of a stack, where MiniStack falls short of AWS.

- A role keeps its permissions boundary. Neither a role nor a policy takes the place of one of the same name.
- AWS::IAM::Group exists.
- A managed policy that anything else holds refuses to go.
- Policies keep to IAM's quotas: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""

import json

from ministack.services import iam
from ministack.services.cloudformation import provisioners

import provision

ROLE = "AWS::IAM::Role"
GROUP = "AWS::IAM::Group"
MANAGED_POLICY = "AWS::IAM::ManagedPolicy"
POLICY = "AWS::IAM::Policy"

# Characters, whitespace apart; and policies. The trust policy's and the last one can be raised on request.
_MANAGED_SIZE, _INLINE_SIZE, _TRUST_SIZE, _ATTACHED = 6144, 10_240, 2048, 10


def install() -> None:
    provision.wrap(ROLE, before_create=check_role, valid=check_quotas)
    handler = provisioners._RESOURCE_HANDLERS[ROLE]
    create, update = handler["create"], handler["update"]

    def created(logical_id, props, stack_name):
        made = create(logical_id, props, stack_name)
        _bound(made[0], props)
        return made

    def updated(physical_id, old, new, stack_name, logical_id):
        check_boundary(new)
        made = update(physical_id, old, new, stack_name, logical_id)
        _bound(made[0], new)
        return made

    handler.update(create=created, update=updated)
    provision.wrap(MANAGED_POLICY, before_create=check_policy, before_delete=check_unattached, valid=check_managed)
    provision.wrap(POLICY, valid=check_inline)
    provision.register(GROUP, create_group, update_group, delete_group, replacing=("GroupName",))


def check_role(_logical_id, props, _stack_name) -> None:
    if props.get("RoleName") in iam._roles:
        raise ValueError(f"Role with name {props['RoleName']} already exists. (EntityAlreadyExists)")
    check_boundary(props)
    for arn in props.get("ManagedPolicyArns") or []:
        _check_exists(arn)


def _size(document) -> int:
    text = document if isinstance(document, str) else json.dumps(document)
    return len("".join(text.split()))


def _within(size: int, most: int, what: str) -> None:
    if size > most:
        raise ValueError(f"Cannot exceed quota for {what}: {most} (LimitExceeded)")


def check_quotas(props) -> None:
    _within(_size(props.get("AssumeRolePolicyDocument") or {}), _TRUST_SIZE, "ACLSizePerRole")
    _within(len(props.get("ManagedPolicyArns") or []), _ATTACHED, "PoliciesPerRole")
    inline = sum(_size(each["PolicyDocument"]) for each in props.get("Policies") or [])
    _within(inline, _INLINE_SIZE, "the role's inline policies")


def check_managed(props) -> None:
    _within(_size(props.get("PolicyDocument") or {}), _MANAGED_SIZE, "PolicySize")
    for name in props.get("Roles") or []:
        if name in iam._roles:
            _within(len(iam._roles[name]["AttachedPolicies"]) + 1, _ATTACHED, "PoliciesPerRole")


def check_inline(props) -> None:
    """With what the role has already under other names."""
    for name in props.get("Roles") or []:
        others = iam._roles.get(name, {}).get("InlinePolicies", {}).items()
        taken = sum(_size(document) for policy, document in others if policy != props.get("PolicyName"))
        _within(taken + _size(props["PolicyDocument"]), _INLINE_SIZE, f"inline policies of {name}")


def check_boundary(props) -> None:
    if props.get("PermissionsBoundary"):
        _check_exists(props["PermissionsBoundary"])


def _bound(name: str, props: dict) -> None:
    iam._roles[name]["PermissionsBoundary"] = props.get("PermissionsBoundary")


def _check_exists(arn: str) -> None:
    # MiniStack does not know all of AWS's own policies.
    if not iam._is_aws_managed_arn(arn) and arn not in iam._policies:
        raise ValueError(f"Policy {arn} does not exist or is not attachable. (NoSuchEntity)")


def check_policy(_logical_id, props, _stack_name) -> None:
    name = props.get("ManagedPolicyName")
    if name and any(arn.rpartition("/")[2] == name for arn in iam._policies):
        raise ValueError(f"A policy called {name} already exists. Duplicate names are not allowed. (EntityAlreadyExists)")


def check_unattached(arn, props) -> None:
    """The resource's own attachments go with it; those that others made stand in the way."""
    for kind, store in (("Roles", iam._roles), ("Users", iam._users), ("Groups", iam._groups)):
        own = set(props.get(kind) or [])
        for name, entity in store.items():
            held = arn in entity.get("AttachedPolicies", []) and name not in own
            if held or entity.get("PermissionsBoundary") == arn:
                raise ValueError("Cannot delete a policy attached to entities. (DeleteConflict)")


def create_group(logical_id, props, stack_name):
    name = props.get("GroupName") or provisioners._physical_name(stack_name, logical_id, max_len=128)
    for arn in props.get("ManagedPolicyArns") or []:
        _check_exists(arn)
    provision.succeeded(iam._create_group({"GroupName": name, "Path": props.get("Path", "/")}))
    return update_group(name, {}, props, stack_name, logical_id)


def update_group(name, old, new, stack_name, logical_id):
    group = iam._groups.get(name)
    if group is None:
        return create_group(logical_id, new, stack_name)
    before, after = (set(each.get("ManagedPolicyArns") or []) for each in (old, new))
    for arn in sorted(before - after):
        iam.detach_managed_policy(group, arn)
    for arn in sorted(after - before):
        iam.attach_managed_policy(group, arn)
    written = {each["PolicyName"]: each["PolicyDocument"] for each in new.get("Policies") or []}
    for policy in old.get("Policies") or []:
        if policy["PolicyName"] not in written:
            iam._delete_group_policy({"GroupName": name, "PolicyName": policy["PolicyName"]})
    for policy, document in written.items():
        text = document if isinstance(document, str) else json.dumps(document)
        provision.succeeded(
            iam._put_group_policy({"GroupName": name, "PolicyName": policy, "PolicyDocument": text}))
    return name, {"Arn": group["Arn"]}


def delete_group(name, _props):
    group = iam._groups.get(name)
    if group is not None:
        for arn in list(group["AttachedPolicies"]):
            iam.detach_managed_policy(group, arn)
        provision.succeeded(iam._delete_group({"GroupName": name}))
