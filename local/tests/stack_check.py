"""What a stack makes beside functions: schedules, which must reach the engine, and alarms, which must ring. Run by cloud.rs
after `cloud_check.py make`.

    python stack_check.py make
"""

import json

import boto3
from botocore.exceptions import ClientError

from cloud_check import ACCOUNT, REGION, body, check, functions, queue, sns, sqs, stacks, take, until

scheduler, cloudwatch = boto3.client("scheduler"), boto3.client("cloudwatch")
STACK, GROUP = "scheduled", "of-a-stack"


def template(fired, topic, **settings):
    schedule = {
        "Name": "sweep", "GroupName": {"Ref": "Group"}, "ScheduleExpression": "rate(1 minutes)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": fired, "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/schedule", "Input": "{}",
                   "RetryPolicy": {"MaximumEventAgeInSeconds": "60", "MaximumRetryAttempts": 2}},
        **settings,
    }
    alarm = {
        "AlarmName": "check-queue", "AlarmDescription": "look", "Namespace": "AWS/SQS",
        "MetricName": "ApproximateNumberOfMessagesVisible", "Dimensions": [{"Name": "QueueName", "Value": "watched"}],
        "Statistic": "Maximum", "Period": 60, "EvaluationPeriods": 1, "Threshold": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold", "TreatMissingData": "notBreaching",
        "AlarmActions": [topic],
    }
    return json.dumps({
        "Resources": {
            "Group": {"Type": "AWS::Scheduler::ScheduleGroup", "Properties": {"Name": GROUP, "Tags": [{"Key": "a", "Value": "1"}]}},
            "Schedule": {"Type": "AWS::Scheduler::Schedule", "Properties": schedule},
            "Unnamed": {"Type": "AWS::Scheduler::Schedule", "Properties": {
                **{key: schedule[key] for key in ("FlexibleTimeWindow", "Target")}, "State": "DISABLED",
                "ScheduleExpression": "cron(0 6 * * ? *)", "ScheduleExpressionTimezone": "Europe/Zurich"}},
            "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": alarm},
        },
        "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Schedule", "Arn"]}}, "Name": {"Value": {"Ref": "Unnamed"}}},
    })


def settled(status):
    def look():
        found = stacks.describe_stacks(StackName=STACK)["Stacks"][0]
        check("FAILED" not in found["StackStatus"] and "ROLLBACK" not in found["StackStatus"], f"{found}")
        return found if found["StackStatus"] == status else None

    return until(look, f"{STACK} is {status}")


def gone(name, group):
    try:
        scheduler.get_schedule(Name=name, GroupName=group)
    except ClientError as error:
        return error.response["Error"]["Code"] == "ResourceNotFoundException"
    return False


def make():
    fired, fired_arn = queue("fired-by-stack")
    watched, _ = queue("watched")
    heard, heard_arn = queue("alarms-heard")
    topic = sns.create_topic(Name="alarms")["TopicArn"]
    sqs.set_queue_attributes(QueueUrl=heard, Attributes={"Policy": json.dumps({"Statement": [
        {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
         "Resource": heard_arn}]})})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=heard_arn)

    # Made with the stack, at the engine, and fired by it.
    stacks.create_stack(StackName=STACK, TemplateBody=template(fired_arn, topic))
    outputs = {each["OutputKey"]: each["OutputValue"] for each in settled("CREATE_COMPLETE")["Outputs"]}
    check(outputs["Arn"] == f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/{GROUP}/sweep", f"{outputs}")
    found = scheduler.get_schedule(Name="sweep", GroupName=GROUP)
    check(found["Target"]["RetryPolicy"] == {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 2}, f"{found}")
    check(body(fired, "a firing of the stack's schedule") == {}, "its input")
    unnamed = scheduler.get_schedule(Name=outputs["Name"])
    check((unnamed["State"], unnamed["ScheduleExpressionTimezone"]) == ("DISABLED", "Europe/Zurich"), f"{unnamed}")
    group_arn = scheduler.get_schedule_group(Name=GROUP)["Arn"]
    # CloudFormation adds its own.
    tags = scheduler.list_tags_for_resource(ResourceArn=group_arn)["Tags"]
    check({"Key": "a", "Value": "1"} in tags, f"{tags}")

    # Changed in place, then under another name, then in another group.
    stacks.update_stack(StackName=STACK, TemplateBody=template(fired_arn, topic, ScheduleExpression="rate(2 hours)"))
    settled("UPDATE_COMPLETE")
    check(scheduler.get_schedule(Name="sweep", GroupName=GROUP)["ScheduleExpression"] == "rate(2 hours)", "an update")
    for settings in ({"Name": "swept"}, {"Name": "swept", "GroupName": "default"}):
        stacks.update_stack(StackName=STACK, TemplateBody=template(fired_arn, topic, **settings))
        place = settings["Name"], settings.get("GroupName", GROUP)
        until(lambda: not gone(*place), f"a schedule {place}")
        settled("UPDATE_COMPLETE")
        until(lambda: gone("sweep", GROUP) if "GroupName" not in settings else gone("swept", GROUP), "the old one goes")

    # A message in the queue rings the alarm, once, and its end is seen.
    alarm = lambda: cloudwatch.describe_alarms(AlarmNames=["check-queue"])["MetricAlarms"][0]  # noqa: E731
    until(lambda: alarm()["StateValue"] == "OK", "an empty queue is well")
    sqs.send_message(QueueUrl=watched, MessageBody="bad")
    notification = body(heard, "the alarm's notification")
    message = json.loads(notification["Message"])
    check(notification["Subject"] == f'ALARM: "check-queue" in {REGION}', f"{notification}")
    check((message["AlarmName"], message["NewStateValue"], message["OldStateValue"]) == ("check-queue", "ALARM", "OK"),
          f"{message}")
    check(message["AlarmDescription"] == "look" and message["Region"] == REGION, f"{message}")
    check(alarm()["StateValue"] == "ALARM" and "Threshold Crossed" in alarm()["StateReason"], f"{alarm()}")
    check(take(watched) is not None, "the message")
    until(lambda: alarm()["StateValue"] == "OK", "the alarm goes back")
    check(take(heard) is None, "one notification")

    # A function's errors are counted by function, those of asynchronous invocations too.
    for name in ("check", "check-closed"):
        cloudwatch.put_metric_alarm(
            AlarmName=f"{name}-errors", Namespace="AWS/Lambda", MetricName="Errors", Statistic="Sum", Period=10,
            Dimensions=[{"Name": "FunctionName", "Value": name}], EvaluationPeriods=1, Threshold=1,
            ComparisonOperator="GreaterThanOrEqualToThreshold", TreatMissingData="notBreaching", AlarmActions=[topic])
    # The figures of earlier failures are older than the period by then.
    until(lambda: all(each["StateValue"] == "OK" for each in cloudwatch.describe_alarms()["MetricAlarms"]), "no errors", 30)
    while take(heard):
        pass
    functions.invoke(FunctionName="check", InvocationType="Event", Payload=b'{"fail": "counted"}')
    names = [json.loads(body(heard, "an alarm of errors")["Message"])["AlarmName"]]
    check(names == ["check-errors"], f"{names}")
    seen, spare = (sqs.get_queue_url(QueueName=name)["QueueUrl"] for name in ("seen", "spare"))
    body(spare, "the failed event's record")
    while take(seen):
        pass
    closed = cloudwatch.describe_alarms(AlarmNames=["check-closed-errors"])["MetricAlarms"][0]
    check(closed["StateValue"] == "OK", f"{closed}")
    cloudwatch.delete_alarms(AlarmNames=["check-errors", "check-closed-errors"])

    # Gone with the stack.
    stacks.delete_stack(StackName=STACK)
    until(lambda: gone("swept", "default") and gone(outputs["Name"], "default"), "the schedules go")
    until(lambda: GROUP not in [each["Name"] for each in scheduler.list_schedule_groups()["ScheduleGroups"]], "the group goes")
    until(lambda: not cloudwatch.describe_alarms(AlarmNames=["check-queue"])["MetricAlarms"], "the alarm goes")


if __name__ == "__main__":
    make()
    print("ok")
