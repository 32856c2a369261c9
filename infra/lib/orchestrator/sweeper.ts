import { Stack } from 'aws-cdk-lib';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { scheduleGroupArn } from './permissions';
import { scheduleRole } from './roles';

/** How often the sweep runs. */
const EVERY = 'rate(1 minutes)';

export interface SweeperProps {
  readonly prefix: string;
  /** The function that sweeps. */
  readonly target: lambda.IFunction;
  /** Takes what Scheduler could not hand to the function. */
  readonly deadLetters: sqs.IQueue;
}

/**
 * What wakes the sweep each minute.
 *
 * The schedule has a group of its own: the functions may make and change schedules of the pipelines' group, and none of
 * them may put the sweep out of service; nor is it listed where people look for the schedules of their pipelines.
 */
export class Sweeper extends Construct {
  constructor(scope: Construct, id: string, props: SweeperProps) {
    super(scope, id);
    const name = `${props.prefix}-sweep`;
    const group = new scheduler.CfnScheduleGroup(this, 'Group', { name });
    const role = scheduleRole(this, 'Role', {
      groupArn: scheduleGroupArn(Stack.of(this), name),
      functionArn: props.target.functionArn,
      deadLetters: props.deadLetters,
      description: 'Taken by EventBridge Scheduler to wake the sweep',
    });
    const schedule = new scheduler.CfnSchedule(this, 'Schedule', {
      name,
      groupName: name,
      description: 'Looks after what an event did not bring to its end',
      scheduleExpression: EVERY,
      flexibleTimeWindow: { mode: 'OFF' },
      target: {
        arn: props.target.functionArn,
        roleArn: role.roleArn,
        input: '{}',
        // The next minute brings the next one: a firing is worth no more than a minute's attempts.
        retryPolicy: { maximumEventAgeInSeconds: 60, maximumRetryAttempts: 2 },
        deadLetterConfig: { arn: props.deadLetters.queueArn },
      },
    });
    schedule.addResourceDependency(group);
    // With the role comes its policy, which the first firing needs.
    schedule.node.addDependency(role);
  }
}
