"""A log group's key lets CloudWatch Logs in, or the group is not made, as on AWS; nor does it take another's place.

MiniStack takes any key and any name. On AWS a key whose policy forgets a log group's name fails the stack that makes the group:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
"""

import fnmatch
import json

from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch_logs, kms
from ministack.services.cloudformation import provisioners

GROUP = "AWS::Logs::LogGroup"

_CONTEXT = "kms:encryptioncontext:aws:logs:arn"
# What CloudWatch Logs asks of a key; of ReEncrypt and GenerateDataKey either form will do for one direction.
_ASKED = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey", "kms:DescribeKey")


def install() -> None:
    handler = provisioners._RESOURCE_HANDLERS[GROUP]
    create, update = handler["create"], handler["update"]

    def created(logical_id, props, stack_name):
        name = props.get("LogGroupName")
        if name and name in cloudwatch_logs._log_groups:
            raise ValueError(f"Resource of type '{GROUP}' with identifier '{name}' already exists.")
        check(name or f"/aws/cloudformation/{stack_name}/{logical_id}", props)
        return create(logical_id, props, stack_name)

    def updated(physical_id, old, new, stack_name, logical_id):
        check(new.get("LogGroupName") or physical_id, new)
        return update(physical_id, old, new, stack_name, logical_id)

    handler.update(create=created, update=updated)


def check(name: str, props: dict) -> None:
    key_id = props.get("KmsKeyId")
    if not key_id:
        return
    key = kms._resolve_key(key_id)
    arn = f"arn:aws:logs:{get_region()}:{get_account_id()}:log-group:{name}"
    if key is None or key["KeyState"] != "Enabled" or not _lets_in(json.loads(key["Policy"]), arn):
        raise ValueError(f"The specified KMS key does not exist or is not allowed to be used with Arn '{arn}' "
                         "(InvalidParameterException)")


def _lets_in(policy: dict, arn: str) -> bool:
    service, allowed = f"logs.{get_region()}.amazonaws.com", []
    for statement in policy["Statement"]:
        principal = statement.get("Principal")
        services = _list(principal.get("Service")) if isinstance(principal, dict) else []
        if statement["Effect"] == "Allow" and {service, "logs.amazonaws.com"} & set(services) and _meets(statement, arn):
            allowed += _list(statement["Action"])
    return all(any(fnmatch.fnmatchcase(asked.lower(), each.lower()) for each in allowed) for asked in _ASKED)


def _meets(statement: dict, arn: str) -> bool:
    """Of the conditions only that on the encryption context is looked at: CloudWatch Logs puts the group's ARN into it."""
    for operator in (statement.get("Condition") or {}).values():
        for key, patterns in operator.items():
            if key.lower() == _CONTEXT and not any(fnmatch.fnmatchcase(arn, each) for each in _list(patterns)):
                return False
    return True


def _list(value) -> list:
    return value if isinstance(value, list) else [] if value is None else [value]
