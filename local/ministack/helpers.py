"""What CDK's own helper functions do for a stack, done here.

They are JavaScript over an SDK that Lambda brings and this machine does not have. Their functions are made and never run.
"""

from ministack.services import ec2, s3

import buckets
import provision
from security_groups import default_rules

CLOSED_GROUP = "Custom::VpcRestrictDefaultSG"
EMPTIED_BUCKET = "Custom::S3AutoDeleteObjects"

_ALLOWED_TO_EMPTY = "aws-cdk:auto-delete-objects"


def install() -> None:
    provision.register(CLOSED_GROUP, close_group, reclose_group, open_group)
    provision.register(EMPTIED_BUCKET, watch_bucket, rewatch_bucket, empty_bucket)


def close_group(_logical_id, props, _stack_name):
    """A VPC's default group lets its members talk and everything out: both go."""
    group = ec2._security_groups[props["DefaultSecurityGroupId"]]
    for direction, rule in default_rules(group["GroupId"]).items():
        group[direction] = [each for each in group[direction] if not ec2._rules_match(each, rule)]
    return f"{CLOSED_GROUP[8:]}-{group['GroupId']}", {}


def reclose_group(physical_id, old, new, stack_name, logical_id):
    if new["DefaultSecurityGroupId"] != old["DefaultSecurityGroupId"]:
        open_group(physical_id, old)
    return close_group(logical_id, new, stack_name)


def open_group(_physical_id, props):
    group = ec2._security_groups.get(props["DefaultSecurityGroupId"])
    if group is not None:
        for direction, rule in default_rules(group["GroupId"]).items():
            if not any(ec2._rules_match(each, rule) for each in group[direction]):
                group[direction].append(rule)


def watch_bucket(_logical_id, props, _stack_name):
    return f"{EMPTIED_BUCKET[8:]}-{props['BucketName']}", {}


def rewatch_bucket(physical_id, old, new, stack_name, logical_id):
    if new["BucketName"] != old["BucketName"]:
        empty_bucket(physical_id, old)
    return watch_bucket(logical_id, new, stack_name)


def empty_bucket(_physical_id, props):
    """The tag says that the stack still wants it: a deployment that takes the switch away keeps what is there."""
    name = props["BucketName"]
    if name not in s3._buckets or s3._bucket_tags.get(name, {}).get(_ALLOWED_TO_EMPTY) != "true":
        return
    buckets.empty(name)
