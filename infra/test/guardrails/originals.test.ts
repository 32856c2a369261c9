import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as iam from 'aws-cdk-lib/aws-iam';
import { CATALOGUE } from '../../lib/guardrails/library/catalogue';
import { statementsOf } from '../../lib/guardrails/library/compose';
import { APPROVED } from './approved';
import { OWN_DOMAIN } from './cases/own-domain';
import { ORIGINALS } from './originals';
import { KINDS, decide } from './simulator';

const document = (...Statement: readonly unknown[]) => ({ Version: '2012-10-17', Statement });
const ours = document(...statementsOf(CATALOGUE, APPROVED));

describe('E1 the policies as the whitepaper prints them', () => {
  for (const { name, statement, letsThrough, alone } of ORIGINALS) {
    for (const { what, request } of letsThrough) {
      it(`E1 ${name} lets through, ${request.action}: ${what}; ours denies it`, async () => {
        for (const kind of KINDS) {
          assert.equal(await decide([document(statement)], kind, request), 'allowed', `the original as ${kind}`);
          assert.equal(await decide([ours], kind, request), 'denied', `ours as ${kind}`);
        }
      });
    }
    if (alone !== undefined) {
      it(`E1 ${name}: as the only policy it allows what is not in its list, and not what is`, async () => {
        assert.equal(await decide([document(statement)], 'only policy', alone.allows), 'allowed');
        assert.equal(await decide([document(statement)], 'only policy', alone.denies), 'denied');
      });
    }
  }

  it('E1 the keys that it asks for are known to no action any more: as the only policy it refuses the encrypted too', async () => {
    const KEY = 'arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
    const printed = ORIGINALS.find(({ name }) => name === 'Encryption (endpoints)');
    const encrypted = { action: 'CreateEndpointConfig', context: { 'sagemaker:VolumeKmsKeyArn': KEY } };
    assert.equal(await decide([document(printed?.statement)], 'only policy', encrypted), 'denied');
  });
});

describe('D5 a deny whose effect is left out, as in the sample with Cognito', () => {
  it('D5 is an allow to CDK: it gives what it was to take away, and ours takes it away', async () => {
    for (const statement of statementsOf(CATALOGUE, APPROVED).filter(({ Sid }) => Sid.startsWith('OwnDomain'))) {
      const { Sid, Action, Condition } = statement;
      const without = new iam.PolicyStatement({
        sid: Sid,
        actions: [...Action],
        resources: ['*'],
        conditions: Condition,
      });
      const cases = OWN_DOMAIN.filter(({ sid, expected }) => sid === Sid && expected === 'denied');
      assert.ok(cases.length > 0, Sid);
      for (const { what, request } of cases) {
        const alone = await decide([document(without.toStatementJson())], 'only policy', request);
        assert.equal(alone, 'allowed', `${Sid} without its effect: ${what}`);
        assert.equal(await decide([ours], 'identity policy', request), 'denied', `${Sid}: ${what}`);
      }
    }
  });
});

describe('D5 what a tag in the request does not say', () => {
  it('D5 is the domain that a profile is made in: the right is given by the id of the domain', async () => {
    const request = (domain: string) => ({
      action: 'CreateUserProfile',
      resource: `arn:aws:sagemaker:us-east-1:111122223333:user-profile/${domain}/mallory`,
      context: {
        'aws:PrincipalTag/DomainName': 'red',
        'aws:RequestTag/DomainName': 'red',
        'aws:TagKeys': ['DomainName'],
      },
    });
    const tags = document(
      ...statementsOf(
        CATALOGUE.filter(({ id }) => id === 'own-domain'),
        APPROVED,
      ),
    );
    assert.equal(
      await decide([tags], 'identity policy', request('d-ofblue')),
      'allowed',
      'with everything allowed besides',
    );
    const right = {
      Effect: 'Allow',
      Action: 'sagemaker:CreateUserProfile',
      Resource: 'arn:aws:sagemaker:us-east-1:111122223333:user-profile/d-ofred/*',
    };
    const given = document(right, ...tags.Statement);
    assert.equal(await decide([given], 'only policy', request('d-ofred')), 'allowed');
    assert.equal(await decide([given], 'only policy', request('d-ofblue')), 'denied');
  });
});
