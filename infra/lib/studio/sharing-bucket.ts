import { CustomResourceProviderBase, Duration, Stack } from 'aws-cdk-lib';
import type { RemovalPolicy } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';

/** Reading and writing objects, and nothing of the bucket. */
export const READ = ['s3:GetObject', 's3:GetObjectVersion'];
export const WRITE = ['s3:AbortMultipartUpload', 's3:DeleteObject', 's3:PutObject'];

/** All that touches objects or shows their names; administration of the bucket stays with IAM, or nobody could mend it. */
const DATA_PLANE = [
  's3:AbortMultipartUpload',
  's3:BypassGovernanceRetention',
  's3:DeleteObject*',
  's3:GetObject*',
  's3:ListBucket*',
  's3:ListMultipartUploadParts',
  's3:PutObject*',
  's3:ReplicateDelete',
  's3:ReplicateObject',
  's3:RestoreObject',
];

/** S3 takes no fewer days (https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html). */
const INFREQUENT_ACCESS = { storageClass: s3.StorageClass.INFREQUENT_ACCESS, transitionAfter: Duration.days(30) };

export interface SharingBucketProps {
  readonly key: kms.IKey;
  /** ARNs of the data administrators. */
  readonly admins: readonly string[];
  readonly executionRoleArn: string;
  /** Who puts the assets of lifecycle scripts there; absent: there are none. */
  readonly deploymentRoleArn?: string;
  readonly assetPrefix: string;
  readonly sharingPrefix: string;
  /** The bucket that access is logged to: this account's logs under `studio/` must be admitted there. */
  readonly accessLogs: s3.IBucket;
  readonly logPrefix: string;
  readonly removalPolicy: RemovalPolicy;
  readonly emptyBuckets: boolean;
}

/**
 * The bucket that the domain's users share notebooks in, and that lifecycle scripts get their assets from.
 *
 * Closed to everybody who is not named, whatever IAM policies say. Assets are run as code in every user's applications, so
 * users cannot write them.
 */
export class SharingBucket extends Construct {
  readonly bucket: s3.Bucket;

  constructor(scope: Construct, id: string, props: SharingBucketProps) {
    super(scope, id);
    this.bucket = new s3.Bucket(this, 'Bucket', {
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      versioned: true,
      encryption: s3.BucketEncryption.KMS,
      encryptionKey: props.key,
      bucketKeyEnabled: true,
      lifecycleRules: [
        {
          id: 'versions-end',
          abortIncompleteMultipartUploadAfter: Duration.days(7),
          noncurrentVersionExpiration: Duration.days(90),
        },
        {
          id: 'what-is-shared-costs-less',
          // Assets are read whenever an application starts, and there each reading would cost.
          prefix: `${props.sharingPrefix}/`,
          transitions: [INFREQUENT_ACCESS],
          noncurrentVersionTransitions: [INFREQUENT_ACCESS],
        },
      ],
      removalPolicy: props.removalPolicy,
      autoDeleteObjects: props.emptyBuckets,
    });
    // The bucket of the logs is another stack's, which admits these logs by their prefix: a grant from here would make the
    // two stacks depend on each other.
    (this.bucket.node.defaultChild as s3.CfnBucket).loggingConfiguration = {
      destinationBucketName: props.accessLogs.bucketName,
      logFilePrefix: props.logPrefix,
    };

    const writers = [...props.admins, ...present(props.deploymentRoleArn), ...emptier(this)];
    this.refuse(
      'NobodyElse',
      DATA_PLANE,
      [this.bucket.bucketArn, this.bucket.arnForObjects('*')],
      [...writers, props.executionRoleArn],
    );
    const assets = this.bucket.arnForObjects(`${props.assetPrefix}/*`);
    this.refuse('AssetsAreCode', ['s3:DeleteObject*', 's3:PutObject*'], [assets], writers);

    this.admit(
      'Administrators',
      props.admins,
      ['s3:GetObject', 's3:GetObjectVersion', 's3:DeleteObjectVersion', ...WRITE],
      [this.bucket.arnForObjects('*')],
    );
    this.admit('AdministratorsList', props.admins, ['s3:ListBucket', 's3:ListBucketVersions'], [this.bucket.bucketArn]);
    const user = [props.executionRoleArn];
    this.admit('UsersShare', user, [...READ, ...WRITE], [this.bucket.arnForObjects(`${props.sharingPrefix}/*`)]);
    this.admit('UsersReadAssets', user, READ, [assets]);
    this.admit('UsersList', user, ['s3:ListBucket'], [this.bucket.bucketArn], [props.sharingPrefix, props.assetPrefix]);
    const deployer = present(props.deploymentRoleArn);
    this.admit('AssetsAreDeployed', deployer, [...READ, ...WRITE], [assets]);
    this.admit('AssetsAreListed', deployer, ['s3:ListBucket'], [this.bucket.bucketArn], [props.assetPrefix]);
  }

  private refuse(sid: string, actions: string[], resources: string[], but: readonly string[]): void {
    this.bucket.addToResourcePolicy(
      new iam.PolicyStatement({
        sid,
        effect: iam.Effect.DENY,
        principals: [new iam.AnyPrincipal()],
        actions,
        resources,
        // Of a session it is the role's ARN; a service has none, and is refused.
        conditions: { ArnNotEquals: { 'aws:PrincipalArn': [...new Set(but)] } },
      }),
    );
  }

  private admit(
    sid: string,
    arns: readonly string[],
    actions: string[],
    resources: string[],
    prefixes?: string[],
  ): void {
    if (arns.length === 0) return;
    this.bucket.addToResourcePolicy(
      new iam.PolicyStatement({
        sid,
        principals: [...new Set(arns)].map((arn) => new iam.ArnPrincipal(arn)),
        actions,
        resources,
        ...(prefixes && {
          conditions: { StringLike: { 's3:prefix': prefixes.flatMap((prefix) => [`${prefix}/`, `${prefix}/*`]) } },
        }),
      }),
    );
  }
}

function present(arn: string | undefined): string[] {
  return arn === undefined ? [] : [arn];
}

/** CDK's helper that empties buckets, where this stack has it. */
function emptier(scope: Construct): string[] {
  const helper = Stack.of(scope).node.tryFindChild('Custom::S3AutoDeleteObjectsCustomResourceProvider');
  return helper instanceof CustomResourceProviderBase ? [helper.roleArn] : [];
}
