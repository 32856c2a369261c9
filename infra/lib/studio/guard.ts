import { CustomResource, Duration, Lazy } from 'aws-cdk-lib';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as sagemaker from 'aws-cdk-lib/aws-sagemaker';
import { Construct } from 'constructs';

/**
 * The contract between the template and the function `studio-resource`, for `Custom::TidegateStudioGuard`.
 *
 * Properties: one for each setting of the domain that CloudFormation cannot change in place (`AuthMode`, `DomainName`,
 * `KmsKeyId`, `VpcId`, all texts, and `Tags`, an array of `{Key, Value}`), and `AllowReplacement`, `"true"` or `"false"`.
 * `ServiceToken` and `ServiceTimeout` are CloudFormation's.
 *
 * Create: succeeds; PhysicalResourceId names the settings, for instance `studio-guard-<SHA-256 of the properties without
 * ServiceToken, ServiceTimeout and AllowReplacement>`.
 * Update: succeeds if the digest of `ResourceProperties` is the one in the event's `PhysicalResourceId` (nothing changed, or
 * CloudFormation rolls back to what was there), or if `AllowReplacement` is `"true"` in ResourceProperties or in
 * OldResourceProperties (a rollback of an update that was allowed). Else FAILED, with names, old and new values, and the
 * same PhysicalResourceId. The old id matters: after a refusal CloudFormation rolls back by sending this resource an Update
 * with the properties exchanged; a guard that only compares old with new would refuse that too, and leave the stack in
 * UPDATE_ROLLBACK_FAILED.
 * Delete: always succeeds.
 */
export const GUARD_TYPE = 'Custom::TidegateStudioGuard';

export interface GuardProps {
  readonly domain: sagemaker.CfnDomain;
  readonly allowReplacement: boolean;
  /** The function `studio-resource`. */
  readonly handler: lambda.IFunction;
}

/**
 * The settings of AWS::SageMaker::Domain that the stack sets and CloudFormation cannot change in place: a change replaces the
 * domain, with its users' home folders left behind. `test/studio/immutable.test.ts` holds the list against AWS's own.
 */
export const GUARDED = ['AuthMode', 'DomainName', 'KmsKeyId', 'VpcId', 'Tags'] as const;

/** Refuses an update that would replace the domain, before anything of it is done: the domain depends on this. */
export class Guard extends Construct {
  constructor(scope: Construct, id: string, props: GuardProps) {
    super(scope, id);
    const { domain } = props;
    const settings: Record<(typeof GUARDED)[number], unknown> = {
      AuthMode: domain.authMode,
      DomainName: domain.domainName,
      KmsKeyId: domain.kmsKeyId,
      VpcId: domain.vpcId,
      // Known only when the whole app is: the app adds tags to everything in it.
      Tags: Lazy.any({
        produce: () => Object.entries(domain.tags.tagValues()).map(([Key, Value]) => ({ Key, Value })),
      }),
    };
    const resource = new CustomResource(this, 'Resource', {
      resourceType: GUARD_TYPE,
      serviceToken: props.handler.functionArn,
      serviceTimeout: Duration.minutes(2),
      properties: { ...settings, AllowReplacement: String(props.allowReplacement) },
    });
    domain.node.addDependency(resource);
  }
}
