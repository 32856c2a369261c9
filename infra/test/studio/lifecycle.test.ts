import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { LARGEST_SCRIPT, lifecycleScript, scriptSize } from '../../lib/studio/script';
import { text } from '../policies';
import type { Synthesis } from './synth';
import { contents, domainFile, domainOf, minimal, sampleFile, samplesFolder, synthesize } from './synth';

/** The scripts of a stack, as CloudFormation gives them to SageMaker. */
function scripts(synthesis: Synthesis): Record<string, string> {
  return Object.fromEntries(
    synthesis
      .ofType('AWS::SageMaker::StudioLifecycleConfig')
      .map(([, { Properties }]) => [
        Properties.StudioLifecycleConfigAppType,
        text(Properties.StudioLifecycleConfigContent['Fn::Base64']),
      ]),
  );
}

const sample = synthesize(sampleFile('comprehensive'));
const WITH_ASSETS = `  lifecycleConfigs:
    jupyterLab:
      assets: { first: { sourcePath: ./one }, second: { sourcePath: ./two/only.txt } }
      cmds: [cat $ASSETS_DIR/first/hello.txt $ASSETS_DIR/second/only.txt, ls $ASSETS_DIR/second]`;

/** A domain with assets of its own beside its file. */
function withAssets(text: string, hello = 'hello\n'): string {
  const file = domainFile(minimal(text));
  const folder = join(file, '..');
  mkdirSync(join(folder, 'one'));
  mkdirSync(join(folder, 'two'));
  writeFileSync(join(folder, 'one', 'hello.txt'), hello);
  writeFileSync(join(folder, 'one', 'left.pyc'), 'x');
  writeFileSync(join(folder, 'two', 'only.txt'), 'only\n');
  writeFileSync(join(folder, 'two', 'other.txt'), 'other\n');
  return file;
}

describe('lifecycle configurations', () => {
  it('B4 are made for each kind of application, and are its default', () => {
    assert.deepEqual(Object.keys(scripts(sample)).sort(), ['JupyterLab', 'JupyterServer', 'KernelGateway']);
    assert.deepEqual(scripts(sample)['JupyterLab']?.split('\n').slice(-4), [
      'echo "testing jupyterlab (Studio Latest)"',
      'pip install --upgrade pandas numpy scikit-learn',
      'sh $ASSETS_DIR/testing/test.sh',
      '',
    ]);
    const editor = domainOf('  lifecycleConfigs: { codeEditor: { cmds: [ls] } }');
    const [, { Properties }] = editor.only('AWS::SageMaker::Domain');
    const { LifecycleConfigArns, DefaultResourceSpec } = Properties.DefaultUserSettings.CodeEditorAppSettings;
    const arn = '${LifecycleCodeEditor.StudioLifecycleConfigArn}';
    assert.deepEqual([LifecycleConfigArns.map(text), text(DefaultResourceSpec.LifecycleConfigArn)], [[arn], arn]);
  });

  it('B4 are replaced when content changes: a new name, and the old one goes after the domain has let go of it', () => {
    const name = (hello: string) =>
      synthesize(withAssets(WITH_ASSETS, hello)).only('AWS::SageMaker::StudioLifecycleConfig')[1].Properties
        .StudioLifecycleConfigName;
    const [one, again, other] = [name('hello\n'), name('hello\n'), name('goodbye\n')];
    assert.equal(one, again);
    assert.notEqual(one, other);
    const [, config] = synthesize(sampleFile('sso'), { retain: true }).ofType('AWS::SageMaker::StudioLifecycleConfig');
    assert.equal(config, undefined);
    for (const context of [{}, { retain: true }]) {
      const [[, resource]] = synthesize(sampleFile('comprehensive'), context).ofType(
        'AWS::SageMaker::StudioLifecycleConfig',
      ) as any;
      // What is replaced goes, even where the stack's own things are kept.
      assert.equal(resource.UpdateReplacePolicy ?? 'Delete', 'Delete');
      assert.equal(resource.DeletionPolicy, 'retain' in context ? 'Retain' : 'Delete');
    }
  });

  it('B4 replace their placeholders', () => {
    const region = domainOf('  lifecycleConfigs: { kernel: { cmds: ["echo {{region}} {{account}}"] } }');
    assert.match(scripts(region)['KernelGateway'] ?? '', /echo \$\{AWS::Region\} \$\{AWS::AccountId\}/);
  });

  it('B4 are at most as long as SageMaker takes, wherever assets lie', () => {
    const cmds = ['x'.repeat(11_000)];
    const size = scriptSize(['a'], cmds);
    const actual = lifecycleScript([{ name: 'a', from: 's3://b/p/0' }], cmds);
    assert.ok(Buffer.from(actual).toString('base64').length <= size && size <= LARGEST_SCRIPT, String(size));
  });
});

describe('assets', () => {
  const synthesis = synthesize(withAssets(WITH_ASSETS));

  it('B4 are staged under the digest of their content, and each content once', () => {
    const placed = synthesis.ofType('Custom::CDKBucketDeployment').map(([, { Properties }]) => Properties);
    assert.equal(placed.length, 2);
    for (const { DestinationBucketKeyPrefix, DestinationBucketName, Prune } of placed) {
      assert.match(DestinationBucketKeyPrefix, /^lifecycle-assets\/[0-9a-f]{32}$/);
      assert.deepEqual([text(DestinationBucketName), Prune], ['${SharingBucket}', false]);
    }
    assert.equal(sample.ofType('Custom::CDKBucketDeployment').length, 1, 'three scripts with the same assets');
    const elsewhere = synthesize(sampleFile('comprehensive', samplesFolder()));
    assert.deepEqual(scripts(elsewhere), scripts(sample), 'wherever the folder lies');
  });

  it('B4 are placed before the script can run, with the memory of the file, by the role of the file', () => {
    const [[, handler]] = sample
      .ofType('AWS::Lambda::Function')
      .filter(([, { Properties }]) => Properties.Runtime.startsWith('python')) as any;
    assert.equal(handler.Properties.MemorySize, 512);
    assert.equal(
      text(handler.Properties.Role),
      'arn:${AWS::Partition}:iam::${AWS::AccountId}:role/test-asset-deploy-role',
    );
    assert.deepEqual(
      sample.ofType('AWS::IAM::Role').map(([id]) => id.replace(/[0-9A-F]{8}$/, '')),
      ['StudioResourceRole', 'BackupRole'],
    );
    const [[placing]] = sample.ofType('Custom::CDKBucketDeployment') as any;
    for (const [id, { DependsOn }] of sample.ofType('AWS::SageMaker::StudioLifecycleConfig'))
      assert.ok([DependsOn].flat().includes(placing), id);
    // A role of this stack has its rights before it is used.
    const [policy] = synthesis.ofType('AWS::IAM::Policy').find(([id]) => id.startsWith('AssetPolicy'))!;
    for (const [id, { DependsOn }] of synthesis.ofType('Custom::CDKBucketDeployment'))
      assert.ok([DependsOn].flat().includes(policy), id);
  });

  it('B4 leave out what the globs say, and of a file its neighbours', () => {
    synthesis.app.synth();
    const files = (folders: Record<string, string>) =>
      Object.keys(folders)
        .filter((path) => /^\/asset\.\w+\/.*\.(txt|sh|pyc)$|__pycache__/.test(path))
        .map((path) => path.replace(/^\/asset\.\w+\//, ''))
        .sort();
    assert.deepEqual(files(contents(synthesis.outdir)), ['hello.txt', 'left.pyc', 'only.txt']);
    sample.app.synth();
    assert.deepEqual(files(contents(sample.outdir)), ['test.sh']);
  });
});

describe('the script, run', () => {
  /** A PATH with an `aws` that copies from a folder instead of S3, and says what it was asked. */
  function run(cmds: readonly string[], broken = false) {
    const folder = mkdtempSync(join(tmpdir(), 'tidegate-script-'));
    const bin = join(folder, 'bin');
    const store = join(folder, 's3', 'bucket', 'prefix');
    mkdirSync(bin);
    mkdirSync(join(folder, 'tmp'));
    mkdirSync(store, { recursive: true });
    writeFileSync(join(store, 'hello.txt'), 'hello\n');
    writeFileSync(
      join(bin, 'aws'),
      `#!/bin/bash
echo "$@" >> '${folder}/asked'
${broken ? 'exit 1' : ''}
[ "$1 $2 $3 $4" = "s3 cp --recursive --only-show-errors" ] || exit 2
mkdir -p "$6" && cp -r "${folder}/s3/\${5#s3://}." "$6"
`,
    );
    chmodSync(join(bin, 'aws'), 0o755);
    const script = join(folder, 'script');
    writeFileSync(script, lifecycleScript([{ name: 'greeting', from: 's3://bucket/prefix' }], cmds));
    const { status, stdout } = spawnSync('bash', [script], {
      cwd: folder,
      encoding: 'utf8',
      env: { PATH: `${bin}:${process.env['PATH']}`, TMPDIR: join(folder, 'tmp') },
    });
    const asked = readFileSync(join(folder, 'asked'), 'utf8').trim();
    rmSync(folder, { recursive: true });
    return { status, lines: stdout.trim().split('\n'), asked };
  }

  it('B4 brings the assets, then runs the commands in order', () => {
    const { status, lines, asked } = run(['echo one', 'cat $ASSETS_DIR/greeting/hello.txt', 'cd /', 'pwd']);
    assert.deepEqual([status, lines], [0, ['one', 'hello', '/']]);
    assert.match(asked, /^s3 cp --recursive --only-show-errors s3:\/\/bucket\/prefix\/ \/\S+\/greeting\/$/);
  });

  it('B4 stops at the first command that fails', () => {
    const { status, lines } = run(['echo one', 'sh -c "exit 7"', 'echo never']);
    assert.deepEqual([status, lines], [7, ['one']]);
  });

  it('B4 runs no command without its assets', () => {
    const { status, lines } = run(['echo never'], true);
    assert.deepEqual([status, lines], [1, ['']]);
  });
});
