import { ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import type { RemovalPolicy } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';

export interface KeysProps {
  readonly prefix: string;
  readonly removalPolicy: RemovalPolicy;
}

/**
 * The two customer keys: one for data (bucket, table, alerts), one for logs, so that who may read
 * logs need not be able to read data.
 *
 * Each key's first statement hands the decision to IAM policies of the account (AWS's own default);
 * the roles' policies in `permissions.ts` then say which role may do what with the key.
 */
export class Keys extends Construct {
  readonly data: kms.Key;
  readonly logs: kms.Key;

  constructor(scope: Construct, id: string, props: KeysProps) {
    super(scope, id);
    const stack = Stack.of(this);
    const common = {
      enableKeyRotation: true,
      pendingWindow: Duration.days(7),
      removalPolicy: props.removalPolicy,
    };

    this.data = new kms.Key(this, 'Data', {
      ...common,
      alias: `${props.prefix}-data`,
      description: `${props.prefix}: data bucket, ledger and alerts`,
    });
    // An alarm publishes to the encrypted topic as CloudWatch itself, not as a role of ours.
    this.data.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: 'AlarmsPublishToTheTopic',
        principals: [new iam.ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
        resources: ['*'], // In a key's policy this means the key itself.
        conditions: {
          StringEquals: { 'aws:SourceAccount': stack.account },
          // The alarms do not exist yet when the key is made: their names' prefix stands for them.
          ArnLike: {
            'aws:SourceArn': stack.formatArn({
              service: 'cloudwatch',
              resource: 'alarm',
              resourceName: `${props.prefix}-*`,
              arnFormat: ArnFormat.COLON_RESOURCE_NAME,
            }),
          },
        },
      }),
    );

    this.logs = new kms.Key(this, 'Logs', {
      ...common,
      alias: `${props.prefix}-logs`,
      description: `${props.prefix}: log groups`,
    });
    this.logs.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: 'CloudWatchLogsEncryptsOurLogGroups',
        principals: [new iam.ServicePrincipal(`logs.${stack.region}.amazonaws.com`)],
        actions: [
          'kms:Decrypt',
          'kms:DescribeKey',
          'kms:Encrypt',
          'kms:GenerateDataKey',
          'kms:GenerateDataKeyWithoutPlaintext',
          'kms:ReEncryptFrom',
          'kms:ReEncryptTo',
        ],
        resources: ['*'], // In a key's policy this means the key itself.
        conditions: {
          // CloudWatch Logs puts the log group into the encryption context; the groups depend on the key, so again the prefix.
          ArnLike: {
            'kms:EncryptionContext:aws:logs:arn': stack.formatArn({
              service: 'logs',
              resource: 'log-group',
              resourceName: `/aws/lambda/${props.prefix}-*`,
              arnFormat: ArnFormat.COLON_RESOURCE_NAME,
            }),
          },
        },
      }),
    );
  }
}
