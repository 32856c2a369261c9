import { CustomResource, Duration } from 'aws-cdk-lib';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as sagemaker from 'aws-cdk-lib/aws-sagemaker';
import { Construct } from 'constructs';

/**
 * Served by the function `studio-resource` (handlers/src/studio): it refuses an update whose settings differ from those that
 * were accepted, unless `AllowReplacement` is `"true"`, and knows a rollback of CloudFormation's from somebody's wish.
 *
 * Properties: a text for each of `GUARDED`, and `AllowReplacement`.
 */
export const GUARD_TYPE = 'Custom::TidegateStudioGuard';

export interface GuardProps {
  readonly domain: sagemaker.CfnDomain;
  readonly allowReplacement: boolean;
  /** The function `studio-resource`. */
  readonly handler: lambda.IFunction;
}

/**
 * The settings of AWS::SageMaker::Domain that the stack sets and that cannot be changed: for the first three CloudFormation
 * makes another domain, with its users' home folders left behind; another VPC is refused by SageMaker, after much else has
 * been done (UpdateDomain takes one only for a domain that was made without). `test/studio/immutable.test.ts` holds the list
 * against AWS's own.
 */
export const GUARDED = ['AuthMode', 'DomainName', 'KmsKeyId', 'VpcId'] as const;

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
