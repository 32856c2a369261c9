import { ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import type { RemovalPolicy } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { alarmsMay } from '../shared/confused-deputy';
import { KEY_USE } from '../shared/key-use';
import { logGroupsOf } from '../shared/log-groups';

export interface KeysProps {
  readonly prefix: string;
  readonly removalPolicy: RemovalPolicy;
}

/**
 * The three customer keys: one for data (bucket, table, alerts), one for logs, one for volumes (the disks of jobs and
 * endpoints), so that who may read logs need not be able to read data, and a grant on a disk opens nothing else.
 * A Studio domain has a further one of its own.
 *
 * Each key's first statement hands the decision to IAM policies of the account (AWS's own default); the policies of the
 * roles then say which role may do what with the key.
 */
export class Keys extends Construct {
  readonly data: kms.Key;
  readonly logs: kms.Key;
  readonly volumes: kms.Key;

  constructor(scope: Construct, id: string, props: KeysProps) {
    super(scope, id);
    const stack = Stack.of(this);
    const key = (name: string, alias: string, what: string) =>
      new kms.Key(this, name, {
        alias: `${props.prefix}-${alias}`,
        description: `${props.prefix}: ${what}`,
        enableKeyRotation: true,
        pendingWindow: Duration.days(7),
        removalPolicy: props.removalPolicy,
      });
    const itself = ['*']; // In a key's policy this means the key itself.

    this.data = key('Data', 'data', 'data bucket, ledger and alerts');
    // An alarm publishes to the encrypted topic as CloudWatch itself.
    this.data.addToResourcePolicy(
      alarmsMay(stack, props.prefix, {
        sid: 'AlarmsPublishToTheTopic',
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
        resources: itself,
      }),
    );

    this.logs = key('Logs', 'logs', 'log groups');
    this.logs.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: 'CloudWatchLogsEncryptsOurLogGroups',
        principals: [new iam.ServicePrincipal(`logs.${stack.region}.amazonaws.com`)],
        actions: KEY_USE,
        resources: itself,
        conditions: {
          // CloudWatch Logs puts the log group into the encryption context; the groups depend on the key, so their
          // names' beginnings stand for them.
          ArnLike: {
            'kms:EncryptionContext:aws:logs:arn': logGroupsOf(props.prefix).map((resourceName) =>
              stack.formatArn({
                service: 'logs',
                resource: 'log-group',
                resourceName,
                arnFormat: ArnFormat.COLON_RESOURCE_NAME,
              }),
            ),
          },
        },
      }),
    );

    this.volumes = key('Volumes', 'volumes', 'disks of jobs and endpoints');
  }
}
