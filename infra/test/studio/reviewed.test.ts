import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AwsSolutionsChecks, NIST80053R5Checks } from 'cdk-nag';
import { statements } from '../policies';
import { acknowledged, anyResource, wildcards } from '../reviewed/studio';
import { compare, wildcardsIn } from '../reviewed/compare';
import { EXAMPLE, departing } from './files';
import { SAMPLES, sampleFile, synthesize } from './synth';

/** The domains that the review is about: MDAA's samples, the example that people copy, and one that goes with everything. */
const stacks = [...SAMPLES.map((name) => sampleFile(name)), EXAMPLE, departing()].map((file) => {
  const synthesis = synthesize(file);
  synthesis.app.synth();
  return synthesis;
});

const all = stacks.flatMap(({ resources }) => statements(resources));

describe('the review of Studio domains', () => {
  it('B11 has a reason for each finding of AWS Solutions and NIST 800-53 R5, in one entry, and no other', () => {
    const found = stacks.flatMap(({ stack }) =>
      [new AwsSolutionsChecks(), new NIST80053R5Checks()].flatMap((pack) =>
        pack
          .validateScope(stack)
          .violations.filter(({ ruleName }) => !isReviewedWildcard(ruleName))
          .flatMap(({ ruleName, violatingResources }) =>
            violatingResources.map(({ constructPath }) => ({ rule: ruleName, at: constructPath ?? '' })),
          ),
      ),
    );
    const used = new Set<number>();
    for (const { rule, at } of found) {
      const entries = [...acknowledged.keys()].filter((index) => {
        const entry = acknowledged[index]!;
        return entry.rule === rule && entry.at.test(at);
      });
      assert.equal(entries.length, 1, `${rule} ${at}`);
      used.add(entries[0]!);
    }
    assert.deepEqual(
      acknowledged.filter((_, index) => !used.has(index)),
      [],
      'acknowledged for nothing',
    );
  });

  it('B6 has a reason for each wildcard, and no other', () => {
    compare(all.flatMap(wildcardsIn), wildcards);
  });

  it('B6 lets `*` stand alone only in a key, or beside actions that know no resources', () => {
    const beside = all.filter(({ resources, type }) => resources.includes('*') && type !== 'AWS::KMS::Key');
    compare(
      beside.flatMap(({ actions }) => actions),
      anyResource,
    );
  });

  it('B6 lets nobody in who is not named', () => {
    for (const { effect, principals, holder } of all)
      if (effect === 'Allow') assert.ok(!principals.some((who) => who.includes('*')), holder);
  });
});

/** Whether the finding is about a wildcard that has its reason; `*` alone is looked at action by action. */
function isReviewedWildcard(rule: string): boolean {
  const match = /^AwsSolutions-IAM5\[(Resource|Action)::(.*)\]$/.exec(rule);
  if (match === null) return false;
  const [, kind, value] = match as unknown as [string, string, string];
  const shown = value.replace(/<([^<>]+)>/g, '${$1}').replace(/\$\{(\w+?)[0-9A-F]{8}(\.\w+)?\}/g, '${$1$2}');
  return (kind === 'Resource' && value === '*') || `Allow ${kind.toLowerCase()} ${shown}` in wildcards;
}
