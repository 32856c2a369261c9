import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AwsSolutionsChecks, NIST80053R5Checks } from 'cdk-nag';
import { type Statement, statements } from '../policies';
import { acknowledged, anyResource, wildcards } from '../reviewed/guardrails';
import { compare, wildcardsIn } from '../reviewed/compare';
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

describe('E1 the review of the stacks of guardrails', () => {
  it('E1 finds exactly the wildcards with a written reason', () => {
    compare(ALL.flatMap(wildcardsIn), wildcards);
  });

  it('E1 finds the resource * beside those actions only that have a written reason', () => {
    compare(
      ALL.filter(({ resources: on }) => on.includes('*')).flatMap(({ actions }) => actions),
      anyResource,
    );
  });

  it('E1 finds nobody in general who is trusted', () => {
    const trusted = ALL.filter(({ effect }) => effect === 'Allow').flatMap(({ principals }) => principals);
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
