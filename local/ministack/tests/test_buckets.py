"""What a stack says of its buckets, keys and tables, as their services tell it."""

import io
import json
import unittest

import botocore.exceptions
from in_process import Case

BUCKET = "AWS::S3::Bucket"
DAYS = "DaysAfterInitiation"


def bucket(name="data", **properties):
    return {"Type": BUCKET, "Properties": {"BucketName": name, **properties}}


def rules(*given):
    return {"LifecycleConfiguration": {"Rules": [{"Status": "Enabled", **each} for each in given]}}


class Buckets(Case):
    def told(self, operation, key=None, name="data"):
        answer = getattr(self.client("s3"), f"get_{operation}")(Bucket=name)
        answer.pop("ResponseMetadata")
        return answer if key is None else answer.get(key)

    def test_all_that_a_template_says_is_told(self):
        logs = bucket("logs", OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]})
        encryption = {"ServerSideEncryptionConfiguration": [{"BucketKeyEnabled": True, "ServerSideEncryptionByDefault": {
            "SSEAlgorithm": "aws:kms", "KMSMasterKeyID": {"Fn::GetAtt": ["Key", "Arn"]}}}]}
        data = bucket(
            BucketEncryption=encryption, VersioningConfiguration={"Status": "Enabled"}, Tags=[{"Key": "Project", "Value": "x"}],
            LoggingConfiguration={"DestinationBucketName": {"Ref": "Logs"}, "LogFilePrefix": "data/"},
            OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]})
        key = {"Type": "AWS::KMS::Key", "Properties": {}}
        arn = self.make({"Key": key, "Logs": logs, "Data": data}, {"Key": {"Value": {"Fn::GetAtt": ["Key", "Arn"]}}})["Key"]
        self.assertEqual(self.told("bucket_encryption")["ServerSideEncryptionConfiguration"]["Rules"], [{
            "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arn}, "BucketKeyEnabled": True}])
        self.assertEqual(self.told("bucket_logging", "LoggingEnabled"), {"TargetBucket": "logs", "TargetPrefix": "data/"})
        self.assertEqual(self.told("bucket_versioning", "Status"), "Enabled")
        self.assertEqual(self.told("bucket_ownership_controls")["OwnershipControls"]["Rules"],
                         [{"ObjectOwnership": "BucketOwnerEnforced"}])
        tags = {each["Key"]: each["Value"] for each in self.told("bucket_tagging", "TagSet")}
        self.assertEqual((tags["Project"], tags["aws:cloudformation:logical-id"]), ("x", "Data"))

    def test_a_lifecycle_rule_is_told_in_the_apis_words(self):
        self.make({"Data": bucket(**rules(
            {"Id": "uploads", "AbortIncompleteMultipartUpload": {DAYS: 7}},
            {"Id": "raw", "Prefix": "raw/", "Transitions": [{"StorageClass": "INTELLIGENT_TIERING", "TransitionInDays": 30}],
             "NoncurrentVersionTransitions": [{"StorageClass": "GLACIER", "TransitionInDays": 60}],
             "NoncurrentVersionExpiration": {"NoncurrentDays": 90, "NewerNoncurrentVersions": 3}},
            {"Id": "both", "Prefix": "tmp/", "TagFilters": [{"Key": "a", "Value": "b"}], "ExpirationInDays": "3"},
            {"Id": "tagged", "TagFilters": [{"Key": "a", "Value": "b"}], "ExpirationInDays": 4},
        ))})
        uploads, raw, both, tagged = self.told("bucket_lifecycle_configuration", "Rules")
        self.assertEqual((uploads["Filter"], uploads["AbortIncompleteMultipartUpload"]), ({"Prefix": ""}, {DAYS: 7}))
        self.assertEqual(raw["Filter"], {"Prefix": "raw/"})
        self.assertEqual(raw["Transitions"], [{"Days": 30, "StorageClass": "INTELLIGENT_TIERING"}])
        self.assertEqual(raw["NoncurrentVersionTransitions"], [{"NoncurrentDays": 60, "StorageClass": "GLACIER"}])
        self.assertEqual(raw["NoncurrentVersionExpiration"], {"NoncurrentDays": 90, "NewerNoncurrentVersions": 3})
        self.assertEqual((both["Filter"]["And"]["Tags"], both["Expiration"]), ([{"Key": "a", "Value": "b"}], {"Days": 3}))
        self.assertEqual(tagged["Filter"], {"Tag": {"Key": "a", "Value": "b"}})

    def test_what_a_template_changes_changes_and_what_it_drops_goes(self):
        full = {**rules({"Prefix": "raw/", "ExpirationInDays": 1}), "VersioningConfiguration": {"Status": "Enabled"},
                "LoggingConfiguration": {"LogFilePrefix": "a/", "DestinationBucketName": "logs"},
                "Tags": [{"Key": "Project", "Value": "x"}]}
        logs = bucket("logs")
        self.make({"Logs": logs, "Data": {**bucket(**full), "DependsOn": "Logs"}})
        self.make({"Logs": logs, "Data": bucket(**{**full, **rules({"Prefix": "raw/", "ExpirationInDays": 2})})})
        self.assertEqual(self.told("bucket_lifecycle_configuration", "Rules")[0]["Expiration"], {"Days": 2})
        self.make({"Logs": logs, "Data": bucket()})
        with self.assertRaisesRegex(botocore.exceptions.ClientError, "NoSuchLifecycleConfiguration"):
            self.told("bucket_lifecycle_configuration")
        self.assertEqual((self.told("bucket_versioning", "Status"), self.told("bucket_logging", "LoggingEnabled")),
                         ("Suspended", None))
        self.assertNotIn("Project", [each["Key"] for each in self.told("bucket_tagging", "TagSet")])

    def test_what_s3_refuses_fails_the_stack_and_leaves_no_bucket(self):
        self.refuse({"Data": bucket(LoggingConfiguration={"DestinationBucketName": "none"})}, "InvalidTargetBucketForLogging")
        self.refuse({"Data": bucket(**rules({"Status": "On", "ExpirationInDays": 1}))}, "MalformedXML", name="rule")
        self.assertEqual(self.client("s3").list_buckets()["Buckets"], [])

    def test_a_policy_needs_its_bucket(self):
        policy = {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": "none", "PolicyDocument": {"Statement": []}}}
        self.refuse({"Policy": policy}, "NoSuchBucket")

    def test_a_write_under_kms_without_a_key_takes_the_buckets_or_awss(self):
        self.make({"Data": bucket()})
        put = lambda: self.client("s3").put_object(  # noqa: E731
            Bucket="data", Key="a", Body=io.BytesIO(b"x"), ServerSideEncryption="aws:kms")
        self.assertTrue(put()["SSEKMSKeyId"].endswith(":alias/aws/s3"))
        self.make({"Data": bucket(BucketEncryption={"ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {
            "SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "arn:aws:kms:us-east-1:000000000000:key/k"}}]})})
        self.assertEqual(put()["SSEKMSKeyId"], "arn:aws:kms:us-east-1:000000000000:key/k")

    def test_a_bucket_goes_with_all_its_versions_and_comes_back_empty(self):
        data = {"Data": bucket(VersioningConfiguration={"Status": "Enabled"}, **rules({"ExpirationInDays": 1}))}
        self.make(data)
        for body in (b"1", b"2"):
            self.client("s3").put_object(Bucket="data", Key="a", Body=io.BytesIO(body))
        self.assertEqual(self.destroy(), "DELETE_COMPLETE")
        self.make({"Data": bucket()})
        versions = self.client("s3").list_object_versions(Bucket="data")
        self.assertEqual(versions.get("Versions", []), [])
        self.assertIsNone(self.told("bucket_versioning", "Status"))

    def test_the_helper_empties_only_what_the_stack_wants_emptied(self):
        emptied = lambda tag: {  # noqa: E731
            "Data": bucket(Tags=[{"Key": "aws-cdk:auto-delete-objects", "Value": tag}]),
            "Helper": {"Type": "Custom::S3AutoDeleteObjects", "Properties": {
                "ServiceToken": "arn:aws:lambda:us-east-1:000000000000:function:none", "BucketName": {"Ref": "Data"}}}}
        for tag, left in (("true", 0), ("false", 1)):
            self.make(emptied(tag))
            self.client("s3").put_object(Bucket="data", Key="a", Body=io.BytesIO(b"x"))
            self.make({"Data": emptied(tag)["Data"]})
            self.assertEqual(self.client("s3").list_objects_v2(Bucket="data")["KeyCount"], left, tag)


class Principals(Case):
    def test_a_policy_names_only_who_exists(self):
        statement = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:role/reader"}, "Resource": "*"}
        document = lambda action: {"Version": "2012-10-17", "Statement": [{**statement, "Action": action}]}  # noqa: E731
        key = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": document("kms:*")}}
        policy = {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": {"Ref": "Data"}, "PolicyDocument": document("s3:*")}}
        trust = {"Statement": [{**statement, "Action": "sts:AssumeRole"}]}
        trust["Statement"][0].pop("Resource")
        role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust}}
        for name, resources in (("key", {"Key": key}), ("bucket", {"Data": bucket(), "Policy": policy}), ("role", {"R": role})):
            self.refuse(resources, "role/reader", name=name)
        reader = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "reader", "AssumeRolePolicyDocument": {"Statement": []}}}
        self.make({"Reader": reader, "Key": {**key, "DependsOn": "Reader"}}, name="right")
        found = self.client("kms").get_key_policy(KeyId=self.physical("Key", "right"), PolicyName="default")["Policy"]
        self.assertEqual(json.loads(found), document("kms:*"))

    def test_an_alias_has_one_key(self):
        key = {"Type": "AWS::KMS::Key", "Properties": {"EnableKeyRotation": True, "PendingWindowInDays": 7}}
        alias = {"Type": "AWS::KMS::Alias", "Properties": {"AliasName": "alias/a", "TargetKeyId": {"Ref": "Key"}}}
        self.make({"Key": key, "Alias": alias})
        self.refuse({"Key": key, "Alias": alias}, "AlreadyExistsException", name="second")
        first = self.client("kms").describe_key(KeyId="alias/a")["KeyMetadata"]["KeyId"]
        self.assertEqual(first, self.physical("Key"))
        self.assertEqual(self.destroy(), "DELETE_COMPLETE")
        self.assertEqual(self.client("kms").describe_key(KeyId=first)["KeyMetadata"]["KeyState"], "PendingDeletion")


class Tables(Case):
    def table(self, **properties):
        return {"T": {"Type": "AWS::DynamoDB::Table", "Properties": {
            "TableName": "t", "BillingMode": "PAY_PER_REQUEST", "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}], **properties}}}

    def test_a_table_goes_with_its_tags_and_not_if_it_is_protected(self):
        self.make(self.table(Tags=[{"Key": "Project", "Value": "x"}], DeletionProtectionEnabled=True))
        arn = self.client("dynamodb").describe_table(TableName="t")["Table"]["TableArn"]
        self.assertEqual(self.destroy(), "DELETE_FAILED")
        self.assertIn("protected against deletion", self.reasons())
        self.client("dynamodb").update_table(TableName="t", DeletionProtectionEnabled=False)
        self.assertEqual(self.destroy(), "DELETE_COMPLETE")
        self.make(self.table())
        tags = self.client("dynamodb").list_tags_of_resource(ResourceArn=arn)["Tags"]
        self.assertNotIn("Project", [each["Key"] for each in tags])


if __name__ == "__main__":
    unittest.main()
