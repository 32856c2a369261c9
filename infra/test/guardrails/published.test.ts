import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { readGuardrails } from '../../lib/guardrails/config/guardrails';
import { published } from '../../lib/guardrails/publish';
import { decide } from './simulator';

const folder = join(__dirname, '..', '..', 'guardrails');
const files = published(readGuardrails(join(folder, 'example.yaml')));
const there = () => readdirSync(folder, { encoding: 'utf8', recursive: true }).filter((name) => name.endsWith('.json'));

if (process.env['UPDATE_GUARDRAILS'] === '1') {
  for (const name of there()) rmSync(join(folder, name));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
}

describe('E1 the published policies', () => {
  it('E1 are those of the example; UPDATE_GUARDRAILS=1 writes them anew', () => {
    assert.deepEqual(there().sort(), Object.keys(files).sort());
    for (const [name, content] of Object.entries(files)) {
      assert.equal(readFileSync(join(folder, name), 'utf8'), content, `${name}: run with UPDATE_GUARDRAILS=1`);
    }
  });

  it('E1 have statements, a Sid each, and deny', () => {
    for (const [name, content] of Object.entries(files)) {
      const { Statement } = JSON.parse(content) as { Statement: { Sid: string; Effect: string }[] };
      assert.ok(Statement.length > 0, `${name} is empty: the example lacks its parameter`);
      for (const { Sid, Effect } of Statement) {
        assert.match(Sid, /^[A-Za-z0-9]+$/);
        assert.equal(Effect, 'Deny');
      }
    }
  });

  it('E1 work as they lie there', async () => {
    const policy = JSON.parse(readFileSync(join(folder, 'domains-in-vpc.json'), 'utf8'));
    const domain = {
      'sagemaker:VpcSubnets': ['subnet-0aaaaaaaaaaaaaaaa'],
      'sagemaker:VpcSecurityGroupIds': ['sg-0aaaaaaaaaaaaaaaa'],
    };
    const ask = (access: string) =>
      decide([policy], 'SCP', {
        action: 'CreateDomain',
        context: { ...domain, 'sagemaker:AppNetworkAccessType': access },
      });
    assert.equal(await ask('PublicInternetOnly'), 'denied');
    assert.equal(await ask('VpcOnly'), 'allowed');
  });
});
