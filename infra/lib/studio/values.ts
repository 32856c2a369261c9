import { Aws, CfnDynamicReference, CfnDynamicReferenceService, CfnParameter, Stack } from 'aws-cdk-lib';
import * as ssm from 'aws-cdk-lib/aws-ssm';
import type { Construct } from 'constructs';
import type { Domain, RoleRef } from './config/domain';

const SSM = 'ssm:';

/** Turns what a domain file says into what CloudFormation resolves when the stack is deployed: nothing is looked up. */
export class Values {
  private readonly stack: Stack;

  constructor(scope: Construct) {
    this.stack = Stack.of(scope);
  }

  /** A text with its placeholders replaced; `ssm:/path` as the value of that parameter. */
  text(value: string): string {
    if (!value.startsWith(SSM)) return substituted(value);
    const path = value.slice(SSM.length);
    // A parameter of the template checks that the value exists before anything is changed, but its default is literal.
    if (!path.includes('{{')) return ssm.StringParameter.valueForStringParameter(this.stack, path);
    return new CfnDynamicReference(CfnDynamicReferenceService.SSM, substituted(path)).toString();
  }

  /** The same, for every text in a value. */
  all<T>(value: T): T {
    if (typeof value === 'string') return this.text(value) as T;
    if (Array.isArray(value)) return value.map((item) => this.all(item)) as T;
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, this.all(inner)])) as T;
  }

  /** The domain's subnets, from texts or from one parameter that holds the list. */
  subnets(domain: Domain): string[] {
    const [only] = domain.subnetIds;
    if (!domain.subnetList || only === undefined) return domain.subnetIds.map((id) => this.text(id));
    return ssm.StringListParameter.valueForTypedListParameter(this.stack, substituted(only.slice(SSM.length)));
  }

  /** A role's ARN. */
  roleArn(role: RoleRef): string {
    if (role.arn !== undefined) return this.text(role.arn);
    if (role.name !== undefined) {
      return `arn:${Aws.PARTITION}:iam::${Aws.ACCOUNT_ID}:role/${this.text(role.name).replace(/^\//, '')}`;
    }
    return this.roleOfId(role.id ?? '');
  }

  /**
   * IAM finds no role by its id, so whoever deploys gives the ARN: `--parameters <stack>:RoleArn…=arn:…`.
   *
   * The parameter's value is remembered by CloudFormation, so it is given once.
   */
  private roleOfId(id: string): string {
    const name = `RoleArn${id.replace(/[^a-zA-Z0-9]+(.?)/g, (_, next: string) => next.toUpperCase())}`;
    const known = this.stack.node.tryFindChild(name);
    const parameter =
      (known as CfnParameter | undefined) ??
      new CfnParameter(this.stack, name, {
        description: `The ARN of the role whose id is ${id}`,
        allowedPattern: '^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+$',
        constraintDescription: 'must be the ARN of a role',
      });
    return parameter.valueAsString;
  }
}

/** The placeholders as pseudo parameters. */
export function substituted(value: string): string {
  return value
    .replaceAll('{{partition}}', Aws.PARTITION)
    .replaceAll('{{region}}', Aws.REGION)
    .replaceAll('{{account}}', Aws.ACCOUNT_ID);
}
