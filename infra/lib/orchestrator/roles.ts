import { ArnFormat, Aws, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Ground } from '../network/stack';
import { sagemakerOfThisAccount } from '../shared/confused-deputy';
import { jobInterfaces } from '../shared/network-interfaces';

/** Repositories that AWS publishes the default step images in; the account differs by region and image. */
const AWS_IMAGE_REPOSITORIES = ['autogluon-inference', 'autogluon-training', 'sagemaker-scikit-learn'];

export interface SageMakerRolesProps {
  readonly bucket: s3.IBucket;
  readonly dataKey: kms.IKey;
  /** Of the disks of jobs and endpoints. */
  readonly volumesKey: kms.IKey;
  /** Where jobs run; absent: in no VPC of the account's. */
  readonly place?: Ground;
}

/**
 * Disks: EBS is given a grant on the key for as long as the machine lives. SageMaker asks it of the role of a job, and of
 * who makes the endpoint (https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html, and `KmsKeyId` at
 * https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpointConfig.html).
 */
export function grantDisks(key: kms.IKey): iam.PolicyStatement[] {
  return [
    new iam.PolicyStatement({
      actions: ['kms:CreateGrant'],
      resources: [key.keyArn],
      conditions: { Bool: { 'kms:GrantIsForAWSResource': 'true' } },
    }),
    new iam.PolicyStatement({ actions: ['kms:DescribeKey'], resources: [key.keyArn] }),
  ];
}

/** The two roles that SageMaker takes: one to run a pipeline's steps, one inside each step and model. */
export class SageMakerRoles extends Construct {
  /** Taken by processing jobs, training jobs and models. */
  readonly job: iam.Role;
  /** Taken by a pipeline, to start its steps. */
  readonly pipeline: iam.Role;

  constructor(scope: Construct, id: string, props: SageMakerRolesProps) {
    super(scope, id);
    const stack = Stack.of(this);
    const arn = (resource: string, name: string) =>
      stack.formatArn({ service: 'sagemaker', resource, resourceName: name });

    this.job = new iam.Role(this, 'Job', {
      assumedBy: sagemakerOfThisAccount(stack),
      description: 'Taken by SageMaker inside processing jobs, training jobs and models',
    });
    const logGroups = stack.formatArn({
      service: 'logs',
      resource: 'log-group',
      resourceName: '/aws/sagemaker/*',
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    for (const statement of [
      new iam.PolicyStatement({
        actions: ['s3:GetObject'],
        // Whole prefixes: a step's inputs are the data that came in, its code, and earlier steps' outputs.
        resources: ['raw/*', 'code/*', 'runs/*'].map((keys) => props.bucket.arnForObjects(keys)),
      }),
      new iam.PolicyStatement({
        actions: ['s3:AbortMultipartUpload', 's3:PutObject'],
        // A step writes under its own execution's id, which is not known before.
        resources: [props.bucket.arnForObjects('runs/*')],
      }),
      new iam.PolicyStatement({ actions: ['s3:ListBucket'], resources: [props.bucket.bucketArn] }),
      new iam.PolicyStatement({
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
        resources: [props.dataKey.keyArn],
        conditions: { StringEquals: { 'kms:ViaService': `s3.${Aws.REGION}.amazonaws.com` } },
      }),
      // What SageMaker asks for an output that is encrypted with a named key (`KmsKeyId` at
      // https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_OutputDataConfig.html).
      new iam.PolicyStatement({ actions: ['kms:Encrypt'], resources: [props.dataKey.keyArn] }),
      ...grantDisks(props.volumesKey),
      new iam.PolicyStatement({
        actions: ['kms:Decrypt', 'kms:GenerateDataKeyWithoutPlaintext'],
        resources: [props.volumesKey.keyArn],
      }),
      ...(props.place === undefined ? [] : jobInterfaces(stack, props.place)),
      new iam.PolicyStatement({
        actions: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:DescribeLogStreams', 'logs:PutLogEvents'],
        // SageMaker chooses the groups by kind of job, the streams by job.
        resources: [logGroups],
      }),
      new iam.PolicyStatement({
        actions: ['cloudwatch:PutMetricData'],
        resources: ['*'], // The action knows no resources; its namespace bounds it.
        conditions: { StringLike: { 'cloudwatch:namespace': ['/aws/sagemaker/*', 'aws/sagemaker/*'] } },
      }),
      new iam.PolicyStatement({
        actions: ['ecr:GetAuthorizationToken'],
        resources: ['*'], // The action knows no resources.
      }),
      new iam.PolicyStatement({
        actions: ['ecr:BatchCheckLayerAvailability', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'],
        resources: [
          // AWS keeps its images in accounts of its own, another one for each region and framework.
          ...AWS_IMAGE_REPOSITORIES.map((name) =>
            stack.formatArn({ service: 'ecr', account: '*', resource: 'repository', resourceName: name }),
          ),
          // A `pipeline.yaml` may name any image of this account.
          stack.formatArn({ service: 'ecr', resource: 'repository', resourceName: '*' }),
        ],
      }),
    ]) {
      this.job.addToPolicy(statement);
    }

    this.pipeline = new iam.Role(this, 'Pipeline', {
      assumedBy: sagemakerOfThisAccount(stack),
      description: 'Taken by SageMaker pipelines to run their steps',
    });
    // SageMaker names the jobs of a pipeline `pipelines-<execution>-<step>-<suffix>`.
    const jobs = [arn('processing-job', 'pipelines-*'), arn('training-job', 'pipelines-*')];
    for (const statement of [
      new iam.PolicyStatement({
        actions: [
          'sagemaker:AddTags',
          'sagemaker:CreateProcessingJob',
          'sagemaker:CreateTrainingJob',
          'sagemaker:DescribeProcessingJob',
          'sagemaker:DescribeTrainingJob',
          'sagemaker:StopProcessingJob',
          'sagemaker:StopTrainingJob',
        ],
        resources: jobs,
      }),
      ...grantDisks(props.volumesKey),
      passRole(this.job, 'sagemaker.amazonaws.com'),
    ]) {
      this.pipeline.addToPolicy(statement);
    }
  }
}

export interface ScheduleRoleProps {
  readonly groupArn: string;
  /** The function to invoke. */
  readonly functionArn: string;
  readonly deadLetters: sqs.IQueue;
  readonly description: string;
}

/** The role EventBridge Scheduler takes to fire the schedules of one group. */
export function scheduleRole(scope: Construct, id: string, props: ScheduleRoleProps): iam.Role {
  const role = new iam.Role(scope, id, {
    assumedBy: new iam.ServicePrincipal('scheduler.amazonaws.com', {
      conditions: {
        StringEquals: { 'aws:SourceAccount': Stack.of(scope).account, 'aws:SourceArn': props.groupArn },
      },
    }),
    description: props.description,
  });
  role.addToPolicy(new iam.PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [props.functionArn] }));
  role.addToPolicy(new iam.PolicyStatement({ actions: ['sqs:SendMessage'], resources: [props.deadLetters.queueArn] }));
  return role;
}

/** The right to hand one role to one service, and to no other. */
export function passRole(role: iam.IRole, service: string): iam.PolicyStatement {
  return new iam.PolicyStatement({
    actions: ['iam:PassRole'],
    resources: [role.roleArn],
    conditions: { StringEquals: { 'iam:PassedToService': service } },
  });
}
