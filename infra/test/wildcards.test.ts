import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CONFIGURATIONS } from './configurations';
import { statements } from './policies';
import { ANY_RESOURCE, WILDCARDS } from './reviewed';
import { compare, wildcardsIn } from './reviewed/compare';
import { Synthesized } from './stack';

/** Every statement of every policy of every stack, in every configuration. */
const all = Object.values(CONFIGURATIONS).flatMap((context) => statements(new Synthesized(context()).resources));

/** Policies in which the resource `*` means the one that holds them, or what is reached through it. */
const OF_ONE_RESOURCE = ['AWS::KMS::Key', 'AWS::EC2::VPCEndpoint'];

describe('wildcards', () => {
  it('are exactly those with a written reason', () => {
    compare(all.flatMap(wildcardsIn), WILDCARDS);
  });

  it('stand alone as a resource only in a key or an endpoint, or beside actions that know no resources', () => {
    const beside = new Set<string>();
    for (const statement of all.filter(
      ({ resources, type }) => resources.includes('*') && !OF_ONE_RESOURCE.includes(type),
    )) {
      assert.deepEqual(statement.resources, ['*']);
      for (const action of statement.actions) beside.add(action);
    }
    compare([...beside], ANY_RESOURCE);
  });

  it('never stand in who is allowed', () => {
    const open = all.filter(({ effect, principals }) => effect === 'Allow' && principals.some((p) => p.includes('*')));
    // An endpoint's policy gives nobody a right: it bounds what may pass. An API's admits whom its denials leave, and then
    // asks who it is.
    for (const { holder, type } of open.filter(({ type }) => type !== 'AWS::EC2::VPCEndpoint')) {
      assert.equal(type, 'AWS::ApiGateway::RestApi');
      const denials = all.filter((one) => one.holder === holder && one.type === type && one.effect === 'Deny');
      assert.ok(denials.length > 0, holder);
    }
  });

  it('bound what a metric may be called', () => {
    const metrics = all.filter(({ actions }) => actions.includes('cloudwatch:PutMetricData'));
    assert.ok(metrics.length > 0);
    for (const { actions, conditions } of metrics) {
      assert.deepEqual(Object.keys(conditions['StringLike']!), ['cloudwatch:namespace']);
      assert.deepEqual(actions, ['cloudwatch:PutMetricData']);
    }
  });
});
