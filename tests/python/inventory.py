"""Everything that there is in this cloud, by kind: JSON, to compare one moment with another.

A key that waits for its deletion, and its tags, are of the kind `keys on their way out`: AWS keeps it for a week or more.
"""

import json

import boto3

LISTS = {
    "backup": {"list_backup_plans": ("BackupPlansList", "BackupPlanArn"), "list_backup_vaults": ("BackupVaultList", "BackupVaultName")},
    "cloudformation": {"list_exports": ("Exports", "Name")},
    "cloudwatch": {"describe_alarms": ("MetricAlarms", "AlarmName"), "list_dashboards": ("DashboardEntries", "DashboardName")},
    "dynamodb": {"list_tables": ("TableNames", None)},
    "ec2": {
        "describe_flow_logs": ("FlowLogs", "FlowLogId"),
        "describe_internet_gateways": ("InternetGateways", "InternetGatewayId"),
        "describe_nat_gateways": ("NatGateways", "NatGatewayId"),
        "describe_network_acls": ("NetworkAcls", "NetworkAclId"),
        "describe_network_interfaces": ("NetworkInterfaces", "NetworkInterfaceId"),
        "describe_route_tables": ("RouteTables", "RouteTableId"),
        "describe_security_group_rules": ("SecurityGroupRules", "SecurityGroupRuleId"),
        "describe_security_groups": ("SecurityGroups", "GroupId"),
        "describe_subnets": ("Subnets", "SubnetId"),
        "describe_tags": ("Tags", "ResourceId"),
        "describe_vpc_endpoints": ("VpcEndpoints", "VpcEndpointId"),
        "describe_vpcs": ("Vpcs", "VpcId"),
    },
    "efs": {"describe_file_systems": ("FileSystems", "FileSystemId")},
    "events": {"list_rules": ("Rules", "Name")},
    "iam": {"list_groups": ("Groups", "GroupName"), "list_roles": ("Roles", "RoleName"), "list_users": ("Users", "UserName")},
    "kms": {"list_aliases": ("Aliases", "AliasName")},
    "lambda": {"list_functions": ("Functions", "FunctionName")},
    "logs": {"describe_log_groups": ("logGroups", "logGroupName")},
    "s3": {"list_buckets": ("Buckets", "Name")},
    "sagemaker": {
        "list_domains": ("Domains", "DomainId"),
        "list_endpoint_configs": ("EndpointConfigs", "EndpointConfigName"),
        "list_endpoints": ("Endpoints", "EndpointName"),
        "list_model_package_groups": ("ModelPackageGroupSummaryList", "ModelPackageGroupName"),
        "list_models": ("Models", "ModelName"),
        "list_pipelines": ("PipelineSummaries", "PipelineName"),
    },
    "scheduler": {"list_schedule_groups": ("ScheduleGroups", "Name"), "list_schedules": ("Schedules", "Name")},
    "sns": {"list_subscriptions": ("Subscriptions", "SubscriptionArn"), "list_topics": ("Topics", "TopicArn")},
    "sqs": {"list_queues": ("QueueUrls", None)},
    "ssm": {"describe_parameters": ("Parameters", "Name")},
}
# The AWS CLI, boto3 and SageMaker know more than the engine does.
UNKNOWN = ("UnknownOperationException", "UnknownOperation")


def listed(client, operation, key, name):
    if client.can_paginate(operation):
        pages = client.get_paginator(operation).paginate()
    else:
        pages = [getattr(client, operation)()]
    found = [each if name is None else each[name] for page in pages for each in page.get(key, [])]
    return sorted(found)


def inventory():
    clients = {service: boto3.client(service) for service in LISTS}
    found = {}
    for service, operations in LISTS.items():
        for operation, (key, name) in operations.items():
            try:
                found[f"{service} {operation}"] = listed(clients[service], operation, key, name)
            except clients[service].exceptions.ClientError as problem:
                if problem.response["Error"]["Code"] not in UNKNOWN:
                    raise
    account = boto3.client("sts").get_caller_identity()["Account"]
    budgets = boto3.client("budgets").describe_budgets(AccountId=account).get("Budgets", [])
    found["budgets"] = sorted(each["BudgetName"] for each in budgets)
    policies = clients["iam"].get_paginator("list_policies").paginate(Scope="Local")
    found["managed policies"] = sorted(each["Arn"] for page in policies for each in page["Policies"])
    controls = boto3.client("organizations").list_policies(Filter="SERVICE_CONTROL_POLICY")["Policies"]
    found["service control policies"] = sorted(each["Name"] for each in controls)

    keys = [each["KeyArn"] for page in clients["kms"].get_paginator("list_keys").paginate() for each in page["Keys"]]
    state = {key: clients["kms"].describe_key(KeyId=key)["KeyMetadata"]["KeyState"] for key in keys}
    leaving = {key for key in keys if state[key] == "PendingDeletion"}
    found["keys"], found["keys on their way out"] = sorted(set(keys) - leaving), sorted(leaving)
    tagged = boto3.client("resourcegroupstaggingapi").get_paginator("get_resources").paginate()
    arns = {each["ResourceARN"] for page in tagged for each in page["ResourceTagMappingList"]}
    found["what has tags"] = sorted(arns - leaving)

    stacks = clients["cloudformation"].describe_stacks()["Stacks"]
    for stack in stacks:
        events = clients["cloudformation"].get_paginator("describe_stack_events").paginate(StackName=stack["StackId"])
        found[f"stack {stack['StackName']}"] = [stack["StackStatus"], str(stack.get("LastUpdatedTime")),
                                                sum(len(page["StackEvents"]) for page in events)]
    return found


print(json.dumps(inventory()))
