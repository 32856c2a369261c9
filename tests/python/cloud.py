"""What the programs here share: clients, the command line, the ledger, and the bus."""

import json
import os
import subprocess
import time
import urllib.request
import uuid

import boto3

HOME = os.environ["TIDEGATE_HOME"]
BUCKET = "tidegate-data-000000000000-us-east-1"
PIPELINE = "breast-cancer"
PREFIX = "raw/breast-cancer/"

s3 = boto3.client("s3")
sqs = boto3.client("sqs")
events = boto3.client("events")
sagemaker = boto3.client("sagemaker")
dynamodb = boto3.client("dynamodb")


def tidegate(*arguments):
    """The command line's JSON."""
    done = subprocess.run([os.environ["TIDEGATE"], *arguments, "--output", "json"], capture_output=True, text=True)
    assert done.returncode == 0, f"tidegate {' '.join(arguments)}: {done.stdout}{done.stderr}"
    return json.loads(done.stdout)


def eventually(what, ask, seconds=120):
    """Asks until the answer is true; returns it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = ask()
        if answer:
            return answer
        time.sleep(0.25)
    raise AssertionError(f"{what}: not within {seconds} s")


def stored_run(run):
    """The run as the ledger has it, with its version."""
    key = {"pk": {"S": f"run#{run}"}, "sk": {"S": "state"}}
    item = dynamodb.get_item(TableName="tidegate", Key=key, ConsistentRead=True).get("Item")
    return (json.loads(item["body"]["S"]), int(item["version"]["N"])) if item else (None, 0)


def phase(run, *phases, seconds=120):
    """Waits until the run is in one of the phases; returns it."""
    def ask():
        body, _ = stored_run(run)
        return body if body and body["phase"] in phases else None
    return eventually(f"run {run} in {phases}, it is {(stored_run(run)[0] or {}).get('phase')}", ask, seconds)


def runs():
    return tidegate("runs", "--pipeline", PIPELINE, "--limit", "200")


def put(name, body):
    """Drops an object; returns its version."""
    answer = s3.put_object(Bucket=BUCKET, Key=PREFIX + name, Body=body)
    return {"key": PREFIX + name, "version-id": answer["VersionId"], "etag": answer["ETag"].strip('"'),
            "size": len(body), "sequencer": "0"}


def run_of(version):
    """The run of an object version, once there is one."""
    def ask():
        for run in runs():
            found = run["trigger"].get("object", {})
            if found.get("version_id") == version["version-id"]:
                return run["id"]
        return None
    return eventually(f"a run for {version['key']}", ask)


def publish(source, detail_type, detail, resources=(), when="2026-01-02T03:04:05Z", **members):
    """Puts an event on the bus, as the service itself would."""
    event = {"version": "0", "id": str(uuid.uuid4()), "detail-type": detail_type, "source": source,
             "account": "000000000000", "time": when, "region": "us-east-1", "resources": list(resources),
             "detail": detail, **members}
    deliver(event)


def deliver(event):
    request = urllib.request.Request(os.environ["AWS_ENDPOINT_URL"] + "/_tidegate/events",
                                     data=json.dumps(event).encode(), headers={"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200, answer.status


def messages(queue, seconds=30, enough=1):
    """What a queue holds, taken out of it."""
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    found = []
    end = time.monotonic() + seconds
    while len(found) < enough and time.monotonic() < end:
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", []):
            found.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found
