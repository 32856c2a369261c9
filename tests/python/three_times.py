"""The same object event, three times, is one run, one execution and one alert."""

import time

from cloud import BUCKET, phase, publish, put, run_of, runs, sagemaker, stored_run, tidegate


def executions():
    pages = sagemaker.get_paginator("list_pipeline_executions").paginate(PipelineName="breast-cancer")
    return {summary["PipelineExecutionArn"] for page in pages for summary in page["PipelineExecutionSummaries"]}


runs_before, executions_before = len(runs()), executions()
# A file that cannot be used: the run is over in seconds.
version = put("three-times.csv", b"not,what,was,asked,for\n1,2,3,4,5\n")
detail = {"version": "0", "bucket": {"name": BUCKET}, "object": version, "request-id": "r", "requester": "r",
          "source-ip-address": "127.0.0.1", "reason": "PutObject"}
for _ in range(3):
    publish("aws.s3", "Object Created", detail, [f"arn:aws:s3:::{BUCKET}"])
run = run_of(version)
phase(run, "failed")
# Late, too: the run has ended, and its alert is noted as sent.
for _ in range(60):
    body, number = stored_run(run)
    if not body.get("outbox"):
        break
    time.sleep(0.5)
assert not body.get("outbox"), f"still to do: {body['outbox']}"
publish("aws.s3", "Object Created", detail, [f"arn:aws:s3:::{BUCKET}"])
time.sleep(3)
assert stored_run(run) == (body, number), "a late duplicate changed the run"
assert len(runs()) == runs_before + 1, "one run"
new = executions() - executions_before
assert new == {body["execution"]["arn"]}, f"one execution: {new}"
alerts = [alert for alert in tidegate("local", "inbox") if run in str(alert)]
assert len(alerts) == 1, f"one alert: {alerts}"
print("once")
