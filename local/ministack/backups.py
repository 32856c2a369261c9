"""AWS::Backup::BackupSelection, and the deletion of plans and vaults as AWS Backup does it."""

import json

from ministack.services import backup

import provision

SELECTION = "AWS::Backup::BackupSelection"
PLAN = "AWS::Backup::BackupPlan"
VAULT = "AWS::Backup::BackupVault"


def install() -> None:
    provision.register(SELECTION, create, replaced, delete, replacing=("BackupPlanId", "BackupSelection"))
    provision.wrap(PLAN, before_delete=check_plan)
    provision.wrap(VAULT, before_create=check_vault)


def create(_logical_id, props, _stack_name):
    given = props["BackupSelection"]
    if not given.get("IamRoleArn") or not given.get("SelectionName"):
        raise ValueError("BackupSelection needs IamRoleArn and SelectionName (InvalidParameterValueException)")
    selection = {name: given[name] for name in ("SelectionName", "IamRoleArn", "Resources", "ListOfTags", "NotResources",
                                                "Conditions") if name in given}
    # A template and the API agree on the rest.
    status, _headers, body = backup._create_selection(props["BackupPlanId"], {"BackupSelection": selection})
    if status >= 400:
        raise ValueError(f"{json.loads(body).get('message')} (Status Code: {status})")
    made = json.loads(body)
    physical_id = f"{made['SelectionId']}_{props['BackupPlanId']}"
    return physical_id, {"Id": physical_id, "SelectionId": made["SelectionId"], "BackupPlanId": props["BackupPlanId"]}


def replaced(_physical_id, _old, new, stack_name, logical_id):
    """All of a selection is fixed: MiniStack's engine replaces it, and asks here for one that is gone only."""
    return create(logical_id, new, stack_name)


def delete(physical_id, _props):
    selection, _, _plan = physical_id.partition("_")
    backup._selections.pop(selection, None)


def check_plan(plan_id, _props) -> None:
    if any(each["BackupPlanId"] == plan_id for each in backup._selections.values()):
        raise ValueError("Related backup plan selections must be deleted prior to backup plan deletion "
                         "(InvalidRequestException)")


def check_vault(_logical_id, props, _stack_name) -> None:
    if props.get("BackupVaultName") in backup._vaults:
        raise ValueError(f"Backup vault with the same name already exists: {props['BackupVaultName']} "
                         "(AlreadyExistsException)")
