import { CustomResource, Duration } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { HandlerFunction } from '../shared/handler-function';
import { sourceAsset } from './source-asset';

/** The function's own timeout, twice, with the minute between. */
const TIMEOUT = Duration.minutes(11);

export interface SeedProps {
  /** Answers CloudFormation. */
  readonly handler: HandlerFunction;
  /** The absolute folder with the data. */
  readonly folder: string;
  readonly bucket: s3.IBucket;
}

/**
 * A small data set, put under `raw/` with the stack: it arrives as any data does, and may start runs.
 *
 * What is there already with the same content is left alone; nothing is taken away when the stack goes.
 */
export class Seed extends Construct {
  constructor(scope: Construct, id: string, props: SeedProps) {
    super(scope, id);
    const source = sourceAsset(this, 'Source', { folder: props.folder, exclude: ['**/.*'], reader: props.handler });
    const { function: fn } = props.handler;
    fn.addToRolePolicy(
      new iam.PolicyStatement({
        actions: ['s3:AbortMultipartUpload', 's3:GetObject', 's3:PutObject'],
        resources: [props.bucket.arnForObjects('raw/*')],
      }),
    );
    new CustomResource(this, 'Resource', {
      serviceToken: fn.functionArn,
      serviceTimeout: TIMEOUT,
      resourceType: 'Custom::TidegateSeed',
      properties: {
        SourceBucket: source.s3BucketName,
        SourceKey: source.s3ObjectKey,
        Bucket: props.bucket.bucketName,
        Prefix: 'raw/',
      },
    });
  }
}
