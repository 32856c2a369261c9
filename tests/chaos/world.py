"""What is the case: the ledger on one side, and on the other what storage, engine and inbox really hold."""

import dataclasses
import json
import os
import re
import urllib.request

import boto3

BUCKET = "tidegate-data-000000000000-us-east-1"
TABLE = "tidegate"
PIPELINES = ("chaos-plain", "chaos-twin", "chaos-broken", "chaos-model", "chaos-queued", "chaos-batch")
# Which pipelines wait under which prefix, as their files say.
WAITING = {
    "raw/chaos/plain/": ("chaos-plain", "chaos-twin"),
    "raw/chaos/broken/": ("chaos-broken",),
    "raw/chaos/model/": ("chaos-model",),
    "raw/chaos/queued/": ("chaos-queued",),
    "raw/chaos/batch/": ("chaos-batch",),
}
ENDPOINT = "chaos-model"
# Its pipeline.yaml lets so many of its executions run at once.
QUEUED, AT_ONCE = "chaos-queued", 2
# One run for many objects; no run before a minute is quiet.
BATCH = "raw/chaos/batch/"
ENDS = {"live", "succeeded", "rejected", "failed", "stopped", "rolled_back", "superseded", "skipped", "missed"}

HOME = os.environ["TIDEGATE_HOME"]
MINISTACK = os.environ["AWS_ENDPOINT_URL"]
ENGINE = os.environ["AWS_ENDPOINT_URL_SAGEMAKER"]

s3 = boto3.client("s3")
sqs = boto3.client("sqs")
events = boto3.client("events")
functions = boto3.client("lambda")
dynamodb = boto3.client("dynamodb")
sagemaker = boto3.client("sagemaker")


@dataclasses.dataclass
class World:
    """A look at everything. Nothing here comes from the orchestrator's own word but `runs` and `endpoint`."""

    versions: list  # (key, version id, etag) of each object version under raw/chaos/
    runs: dict  # run id -> the run as the ledger has it
    endpoint: dict | None  # the endpoint as the ledger has it
    executions: list  # {"arn", "pipeline", "name", "status"} of each execution that the engine made
    spans: list  # (began, ended) of each execution of the pipeline that lets only a few run at once
    staged: dict  # key -> etag of what the runs read
    alerts: list  # {"id", "run", "cause"} of each notification that arrived
    serving: dict | None  # {"status", "config"} of the endpoint as the engine has it
    packages: list  # ARNs of the registry
    configs: list  # names of endpoint configurations


def look() -> World:
    made = executions()
    return World(
        versions=versions(),
        runs=runs(),
        endpoint=item(f"endpoint#{ENDPOINT}"),
        executions=made,
        spans=[span(each["arn"]) for each in made if each["pipeline"] == QUEUED],
        staged=staged(),
        alerts=alerts(),
        serving=serving(),
        packages=packages(),
        configs=[each["EndpointConfigName"] for each in _all("list_endpoint_configs", "EndpointConfigs")],
    )


def versions() -> list:
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=BUCKET, Prefix="raw/chaos/")
    found = [each for page in pages for each in page.get("Versions", [])]
    return [(each["Key"], each["VersionId"], each["ETag"].strip('"')) for each in found]


def staged() -> dict:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="runs/chaos-")
    return {each["Key"]: each["ETag"].strip('"') for page in pages for each in page.get("Contents", [])}


def runs() -> dict:
    pages = dynamodb.get_paginator("scan").paginate(
        TableName=TABLE, ConsistentRead=True, FilterExpression="begins_with(pk, :run) AND sk = :state",
        ExpressionAttributeValues={":run": {"S": "run#"}, ":state": {"S": "state"}})
    found = [json.loads(each["body"]["S"]) for page in pages for each in page["Items"]]
    return {run["id"]: run for run in found if run["spec"]["pipeline"] in PIPELINES}


def item(pk: str) -> dict | None:
    key = {"pk": {"S": pk}, "sk": {"S": "state"}}
    found = dynamodb.get_item(TableName=TABLE, Key=key, ConsistentRead=True).get("Item")
    return json.loads(found["body"]["S"]) if found else None


def executions() -> list:
    found = []
    for pipeline in PIPELINES:
        for each in _all("list_pipeline_executions", "PipelineExecutionSummaries", PipelineName=pipeline):
            found.append({"arn": each["PipelineExecutionArn"], "pipeline": pipeline,
                          "name": each["PipelineExecutionDisplayName"], "status": each["PipelineExecutionStatus"]})
    return found


def span(arn: str) -> tuple[float, float]:
    found = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    return found["CreationTime"].timestamp(), found["LastModifiedTime"].timestamp()


def executing() -> int:
    """How many executions run now; those that do are among the newest."""
    found = 0
    for pipeline in PIPELINES:
        newest = sagemaker.list_pipeline_executions(PipelineName=pipeline, MaxResults=50)["PipelineExecutionSummaries"]
        found += sum(each["PipelineExecutionStatus"] in ("Executing", "Stopping") for each in newest)
    return found


def alerts() -> list:
    found = []
    for each in get(f"{ENGINE}/inbox"):
        run = re.search(r"^Run: +(\S+)", each["Message"], re.MULTILINE)
        cause = each.get("MessageAttributes", {}).get("cause", {}).get("Value")
        if cause is None:
            # An alarm of CloudWatch: it is about the orchestrator, not about a run.
            continue
        found.append({"id": each["MessageId"], "run": run.group(1) if run else None, "cause": cause})
    return found


def serving() -> dict | None:
    try:
        found = sagemaker.describe_endpoint(EndpointName=ENDPOINT)
    except sagemaker.exceptions.ClientError:
        return None
    return {"status": found["EndpointStatus"], "config": found["EndpointConfigName"]}


def packages() -> list:
    try:
        found = _all("list_model_packages", "ModelPackageSummaryList", ModelPackageGroupName="chaos-model")
        return [each["ModelPackageArn"] for each in found]
    except sagemaker.exceptions.ClientError:
        return []


def _all(operation: str, member: str, **arguments) -> list:
    return [each for page in sagemaker.get_paginator(operation).paginate(**arguments) for each in page[member]]


def get(url: str):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.load(answer)


def send(method: str, url: str, body) -> None:
    request = urllib.request.Request(url, method=method, data=json.dumps(body).encode(),
                                     headers={"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        answer.read()


def deliver(event: dict) -> None:
    """Puts an event on the bus, as the service itself does."""
    send("POST", f"{MINISTACK}/_tidegate/events", event)


def faults() -> dict:
    return get(f"{ENGINE}/_tidegate/faults")


def set_faults(rate: float) -> None:
    send("PUT", f"{ENGINE}/_tidegate/faults", {"rate": rate})


def busy() -> int:
    """Events and invocations that are on their way."""
    invocations = get(f"{MINISTACK}/_tidegate/health")["pending_invocations"]
    return invocations + get(f"{ENGINE}/_tidegate/health")["events_waiting"]


def disorder() -> dict:
    return get(f"{MINISTACK}/_tidegate/health")["events"]
