"""EventBridge Scheduler as boto3 sees it. Run by cloud.rs after `cloud_check.py make`.

    python scheduler_check.py make     the API, and schedules that fire
    python scheduler_check.py before   leaves schedules for a stop of the engine
    python scheduler_check.py after    what came of them
"""

import datetime
import json
import sys
import time

import boto3
from botocore.exceptions import ClientError

from cloud_check import ACCOUNT, REGION, body, check, queue, sqs, take, until

scheduler = boto3.client("scheduler")
ROLE = f"arn:aws:iam::{ACCOUNT}:role/schedule"
OFF = {"Mode": "OFF"}
CONTEXT = json.dumps({"schedule": "<aws.scheduler.schedule-arn>", "time": "<aws.scheduler.scheduled-time>",
                      "execution": "<aws.scheduler.execution-id>", "attempt": "<aws.scheduler.attempt-number>"})


def refused(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        check(error.response["Error"]["Code"] == code, f"{code}: {error}")
        return error.response["Error"]["Message"]
    return check(False, f"{code} from {call.__name__} {arguments}")


def at(seconds):
    """An `at` expression this many seconds from now, and its time."""
    due = int(time.time() + seconds) + 1
    return f"at({datetime.datetime.fromtimestamp(due, datetime.timezone.utc):%Y-%m-%dT%H:%M:%S})", due


def create(name, expression, arn, group="tidegate", **settings):
    target = {"Arn": arn, "RoleArn": ROLE, **settings.pop("target", {})}
    return scheduler.create_schedule(Name=name, GroupName=group, ScheduleExpression=expression, FlexibleTimeWindow=OFF,
                                     Target=target, **settings)["ScheduleArn"]


def make():
    fired, fired_arn = queue("fired")
    lost, lost_arn = queue("schedule-lost")
    group = scheduler.create_schedule_group(Name="tidegate", Tags=[{"Key": "a", "Value": "1"}])["ScheduleGroupArn"]
    check(group == f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule-group/tidegate", group)
    refused("ConflictException", scheduler.create_schedule_group, Name="tidegate")
    scheduler.tag_resource(ResourceArn=group, Tags=[{"Key": "b", "Value": "2"}, {"Key": "a", "Value": "3"}])
    scheduler.untag_resource(ResourceArn=group, TagKeys=["b"])
    check(scheduler.list_tags_for_resource(ResourceArn=group)["Tags"] == [{"Key": "a", "Value": "3"}], "tags")
    names = [each["Name"] for each in scheduler.list_schedule_groups()["ScheduleGroups"]]
    check(names == ["default", "tidegate"], f"groups: {names}")
    check(scheduler.get_schedule_group(Name="default")["State"] == "ACTIVE", "the default group")

    # Create, read, update, list, delete.
    settings = dict(ScheduleExpressionTimezone="Europe/Zurich", Description="d", State="DISABLED", ClientToken="t-1",
                    target={"Input": "{}", "RetryPolicy": {"MaximumRetryAttempts": 3}},
                    EndDate=datetime.datetime(2040, 1, 1, tzinfo=datetime.timezone.utc))
    arn = create("nightly", "cron(0 3 * * ? *)", fired_arn, **dict(settings))
    check(arn == f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/tidegate/nightly", arn)
    again = dict(settings, target=dict(settings["target"]))
    check(create("nightly", "cron(0 3 * * ? *)", fired_arn, **again) == arn, "the same token and content once more")
    message = refused("ConflictException", create, name="nightly", expression="rate(1 day)", arn=fired_arn)
    check(message == "Schedule nightly already exists.", message)
    found = scheduler.get_schedule(Name="nightly", GroupName="tidegate")
    check(found["Arn"] == arn and found["ScheduleExpressionTimezone"] == "Europe/Zurich", f"{found}")
    check(found["Target"] == {"Arn": fired_arn, "RoleArn": ROLE, "Input": "{}",
                              "RetryPolicy": {"MaximumRetryAttempts": 3}}, f"{found['Target']}")
    check(found["EndDate"] == settings["EndDate"] and found["State"] == "DISABLED", f"{found}")
    check(abs(found["CreationDate"].timestamp() - time.time()) < 60, f"{found['CreationDate']}")
    check(found["ActionAfterCompletion"] == "NONE" and found["FlexibleTimeWindow"] == OFF, f"{found}")
    scheduler.update_schedule(Name="nightly", GroupName="tidegate", ScheduleExpression="cron(30 4 ? * MON-FRI *)",
                              FlexibleTimeWindow={"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15},
                              Target={"Arn": fired_arn, "RoleArn": ROLE})
    found = scheduler.get_schedule(Name="nightly", GroupName="tidegate")
    check(found["State"] == "ENABLED" and "Description" not in found, "an update replaces everything")
    check(found["ScheduleExpressionTimezone"] == "UTC", "the zone's default")
    for number in range(3):
        create(f"page-{number}", "rate(1 day)", fired_arn, State="DISABLED")
    pages = scheduler.get_paginator("list_schedules").paginate(
        GroupName="tidegate", NamePrefix="page-", State="DISABLED", PaginationConfig={"PageSize": 2})
    names = [each["Name"] for page in pages for each in page["Schedules"]]
    check(names == ["page-0", "page-1", "page-2"], f"pages: {names}")
    scheduler.delete_schedule(Name="page-0", GroupName="tidegate")
    message = refused("ResourceNotFoundException", scheduler.get_schedule, Name="page-0", GroupName="tidegate")
    check(message == "Schedule page-0 does not exist.", message)
    refused("ResourceNotFoundException", create, name="x", expression="rate(1 day)", arn=fired_arn, group="absent")
    refused("ResourceNotFoundException", scheduler.update_schedule, Name="absent", ScheduleExpression="rate(1 day)",
            FlexibleTimeWindow=OFF, Target={"Arn": fired_arn, "RoleArn": ROLE})
    message = refused("ValidationException", create, name="x", expression="cron(0 3 * * *)", arn=fired_arn)
    check(message.startswith("Invalid Schedule Expression cron(0 3 * * *)."), message)
    message = refused("ValidationException", create, name="x", expression="at(2020-01-01T00:00:00)", arn=fired_arn)
    check("has passed" in message, message)
    for wrong in (dict(expression="rate(1 day)", arn="arn:aws:scheduler:::aws-sdk:sqs:sendMessage"),
                  dict(expression="rate(1 day)", arn=fired_arn, ScheduleExpressionTimezone="Europe/Nowhere"),
                  dict(expression="rate(1 day)", arn=fired_arn, name="a b"),
                  dict(expression="rate(1 day)", arn=fired_arn, target={"RetryPolicy": {"MaximumRetryAttempts": 186}})):
        refused("ValidationException", create, **{"name": "x", **wrong})

    # Firing: on time, with its context, and gone afterwards.
    expression, due = at(2)
    arn = create("once", expression, fired_arn, ActionAfterCompletion="DELETE", target={"Input": CONTEXT})
    message = body(fired, "a one-time schedule", 6)
    late = time.time() - due
    check(-0.1 < late < 1.0, f"fired {late:.3f} s after its time")
    check(message["schedule"] == arn and message["attempt"] == "1" and len(message["execution"]) == 16, f"{message}")
    check(datetime.datetime.fromisoformat(message["time"]).timestamp() == due, f"{message['time']}")
    until(lambda: "once" not in [each["Name"] for each in scheduler.list_schedules(GroupName="tidegate")["Schedules"]],
          "a completed schedule is deleted", 3)
    create("rate", "rate(1 day)", fired_arn)
    check(body(fired, "a rate's first firing", 3)["source"] == "aws.scheduler", "the event of a schedule without input")

    # A function, and one that does not exist.
    seen = sqs.get_queue_url(QueueName="seen")["QueueUrl"]
    create("function", at(0)[0], f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:check", target={"Input": CONTEXT})
    check(body(seen, "a function invoked by schedule")["event"]["schedule"].endswith("/tidegate/function"), "its input")
    create("lost", at(0)[0], f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:absent",
           target={"Input": CONTEXT, "DeadLetterConfig": {"Arn": lost_arn}})
    message = until(lambda: take(lost), "a schedule's dead letter")
    attributes = {name: each["StringValue"] for name, each in message["MessageAttributes"].items()}
    check(attributes["ERROR_CODE"] == "ResourceNotFoundException", f"{attributes}")
    check(attributes["SCHEDULE_ARN"].endswith("/tidegate/lost") and attributes["RETRY_ATTEMPTS"] == "0", f"{attributes}")


def before():
    _, missed_arn = queue("missed")
    create("missed", at(6)[0], missed_arn, target={"Input": '"missed"'}, ActionAfterCompletion="DELETE")
    create("long-gone", at(6)[0], missed_arn, target={"Input": '"later"'}, State="DISABLED")


def after():
    missed = sqs.get_queue_url(QueueName="missed")["QueueUrl"]
    check(body(missed, "what was due while the engine was down") == "missed", "the missed one")
    time.sleep(1)
    left = [each["Name"] for each in scheduler.list_schedules(GroupName="tidegate")["Schedules"]]
    check("missed" not in left and "long-gone" in left, f"what was made up for is deleted as asked: {left}")
    check(take(missed) is None, "it is made up for once, and a disabled schedule is not")
    check(scheduler.get_schedule(Name="nightly", GroupName="tidegate")["ScheduleExpression"].startswith("cron(30 4"), "kept")
    scheduler.delete_schedule_group(Name="tidegate")
    check(scheduler.list_schedules()["Schedules"] == [], "a deleted group takes its schedules along")


if __name__ == "__main__":
    {"make": make, "before": before, "after": after}[sys.argv[1]]()
    print("ok")
