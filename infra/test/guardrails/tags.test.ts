import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { App, Stack, Tags, aws_s3 as s3, aws_sns as sns } from 'aws-cdk-lib';
import { taggable, untagged } from '../tags';
import { EXAMPLE, makeGuardrails } from './stacks';

describe('E7 the cost-allocation tags', () => {
  it('E7 are on everything that can carry them in the stacks of guardrails', () => {
    const { app } = makeGuardrails(EXAMPLE);
    assert.deepEqual(untagged(app), []);
    assert.equal(taggable(app), 6, 'two roles, the budget, three SCPs');
  });

  it('E7 are missed where they are missing: none, one, or written over', () => {
    const app = new App();
    const stack = new Stack(app, 'Some');
    new s3.CfnBucket(stack, 'Bare');
    const half = new sns.CfnTopic(stack, 'Half');
    Tags.of(half).add('Project', 'tidegate');
    const over = new s3.CfnBucket(stack, 'Over');
    Tags.of(over).add('Project', 'tidegate');
    Tags.of(over).add('Environment', 'sandbox');
    over.addPropertyOverride('Tags', []);
    const whole = new s3.CfnBucket(stack, 'Whole');
    Tags.of(whole).add('Project', 'tidegate');
    Tags.of(whole).add('Environment', 'sandbox');
    assert.deepEqual(untagged(app), [
      'Some/Bare (AWS::S3::Bucket): Project, Environment',
      'Some/Half (AWS::SNS::Topic): Environment',
      'Some/Over (AWS::S3::Bucket): Project, Environment',
    ]);
  });
});
