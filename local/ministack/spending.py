"""AWS::Budgets::Budget, by MiniStack's own Budgets API. Nothing is spent here, so no budget ever tells anybody.

Who is told cannot change: the budget is replaced, which its name, if the template gives one, stands in the way of.
"""

import json

from ministack.services import budgets
from ministack.services.cloudformation import provisioners

import provision

BUDGET = "AWS::Budgets::Budget"


def install() -> None:
    provision.register(BUDGET, create, update, delete, replacing=("NotificationsWithSubscribers",), tags="ResourceTags")


def create(logical_id, props, stack_name):
    budget = _budget(props["Budget"], logical_id, stack_name)
    provision.succeeded(budgets._create_budget({
        "Budget": budget,
        "NotificationsWithSubscribers": _notifications(props),
        "ResourceTags": props.get("ResourceTags") or [],
    }))
    return budget["BudgetName"], {"Id": budget["BudgetName"]}


def update(physical_id, old, new, stack_name, logical_id):
    budget = _budget(new["Budget"], logical_id, stack_name)
    if physical_id not in budgets._budgets:
        return create(logical_id, new, stack_name)
    if budget["BudgetName"] != physical_id:
        made = create(logical_id, new, stack_name)
        provisioners._delete_predecessor(delete, physical_id, old)
        return made
    provision.succeeded(budgets._update_budget({"NewBudget": budget}))
    tags = budgets._tags.setdefault(budgets._budget_arn(physical_id), {})
    provisioners._reconcile_tag_map(tags, old, new, prop="ResourceTags")
    return physical_id, {"Id": physical_id}


def delete(physical_id, _props):
    provision.succeeded(budgets._delete_budget({"BudgetName": physical_id}), missing=("NotFoundException",))


def _budget(given: dict, logical_id: str, stack_name: str) -> dict:
    """The API's own words, with amounts as the API writes them."""
    budget = json.loads(json.dumps(given))
    budget.setdefault("BudgetName", provisioners._physical_name(stack_name, logical_id, max_len=100))
    limits = [budget["BudgetLimit"]] if budget.get("BudgetLimit") else []
    for limit in [*limits, *(budget.get("PlannedBudgetLimits") or {}).values()]:
        limit["Amount"] = str(limit["Amount"])
    for flag, value in (budget.get("CostTypes") or {}).items():
        budget["CostTypes"][flag] = provisioners._cfn_bool(value)
    return budget


def _notifications(props: dict) -> list[dict]:
    told = json.loads(json.dumps(props.get("NotificationsWithSubscribers") or []))
    for each in told:
        each["Notification"]["Threshold"] = float(each["Notification"]["Threshold"])
    return told
