"""Studio's resource types of a stack, which MiniStack lacks: made, changed and deleted in the SageMaker engine beside it.

A template has SageMaker's own names. What CloudFormation adds is done here: it waits, and it is silent about what is gone.
"""

import os
import time

import boto3
import botocore.exceptions
from ministack.core.responses import get_region
from ministack.services.cloudformation import stacks

import provision

DOMAIN = "AWS::SageMaker::Domain"
PROFILE = "AWS::SageMaker::UserProfile"
SCRIPT = "AWS::SageMaker::StudioLifecycleConfig"

# What a stack's properties are, and cannot be asked to change (the resource types' own schemas).
_FIXED = {
    DOMAIN: ("AuthMode", "DomainName", "KmsKeyId"),
    PROFILE: ("DomainId", "UserProfileName", "SingleSignOnUserIdentifier", "SingleSignOnUserValue"),
    SCRIPT: ("StudioLifecycleConfigAppType", "StudioLifecycleConfigContent", "StudioLifecycleConfigName"),
}
# What an update takes (UpdateDomain and UpdateUserProfile, in the SageMaker API reference).
_CHANGED_DOMAIN = ("DefaultUserSettings", "DefaultSpaceSettings", "AppSecurityGroupManagement", "SubnetIds",
                   "AppNetworkAccessType", "TagPropagation", "VpcId")
_PATIENCE = 120
_PAUSE = 0.2

_runs_on_worker_thread = stacks._runs_on_worker_thread


def install() -> None:
    provision.register(DOMAIN, create_domain, update_domain, delete_domain, replacing=_FIXED[DOMAIN], tags="Tags")
    provision.register(PROFILE, create_profile, update_profile, delete_profile, replacing=_FIXED[PROFILE], tags="Tags")
    provision.register(SCRIPT, create_script, update_script, delete_script, replacing=_FIXED[SCRIPT], tags="Tags")
    stacks._runs_on_worker_thread = runs_on_worker_thread


def runs_on_worker_thread(kind) -> bool:
    """The engine calls this server meanwhile: it makes a domain's file system here."""
    return kind in _FIXED or _runs_on_worker_thread(kind)


def engine():
    url = os.environ.get("AWS_ENDPOINT_URL_SAGEMAKER")
    if not url:
        raise ValueError("there is no SageMaker engine beside this server (AWS_ENDPOINT_URL_SAGEMAKER)")
    return boto3.client("sagemaker", endpoint_url=url, region_name=get_region())


def create_domain(_logical_id, props, _stack_name):
    domain = engine().create_domain(**props)["DomainArn"].rsplit("/", 1)[-1]
    return domain, domain_attributes(wait("domain", DomainId=domain))


def update_domain(domain, old, new, _stack_name, _logical_id):
    given = {name: new[name] for name in _CHANGED_DOMAIN if name in new}
    settings = new.get("DomainSettings", {})
    if settings != old.get("DomainSettings", {}):
        given["DomainSettingsForUpdate"] = settings
    client = engine()
    client.update_domain(DomainId=domain, **given)
    told = wait("domain", DomainId=domain)
    retag(client, told["DomainArn"], old, new)
    return domain, domain_attributes(told)


def delete_domain(domain, _props):
    gone("domain", lambda client: client.delete_domain(DomainId=domain), DomainId=domain)


def domain_attributes(told):
    names = ("DomainArn", "DomainId", "HomeEfsFileSystemId", "SecurityGroupIdForDomainBoundary",
             "SingleSignOnApplicationArn", "SingleSignOnManagedApplicationInstanceId", "Url")
    return {name: told[name] for name in names if name in told}


def create_profile(_logical_id, props, _stack_name):
    engine().create_user_profile(**props)
    return profile_made(props)


def update_profile(_physical_id, old, new, _stack_name, _logical_id):
    client = engine()
    client.update_user_profile(DomainId=new["DomainId"], UserProfileName=new["UserProfileName"],
                               UserSettings=new.get("UserSettings", {}))
    made = profile_made(new)
    retag(client, made[1]["UserProfileArn"], old, new)
    return made


def profile_made(props):
    names = {name: props[name] for name in ("DomainId", "UserProfileName")}
    told = wait("user_profile", **names)
    return f"{names['UserProfileName']}|{names['DomainId']}", {"UserProfileArn": told["UserProfileArn"]}


def delete_profile(physical_id, _props):
    name, _, domain = physical_id.partition("|")
    names = {"DomainId": domain, "UserProfileName": name}
    gone("user_profile", lambda client: client.delete_user_profile(**names), **names)


def create_script(_logical_id, props, _stack_name):
    made = engine().create_studio_lifecycle_config(**props)["StudioLifecycleConfigArn"]
    return props["StudioLifecycleConfigName"], {"StudioLifecycleConfigArn": made}


def update_script(_physical_id, old, new, _stack_name, _logical_id):
    client = engine()
    told = client.describe_studio_lifecycle_config(StudioLifecycleConfigName=new["StudioLifecycleConfigName"])
    retag(client, told["StudioLifecycleConfigArn"], old, new)
    return new["StudioLifecycleConfigName"], {"StudioLifecycleConfigArn": told["StudioLifecycleConfigArn"]}


def delete_script(name, _props):
    absent(lambda: engine().delete_studio_lifecycle_config(StudioLifecycleConfigName=name))


def retag(client, arn, old, new) -> None:
    was, now = ({tag["Key"]: tag["Value"] for tag in props.get("Tags", [])} for props in (old, new))
    if now != was:
        client.add_tags(ResourceArn=arn, Tags=[{"Key": key, "Value": value} for key, value in now.items()])
    if was.keys() - now.keys():
        client.delete_tags(ResourceArn=arn, TagKeys=sorted(was.keys() - now.keys()))


def wait(kind, **names):
    """What is told of it once it is in service."""
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        told = getattr(engine(), f"describe_{kind}")(**names)
        if told["Status"] == "InService":
            return told
        if told["Status"].endswith("Failed") or told["Status"] == "Failed":
            raise ValueError(told.get("FailureReason", told["Status"]))
        time.sleep(_PAUSE)
    raise ValueError(f"{names} is not in service after {_PATIENCE} s")


def gone(kind, delete, **names) -> None:
    client, end = engine(), time.monotonic() + _PATIENCE
    if absent(lambda: delete(client)):
        return
    while time.monotonic() < end:
        if absent(lambda: getattr(client, f"describe_{kind}")(**names)):
            return
        time.sleep(_PAUSE)
    raise ValueError(f"{names} is there still after {_PATIENCE} s")


def absent(ask) -> bool:
    try:
        ask()
    except botocore.exceptions.ClientError as error:
        if error.response["Error"]["Code"] in ("ResourceNotFound", "ResourceNotFoundException"):
            return True
        raise
    return False
