import { Aws, Duration, RemovalPolicy } from 'aws-cdk-lib';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';

export interface DataBucketProps {
  readonly prefix: string;
  readonly key: kms.IKey;
  readonly removalPolicy: RemovalPolicy;
  readonly emptyBuckets: boolean;
}

/**
 * The data bucket (`raw/` comes in, `code/` and `runs/` are Tidegate's) and the bucket of its access logs.
 *
 * Versioned and without an expiry: lineage names exact object versions.
 */
export class DataBucket extends Construct {
  readonly bucket: s3.Bucket;

  constructor(scope: Construct, id: string, props: DataBucketProps) {
    super(scope, id);
    const common = {
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      removalPolicy: props.removalPolicy,
      autoDeleteObjects: props.emptyBuckets,
    };

    const accessLogs = new s3.Bucket(this, 'AccessLogs', {
      ...common,
      bucketName: `${props.prefix}-access-logs-${Aws.ACCOUNT_ID}-${Aws.REGION}`,
      // S3 cannot deliver access logs into a bucket under a KMS key.
      encryption: s3.BucketEncryption.S3_MANAGED,
      lifecycleRules: [{ expiration: Duration.days(365) }],
    });

    this.bucket = new s3.Bucket(this, 'Data', {
      ...common,
      bucketName: `${props.prefix}-data-${Aws.ACCOUNT_ID}-${Aws.REGION}`,
      versioned: true,
      encryption: s3.BucketEncryption.KMS,
      encryptionKey: props.key,
      bucketKeyEnabled: true,
      serverAccessLogsBucket: accessLogs,
      serverAccessLogsPrefix: 'data/',
      lifecycleRules: [{ abortIncompleteMultipartUploadAfter: Duration.days(7) }],
    });

    // `eventBridgeEnabled` would add a helper function with a wide role; the property itself needs none.
    const resource = this.bucket.node.defaultChild as s3.CfnBucket;
    resource.notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled: true } };
  }
}
