import assert from 'node:assert/strict';
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parseGuardrails } from '../../lib/guardrails/config/guardrails';
import {
  applied,
  asManagedPolicies,
  asServiceControlPolicies,
  statementsOf,
} from '../../lib/guardrails/library/compose';
import { type AnyPolicy, type Kind, type Request, decide } from './simulator';
import { EXAMPLE } from './stacks';

const GOLDEN = join(__dirname, '../../../statemachine/tests/golden/definition/definition-secured.json');
const KEY = 'arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';

const read = parseGuardrails('example.yaml', EXAMPLE);
/** The example, for the network of the definition; and with everything that it omits for the sake of the pipelines. */
const approved = {
  ...read.approved,
  network: { subnets: ['subnet-a', 'subnet-b'], securityGroups: ['sg-1'] },
};
const statements = (omit: readonly string[]) => statementsOf(applied(omit), approved);
const WAYS: [Kind, AnyPolicy[]][] = [
  ['SCP', asServiceControlPolicies(statements(read.omit), read.organization!.exempt)],
  ['identity policy', asManagedPolicies(statements(read.omit))],
];

/** The condition keys of the request that a step's arguments become, by the Service Authorization Reference. */
function requestOf(step: any, instance: string): Request {
  const { Arguments: a } = step;
  const processing = step.Type === 'Processing';
  const network = processing ? a.NetworkConfig : a;
  const cluster = processing ? a.ProcessingResources.ClusterConfig : a.ResourceConfig;
  const given = Object.entries({
    'sagemaker:InstanceTypes': [typeof cluster.InstanceType === 'string' ? cluster.InstanceType : instance],
    'sagemaker:VolumeKmsKeyArn': cluster.VolumeKmsKeyId,
    'sagemaker:OutputKmsKeyArn': (processing ? a.ProcessingOutputConfig : a.OutputDataConfig)?.KmsKeyId,
    'sagemaker:VpcSubnets': network?.VpcConfig?.Subnets,
    'sagemaker:VpcSecurityGroupIds': network?.VpcConfig?.SecurityGroupIds,
    'sagemaker:InterContainerTrafficEncryption': network?.EnableInterContainerTrafficEncryption?.toString(),
  }).filter(([, value]) => value !== undefined);
  return { action: `Create${step.Type}Job`, context: Object.fromEntries(given), ...asPipeline(step.Type) };
}

/** A pipeline acts as its own role, which has no identity tag and no people's address. */
function asPipeline(type: string): Pick<Request, 'principal' | 'resource'> {
  return {
    principal: 'arn:aws:sts::111122223333:assumed-role/tidegate-pipeline/SageMaker',
    resource: `arn:aws:sagemaker:us-east-1:111122223333:${type.toLowerCase()}-job/pipelines-abc-one`,
  };
}

const definition = JSON.parse(readFileSync(GOLDEN, 'utf8')) as { Parameters: any[]; Steps: any[] };
const instance = definition.Parameters.find(({ Name }) => Name === 'InstanceType')?.DefaultValue as string;

describe("E10 Tidegate's own pipelines under Tidegate's guardrails", () => {
  it('E10 run: the jobs of a definition with network and keys', async () => {
    assert.ok(definition.Steps.length >= 3);
    for (const step of definition.Steps) {
      for (const [kind, policies] of WAYS)
        assert.equal(await decide(policies, kind, requestOf(step, instance)), 'allowed', `${step.Name}, ${kind}`);
    }
  });

  it('E10 would not without any one of network, encryption and keys', async () => {
    for (const step of definition.Steps) {
      const request = requestOf(step, instance);
      assert.equal(Object.keys(request.context).length, 6);
      for (const key of Object.keys(request.context)) {
        const { [key]: _, ...context } = request.context;
        for (const [kind, policies] of WAYS)
          assert.equal(await decide(policies, kind, { ...request, context }), 'denied', `${step.Name}, ${key}`);
      }
    }
  });

  /** Typed by hand: of what the deployment sends there is no golden file. That it sends these keys, its own tests hold. */
  it('E10 allow the keys, typed here, of a model in the VPC and of an endpoint configuration with a key', async () => {
    const model = { 'sagemaker:VpcSubnets': ['subnet-a'], 'sagemaker:VpcSecurityGroupIds': ['sg-1'] };
    const endpoint = { 'sagemaker:InstanceTypes': ['ml.m5.large'], 'sagemaker:VolumeKmsKeyArn': KEY };
    for (const [kind, policies] of WAYS) {
      assert.equal(await decide(policies, kind, { action: 'CreateModel', context: model }), 'allowed');
      assert.equal(await decide(policies, kind, { action: 'CreateModel', context: {} }), 'denied');
      assert.equal(await decide(policies, kind, { action: 'CreateEndpointConfig', context: endpoint }), 'allowed');
    }
  });

  it('E10 put no tags on their jobs: `job-tags`, which the example omits, would stop them', async () => {
    const withTags = asManagedPolicies(statements(read.omit.filter((id) => id !== 'job-tags')));
    for (const step of definition.Steps) {
      const request = requestOf(step, instance);
      assert.equal(await decide(withTags, 'identity policy', request), 'denied');
      const tags = { 'aws:RequestTag/Project': 'tidegate', 'aws:RequestTag/Environment': 'sandbox' };
      const tagged = { ...request.context, ...tags, 'aws:TagKeys': ['Project', 'Environment'] };
      assert.equal(await decide(withTags, 'identity policy', { ...request, context: tagged }), 'allowed');
    }
  });
});
