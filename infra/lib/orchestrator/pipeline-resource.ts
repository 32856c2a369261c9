import { basename } from 'node:path';
import { CustomResource, Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { HandlerFunction } from '../shared/handler-function';
import { sourceAsset } from './source-asset';

/** One item is written. Room for a second attempt after a minute; CloudFormation would wait an hour for a function that crashed. */
const SETTINGS_TIMEOUT = Duration.minutes(3);

/** The function's own timeout, twice, with the minute between. */
const PIPELINE_TIMEOUT = Duration.minutes(11);

/** Where jobs run, and under which keys. */
export interface JobSettings {
  /** What jobs encrypt their outputs with. */
  readonly DataKeyArn: string;
  /** What jobs and endpoints encrypt their disks with. */
  readonly VolumeKeyArn: string;
  /** Where jobs run, separated by commas; absent: in no VPC of the account's. */
  readonly JobSubnets?: string;
  readonly JobSecurityGroups?: string;
}

/** What the command line finds in the ledger, given the table's name alone. */
export interface Settings extends JobSettings {
  readonly Bucket: string;
  readonly TopicArn: string;
  readonly JobRoleArn: string;
  readonly PipelineRoleArn: string;
  readonly ScheduleRoleArn: string;
  readonly ScheduleFunctionArn: string;
  readonly ScheduleGroup: string;
  readonly ScheduleDlqArn: string;
}

/** Writes the settings into the ledger. */
export function settingsResource(
  scope: Construct,
  id: string,
  handler: HandlerFunction,
  settings: Settings,
): CustomResource {
  return new CustomResource(scope, id, {
    // The function itself: it answers CloudFormation's response URL, no provider framework stands between.
    serviceToken: handler.function.functionArn,
    serviceTimeout: SETTINGS_TIMEOUT,
    resourceType: 'Custom::TidegateSettings',
    properties: settings,
  });
}

export interface PipelineProps {
  readonly handler: HandlerFunction;
  /** The absolute folder with `pipeline.yaml`. */
  readonly folder: string;
  /** Must be there before the pipeline. */
  readonly settings: CustomResource;
  /** Where jobs run and under which keys: what is written into each step. */
  readonly jobs: JobSettings;
}

/** One pipeline's folder, deployed with the stack: the same as `tidegate apply`, by the same code. */
export class PipelineFromFolder extends Construct {
  constructor(scope: Construct, id: string, props: PipelineProps) {
    super(scope, id);
    const source = sourceAsset(this, 'Source', {
      folder: props.folder,
      exclude: ['**/__pycache__', '**/*.pyc', '**/.*'],
      reader: props.handler,
    });
    const resource = new CustomResource(this, 'Resource', {
      serviceToken: props.handler.function.functionArn,
      serviceTimeout: PIPELINE_TIMEOUT,
      resourceType: 'Custom::TidegatePipeline',
      // The function reads the settings from the ledger; here they make a change of theirs one of the pipeline's.
      properties: { SourceBucket: source.s3BucketName, SourceKey: source.s3ObjectKey, ...props.jobs },
    });
    resource.node.addDependency(props.settings);
  }
}

/** The construct's id: the folder's name. */
export function pipelineId(folder: string): string {
  return `Pipeline-${basename(folder)}`;
}
