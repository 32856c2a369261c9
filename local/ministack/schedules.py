"""Schedules and schedule groups of a stack, made at the engine, which is EventBridge Scheduler here.

MiniStack would make them in a scheduler of its own, where no function that asks for schedules finds them and where time
zones and context attributes mean nothing.
"""

import functools
import os

from ministack.core.responses import get_region
from ministack.services.cloudformation import provisioners, stacks

SCHEDULE = "AWS::Scheduler::Schedule"
GROUP = "AWS::Scheduler::ScheduleGroup"

# A template may write them as text.
_NUMBERS = ("MaximumEventAgeInSeconds", "MaximumRetryAttempts", "MaximumWindowInMinutes")

_runs_on_worker_thread = stacks._runs_on_worker_thread


def install() -> None:
    """Takes MiniStack's place for both types, where there is an engine."""
    if "AWS_ENDPOINT_URL_SCHEDULER" not in os.environ:
        return
    provisioners._RESOURCE_HANDLERS[SCHEDULE] = {
        "create": create_schedule, "update": update_schedule, "update_with_logical_id": True, "delete": delete_schedule,
    }
    provisioners._RESOURCE_HANDLERS[GROUP] = {
        "create": create_group, "update": update_group, "update_with_logical_id": True, "delete": delete_group,
    }
    # A call to the engine must not hold up the server, which the engine calls when it fires.
    stacks._runs_on_worker_thread = lambda kind: kind in (SCHEDULE, GROUP) or _runs_on_worker_thread(kind)


@functools.lru_cache
def _client_of(region: str):
    import boto3  # Costs a third of a second, and not every server deploys a stack.

    return boto3.client("scheduler", region_name=region)


def _client():
    return _client_of(get_region())


def create_schedule(logical_id, props, stack_name):
    name = props.get("Name") or provisioners._physical_name(stack_name, logical_id, max_len=64)
    return name, {"Arn": _client().create_schedule(Name=name, **_settings(props))["ScheduleArn"]}


def update_schedule(physical_id, old_props, new_props, stack_name, logical_id):
    generated = provisioners._physical_name(stack_name, logical_id, max_len=64)
    name = new_props.get("Name") or (generated if old_props.get("Name") else physical_id)
    if name != physical_id or _group(new_props) != _group(old_props):
        made = create_schedule(logical_id, {**new_props, "Name": name}, stack_name)
        # Only the group may be another one, which the physical id does not tell: so it is not left to MiniStack.
        provisioners._delete_predecessor(delete_schedule, physical_id, old_props)
        return made
    return name, {"Arn": _client().update_schedule(Name=name, **_settings(new_props))["ScheduleArn"]}


def delete_schedule(physical_id, props):
    client = _client()
    try:
        client.delete_schedule(Name=physical_id, GroupName=_group(props))
    except client.exceptions.ResourceNotFoundException:
        pass  # It went with its group.


def create_group(logical_id, props, stack_name):
    name = props.get("Name") or provisioners._physical_name(stack_name, logical_id, max_len=64)
    arn = _client().create_schedule_group(Name=name, Tags=props.get("Tags") or [])["ScheduleGroupArn"]
    return name, {"Arn": arn, "State": "ACTIVE"}


def update_group(physical_id, old_props, new_props, stack_name, logical_id):
    generated = provisioners._physical_name(stack_name, logical_id, max_len=64)
    name = new_props.get("Name") or (generated if old_props.get("Name") else physical_id)
    if name != physical_id:
        made = create_group(logical_id, {**new_props, "Name": name}, stack_name)
        provisioners._delete_predecessor(delete_group, physical_id, old_props)
        return made
    client = _client()
    arn = client.get_schedule_group(Name=name)["Arn"]
    kept = {tag["Key"] for tag in new_props.get("Tags") or []}
    gone = [tag["Key"] for tag in old_props.get("Tags") or [] if tag["Key"] not in kept]
    if gone:
        client.untag_resource(ResourceArn=arn, TagKeys=gone)
    if kept:
        client.tag_resource(ResourceArn=arn, Tags=new_props["Tags"])
    return name, {"Arn": arn, "State": "ACTIVE"}


def delete_group(physical_id, _props):
    client = _client()
    try:
        client.delete_schedule_group(Name=physical_id)
    except client.exceptions.ResourceNotFoundException:
        pass


def _group(props: dict) -> str:
    return props.get("GroupName") or "default"


def _settings(props: dict) -> dict:
    """The properties are the API's own; what the API does not know it refuses by name."""
    return {key: _typed(key, value) for key, value in props.items() if key != "Name"}


def _typed(key: str, value):
    if isinstance(value, dict):
        return {name: _typed(name, each) for name, each in value.items()}
    return int(value) if key in _NUMBERS and str(value).isdecimal() else value
