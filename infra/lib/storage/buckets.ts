import { Aws, Duration } from 'aws-cdk-lib';
import type { RemovalPolicy } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { STUDIO_ACCESS_LOGS } from '../shared/access-logs';

/** How long access logs are kept. */
const ACCESS_LOGS_KEPT = Duration.days(365);

/** How long an overwritten or deleted access log stays recoverable. */
const ACCESS_LOGS_RECOVERABLE = Duration.days(30);

/** S3 moves nothing earlier for a read that is likely; after it, what is not read costs half. */
const RARELY_READ_AFTER = Duration.days(30);

export interface BucketsProps {
  readonly prefix: string;
  readonly key: kms.IKey;
  readonly removalPolicy: RemovalPolicy;
  readonly emptyBuckets: boolean;
}

/**
 * The data bucket (`raw/` comes in; `code/` and `runs/` are Tidegate's) and the bucket of access logs.
 *
 * The data bucket is versioned and expires nothing that has a version: lineage names exact object versions, of inputs
 * under `raw/`, of scripts under `code/`, and of models and reports under `runs/`.
 */
export class Buckets extends Construct {
  readonly data: s3.Bucket;
  readonly accessLogs: s3.Bucket;

  constructor(scope: Construct, id: string, props: BucketsProps) {
    super(scope, id);
    const common = {
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      versioned: true,
      removalPolicy: props.removalPolicy,
      autoDeleteObjects: props.emptyBuckets,
    };
    const abandoned = { abortIncompleteMultipartUploadAfter: Duration.days(7) };

    this.accessLogs = new s3.Bucket(this, 'AccessLogs', {
      ...common,
      bucketName: `${props.prefix}-access-logs-${Aws.ACCOUNT_ID}-${Aws.REGION}`,
      // S3 cannot deliver access logs into a bucket under a KMS key.
      encryption: s3.BucketEncryption.S3_MANAGED,
      lifecycleRules: [
        {
          id: 'old-logs-go',
          expiration: ACCESS_LOGS_KEPT,
          noncurrentVersionExpiration: ACCESS_LOGS_RECOVERABLE,
          ...abandoned,
        },
      ],
    });

    // The buckets of Studio domains are other stacks', and come and go: CloudFormation begins their names with the stack's.
    this.accessLogs.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: 'StudioBucketsLog',
        principals: [new iam.ServicePrincipal('logging.s3.amazonaws.com')],
        actions: ['s3:PutObject'],
        resources: [this.accessLogs.arnForObjects(`${STUDIO_ACCESS_LOGS}*`)],
        conditions: {
          StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID },
          ArnLike: { 'aws:SourceArn': `arn:${Aws.PARTITION}:s3:::tidegatestudio-*` },
        },
      }),
    );

    this.data = new s3.Bucket(this, 'Data', {
      ...common,
      bucketName: `${props.prefix}-data-${Aws.ACCOUNT_ID}-${Aws.REGION}`,
      encryption: s3.BucketEncryption.KMS,
      encryptionKey: props.key,
      bucketKeyEnabled: true,
      serverAccessLogsBucket: this.accessLogs,
      serverAccessLogsPrefix: 's3-access-logs/',
      lifecycleRules: [
        { id: 'abandoned-uploads-go', ...abandoned },
        ...['raw/', 'runs/'].map((prefix) => ({
          id: `rarely-read-${prefix.slice(0, -1)}-costs-less`,
          prefix,
          transitions: [{ storageClass: s3.StorageClass.INTELLIGENT_TIERING, transitionAfter: RARELY_READ_AFTER }],
          noncurrentVersionTransitions: [
            { storageClass: s3.StorageClass.INTELLIGENT_TIERING, transitionAfter: RARELY_READ_AFTER },
          ],
        })),
      ],
    });

    // `eventBridgeEnabled` would add a helper function with a wide role; the property itself needs none.
    const resource = this.data.node.defaultChild as s3.CfnBucket;
    resource.notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled: true } };
  }
}
