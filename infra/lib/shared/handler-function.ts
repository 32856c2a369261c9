import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Duration, Stack } from 'aws-cdk-lib';
import type { RemovalPolicy } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { PROJECT_ROOT } from '../config';
import type { Ground } from '../network/stack';
import { deadLetterQueue } from './dead-letters';
import { logGroup } from './log-groups';
import { functionInterfaces } from './network-interfaces';

export interface HandlerFunctionProps {
  readonly prefix: string;
  /** The binary, which is also the function's name behind the prefix. */
  readonly binary: string;
  readonly binaries: string;
  readonly description: string;
  readonly timeout?: Duration;
  readonly environment: Record<string, string>;
  readonly permissions: readonly iam.PolicyStatement[];
  readonly logsKey: kms.IKey;
  readonly removalPolicy: RemovalPolicy;
  /** The VPC to run in; absent: in none of the account's. */
  readonly place?: Ground;
}

/**
 * One Rust binary as a Lambda function, with a role, a log group and an on-failure queue of its own.
 *
 * Every caller (EventBridge, Scheduler, CloudFormation) invokes asynchronously: Lambda retries twice,
 * then sends the event with the error to the queue.
 */
export class HandlerFunction extends Construct {
  readonly function: lambda.Function;
  /** Events that the function failed at. */
  readonly failed: sqs.Queue;

  constructor(scope: Construct, id: string, props: HandlerFunctionProps) {
    super(scope, id);
    const functionName = `${props.prefix}-${props.binary}`;
    const group = logGroup(this, 'Logs', {
      name: `/aws/lambda/${functionName}`,
      key: props.logsKey,
      removalPolicy: props.removalPolicy,
    });
    this.failed = deadLetterQueue(this, 'Failed', `${functionName}-failed`);

    const role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
      description: `Taken by the function ${functionName}`,
    });
    role.addToPolicy(
      new iam.PolicyStatement({
        actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        resources: [group.logGroupArn], // Ends in `:*`: Lambda chooses the streams' names.
      }),
    );
    role.addToPolicy(new iam.PolicyStatement({ actions: ['sqs:SendMessage'], resources: [this.failed.queueArn] }));
    for (const statement of props.permissions) role.addToPolicy(statement);
    if (props.place !== undefined) {
      for (const statement of functionInterfaces(Stack.of(this), functionName)) role.addToPolicy(statement);
    }

    this.function = new lambda.Function(this, 'Function', {
      functionName,
      description: props.description,
      runtime: lambda.Runtime.PROVIDED_AL2023,
      architecture: lambda.Architecture.X86_64,
      handler: 'bootstrap',
      code: lambda.Code.fromAsset(binaryFolder(props.binaries, props.binary)),
      memorySize: 256,
      timeout: props.timeout ?? Duration.seconds(30),
      environment: { RUST_LOG: 'info', ...props.environment },
      role,
      logGroup: group,
      loggingFormat: lambda.LoggingFormat.JSON,
      maxEventAge: Duration.hours(6),
      retryAttempts: 2,
      // Only the right to send is needed; the library's own SQS destination grants more.
      onFailure: { bind: () => ({ destination: this.failed.queueArn }) },
      ...(props.place && {
        vpc: props.place.vpc,
        vpcSubnets: { subnets: [...props.place.subnets] },
        securityGroups: [props.place.functions],
      }),
    });
    // With the role comes its policy: Lambda checks at once whether it may make network interfaces.
    if (props.place !== undefined) this.function.node.addDependency(role);
  }
}

function binaryFolder(binaries: string, binary: string): string {
  const folder = join(binaries, binary);
  if (!existsSync(join(folder, 'bootstrap'))) {
    throw new Error(
      `\`${relative(PROJECT_ROOT, join(folder, 'bootstrap'))}\` does not exist: run \`make build\` first`,
    );
  }
  return folder;
}
