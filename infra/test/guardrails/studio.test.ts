import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseGuardrails } from '../../lib/guardrails/config/guardrails';
import { applied, asManagedPolicies, statementsOf } from '../../lib/guardrails/library/compose';
import { OWNER_TAG } from '../../lib/studio/profiles';
import { text } from '../policies';
import { SAMPLES, type Synthesis, sampleFile, synthesize } from '../studio/synth';
import { type Request, decide } from './simulator';
import { EXAMPLE } from './stacks';

const read = parseGuardrails('example.yaml', EXAMPLE);
/** Ids of subnets and groups are the deployment's; the instance types of the samples are all approved here. */
const policies = asManagedPolicies(
  statementsOf(applied(read.omit), {
    ...read.approved,
    network: {},
    instanceTypes: { ...read.approved.instanceTypes, notebooks: ['system', 'ml.*'] },
    images: undefined,
  }),
);

/** Every value of these properties, wherever in the settings. */
function deep(value: unknown, property: string): unknown[] {
  if (Array.isArray(value)) return value.flatMap((one) => deep(one, property));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    ...(key === property ? [inner] : []),
    ...deep(inner, property),
  ]);
}

/** CloudFormation calls with the role that deploys, over the internet, and sends all that the template says. */
const DEPLOYMENT = 'arn:aws:sts::111122223333:assumed-role/cdk-deploy/AWSCloudFormation';
const given = (context: Record<string, unknown>): Request['context'] =>
  Object.fromEntries(
    Object.entries(context)
      .filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0))
      .map(([key, value]) => [key, Array.isArray(value) ? value.map(text) : text(value)]),
  );

function domainRequests({ only }: Synthesis): Request[] {
  const [, { Properties: domain }] = only('AWS::SageMaker::Domain');
  const common = {
    'sagemaker:AppNetworkAccessType': domain.AppNetworkAccessType,
    'sagemaker:VpcSubnets': [domain.SubnetIds].flat(),
    'sagemaker:VpcSecurityGroupIds': domain.DefaultUserSettings.SecurityGroups,
    'sagemaker:DomainSharingOutputKmsKeyArn': deep(domain.DefaultUserSettings, 'S3KmsKeyId')[0],
    'sagemaker:InstanceTypes': deep(domain, 'InstanceType'),
  };
  return [
    { action: 'CreateDomain', context: given({ ...common, 'sagemaker:VolumeKmsKeyArn': domain.KmsKeyId }) },
    { action: 'UpdateDomain', context: given(common) },
  ].map((request) => ({ ...request, principal: DEPLOYMENT }));
}

function profileRequests({ ofType }: Synthesis): Request[] {
  return ofType('AWS::SageMaker::UserProfile').map(([, { Properties }]) => {
    const tags = Properties.Tags as { Key: string; Value: unknown }[];
    return {
      action: 'CreateUserProfile',
      principal: DEPLOYMENT,
      context: given({
        'aws:TagKeys': tags.map(({ Key }) => Key),
        ...Object.fromEntries(tags.map(({ Key, Value }) => [`aws:RequestTag/${Key}`, Value])),
      }),
    };
  });
}

describe("E1 Tidegate's own domains under Tidegate's guardrails", () => {
  for (const name of SAMPLES) {
    it(`E1 are made, updated and given profiles: ${name}`, async () => {
      const synthesis = synthesize(sampleFile(name));
      const requests = [...domainRequests(synthesis), ...profileRequests(synthesis)];
      for (const request of requests) {
        for (const kind of ['SCP', 'identity policy'] as const)
          assert.equal(await decide(policies, kind, request), 'allowed', JSON.stringify(request));
      }
      const [create] = requests as [Request];
      for (const key of Object.keys(create.context).filter((one) => one !== 'sagemaker:InstanceTypes')) {
        const { [key]: _, ...context } = create.context;
        assert.equal(await decide(policies, 'SCP', { ...create, context }), 'denied', `without ${key}`);
      }
    });
  }

  it('E1 are made with profiles in at least one of the samples', () => {
    assert.ok(SAMPLES.some((name) => profileRequests(synthesize(sampleFile(name))).length > 0));
  });

  it('E1 tag profiles with the tag that the guardrails ask for', () => {
    assert.equal(parseGuardrails('empty.yaml', '').approved.identityTag, OWNER_TAG);
  });
});
