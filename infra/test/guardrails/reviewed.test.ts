import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AwsSolutionsChecks, NIST80053R5Checks } from 'cdk-nag';
import { type Statement, statements } from '../policies';
import { acknowledged, anyResource, wildcards } from '../reviewed/guardrails';
import { EXAMPLE, makeGuardrails, resources } from './stacks';

const { app, account, organization } = makeGuardrails(EXAMPLE);
app.synth();

/** An SCP is a policy like any other, in another property. */
const scps = Object.fromEntries(
  Object.entries(resources(organization!)).map(([id, { Properties }]) => [
    id,
    { Type: 'AWS::IAM::ManagedPolicy', Properties: { PolicyDocument: Properties.Content } },
  ]),
);
const ALL: Statement[] = [...statements(resources(account)), ...statements(scps)];

/** What is found has a reason, and each reason is for something that is found. */
function compare(found: readonly string[], reasons: Readonly<Record<string, string>>): void {
  assert.deepEqual([...new Set(found)].filter((one) => !(one in reasons)).sort(), [], 'without a reason');
  assert.deepEqual(
    Object.keys(reasons).filter((one) => !found.includes(one)),
    [],
    'a reason for nothing',
  );
}

describe('E1 the review of the stacks of guardrails', () => {
  it('E1 finds exactly the wildcards with a written reason', () => {
    const said = ALL.flatMap((statement) =>
      [
        ...statement.actions.map((value) => `action ${value}`),
        ...statement.resources.filter((value) => value !== '*').map((value) => `resource ${value}`),
        ...statement.principals.map((value) => `principal ${value}`),
        ...Object.values(statement.conditions).flatMap((keys) =>
          Object.values(keys)
            .flat()
            .map((value) => `condition ${value}`),
        ),
      ]
        .filter((value) => value.includes('*'))
        .map((value) => `${statement.effect} ${value}`),
    );
    compare(said, wildcards);
  });

  it('E1 finds the resource * beside those actions only that have a written reason', () => {
    compare(
      ALL.filter(({ resources: on }) => on.includes('*')).flatMap(({ actions }) => actions),
      anyResource,
    );
  });

  it('E1 finds nobody in general who is trusted', () => {
    const trusted = ALL.flatMap(({ principals }) => principals);
    assert.ok(trusted.length > 0);
    for (const principal of trusted) assert.ok(!principal.includes('*'), principal);
  });

  it('E1 leaves no finding of AWS Solutions and NIST 800-53 R5 without a reason, and no reason without one', () => {
    const found = [account, organization!].flatMap((stack) =>
      [new AwsSolutionsChecks(), new NIST80053R5Checks()].flatMap((pack) =>
        pack
          .validateScope(stack)
          .violations.flatMap(({ ruleName, violatingResources }) =>
            violatingResources.map(({ constructPath }) => ({ rule: ruleName, at: constructPath ?? '' })),
          ),
      ),
    );
    // Wildcards are looked at above, one by one.
    const others = found.filter(({ rule }) => !rule.startsWith('AwsSolutions-IAM5['));
    const open = others.filter((one) => !acknowledged.some(({ rule, at }) => rule === one.rule && at.test(one.at)));
    assert.deepEqual(open, []);
    for (const { rule, at } of acknowledged)
      assert.ok(
        others.some((one) => one.rule === rule && at.test(one.at)),
        `${rule} ${at}`,
      );
  });
});
