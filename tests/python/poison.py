"""Events that cannot be read are not acknowledged: they end in the function's dead-letter queue, as they were."""

from cloud import BUCKET, messages, publish, runs

before = len(runs())
detail = {"version": "0", "bucket": {"name": BUCKET}, "object": {"key": "raw/breast-cancer/x.csv", "size": "large"}}
publish("aws.s3", "Object Created", detail)
publish("aws.sagemaker", "SageMaker Model Building Pipeline Execution Status Change",
        {"pipelineArn": "arn:aws:sagemaker:us-east-1:000000000000:pipeline/breast-cancer",
         "pipelineExecutionArn": "arn:aws:sagemaker:us-east-1:000000000000:pipeline/breast-cancer/execution/aaaaaaaaaaaa",
         "currentPipelineExecutionStatus": "Exploded"})
dead = messages("tidegate-on-data-arrival-failed", seconds=100)
assert dead, "the arrival of no size"
assert dead[0]["requestPayload"]["detail"]["object"]["size"] == "large", dead
assert "`detail.object.size`" in str(dead[0]["responsePayload"]), dead
dead = messages("tidegate-on-pipeline-status-failed", seconds=60)
assert dead, "the status that SageMaker does not have"
assert len(runs()) == before, "no run came of it"
print("kept")
