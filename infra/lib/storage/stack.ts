import { CfnOutput, Stack } from 'aws-cdk-lib';
import type { StackProps } from 'aws-cdk-lib';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { removalPolicy } from '../config';
import type { Config } from '../config';
import { SAGEMAKER_LOG_GROUPS, logGroup } from '../shared/log-groups';
import { Buckets } from './buckets';
import { Keys } from './keys';

export interface StorageStackProps extends StackProps {
  readonly config: Config;
}

/** What is kept, and under which keys: the other stacks use it and may come and go. */
export class StorageStack extends Stack {
  readonly data: s3.IBucket;
  readonly accessLogs: s3.IBucket;
  readonly dataKey: kms.IKey;
  readonly logsKey: kms.IKey;
  readonly volumesKey: kms.IKey;

  constructor(scope: Construct, id: string, props: StorageStackProps) {
    super(scope, id, props);
    const { config } = props;
    const { prefix, emptyBuckets } = config;
    const kept = removalPolicy(config);

    const keys = new Keys(this, 'Keys', { prefix, removalPolicy: kept });
    const buckets = new Buckets(this, 'Bucket', { prefix, key: keys.data, removalPolicy: kept, emptyBuckets });
    if (config.sagemakerLogs) {
      // SageMaker would make them itself, unencrypted and kept for ever.
      for (const [kind, name] of Object.entries(SAGEMAKER_LOG_GROUPS)) {
        logGroup(this, `Logs${kind}`, { name, key: keys.logs, removalPolicy: kept });
      }
    }

    this.data = buckets.data;
    this.accessLogs = buckets.accessLogs;
    this.dataKey = keys.data;
    this.logsKey = keys.logs;
    this.volumesKey = keys.volumes;

    // Exported whether used or not: an export that goes while a stack still imports it is refused.
    this.exportValue(buckets.accessLogs.bucketName);

    new CfnOutput(this, 'BucketName', { value: buckets.data.bucketName });
    new CfnOutput(this, 'DataKeyArn', { value: keys.data.keyArn });
    new CfnOutput(this, 'VolumesKeyArn', { value: keys.volumes.keyArn });
  }
}
