import { Duration } from 'aws-cdk-lib';
import type * as apigateway from 'aws-cdk-lib/aws-apigateway';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as actions from 'aws-cdk-lib/aws-cloudwatch-actions';
import type * as events from 'aws-cdk-lib/aws-events';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as sns from 'aws-cdk-lib/aws-sns';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { IConstruct } from 'constructs';

/** Sections of the runbook, by their anchors. */
export type RunbookSection =
  | 'events-that-could-not-be-delivered'
  | 'events-that-a-function-failed-at'
  | 'a-function-fails'
  | 'a-function-is-throttled'
  | 'the-sweep-does-not-run'
  | 'a-dead-letter-could-not-be-stored';

const MINUTE = Duration.minutes(1);
const FIVE_MINUTES = Duration.minutes(5);
const QUARTER = Duration.minutes(15);
const SUM = { period: FIVE_MINUTES, statistic: cloudwatch.Stats.SUM };

export interface AlarmsProps {
  readonly prefix: string;
  readonly topic: sns.ITopic;
}

/** Alarms that tell a person, each with the section of the runbook that says what to do. */
export class Alarms extends Construct {
  /** Every alarm, in the order of their making. */
  readonly all: cloudwatch.Alarm[] = [];

  constructor(
    scope: Construct,
    id: string,
    private readonly props: AlarmsProps,
  ) {
    super(scope, id);
  }

  /** Events lie in the queue of what never reached the function. */
  undelivered(name: string, queue: sqs.IQueue): void {
    this.queue(
      `${name}-undelivered`,
      queue,
      `events for ${name} could not be delivered`,
      'events-that-could-not-be-delivered',
    );
  }

  /** Events lie in the queue of what the function failed at. */
  failed(name: string, queue: sqs.IQueue): void {
    this.queue(`${name}-failed`, queue, `${name} failed at events for good`, 'events-that-a-function-failed-at');
  }

  /** A function errs, is throttled, or its dead letter is lost. */
  function(name: string, handler: lambda.IFunction): void {
    this.answering(name, handler);
    this.whenAny(
      `${name}-lost`,
      handler.metric('DestinationDeliveryFailures', SUM),
      `${name} failed at events that could not be stored in its queue`,
      'a-dead-letter-could-not-be-stored',
    );
  }

  /** A function whose caller waits for it errs or is throttled. */
  answering(name: string, handler: lambda.IFunction): void {
    this.whenAny(`${name}-errors`, handler.metricErrors(SUM), `${name} ended in errors`, 'a-function-fails');
    this.whenAny(`${name}-throttles`, handler.metricThrottles(SUM), `${name} was throttled`, 'a-function-is-throttled');
  }

  /** A stage of an API answered that something is wrong with itself. */
  stage(name: string, stage: apigateway.Stage): void {
    this.whenAny(
      `${name}-broken`,
      stage.metricServerError(SUM),
      `${name} answered with errors of its own`,
      'a-function-fails',
    );
  }

  /** A rule could neither deliver an event nor store it. */
  rule(name: string, rule: events.IRule): void {
    const metric = new cloudwatch.Metric({
      namespace: 'AWS/Events',
      metricName: 'InvocationsFailedToBeSentToDlq',
      dimensionsMap: { RuleName: rule.ruleName },
      period: FIVE_MINUTES,
      statistic: cloudwatch.Stats.SUM,
    });
    this.whenAny(`${name}-rule-lost`, metric, `the rule ${name} lost events`, 'a-dead-letter-could-not-be-stored');
  }

  /** The function that is woken each minute was not, for a quarter of an hour. */
  silent(name: string, handler: lambda.IFunction, wokenBy: IConstruct): void {
    const metric = handler.metricInvocations({ period: QUARTER, statistic: cloudwatch.Stats.SUM });
    this.alarm(`${name}-silent`, metric, `${name} has not run for 15 minutes`, 'the-sweep-does-not-run', {
      comparisonOperator: cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
      // A function that is not invoked has no data at all.
      treatMissingData: cloudwatch.TreatMissingData.BREACHING,
    }).node.addDependency(wokenBy); // Made before it, the alarm would ring at once.
  }

  private queue(name: string, queue: sqs.IQueue, what: string, section: RunbookSection): void {
    const metric = queue.metricApproximateNumberOfMessagesVisible({
      period: MINUTE,
      statistic: cloudwatch.Stats.MAXIMUM,
    });
    this.whenAny(name, metric, what, section);
  }

  /** Alarms at the first occurrence; silence is well. */
  private whenAny(name: string, metric: cloudwatch.IMetric, what: string, section: RunbookSection): void {
    this.alarm(name, metric, what, section, {
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
    });
  }

  private alarm(
    name: string,
    metric: cloudwatch.IMetric,
    what: string,
    section: RunbookSection,
    rings: Required<Pick<cloudwatch.AlarmProps, 'comparisonOperator' | 'treatMissingData'>>,
  ): cloudwatch.Alarm {
    const alarm = new cloudwatch.Alarm(this, name, {
      alarmName: `${this.props.prefix}-${name}`,
      alarmDescription: `${what}: see docs/RUNBOOK.md#${section}`,
      metric,
      threshold: 1,
      evaluationPeriods: 1,
      ...rings,
    });
    alarm.addAlarmAction(new actions.SnsAction(this.props.topic));
    this.all.push(alarm);
    return alarm;
  }
}
