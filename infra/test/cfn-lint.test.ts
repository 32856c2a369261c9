import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { PROJECT_ROOT } from '../lib/config';
import { CONFIGURATIONS } from './configurations';
import { makeApp } from './stack';

const CFN_LINT = join(PROJECT_ROOT, '.venv', 'lint', 'bin', 'cfn-lint');
const folder = mkdtempSync(join(tmpdir(), 'tidegate-cfn-lint-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** What cfn-lint says of these templates, and with which exit code. */
function lint(templates: readonly string[]) {
  assert.ok(existsSync(CFN_LINT), 'cfn-lint is not there: run `make setup`');
  const { status, stdout, stderr, error } = spawnSync(CFN_LINT, ['--format', 'parseable', '--', ...templates], {
    cwd: join(PROJECT_ROOT, 'infra'),
    encoding: 'utf8',
  });
  if (error) throw error;
  return { status, said: `${stdout}${stderr}` };
}

/** Every template of every configuration, each once. */
function templates(): string[] {
  const seen = new Map<string, string>();
  for (const [index, context] of Object.values(CONFIGURATIONS).entries()) {
    const { app, outdir } = makeApp(context());
    app.synth();
    for (const file of readdirSync(outdir).filter((name) => name.endsWith('.template.json'))) {
      const content = readFileSync(join(outdir, file));
      const hash = createHash('sha256').update(content).digest('hex');
      if (seen.has(hash)) continue;
      const copy = join(folder, `${index}-${file}`);
      writeFileSync(copy, content);
      seen.set(hash, copy);
    }
  }
  return [...seen.values()];
}

describe('cfn-lint', () => {
  it('finds no error and no warning in any template of any configuration', () => {
    assert.deepEqual(lint(templates()), { status: 0, said: '' });
  });

  it('would find a property that does not exist, and a value that is not accepted', () => {
    const wrong = join(folder, 'wrong.template.json');
    const resources = {
      Queue: { Type: 'AWS::SQS::Queue', Properties: { DelaySecond: 1 } },
      Log: { Type: 'AWS::EC2::FlowLog', Properties: { ResourceId: 'vpc-1', ResourceType: 'Vpc' } },
    };
    writeFileSync(wrong, JSON.stringify({ Resources: resources }));
    const { status, said } = lint([wrong]);
    assert.notEqual(status, 0);
    assert.match(said, /DelaySecond/);
    assert.match(said, /'Vpc' is not one of/);
  });
});
