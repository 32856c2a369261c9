"""A pipeline that asks for a person: the model waits, a no refuses it, a yes lets it live."""

import subprocess
import sys

from cloud import phase, put, run_of, sagemaker

csv = subprocess.run([sys.argv[1], "pipelines/breast-cancer/data.py", "--output", "/dev/stdout"],
                     capture_output=True, check=True).stdout
before = sagemaker.describe_endpoint(EndpointName="breast-cancer")["EndpointConfigName"]
run = run_of(put("approval.csv", csv))
body = phase(run, "awaiting_approval", "failed", "rejected", seconds=120)
assert body["phase"] == "awaiting_approval", body["facts"]
package = sagemaker.describe_model_package(ModelPackageName=body["package"])
assert package["ModelApprovalStatus"] == "PendingManualApproval", package
assert sagemaker.describe_endpoint(EndpointName="breast-cancer")["EndpointConfigName"] == before
# The person uses the plain AWS API, as the registry's page in Studio does.
sagemaker.update_model_package(ModelPackageArn=body["package"], ModelApprovalStatus="Approved")
body = phase(run, "live", "failed", seconds=90)
assert body["phase"] == "live", body["facts"]
assert sagemaker.describe_endpoint(EndpointName="breast-cancer")["EndpointConfigName"].endswith(run)
print("approved")
