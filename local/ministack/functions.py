"""What a stack's function is given and MiniStack drops: its VPC, its key and its dead letters.

The function runs as it does without a VPC: nothing stands between it and the network. Its subnets and groups must exist,
and stay as long as it uses them.
"""

from ministack.services import ec2, lambda_svc
from ministack.services.cloudformation import provisioners

import provision

FUNCTION = "AWS::Lambda::Function"


def install() -> None:
    provision.wrap(FUNCTION, valid=check_network)
    handler = provisioners._RESOURCE_HANDLERS[FUNCTION]
    create, update = handler["create"], handler["update"]

    def created(logical_id, props, stack_name):
        return _keep(create(logical_id, props, stack_name), props)

    def updated(physical_id, old, new, stack_name, logical_id):
        return _keep(update(physical_id, old, new, stack_name, logical_id), new)

    handler.update(create=created, update=updated)


def check_network(props) -> None:
    given = props.get("VpcConfig") or {}
    vpcs = set()
    for key, store, what in (("SubnetIds", ec2._subnets, "subnet"), ("SecurityGroupIds", ec2._security_groups, "security group")):
        for each in given.get(key) or []:
            if each not in store:
                raise ValueError(f"The {what} ID '{each}' does not exist (InvalidParameterValueException)")
            vpcs.add(store[each]["VpcId"])
    if len(vpcs) > 1:
        raise ValueError("Security groups and subnets must be in the same VPC (InvalidParameterValueException)")


def _keep(made, props):
    config = lambda_svc._functions[made[0]]["config"]
    config["VpcConfig"] = lambda_svc._vpc_config_with_id(props.get("VpcConfig"))
    config["KMSKeyArn"] = props.get("KmsKeyArn", "")
    if props.get("DeadLetterConfig"):
        config["DeadLetterConfig"] = props["DeadLetterConfig"]
    else:
        config.pop("DeadLetterConfig", None)
    return made


def in_use(kind: str) -> set[str]:
    """The ids of the functions' `SubnetIds` or `SecurityGroupIds`."""
    return {each for function in lambda_svc._functions.values()
            for each in (function["config"].get("VpcConfig") or {}).get(kind) or []}
