import { BY_AWS, COGNITO, EXAMPLE, FEDERATED, SAML, accessFile } from './access/files';
import { pipelineFolder, seedFolder } from './stack';
import { domainFiles } from './studio/files';

/** An existing VPC, with what the app needs to know of it. */
export const EXISTING = {
  network: 'vpc-0123456789abcdef0',
  subnets: 'subnet-0aaaaaaaaaaaaaaa0,subnet-0bbbbbbbbbbbbbbb0',
};

/** What a deployment may look like: the checks of templates go over all of these. */
export const CONFIGURATIONS: Readonly<Record<string, () => Record<string, unknown>>> = {
  'a sandbox': () => ({}),
  'a sandbox that empties its buckets, with pipelines and data': () => ({
    emptyBuckets: true,
    pipelines: pipelineFolder('wine'),
    seed: seedFolder(),
  }),
  'production in a VPC of its own': () => ({
    retain: true,
    network: 'new',
    zones: 3,
    functionsInVpc: true,
    sagemakerLogs: true,
    alertEmail: 'ops@example.com',
    alsoCalled: 'kms,ecr.api,ecr.dkr,studio',
  }),
  'guardrails, people and a budget': () => ({ guardrails: 'infra/guardrails/example.yaml', organization: true }),
  'the secure ground, as the README has it': () => ({
    network: 'new',
    functionsInVpc: true,
    sagemakerLogs: true,
    domains: 'infra/studio/example.yaml',
    alertEmail: 'you@example.com',
  }),
  'Studio entered by SAML, as the example has it': () => ({
    network: 'new',
    functionsInVpc: true,
    domains: 'infra/studio/example.yaml',
    access: EXAMPLE,
  }),
  'Studio entered by SAML, from a network over a VPN': () => ({
    ...EXISTING,
    functionsInVpc: true,
    endpoints: true,
    cidr: '10.20.0.0/16',
    routeTables: 'rtb-0aaaaaaaaaaaaaaa0',
    access: accessFile(`addresses: [10.0.0.0/8]\n${SAML}`),
  }),
  'Studio entered by Cognito, from an office': () => ({ retain: true, access: accessFile(COGNITO) }),
  'Studio entered by assertions that AWS verifies': () => ({
    network: 'new',
    functionsInVpc: true,
    access: accessFile(BY_AWS),
  }),
  'Studio entered by people of an identity provider, from anywhere': () => ({ access: accessFile(FEDERATED) }),
  'jobs in an existing VPC': () => ({ ...EXISTING }),
  'Studio domains': () => ({ domains: domainFiles() }),
  'an existing VPC without endpoints': () => ({
    ...EXISTING,
    functionsInVpc: true,
    endpoints: true,
    cidr: '10.20.0.0/16',
    routeTables: 'rtb-0aaaaaaaaaaaaaaa0,rtb-0bbbbbbbbbbbbbbb0',
  }),
};
