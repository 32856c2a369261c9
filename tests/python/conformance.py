"""boto3 against the engine: what it lists, starts, describes, stops, retries and invokes, and the errors it gets."""

import csv
import io
import json
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

sagemaker = boto3.client("sagemaker")
# The client-side check is switched off where the server's own answer is the subject.
unchecked = boto3.client("sagemaker", config=Config(parameter_validation=False))
runtime = boto3.client("sagemaker-runtime")
checks = 0


def check(condition, what):
    global checks
    assert condition, what
    checks += 1


def refused(code, part, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        answer = error.response["Error"]
        check(answer["Code"] == code, f"{code} for {arguments}, not {answer}")
        check(part in answer["Message"], f"`{part}` in {answer['Message']}")
        check(error.response["ResponseMetadata"]["RequestId"], "a request id")
        return
    raise AssertionError(f"{arguments} was not refused")


def wait(arn, *ends):
    for _ in range(240):
        view = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
        if view["PipelineExecutionStatus"] in ends:
            return view
        time.sleep(0.5)
    raise AssertionError(f"{arn} did not become {ends}: {view}")


# A pipeline of two steps that need no machine learning: the first sleeps, the second cannot succeed.
ROLE = "arn:aws:iam::000000000000:role/job"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"


def step(name, code, **more):
    return {
        "Name": name,
        "Type": "Processing",
        "Arguments": {
            "ProcessingResources": {
                "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
            },
            "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": ["python3", "-c", code]},
            "RoleArn": ROLE,
        },
        **more,
    }


def definition(*steps):
    parameters = [{"Name": "Colour", "Type": "String", "DefaultValue": "blue"},
                  {"Name": "Count", "Type": "Integer", "DefaultValue": 1}]
    return json.dumps({"Version": "2020-12-01", "Parameters": parameters, "Steps": steps})


name = "conformance-" + str(int(time.time()))
slow = definition(step("sleep", "import time; time.sleep(60)"))
arn = sagemaker.create_pipeline(
    PipelineName=name, PipelineDefinition=slow, ClientRequestToken="t" * 32, RoleArn=ROLE
)["PipelineArn"]
check(arn.endswith(f":pipeline/{name}"), arn)
again = sagemaker.create_pipeline(
    PipelineName=name, PipelineDefinition=slow, ClientRequestToken="t" * 32, RoleArn=ROLE
)["PipelineArn"]
check(again == arn, "the same token is the same pipeline")
check(any(p["PipelineName"] == name for page in sagemaker.get_paginator("list_pipelines").paginate(
    PaginationConfig={"PageSize": 1}) for p in page["PipelineSummaries"]), "listed, page by page")
view = sagemaker.describe_pipeline(PipelineName=name)
check(json.loads(view["PipelineDefinition"]) == json.loads(slow), "the definition comes back")
check(view["PipelineStatus"] == "Active", view["PipelineStatus"])

# Start, idempotently; stop; retry.
token = "s" * 40
execution = sagemaker.start_pipeline_execution(
    PipelineName=name, ClientRequestToken=token, PipelineExecutionDisplayName="by-hand",
    PipelineParameters=[{"Name": "Colour", "Value": "red"}])["PipelineExecutionArn"]
check(sagemaker.start_pipeline_execution(
    PipelineName=name, ClientRequestToken=token, PipelineExecutionDisplayName="by-hand",
    PipelineParameters=[{"Name": "Colour", "Value": "red"}])["PipelineExecutionArn"] == execution,
    "the same token is the same execution")
parameters = sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=execution)["PipelineParameters"]
check({"Name": "Colour", "Value": "red"} in parameters, parameters)
check(sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)["PipelineExecutionDisplayName"]
      == "by-hand", "the display name")
listed = sagemaker.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"]
check([e["PipelineExecutionArn"] for e in listed] == [execution], listed)
body = sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=execution)["PipelineDefinition"]
check(json.loads(body) == json.loads(slow), "the definition of the execution")
sagemaker.stop_pipeline_execution(PipelineExecutionArn=execution, ClientRequestToken="x" * 32)
wait(execution, "Stopped")
sagemaker.retry_pipeline_execution(PipelineExecutionArn=execution, ClientRequestToken="y" * 32)
check(sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)["PipelineExecutionStatus"]
      == "Executing", "a retried execution executes")
sagemaker.stop_pipeline_execution(PipelineExecutionArn=execution, ClientRequestToken="z" * 32)
wait(execution, "Stopped")

# A failing step, with its reason, and what depends on it left alone.
sagemaker.update_pipeline(PipelineName=name, PipelineDefinition=definition(
    step("fails", "import sys; sys.exit('the data is wet')"),
    step("after", "pass", DependsOn=["fails"]),
    step("beside", "pass")), RoleArn=ROLE)
failed = sagemaker.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"]
view = wait(failed, "Failed")
check("Step failure" in view["FailureReason"], view)
steps = {s["StepName"]: s for s in sagemaker.list_pipeline_execution_steps(
    PipelineExecutionArn=failed)["PipelineExecutionSteps"]}
check(steps["fails"]["StepStatus"] == "Failed" and steps["fails"]["FailureReason"], steps["fails"])
check("ProcessingJob" in steps["fails"]["Metadata"], steps["fails"])
check("after" not in steps, steps.keys())
job = steps["fails"]["Metadata"]["ProcessingJob"]["Arn"].rsplit("/", 1)[-1]
check(sagemaker.describe_processing_job(ProcessingJobName=job)["ProcessingJobStatus"] == "Failed", job)

# SageMaker's own errors.
missing = {"PipelineName": "no-such-pipeline"}
refused("ResourceNotFound", "no-such-pipeline", sagemaker.describe_pipeline, **missing)
refused("ResourceNotFound", "no-such-pipeline", sagemaker.start_pipeline_execution, **missing)
refused("ValidationException", "Shade", sagemaker.start_pipeline_execution, PipelineName=name,
        PipelineParameters=[{"Name": "Shade", "Value": "red"}])
refused("ValidationException", "Count", sagemaker.start_pipeline_execution, PipelineName=name,
        PipelineParameters=[{"Name": "Count", "Value": "many"}])
refused("ValidationException", "less than or equal to 128", unchecked.start_pipeline_execution,
        PipelineName=name, ClientRequestToken="t" * 129)
refused("ValidationException", "greater than or equal to 32", unchecked.start_pipeline_execution,
        PipelineName=name, ClientRequestToken="short")
refused("ValidationException", "regular expression pattern", sagemaker.create_pipeline,
        PipelineName="a name", PipelineDefinition=slow, ClientRequestToken="u" * 32, RoleArn=ROLE)
refused("ValidationException", "definition", sagemaker.create_pipeline,
        PipelineName=name + "-x", PipelineDefinition="{}", ClientRequestToken="u" * 32, RoleArn=ROLE)
refused("ValidationException", "Could not find endpoint", sagemaker.describe_endpoint, EndpointName="no-such")
refused("ValidationError", "not found", runtime.invoke_endpoint, EndpointName="no-such", Body=b"1")

# The endpoint that the demo left answers a row of the real data, from the set itself.
status = sagemaker.describe_endpoint(EndpointName="breast-cancer")
check(status["EndpointStatus"] == "InService", status)
row = ",".join(["15.0", "20.0", "97.0", "700.0", "0.1", "0.1", "0.1", "0.05", "0.18", "0.06"] + ["0.5", "1.2", "3.0",
      "40.0", "0.007", "0.02", "0.03", "0.01", "0.02", "0.003"] + ["17.0", "26.0", "115.0", "950.0", "0.14", "0.3",
      "0.3", "0.14", "0.3", "0.08"])
answer = runtime.invoke_endpoint(EndpointName="breast-cancer", ContentType="text/csv", Accept="text/csv", Body=row)
rows = list(csv.reader(io.StringIO(answer["Body"].read().decode())))
check(rows and rows[-1], rows)

# Everything that was made here goes again.
sagemaker.delete_pipeline(PipelineName=name, ClientRequestToken="d" * 32)
refused("ResourceNotFound", name, sagemaker.describe_pipeline, PipelineName=name)
print(f"{checks} checks passed")
