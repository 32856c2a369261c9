import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { CATALOGUE } from '../../lib/guardrails/library/catalogue';
import { APPROVED } from './approved';
import { CASES } from './cases';
import { ACCESS } from './cases/access';
import { DOMAINS } from './cases/domains';
import { JOB_CASES } from './cases/jobs';
import { NOTEBOOKS } from './cases/notebooks';
import { OWN_DOMAIN } from './cases/own-domain';

const page = readFileSync(join(__dirname, '../../../docs/GUARDRAILS.md'), 'utf8');
const FILES = {
  'access.ts': ACCESS,
  'domains.ts': DOMAINS,
  'jobs.ts': JOB_CASES,
  'notebooks.ts': NOTEBOOKS,
  'own-domain.ts': OWN_DOMAIN,
};

describe('E1 docs/GUARDRAILS.md', () => {
  const rows = page
    .split('\n')
    .filter((line) => /^\| `[a-z-]+` +\| (everyone|users) /.test(line))
    .map((line) => line.split('|').map((cell) => cell.trim()));

  it('E1 has a row for each guardrail, in the order of the policies, with whom it binds', () => {
    assert.deepEqual(
      rows.map(([, id, binds]) => [id?.replaceAll('`', ''), binds]),
      CATALOGUE.map(({ id, binds }) => [id, binds]),
    );
  });

  it('E1 names its statements, and the file of their cases', () => {
    rows.forEach(([, id, , statements = '', , cases = ''], index) => {
      const made = CATALOGUE[index]!.statements(APPROVED).map(({ Sid }) => Sid);
      const named = [...statements.matchAll(/`(\w+)(…?)`/g)].map(([, sid, more]) => ({ sid: sid!, more: more !== '' }));
      for (const sid of made) {
        assert.ok(
          named.some(({ sid: one, more }) => (more ? sid.startsWith(one) : sid === one)),
          `${id} lacks ${sid}`,
        );
        const file = FILES[cases.replaceAll('`', '') as keyof typeof FILES];
        assert.ok(
          file?.some((one) => one.sid === sid),
          `${sid} has no case in ${cases}`,
        );
      }
      for (const { sid: one } of named)
        assert.ok(
          made.some((sid) => sid.startsWith(one)),
          `${id} has no ${one}`,
        );
    });
    assert.equal(CASES.length, Object.values(FILES).flat().length);
  });
});
