import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AwsSolutionsChecks, NIST80053R5Checks } from 'cdk-nag';
import { all } from '../lib/app';
import { CONFIGURATIONS } from './configurations';
import { exported } from './policies';
import { ACKNOWLEDGED, WILDCARDS } from './reviewed';
import { makeApp } from './stack';

interface Finding {
  readonly rule: string;
  /** The construct's path. */
  readonly at: string;
  readonly configuration: string;
}

/** What the two rule packs find in every stack of every configuration. */
function findings(): Finding[] {
  return Object.entries(CONFIGURATIONS).flatMap(([configuration, context]) => {
    const { app, stacks } = makeApp(context());
    app.synth();
    return all(stacks).flatMap((stack) =>
      [new AwsSolutionsChecks(), new NIST80053R5Checks()].flatMap((pack) =>
        pack.validateScope(stack).violations.flatMap(({ ruleName, violatingResources }) =>
          violatingResources.map(({ constructPath }) => ({
            rule: ruleName,
            at: constructPath ?? '',
            configuration,
          })),
        ),
      ),
    );
  });
}

/**
 * Whether the finding is about a wildcard that `wildcards.test.ts` has found with its reason.
 *
 * The resource `*` is looked at there too, action by action.
 */
function isReviewedWildcard(rule: string): boolean {
  const match = /^AwsSolutions-IAM5\[(Resource|Action)::(.*)\]$/.exec(rule);
  if (match === null) return false;
  const [, kind, value] = match as unknown as [string, string, string];
  if (kind === 'Resource' && value === '*') return true;
  const shown = value
    .replace(/<([^<>]+)>/g, '${$1}')
    .replace(/\$\{(\w+?)[0-9A-F]{8}(\.\w+)?\}/g, '${$1$2}')
    .replace(/^\w+:ExportsOutput\w+/, exported);
  return `Allow ${kind.toLowerCase()} ${shown}` in WILDCARDS;
}

const found = findings().filter(({ rule }) => !isReviewedWildcard(rule));

describe('the rules of AWS Solutions and of NIST 800-53 R5', () => {
  it('find nothing that is not acknowledged with a reason', () => {
    const open = found.filter((one) => !ACKNOWLEDGED.some(({ rule, at }) => rule === one.rule && at.test(one.at)));
    assert.deepEqual([...new Set(open.map(({ rule, at }) => `${rule} ${at}`))].sort(), []);
  });

  it('find each thing that is acknowledged, and each in one entry only', () => {
    const matches = (rule: string, at: RegExp) => found.filter((one) => one.rule === rule && at.test(one.at));
    for (const { rule, at } of ACKNOWLEDGED) assert.notDeepEqual(matches(rule, at), [], `${rule} ${at}`);
    for (const one of found) {
      const entries = ACKNOWLEDGED.filter(({ rule, at }) => rule === one.rule && at.test(one.at));
      assert.equal(entries.length, 1, `${one.rule} ${one.at}: ${entries.map(({ at }) => at).join(' ')}`);
    }
  });

  it('would find a bucket that anybody may read without TLS', async () => {
    const { aws_s3: s3, App, Stack } = await import('aws-cdk-lib');
    const stack = new Stack(new App(), 'Careless');
    new s3.CfnBucket(stack, 'Open');
    const rules = new AwsSolutionsChecks().validateScope(stack).violations.map(({ ruleName }) => ruleName);
    assert.deepEqual(rules.sort(), ['AwsSolutions-S1', 'AwsSolutions-S10']);
  });
});
