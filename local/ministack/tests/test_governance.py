"""Roles, groups, managed policies, service control policies, budgets and backups of a stack, as their services tell them."""

import json
import unittest

from in_process import ACCOUNT, Case

TRUST = {"Version": "2012-10-17", "Statement": []}
NOTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}


def of(kind, /, **properties):
    return {"Type": kind, "Properties": properties}


def policy(**properties):
    return of("AWS::IAM::ManagedPolicy", PolicyDocument=NOTHING, **properties)


def role(**properties):
    return of("AWS::IAM::Role", AssumeRolePolicyDocument=TRUST, **properties)


class Iam(Case):
    def test_a_role_keeps_its_boundary(self):
        told = lambda: self.client("iam").get_role(RoleName="r")["Role"].get("PermissionsBoundary", {})  # noqa: E731
        bound = {"P": policy(), "R": role(RoleName="r", PermissionsBoundary={"Ref": "P"})}
        self.make(bound)
        self.assertEqual(told()["PermissionsBoundaryArn"], self.physical("P"))
        self.make({"P": policy(), "R": role(RoleName="r")})
        self.assertEqual(told(), {})
        self.refuse({"R": role(PermissionsBoundary=f"arn:aws:iam::{ACCOUNT}:policy/none")}, "policy/none", name="none")

    def test_names_are_taken_once(self):
        self.make({"R": role(RoleName="r"), "P": policy(ManagedPolicyName="p")})
        self.refuse({"R": role(RoleName="r")}, "Role with name r already exists", name="role")
        self.refuse({"P": policy(ManagedPolicyName="p")}, "A policy called p already exists", name="policy")
        self.assertEqual(self.client("iam").get_role(RoleName="r")["Role"]["RoleName"], "r")

    def test_a_policy_that_others_hold_stays(self):
        self.make({"P": policy(ManagedPolicyName="p")})
        self.make({"R": role(RoleName="r", ManagedPolicyArns=[f"arn:aws:iam::{ACCOUNT}:policy/p"])}, name="holder")
        self.assertEqual(self.destroy(), "DELETE_FAILED")
        self.assertIn("DeleteConflict", self.reasons())
        self.assertEqual([self.destroy("holder"), self.destroy()], ["DELETE_COMPLETE"] * 2)

    def test_a_group_has_its_policies(self):
        group = lambda *policies: of(  # noqa: E731
            "AWS::IAM::Group", GroupName="g", ManagedPolicyArns=[{"Ref": each} for each in policies],
            Policies=[{"PolicyName": "own", "PolicyDocument": NOTHING}] if len(policies) == 1 else [])
        iam, two = self.client("iam"), {"P": policy(), "Q": policy()}
        held = lambda: {each["PolicyArn"] for each in iam.list_attached_group_policies(  # noqa: E731
            GroupName="g")["AttachedPolicies"]}
        arn = self.make({**two, "G": group("P")}, {"Arn": {"Value": {"Fn::GetAtt": ["G", "Arn"]}}})["Arn"]
        self.assertEqual((arn, held()), (iam.get_group(GroupName="g")["Group"]["Arn"], {self.physical("P")}))
        self.assertEqual(iam.list_group_policies(GroupName="g")["PolicyNames"], ["own"])
        self.make({**two, "G": group("P", "Q")})
        self.assertEqual((held(), iam.list_group_policies(GroupName="g")["PolicyNames"]),
                         ({self.physical("P"), self.physical("Q")}, []))
        self.assertEqual((self.destroy(), iam.list_groups()["Groups"]), ("DELETE_COMPLETE", []))


    def test_policies_keep_to_iams_quotas(self):
        long = lambda size: {"Version": "2012-10-17", "Statement": [  # noqa: E731
            {"Effect": "Deny", "Action": "*", "Resource": "*", "Sid": "x" * size}]}
        self.make({"P": of("AWS::IAM::ManagedPolicy", PolicyDocument=long(6000))})
        self.refuse({"P": of("AWS::IAM::ManagedPolicy", PolicyDocument=long(6100))}, "PolicySize: 6144")
        trust = of("AWS::IAM::Role", AssumeRolePolicyDocument=long(2048))
        self.refuse({"R": trust}, "ACLSizePerRole: 2048", name="trust")
        many = role(ManagedPolicyArns=[f"arn:aws:iam::aws:policy/P{each}" for each in range(11)])
        self.refuse({"R": many}, "PoliciesPerRole: 10", name="many")
        inline = lambda name: of("AWS::IAM::Policy", PolicyName=name, PolicyDocument=long(5200),  # noqa: E731
                                 Roles=[{"Ref": "R"}])
        self.make({"R": role(), "A": inline("a")}, name="inline")
        self.refuse({"R": role(), "A": inline("a"), "B": inline("b")}, "inline policies of", name="inline")


class LogGroups(Case):
    def key(self, names, *more):
        actions = ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", *more]
        arn = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{names}"
        return of("AWS::KMS::Key", KeyPolicy={"Statement": [
            {"Effect": "Allow", "Principal": {"Service": "logs.us-east-1.amazonaws.com"}, "Action": actions, "Resource": "*",
             "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": arn}}}]})

    def test_a_key_must_let_the_group_in(self):
        group = lambda name: of("AWS::Logs::LogGroup", LogGroupName=name, KmsKeyId={"Fn::GetAtt": ["Key", "Arn"]})  # noqa: E731
        key = self.key("/own/*", "kms:Describe*")
        self.make({"Key": key, "G": group("/own/a")})
        self.refuse({"Key": key, "G": group("/other/a")}, "not allowed to be used with Arn", name="other")
        self.refuse({"Key": self.key("/own/*"), "G": group("/own/b")}, "not allowed to be used", name="short")
        self.refuse({"G": of("AWS::Logs::LogGroup", LogGroupName="/own/a")}, "already exists", name="again")
        self.assertEqual(self.client("logs").describe_log_groups()["logGroups"][0]["logGroupName"], "/own/a")


class Organization(Case):
    def test_a_service_control_policy_comes_changes_and_goes(self):
        client = self.client("organizations")
        root = client.list_roots()["Roots"][0]["Id"]
        scp = lambda action, *targets: of(  # noqa: E731
            "AWS::Organizations::Policy", Name="guard", Type="SERVICE_CONTROL_POLICY", TargetIds=list(targets),
            Content={"Statement": [{"Effect": "Deny", "Action": action, "Resource": "*"}]})
        own = lambda: [each for each in client.list_policies(Filter="SERVICE_CONTROL_POLICY")["Policies"]  # noqa: E731
                       if not each["AwsManaged"]]
        attached = lambda: [each["TargetId"] for each in client.list_targets_for_policy(  # noqa: E731
            PolicyId=self.physical("Scp"))["Targets"]]
        self.make({"Scp": scp("sagemaker:*", root)}, {"Arn": {"Value": {"Fn::GetAtt": ["Scp", "Arn"]}}})
        self.assertEqual([(each["Name"], each["Arn"]) for each in own()], [("guard", self.outputs()["Arn"])])
        self.assertEqual(attached(), [root])
        before = self.physical("Scp")
        self.make({"Scp": scp("ec2:*")})
        content = client.describe_policy(PolicyId=before)["Policy"]["Content"]
        self.assertEqual((self.physical("Scp"), json.loads(content)["Statement"][0]["Action"], attached()),
                         (before, "ec2:*", []))
        self.assertEqual((self.destroy(), own()), ("DELETE_COMPLETE", []))
        self.refuse({"Scp": scp("ec2:*", "ou-none")}, "ou-none")
        self.assertEqual(own(), [])


def budget(limit, *addresses, **more):
    notification = {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": 80}
    told = [{"SubscriptionType": "EMAIL", "Address": each} for each in addresses]
    return of("AWS::Budgets::Budget", Budget={"BudgetType": "COST", "TimeUnit": "MONTHLY",
                                              "BudgetLimit": {"Amount": limit, "Unit": "USD"}, **more},
              NotificationsWithSubscribers=[{"Notification": notification, "Subscribers": told}])


class Budgets(Case):
    def told(self):
        return self.client("budgets").describe_budgets(AccountId=ACCOUNT).get("Budgets", [])

    def test_a_budget_comes_changes_and_goes(self):
        self.make({"B": budget(100, "a@example.org")})
        [first] = self.told()
        notifications = self.client("budgets").describe_notifications_for_budget(
            AccountId=ACCOUNT, BudgetName=first["BudgetName"])["Notifications"]
        self.assertEqual((first["BudgetLimit"]["Amount"], [each["Threshold"] for each in notifications]), ("100", [80.0]))
        self.make({"B": budget(200, "a@example.org")})
        [second] = self.told()
        self.assertEqual((second["BudgetName"], second["BudgetLimit"]["Amount"]), (first["BudgetName"], "200"))
        self.assertEqual((self.destroy(), self.told()), ("DELETE_COMPLETE", []))

    def test_who_is_told_makes_another_budget_which_a_fixed_name_forbids(self):
        self.make({"B": budget(100, "a@example.org")})
        before = self.physical("B")
        self.make({"B": budget(100, "b@example.org")})
        self.assertEqual([each["BudgetName"] for each in self.told()], [self.physical("B")])
        self.assertNotEqual(self.physical("B"), before)
        self.make({"B": budget(100, "a@example.org", BudgetName="fixed")}, name="named")
        self.refuse({"B": budget(100, "b@example.org", BudgetName="fixed")}, "already exists", name="named")


class Backups(Case):
    def test_a_selection_comes_is_replaced_and_goes(self):
        backup = self.client("backup")
        selection = lambda value: of(  # noqa: E731
            "AWS::Backup::BackupSelection", BackupPlanId={"Ref": "Plan"}, BackupSelection={
                "SelectionName": "studio", "IamRoleArn": {"Fn::GetAtt": ["R", "Arn"]},
                "ListOfTags": [{"ConditionType": "STRINGEQUALS", "ConditionKey": "k", "ConditionValue": value}]})
        rule = {"RuleName": "daily", "TargetBackupVault": {"Ref": "Vault"}, "ScheduleExpression": "cron(0 3 * * ? *)"}
        ground = {"R": role(), "Vault": of("AWS::Backup::BackupVault", BackupVaultName="vault"),
                  "Plan": of("AWS::Backup::BackupPlan", BackupPlan={"BackupPlanName": "plan", "BackupPlanRule": [rule]})}
        self.make({**ground, "S": selection("a")}, {"Id": {"Value": {"Fn::GetAtt": ["S", "SelectionId"]}}})
        listed = lambda: [each["SelectionId"] for each in backup.list_backup_selections(  # noqa: E731
            BackupPlanId=self.physical("Plan"))["BackupSelectionsList"]]
        first = self.outputs()["Id"]
        self.assertEqual(listed(), [first])
        self.make({**ground, "S": selection("b")}, {"Id": {"Value": {"Fn::GetAtt": ["S", "SelectionId"]}}})
        self.assertEqual((listed(), first in listed()), ([self.outputs()["Id"]], False))
        found = backup.get_backup_selection(BackupPlanId=self.physical("Plan"), SelectionId=self.outputs()["Id"])
        self.assertEqual(found["BackupSelection"]["ListOfTags"][0]["ConditionValue"], "b")
        self.refuse({"Vault": ground["Vault"]}, "AlreadyExistsException", name="again")
        plan = self.physical("Plan")
        self.assertEqual((self.destroy(), backup.list_backup_plans()["BackupPlansList"]), ("DELETE_COMPLETE", []), plan)
        self.assertEqual(backup.list_backup_vaults()["BackupVaultList"], [])


if __name__ == "__main__":
    unittest.main()
