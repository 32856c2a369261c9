import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as assets from 'aws-cdk-lib/aws-s3-assets';
import type { Construct } from 'constructs';
import type { HandlerFunction } from '../shared/handler-function';

export interface SourceAssetProps {
  /** The absolute folder. */
  readonly folder: string;
  readonly exclude: string[];
  /** May read this archive, and no other. */
  readonly reader: HandlerFunction;
}

/** A folder, zipped into the CDK's own bucket, for a custom resource to read. */
export function sourceAsset(scope: Construct, id: string, props: SourceAssetProps): assets.Asset {
  const source = new assets.Asset(scope, id, { path: props.folder, exclude: props.exclude });
  const archive = Stack.of(scope).formatArn({
    service: 's3',
    region: '',
    account: '',
    resource: source.s3BucketName,
    resourceName: source.s3ObjectKey,
  });
  props.reader.function.addToRolePolicy(new iam.PolicyStatement({ actions: ['s3:GetObject'], resources: [archive] }));
  return source;
}
