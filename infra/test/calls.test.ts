import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join, sep } from 'node:path';
import { describe, it } from 'node:test';
import { PROJECT_ROOT } from '../lib/config';
import { statements } from './policies';
import type { Statement } from './policies';
import { BINARIES, FOLLOWING, Synthesized } from './stack';

/**
 * The local cloud does not enforce policies: a call that no policy allows would be found on AWS only.
 * So the calls are read from the functions' sources, function by function.
 */
const SOURCES = join(PROJECT_ROOT, 'handlers', 'src');

/** Operations whose right has another name than they. */
const RIGHTS: Record<string, string[]> = {
  copy_object: ['s3:GetObject', 's3:GetObjectVersion', 's3:PutObject'],
  head_object: ['s3:GetObject'],
  list_objects_v2: ['s3:ListBucket'],
  list_object_versions: ['s3:ListBucketVersions'],
  query: ['dynamodb:Query'],
  publish: ['sns:Publish'],
  transact_write_items: ['dynamodb:PutItem', 'dynamodb:UpdateItem'],
};

/** Fields that are called like operations. */
const FIELDS = ['retry_policy'];

/** Services by what their operations are about. */
const SERVICES: [RegExp, string][] = [
  [/_(pipelines?|models?|endpoints?|training_job|processing_job|tags)(_|$)/, 'sagemaker'],
  [/_schedules?(_group)?$/, 'scheduler'],
  [/_object$/, 's3'],
  [/_items?$/, 'dynamodb'],
];

const OPERATION =
  /\.((?:abort|add|batch|complete|copy|create|delete|describe|get|head|invoke|list|put|retry|search|send|start|stop|transact|update|upload)_[a-z0-9_]+|query|scan|publish)\(\)/g;

function rights(operation: string): string[] {
  if (operation in RIGHTS) return RIGHTS[operation]!;
  const service = SERVICES.find(([about]) => about.test(operation))?.[1];
  const name = operation.replace(/(^|_)([a-z])/g, (_match, _underscore, letter: string) => letter.toUpperCase());
  return service === undefined ? [] : [`${service}:${name}`];
}

/** The sources without their tests, by path. */
const sources = new Map(
  readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
    .map((file) => file.split(sep).join('/'))
    .filter((file) => file.endsWith('.rs') && !/(^|\/)(testing|tests)(\.rs|\/)/.test(file))
    .map((file) => {
      const text = readFileSync(join(SOURCES, file), 'utf8');
      return [file, text.split(/#\[cfg\(test\)\]\s+(?:pub(?:\([^)]*\))? )?mod \w+ \{/)[0]!] as const;
    }),
);

/** One `fn` of the sources, as far as to the next one. */
interface Function {
  readonly file: string;
  readonly name: string;
  readonly code: string;
}

const functions: Function[] = [...sources].flatMap(([file, code]) =>
  code.split(/^(?=\s*(?:pub(?:\([^)]*\))? )?(?:async )?fn )/m).map((part) => ({
    file,
    name: /^\s*(?:pub(?:\([^)]*\))? )?(?:async )?fn (\w+)/.exec(part)?.[1] ?? '',
    code: part,
  })),
);

/** What lets people into Studio and what serves its stacks, which are checked there (access/calls.test.ts, studio/cleanup.test.ts). */
const ELSEWHERE = /^(access|studio)\//;

const named = (place: RegExp, name: string) => functions.filter((f) => place.test(f.file) && f.name === name);
const calls = (code: string, call: RegExp) => [...code.matchAll(call)].map(([, name]) => name!);
const operationsOf = ({ code }: Function) => calls(code, OPERATION).filter((name) => !FIELDS.includes(name));

const INTAKE = /^intake\//;
const OBSERVE = /^observe\.rs$/;

/** Where the way of an event, or of the sweep, begins. */
function entry(binary: string): Function {
  const source = sources.get(`bin/${binary}.rs`);
  assert.ok(source !== undefined, `handlers/src/bin/${binary}.rs`);
  const found = [
    ...calls(source, /\bintake\.(\w+)\(/g).flatMap((name) => named(INTAKE, name)),
    ...calls(source, /\b(\w+)\(context\)/g).flatMap((name) => named(new RegExp(`^${name}\\.rs$`), name)),
  ];
  assert.equal(found.length, 1, binary);
  return found[0]!;
}

/** What an event's function does beside commands: its way in, and the questions it asks, directly or by another one. */
function intake(binary: string): Function[] {
  const reached = new Set<Function>();
  const follow = (f: Function): void => {
    if (reached.has(f)) return;
    reached.add(f);
    const asked = calls(f.code, /\b(?:observe\(\)|Observe::new\([^;]*?\))\s*\.(\w+)\(/g).map((question) => {
      const found = named(OBSERVE, question);
      assert.equal(found.length, 1, `${question} in ${f.file}`);
      return found[0]!;
    });
    const own = calls(f.code, /\bself\s*\.(\w+)\(/g).flatMap((name) =>
      OBSERVE.test(f.file) ? named(OBSERVE, name) : INTAKE.test(f.file) ? named(INTAKE, name) : [],
    );
    const taken = calls(f.code, /\bIntake::new\([^;]*?\)\s*\.(\w+)\(/g).flatMap((name) => named(INTAKE, name));
    const beside = calls(f.code, /(?<![.:\w])(\w+)\(/g).flatMap((name) =>
      functions.filter((other) => other.file === f.file && other.name === name),
    );
    [...asked, ...own, ...taken, ...beside].forEach(follow);
  };
  follow(entry(binary));
  return [...reached];
}

/** A part of the ledger that only applying and removing pipelines asks for. */
function deploysOnly({ name }: Function): boolean {
  const users = [...sources].filter(([file, code]) => !/^ledger\//.test(file) && code.includes(`.${name}(`));
  return users.length > 0 && users.every(([file]) => /^(apply|resource)\//.test(file));
}

/** What a function's binary may come to. Any event may have any command carried out: they lie in the run's outbox. */
function reachable(binary: string): Function[] {
  const ledger = functions.filter(({ file }) => /^ledger\//.test(file));
  if (binary === 'pipeline-resource')
    return [...ledger, ...functions.filter(({ file }) => /^(apply|resource)\//.test(file))];
  const driven = functions.filter(({ file }) => /^(effects\/|drive\.rs)/.test(file));
  return [...ledger.filter((f) => !deploysOnly(f)), ...driven, ...intake(binary)];
}

const all = statements(new Synthesized().resources);

function policy(binary: string): Statement[] {
  const construct = binary.replace(/(^|-)([a-z])/g, (_match, _hyphen, letter: string) => letter.toUpperCase());
  return all.filter(({ holder }) => holder === `${construct}RoleDefaultPolicy`);
}

describe('calls in the sources of the functions', () => {
  it('are found, each with the right that it takes', () => {
    const operations = new Set(functions.filter(({ file }) => !ELSEWHERE.test(file)).flatMap(operationsOf));
    for (const operation of ['transact_write_items', 'start_pipeline_execution', 'stop_pipeline_execution', 'publish'])
      assert.ok(operations.has(operation), operation);
    assert.deepEqual(
      [...operations].filter((operation) => rights(operation).length === 0),
      [],
    );
  });

  it('are told apart by function', () => {
    const asks = (binary: string, operation: string) =>
      reachable(binary).some((f) => operationsOf(f).includes(operation));
    const those = (operation: string) => BINARIES.filter((binary) => asks(binary, operation));
    assert.deepEqual(those('list_object_versions'), ['on-data-arrival', 'on-schedule', 'on-pipeline-status']);
    // By which each way in is known to be followed as far as to the question.
    assert.deepEqual(those('list_pipeline_parameters_for_execution'), ['on-pipeline-status']);
    assert.deepEqual(those('get_schedule'), ['sweep', 'pipeline-resource']);
    assert.deepEqual(those('delete_item'), ['pipeline-resource']);
    assert.deepEqual(those('publish'), FOLLOWING);
  });

  it('all belong to a function, or to the command line', () => {
    const reached = new Set(BINARIES.flatMap((binary) => reachable(binary)));
    const others = functions.filter((f) => !reached.has(f) && !ELSEWHERE.test(f.file) && operationsOf(f).length > 0);
    assert.deepEqual(
      others.map(({ file, name }) => `${file} ${name}`),
      [],
    );
  });

  for (const binary of BINARIES) {
    it(`of ${binary} are allowed to it`, () => {
      const may = new Set(policy(binary).flatMap(({ actions }) => actions));
      const missing = reachable(binary).flatMap((f) =>
        operationsOf(f)
          .flatMap(rights)
          .filter((right) => !may.has(right))
          .map((right) => `${right} (${f.file}, ${f.name})`),
      );
      assert.deepEqual(missing, []);
    });

    it(`of ${binary} may use the key of the data that they read and write`, () => {
      const needed = reachable(binary)
        .flatMap((f) => operationsOf(f).flatMap(rights))
        .filter((right) => !right.startsWith('s3:List')) // Names of objects are not encrypted.
        .map((right) => right.split(':')[0]!)
        .filter((service) => ['dynamodb', 's3', 'sns'].includes(service));
      const used = policy(binary)
        .filter(({ actions }) => ['kms:Decrypt', 'kms:GenerateDataKey'].every((action) => actions.includes(action)))
        .map(({ resources, conditions }) => [resources, conditions['StringEquals']!['kms:ViaService']]);
      assert.deepEqual(
        used.map(([, via]) => String(via)).sort(),
        [...new Set(needed)].map((service) => `${service}.\${AWS::Region}.amazonaws.com`).sort(),
      );
      for (const [resources] of used) assert.deepEqual(resources, ['${KeysData.Arn}']);
    });
  }
});
