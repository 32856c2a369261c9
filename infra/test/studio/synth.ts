import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Stack, Tags } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { readConfig } from '../../lib/config';
import { StorageStack } from '../../lib/storage/stack';
import type { Domain } from '../../lib/studio/config/domain';
import { readDomains } from '../../lib/studio/config/read';
import { StudioStack, studioStackName } from '../../lib/studio/stack';
import type { Resource } from '../stack';
import { newFolder, scratch } from './files';

export { SAMPLES, sampleFile, samples, samplesFolder } from './files';

const binaries = join(scratch, 'lambda');
mkdirSync(join(binaries, 'studio-resource'), { recursive: true });
writeFileSync(join(binaries, 'studio-resource', 'bootstrap'), 'not a program\n');

/** A file with this text, in a folder of its own. */
export function domainFile(text: string, name = 'team.yaml'): string {
  const file = join(newFolder(), name);
  writeFileSync(file, text);
  return file;
}

/** The smallest domain, with these lines under `domain:`; each begins with two spaces. */
export function minimal(lines = '', omit: readonly string[] = []): string {
  const base: Record<string, string> = {
    authMode: '  authMode: IAM',
    vpcId: '  vpcId: vpc-1',
    subnetIds: '  subnetIds: [subnet-1]',
    dataAdminRoles: '  dataAdminRoles: [{ name: admin }]',
  };
  const kept = Object.entries(base).filter(([key]) => !omit.includes(key));
  return `domain:\n${kept.map(([, line]) => line).join('\n')}\n${lines}\n`;
}

export interface Synthesis {
  readonly app: App;
  readonly stack: StudioStack;
  readonly outdir: string;
  readonly template: Template;
  readonly resources: Record<string, Resource>;
  /** All resources of a type, by logical id. */
  ofType(type: string): [string, Resource][];
  /** The one resource of a type. */
  only(type: string): [string, Resource];
}

const cdkJson = JSON.parse(readFileSync(join(__dirname, '..', '..', 'cdk.json'), 'utf8')) as {
  context: Record<string, unknown>;
};

let outputs = 0;

/** The stack of a domain beside the storage stack, tagged as the app tags everything. */
export function synthesize(domain: Domain | string, context: Record<string, unknown> = {}): Synthesis {
  const parsed = typeof domain === 'string' ? (readDomains([domain])[0] as Domain) : domain;
  const outdir = join(scratch, `out-${outputs++}`);
  const app = new App({
    builtinCloudFormationValidation: false,
    context: { ...cdkJson.context, '@aws-cdk/core:validateAgainstDefaultRules': false, binaries, ...context },
    outdir,
  });
  const config = readConfig((key) => app.node.tryGetContext(key), {});
  const storage = new StorageStack(app, 'TidegateStorage', { config });
  const { logsKey, accessLogs } = storage;
  const stack = new StudioStack(app, studioStackName(parsed), { config, domain: parsed, logsKey, accessLogs });
  Tags.of(app).add('Project', 'tidegate');
  Tags.of(app).add('Environment', config.environment);
  const template = Template.fromStack(stack as Stack);
  const resources = template.toJSON()['Resources'] as Record<string, Resource>;
  const ofType = (type: string) => Object.entries(resources).filter(([, resource]) => resource.Type === type);
  return {
    app,
    stack,
    outdir,
    template,
    resources,
    ofType,
    only(type) {
      const found = ofType(type);
      if (found.length !== 1) throw new Error(`${found.length} resources of type ${type}`);
      return found[0] as [string, Resource];
    },
  };
}

/** Synthesized once for each text. */
const known = new Map<string, Synthesis>();
export function domainOf(lines = '', omit: readonly string[] = []): Synthesis {
  const text = minimal(lines, omit);
  let synthesis = known.get(text);
  if (synthesis === undefined) known.set(text, (synthesis = synthesize(domainFile(text))));
  return synthesis;
}

/** Every file of a folder, by name. */
export function contents(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => [join(entry.parentPath, entry.name).slice(folder.length), join(entry.parentPath, entry.name)])
      .map(([name, path]) => [name as string, readFileSync(path as string, 'utf8')]),
  );
}
