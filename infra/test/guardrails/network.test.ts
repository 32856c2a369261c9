import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseGuardrails } from '../../lib/guardrails/config/guardrails';
import { CATALOGUE } from '../../lib/guardrails/library/catalogue';
import { asManagedPolicies, asServiceControlPolicies, statementsOf } from '../../lib/guardrails/library/compose';
import { ACCOUNT, type AnyPolicy, type Kind, type Request, decide } from './simulator';
import { EXAMPLE } from './stacks';

/*
 * Studio asks the policies twice: when the URL is made, and again for each request and frame of the browser that opened it,
 * always those of the role that made the URL, but from where the browser is
 * (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreatePresignedDomainUrl.html).
 */
const { approved } = parseGuardrails('example.yaml', EXAMPLE);

type Keys = Readonly<Record<string, string | undefined>>;
const VPC = 'vpc-0123456789abcdef0';
const from = (vpc: string, endpoint: string, address: string): Keys => ({
  'aws:SourceIp': undefined,
  'aws:SourceVpc': vpc,
  'aws:SourceVpce': endpoint,
  'aws:VpcSourceIp': address,
});
const PLACES = {
  'the function, through the endpoint of the SageMaker API': from(VPC, 'vpce-0123456789abcdef0', '10.0.1.17'),
  'a browser over the VPN, through the endpoint of Studio': from(VPC, 'vpce-0fedcba9876543210', '10.42.7.9'),
  'a machine in the VPC that is none of these': from(VPC, 'vpce-0fedcba9876543210', '10.200.0.1'),
  'another endpoint of the VPC': from(VPC, 'vpce-0aaaaaaaaaaaaaaa0', '10.42.7.9'),
  "somebody else's VPC with the same addresses": from('vpc-0fffffffffffffff0', 'vpce-0ffffffffffffff00', '10.42.7.9'),
  'a browser of the office, over the internet': { 'aws:SourceIp': '203.0.113.40' },
  'anybody, over the internet': { 'aws:SourceIp': '198.51.100.40' },
} satisfies Record<string, Keys>;
type Place = keyof typeof PLACES;

const FUNCTION: Place = 'the function, through the endpoint of the SageMaker API';
const BROWSER: Place = 'a browser over the VPN, through the endpoint of Studio';

/** The places that each guardrail lets in, with the example's values; it denies all others. */
const LET_IN: Record<string, readonly Place[]> = {
  'studio-via-vpc-endpoints': [FUNCTION, BROWSER, 'a machine in the VPC that is none of these'],
  'studio-via-vpcs': [FUNCTION, BROWSER, 'a machine in the VPC that is none of these', 'another endpoint of the VPC'],
  'studio-from-vpc-addresses': [FUNCTION, BROWSER, 'another endpoint of the VPC'],
  // The example's private range is the VPN's: the function comes from elsewhere in the VPC.
  'studio-from-ip-ranges': [BROWSER, 'another endpoint of the VPC', 'a browser of the office, over the internet'],
};

const ACCESS = `arn:aws:iam::${ACCOUNT}:role/TidegateAccess-StudioAccessRole0A1B2C3D-abcdefghijkl`;
const ask = (place: Keys, who: Keys = {}): Request => ({
  action: 'CreatePresignedDomainUrl',
  context: {
    'aws:PrincipalArn': ACCESS,
    'aws:PrincipalTag/studiouserid': undefined,
    'sagemaker:ResourceTag/studiouserid': 'alice',
    ...place,
    ...who,
  },
});

/** A guardrail in each form that it is deployed or copied in. */
function forms(id: string, given = approved): [Kind, readonly AnyPolicy[]][] {
  const statements = CATALOGUE.find((one) => one.id === id)!.statements(given);
  return [
    ['SCP', asServiceControlPolicies(statements, ['arn:aws:iam::*:role/break-glass'])],
    ['identity policy', asManagedPolicies(statements)],
  ];
}

function published(id: string): [Kind, readonly AnyPolicy[]] {
  return ['SCP', [JSON.parse(readFileSync(join(__dirname, '../../guardrails', `${id}.json`), 'utf8')) as AnyPolicy]];
}

describe('C6 who makes and who opens the URL of a sign-in, from where', () => {
  for (const [id, places] of Object.entries(LET_IN)) {
    for (const [place, keys] of Object.entries(PLACES)) {
      const expected = places.includes(place as Place) ? 'allowed' : 'denied';
      it(`C6 C8 ${id}: ${expected}: ${place}`, async () => {
        for (const [kind, policies] of [...forms(id), published(id)])
          assert.equal(await decide(policies, kind, ask(keys)), expected, kind);
      });
    }
  }

  it('C6 by addresses of the office, the function needs an endpoint, and its own subnets among the private addresses', async () => {
    const ranges = { ...approved.access.ranges!, private: ['10.0.0.0/20'] };
    const given = { ...approved, access: { ...approved.access, ranges } };
    for (const [kind, policies] of forms('studio-from-ip-ranges', given)) {
      const may = (place: Place) => decide(policies, kind, ask(PLACES[place]));
      assert.equal(await may(FUNCTION), 'allowed');
      assert.equal(await may('a browser of the office, over the internet'), 'allowed');
      assert.equal(await may('anybody, over the internet'), 'denied', 'where a function outside the VPC comes from');
      assert.equal(await may(BROWSER), 'denied');
    }
  });

  it('C6 the endpoint of the SageMaker API alone makes a URL that no browser opens', async () => {
    const access = { ...approved.access, vpcEndpoints: ['vpce-0123456789abcdef0'] };
    for (const [kind, policies] of forms('studio-via-vpc-endpoints', { ...approved, access })) {
      assert.equal(await decide(policies, kind, ask(PLACES[FUNCTION])), 'allowed');
      assert.equal(await decide(policies, kind, ask(PLACES[BROWSER])), 'denied');
    }
  });

  it('C6 C8 nobody opens Studio from the console, from wherever: the sign-in and the applications alone do', async () => {
    const person = { 'aws:PrincipalArn': `arn:aws:iam::${ACCOUNT}:role/tidegate-data-scientist` };
    const application = {
      'aws:PrincipalArn': `arn:aws:iam::${ACCOUNT}:role/TidegateStudio-red-ExecutionRole605A040B-abc`,
    };
    for (const [kind, policies] of [...forms('studio-by-openers-only'), published('studio-by-openers-only')]) {
      for (const place of Object.values(PLACES)) {
        const own = { ...person, 'aws:PrincipalTag/studiouserid': 'alice' };
        assert.equal(await decide(policies, kind, ask(place, own)), 'denied', 'a person, the own profile');
        assert.equal(await decide(policies, kind, ask(place)), 'allowed', 'the sign-in');
        assert.equal(await decide(policies, kind, ask(place, application)), 'allowed', 'an application');
      }
    }
  });

  it('C6 all of them together let the sign-in in from the VPC, and nothing else', async () => {
    const ids = ['own-profile', 'studio-by-openers-only', ...Object.keys(LET_IN)].filter(
      (id) => id !== 'studio-from-ip-ranges',
    );
    const statements = statementsOf(
      CATALOGUE.filter(({ id }) => ids.includes(id)),
      approved,
    );
    const scps = asServiceControlPolicies(statements, []);
    for (const [place, keys] of Object.entries(PLACES)) {
      const expected: string = ([FUNCTION, BROWSER] as string[]).includes(place) ? 'allowed' : 'denied';
      assert.equal(await decide(scps, 'SCP', ask(keys)), expected, place);
      const person = {
        'aws:PrincipalArn': `arn:aws:iam::${ACCOUNT}:role/anybody`,
        'aws:PrincipalTag/studiouserid': 'alice',
      };
      assert.equal(await decide(scps, 'SCP', ask(keys, person)), 'denied', place);
    }
  });
});

describe('C6 the policies as the article on SAML prints them', () => {
  const document = (...Statement: readonly object[]): AnyPolicy => ({ Version: '2012-10-17', Statement });

  it('C6 its SCP lets in whoever has an approved private address in a VPC of their own', async () => {
    const printed = document(
      { Effect: 'Allow', Action: ['sagemaker:*'], Resource: '*' },
      {
        Effect: 'Deny',
        Action: ['sagemaker:CreatePresignedDomainUrl'],
        Resource: '*',
        Condition: { NotIpAddress: { 'aws:VpcSourceIp': '10.42.0.0/16' } },
      },
    );
    const elsewhere = ask(PLACES["somebody else's VPC with the same addresses"]);
    assert.equal(await decide([printed], 'SCP', elsewhere), 'allowed');
    assert.equal(await decide(published('studio-from-vpc-addresses')[1], 'SCP', elsewhere), 'denied');
    const tunnel = { ...ask(PLACES['anybody, over the internet']), action: 'StartSession' };
    assert.equal(await decide([printed], 'SCP', tunnel), 'allowed', 'a session into a space, from anywhere');
    assert.equal(await decide(published('studio-from-vpc-addresses')[1], 'SCP', tunnel), 'denied');
  });

  it('C6 its conditions stand in allows, which another allow makes void', async () => {
    const conditions = [
      { StringEquals: { 'aws:SourceVpc': VPC } },
      { 'ForAnyValue:StringEquals': { 'aws:SourceVpce': ['vpce-0123456789abcdef0', 'vpce-0fedcba9876543210'] } },
      { IpAddress: { 'aws:SourceIp': ['203.0.113.0/24'] } },
    ];
    const anybody = ask(PLACES['anybody, over the internet']);
    for (const Condition of conditions) {
      const printed = document({
        Effect: 'Allow',
        Action: 'sagemaker:CreatePresignedDomainUrl',
        Resource: '*',
        Condition,
      });
      assert.equal(await decide([printed], 'only policy', anybody), 'denied');
      assert.equal(await decide([printed], 'identity policy', anybody), 'allowed');
    }
  });
});
