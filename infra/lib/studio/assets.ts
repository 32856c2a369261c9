import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { Aws, FileSystem, IgnoreMode } from 'aws-cdk-lib';
import type { RemovalPolicy } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as s3assets from 'aws-cdk-lib/aws-s3-assets';
import * as deployment from 'aws-cdk-lib/aws-s3-deployment';
import { Construct } from 'constructs';
import { logGroup } from '../shared/log-groups';
import type { Asset } from './config/domain';
import { READ, WRITE } from './sharing-bucket';

export interface AssetsProps {
  readonly bucket: s3.IBucket;
  readonly prefix: string;
  /** MB. */
  readonly memoryLimit: number;
  /** The role that the file names, or one of this stack's. */
  readonly role: iam.IRole;
  /** Begins the name of the log group, which has to be one that the logs key is for. */
  readonly logGroupName: string;
  readonly logsKey: kms.IKey;
  readonly removalPolicy: RemovalPolicy;
}

/** Puts the assets of lifecycle scripts into the domain's bucket, each under the digest of its content. */
export class Assets extends Construct {
  private readonly placed = new Map<string, deployment.BucketDeployment>();
  private readonly sources: string[] = [];
  private readonly group;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: AssetsProps,
  ) {
    super(scope, id);
    this.group = logGroup(this, 'Logs', {
      name: props.logGroupName,
      key: props.logsKey,
      removalPolicy: props.removalPolicy,
    });
  }

  /** Where the asset will lie, and what has to have happened before it does. */
  place(asset: Asset): { readonly from: string; readonly after: Construct } {
    const { path, exclude } = folderOf(asset);
    const hash = contentHash(path, exclude);
    const prefix = `${this.props.prefix}/${hash}`;
    let after = this.placed.get(hash);
    if (after === undefined) {
      const staged = new s3assets.Asset(this, `Asset${hash.slice(0, 8)}`, {
        path,
        exclude,
        ignoreMode: IgnoreMode.GLOB,
      });
      const { s3BucketName: bucket, s3ObjectKey: key } = staged;
      this.sources.push(`arn:${Aws.PARTITION}:s3:::${bucket}/${key}`);
      after = new deployment.BucketDeployment(this, `Place${hash.slice(0, 8)}`, {
        sources: [deployment.Source.bucket(s3.Bucket.fromBucketName(this, `From${hash.slice(0, 8)}`, bucket), key)],
        destinationBucket: this.props.bucket,
        destinationKeyPrefix: prefix,
        prune: false, // Nobody else writes under a digest.
        memoryLimit: this.props.memoryLimit,
        // Whose rights are written down, not added to by a library.
        role: frozen(this.props.role),
        logGroup: this.group,
      });
      this.placed.set(hash, after);
    }
    return { from: `s3://${this.props.bucket.bucketName}/${prefix}`, after };
  }

  /** What the role needs, for a role of this stack's: to read exactly these assets, and to write under the prefix. */
  permissions(keyArn: string): iam.PolicyStatement[] {
    const objects = `${this.props.bucket.bucketArn}/${this.props.prefix}/*`;
    return [
      new iam.PolicyStatement({ sid: 'ReadStagedAssets', actions: ['s3:GetObject'], resources: this.sources }),
      new iam.PolicyStatement({ sid: 'PlaceAssets', actions: [...READ, ...WRITE], resources: [objects] }),
      new iam.PolicyStatement({
        sid: 'ListAssets',
        actions: ['s3:ListBucket'],
        resources: [this.props.bucket.bucketArn],
        conditions: { StringLike: { 's3:prefix': [`${this.props.prefix}/`, `${this.props.prefix}/*`] } },
      }),
      new iam.PolicyStatement({
        sid: 'WriteLogs',
        actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        resources: [this.group.logGroupArn],
      }),
      new iam.PolicyStatement({
        sid: 'EncryptAssets',
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
        resources: [keyArn],
      }),
    ];
  }

  /** The assets are placed by a role that must be able to. */
  dependOn(policy: Construct): void {
    for (const placing of this.placed.values()) placing.node.addDependency(policy);
  }
}

function frozen(role: iam.IRole): iam.IRole {
  return role instanceof iam.Role ? role.withoutPolicyUpdates() : role;
}

/** A folder as it is; a file as the folder it lies in without everything else. */
function folderOf(asset: Asset): { path: string; exclude: string[] } {
  if (statSync(asset.sourcePath).isDirectory()) return { path: asset.sourcePath, exclude: [...asset.exclude] };
  return { path: dirname(asset.sourcePath), exclude: ['*', `!${basename(asset.sourcePath)}`] };
}

/** Of names and contents only: the same files on another machine are the same assets. */
function contentHash(path: string, exclude: string[]): string {
  const fingerprint = FileSystem.fingerprint(path, { exclude, ignoreMode: IgnoreMode.GLOB });
  return createHash('sha256').update(fingerprint).digest('hex').slice(0, 32);
}

/** The role that places assets, when the file names none. */
export function assetRole(scope: Construct, id: string, domain: string): iam.Role {
  return new iam.Role(scope, id, {
    assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
    description: `Places the assets of lifecycle scripts of the Studio domain ${domain}`,
  });
}
