import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CATALOGUE } from '../../lib/guardrails/library/catalogue';
import { statementsOf } from '../../lib/guardrails/library/compose';
import { APPROVED } from './approved';
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
