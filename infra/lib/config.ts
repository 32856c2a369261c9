import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';

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
  /** The folder with one folder a function, each holding `bootstrap`. */
  readonly binaries: string;
}

/** Reads a context value: what `cdk -c key=value` or `cdk.json` set, else undefined. */
export type Context = (key: string) => unknown;

/** The project's root, seen from this file. */
export const PROJECT_ROOT = resolve(__dirname, '..', '..');

/** Turns context and environment into a checked configuration; a wrong value is an error that says what is accepted. */
export function readConfig(context: Context, env: NodeJS.ProcessEnv): Config {
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
  return {
    prefix,
    retain,
    emptyBuckets,
    alertEmail,
    alertEndpoint,
    pipelines: pipelineFolders(text(context, 'pipelines') ?? ''),
    silence: seconds(context, 'silence', { least: 60, most: 86_400 }) ?? 900,
    environment: text(context, 'environment') ?? (retain ? 'production' : 'sandbox'),
    binaries: resolve(PROJECT_ROOT, text(context, 'binaries') ?? join('target', 'lambda')),
  };
}

function text(context: Context, key: string): string | undefined {
  const value = context(key);
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw new Error(`context \`${key}\` is \`${JSON.stringify(value)}\`: give a text`);
  return emptyAsAbsent(value);
}

function flag(context: Context, key: string): boolean {
  const value = context(key);
  if (value === undefined || value === false || value === 'false') return false;
  if (value === true || value === 'true') return true;
  throw new Error(`context \`${key}\` is \`${String(value)}\`: give \`true\` or \`false\``);
}

/** `-c` gives texts, `cdk.json` may give numbers. */
function seconds(context: Context, key: string, bounds: { least: number; most: number }): number | undefined {
  const value = context(key);
  if (value === undefined || value === null || value === '') return undefined;
  const number = typeof value === 'string' && /^\d+$/.test(value.trim()) ? Number(value) : value;
  if (Number.isInteger(number) && bounds.least <= (number as number) && (number as number) <= bounds.most)
    return number as number;
  throw new Error(
    `context \`${key}\` is \`${String(value)}\`: give whole seconds from ${bounds.least} to ${bounds.most}`,
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

function pipelineFolders(list: string): string[] {
  const named = list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const folders = named.map((name) => {
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
