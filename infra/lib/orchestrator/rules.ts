import { Duration } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { deadLetterQueue } from '../shared/dead-letters';

export interface EventRuleProps {
  /** The rule's name. */
  readonly ruleName: string;
  readonly description: string;
  readonly pattern: events.EventPattern;
  readonly target: lambda.IFunction;
}

/** A rule on the default bus with one function behind it, and a queue for what could not be delivered. */
export class EventRule extends Construct {
  readonly rule: events.Rule;
  /** Events that never reached the function. */
  readonly undelivered: sqs.Queue;

  constructor(scope: Construct, id: string, props: EventRuleProps) {
    super(scope, id);
    this.undelivered = deadLetterQueue(this, 'Undelivered', `${props.ruleName}-undelivered`);
    this.rule = new events.Rule(this, 'Rule', {
      ruleName: props.ruleName,
      description: props.description,
      eventPattern: props.pattern,
      targets: [
        new targets.LambdaFunction(props.target, {
          deadLetterQueue: this.undelivered,
          // EventBridge's own limits, written down: a day, 185 times.
          maxEventAge: Duration.hours(24),
          retryAttempts: 185,
        }),
      ],
    });
  }
}

/** A new object under `raw/` of the data bucket, however it was written. */
export function dataArrival(bucket: s3.IBucket): events.EventPattern {
  return {
    source: ['aws.s3'],
    detailType: ['Object Created'],
    detail: { bucket: { name: [bucket.bucketName] }, object: { key: [{ prefix: 'raw/' }] } },
  };
}

/** A pipeline's execution, or one of its steps, changed its status. The events name no pipeline, only ARNs. */
export const PIPELINE_STATUS: events.EventPattern = {
  source: ['aws.sagemaker'],
  detailType: [
    'SageMaker Model Building Pipeline Execution Status Change',
    'SageMaker Model Building Pipeline Execution Step Status Change',
  ],
};

/** An endpoint, or a deployment to one, changed its state. */
export const ENDPOINT_STATUS: events.EventPattern = {
  source: ['aws.sagemaker'],
  detailType: ['SageMaker Endpoint State Change', 'SageMaker Endpoint Deployment State Change'],
};

/** A model package changed, an approval among other things. */
export const MODEL_PACKAGE: events.EventPattern = {
  source: ['aws.sagemaker'],
  detailType: ['SageMaker Model Package State Change'],
};
