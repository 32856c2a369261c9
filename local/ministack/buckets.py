"""Buckets of a stack, with all that a template says of them.

MiniStack keeps of a template's bucket its versioning, CORS, notifications, website and public access block. Here encryption,
lifecycle, access logs, ownership and tags are put too, by the bodies that the S3 API takes; what a template drops is
dropped; and a bucket that goes takes its objects, on disk too, with it. (AWS refuses to delete a full bucket.)
What is written under `aws:kms` without a key is under the bucket's own, or else AWS's, which MiniStack refuses.
"""

import functools

from ministack.core.responses import get_account_id, get_region
from ministack.services import s3
from ministack.services.cloudformation import provisioners

import provision

BUCKET = "AWS::S3::Bucket"
POLICY = "AWS::S3::BucketPolicy"

_ALGORITHM = "x-amz-server-side-encryption"
_KEY = "x-amz-server-side-encryption-aws-kms-key-id"

_resolve_sse_write_headers = s3._resolve_sse_write_headers


def install() -> None:
    provision.wrap(BUCKET, before_create=check_logging)
    handler = provisioners._RESOURCE_HANDLERS[BUCKET]
    create, update = handler["create"], handler["update"]

    def created(logical_id, props, stack_name):
        made = create(logical_id, props, stack_name)
        try:
            apply(made[0], props, {})
        except ValueError:
            delete(made[0], props)
            raise
        return made[0], {**made[1], **_attributes(made[0])}

    def updated(physical_id, old, new, stack_name, logical_id):
        check_logging(logical_id, new, stack_name)
        made = update(physical_id, old, new, stack_name, logical_id)
        apply(made[0], new, old if made[0] == physical_id else {})
        return made[0], {**made[1], **_attributes(made[0])}

    handler.update(create=created, update=updated, delete=delete)
    provisioners._STACK_TAG_PROPERTY[BUCKET] = ("Tags", "list")
    provision.wrap(POLICY, before_create=check_policy)
    s3._resolve_sse_write_headers = resolve_encryption


def _attributes(name: str) -> dict:
    return {"DualStackDomainName": f"{name}.s3.dualstack.{s3.bucket_region(name)}.amazonaws.com"}


def resolve_encryption(headers: dict, bucket: str):
    if headers.get(_ALGORITHM) == "aws:kms" and not headers.get(_KEY):
        own = s3._bucket_default_sse_headers(bucket).get(_KEY)
        headers = {**headers, _KEY: own or f"arn:aws:kms:{get_region()}:{get_account_id()}:alias/aws/s3"}
    return _resolve_sse_write_headers(headers, bucket)


def check_logging(_logical_id, props, _stack_name) -> None:
    target = (props.get("LoggingConfiguration") or {}).get("DestinationBucketName")
    if target and target not in s3._buckets:
        raise ValueError("The target bucket for logging does not exist (InvalidTargetBucketForLogging)")


def check_policy(_logical_id, props, _stack_name) -> None:
    if props.get("Bucket") not in s3._buckets:
        raise ValueError("The specified bucket does not exist (NoSuchBucket)")


def apply(name: str, props: dict, old: dict) -> None:
    """Puts each configuration that the template has, and deletes those that it dropped."""
    for prop, (operation, to_api, put, drop) in _CONFIGURATIONS.items():
        if props.get(prop):
            provision.succeeded(put(name, _body(operation, to_api(props[prop]))))
        elif prop in old:
            drop(name)
    if not props.get("VersioningConfiguration") and old.get("VersioningConfiguration"):
        s3._bucket_versioning[name] = "Suspended"
    elif props.get("VersioningConfiguration"):
        s3._bucket_versioning[name] = props["VersioningConfiguration"].get("Status", "Suspended")


def delete(name: str, _props) -> None:
    if name in s3._buckets:
        empty(name)
        provision.succeeded(s3._delete_bucket(name))


def empty(name: str) -> None:
    """Takes every object and every version out of a bucket."""
    bucket = s3._buckets[name]
    for key in list(bucket["objects"]):
        s3._purge_current_object(name, key, bucket)
    for key in [key for key in s3._object_versions if key[0] == name]:
        del s3._object_versions[key]


@functools.lru_cache
def _operations():
    import botocore.loaders  # Costs a tenth of a second, and not every server deploys a bucket.
    import botocore.model
    import botocore.serialize

    model = botocore.model.ServiceModel(botocore.loaders.Loader().load_service_model("s3", "service-2"))
    return model, botocore.serialize.create_serializer("rest-xml")


def _body(operation: str, configuration: dict) -> bytes:
    """What an SDK would send."""
    model, serializer = _operations()
    shape = model.operation_model(operation)
    payload = shape.input_shape.serialization["payload"]
    return serializer.serialize_to_request({"Bucket": "bucket", payload: configuration}, shape)["body"]


def _encryption(configuration: dict) -> dict:
    rules = []
    for rule in configuration.get("ServerSideEncryptionConfiguration") or []:
        made = {}
        if rule.get("ServerSideEncryptionByDefault"):
            made["ApplyServerSideEncryptionByDefault"] = dict(rule["ServerSideEncryptionByDefault"])
        if "BucketKeyEnabled" in rule:
            made["BucketKeyEnabled"] = provisioners._cfn_bool(rule["BucketKeyEnabled"])
        rules.append(made)
    return {"Rules": rules}


def _lifecycle(configuration: dict) -> dict:
    return {"Rules": [_lifecycle_rule(rule) for rule in configuration.get("Rules") or []]}


def _lifecycle_rule(rule: dict) -> dict:
    made = {"Status": rule.get("Status", "Enabled"), "Filter": _filter(rule)}
    if rule.get("Id"):
        made["ID"] = rule["Id"]
    expiration = _renamed(rule, {"ExpirationInDays": "Days", "ExpirationDate": "Date",
                                 "ExpiredObjectDeleteMarker": "ExpiredObjectDeleteMarker"})
    if expiration:
        made["Expiration"] = expiration
    transitions = [*(rule.get("Transitions") or []), *([rule["Transition"]] if rule.get("Transition") else [])]
    if transitions:
        names = {"StorageClass": "StorageClass", "TransitionInDays": "Days", "TransitionDate": "Date"}
        made["Transitions"] = [_renamed(each, names) for each in transitions]
    older = [*(rule.get("NoncurrentVersionTransitions") or []),
             *([rule["NoncurrentVersionTransition"]] if rule.get("NoncurrentVersionTransition") else [])]
    if older:
        names = {"StorageClass": "StorageClass", "TransitionInDays": "NoncurrentDays",
                 "NewerNoncurrentVersions": "NewerNoncurrentVersions"}
        made["NoncurrentVersionTransitions"] = [_renamed(each, names) for each in older]
    expired = rule.get("NoncurrentVersionExpiration") or {}
    if rule.get("NoncurrentVersionExpirationInDays"):
        expired = {"NoncurrentDays": rule["NoncurrentVersionExpirationInDays"]}
    if expired:
        names = {name: name for name in ("NoncurrentDays", "NewerNoncurrentVersions")}
        made["NoncurrentVersionExpiration"] = _renamed(expired, names)
    if rule.get("AbortIncompleteMultipartUpload"):
        made["AbortIncompleteMultipartUpload"] = _renamed(rule["AbortIncompleteMultipartUpload"],
                                                          {"DaysAfterInitiation": "DaysAfterInitiation"})
    return made


def _filter(rule: dict) -> dict:
    """One condition stands by itself, several under `And`; a rule without any is for all objects."""
    tags = [{"Key": each["Key"], "Value": each["Value"]} for each in rule.get("TagFilters") or []]
    sizes = _renamed(rule, {name: name for name in ("ObjectSizeGreaterThan", "ObjectSizeLessThan")})
    conditions = {**({"Prefix": rule["Prefix"]} if rule.get("Prefix") else {}), **sizes}
    if len(conditions) + len(tags) > 1:
        return {"And": {**conditions, **({"Tags": tags} if tags else {})}}
    return {"Tag": tags[0]} if tags else conditions or {"Prefix": ""}


_NUMBERS = {"Days", "NoncurrentDays", "NewerNoncurrentVersions", "DaysAfterInitiation", "ObjectSizeGreaterThan",
            "ObjectSizeLessThan"}


def _renamed(source: dict, names: dict) -> dict:
    """The named members under the API's names; a template may write numbers as text."""
    return {new: int(source[old]) if new in _NUMBERS else source[old] for old, new in names.items() if old in source}


def _logging(configuration: dict) -> dict:
    enabled = {"TargetBucket": configuration.get("DestinationBucketName", ""),
               "TargetPrefix": configuration.get("LogFilePrefix", "")}
    if configuration.get("TargetObjectKeyFormat"):
        enabled["TargetObjectKeyFormat"] = configuration["TargetObjectKeyFormat"]
    return {"LoggingEnabled": enabled}


def _same(configuration: dict) -> dict:
    return configuration


_CONFIGURATIONS = {
    "BucketEncryption": ("PutBucketEncryption", _encryption, s3._put_bucket_encryption, s3._delete_bucket_encryption),
    "LifecycleConfiguration": ("PutBucketLifecycleConfiguration", _lifecycle, s3._put_bucket_lifecycle,
                               s3._delete_bucket_lifecycle),
    "LoggingConfiguration": ("PutBucketLogging", _logging, s3._put_bucket_logging,
                             lambda name: s3._bucket_logging_config.pop(name, None)),
    "OwnershipControls": ("PutBucketOwnershipControls", _same, s3._put_bucket_ownership_controls,
                          s3._delete_bucket_ownership_controls),
    "Tags": ("PutBucketTagging", lambda tags: {"TagSet": tags}, s3._put_bucket_tagging, s3._delete_bucket_tagging),
}
