import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Simulation, runSimulation } from '@cloud-copilot/iam-simulate';
import type { Resource } from '../stack';
import { text } from '../policies';
import { domainFile, minimal, synthesize } from './synth';
import { readDomains } from '../../lib/studio/config/read';

const ACCOUNT = '111122223333';
const PROFILES = '  userProfiles: { ann: { userRole: { name: analyst } } }';
/** Two domains from two files, which are read together. */
const NAMES = ['red', 'blue'] as const;
type Name = (typeof NAMES)[number];
const domains = readDomains(NAMES.map((name) => domainFile(minimal(PROFILES), `${name}.yaml`)));
const made = Object.fromEntries(domains.map((domain) => [domain.name, synthesize(domain)])) as Record<
  Name,
  ReturnType<typeof synthesize>
>;

/** What CloudFormation makes of each domain. */
const there = (name: Name) => ({
  bucket: `arn:aws:s3:::bucket-of-${name}`,
  key: `arn:aws:kms:us-east-1:${ACCOUNT}:key/of-${name}`,
  role: `arn:aws:iam::${ACCOUNT}:role/execution-of-${name}`,
  domain: `d-of${name}`,
});

/** The template as it is deployed: nothing is left that CloudFormation would fill in. */
function deployed(name: Name, value: unknown): any {
  if (Array.isArray(value)) return value.map((one) => deployed(name, one));
  if (typeof value !== 'object' || value === null) return value;
  const keys = Object.keys(value);
  if (keys.length === 1 && /^(Ref|Fn::)/.test(keys[0]!)) {
    const { bucket, key, role, domain } = there(name);
    const written = text(value)
      .replaceAll('${AWS::Partition}', 'aws')
      .replaceAll('${AWS::Region}', 'us-east-1')
      .replaceAll('${AWS::AccountId}', ACCOUNT)
      .replaceAll('${SharingBucket.Arn}', bucket)
      .replaceAll('${Key.Arn}', key)
      .replaceAll('${ExecutionRole.Arn}', role)
      .replaceAll('${Domain.DomainId}', domain)
      // IAM fills this in, in sessions that Studio starts; the simulator does not know it.
      .replaceAll('${sagemaker:UserProfileName}', 'ann');
    assert.doesNotMatch(written, /\$\{/);
    return written;
  }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, deployed(name, inner)]));
}

/** The documents of the resources of a type whose logical ids begin so. */
const documents = (name: Name, type: string, property: string, beginning = '') =>
  made[name]
    .ofType(type)
    .filter(([id]) => id.startsWith(beginning))
    .map(([, { Properties }]: [string, Resource]) => deployed(name, Properties[property]));
const EVERYTHING = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };

/** Whether an application of one domain may do this to what belongs to a domain. */
async function may(
  who: Name,
  action: string,
  resource: string,
  { of, all, context = {} }: { of?: Name; all?: boolean; context?: Record<string, string> } = {},
): Promise<boolean> {
  const service = action.split(':')[0];
  const simulation: Simulation = {
    request: {
      action,
      principal: `arn:aws:sts::${ACCOUNT}:assumed-role/execution-of-${who}/SageMaker`,
      resource: { accountId: ACCOUNT, resource },
      contextVariables: { 'aws:PrincipalArn': there(who).role, 'aws:SecureTransport': 'true', ...context },
    },
    identityPolicies: all
      ? [{ name: 'everything', policy: EVERYTHING }]
      : documents(who, 'AWS::IAM::Policy', 'PolicyDocument', 'ExecutionPolicy').map((policy) => ({
          name: 'own',
          policy,
        })),
    ...(of && service === 's3' && { resourcePolicy: documents(of, 'AWS::S3::BucketPolicy', 'PolicyDocument')[0] }),
    ...(of && service === 'kms' && { resourcePolicy: documents(of, 'AWS::KMS::Key', 'KeyPolicy')[0] }),
    serviceControlPolicies: [],
    resourceControlPolicies: [],
  };
  const result = await runSimulation(simulation, {});
  if (result.resultType !== 'single') throw new Error(`not simulated: ${JSON.stringify(result, null, 1)}`);
  return result.overallResult === 'Allowed';
}

const tagsOf = ({ Properties }: Resource) =>
  Object.fromEntries(Properties.Tags.map(({ Key, Value }: { Key: string; Value: unknown }) => [Key, text(Value)]));

describe('D4 two domains from two files', () => {
  it('D4 carry their name on domain, profiles, bucket, key and execution role', () => {
    for (const name of NAMES) {
      for (const type of ['Domain', 'UserProfile']
        .map((kind) => `AWS::SageMaker::${kind}`)
        .concat('AWS::S3::Bucket', 'AWS::KMS::Key'))
        for (const [id, resource] of made[name].ofType(type)) assert.equal(tagsOf(resource)['DomainName'], name, id);
      const [role] = made[name].ofType('AWS::IAM::Role').filter(([id]) => id.startsWith('ExecutionRole'));
      assert.equal(tagsOf(role![1])['DomainName'], name);
      assert.deepEqual(
        made[name].ofType('AWS::SageMaker::UserProfile').map(([, resource]) => tagsOf(resource)['studiouserid']),
        ['ann'],
      );
    }
  });

  it('D4 hand their name on to spaces and applications', () => {
    for (const name of NAMES)
      assert.equal(made[name].only('AWS::SageMaker::Domain')[1].Properties.TagPropagation, 'ENABLED');
  });

  it('D4 have a key each, which is kept', () => {
    for (const name of NAMES) {
      const [id, key] = made[name].only('AWS::KMS::Key');
      assert.deepEqual([key.DeletionPolicy, key.UpdateReplacePolicy], ['RetainExceptOnCreate', 'Retain']);
      assert.deepEqual(made[name].only('AWS::SageMaker::Domain')[1].Properties.KmsKeyId, { 'Fn::GetAtt': [id, 'Arn'] });
    }
  });

  it('D4 have a bucket each with versions, in which what is shared costs less after 30 days', () => {
    for (const name of NAMES) {
      const [, { Properties }] = made[name].only('AWS::S3::Bucket');
      assert.equal(Properties.VersioningConfiguration.Status, 'Enabled');
      assert.deepEqual(Properties.LifecycleConfiguration.Rules, [
        {
          Id: 'versions-end',
          Status: 'Enabled',
          AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
          NoncurrentVersionExpiration: { NoncurrentDays: 90 },
        },
        {
          Id: 'what-is-shared-costs-less',
          Status: 'Enabled',
          Prefix: 'sharing/',
          Transitions: [{ StorageClass: 'STANDARD_IA', TransitionInDays: 30 }],
          NoncurrentVersionTransitions: [{ StorageClass: 'STANDARD_IA', TransitionInDays: 30 }],
        },
      ]);
    }
  });

  const sides: [Name, Name][] = [
    ['red', 'blue'],
    ['blue', 'red'],
  ];
  for (const [mine, other] of sides) {
    it(`D4 ${mine}'s applications reach their own bucket, and not ${other}'s, whatever they are allowed`, async () => {
      const object = (name: Name) => `${there(name).bucket}/sharing/notebook.ipynb`;
      for (const action of ['s3:GetObject', 's3:PutObject', 's3:DeleteObject']) {
        assert.ok(await may(mine, action, object(mine), { of: mine }), action);
        assert.ok(!(await may(mine, action, object(other), { of: other })), action);
        assert.ok(!(await may(mine, action, object(other), { of: other, all: true })), `${action}, with every right`);
      }
      const listed = { context: { 's3:prefix': 'sharing/' } };
      assert.ok(await may(mine, 's3:ListBucket', there(mine).bucket, { of: mine, ...listed }));
      assert.ok(!(await may(mine, 's3:ListBucket', there(other).bucket, { of: other, ...listed, all: true })));
    });

    it(`D4 ${mine}'s applications use their own key, and not ${other}'s`, async () => {
      for (const action of ['kms:Decrypt', 'kms:GenerateDataKey']) {
        assert.ok(await may(mine, action, there(mine).key, { of: mine }), action);
        assert.ok(!(await may(mine, action, there(other).key, { of: other })), action);
      }
    });

    it(`D4 ${mine}'s applications open, make and end what is in their own domain, and nothing in ${other}'s`, async () => {
      const arn = (kind: string, name: Name, rest: string) =>
        `arn:aws:sagemaker:us-east-1:${ACCOUNT}:${kind}/${there(name).domain}${rest}`;
      const me = (name: Name) => ({
        context: {
          'sagemaker:OwnerUserProfileArn': arn('user-profile', name, '/ann'),
        },
      });
      for (const [action, kind, rest] of [
        ['CreatePresignedDomainUrl', 'user-profile', '/ann'],
        ['DescribeUserProfile', 'user-profile', '/ann'],
        ['CreateSpace', 'space', '/work'],
        ['DeleteSpace', 'space', '/work'],
        ['CreateApp', 'app', '/work/JupyterLab/default'],
        ['DescribeDomain', 'domain', ''],
      ] as const) {
        assert.ok(await may(mine, `sagemaker:${action}`, arn(kind, mine, rest), me(mine)), action);
        for (const owner of NAMES)
          assert.ok(!(await may(mine, `sagemaker:${action}`, arn(kind, other, rest), me(owner))), action);
      }
    });

    it(`D5 ${mine}'s applications add tags to what they make, never later, and remove none`, async () => {
      const space = `arn:aws:sagemaker:us-east-1:${ACCOUNT}:space/${there(mine).domain}/work`;
      const making = (action: string) => ({ context: { 'sagemaker:TaggingAction': action } });
      assert.ok(await may(mine, 'sagemaker:AddTags', space, making('CreateSpace')));
      assert.ok(!(await may(mine, 'sagemaker:AddTags', space)));
      assert.ok(!(await may(mine, 'sagemaker:AddTags', space, making('CreateTrainingJob'))));
      assert.ok(!(await may(mine, 'sagemaker:DeleteTags', space)));
      const theirs = space.replace(there(mine).domain, there(other).domain);
      assert.ok(!(await may(mine, 'sagemaker:AddTags', theirs, making('CreateSpace'))));
    });
  }
});

describe('D4 the defaults of shared spaces', () => {
  const defaults = (lines: string) => {
    const { only } = synthesize(domainFile(minimal(lines)));
    return only('AWS::SageMaker::Domain')[1].Properties.DefaultSpaceSettings;
  };

  it('D4 have the execution role, the group of the domain, and bounds of their disks', () => {
    const { ExecutionRole, SecurityGroups, SpaceStorageSettings, ...others } = defaults('');
    assert.deepEqual(
      [text(ExecutionRole), SecurityGroups.map(text)],
      ['${ExecutionRole.Arn}', ['${SecurityGroup.GroupId}']],
    );
    assert.deepEqual(SpaceStorageSettings, {
      DefaultEbsStorageSettings: { DefaultEbsVolumeSizeInGb: 5, MaximumEbsVolumeSizeInGb: 100 },
    });
    assert.deepEqual(others, {});
  });

  const USERS = `  defaultUserSettings:
    jupyterLabAppSettings: { defaultResourceSpec: { instanceType: ml.t3.large } }
    codeEditorAppSettings: { defaultResourceSpec: { instanceType: ml.t3.large } }
    securityGroups: [sg-7]
    spaceStorageSettings: { defaultEbsStorageSettings: { defaultEbsVolumeSizeInGb: 20, maximumEbsVolumeSizeInGb: 50 } }
`;

  it('D4 are those of users, where spaces have the setting', () => {
    const { JupyterLabAppSettings, SecurityGroups, SpaceStorageSettings, ...others } = defaults(USERS);
    assert.deepEqual(JupyterLabAppSettings, { DefaultResourceSpec: { InstanceType: 'ml.t3.large' } });
    assert.deepEqual(SecurityGroups.map(text), ['${SecurityGroup.GroupId}', 'sg-7']);
    assert.deepEqual(SpaceStorageSettings.DefaultEbsStorageSettings, {
      DefaultEbsVolumeSizeInGb: 20,
      MaximumEbsVolumeSizeInGb: 50,
    });
    assert.deepEqual(Object.keys(others), ['ExecutionRole']);
  });

  it('D4 are their own where the file says so, and the scripts of the domain run in them too', () => {
    const { JupyterLabAppSettings, SecurityGroups, SpaceStorageSettings } = defaults(`${USERS}
  lifecycleConfigs: { jupyterLab: { cmds: [ls] }, codeEditor: { cmds: [ls] } }
  defaultSpaceSettings:
    jupyterLabAppSettings: { defaultResourceSpec: { instanceType: ml.m5.large } }
    securityGroups: [sg-9]`);
    const script = JupyterLabAppSettings.LifecycleConfigArns.map(text);
    assert.deepEqual(script, ['${LifecycleJupyterLab.StudioLifecycleConfigArn}']);
    assert.equal(JupyterLabAppSettings.DefaultResourceSpec.InstanceType, 'ml.m5.large');
    assert.equal(text(JupyterLabAppSettings.DefaultResourceSpec.LifecycleConfigArn), script[0]);
    assert.deepEqual(SecurityGroups.map(text), ['${SecurityGroup.GroupId}', 'sg-9']);
    assert.equal(SpaceStorageSettings.DefaultEbsStorageSettings.MaximumEbsVolumeSizeInGb, 50);
  });
});
