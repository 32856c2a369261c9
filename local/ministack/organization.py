"""AWS::Organizations::Policy (service control policies), by MiniStack's own Organizations API.

MiniStack's account is the management account of an organisation of its own; no policy is enforced.
"""

import json

from ministack.services import organizations
from ministack.services.cloudformation import provisioners

import provision

POLICY = "AWS::Organizations::Policy"


def install() -> None:
    provision.register(POLICY, create, update, delete, replacing=("Type",), tags="Tags")


def create(_logical_id, props, _stack_name):
    made = provision.succeeded(organizations._create_policy({
        "Name": props["Name"],
        "Description": props.get("Description", ""),
        "Type": props["Type"],
        "Content": _content(props),
        "Tags": props.get("Tags") or [],
    }))["Policy"]["PolicySummary"]
    try:
        _attach(made["Id"], set(), set(props.get("TargetIds") or []))
    except ValueError:
        delete(made["Id"], props)
        raise
    return made["Id"], _attributes(made)


def update(physical_id, old, new, stack_name, logical_id):
    if physical_id not in organizations._policies:
        return create(logical_id, new, stack_name)
    told = provision.succeeded(organizations._update_policy({
        "PolicyId": physical_id,
        "Name": new["Name"],
        "Description": new.get("Description", ""),
        "Content": _content(new),
    }))["Policy"]["PolicySummary"]
    _attach(physical_id, set(old.get("TargetIds") or []), set(new.get("TargetIds") or []))
    provisioners._reconcile_tag_map(organizations._tags.setdefault(physical_id, {}), old, new)
    return physical_id, _attributes(told)


def delete(physical_id, _props):
    if physical_id in organizations._policies:
        _attach(physical_id, set(organizations._attachments.get(physical_id) or []), set())
        provision.succeeded(organizations._delete_policy({"PolicyId": physical_id}))


def _attach(policy: str, before: set, after: set) -> None:
    for action, targets in ((organizations._detach_policy, before - after), (organizations._attach_policy, after - before)):
        for target in sorted(targets):
            provision.succeeded(action({"PolicyId": policy, "TargetId": target}), missing=("PolicyNotAttachedException",))


def _content(props: dict) -> str:
    content = props["Content"]
    return content if isinstance(content, str) else json.dumps(content)


def _attributes(summary: dict) -> dict:
    return {"Id": summary["Id"], "Arn": summary["Arn"], "AwsManaged": summary["AwsManaged"]}
