import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Duration, Stack, Stage } from 'aws-cdk-lib';
import type { RemovalPolicy } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { PROJECT_ROOT } from '../config';
import type { Ground } from '../network/stack';
import { logGroup } from './log-groups';
import { functionInterfaces } from './network-interfaces';

export interface RustFunctionProps {
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
  readonly place?: Pick<Ground, 'vpc' | 'subnets' | 'functions'>;
  /** Files that lie beside the binary, by name. */
  readonly files?: Readonly<Record<string, string>>;
}

/** One Rust binary as a Lambda function, with a role and a log group of its own, for callers that wait for its answer. */
export class RustFunction extends Construct {
  readonly function: lambda.Function;
  /** Of the function, with the prefix. */
  protected readonly functionName: string;

  constructor(scope: Construct, id: string, props: RustFunctionProps) {
    super(scope, id);
    const functionName = (this.functionName = `${props.prefix}-${props.binary}`);
    const group = logGroup(this, 'Logs', {
      name: `/aws/lambda/${functionName}`,
      key: props.logsKey,
      removalPolicy: props.removalPolicy,
    });

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
      code: code(this, binaryFolder(props.binaries, props.binary), props),
      memorySize: 256,
      timeout: props.timeout ?? Duration.seconds(30),
      environment: { RUST_LOG: 'info', ...props.environment },
      role,
      logGroup: group,
      loggingFormat: lambda.LoggingFormat.JSON,
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

/**
 * The folder, with files beside the binary. They are put together where CDK stages what it packs; it names the asset after
 * names and contents alone, so the same bytes are the same asset on every machine.
 */
function code(scope: Construct, folder: string, props: RustFunctionProps): lambda.Code {
  const files = Object.entries(props.files ?? {});
  if (files.length === 0) return lambda.Code.fromAsset(folder);
  const together = join(Stage.of(scope)?.outdir ?? '', 'functions', `${Stack.of(scope).node.id}-${props.binary}`);
  rmSync(together, { recursive: true, force: true });
  mkdirSync(together, { recursive: true });
  copyFileSync(join(folder, 'bootstrap'), join(together, 'bootstrap'));
  for (const [name, content] of files) writeFileSync(join(together, name), content);
  return lambda.Code.fromAsset(together);
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
