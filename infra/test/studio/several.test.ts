import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Template } from 'aws-cdk-lib/assertions';
import { all } from '../../lib/app';
import { text } from '../policies';
import { makeApp } from '../stack';
import { newFolder } from './files';

const folder = newFolder();
const files = ['red', 'blue'].map((name) => {
  const file = join(folder, `${name}.yaml`);
  writeFileSync(
    file,
    [
      'domain:',
      '  authMode: IAM',
      '  vpcId: ssm:/tidegate/network/vpc-id',
      '  subnetIds: [ssm:/tidegate/network/subnet-id-1, ssm:/tidegate/network/subnet-id-2]',
      "  dataAdminRoles: [{arn: 'arn:{{partition}}:iam::{{account}}:role/admin'}]",
      '  userProfiles: {alice: {userRole: {name: alice}}}',
    ].join('\n'),
  );
  return file;
});
const { stacks } = makeApp({ network: 'new', domains: files.join(',') });
const templates = Object.fromEntries(
  all(stacks)
    .filter(({ stackName }) => stackName.startsWith('TidegateStudio-'))
    .map((stack) => [stack.stackName, Template.fromStack(stack).toJSON()]),
);

describe('several domains', () => {
  it('E8 are a stack each, with a key, a bucket, a group and a role of their own', () => {
    assert.deepEqual(Object.keys(templates).sort(), ['TidegateStudio-blue', 'TidegateStudio-red']);
    for (const [stack, { Resources }] of Object.entries(templates)) {
      const [domain] = Object.values<any>(Resources).filter(({ Type }) => Type === 'AWS::SageMaker::Domain');
      const { KmsKeyId, DefaultUserSettings: settings } = domain.Properties;
      const own = [KmsKeyId, settings.ExecutionRole, settings.SecurityGroups[0]].map(
        (value) => Resources[value['Fn::GetAtt'][0]].Type,
      );
      assert.deepEqual(own, ['AWS::KMS::Key', 'AWS::IAM::Role', 'AWS::EC2::SecurityGroup'], stack);
      assert.match(text(settings.SharingSettings.S3OutputPath), /^s3:\/\/\$\{SharingBucket\}/, stack);
    }
  });

  it('E8 know nothing of each other', () => {
    for (const [stack, other] of [
      ['TidegateStudio-red', 'blue'],
      ['TidegateStudio-blue', 'red'],
    ] as const) {
      const written = JSON.stringify(templates[stack]);
      assert.doesNotMatch(written, new RegExp(`TidegateStudio-${other}|studio[-/]${other}|"${other}"`), stack);
      const imported = [...written.matchAll(/"Fn::ImportValue":"([^":]+):/g)].map(([, from]) => from);
      assert.deepEqual([...new Set(imported)], ['TidegateStorage'], stack);
    }
  });

  it('A5 come after the network whose parameters they read', () => {
    const studio = all(stacks).filter(({ stackName }) => stackName.startsWith('TidegateStudio-'));
    for (const stack of studio) assert.ok(stack.dependencies.some(({ stackName }) => stackName === 'TidegateNetwork'));
  });
});
