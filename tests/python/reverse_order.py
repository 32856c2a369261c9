"""The events of two executions, one in order and one in reverse: the ledger ends the same."""

import json

from cloud import BUCKET, deliver, events, eventually, messages, runs, s3, sagemaker, sqs, stored_run

RULE = next(rule["Name"] for rule in events.list_rules()["Rules"]
            if "pipeline-status" in rule["Name"] or "Execution Step Status" in rule.get("EventPattern", ""))
QUEUE, SPY = "captured-events", "captured-events-rule"

url = sqs.create_queue(QueueName=QUEUE)["QueueUrl"]
queue_arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
events.put_rule(Name=SPY, EventPattern=json.dumps({"source": ["aws.sagemaker"], "detail": {
    "pipelineExecutionArn": [{"exists": True}]}}))
events.put_targets(Rule=SPY, Targets=[{"Id": "queue", "Arn": queue_arn}])


def captured(name):
    """Runs an execution that the orchestrator hears nothing of, and returns its events."""
    key = f"elsewhere/{name}/broken.csv"
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"not,what\n1,2\n")
    arn = sagemaker.start_pipeline_execution(
        PipelineName="breast-cancer",
        PipelineParameters=[{"Name": "InputDataUri", "Value": f"s3://{BUCKET}/elsewhere/{name}/"}],
    )["PipelineExecutionArn"]
    ends = ("Failed", "Succeeded", "Stopped")
    eventually("the end of the execution", lambda: sagemaker.describe_pipeline_execution(
        PipelineExecutionArn=arn)["PipelineExecutionStatus"] in ends)
    found = []

    def all_of_them():
        found.extend(messages(QUEUE, seconds=2))
        return any(event["detail"].get("currentPipelineExecutionStatus") in ends for event in found)
    eventually("its last event", all_of_them)
    mine = [event for event in found if event["detail"]["pipelineExecutionArn"] == arn]
    assert len(mine) >= 4, f"a few events: {mine}"
    return arn, mine


def settled(arn, count):
    """The run, once every event has been handled."""
    def ask():
        for run in runs():
            body, version = stored_run(run["id"])
            execution = body["execution"]
            if execution and execution["arn"] == arn and len(body["facts"]) >= count and not body["outbox"]:
                return body
        return None
    return eventually(f"the run of {arn}", ask)


def essence(body):
    """What must be equal: all but names and times."""
    facts = [fact["what"].split(": ")[0].split(" arn")[0] for fact in body["facts"]]
    return {"phase": body["phase"], "status": body["execution"]["status"], "failure": body["failure"]["step"],
            "facts": sorted(facts)}


events.disable_rule(Name=RULE)
try:
    forward_arn, forward = captured("forward")
    backward_arn, backward = captured("backward")
finally:
    events.enable_rule(Name=RULE)


def give(arn, sequence):
    expected = len(sequence)
    for number, event in enumerate(sequence):
        deliver(event)
        # One after the other: the order of delivery is the subject.
        eventually("the event is handled", lambda number=number: any(
            (body := stored_run(run["id"])[0])["execution"] and body["execution"]["arn"] == arn
            and len(body["facts"]) > number for run in runs()), 30)
    # Beside a fact for each event: that it was adopted, and that it failed.
    return settled(arn, expected + 2)


one, other = give(forward_arn, forward), give(backward_arn, backward[::-1])
assert essence(one) == essence(other), f"{essence(one)}\n{essence(other)}"
assert one["phase"] == "failed", one["phase"]
events.remove_targets(Rule=SPY, Ids=["queue"])
events.delete_rule(Name=SPY)
sqs.delete_queue(QueueUrl=url)
print("the same")
