import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { type Stacks, addStacks, all } from '../lib/app';
import { readConfig } from '../lib/config';

/** The functions' names without the prefix. */
export const BINARIES = [
  'on-data-arrival',
  'on-schedule',
  'on-pipeline-status',
  'on-endpoint-status',
  'on-model-package',
  'sweep',
  'pipeline-resource',
] as const;

/** Those that follow runs: they drain what a run is about to do, whichever event woke them. */
export const FOLLOWING = BINARIES.filter((name) => name !== 'pipeline-resource');

const scratch = mkdtempSync(join(tmpdir(), 'tidegate-infra-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** A folder that looks as after a build; the stack needs no more of the binaries than that they are there. */
export const binaries = join(scratch, 'lambda');
// Those of the stack for runs, the guard of Studio domains, and the way into them.
for (const name of [...BINARIES, 'studio-resource', 'studio-access', 'studio-sign-in']) {
  mkdirSync(join(binaries, name), { recursive: true });
  writeFileSync(join(binaries, name, 'bootstrap'), `not a program: ${name}\n`);
}

/** A pipeline's folder. */
export function pipelineFolder(name: string): string {
  const folder = join(scratch, 'pipelines', name);
  mkdirSync(join(folder, 'src'), { recursive: true });
  writeFileSync(join(folder, 'pipeline.yaml'), `pipeline: ${name}\n`);
  writeFileSync(join(folder, 'src', 'train.py'), 'print("hello")\n');
  return folder;
}

/** A folder with data. */
export function seedFolder(): string {
  const folder = join(scratch, 'seed');
  mkdirSync(join(folder, 'wine'), { recursive: true });
  writeFileSync(join(folder, 'wine', 'day.csv'), 'a,b\n1,2\n');
  return folder;
}

/** The flags of `cdk.json`, so that tests see the template that is deployed. */
const cdkJson = JSON.parse(readFileSync(join(__dirname, '..', 'cdk.json'), 'utf8')) as {
  context: Record<string, unknown>;
};

let outputs = 0;

/** The app as `bin/tidegate.ts` makes it, with this context. */
export function makeApp(
  context: Record<string, unknown> = {},
  options: { readonly checked?: boolean } = {},
): { app: App; stacks: Stacks; outdir: string } {
  const outdir = join(scratch, `out-${outputs++}`);
  const checked = options.checked ?? false;
  const app = new App({
    builtinCloudFormationValidation: checked,
    context: { ...cdkJson.context, '@aws-cdk/core:validateAgainstDefaultRules': checked, binaries, ...context },
    outdir,
  });
  const stacks = addStacks(
    app,
    readConfig((key) => app.node.tryGetContext(key), {}),
  );
  return { app, stacks, outdir };
}

export interface Resource {
  readonly Type: string;
  /** CloudFormation's: tests look into them by name. */
  readonly Properties: any;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
  readonly DependsOn?: string | string[];
}

/** The synthesized templates of all stacks, with what the tests ask of them. */
export class Synthesized {
  /** By the stack's name. */
  readonly templates: Record<string, Template>;
  /** Those of all stacks: no logical id stands in two of them. */
  readonly resources: Record<string, Resource> = {};

  constructor(context: Record<string, unknown> = {}) {
    const stacks = all(makeApp(context).stacks);
    this.templates = Object.fromEntries(stacks.map((stack) => [stack.stackName, Template.fromStack(stack)]));
    for (const [name, template] of Object.entries(this.templates)) {
      for (const [own, resource] of Object.entries(template.toJSON()['Resources'] as Record<string, Resource>)) {
        // Studio domains are alike.
        const id = name.startsWith('TidegateStudio-') ? `${name}/${own}` : own;
        if (id in this.resources) throw new Error(`two stacks have a resource \`${id}\``);
        this.resources[id] = resource;
      }
    }
  }

  template(stack: string): Template {
    const found = this.templates[stack];
    if (found === undefined) throw new Error(`no stack \`${stack}\` among ${Object.keys(this.templates).join(', ')}`);
    return found;
  }

  /** All resources of a type, by logical id. */
  ofType(type: string): [string, Resource][] {
    return Object.entries(this.resources).filter(([, resource]) => resource.Type === type);
  }
}
