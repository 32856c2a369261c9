import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { App, Stack, Tags, aws_s3 as s3, aws_sns as sns } from 'aws-cdk-lib';
import { CONFIGURATIONS } from './configurations';
import { makeApp } from './stack';
import { taggable, untagged } from './tags';

describe('E7 the cost-allocation tags', () => {
  for (const [configuration, context] of Object.entries(CONFIGURATIONS)) {
    it(`E7 are on everything that can carry them: ${configuration}`, () => {
      const { app } = makeApp(context());
      assert.deepEqual(untagged(app), []);
      assert.ok(taggable(app) > 30, `${taggable(app)}`);
    });
  }

  it('E7 are missed where they are missing: none, one, or written over', () => {
    const app = new App();
    const stack = new Stack(app, 'Some');
    const tagged = (id: string, tags: Record<string, string>) => {
      const bucket = new s3.CfnBucket(stack, id);
      for (const [key, value] of Object.entries(tags)) Tags.of(bucket).add(key, value);
      return bucket;
    };
    const both = { Project: 'tidegate', Environment: 'sandbox' };
    tagged('Bare', {});
    Tags.of(new sns.CfnTopic(stack, 'Half')).add('Project', 'tidegate');
    tagged('Over', both).addPropertyOverride('Tags', []);
    tagged('Whole', both);
    assert.deepEqual(untagged(app), [
      'Some/Bare (AWS::S3::Bucket): Project, Environment',
      'Some/Half (AWS::SNS::Topic): Environment',
      'Some/Over (AWS::S3::Bucket): Project, Environment',
    ]);
  });
});
