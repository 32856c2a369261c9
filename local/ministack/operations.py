"""What CloudFormation does around the resources of a stack, where MiniStack falls short of AWS.

- An update tells of the resources that change, and of no other.
- An export that another stack imports neither changes nor goes; two stacks cannot export one name.
- An export that a template drops is gone.
- A change set sees that an attribute of another resource is asked for.
- A change set that changes outputs only can be executed: it has no changes, and is not empty.
- Conditions know the pseudo parameters, and Fn::Join, Fn::Sub, Fn::Split and Fn::FindInMap.
"""

import re

from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudformation
from ministack.services.cloudformation import changesets, engine, handlers, stacks

_resolve_stack_outputs = stacks._resolve_stack_outputs
_update_resource = stacks._update_resource
_add_event = stacks._add_event
_create_change_set = handlers._ACTION_HANDLERS["CreateChangeSet"]
_resolve_props_for_diff = changesets._resolve_props_for_diff
_evaluate_conditions = engine._evaluate_conditions

# Resources that the update under way has found as they should be, as (name of the stack, logical id).
_unchanged: set[tuple[str, str]] = set()


def install() -> None:
    stacks._update_resource = update_resource
    stacks._add_event = add_event
    stacks._resolve_stack_outputs = resolve_stack_outputs
    handlers._ACTION_HANDLERS["CreateChangeSet"] = create_change_set
    changesets._resolve_props_for_diff = resolve_props_for_diff
    for module in (engine, stacks, handlers, changesets):
        module._evaluate_conditions = evaluate_conditions


def update_resource(kind, physical_id, old, new, stack_name, logical_id=None, attributes=None):
    if old == new:
        _unchanged.add((stack_name, logical_id))
    return _update_resource(kind, physical_id, old, new, stack_name, logical_id, attributes)


def add_event(stack_id, stack_name, logical_id, kind, status, *args, **kwargs):
    """MiniStack tells the beginning of an update before it knows, so that is taken back."""
    if status == "UPDATE_COMPLETE" and (stack_name, logical_id) in _unchanged:
        _unchanged.discard((stack_name, logical_id))
        begun = cloudformation._stack_events[stack_id][-1]
        if (begun["LogicalResourceId"], begun["ResourceStatus"]) == (logical_id, "UPDATE_IN_PROGRESS"):
            cloudformation._stack_events[stack_id].pop()
        return
    _add_event(stack_id, stack_name, logical_id, kind, status, *args, **kwargs)


def resolve_stack_outputs(definitions, conditions, resources, params, mappings, stack_name, stack_id):
    """MiniStack asks for these once everything is made: an error rolls the operation back, which is what AWS does here."""
    outputs, exports = _resolve_stack_outputs(definitions, conditions, resources, params, mappings, stack_name, stack_id)
    known = cloudformation._exports
    for name in exports:
        owner = known.get(name, {}).get("StackId", stack_id)
        if owner != stack_id:
            raise ValueError(f"Export with name {name} is already exported by stack {owner.split('/')[1]}. "
                             "Rolling back stack.")
    before = {name: each["Value"] for name, each in known.items() if each["StackId"] == stack_id}
    for name, value in before.items():
        verb = "deleted" if name not in exports else "updated" if exports[name]["Value"] != value else None
        importers = _importers(name) if verb else []
        if importers:
            raise ValueError(f"Export {name} cannot be {verb} as it is in use by {' and '.join(importers)}")
    for name in before.keys() - exports.keys():
        del known[name]
    return outputs, exports


def _importers(export: str) -> list[str]:
    return sorted(name for name, stack in cloudformation._stacks.items()
                  if stack.get("StackStatus") != "DELETE_COMPLETE"
                  and export in handlers._imported_export_names(stack, name))


def create_change_set(params):
    answer = _create_change_set(params)
    if answer[0] >= 400:
        return answer
    made = cloudformation._change_sets[re.search(r"<Id>(.*?)</Id>", answer[2].decode())[1]]
    stack = cloudformation._stacks.get(made["StackName"], {})
    empty = made["Status"] == "FAILED" and made["ChangeSetType"] == "UPDATE" and not made["Changes"]
    if empty and made["_template"].get("Outputs", {}) != stack.get("_template", {}).get("Outputs", {}):
        made.update(Status="CREATE_COMPLETE", ExecutionStatus="AVAILABLE", StatusReason="")
    return answer


def resolve_props_for_diff(template, params, stack_name, stack_id):
    """Beside each value the attributes that it is made of: MiniStack compares each of them as an empty text."""
    resolved = _resolve_props_for_diff(template, params, stack_name, stack_id)
    for logical_id, resource in resolved.get("Resources", {}).items():
        raw = template["Resources"][logical_id].get("Properties") or {}
        resource["Properties"] = {name: (value, _attributes(raw.get(name)))
                                  for name, value in (resource.get("Properties") or {}).items()}
    return resolved


def _attributes(node) -> list:
    if isinstance(node, dict) and "Fn::GetAtt" in node:
        asked = node["Fn::GetAtt"]
        return [asked.split(".", 1) if isinstance(asked, str) else asked]
    parts = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [found for part in parts for found in _attributes(part)]


def evaluate_conditions(template, params):
    pseudo = {"AWS::Region": get_region(), "AWS::AccountId": get_account_id(), "AWS::Partition": "aws",
              "AWS::URLSuffix": "amazonaws.com"}
    known = {**{name: {"Value": value} for name, value in pseudo.items()}, **params}
    conditions = _resolved(template.get("Conditions") or {}, known, template.get("Mappings") or {})
    return _evaluate_conditions({**template, "Conditions": conditions}, known)


# MiniStack compares these, unresolved, as if they were values.
_FUNCTIONS = {"Fn::FindInMap", "Fn::Join", "Fn::Select", "Fn::Split", "Fn::Sub"}


def _resolved(node, params, mappings):
    if isinstance(node, dict) and len(node) == 1 and _FUNCTIONS & node.keys():
        return engine._resolve_refs(node, {}, params, {}, mappings, "", "")
    if isinstance(node, dict):
        return {key: _resolved(value, params, mappings) for key, value in node.items()}
    return [_resolved(each, params, mappings) for each in node] if isinstance(node, list) else node
