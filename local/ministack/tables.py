"""A stack's table goes as DeleteTable lets it go: not if it is protected, and with its tags and settings, which MiniStack
keeps for the next one of its name."""

from ministack.services import dynamodb
from ministack.services.cloudformation import provisioners

import provision

TABLE = "AWS::DynamoDB::Table"


def install() -> None:
    provisioners._RESOURCE_HANDLERS[TABLE]["delete"] = delete


def delete(name, _props):
    provision.succeeded(dynamodb._delete_table({"TableName": name}), missing=("ResourceNotFoundException",))
