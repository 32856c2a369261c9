import { ArnFormat } from 'aws-cdk-lib';
import type { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';

/**
 * Conditions that bind an AWS service to this account's own resources, so that nobody else's can use our roles, keys
 * and topics through it (the confused deputy: https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html).
 */
function onBehalfOf(stack: Stack, arn: string): Record<string, Record<string, string>> {
  return { StringEquals: { 'aws:SourceAccount': stack.account }, ArnLike: { 'aws:SourceArn': arn } };
}

/** SageMaker, on behalf of any resource of this account: pipelines, jobs and models are named by their owners. */
export function sagemakerOfThisAccount(stack: Stack): iam.IPrincipal {
  const arn = stack.formatArn({ service: 'sagemaker', resource: '*', arnFormat: ArnFormat.NO_RESOURCE_NAME });
  return new iam.ServicePrincipal('sagemaker.amazonaws.com', { conditions: onBehalfOf(stack, arn) });
}

/** VPC flow logs of this account. */
export function flowLogsOfThisAccount(stack: Stack): iam.IPrincipal {
  const arn = stack.formatArn({ service: 'ec2', resource: 'vpc-flow-log', resourceName: '*' });
  return new iam.ServicePrincipal('vpc-flow-logs.amazonaws.com', { conditions: onBehalfOf(stack, arn) });
}

/**
 * What Tidegate's alarms may do to a resource: CloudWatch acts as itself, not as a role of ours.
 *
 * The alarms refer to the resource, so it can name them by their prefix only.
 */
export function alarmsMay(
  stack: Stack,
  prefix: string,
  statement: { readonly sid: string; readonly actions: string[]; readonly resources: string[] },
): iam.PolicyStatement {
  const alarms = stack.formatArn({
    service: 'cloudwatch',
    resource: 'alarm',
    resourceName: `${prefix}-*`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  return new iam.PolicyStatement({
    ...statement,
    principals: [new iam.ServicePrincipal('cloudwatch.amazonaws.com')],
    conditions: onBehalfOf(stack, alarms),
  });
}
