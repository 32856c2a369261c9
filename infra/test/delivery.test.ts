import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { text } from './policies';
import { BINARIES, Synthesized } from './stack';

const stack = new Synthesized();
const each = (type: string) => stack.ofType(type).map(([id, { Properties }]) => [id, Properties] as const);

describe('rules', () => {
  const rules: Record<string, any> = Object.fromEntries(each('AWS::Events::Rule').map(([, p]) => [p.Name, p]));

  it('match these events on the default bus and no others', () => {
    const patterns = Object.fromEntries(
      Object.entries(rules).map(([name, p]) => [
        name,
        JSON.parse(JSON.stringify(p.EventPattern, (_k, v) => (v?.Ref ? text(v) : v))),
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
    for (const [name, p] of Object.entries(rules)) {
      assert.equal(p.Targets.length, 1, name);
      const [target] = p.Targets;
      const [, fn] = each('AWS::Lambda::Function').find(([id]) => id === target.Arn['Fn::GetAtt'][0])!;
      assert.equal(fn.FunctionName, name);
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
      assert.equal(Timeout, p.FunctionName === 'tidegate-pipeline-resource' ? 300 : 30);
      assert.equal(ReservedConcurrentExecutions, undefined);
    }
  });

  it('know what they use, and no more', () => {
    const common = ['RUST_LOG', 'TIDEGATE_BUCKET', 'TIDEGATE_JOB_ROLE_ARN', 'TIDEGATE_TABLE', 'TIDEGATE_TOPIC_ARN'];
    const deploys = [
      'TIDEGATE_PIPELINE_ROLE_ARN',
      'TIDEGATE_SCHEDULE_DLQ_ARN',
      'TIDEGATE_SCHEDULE_FUNCTION_ARN',
      'TIDEGATE_SCHEDULE_GROUP',
      'TIDEGATE_SCHEDULE_ROLE_ARN',
    ];
    for (const [, p] of functions) {
      const expected = p.FunctionName === 'tidegate-pipeline-resource' ? [...common, ...deploys] : common;
      assert.deepEqual(Object.keys(p.Environment.Variables).sort(), expected.sort(), p.FunctionName);
    }
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
    assert.equal(alarms.length, 11 + 3 * BINARIES.length + 4);
    for (const p of alarms) {
      assert.deepEqual(
        [p.Threshold, p.EvaluationPeriods, p.ComparisonOperator, p.TreatMissingData],
        [1, 1, 'GreaterThanOrEqualToThreshold', 'notBreaching'],
      );
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
