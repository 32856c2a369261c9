import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { name, text } from './policies';
import { BINARIES, FOLLOWING, Synthesized } from './stack';

const stack = new Synthesized();
const ON_SCHEDULE = 'arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:tidegate-on-schedule';
const each = (type: string) => stack.ofType(type).map(([id, { Properties }]) => [id, Properties] as const);

describe('rules', () => {
  const rules: Record<string, any> = Object.fromEntries(each('AWS::Events::Rule').map(([, p]) => [p.Name, p]));

  it('match these events on the default bus and no others', () => {
    const patterns = Object.fromEntries(
      Object.entries(rules).map(([name, p]) => [
        name,
        JSON.parse(JSON.stringify(p.EventPattern, (_k, v) => (v?.['Fn::ImportValue'] ? text(v) : v))),
      ]),
    );
    assert.deepEqual(patterns, {
      'tidegate-on-data-arrival': {
        source: ['aws.s3'],
        'detail-type': ['Object Created'],
        detail: { bucket: { name: ['${BucketData}'] }, object: { key: [{ prefix: 'raw/' }] } },
      },
      'tidegate-on-pipeline-status': {
        source: ['aws.sagemaker'],
        'detail-type': [
          'SageMaker Model Building Pipeline Execution Status Change',
          'SageMaker Model Building Pipeline Execution Step Status Change',
        ],
      },
      'tidegate-on-endpoint-status': {
        source: ['aws.sagemaker'],
        'detail-type': ['SageMaker Endpoint State Change', 'SageMaker Endpoint Deployment State Change'],
      },
      'tidegate-on-model-package': {
        source: ['aws.sagemaker'],
        'detail-type': ['SageMaker Model Package State Change'],
      },
    });
    for (const p of Object.values(rules)) assert.deepEqual([p.State, p.EventBusName], ['ENABLED', undefined]);
  });

  it('reach one function each and keep what could not be delivered, in a queue of their own', () => {
    const queues = new Set<string>();
    for (const [ruleName, p] of Object.entries(rules)) {
      assert.equal(p.Targets.length, 1, ruleName);
      const [target] = p.Targets;
      const [, fn] = each('AWS::Lambda::Function').find(([id]) => id === target.Arn['Fn::GetAtt'][0])!;
      assert.equal(fn.FunctionName, ruleName);
      assert.equal(target.Input ?? target.InputPath ?? target.InputTransformer, undefined, 'the event goes on whole');
      assert.deepEqual(target.RetryPolicy, { MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 185 });
      queues.add(target.DeadLetterConfig.Arn['Fn::GetAtt'][0]);
    }
    assert.equal(queues.size, 4);
  });
});

describe('functions', () => {
  const functions = each('AWS::Lambda::Function');

  it('run the binaries of the same names', () => {
    assert.deepEqual(
      functions.map(([, p]) => p.FunctionName).sort(),
      BINARIES.map((name) => `tidegate-${name}`).sort(),
    );
    for (const [, p] of functions) {
      const { Runtime, Architectures, Handler, MemorySize, Timeout, ReservedConcurrentExecutions } = p;
      assert.deepEqual(
        [Runtime, Architectures, Handler, MemorySize],
        ['provided.al2023', ['x86_64'], 'bootstrap', 256],
        p.FunctionName,
      );
      const takesLong = ['tidegate-pipeline-resource', 'tidegate-sweep'].includes(p.FunctionName);
      assert.equal(Timeout, takesLong ? 300 : 30, p.FunctionName);
      assert.equal(ReservedConcurrentExecutions, undefined);
    }
  });

  it('know what they use, and no more', () => {
    const common = {
      RUST_LOG: 'info',
      TIDEGATE_BUCKET: '${BucketData}',
      TIDEGATE_JOB_ROLE_ARN: '${SageMakerJob.Arn}',
      TIDEGATE_SCHEDULE_DLQ_ARN: '${ScheduleUndelivered.Arn}',
      TIDEGATE_SCHEDULE_FUNCTION_ARN: ON_SCHEDULE,
      TIDEGATE_SCHEDULE_GROUP: 'tidegate',
      TIDEGATE_SCHEDULE_ROLE_ARN: '${ScheduleRole.Arn}',
      TIDEGATE_TABLE: '${LedgerTable}',
      TIDEGATE_TOPIC_ARN: '${AlertsTopic}',
      TIDEGATE_VOLUME_KEY_ARN: '${KeysVolumes.Arn}',
    };
    for (const [, p] of functions) {
      const variables = Object.entries(p.Environment.Variables).map(([name, value]) => [name, text(value)]);
      assert.deepEqual(
        Object.fromEntries(variables),
        p.FunctionName === 'tidegate-pipeline-resource'
          ? { ...common, TIDEGATE_PIPELINE_ROLE_ARN: '${SageMakerPipeline.Arn}' }
          : { ...common, TIDEGATE_SILENCE_SECONDS: '900' },
        p.FunctionName,
      );
    }
  });

  it('ask after a silence that may be chosen', () => {
    const chosen = new Synthesized({ silence: '120' }).ofType('AWS::Lambda::Function');
    const silences = chosen.map(([, { Properties: p }]) => p.Environment.Variables.TIDEGATE_SILENCE_SECONDS);
    assert.deepEqual(
      silences.filter((silence) => silence !== undefined),
      FOLLOWING.map(() => '120'),
    );
  });

  it('know the function that schedules fire by the name that it has', () => {
    const names = functions.map(([, p]) => p.FunctionName);
    assert.ok(names.includes(ON_SCHEDULE.replace(/^.*:function:/, '')), ON_SCHEDULE);
  });

  it('are tried three times, then the event is kept, in a queue of their own', () => {
    const configs = each('AWS::Lambda::EventInvokeConfig').map(([, p]) => p);
    assert.deepEqual(configs.map((p) => p.FunctionName.Ref).sort(), functions.map(([id]) => id).sort());
    const queues = new Set<string>();
    for (const p of configs) {
      assert.deepEqual([p.MaximumRetryAttempts, p.MaximumEventAgeInSeconds], [2, 21_600]);
      queues.add(p.DestinationConfig.OnFailure.Destination['Fn::GetAtt'][0]);
    }
    assert.equal(queues.size, BINARIES.length);
  });
});

describe('the sweep', () => {
  const [[id, schedule], ...others] = each('AWS::Scheduler::Schedule') as [[string, any]];

  it('is woken each minute, by a schedule in a group that nothing else is in', () => {
    assert.deepEqual(others, []); // All other schedules come with pipelines and runs, by the API.
    assert.deepEqual(
      [schedule.ScheduleExpression, schedule.FlexibleTimeWindow, schedule.State, schedule.Target.Input],
      ['rate(1 minutes)', { Mode: 'OFF' }, undefined, '{}'],
    );
    assert.equal(text(schedule.Target.Arn), '${SweepFunction.Arn}');
    assert.equal(text(schedule.Target.RoleArn), '${SweeperRole.Arn}');
    assert.deepEqual(
      each('AWS::Scheduler::ScheduleGroup')
        .map(([, p]) => p.Name)
        .sort(),
      ['tidegate', 'tidegate-sweep'],
    );
    assert.equal(schedule.GroupName, 'tidegate-sweep');
  });

  it('waits for no firing longer than until the next, and keeps what could not be delivered', () => {
    assert.deepEqual(schedule.Target.RetryPolicy, { MaximumEventAgeInSeconds: 60, MaximumRetryAttempts: 2 });
    assert.equal(text(schedule.Target.DeadLetterConfig.Arn), '${ScheduleUndelivered.Arn}');
  });

  it('has its group and its right to be invoked before it is woken for the first time', () => {
    const needed = [stack.resources[id]!.DependsOn].flat().map((other) => name(other!));
    for (const other of ['SweeperGroup', 'SweeperRoleDefaultPolicy']) assert.ok(needed.includes(other), `${needed}`);
  });

  it('raises an alarm when it has not run for a quarter of an hour, whatever the reason', () => {
    const alarms = each('AWS::CloudWatch::Alarm').filter(([, p]) => p.MetricName === 'Invocations');
    assert.equal(alarms.length, 1);
    const [[alarmId, alarm]] = alarms as [[string, any]];
    const { Dimensions, Period, Statistic, Threshold, ComparisonOperator, TreatMissingData, EvaluationPeriods } = alarm;
    assert.deepEqual(
      [Period, Statistic, Threshold, ComparisonOperator, TreatMissingData, EvaluationPeriods],
      [900, 'Sum', 1, 'LessThanThreshold', 'breaching', 1],
    );
    assert.deepEqual(
      Dimensions.map((d: any) => [d.Name, text(d.Value)]),
      [['FunctionName', '${SweepFunction}']],
    );
    assert.match(alarm.AlarmDescription, /#the-sweep-does-not-run$/);
    assert.ok([stack.resources[alarmId]!.DependsOn].flat().includes(id), 'it would ring before the first sweep');
  });
});

describe('dead letters', () => {
  const alarms = each('AWS::CloudWatch::Alarm').map(([, p]) => p);
  const dimension = (p: any, name: string) => text(p.Dimensions.find((d: any) => d.Name === name)?.Value ?? '');

  it('are kept for 14 days', () => {
    assert.equal(each('AWS::SQS::Queue').length, 4 + 1 + BINARIES.length);
    for (const [id, queue] of each('AWS::SQS::Queue')) assert.equal(queue.MessageRetentionPeriod, 1_209_600, id);
  });

  it('raise an alarm, each queue its own', () => {
    const watched = alarms
      .filter((p) => p.Namespace === 'AWS/SQS')
      .map((p) => {
        assert.equal(p.MetricName, 'ApproximateNumberOfMessagesVisible');
        assert.equal(p.Statistic, 'Maximum');
        return dimension(p, 'QueueName');
      });
    const queues = each('AWS::SQS::Queue').map(([id]) => text({ 'Fn::GetAtt': [id, 'QueueName'] }));
    assert.deepEqual(watched.sort(), queues.sort());
  });

  it('that are lost raise one too', () => {
    const rules = alarms
      .filter((p) => p.MetricName === 'InvocationsFailedToBeSentToDlq')
      .map((p) => dimension(p, 'RuleName'));
    assert.equal(new Set(rules).size, 4);
  });

  it('a function that errs, is throttled or loses an event raises an alarm', () => {
    for (const metric of ['Errors', 'Throttles', 'DestinationDeliveryFailures']) {
      const watched = alarms
        .filter((p) => p.Namespace === 'AWS/Lambda' && p.MetricName === metric)
        .map((p) => dimension(p, 'FunctionName'));
      assert.deepEqual(
        watched.sort(),
        each('AWS::Lambda::Function')
          .map(([id]) => text({ Ref: id }))
          .sort(),
        metric,
      );
    }
  });

  it('alarms ring at the first occurrence, tell the topic, and say where to read on', () => {
    const queues = 4 + 1 + BINARIES.length;
    assert.equal(alarms.length, queues + 3 * BINARIES.length + 4 + 1);
    for (const p of alarms) {
      if (p.MetricName !== 'Invocations') {
        assert.deepEqual(
          [p.Threshold, p.EvaluationPeriods, p.ComparisonOperator, p.TreatMissingData],
          [1, 1, 'GreaterThanOrEqualToThreshold', 'notBreaching'],
        );
      }
      assert.deepEqual(p.AlarmActions.map(text), ['${AlertsTopic}'], p.AlarmName);
      assert.match(p.AlarmName, /^tidegate-/); // The topic's and the key's policies know alarms by this.
      assert.match(p.AlarmDescription, /: see docs\/RUNBOOK\.md#[a-z-]+$/);
    }
  });
});

describe('alerts', () => {
  it('go to nobody unless somebody is named', () => {
    assert.deepEqual(each('AWS::SNS::Subscription'), []);
  });

  it('go to a mail address and to an endpoint', () => {
    const named = new Synthesized({ alertEmail: 'ops@example.com', alertEndpoint: 'http://127.0.0.1:4567/inbox' });
    const subscriptions = named
      .ofType('AWS::SNS::Subscription')
      .map(([, { Properties: p }]) => [p.Protocol, p.Endpoint]);
    assert.deepEqual(subscriptions.sort(), [
      ['email', 'ops@example.com'],
      ['http', 'http://127.0.0.1:4567/inbox'],
    ]);
  });
});
