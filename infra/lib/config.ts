import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { RemovalPolicy } from 'aws-cdk-lib';
import { type Context, flag, text, whole } from './context';
import { type NetworkChoice, readNetwork } from './network/choice';
import { nearest } from './shared/nearest';

/** What a deployment may choose. Everything else is the same wherever Tidegate runs. */
export interface Config {
  /** Begins every resource's name: lower case letters, digits, hyphens; at most 20 characters. */
  readonly prefix: string;
  /** Keep data, ledger and keys when the stack goes (production), or delete them with it (sandbox). */
  readonly retain: boolean;
  /** Let CDK's own helper function empty the buckets before the stack deletes them. Not with `retain`. */
  readonly emptyBuckets: boolean;
  /** Who gets the alerts by mail. */
  readonly alertEmail?: string;
  /** An address that is subscribed to the alerts: `https://`, or `http://` on this machine. */
  readonly alertEndpoint?: string;
  /** Pipelines to deploy with the stack, as absolute folders that hold a `pipeline.yaml`. */
  readonly pipelines: readonly string[];
  /** Seconds after which the sweep asks SageMaker about a run of which nothing was heard: 60 to 86400. */
  readonly silence: number;
  /** The tag `Environment`. */
  readonly environment: string;
  /** The VPC that jobs, Studio and, by a switch, the functions run in; absent: none. */
  readonly network?: NetworkChoice;
  /** Whether the functions run in the VPC's isolated subnets. */
  readonly functionsInVpc: boolean;
  /** Make SageMaker's own log groups, encrypted and with an end; off where they exist already. */
  readonly sagemakerLogs: boolean;
  /** Files that hold a Studio domain each, as absolute paths. */
  readonly domains: readonly string[];
  /** The file that says who may enter Studio, and how, as an absolute path; absent: nobody by this app. */
  readonly access?: string;
  /** The file that says what the guardrails allow, as an absolute path; absent: no guardrails. */
  readonly guardrails?: string;
  /** Make the stack of service control policies too, which belongs in the organisation's management account. */
  readonly organization: boolean;
  /** US dollars a month beyond which people are told; absent: no budget. */
  readonly budget?: number;
  /** A folder whose files are put under `raw/`, as an absolute path; absent: nothing is. */
  readonly seed?: string;
  /** The folder with one folder a function, each holding `bootstrap`. */
  readonly binaries: string;
}

/** The project's root, seen from this file. */
export const PROJECT_ROOT = resolve(__dirname, '..', '..');

/**
 * Turns context and environment into a checked configuration; a wrong value is an error that says what is accepted.
 *
 * `given` are the keys of the context: one that is not known is an error too, since a misspelt `retain` would cost the data.
 */
export function readConfig(context: Context, env: NodeJS.ProcessEnv, given: readonly string[] = []): Config {
  const known = new Set<string>();
  const config = read((key) => {
    known.add(key);
    return context(key);
  }, env);
  // Those of the CDK and of its feature flags have a colon, a slash or a hyphen.
  for (const key of given.filter((key) => /^[A-Za-z]+$/.test(key) && !known.has(key))) {
    const near = nearest(key, [...known]);
    const advice = near === undefined ? `known are ${[...known].sort().join(', ')}` : `did you mean \`${near}\`?`;
    throw new Error(`context \`${key}\` is not known: ${advice}`);
  }
  return config;
}

function read(context: Context, env: NodeJS.ProcessEnv): Config {
  const prefix = text(context, 'prefix') ?? 'tidegate';
  if (!/^[a-z][a-z0-9-]{0,18}[a-z0-9]$/.test(prefix)) {
    // Bucket names bound it: `<prefix>-access-logs-<12 digits>-<region>` must fit into 63 characters.
    throw new Error(
      `context \`prefix\` is \`${prefix}\`: use 2 to 20 lower case letters, digits and hyphens, beginning with a letter and not ending in a hyphen`,
    );
  }
  const retain = flag(context, 'retain');
  const emptyBuckets = flag(context, 'emptyBuckets');
  if (retain && emptyBuckets) {
    throw new Error('context `retain` keeps the buckets and `emptyBuckets` empties them: set one of them');
  }
  const alertEmail = text(context, 'alertEmail') ?? emptyAsAbsent(env['TIDEGATE_ALERT_EMAIL']);
  if (alertEmail !== undefined && !/^[^\s@,]+@[^\s@,]+$/.test(alertEmail)) {
    throw new Error(`context \`alertEmail\` is \`${alertEmail}\`: give one mail address`);
  }
  const alertEndpoint = text(context, 'alertEndpoint') ?? emptyAsAbsent(env['TIDEGATE_ALERT_ENDPOINT']);
  if (alertEndpoint !== undefined) checkEndpoint(alertEndpoint);
  const network = readNetwork(context);
  const functionsInVpc = flag(context, 'functionsInVpc');
  if (functionsInVpc && network === undefined) {
    throw new Error('context `functionsInVpc` needs a VPC: set `network` to `new` or to the id of yours');
  }
  return {
    prefix,
    retain,
    emptyBuckets,
    alertEmail,
    alertEndpoint,
    pipelines: pipelineFolders(text(context, 'pipelines') ?? ''),
    silence: whole(context, 'silence', { unit: 'seconds', least: 60, most: 86_400 }) ?? 900,
    environment: text(context, 'environment') ?? (retain ? 'production' : 'sandbox'),
    network,
    functionsInVpc,
    sagemakerLogs: flag(context, 'sagemakerLogs'),
    domains: [...new Set(list(text(context, 'domains')).map((name) => existing('domains', name, 'file')))],
    access: optional(text(context, 'access'), (name) => existing('access', name, 'file')),
    guardrails: optional(text(context, 'guardrails'), (name) => existing('guardrails', name, 'file')),
    organization: flag(context, 'organization'),
    budget: whole(context, 'budget', { unit: 'US dollars', least: 1, most: 10_000_000 }),
    seed: optional(text(context, 'seed'), (name) => existing('seed', name, 'folder')),
    binaries: resolve(PROJECT_ROOT, text(context, 'binaries') ?? join('target', 'lambda')),
  };
}

/** What becomes of that which holds anything when its stack goes. */
export function removalPolicy(config: Pick<Config, 'retain'>): RemovalPolicy {
  return config.retain ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
}

function optional<T, U>(value: T | undefined, make: (value: T) => U): U | undefined {
  return value === undefined ? undefined : make(value);
}

/** A path that the user named, seen from the project's root. */
function existing(key: string, name: string, kind: 'file' | 'folder'): string {
  const path = resolve(PROJECT_ROOT, name);
  const found = statSync(path, { throwIfNoEntry: false });
  if (kind === 'file' ? found?.isFile() : found?.isDirectory()) return path;
  throw new Error(
    `context \`${key}\` names \`${name}\`, which is no ${kind}: paths are relative to the project's root`,
  );
}

function emptyAsAbsent(value: string | undefined): string | undefined {
  const trimmed = value?.trim();
  return trimmed ? trimmed : undefined;
}

/** Alerts hold names of data and models: they may cross a network only under TLS. */
function checkEndpoint(endpoint: string): void {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  const loopback = url !== undefined && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && loopback)) return;
  throw new Error(
    `context \`alertEndpoint\` is \`${endpoint}\`: give an \`https://\` address (\`http://\` only on 127.0.0.1, ::1 or localhost)`,
  );
}

function list(names: string | undefined): string[] {
  return (names ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

function pipelineFolders(names: string): string[] {
  const folders = list(names).map((name) => {
    const folder = resolve(PROJECT_ROOT, name);
    const file = join(folder, 'pipeline.yaml');
    if (!existsSync(file) || !statSync(file).isFile()) {
      throw new Error(
        `context \`pipelines\` names \`${name}\`, which holds no pipeline.yaml: give folders relative to the project's root, separated by commas`,
      );
    }
    return folder;
  });
  return [...new Set(folders)];
}
