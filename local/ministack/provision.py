"""What the mends of CloudFormation's resource types share: how a type is taught to MiniStack, and how an answer is read."""

import json
import re

from ministack.services.cloudformation import provisioners


def register(kind, create, update, delete, *, replacing=(), tags=None):
    """Takes MiniStack's place for one resource type, or gives it one that it lacks.

    `create(logical_id, props, stack_name)` and `update(physical_id, old, new, stack_name, logical_id)` return the physical
    id and what Fn::GetAtt knows; `delete(physical_id, props)` is silent about what is gone. A change of a property in
    `replacing` makes a new resource before the old one goes; `tags` names the property that holds the tags (a list).
    """
    provisioners._RESOURCE_HANDLERS[kind] = {
        "create": create, "update": update, "update_with_logical_id": True, "delete": delete,
    }
    provisioners._REPLACING_PROPERTIES[kind] = tuple(replacing)
    if tags:
        provisioners._STACK_TAG_PROPERTY[kind] = (tags, "list")


def wrap(kind, *, attributes=None, valid=None, before_create=None, before_delete=None):
    """Adds to a type that MiniStack has: further attributes of a physical id, and refusals (a ValueError) beforehand.

    `valid(props)` is asked before a creation and an update.
    """
    handler = provisioners._RESOURCE_HANDLERS[kind]
    create, update, delete = handler["create"], handler.get("update"), handler["delete"]
    numbered = handler.get("update_with_logical_id")

    def known(made):
        return (made[0], {**made[1], **attributes(made[0])}) if attributes else made

    def created(logical_id, props, stack_name):
        if valid:
            valid(props)
        if before_create:
            before_create(logical_id, props, stack_name)
        return known(create(logical_id, props, stack_name))

    def updated(physical_id, old, new, stack_name, logical_id=None):
        if valid:
            valid(new)
        # A handler that replaces calls MiniStack's own creation by its name, which this cannot see.
        last = (logical_id,) if numbered else ()
        return known(update(physical_id, old, new, stack_name, *last))

    def deleted(physical_id, props):
        if before_delete:
            before_delete(physical_id, props)
        delete(physical_id, props)

    handler.update(create=created, delete=deleted)
    if update:
        handler.update(update=updated, update_with_logical_id=True)


def succeeded(answer, missing=()):
    """The JSON of a service's answer; a refusal becomes the resource's failure, unless its code is in `missing`."""
    status, _headers, body = answer
    text = body.decode() if isinstance(body, bytes) else body or ""
    if status < 400:
        return json.loads(text) if text.startswith("{") else {}
    code, message = _refusal(text)
    if code in missing:
        return {}
    raise ValueError(f"{message} (Service Error Code: {code}; Status Code: {status})")


def _refusal(text: str) -> tuple[str, str]:
    if text.startswith("{"):
        told = json.loads(text)
        return told.get("__type", "").rpartition("#")[2], told.get("message") or told.get("Message") or text
    parts = [re.search(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL) for tag in ("Code", "Message")]
    return tuple(part.group(1) if part else text for part in parts)
