import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Approved } from '../../lib/guardrails/library/approved';
import { CATALOGUE } from '../../lib/guardrails/library/catalogue';
import {
  MANAGED_POLICY_LIMIT,
  SCP_LIMIT,
  applied,
  asBoundary,
  asManagedPolicies,
  asServiceControlPolicies,
  statementsOf,
} from '../../lib/guardrails/library/compose';
import { deny, minified } from '../../lib/guardrails/library/statement';
import { profileTags } from '../../lib/guardrails/library/tags';
import { fromIpRanges } from '../../lib/guardrails/library/access';
import { APPROVED } from './approved';
import { CASES } from './cases';
import { KINDS, decide } from './simulator';

const ALL = statementsOf(CATALOGUE, APPROVED);
const NOTHING: Approved = {
  instanceTypes: {},
  access: {},
  network: {},
  identityTag: 'studiouserid',
  domainAdministrators: [],
  requiredTags: { profiles: [], jobs: [] },
  imageAdministrators: [],
};

/** Every guardrail at once is more than a target takes: some exclude each other. */
const exempting = (roles: readonly string[]) =>
  (['everyone', 'users'] as const).flatMap((binds) =>
    asServiceControlPolicies(
      statementsOf(
        CATALOGUE.filter((guardrail) => guardrail.binds === binds),
        APPROVED,
      ),
      roles,
    ),
  );

describe('E1 guardrails put together', () => {
  it('E1 fit into SCPs and managed policies, in order, none lost and none twice', () => {
    const sids = ALL.map(({ Sid }) => Sid);
    for (const [documents, limit] of [
      [asServiceControlPolicies(ALL, []), SCP_LIMIT],
      [asManagedPolicies(ALL), MANAGED_POLICY_LIMIT],
    ] as const) {
      assert.ok(documents.length > 1);
      for (const document of documents) assert.ok(minified(document).length <= limit);
      assert.deepEqual(
        documents.flatMap(({ Statement }) => Statement.map(({ Sid }) => Sid)),
        sids,
      );
    }
  });

  it('E1 split into several, they still deny whatever they deny alone', async () => {
    const scps = asServiceControlPolicies(ALL, []);
    const managed = asManagedPolicies(ALL);
    for (const { request, expected } of CASES.filter((one) => one.expected === 'denied')) {
      assert.equal(await decide(scps, 'SCP', request), expected);
      assert.equal(await decide(managed, 'identity policy', request), expected);
    }
  });

  it('E1 begin a new policy at the character that is one too many', () => {
    const one = (length: number) => deny('A', [], { Null: { k: 'x'.repeat(length) } });
    const overhead = minified({ Version: '2012-10-17', Statement: [one(0)] }).length;
    const documents = (length: number) => asManagedPolicies([one(length), deny('B', [])]).length;
    const other = minified({ Version: '2012-10-17', Statement: [one(0), deny('B', [])] }).length;
    assert.equal(documents(MANAGED_POLICY_LIMIT - other), 1);
    assert.equal(documents(MANAGED_POLICY_LIMIT - other + 1), 2);
    assert.throws(
      () => documents(MANAGED_POLICY_LIMIT - overhead + 1),
      /the statement `A` alone exceeds 6144 characters: shorten its list/,
    );
  });

  it('E1 refuse more SCPs than a target takes', () => {
    const large = Array.from({ length: 5 }, (_, n) => deny(`S${n}`, [], { Null: { k: 'x'.repeat(4000) } }));
    assert.throws(() => asServiceControlPolicies(large, []), /fill 5 SCPs, and a target takes 4/);
  });

  it('E1 leave exempt roles alone as SCPs, and nobody else', async () => {
    const scps = exempting(['arn:aws:iam::*:role/break-glass']);
    for (const { request } of CASES.filter((one) => one.expected === 'denied' && one.request.principal === undefined)) {
      const breakGlass = {
        ...request,
        principal: 'arn:aws:sts::111122223333:assumed-role/break-glass/carol',
        context: { ...request.context, 'aws:PrincipalArn': 'arn:aws:iam::111122223333:role/break-glass' },
      };
      assert.equal(await decide(scps, 'SCP', breakGlass), 'allowed');
      assert.equal(await decide(scps, 'SCP', request), 'denied');
      const unsaid = { ...request, context: { ...request.context, 'aws:PrincipalArn': undefined } };
      assert.equal(await decide(scps, 'SCP', unsaid), 'denied', 'a request that does not say who it is');
    }
  });

  it('E1 exempt image administrators from the AppImageConfigs only', async () => {
    const scps = exempting(['arn:aws:iam::*:role/break-glass']);
    const administrator = {
      principal: 'arn:aws:sts::111122223333:assumed-role/ml-administrator/bob',
      context: { 'aws:PrincipalArn': 'arn:aws:iam::111122223333:role/ml-administrator' },
    };
    assert.equal(await decide(scps, 'SCP', { action: 'CreateAppImageConfig', ...administrator }), 'allowed');
    assert.equal(await decide(scps, 'SCP', { action: 'CreateDomain', ...administrator }), 'denied');
  });

  it('E1 as a boundary allow the named services only, and deny what they deny', async () => {
    const boundary = asBoundary(ALL.slice(0, 3), ['sagemaker', 's3']);
    assert.deepEqual(boundary.Statement[0], {
      Sid: 'WhatOtherPoliciesMayAllow',
      Effect: 'Allow',
      Action: ['sagemaker:*', 's3:*'],
      Resource: '*',
    });
    const training = (type: string) => ({
      action: 'CreateTrainingJob',
      context: { 'sagemaker:InstanceTypes': [type] },
    });
    assert.equal(await decide([boundary], 'sole boundary', training('ml.m5.large')), 'allowed');
    assert.equal(await decide([boundary], 'sole boundary', training('ml.p4d.24xlarge')), 'denied');
    assert.equal(await decide([asBoundary([], ['s3'])], 'sole boundary', training('ml.m5.large')), 'denied');
    assert.throws(() => asBoundary(ALL, ['sagemaker']), /the boundary has \d+ characters, and a policy takes 6144/);
  });

  it('E1 leave out what is omitted, and what has no parameter', () => {
    assert.ok(!applied(['job-tags']).some(({ id }) => id === 'job-tags'));
    const sids = statementsOf(CATALOGUE, NOTHING).map(({ Sid }) => Sid);
    const never = /InstanceType|Approved|StudioVia|StudioFrom|JobTag/;
    assert.deepEqual(
      sids.filter((sid) => never.test(sid)),
      [],
    );
    assert.ok(sids.includes('DomainVpcOnly') && sids.includes('ProfileTagStudiouserid'));
  });

  it('E1 hold no empty list, which AWS refuses', () => {
    for (const approved of [APPROVED, NOTHING]) {
      for (const { Sid, Condition } of statementsOf(CATALOGUE, approved)) {
        for (const block of Object.values(Condition ?? {}))
          for (const [key, values] of Object.entries(block)) assert.ok(values.length > 0, `${Sid} ${key}`);
      }
    }
  });

  it('E1 give tags whose names differ in signs only a Sid each', () => {
    assert.deepEqual(
      profileTags(['cost-center', 'costCenter', 'CostCenter', 'cost:center']).map(({ Sid }) => Sid),
      ['ProfileTagCostCenter', 'ProfileTagCostCenter2', 'ProfileTagCostCenter3', 'ProfileTagCostCenter4'],
    );
  });

  it('E1 with public ranges only, or private ones only, admit these and nothing else', async () => {
    const vpcs = ['vpc-0aaa1111bbbb2222c'];
    const open = (context: Record<string, string | undefined>) => ({ action: 'CreatePresignedDomainUrl', context });
    const byEndpoint = { 'aws:SourceIp': undefined, 'aws:VpcSourceIp': '10.1.2.3', 'aws:SourceVpc': vpcs[0] };
    const document = (ranges: { public: string[]; private: string[]; vpcs: string[] }) => ({
      Version: '2012-10-17',
      Statement: fromIpRanges(ranges),
    });
    const onlyPublic = document({ public: ['192.0.2.0/24'], private: [], vpcs: [] });
    const onlyPrivate = document({ public: [], private: ['10.1.0.0/16'], vpcs });
    for (const kind of KINDS) {
      assert.equal(await decide([onlyPublic], kind, open({ 'aws:SourceIp': '192.0.2.1' })), 'allowed');
      assert.equal(await decide([onlyPublic], kind, open(byEndpoint)), 'denied');
      assert.equal(await decide([onlyPrivate], kind, open({ 'aws:SourceIp': '192.0.2.1' })), 'denied');
      assert.equal(await decide([onlyPrivate], kind, open(byEndpoint)), 'allowed');
    }
  });
});
