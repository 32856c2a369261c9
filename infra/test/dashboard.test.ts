import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { name } from './policies';
import { BINARIES, Synthesized } from './stack';

const stack = new Synthesized();
const [[, { Properties: dashboard }]] = stack.ofType('AWS::CloudWatch::Dashboard') as any;

/** The page's JSON, each reference as the logical id in `${…}`. */
const page = JSON.parse(
  dashboard.DashboardBody['Fn::Join'][1]
    .map((part: any) => (typeof part === 'string' ? part : `\${${part.Ref ?? part['Fn::GetAtt'].join('.')}}`))
    .join(''),
);
const widget = (title: string) => page.widgets.find((one: any) => one.properties.title === title).properties;

describe('the dashboard', () => {
  it('E6 shows every alarm', () => {
    const shown = widget('Alarms').alarms.map((arn: string) => arn.slice(2, -'.Arn}'.length));
    assert.deepEqual(
      shown.sort(),
      stack
        .ofType('AWS::CloudWatch::Alarm')
        .map(([id]) => id)
        .sort(),
    );
  });

  it('E6 shows events, errors, throttles and times of every function', () => {
    const functions = stack
      .ofType('AWS::Lambda::Function')
      .map(([id]) => `\${${id}}`)
      .sort();
    assert.equal(functions.length, BINARIES.length);
    for (const [title, metrics] of [
      ['Events handled', ['Invocations']],
      ['Errors and throttles of functions', ['Errors', 'Throttles']],
      ['Time per event, 99 of 100', ['Duration']],
    ] as const) {
      for (const metric of metrics) {
        const about = widget(title)
          .metrics.filter((m: string[]) => m[1] === metric)
          .map((m: string[]) => m[3]);
        assert.deepEqual(about.sort(), functions, `${title} ${metric}`);
      }
    }
  });

  it('E6 shows every queue of dead letters, and the ledger', () => {
    const queues = stack
      .ofType('AWS::SQS::Queue')
      .map(([id]) => `\${${id}.QueueName}`)
      .sort();
    assert.deepEqual(
      widget('Dead letters')
        .metrics.map((m: string[]) => m[3])
        .sort(),
      queues,
    );
    const tables = widget('Ledger: units used, requests throttled').metrics.map((m: string[]) => m[3] ?? m[2]);
    assert.ok(tables.length === 4);
    for (const id of tables.filter((value: string) => value.startsWith('$')))
      assert.equal(name(id.slice(2, -1)), 'LedgerTable');
  });

  it('E6 shows the executions that end in each way', () => {
    const shown = widget('Pipeline executions of the account').metrics.map((m: string[]) => [m[0], m[1]]);
    assert.deepEqual(
      shown,
      ['Started', 'Succeeded', 'Failed', 'Stopped'].map((end) => [
        'AWS/Sagemaker/ModelBuildingPipeline',
        `Execution${end}`,
      ]),
    );
  });
});
