"""Studio of the local cloud as boto3 sees it, with MiniStack beside the engine. Run by cloud.rs.

    python studio_check.py make

Every answer of SageMaker's is compared with the shape that botocore has for it: no member that AWS does not know, none of
another type or with a value that AWS does not give.
"""

import datetime
import json
import os
import sys
import time
import urllib.error
import urllib.request

import boto3
from botocore.exceptions import ClientError

REGION = os.environ["AWS_REGION"]
ENGINE = os.environ["AWS_ENDPOINT_URL_SAGEMAKER"]
TAG = "ManagedByAmazonSageMakerResource"

ec2, efs = boto3.client("ec2"), boto3.client("efs")
sagemaker = boto3.client("sagemaker")
shapes = sagemaker.meta.service_model


def check(condition, message):
    if not condition:
        sys.exit(f"check failed: {message}")


def faults(shape, value, path):
    kind = shape.type_name
    if kind == "structure":
        if not isinstance(value, dict):
            return [f"{path} is no structure"]
        unknown = [f"{path}.{name} is unknown" for name in value if name not in shape.members]
        known = [faults(shape.members[name], each, f"{path}.{name}") for name, each in value.items() if name in shape.members]
        return sum(known, unknown)
    if kind == "list":
        return sum((faults(shape.member, each, f"{path}[]") for each in value), [])
    types = {"string": str, "timestamp": (int, float), "integer": int, "long": int, "boolean": bool, "map": dict}
    if not isinstance(value, types.get(kind, object)):
        return [f"{path} is no {kind}: {value!r}"]
    if kind == "string" and shape.enum and value not in shape.enum:
        return [f"{path} is {value!r}"]
    return []


def call(operation, **request):
    """One operation, its answer compared with its shape."""
    headers = {"X-Amz-Target": f"SageMaker.{operation}", "Content-Type": "application/x-amz-json-1.1"}
    asked = urllib.request.Request(ENGINE, json.dumps(request).encode(), headers, method="POST")
    with urllib.request.urlopen(asked) as answer:
        text = answer.read()
    told = json.loads(text) if text else {}
    shape = shapes.operation_model(operation).output_shape
    check(shape is not None or told == {}, f"{operation} answers nothing")
    found = faults(shape, told, operation) if shape is not None else []
    check(not found, f"{found}")
    return told


def refusal(action, **request):
    try:
        action(**request)
    except ClientError as error:
        return error.response["Error"]["Code"]
    sys.exit(f"check failed: {action} was not refused: {request}")


def settled(operation, status="InService", **named):
    end = time.monotonic() + 15
    while time.monotonic() < end:
        try:
            if call(operation, **named)["Status"] == status:
                return
        except urllib.error.HTTPError as error:
            text = error.read()
            check(status == "gone" and b"ResourceNotFound" in text, f"{operation} {named}: {text}")
            return
        time.sleep(0.2)
    sys.exit(f"check failed: {operation} {named} is not {status}")


def page(url):
    try:
        with urllib.request.urlopen(url) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def domain(name, vpc, subnets):
    made = call("CreateDomain", DomainName=name, AuthMode="IAM", VpcId=vpc, SubnetIds=subnets,
                DefaultUserSettings={"ExecutionRole": "arn:aws:iam::000000000000:role/studio"})
    settled("DescribeDomain", DomainId=made["DomainId"])
    return made["DomainId"], made["DomainArn"]


def home_files(vpc, subnets):
    """What comes with a domain, and what stays when it goes."""
    zoned, doubled = subnets[:2], subnets
    id, arn = domain("team", vpc, doubled)
    files = call("DescribeDomain", DomainId=id)["HomeEfsFileSystemId"]
    [system] = efs.describe_file_systems(FileSystemId=files)["FileSystems"]
    check(system["Encrypted"] and {"Key": TAG, "Value": arn} in system["Tags"], f"{system}")
    targets = efs.describe_mount_targets(FileSystemId=files)["MountTargets"]
    check(sorted(each["SubnetId"] for each in targets) == sorted(zoned), f"one in each zone: {targets}")
    groups = {each["GroupName"]: each for each in ec2.describe_security_groups(
        Filters=[{"Name": "vpc-id", "Values": [vpc]}])["SecurityGroups"]}
    inbound, outbound = (groups[f"security-group-for-{way}-nfs-{id}"] for way in ("inbound", "outbound"))
    nfs = ("tcp", 2049, 2049)

    def rules(permissions):
        return [((each["IpProtocol"], each["FromPort"], each["ToPort"]),
                 [pair["GroupId"] for pair in each["UserIdGroupPairs"]], each["IpRanges"]) for each in permissions]

    check(rules(inbound["IpPermissions"]) == [(nfs, [outbound["GroupId"]], [])], f"{inbound}")
    check(rules(outbound["IpPermissionsEgress"]) == [(nfs, [inbound["GroupId"]], [])], f"{outbound}")
    check(inbound["IpPermissionsEgress"] == [] and outbound["IpPermissions"] == [], f"{inbound} {outbound}")
    for group in (inbound, outbound):
        check({"Key": TAG, "Value": arn} in group["Tags"] and "[DO NOT DELETE]" in group["Description"], f"{group}")
    for target in targets:
        found = efs.describe_mount_target_security_groups(MountTargetId=target["MountTargetId"])["SecurityGroups"]
        check(found == [inbound["GroupId"]], f"{found}")

    check(refusal(sagemaker.create_domain, DomainName="x", AuthMode="IAM", VpcId=vpc, SubnetIds=["subnet-0123"],
                  DefaultUserSettings={}) == "ValidationException", "a subnet that is not there")

    call("DeleteDomain", DomainId=id)
    settled("DescribeDomain", "gone", DomainId=id)
    check(len(efs.describe_mount_targets(FileSystemId=files)["MountTargets"]) == 2, "the file system stays")

    id, _ = domain("brief", vpc, zoned)
    files = call("DescribeDomain", DomainId=id)["HomeEfsFileSystemId"]
    call("DeleteDomain", DomainId=id, RetentionPolicy={"HomeEfsFileSystem": "Delete"})
    check(refusal(efs.describe_file_systems, FileSystemId=files) == "FileSystemNotFound", "the file system goes")
    groups = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["SecurityGroups"]
    check(len([each for each in groups if each["GroupName"].endswith(f"-nfs-{id}")]) == 2, "its groups stay")


def people(vpc, subnets):
    """A profile, its space and app, the way in, and the order of deletion."""
    id, _ = domain("people", vpc, subnets[:2])
    profile, space = dict(DomainId=id, UserProfileName="Ana"), dict(DomainId=id, SpaceName="lab")
    app = dict(**space, AppType="JupyterLab", AppName="default")
    call("CreateUserProfile", **profile, Tags=[{"Key": "studiouserid", "Value": "ana@example.com"}])
    check(refusal(sagemaker.create_user_profile, **profile) == "ResourceInUse", "a name that is taken")
    check(refusal(sagemaker.create_presigned_domain_url, **profile) == "ValidationException", "a profile that is not ready")
    settled("DescribeUserProfile", **profile)
    call("CreateSpace", **space, SpaceSettings={"AppType": "JupyterLab"}, SpaceDisplayName="Lab",
         OwnershipSettings={"OwnerUserProfileName": "Ana"}, SpaceSharingSettings={"SharingType": "Private"})
    settled("DescribeSpace", **space)
    config = call("CreateStudioLifecycleConfig", StudioLifecycleConfigName="start", StudioLifecycleConfigContent="eA==",
                  StudioLifecycleConfigAppType="JupyterLab")["StudioLifecycleConfigArn"]
    call("CreateApp", **app, ResourceSpec={"InstanceType": "ml.t3.medium", "LifecycleConfigArn": config})
    settled("DescribeApp", **app)
    for operation in ("ListDomains", "ListUserProfiles", "ListSpaces", "ListApps", "ListStudioLifecycleConfigs"):
        call(operation)
    call("DescribeStudioLifecycleConfig", StudioLifecycleConfigName="start")
    tags = sagemaker.list_tags(ResourceArn=call("DescribeApp", **app)["AppArn"])["Tags"]
    check(tags == [], f"an app in a space has the space's tags: {tags}")

    call("UpdateUserProfile", **profile, UserSettings={"ExecutionRole": "arn:aws:iam::000000000000:role/own"})
    call("UpdateSpace", **space, SpaceDisplayName="Laboratory")
    settled("DescribeUserProfile", **profile)
    settled("DescribeSpace", **space)

    url = call("CreatePresignedDomainUrl", **profile, SpaceName="lab", LandingUri="app:JupyterLab:", ExpiresInSeconds=5,
               SessionExpirationDurationInSeconds=1800)["AuthorizedUrl"]
    check(url.startswith(f"{ENGINE}/"), url)
    status, text = page(url)
    check(status == 200 and all(part in text for part in (id, "Ana", "role/own", "app:JupyterLab:")), text)
    check(page(url)[0] == 403 and "used already" in page(url)[1], "good once")
    late = sagemaker.create_presigned_domain_url(**profile, ExpiresInSeconds=5)["AuthorizedUrl"]
    made = datetime.datetime.now()

    check(refusal(sagemaker.delete_studio_lifecycle_config, StudioLifecycleConfigName="start") == "ResourceInUse", "used")
    for action, named in ((sagemaker.delete_domain, {"DomainId": id}), (sagemaker.delete_user_profile, profile),
                          (sagemaker.delete_space, space)):
        check(refusal(action, **named) == "ResourceInUse", f"{named}")
    call("DeleteApp", **app)
    settled("DescribeApp", "Deleted", **app)
    check([each["Status"] for each in call("ListApps", DomainIdEquals=id)["Apps"]] == ["Deleted"], "a deleted app is listed")
    call("DeleteStudioLifecycleConfig", StudioLifecycleConfigName="start")
    call("DeleteSpace", **space)
    settled("DescribeSpace", "gone", **space)

    time.sleep(max(0.0, 5.1 - (datetime.datetime.now() - made).total_seconds()))
    status, text = page(late)
    check(status == 403 and "has expired" in text, text)
    call("DeleteUserProfile", **profile)
    settled("DescribeUserProfile", "gone", **profile)
    call("DeleteDomain", DomainId=id)
    settled("DescribeDomain", "gone", DomainId=id)


def make():
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    # Two zones, and one of them twice.
    subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.9.{n}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"]
               ["SubnetId"] for n, zone in ((0, "a"), (1, "b"), (2, "a"))]
    home_files(vpc, subnets)
    people(vpc, subnets)
    # Where MiniStack has no such network there is nothing to mount anything in, as before.
    id, _ = domain("elsewhere", "vpc-0123456789abcdef0", ["subnet-0123456789abcdef0"])
    check(call("DescribeDomain", DomainId=id)["HomeEfsFileSystemId"].startswith("fs-"), "an id at least")


if __name__ == "__main__":
    make()
    print("ok")
