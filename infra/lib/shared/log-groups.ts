import type { RemovalPolicy } from 'aws-cdk-lib';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';

/** How long logs are kept. */
const RETENTION = logs.RetentionDays.THREE_MONTHS;

/** The groups that SageMaker writes to, by kind of work; one each for an account and region. */
export const SAGEMAKER_LOG_GROUPS = {
  Studio: '/aws/sagemaker/studio',
  ProcessingJobs: '/aws/sagemaker/ProcessingJobs',
  TrainingJobs: '/aws/sagemaker/TrainingJobs',
} as const;

/** The name of the VPC's flow logs. */
export function flowLogsOf(prefix: string): string {
  return `/aws/vpc/${prefix}-flow-logs`;
}

/** The name of the access logs of the API that lets people into Studio. */
export function accessLogsOf(prefix: string): string {
  return `/aws/apigateway/${prefix}-access`;
}

/** Every log group that Tidegate's stacks make, as names and patterns: what the logs key is for. */
export function logGroupsOf(prefix: string): string[] {
  return [`/aws/lambda/${prefix}-*`, accessLogsOf(prefix), flowLogsOf(prefix), ...Object.values(SAGEMAKER_LOG_GROUPS)];
}

export interface LogGroupProps {
  readonly name: string;
  readonly key: kms.IKey;
  readonly removalPolicy: RemovalPolicy;
}

/** A log group as all of them are: encrypted with the customer's key, kept for 90 days. */
export function logGroup(scope: Construct, id: string, props: LogGroupProps): logs.LogGroup {
  return new logs.LogGroup(scope, id, {
    logGroupName: props.name,
    retention: RETENTION,
    encryptionKey: props.key,
    removalPolicy: props.removalPolicy,
  });
}
