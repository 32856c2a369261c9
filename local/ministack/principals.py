"""Policies of a stack's resources name only principals that exist, and aliases of keys only once, as on AWS.

MiniStack takes any policy. AWS refuses a key policy, a bucket policy or a trust policy that names a role or a user that is
not there: a template that gets the order wrong works here and fails there.
"""

import json
import re

from ministack.core.responses import get_account_id
from ministack.services import iam, kms

import provision

# What each type calls its policy, and how its service words the refusal.
_POLICIES = {
    "AWS::KMS::Key": ("KeyPolicy", "Policy contains a statement with one or more invalid principals."),
    "AWS::S3::BucketPolicy": ("PolicyDocument", "Invalid principal in policy (MalformedPolicy)"),
    "AWS::IAM::Role": ("AssumeRolePolicyDocument", "Invalid principal in policy (MalformedPolicyDocument)"),
}
_NAMED = re.compile(r"arn:aws:iam::(\d{12}):(role|user)/(?:.*/)?([^/]+)")


def install() -> None:
    for kind, (prop, refusal) in _POLICIES.items():
        provision.wrap(kind, valid=_valid(prop, refusal))
    provision.wrap("AWS::KMS::Alias", before_create=check_alias)


def _valid(prop: str, refusal: str):
    def valid(props) -> None:
        for arn in _principals(props.get(prop)):
            if not _exists(arn):
                raise ValueError(f"{refusal}: {arn}")

    return valid


def _principals(policy) -> list[str]:
    document = json.loads(policy) if isinstance(policy, str) else policy or {}
    statements = document.get("Statement", [])
    found = []
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal")
        named = principal.get("AWS", []) if isinstance(principal, dict) else []
        found += [named] if isinstance(named, str) else named
    return found


def _exists(arn: str) -> bool:
    """Of another account, and of what is no role or user, nothing is known here."""
    match = _NAMED.fullmatch(arn)
    if match is None or match[1] != get_account_id():
        return True
    entity = (iam._roles if match[2] == "role" else iam._users).get(match[3])
    return entity is not None and entity["Arn"] == arn


def check_alias(_logical_id, props, _stack_name) -> None:
    name = props.get("AliasName")
    if name and kms._alias_arn(name) in kms._aliases:
        raise ValueError(f"An alias with the name {kms._alias_arn(name)} already exists (AlreadyExistsException)")
    if kms._resolve_key(props.get("TargetKeyId", "")) is None:
        raise ValueError(f"Key '{props.get('TargetKeyId')}' does not exist (NotFoundException)")
