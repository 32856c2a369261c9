import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { CfnResource } from 'aws-cdk-lib';
import { readConfig } from '../lib/config';
import { CONFIGURATIONS } from './configurations';
import { statements, text } from './policies';
import { Synthesized, binaries, makeApp, pipelineFolder, seedFolder } from './stack';

const infra = join(__dirname, '..');

describe('the templates', () => {
  it('come out the same, byte for byte, in every configuration', () => {
    for (const context of Object.values(CONFIGURATIONS)) {
      const files = [1, 2].map(() => {
        const { app, outdir } = makeApp(context());
        app.synth();
        const written = readdirSync(outdir).filter((file) => /\.(template|assets)\.json$/.test(file));
        return Object.fromEntries(written.sort().map((file) => [file, readFileSync(join(outdir, file), 'utf8')]));
      });
      assert.ok(Object.keys(files[0]!).length >= 4);
      assert.deepEqual(files[0], files[1]);
    }
  });

  it('are the same for AWS and for the local cloud: they name no account, region or host', () => {
    const json = JSON.stringify(new Synthesized().resources);
    for (const word of ['localhost', '127.0.0.1', '000000000000', 'us-east-1', 'http://'])
      assert.ok(!json.includes(word), word);
  });

  it('passes the built-in checks of CloudFormation templates', () => {
    const context = CONFIGURATIONS['production in a VPC of its own']!(); // Four seconds each: cfn-lint reads all.
    makeApp({ ...context, pipelines: pipelineFolder('wine') }, { checked: true }).app.synth();
  });

  it('would not pass them with a mistake', () => {
    const { app, stacks } = makeApp({}, { checked: true });
    new CfnResource(stacks.orchestrator, 'Wrong', { type: 'AWS::SQS::Queue', properties: { DelaySecond: 1 } });
    const write = process.stderr.write;
    process.stderr.write = () => true; // The report of this one is not for the reader of the tests.
    try {
      assert.throws(() => app.synth(), /Validation failed/);
    } finally {
      process.stderr.write = write;
    }
  });

  it('carries the outputs that people look for', () => {
    const outputs = Object.keys(new Synthesized().template('Tidegate').toJSON()['Outputs']);
    assert.deepEqual(outputs.sort(), [
      'FunctionOnDataArrival',
      'FunctionOnEndpointStatus',
      'FunctionOnModelPackage',
      'FunctionOnPipelineStatus',
      'FunctionOnSchedule',
      'FunctionPipelineResource',
      'FunctionSweep',
      'TableName',
      'TopicArn',
    ]);
  });
});

describe('custom resources', () => {
  it('write the settings, through the function itself', () => {
    const stack = new Synthesized();
    const [[, settings]] = stack.ofType('Custom::TidegateSettings') as [any];
    const { ServiceToken, ServiceTimeout, ...properties } = settings.Properties;
    assert.equal(text(ServiceToken), '${PipelineResourceFunction.Arn}');
    assert.equal(Number(ServiceTimeout), 180);
    assert.deepEqual(Object.fromEntries(Object.entries(properties).map(([k, v]) => [k, text(v)])), {
      Bucket: '${BucketData}',
      TopicArn: '${AlertsTopic}',
      JobRoleArn: '${SageMakerJob.Arn}',
      PipelineRoleArn: '${SageMakerPipeline.Arn}',
      ScheduleRoleArn: '${ScheduleRole.Arn}',
      ScheduleFunctionArn: '${OnScheduleFunction.Arn}',
      ScheduleGroup: 'tidegate',
      ScheduleDlqArn: '${ScheduleUndelivered.Arn}',
      DataKeyArn: '${KeysData.Arn}',
      VolumeKeyArn: '${KeysVolumes.Arn}',
    });
    assert.deepEqual(stack.ofType('Custom::TidegatePipeline'), []);
  });

  it('deploy the pipelines that are named, after the settings, from sources that the function may read', () => {
    const stack = new Synthesized({ pipelines: `${pipelineFolder('wine')}, ${pipelineFolder('iris')}` });
    const pipelines = stack.ofType('Custom::TidegatePipeline');
    assert.equal(pipelines.length, 2);
    const [[settings]] = stack.ofType('Custom::TidegateSettings') as [any];
    const sources = pipelines.map(([id, { Properties, DependsOn }]) => {
      assert.ok([DependsOn].flat().includes(settings), id);
      assert.match(Properties.SourceKey, /^[0-9a-f]{64}\.zip$/);
      return `arn:\${AWS::Partition}:s3:::${Properties.SourceBucket['Fn::Sub']}/${Properties.SourceKey}`;
    });
    const readable = statements(stack.resources)
      .filter(
        ({ holder, actions }) => holder === 'PipelineResourceRoleDefaultPolicy' && actions.includes('s3:GetObject'),
      )
      .flatMap(({ resources }) => resources);
    for (const source of sources) assert.ok(readable.includes(source), `${source} in ${readable.join(' ')}`);
  });
});

describe('the data seed', () => {
  it('A6 is put under raw/ by the function, once pipelines and rule are there, and only when asked for', () => {
    assert.deepEqual(new Synthesized().ofType('Custom::TidegateSeed'), []);
    const stack = new Synthesized({ pipelines: pipelineFolder('wine'), seed: seedFolder() });
    const [[, { Properties, DependsOn }]] = stack.ofType('Custom::TidegateSeed') as any;
    assert.equal(text(Properties.ServiceToken), '${PipelineResourceFunction.Arn}');
    assert.equal(text(Properties.Bucket), '${BucketData}');
    assert.equal(Properties.Prefix, 'raw/');
    assert.match(Properties.SourceKey, /^[0-9a-f]{64}\.zip$/);
    for (const type of ['Custom::TidegatePipeline', 'Custom::TidegateSettings']) {
      for (const [id] of stack.ofType(type)) assert.ok(DependsOn.includes(id), id);
    }
    assert.ok(
      DependsOn.some((id: string) => /^DataArrivalRule/.test(id)),
      DependsOn.join(' '),
    );
    const rights = (resources: Synthesized) =>
      statements(resources.resources).filter(
        ({ holder, resources }) =>
          holder === 'PipelineResourceRoleDefaultPolicy' && resources.includes('${BucketData.Arn}/raw/*'),
      );
    assert.deepEqual(
      rights(stack).map(({ actions }) => actions),
      [['s3:AbortMultipartUpload', 's3:GetObject', 's3:PutObject']],
    );
    assert.deepEqual(rights(new Synthesized()), []);
  });
});

describe('the app', () => {
  const run = (context: Record<string, unknown>) =>
    execFileSync(process.execPath, ['--import', 'tsx', 'bin/tidegate.ts'], {
      cwd: infra,
      env: { ...process.env, CDK_OUTDIR: join(binaries, '..', 'out-app'), CDK_CONTEXT_JSON: JSON.stringify(context) },
      stdio: 'pipe',
      encoding: 'utf8',
    });
  const flags = (JSON.parse(readFileSync(join(infra, 'cdk.json'), 'utf8')) as { context: Record<string, unknown> })
    .context;

  it('tags everything with the project and the environment', () => {
    run({ ...flags, binaries, retain: true });
    const template = JSON.parse(readFileSync(join(binaries, '..', 'out-app', 'Tidegate.template.json'), 'utf8'));
    const table: any = Object.values(template.Resources).find((r: any) => r.Type === 'AWS::DynamoDB::Table');
    assert.deepEqual(table.Properties.Tags, [
      { Key: 'Environment', Value: 'production' },
      { Key: 'Project', Value: 'tidegate' },
    ]);
  });

  it('refuses a choice that it does not know', () => {
    assert.throws(
      () => run({ ...flags, binaries, retian: true }),
      /error: context `retian` is not known: did you mean `retain`\?\n$/,
    );
  });

  it('says what to do when nothing is built', () => {
    assert.throws(
      () => run({ ...flags, binaries: 'infra/test' }),
      /`infra\/test\/on-data-arrival\/bootstrap` does not exist: run `make build` first/,
    );
  });
});

describe('configuration', () => {
  const read = (context: Record<string, unknown>, env: NodeJS.ProcessEnv = {}) =>
    readConfig((key) => context[key], env);

  it('is a sandbox by default', () => {
    const { binaries: _, ...chosen } = read({});
    assert.deepEqual(chosen, {
      prefix: 'tidegate',
      retain: false,
      emptyBuckets: false,
      alertEmail: undefined,
      alertEndpoint: undefined,
      pipelines: [],
      silence: 900,
      environment: 'sandbox',
      network: undefined,
      functionsInVpc: false,
      sagemakerLogs: false,
      domains: [],
      access: undefined,
      guardrails: undefined,
      organization: false,
      budget: undefined,
      seed: undefined,
    });
  });

  it('takes who is alerted from the environment too, which context overrules', () => {
    const env = { TIDEGATE_ALERT_EMAIL: 'a@example.com', TIDEGATE_ALERT_ENDPOINT: 'https://example.com/hook' };
    assert.equal(read({}, env).alertEmail, 'a@example.com');
    assert.equal(read({}, env).alertEndpoint, 'https://example.com/hook');
    assert.equal(read({ alertEmail: 'b@example.com' }, env).alertEmail, 'b@example.com');
  });

  it('takes the silence as a text, as `-c` gives it, and as a number', () => {
    assert.deepEqual([read({ silence: '60' }).silence, read({ silence: 86_400 }).silence], [60, 86_400]);
  });

  const refused: [string, Record<string, unknown>, RegExp][] = [
    [
      'a prefix that no bucket can begin with',
      { prefix: 'Tide_Gate' },
      /`prefix` is `Tide_Gate`: use 2 to 20 lower case/,
    ],
    ['a prefix that makes names too long', { prefix: 'a'.repeat(21) }, /use 2 to 20/],
    ['a switch that is neither on nor off', { retain: 'yes' }, /`retain` is `yes`: give `true` or `false`/],
    ['keeping and emptying at once', { retain: true, emptyBuckets: true }, /set one of them/],
    ['something that is no mail address', { alertEmail: 'ops' }, /`alertEmail` is `ops`: give one mail address/],
    ['alerts over the network without TLS', { alertEndpoint: 'http://example.com/hook' }, /`https:\/\/` address/],
    ['an endpoint that is no address', { alertEndpoint: 'inbox' }, /`alertEndpoint` is `inbox`/],
    ['a silence that is no number', { silence: '15m' }, /`silence` is `15m`: give whole seconds from 60 to 86400/],
    ['a silence shorter than the sweep is woken', { silence: 59 }, /`silence` is `59`/],
    ['a silence longer than a day', { silence: '86401' }, /`silence` is `86401`/],
    ['a folder that is no pipeline', { pipelines: 'docs' }, /names `docs`, which holds no pipeline\.yaml/],
  ];
  for (const [what, context, message] of refused) {
    it(`refuses ${what}`, () => assert.throws(() => read(context), message));
  }

  it('leaves room for the longest names', () => {
    const bucket = `${'a'.repeat(20)}-access-logs-${'1'.repeat(12)}-ap-southeast-2`;
    assert.ok(bucket.length <= 63, `${bucket.length}`);
    const queue = `${'a'.repeat(20)}-on-pipeline-status-undelivered`;
    assert.ok(queue.length <= 64, `${queue.length}`);
  });
});
