import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import Ajv2020 from 'ajv/dist/2020';
import { parse } from 'yaml';
import type { NormalisedDocument } from '../../lib/studio/config/normalised';
import { check } from '../../lib/studio/config/read';
import { SCHEMA_FILE, schemaText } from '../../lib/studio/config/schema';
import type { Source } from '../../lib/shared/yaml/source';
import { SAMPLES, domainFile, minimal, sampleFile, samples } from './synth';

const infra = join(__dirname, '..', '..');
const published = readFileSync(SCHEMA_FILE, 'utf8');
/** What an editor does with the published file: an ajv of its own, that knows nothing of the parser. */
const editor = new Ajv2020({ strict: false }).compile(JSON.parse(published));

/** Whether the parser takes a file with this data, in the folder of the samples. */
function parser(data: unknown): boolean {
  const file = join(samples, 'team.yaml');
  const problem = (_: unknown, message: string) => ({ file, line: 1, message });
  // Writing and reading YAML thousands of times takes far longer than all the checks.
  return check({ file, data, problems: [], line: () => 1, problem } as unknown as Source).length === 0;
}

const wide = parse(
  minimal(`  name: team
  kmsKeyArn: ssm:/key
  securityGroupPerProfile: true
  sourceIdentity: false
  allowReplacement: true
  backup: { schedule: cron(0 5 * * ? *), retentionDays: 7 }
  departure: { homes: delete, finalBackup: true }
  tags: { team: a }
  securityGroupIngress: { ipv4: [{ cidr: 10.0.0.0/8, protocol: tcp, port: 1, toPort: 2, description: x }] }
  userProfiles: { ann: { userRole: { name: a } } }
  domainBucket: { domainBucketName: theirs, assetDeploymentRole: { arn: ssm:/role } }
  defaultUserSettings:
    codeEditorAppSettings: { appLifecycleManagement: { idleSettings: { idleTimeoutInMinutes: 60 } } }
    spaceStorageSettings: { defaultEbsStorageSettings: { defaultEbsVolumeSizeInGb: 5, maximumEbsVolumeSizeInGb: 6 } }
    studioWebPortalSettings: { hiddenAppTypes: [Canvas], hiddenMlTools: [Models], hiddenInstanceTypes: [ml.p5.48xlarge] }
  defaultSpaceSettings: { securityGroups: [sg-1] }
  lifecycleConfigs: { codeEditor: { assets: { a: { sourcePath: ./testing_asset_dir, exclude: ['*.pyc'] } }, cmds: [ls] } }
`),
);

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
  'ml.t3.medium',
  '10.0.0.0/33',
  [],
  ['x'],
  {},
  { x: 1 },
];

describe('the published schema', () => {
  it('B1 is the one that the parser checks by, byte for byte', () => {
    assert.equal(
      published,
      schemaText(),
      'write it anew: tsx bin/studio-domain.ts --schema > schema/studio-domain.schema.json',
    );
  });

  it('B1 accepts the samples, as the parser does', () => {
    for (const sample of SAMPLES) {
      const data = parse(readFileSync(sampleFile(sample), 'utf8'));
      assert.deepEqual([editor(data), parser(data)], [true, true], sample);
    }
    assert.deepEqual([editor(wide), parser(wide)], [true, true]);
  });

  it('B9 refuses what the parser refuses, whatever is changed in a file', () => {
    const bases = [wide, ...SAMPLES.map((sample) => parse(readFileSync(sampleFile(sample), 'utf8')))];
    let refused = 0;
    let accepted = 0;
    for (const base of bases) {
      for (const path of places(base)) {
        for (const value of base === wide ? VALUES : [undefined, 0, 'x', { x: 1 }]) {
          const data = changed(base, path, value);
          const byEditor = editor(data);
          const byParser = parser(data);
          if (byEditor) accepted++;
          else refused++;
          // A schema cannot look at files, sizes, order of numbers or names: these are the parser's alone.
          if (byEditor && !byParser && BESIDE.some((rule) => rule(path, value))) continue;
          assert.equal(byParser, byEditor, `${path.join('.')} = ${JSON.stringify(value)}`);
        }
      }
    }
    assert.ok(refused > 1500 && accepted > 100, `${refused} refused, ${accepted} accepted`);
  });

  it('B9 refuses what stands between keys', () => {
    const cases = [
      minimal('  userProfiles: { ann: {} }'),
      minimal('', ['dataAdminRoles']),
      minimal(
        '  domainBucket: { domainBucketName: theirs }\n  lifecycleConfigs: { kernel: { assets: { a: { sourcePath: . } }, cmds: [ls] } }',
      ),
      minimal('  defaultExecutionRole: { name: a, id: b }'),
    ];
    for (const text of cases) assert.deepEqual([editor(parse(text)), parser(parse(text))], [false, false], text);
  });
});

/** The parser's own rules, as changes that only it may refuse. */
const BESIDE: ((path: (string | number)[], value: unknown) => boolean)[] = [
  (path) => path.at(-1) === 'sourcePath', // Files exist.
  (path) => path.includes('idleSettings'), // Minutes are in order.
  (path) => path.includes('port') || path.at(-1) === 'toPort' || path.at(-1) === 'protocol', // Ports belong to protocols.
];

describe('the program that prints domains', () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, ['--import', 'tsx', 'bin/studio-domain.ts', ...args], { cwd: infra, encoding: 'utf8' });

  it('B1 prints them as one document', () => {
    const { status, stdout, stderr } = run(sampleFile('minimal'), sampleFile('sso'));
    assert.deepEqual([status, stderr], [0, '']);
    const document = JSON.parse(stdout) as NormalisedDocument;
    assert.equal(document.version, 1);
    assert.deepEqual(document.domains[0], {
      name: 'sample-config-minimal',
      file: sampleFile('minimal'),
      authMode: 'IAM',
      vpcId: 'vpc-id',
      subnetIds: ['subnet-id'],
      kmsKeyArn: null,
      allowReplacement: false,
      profiles: [{ name: 'example-user-id', key: 'example-user-id', line: 32, userRole: { name: 'test-user-role' } }],
      apps: ['JupyterLab', 'CodeEditor', 'JupyterServer', 'KernelGateway'].map((type) => ({
        type,
        defaultInstanceType: null,
      })),
      immutable: [
        { setting: 'AuthMode', key: 'domain.authMode', value: 'IAM' },
        { setting: 'DomainName', key: 'domain.name', value: 'sample-config-minimal' },
        { setting: 'KmsKeyId', key: 'domain.kmsKeyArn', value: null },
        { setting: 'VpcId', key: 'domain.vpcId', value: 'vpc-id' },
      ],
      warnings: [],
    });
    assert.deepEqual(document.domains[1]?.profiles[0]?.userRole, null);
  });

  it('B9 says what is wrong, and prints nothing else', () => {
    const file = domainFile('domain: {}\n');
    const { status, stdout, stderr } = run(file);
    assert.deepEqual([status, stdout], [1, '']);
    assert.deepEqual(stderr.split('\n').filter((line) => line.startsWith(`${file}:1: \`domain.`)).length, 4);
    assert.match(run().stderr, /^no file is named: give one or more domain files, or `--schema`\n$/);
  });

  it('B1 prints the schema', () => {
    const args = ['--import', 'tsx', 'bin/studio-domain.ts', '--schema'];
    assert.equal(execFileSync(process.execPath, args, { cwd: infra, encoding: 'utf8' }), published);
  });
});
