import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { describe, it } from 'node:test';
import { PROJECT_ROOT } from '../lib/config';
import { statements } from './policies';
import { Synthesized } from './stack';

/**
 * The local cloud does not enforce policies: a call that no policy allows would be found on AWS only.
 * So the calls are read from the functions' sources.
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

/** Services by what their operations are about. */
const SERVICES: [RegExp, string][] = [
  [/_(pipelines?|models?|endpoints?|training_job|processing_job|tags)(_|$)/, 'sagemaker'],
  [/_schedules?(_group)?$/, 'scheduler'],
  [/_object$/, 's3'],
  [/_items?$/, 'dynamodb'],
];

const OPERATION =
  /\.((?:add|batch|copy|create|delete|describe|get|head|list|put|retry|start|stop|transact|update)_[a-z0-9_]+|query|publish)\(\)/g;

function rights(operation: string): string[] {
  if (operation in RIGHTS) return RIGHTS[operation]!;
  const service = SERVICES.find(([about]) => about.test(operation))?.[1];
  const name = operation.replace(/(^|_)([a-z])/g, (_match, _underscore, letter: string) => letter.toUpperCase());
  return service === undefined ? [] : [`${service}:${name}`];
}

/** Operations that the sources call, outside of tests, by file. */
function calls(): { file: string; operation: string }[] {
  const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.rs'));
  return files
    .filter((file) => !/(^|[\\/])(testing|tests)(\.rs|[\\/])/.test(file))
    .flatMap((file) => {
      const code = readFileSync(join(SOURCES, file), 'utf8').split(/#\[cfg\(test\)\]\s+mod \w+ \{/)[0]!;
      const operations = [...code.matchAll(OPERATION)].map(([, operation]) => operation!);
      return operations.map((operation) => ({
        file: relative(SOURCES, join(SOURCES, file)).split(sep).join('/'),
        operation,
      }));
    });
}

describe('calls in the sources of the functions', () => {
  const all = statements(new Synthesized().resources);
  const allowed = (holder: string) =>
    new Set(all.filter((s) => s.holder === `${holder}RoleDefaultPolicy`).flatMap(({ actions }) => actions));
  const deploys = allowed('PipelineResource');
  const listens = allowed('OnPipelineStatus');
  const schedules = allowed('OnSchedule');

  it('are found', () => {
    const operations = new Set(calls().map(({ operation }) => operation));
    for (const operation of ['transact_write_items', 'start_pipeline_execution', 'publish'])
      assert.ok(operations.has(operation), operation);
  });

  it('are allowed to the functions that make them', () => {
    const missing = calls().flatMap(({ file, operation }) => {
      const may = (right: string) => {
        if (/^(apply\/|resource)/.test(file)) return deploys.has(right);
        if (/^effects\//.test(file)) return listens.has(right);
        return deploys.has(right) || schedules.has(right); // The ledger and the intake serve several.
      };
      return rights(operation)
        .filter((right) => !may(right))
        .map((right) => `${right} (${file})`);
    });
    assert.deepEqual(missing, []);
  });
});
