import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

const FIVE_MINUTES = Duration.minutes(5);

/** CloudWatch's grid is 24 columns wide. */
const HALF = 12;
const WHOLE = 24;

export interface DashboardProps {
  readonly prefix: string;
  readonly functions: readonly lambda.IFunction[];
  readonly deadLetters: readonly sqs.IQueue[];
  readonly table: dynamodb.ITable;
  readonly alarms: readonly cloudwatch.IAlarm[];
}

/** One page that answers: does it run, is it well, and where is it not. */
export class Dashboard extends Construct {
  constructor(scope: Construct, id: string, props: DashboardProps) {
    super(scope, id);
    const sum = { period: FIVE_MINUTES, statistic: cloudwatch.Stats.SUM };

    // SageMaker counts the executions of every pipeline of the account:
    // https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
    const executions = (metricName: string) =>
      new cloudwatch.Metric({ namespace: 'AWS/Sagemaker/ModelBuildingPipeline', metricName, ...sum });

    new cloudwatch.Dashboard(this, 'Dashboard', {
      dashboardName: props.prefix,
      defaultInterval: Duration.days(1),
      widgets: [
        [new cloudwatch.AlarmStatusWidget({ title: 'Alarms', alarms: [...props.alarms], width: WHOLE, height: 6 })],
        [
          new cloudwatch.GraphWidget({
            title: 'Pipeline executions of the account',
            width: HALF,
            left: ['ExecutionStarted', 'ExecutionSucceeded', 'ExecutionFailed', 'ExecutionStopped'].map(executions),
          }),
          new cloudwatch.GraphWidget({
            title: 'Events handled',
            width: HALF,
            left: props.functions.map((fn) => fn.metricInvocations({ ...sum, label: fn.functionName })),
          }),
        ],
        [
          new cloudwatch.GraphWidget({
            title: 'Errors and throttles of functions',
            width: HALF,
            left: props.functions.map((fn) => fn.metricErrors({ ...sum, label: fn.functionName })),
            right: props.functions.map((fn) => fn.metricThrottles({ ...sum, label: `${fn.functionName} throttled` })),
          }),
          new cloudwatch.GraphWidget({
            title: 'Time per event, 99 of 100',
            width: HALF,
            left: props.functions.map((fn) =>
              fn.metricDuration({ period: FIVE_MINUTES, statistic: 'p99', label: fn.functionName }),
            ),
          }),
        ],
        [
          new cloudwatch.GraphWidget({
            title: 'Dead letters',
            width: HALF,
            left: props.deadLetters.map((queue) =>
              queue.metricApproximateNumberOfMessagesVisible({
                period: FIVE_MINUTES,
                statistic: cloudwatch.Stats.MAXIMUM,
                label: queue.queueName,
              }),
            ),
          }),
          new cloudwatch.GraphWidget({
            title: 'Ledger: units used, requests throttled',
            width: HALF,
            left: [props.table.metricConsumedReadCapacityUnits(sum), props.table.metricConsumedWriteCapacityUnits(sum)],
            right: ['ReadThrottleEvents', 'WriteThrottleEvents'].map((metricName) =>
              props.table.metric(metricName, sum),
            ),
          }),
        ],
      ],
    });
  }
}
