import { Aws, Stack } from 'aws-cdk-lib';
import type * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type * as sns from 'aws-cdk-lib/aws-sns';
import { KEY_USE } from '../shared/key-use';
import { BY_DUE, BY_TIME } from './ledger';
import { grantDisks, passRole } from './roles';

/** What the functions' permissions are about. */
export interface Subjects {
  readonly stack: Stack;
  readonly table: dynamodb.ITable;
  readonly bucket: s3.IBucket;
  readonly key: kms.IKey;
  /** Of the disks of jobs and endpoints. */
  readonly volumesKey: kms.IKey;
  readonly topic: sns.ITopic;
  readonly jobRole: iam.IRole;
  readonly pipelineRole: iam.IRole;
  /** The group of the pipelines' schedules, by name. */
  readonly scheduleGroup: string;
  /** What EventBridge Scheduler takes to fire them. */
  readonly scheduleRole: iam.IRole;
}

/**
 * Permissions in words of Tidegate, each exact.
 *
 * Pipelines, endpoints and what belongs to them are named in `pipeline.yaml` files that come after
 * this stack (`tidegate apply`), so SageMaker's names are wildcards, bound to the kind of resource,
 * the account and the region. `test/wildcards.ts` lists every wildcard with its reason.
 */
export class Permissions {
  constructor(private readonly on: Subjects) {}

  /** Read and commit, without the right to delete. A transaction needs the rights of the writes it holds. */
  ledger(): iam.PolicyStatement[] {
    const table = this.on.table.tableArn;
    return [
      allow(['dynamodb:ConditionCheckItem', 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'], [table]),
      allow(['dynamodb:Query'], [table, `${table}/index/${BY_DUE}`, `${table}/index/${BY_TIME}`]),
      this.useKey('dynamodb', KEY_USE),
    ];
  }

  /**
   * What draining the outbox may take, whichever event woke the function: copy the input, start the execution,
   * look at it, stop it, wake up later, register, deploy, alert.
   */
  effects(): iam.PolicyStatement[] {
    const { bucket, jobRole, scheduleRole, topic, volumesKey } = this.on;
    const pipelines = this.sagemaker('pipeline', '*');
    const executions = this.executions();
    const trainingJobs = this.sagemaker('training-job', 'pipelines-*');
    const groups = this.sagemaker('model-package-group', '*');
    const packages = this.sagemaker('model-package', '*');
    const models = this.sagemaker('model', '*');
    const configs = this.sagemaker('endpoint-config', '*');
    const endpoints = this.sagemaker('endpoint', '*');
    return [
      // The arrived version is copied, with its tags, to the run's own prefix.
      allow(
        ['s3:GetObject', 's3:GetObjectTagging', 's3:GetObjectVersion', 's3:GetObjectVersionTagging'],
        [bucket.arnForObjects('raw/*')],
      ),
      allow(
        ['s3:AbortMultipartUpload', 's3:GetObject', 's3:PutObject', 's3:PutObjectTagging'],
        [bucket.arnForObjects('runs/*')],
      ),
      // Without it S3 answers "access denied" where it means "no such key".
      allow(['s3:ListBucket'], [bucket.bucketArn]),
      this.useKey('s3', ['kms:Decrypt', 'kms:GenerateDataKey']),

      allow(['sagemaker:DescribePipeline', 'sagemaker:StartPipelineExecution'], [pipelines]),
      allow(
        [
          'sagemaker:DescribePipelineExecution',
          'sagemaker:ListPipelineExecutionSteps',
          'sagemaker:ListPipelineParametersForExecution',
          'sagemaker:StopPipelineExecution',
        ],
        [executions],
      ),
      allow(['sagemaker:DescribeTrainingJob'], [trainingJobs]),

      allow(['sagemaker:CreateModelPackageGroup', 'sagemaker:DescribeModelPackageGroup'], [groups]),
      allow(['sagemaker:CreateModelPackage', 'sagemaker:DescribeModelPackage'], [groups, packages]),
      allow(['sagemaker:CreateModel', 'sagemaker:DescribeModel'], [models]),
      allow(['sagemaker:CreateEndpointConfig', 'sagemaker:DescribeEndpointConfig'], [configs]),
      allow(['sagemaker:CreateEndpoint', 'sagemaker:UpdateEndpoint'], [configs, endpoints]),
      ...grantDisks(volumesKey),
      // An endpoint whose making failed serves nothing and cannot be updated: it is deleted and made anew.
      allow(['sagemaker:DeleteEndpoint', 'sagemaker:DescribeEndpoint'], [endpoints]),
      allow(['sagemaker:AddTags'], [groups, packages, models, configs, endpoints]),
      passRole(jobRole, 'sagemaker.amazonaws.com'),

      // A run that waits for a time (its batch to be complete, its deadline) has itself woken once.
      allow(['scheduler:CreateSchedule'], [this.schedules()]),
      passRole(scheduleRole, 'scheduler.amazonaws.com'),

      allow(['sns:Publish'], [topic.topicArn]),
      this.useKey('sns', ['kms:Decrypt', 'kms:GenerateDataKey']),
    ];
  }

  /**
   * A schedule's run takes what lies under its prefix, at exact versions, and so does one that a marker or a manifest
   * begins; an adopted execution's notes what it may have read.
   */
  listVersions(): iam.PolicyStatement[] {
    return [allow(['s3:ListBucketVersions'], [this.on.bucket.bucketArn])];
  }

  /** A schedule that someone paused has not lost its firing. */
  lookAtSchedules(): iam.PolicyStatement[] {
    return [allow(['scheduler:GetSchedule'], [this.schedules()])];
  }

  /** Upload code, create or change the pipeline, reconcile its schedules, and clean up after it. */
  pipelineResource(): iam.PolicyStatement[] {
    const { bucket, pipelineRole, scheduleGroup, scheduleRole, stack } = this.on;
    const group = scheduleGroupArn(stack, scheduleGroup);
    return [
      // A pipeline that goes takes its entry in the ledger along; its runs and their history stay.
      allow(['dynamodb:DeleteItem'], [this.on.table.tableArn]),

      allow(['s3:AbortMultipartUpload', 's3:GetObject', 's3:PutObject'], [bucket.arnForObjects('code/*')]),
      allow(['s3:ListBucket'], [bucket.bucketArn]),
      this.useKey('s3', ['kms:Decrypt', 'kms:GenerateDataKey']),

      allow(
        [
          'sagemaker:AddTags',
          'sagemaker:CreatePipeline',
          'sagemaker:DeletePipeline',
          'sagemaker:DescribePipeline',
          'sagemaker:ListPipelineExecutions',
          'sagemaker:UpdatePipeline',
        ],
        [this.sagemaker('pipeline', '*')],
      ),
      // A pipeline that executes is not deleted: its executions are stopped first.
      allow(['sagemaker:StopPipelineExecution'], [this.executions()]),
      allow(['sagemaker:DeleteEndpoint'], [this.sagemaker('endpoint', '*')]),
      allow(['sagemaker:DeleteEndpointConfig'], [this.sagemaker('endpoint-config', '*')]),
      allow(['sagemaker:DeleteModel'], [this.sagemaker('model', '*')]),
      // What runs deployed is found by the endpoint's name in its own. The actions know no resources.
      allow(['sagemaker:ListEndpointConfigs', 'sagemaker:ListModels'], ['*']),
      passRole(pipelineRole, 'sagemaker.amazonaws.com'),

      allow(['scheduler:CreateScheduleGroup', 'scheduler:GetScheduleGroup'], [group]),
      allow(
        ['scheduler:CreateSchedule', 'scheduler:DeleteSchedule', 'scheduler:GetSchedule', 'scheduler:UpdateSchedule'],
        [this.schedules()],
      ),
      allow(['scheduler:ListSchedules'], ['*']), // The action knows no resources.
      passRole(scheduleRole, 'scheduler.amazonaws.com'),
    ];
  }

  /** SageMaker makes the id of an execution. */
  private executions(): string {
    return this.sagemaker('pipeline', '*/execution/*');
  }

  /** Schedules come and go with pipelines and runs, and bear their names. */
  private schedules(): string {
    const { scheduleGroup, stack } = this.on;
    return stack.formatArn({ service: 'scheduler', resource: 'schedule', resourceName: `${scheduleGroup}/*` });
  }

  private sagemaker(resource: string, resourceName: string): string {
    return this.on.stack.formatArn({ service: 'sagemaker', resource, resourceName });
  }

  /** The data key, only by way of the service that holds the data. */
  private useKey(service: string, actions: string[]): iam.PolicyStatement {
    return new iam.PolicyStatement({
      actions,
      resources: [this.on.key.keyArn],
      conditions: { StringEquals: { 'kms:ViaService': `${service}.${Aws.REGION}.amazonaws.com` } },
    });
  }
}

/** The ARN that Scheduler puts into `aws:SourceArn`. */
export function scheduleGroupArn(stack: Stack, group: string): string {
  return stack.formatArn({ service: 'scheduler', resource: 'schedule-group', resourceName: group });
}

function allow(actions: string[], resources: string[]): iam.PolicyStatement {
  return new iam.PolicyStatement({ actions, resources });
}
