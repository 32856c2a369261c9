"""What Tidegate needs of the local cloud, checked through boto3. Run by cloud.rs with the environment of `tidegate local`.

    python cloud_check.py make      makes resources and checks behaviour
    python cloud_check.py again     after a restart: everything is still there and still works
    python cloud_check.py pending   leaves an invocation between two attempts
    python cloud_check.py resumed   after a crash: its last attempt and its dead letter
"""

import io
import json
import os
import sys
import time
import urllib.error
import urllib.request
import uuid
import zipfile

import boto3
from botocore.exceptions import ClientError

ENDPOINT = os.environ["AWS_ENDPOINT_URL"]
REGION = os.environ["AWS_REGION"]
ACCOUNT = "000000000000"
BUCKET, TABLE = "check-data", "check-table"

s3, events, functions = boto3.client("s3"), boto3.client("events"), boto3.client("lambda")
sqs, sns, dynamodb = boto3.client("sqs"), boto3.client("sns"), boto3.client("dynamodb")
stacks, kms = boto3.client("cloudformation"), boto3.client("kms")

# A custom runtime without a build: it forwards its event to a queue, or fails when the event asks it to.
BOOTSTRAP = '''#!%s
import json, os, sys, urllib.request
import boto3
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/"
sqs = boto3.client("sqs")
while True:
    with urllib.request.urlopen(api + "invocation/next") as answer:
        event, id = json.load(answer), answer.headers["Lambda-Runtime-Aws-Request-Id"]
    sqs.send_message(QueueUrl=os.environ["SEEN"], MessageBody=json.dumps(
        {"event": event, "scheduler": os.environ.get("AWS_ENDPOINT_URL_SCHEDULER"), "pid": os.getpid()}))
    failed = "fail" in json.dumps(event)
    body = {"errorMessage": "asked to", "errorType": "Asked"} if failed else {"ok": True}
    url = api + "invocation/" + id + ("/error" if failed else "/response")
    urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), method="POST")).read()
''' % sys.executable


def check(condition, message):
    if not condition:
        sys.exit(f"check failed: {message}")


def until(action, message, seconds=15.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = action()
        if found:
            return found
        time.sleep(0.1)
    sys.exit(f"check failed: {message} within {seconds:g} seconds")


def queue(name):
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def take(url):
    answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1, MessageAttributeNames=["All"], WaitTimeSeconds=0)
    for message in answer.get("Messages", []):
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return message
    return None


def body(url, what, seconds=15.0):
    return json.loads(until(lambda: take(url), what, seconds)["Body"])


def function(name, seen, **settings):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o755 << 16
        archive.writestr(entry, BOOTSTRAP)
    return functions.create_function(
        FunctionName=name, Runtime="provided.al2023", Handler="bootstrap", Code={"ZipFile": data.getvalue()},
        Role=f"arn:aws:iam::{ACCOUNT}:role/check", Environment={"Variables": {"SEEN": seen}}, Timeout=20, **settings,
    )["FunctionArn"]


def rule(name, pattern, target, allow=None):
    arn = events.put_rule(Name=name, EventPattern=json.dumps(pattern))["RuleArn"]
    if allow:
        functions.add_permission(FunctionName=allow, StatementId=name, Action="lambda:InvokeFunction",
                                 Principal="events.amazonaws.com", SourceArn=arn)
    answer = events.put_targets(Rule=name, Targets=[{"Id": "one", **target}])
    check(answer["FailedEntryCount"] == 0, f"targets of {name}: {answer}")
    return arn


def send(envelope, expect=200, headers=()):
    request = urllib.request.Request(ENDPOINT + "/_tidegate/events", json.dumps(envelope).encode(),
                                     {"content-type": "application/json", **dict(headers)}, method="POST")
    try:
        with urllib.request.urlopen(request) as answer:
            status, text = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read()
    check(status == expect, f"/_tidegate/events answered {status} {text!r}, not {expect}")


def envelope(source, kind, detail):
    return {"version": "0", "id": str(uuid.uuid4()), "detail-type": kind, "source": source, "account": ACCOUNT,
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "region": REGION, "resources": [], "detail": detail}


def make():
    seen, _ = queue("seen")
    spare, spare_arn = queue("spare")
    lost, lost_arn = queue("lost")
    letter, letter_arn = queue("letter")
    main = function("check", seen)
    functions.put_function_event_invoke_config(
        FunctionName="check", MaximumRetryAttempts=1, DestinationConfig={"OnFailure": {"Destination": spare_arn}})
    lettered = function("check-letter", seen, DeadLetterConfig={"TargetArn": letter_arn})
    closed = function("check-closed", seen)

    # S3: a versioned, encrypted bucket and its events.
    key_arn = kms.create_key()["KeyMetadata"]["Arn"]
    place = {} if REGION == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": REGION}}
    s3.create_bucket(Bucket=BUCKET, **place)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_encryption(Bucket=BUCKET, ServerSideEncryptionConfiguration={"Rules": [
        {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key_arn},
         "BucketKeyEnabled": True}]})
    s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration={"EventBridgeConfiguration": {}})
    rule("arrival", {"source": ["aws.s3"], "detail-type": ["Object Created"], "detail": {
        "bucket": {"name": [BUCKET]}, "object": {"key": [{"prefix": "raw/"}]}}}, {"Arn": main}, allow="check")

    key = "raw/a b+ü.csv"
    first = s3.put_object(Bucket=BUCKET, Key=key, Body=b"one")
    event = body(seen, "an S3 event")
    check(event["scheduler"] == os.environ["AWS_ENDPOINT_URL_SCHEDULER"], "functions inherit the endpoint variables")
    event = event["event"]
    thing = event["detail"]["object"]
    check(thing["key"] == key, f"the key is not encoded: {thing}")
    check(thing["version-id"] == first["VersionId"], f"version-id: {thing}")
    check(thing["etag"] == first["ETag"].strip('"') and thing["size"] == 3, f"etag and size: {thing}")
    check(int(thing["sequencer"], 16) > 0, f"sequencer: {thing}")
    check(event["detail"]["reason"] == "PutObject", f"reason: {event['detail']}")
    check(event["account"] == ACCOUNT and event["region"] == REGION, f"account and region: {event}")
    check(str(uuid.UUID(event["id"])) == event["id"] != event["detail"]["request-id"], f"id: {event}")
    age = time.time() - time.mktime(time.strptime(event["time"] + "UTC", "%Y-%m-%dT%H:%M:%SZ%Z")) + time.timezone
    check(-2 < age < 60, f"time `{event['time']}` is {age} s old")
    check(event["resources"] == [f"arn:aws:s3:::{BUCKET}"], f"resources: {event}")

    second = s3.put_object(Bucket=BUCKET, Key=key, Body=b"two!")
    later = body(seen, "a second S3 event")["event"]["detail"]["object"]
    check(later["sequencer"] > thing["sequencer"], "sequencers grow")
    copied = s3.copy_object(Bucket=BUCKET, Key="raw/copy.csv",
                            CopySource={"Bucket": BUCKET, "Key": key, "VersionId": first["VersionId"]})
    event = body(seen, "a copy event")["event"]["detail"]
    check(event["reason"] == "CopyObject" and event["object"]["version-id"] == copied["VersionId"], f"copy: {event}")
    check(s3.get_object(Bucket=BUCKET, Key="raw/copy.csv")["Body"].read() == b"one", "the copied version's content")
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="raw/parts.csv")["UploadId"]
    part = s3.upload_part(Bucket=BUCKET, Key="raw/parts.csv", UploadId=upload, PartNumber=1, Body=b"x" * 100)
    whole = s3.complete_multipart_upload(Bucket=BUCKET, Key="raw/parts.csv", UploadId=upload, MultipartUpload={
        "Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
    event = body(seen, "a multipart event")["event"]["detail"]
    check(event["reason"] == "CompleteMultipartUpload" and event["object"]["version-id"] == whole["VersionId"],
          f"multipart: {event}")
    s3.put_object(Bucket=BUCKET, Key="other/x", Body=b"")
    check(s3.get_object(Bucket=BUCKET, Key=key, VersionId=first["VersionId"])["Body"].read() == b"one", "old version")
    check(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == b"two!", "current version")
    check(second["VersionId"] != first["VersionId"], "each put has a version")
    check(s3.head_object(Bucket=BUCKET, Key=key)["ServerSideEncryption"] == "aws:kms", "bucket encryption applies")

    # The door for service events, and what happens to an event that a function cannot take.
    rule("models", {"source": ["aws.sagemaker"], "detail": {"kind": ["good", "fail"]}}, {"Arn": main}, allow="check")
    send(envelope("aws.sagemaker", "Check", {"kind": "good"}))
    check(body(seen, "a service event")["event"]["detail"] == {"kind": "good"}, "a service event arrives whole")
    send({"source": "aws.sagemaker"}, expect=400)
    send(envelope("aws.sagemaker", "Check", {"kind": "good"}), expect=403, headers={"origin": "http://example.com"}.items())

    send(envelope("aws.sagemaker", "Check", {"kind": "fail"}))
    for attempt in range(2):
        check(body(seen, f"attempt {attempt + 1}")["event"]["detail"] == {"kind": "fail"}, "a failed event is tried again")
    record = body(spare, "an on-failure record")
    check(record["requestContext"]["condition"] == "RetriesExhausted", f"condition: {record}")
    check(record["requestContext"]["approximateInvokeCount"] == 2, f"invoke count: {record}")
    check(record["requestPayload"]["detail"] == {"kind": "fail"}, f"payload: {record}")
    check(record["responsePayload"]["errorType"] == "Asked", f"response: {record}")
    check(take(seen) is None, "no further attempt")
    check(functions.invoke(FunctionName=lettered, InvocationType="Event", Payload=b'{"fail": 1}')["StatusCode"] == 202, "202")
    message = until(lambda: take(letter), "a dead letter")
    check(json.loads(message["Body"]) == {"fail": 1}, f"a dead letter is the event: {message}")
    check(message["MessageAttributes"]["ErrorMessage"]["StringValue"] == "asked to", f"attributes: {message}")
    for attempt in range(3):
        body(seen, f"attempt {attempt + 1} of the lettered function")

    missing = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:absent"
    rule("nowhere", {"source": ["aws.nowhere"]}, {"Arn": missing, "DeadLetterConfig": {"Arn": lost_arn}})
    send(envelope("aws.nowhere", "Check", {}))
    message = until(lambda: take(lost), "a dead letter of the rule")
    check(message["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "RESOURCE_NOT_FOUND", f"{message}")
    check(json.loads(message["Body"])["source"] == "aws.nowhere", f"{message}")
    rule("closed", {"source": ["aws.closed"]}, {"Arn": closed, "DeadLetterConfig": {"Arn": lost_arn}})
    send(envelope("aws.closed", "Check", {}))
    message = until(lambda: take(lost), "a dead letter for want of a permission")
    check(message["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "NO_PERMISSIONS", f"{message}")

    # DynamoDB: a transaction with conditions.
    dynamodb.create_table(TableName=TABLE, BillingMode="PAY_PER_REQUEST",
                          AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("pk", "sk", "gsi_pk", "gsi_sk")],
                          KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
                          GlobalSecondaryIndexes=[{"IndexName": "by-time", "Projection": {"ProjectionType": "ALL"}, "KeySchema": [
                              {"AttributeName": "gsi_pk", "KeyType": "HASH"}, {"AttributeName": "gsi_sk", "KeyType": "RANGE"}]}])
    dynamodb.update_time_to_live(TableName=TABLE, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires"})
    item = {"pk": {"S": "a"}, "sk": {"S": "b"}, "gsi_pk": {"S": "g"}, "gsi_sk": {"S": "1"}}
    put = {"Put": {"TableName": TABLE, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}
    dynamodb.transact_write_items(TransactItems=[put, {"Put": {"TableName": TABLE, "Item": {**item, "sk": {"S": "c"}}}}])
    try:
        dynamodb.transact_write_items(TransactItems=[{"Put": {"TableName": TABLE, "Item": {**item, "sk": {"S": "d"}}}}, put])
        check(False, "a transaction whose condition fails")
    except ClientError as error:
        reasons = [each["Code"] for each in error.response["CancellationReasons"]]
        check(reasons == ["None", "ConditionalCheckFailed"], f"reasons: {reasons}")
    found = dynamodb.query(TableName=TABLE, IndexName="by-time", KeyConditionExpression="gsi_pk = :g",
                           ExpressionAttributeValues={":g": {"S": "g"}})
    check(found["Count"] == 2, f"the index holds what was committed: {found}")

    # SNS to a queue and to an HTTP inbox.
    topic = sns.create_topic(Name="check-alerts")["TopicArn"]
    heard, heard_arn = queue("heard")
    sqs.set_queue_attributes(QueueUrl=heard, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
         "Resource": heard_arn}]})})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=heard_arn)
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=os.environ["CHECK_INBOX"])
    inbox = next(each["SubscriptionArn"] for each in sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
                 if each["Protocol"] == "http")
    until(lambda: sns.get_subscription_attributes(SubscriptionArn=inbox)["Attributes"]["PendingConfirmation"] == "false",
          "the inbox confirms itself")
    publish(topic, heard, "first")

    stacks.create_stack(StackName="check-stack", TemplateBody=json.dumps({"Resources": {
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "from-stack"}}},
        "Outputs": {"Url": {"Value": {"Ref": "Queue"}}}}))
    until(lambda: stacks.describe_stacks(StackName="check-stack")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE",
          "a stack completes")


    # A web page must not reach what can run programs.
    for headers in ({"Origin": "http://example.com"}, {"Host": "example.com"}):
        request = urllib.request.Request(f"{ENDPOINT}/2015-03-31/functions", headers=headers)
        try:
            urllib.request.urlopen(request)
            check(False, f"a request with {headers} is refused")
        except urllib.error.HTTPError as error:
            check(error.code == 403, f"a request with {headers} got {error.code}")


def publish(topic, heard, subject):
    sent = sns.publish(TopicArn=topic, Subject=subject, Message="{}", MessageAttributes={
        "run": {"DataType": "String", "StringValue": "r-1"}})
    message = body(heard, "a notification in the queue")
    check(message["MessageAttributes"]["run"]["Value"] == "r-1", f"attributes: {message}")

    def stored():
        with urllib.request.urlopen(os.environ["CHECK_INBOX"]) as answer:
            return [each for each in json.load(answer) if each["MessageId"] == sent["MessageId"]]

    found = until(stored, "a notification in the inbox")
    check(len(found) == 1 and found[0]["Subject"] == subject, f"inbox: {found}")


def again():
    seen = sqs.get_queue_url(QueueName="seen")["QueueUrl"]
    versions = s3.list_object_versions(Bucket=BUCKET, Prefix="raw/a b")["Versions"]
    check(len(versions) == 2, f"versions: {versions}")
    old = next(each for each in versions if not each["IsLatest"])
    check(s3.get_object(Bucket=BUCKET, Key=old["Key"], VersionId=old["VersionId"])["Body"].read() == b"one", "old version")
    check(s3.get_object(Bucket=BUCKET, Key=old["Key"])["Body"].read() == b"two!", "current version")
    check(s3.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled", "versioning")
    rules = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"]
    key = rules[0]["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"]
    check(kms.describe_key(KeyId=key)["KeyMetadata"]["Enabled"], "the bucket's key")
    check(len(events.list_rules()["Rules"]) >= 4, "rules")
    check(functions.get_function_event_invoke_config(FunctionName="check")["MaximumRetryAttempts"] == 1, "invoke settings")
    put = s3.put_object(Bucket=BUCKET, Key="raw/later.csv", Body=b"three")
    event = body(seen, "an S3 event after the restart")["event"]["detail"]["object"]
    check(event["version-id"] == put["VersionId"], f"version-id after the restart: {event}")
    check(dynamodb.get_item(TableName=TABLE, Key={"pk": {"S": "a"}, "sk": {"S": "c"}}).get("Item"), "items")
    check(dynamodb.describe_time_to_live(TableName=TABLE)["TimeToLiveDescription"]["TimeToLiveStatus"] == "ENABLED", "TTL")
    check(dynamodb.describe_table(TableName=TABLE)["Table"]["GlobalSecondaryIndexes"][0]["IndexName"] == "by-time", "index")
    stack = stacks.describe_stacks(StackName="check-stack")["Stacks"][0]
    check(stack["StackStatus"] == "CREATE_COMPLETE" and stack["Outputs"][0]["OutputKey"] == "Url", f"stack: {stack}")
    check(stacks.list_stack_resources(StackName="check-stack")["StackResourceSummaries"], "the stack's resources")
    topic = sns.create_topic(Name="check-alerts")["TopicArn"]
    publish(topic, sqs.get_queue_url(QueueName="heard")["QueueUrl"], "second")
    check(functions.get_policy(FunctionName="check")["Policy"], "the function's policy")


def pending():
    seen = sqs.get_queue_url(QueueName="seen")["QueueUrl"]
    functions.invoke(FunctionName="check-letter", InvocationType="Event", Payload=b'{"fail": "pending"}')
    for attempt in range(2):
        check(body(seen, f"attempt {attempt + 1}")["event"] == {"fail": "pending"}, "the pending event")


def resumed():
    letter, seen = (sqs.get_queue_url(QueueName=name)["QueueUrl"] for name in ("letter", "seen"))
    check(body(letter, "a dead letter after the crash") == {"fail": "pending"}, "the pending event's dead letter")
    while take(seen):
        pass


if __name__ == "__main__":
    {"make": make, "again": again, "pending": pending, "resumed": resumed}[sys.argv[1]]()
    print("ok")
