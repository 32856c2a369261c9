import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import Ajv2020 from 'ajv/dist/2020';
import { parse } from 'yaml';
import { check } from '../../lib/access/config/read';
import { SCHEMA_FILE, schemaText } from '../../lib/access/config/schema';
import type { Source } from '../../lib/shared/yaml/source';
import { BY_AWS, COGNITO, EXAMPLE, FEDERATED, SAML, accessFile } from './files';

const published = readFileSync(SCHEMA_FILE, 'utf8');
/** What an editor does with the published file: an ajv of its own, that knows nothing of the parser. */
const editor = new Ajv2020({ strict: false }).compile(JSON.parse(published));
const file = accessFile('');
const NOW = new Date('2027-06-01T00:00:00Z');

/** Whether the parser takes a file with this data. */
function parser(data: unknown): boolean {
  const problem = (_: unknown, message: string) => ({ file, line: 1, message });
  return check({ file, data, problems: [], line: () => 1, problem } as unknown as Source, NOW).length === 0;
}

/** Every place of a value: keys and indexes from the top. */
function places(value: unknown, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [path];
  return [
    path,
    ...Object.entries(value).flatMap(([key, inner]) =>
      places(inner, [...path, Array.isArray(value) ? Number(key) : key]),
    ),
  ];
}

/** A copy with another value at one place; `undefined` takes it away. */
function changed(data: unknown, path: (string | number)[], value: unknown): unknown {
  if (path.length === 0) return value ?? null;
  const copy = structuredClone(data) as any;
  const holder = path.slice(0, -1).reduce((inner, step) => inner[step], copy);
  const last = path[path.length - 1] as string | number;
  if (value !== undefined) holder[last] = value;
  else if (Array.isArray(holder)) holder.splice(last as number, 1);
  else delete holder[last];
  return copy;
}

const VALUES = [
  undefined,
  null,
  true,
  0,
  -2,
  70_000,
  '',
  'x',
  'ssm:/a/b',
  'here',
  'aws',
  'd-1',
  'idp.pem',
  [],
  ['x'],
  {},
  { x: 1 },
];

describe('the published schema of `access`', () => {
  it('C4 is the one that the parser checks by, byte for byte', () => {
    assert.equal(
      published,
      schemaText(),
      'write it anew: tsx bin/access.ts --schema > schema/studio-access.schema.json',
    );
  });

  it('C4 accepts what the parser accepts', () => {
    for (const text of [SAML, COGNITO, BY_AWS, FEDERATED]) {
      assert.deepEqual([editor(parse(text)), parser(parse(text))], [true, true], text);
    }
    assert.ok(editor(parse(readFileSync(EXAMPLE, 'utf8'))));
  });

  it('C4 refuses nothing that the parser takes, whatever is changed in a file', () => {
    let refused = 0;
    let accepted = 0;
    for (const text of [SAML, COGNITO, BY_AWS, FEDERATED]) {
      const base = parse(text);
      for (const path of places(base)) {
        for (const value of VALUES) {
          const data = changed(base, path, value);
          const [here, there] = [editor(data), parser(data)];
          // The parser knows more: names that refer to each other, and the files beside.
          if (there) assert.ok(here, `${path.join('.')} = ${JSON.stringify(value)}: ${JSON.stringify(editor.errors)}`);
          if (here && there) accepted += 1;
          if (!here && !there) refused += 1;
        }
      }
    }
    assert.ok(refused > 1000 && accepted > 50, `${refused} refused, ${accepted} accepted`);
  });

  it('C4 says of rules between keys what the parser says', () => {
    const wrong = [
      { domains: [{ name: 'a' }] },
      parse(SAML.replace(/ {2}certificates.*\n/, '')),
      parse(SAML.replace('verify: here', 'verify: here\n  metadata: idp.xml')),
      parse(BY_AWS.replace('  metadata: idp.xml\n', '')),
      parse(BY_AWS.replace('metadata: idp.xml', 'metadata: idp.xml\n  startedAtIdp: true')),
    ];
    for (const data of wrong) assert.deepEqual([editor(data), parser(data)], [false, false], JSON.stringify(data));
  });
});
