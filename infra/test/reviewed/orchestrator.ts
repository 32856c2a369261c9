import type { Acknowledged, Reasons } from './kinds';

/** Wildcards of the orchestrator's stack, and why no exact name can stand there. */
export const wildcards: Reasons = {
  'Deny principal *': 'nobody may come without TLS',
  'Deny action sqs:*': 'nothing may be done without TLS',
  'Allow condition arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:tidegate-*':
    'the alarms refer to the topic, which can therefore name them by their prefix only',

  // Objects: their names come with the data, the code and the runs.
  'Allow resource ${BucketData.Arn}/raw/*': 'data arrives under names that its owners choose',
  'Allow resource ${BucketData.Arn}/code/*': 'code lies under its content hash',
  'Allow resource ${BucketData.Arn}/runs/*': 'a run writes under its own id',

  // SageMaker: names come from pipeline.yaml files, after the stack.
  'Allow condition arn:${AWS::Partition}:sagemaker:${AWS::Region}:${AWS::AccountId}:*':
    'SageMaker takes the roles for pipelines, jobs, models and endpoints alike, of this account only',
  'Allow resource arn:${AWS::Partition}:sagemaker:${AWS::Region}:${AWS::AccountId}:pipeline/*':
    'named in pipeline.yaml',
  'Allow resource arn:${AWS::Partition}:sagemaker:${AWS::Region}:${AWS::AccountId}:pipeline/*/execution/*':
    'SageMaker makes the id of an execution',
  'Allow resource arn:${AWS::Partition}:sagemaker:${AWS::Region}:${AWS::AccountId}:processing-job/pipelines-*':
    'SageMaker names the jobs of pipelines, always with this prefix',
  'Allow resource arn:${AWS::Partition}:sagemaker:${AWS::Region}:${AWS::AccountId}:training-job/pipelines-*':
    'SageMaker names the jobs of pipelines, always with this prefix',
  'Allow resource arn:${AWS::Partition}:sagemaker:${AWS::Region}:${AWS::AccountId}:model-package-group/*':
    'a group is named after its pipeline',
  'Allow resource arn:${AWS::Partition}:sagemaker:${AWS::Region}:${AWS::AccountId}:model-package/*':
    'a package is its group and a version',
  'Allow resource arn:${AWS::Partition}:sagemaker:${AWS::Region}:${AWS::AccountId}:model/*':
    'a model is named after its endpoint and run',
  'Allow resource arn:${AWS::Partition}:sagemaker:${AWS::Region}:${AWS::AccountId}:endpoint-config/*':
    'a configuration is named after its endpoint and run',
  'Allow resource arn:${AWS::Partition}:sagemaker:${AWS::Region}:${AWS::AccountId}:endpoint/*':
    'named in pipeline.yaml',

  // What a step needs beside data.
  'Allow resource arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/sagemaker/*':
    'SageMaker chooses group and stream by kind of job and by job',
  'Allow condition /aws/sagemaker/*': 'SageMaker has a namespace for each kind of job',
  'Allow condition aws/sagemaker/*': 'SageMaker has a namespace for each kind of job',
  'Allow resource arn:${AWS::Partition}:ecr:${AWS::Region}:${AWS::AccountId}:repository/*':
    'a pipeline.yaml may name any image of this account',
  'Allow resource arn:${AWS::Partition}:ecr:${AWS::Region}:*:repository/autogluon-inference':
    'AWS keeps its images in an account of its own for each region',
  'Allow resource arn:${AWS::Partition}:ecr:${AWS::Region}:*:repository/autogluon-training':
    'AWS keeps its images in an account of its own for each region',
  'Allow resource arn:${AWS::Partition}:ecr:${AWS::Region}:*:repository/sagemaker-scikit-learn':
    'AWS keeps its images in an account of its own for each region',

  // Scheduler.
  'Allow resource arn:${AWS::Partition}:scheduler:${AWS::Region}:${AWS::AccountId}:schedule/tidegate/*':
    "schedules are named in pipeline.yaml; the group is Tidegate's own",

  // Interfaces in the VPC.
  'Allow resource arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:network-interface/*':
    'EC2 makes the ids of the interfaces of jobs',
};

/** Actions that may stand beside the resource `*`, and why. */
export const anyResource: Reasons = {
  'cloudwatch:PutMetricData': 'knows no resources; a condition on the namespace bounds it',
  'ecr:GetAuthorizationToken': 'knows no resources',
  'sagemaker:ListEndpointConfigs': 'knows no resources; it shows names, and what is deleted is named one by one',
  'sagemaker:ListModels': 'knows no resources; it shows names, and what is deleted is named one by one',
  'scheduler:ListSchedules': 'knows no resources',
  'ec2:AssignPrivateIpAddresses': 'Lambda tries the right on any interface; the code of the function is denied it',
  'ec2:CreateNetworkInterface': 'Lambda tries the right on any interface; the code of the function is denied it',
  'ec2:DeleteNetworkInterface': 'Lambda tries the right on any interface; the code of the function is denied it',
  'ec2:DescribeDhcpOptions': 'knows no resources',
  'ec2:DescribeNetworkInterfaces': 'knows no resources',
  'ec2:DescribeSecurityGroups': 'knows no resources',
  'ec2:DescribeSubnets': 'knows no resources',
  'ec2:DescribeVpcs': 'knows no resources',
  'ec2:UnassignPrivateIpAddresses': 'Lambda tries the right on any interface; the code of the function is denied it',
};

/** Findings of the rule packs that stay, each with a reason. */
export const acknowledged: readonly Acknowledged[] = [
  {
    rule: 'AwsSolutions-SQS3',
    at: /^Tidegate\/(\w+\/)?(Failed|Undelivered|ScheduleUndelivered)\/Resource$/,
    reason: 'the queue is a dead-letter queue itself; an alarm rings when anything lies in it',
  },
  {
    rule: 'NIST.800.53.R5-DynamoDBInBackupPlan',
    at: /^Tidegate\/Ledger\/Table\/Resource$/,
    reason:
      'point-in-time recovery restores the ledger to any second of the last 35 days, finer than any plan of backups',
  },
  {
    rule: 'NIST.800.53.R5-IAMNoInlinePolicy',
    at: /^Tidegate\/(\w+\/)?(Role|ScheduleRole|Job|Pipeline)\/DefaultPolicy\/Resource$/,
    reason: 'each policy is the work of one role and of no other: a managed policy could be attached elsewhere',
  },
  {
    rule: 'NIST.800.53.R5-LambdaConcurrency',
    at: /^Tidegate\/\w+\/Function\/Resource$/,
    reason:
      "reserved concurrency is taken from the account's pool and throttles beyond it; events wait in Lambda's own queue for hours, and an alarm rings on throttling",
  },
  {
    rule: 'NIST.800.53.R5-LambdaDLQ',
    at: /^Tidegate\/\w+\/Function\/Resource$/,
    reason:
      'failed events go to a queue of the function as its on-failure destination, which keeps the error with them; the rule knows only the older setting',
  },
  {
    rule: 'NIST.800.53.R5-LambdaInsideVPC',
    at: /^Tidegate\/\w+\/Function\/Resource$/,
    reason:
      'a switch puts the functions into isolated subnets (`functionsInVpc`); without it they call nothing but AWS, under TLS',
  },
];
