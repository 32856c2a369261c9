import { Duration } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { deadLetterQueue } from './dead-letters';
import { RustFunction } from './rust-function';
import type { RustFunctionProps } from './rust-function';

export type HandlerFunctionProps = RustFunctionProps;

/**
 * One Rust binary as a Lambda function, with a role, a log group and an on-failure queue of its own.
 *
 * Every caller (EventBridge, Scheduler, CloudFormation) invokes asynchronously: Lambda retries twice,
 * then sends the event with the error to the queue.
 */
export class HandlerFunction extends RustFunction {
  /** Events that the function failed at. */
  readonly failed: sqs.Queue;

  constructor(scope: Construct, id: string, props: HandlerFunctionProps) {
    super(scope, id, props);
    this.failed = deadLetterQueue(this, 'Failed', `${this.functionName}-failed`);
    this.function.addToRolePolicy(
      new iam.PolicyStatement({ actions: ['sqs:SendMessage'], resources: [this.failed.queueArn] }),
    );
    this.function.configureAsyncInvoke({
      maxEventAge: Duration.hours(6),
      retryAttempts: 2,
      // Only the right to send is needed; the library's own SQS destination grants more.
      onFailure: { bind: () => ({ destination: this.failed.queueArn }) },
    });
  }
}
