import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Approved } from '../../lib/guardrails/library/approved';
import { parseGuardrails } from '../../lib/guardrails/config/guardrails';
import { applied, asManagedPolicies, statementsOf } from '../../lib/guardrails/library/compose';
import { OWNER_TAG } from '../../lib/studio/profiles';
import { text } from '../policies';
import { SAMPLES, type Synthesis, sampleFile, synthesize } from '../studio/synth';
import { type Request, decide } from './simulator';
import { EXAMPLE } from './stacks';

const read = parseGuardrails('example.yaml', EXAMPLE);
/** With another network than the example's, and with every instance type and image approved. */
const policiesFor = (network: Approved['network']) =>
  asManagedPolicies(
    statementsOf(applied(read.omit), {
      ...read.approved,
      network,
      instanceTypes: { ...read.approved.instanceTypes, notebooks: ['system', 'ml.*'] },
      images: undefined,
    }),
  );
/** A domain must name subnets and groups, any of them. */
const policies = policiesFor({});

/** A security group that is there before the domain's stack is. */
const APPROVED = ['sg-0cccccccccccccccc'];

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
        'sagemaker:VpcSecurityGroupIds': Properties.UserSettings?.SecurityGroups,
        ...Object.fromEntries(tags.map(({ Key, Value }) => [`aws:RequestTag/${Key}`, Value])),
      }),
    };
  });
}

describe("E1 Tidegate's own domains under Tidegate's guardrails, whatever the network, the types and the images", () => {
  for (const name of SAMPLES) {
    it(`E1 are made, updated and given profiles where no subnets and no groups are approved by name: ${name}`, async () => {
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

  for (const name of SAMPLES) {
    it(`E1 are denied by a list of security groups, but with a group from it: ${name}`, async () => {
      const requests = domainRequests(synthesize(sampleFile(name)));
      const own = requests[0]!.context['sagemaker:VpcSecurityGroupIds'] as string[];
      const withList = policiesFor({ ...read.approved.network, subnets: undefined, studioSecurityGroups: APPROVED });
      const withOwn = policiesFor({ studioSecurityGroups: own });
      for (const request of requests) {
        assert.equal(await decide(withList, 'SCP', request), 'denied', request.action);
        const given = { ...request, context: { ...request.context, 'sagemaker:VpcSecurityGroupIds': APPROVED } };
        assert.equal(await decide(withList, 'SCP', given), 'allowed', request.action);
        assert.equal(await decide(withOwn, 'SCP', request), 'allowed', `${request.action}: nothing else denies it`);
      }
    });
  }

  it('E1 are not bound by the groups of the example, which are for jobs', async () => {
    const { subnets: _, ...network } = read.approved.network;
    assert.ok(network.securityGroups!.length > 0);
    for (const request of SAMPLES.flatMap((name) => domainRequests(synthesize(sampleFile(name)))))
      assert.equal(await decide(policiesFor(network), 'SCP', request), 'allowed', request.action);
  });

  it('E1 are made with profiles in at least one of the samples', () => {
    assert.ok(SAMPLES.some((name) => profileRequests(synthesize(sampleFile(name))).length > 0));
  });

  it('E1 tag profiles with the tag that the guardrails ask for', () => {
    assert.equal(parseGuardrails('empty.yaml', '').approved.identityTag, OWNER_TAG);
  });
});
