import { type Context, flag, text, texts, whole } from '../context';

/** A VPC that this app makes. */
export interface NewNetwork {
  readonly kind: 'new';
  /** IPv4 block, `/16` to `/26`. */
  readonly cidr: string;
  /** How many availability zones, or which: 2 or 3. Not every service is in every zone. */
  readonly zones: number | readonly string[];
  /** Take every rule out of the VPC's default security group, by a helper function of CDK's own. */
  readonly closeDefaultGroup: boolean;
  /** Services beside those that the chosen stacks call, such as `kms` or `athena`. */
  readonly alsoCalled: readonly string[];
}

/** A VPC that is there already. */
export interface ExistingNetwork {
  readonly kind: 'existing';
  readonly vpcId: string;
  /** Isolated subnets, at least two, each in another zone. */
  readonly subnetIds: readonly string[];
  /** Whether to make VPC endpoints in it; else its owners have made those that docs/NETWORK.md lists. */
  readonly endpoints?: {
    /** The VPC's IPv4 block: who may call the endpoints. */
    readonly cidr: string;
    /** The subnets' route tables: they get the routes to S3 and DynamoDB. */
    readonly routeTableIds: readonly string[];
    readonly alsoCalled: readonly string[];
  };
}

/** Which VPC jobs, Studio and functions are to run in. */
export type NetworkChoice = NewNetwork | ExistingNetwork;

/** Context keys that say more about a network; without one they would be ignored, which is an error. */
const ONLY_NEW = ['zones', 'closeDefaultGroup'];
const ONLY_EXISTING = ['subnets', 'endpoints', 'routeTables'];
const EITHER = ['cidr', 'alsoCalled'];

/** Reads the keys about the network; `undefined` when there is to be none. */
export function readNetwork(context: Context): NetworkChoice | undefined {
  const network = text(context, 'network') ?? 'none';
  if (network === 'none') {
    refuse(context, [...ONLY_NEW, ...ONLY_EXISTING, ...EITHER], 'needs `network`: `new` or the id of a VPC');
    return undefined;
  }
  const alsoCalled = texts(context, 'alsoCalled');
  for (const service of alsoCalled) {
    if (['s3', 'dynamodb'].includes(service)) {
      throw new Error(`context \`alsoCalled\` names \`${service}\`: its endpoint is there already, as a gateway`);
    }
    if (!/^[a-z][a-z0-9-]*(\.[a-z0-9-]+)*$/.test(service)) {
      throw new Error(
        `context \`alsoCalled\` names \`${service}\`: give services as VPC endpoints call them, such as \`kms\` or \`ecr.api\``,
      );
    }
  }
  if (network === 'new') {
    refuse(context, ONLY_EXISTING, 'is about an existing VPC, and `network` is `new`');
    return {
      kind: 'new',
      cidr: block(text(context, 'cidr') ?? '10.0.0.0/20'),
      zones: zones(context),
      closeDefaultGroup: flag(context, 'closeDefaultGroup', true),
      alsoCalled,
    };
  }
  if (!/^vpc-[0-9a-f]{8,17}$/.test(network)) {
    throw new Error(`context \`network\` is \`${network}\`: give \`none\`, \`new\`, or the id of a VPC, \`vpc-…\``);
  }
  refuse(context, ONLY_NEW, 'is about a new VPC, and `network` names an existing one');
  const subnetIds = ids(context, 'subnets', 'subnet');
  if (subnetIds.length < 2) {
    throw new Error('context `subnets` must name two isolated subnets or more of the VPC, each in another zone');
  }
  if (!flag(context, 'endpoints')) {
    refuse(context, [...EITHER, 'routeTables'], 'needs `endpoints`: `true`');
    return { kind: 'existing', vpcId: network, subnetIds };
  }
  const cidr = text(context, 'cidr');
  const routeTableIds = ids(context, 'routeTables', 'rtb');
  if (cidr === undefined || routeTableIds.length === 0) {
    throw new Error(
      "context `endpoints` in an existing VPC needs its `cidr`, and `routeTables`: the subnets' route tables",
    );
  }
  return { kind: 'existing', vpcId: network, subnetIds, endpoints: { cidr: block(cidr), routeTableIds, alsoCalled } };
}

/** A number, or two or three names such as `eu-west-1b`. */
function zones(context: Context): number | string[] {
  const value = context('zones');
  if (typeof value !== 'string' || !value.includes('-')) {
    return whole(context, 'zones', { unit: 'availability zones, or their names,', least: 2, most: 3 }) ?? 2;
  }
  const names = [...new Set(texts(context, 'zones'))];
  if (names.length < 2 || names.length > 3 || !names.every((name) => /^[a-z]{2}(-[a-z]+)+-\d[a-z]$/.test(name))) {
    throw new Error(
      `context \`zones\` is \`${value}\`: give 2 or 3, or two or three names of zones, such as \`eu-west-1a,eu-west-1b\``,
    );
  }
  return names;
}

function refuse(context: Context, keys: readonly string[], why: string): void {
  for (const key of keys) {
    const value = context(key);
    if (value !== undefined && value !== '' && value !== false && value !== 'false') {
      throw new Error(`context \`${key}\` ${why}`);
    }
  }
}

function ids(context: Context, key: string, kind: string): string[] {
  const found = texts(context, key);
  for (const id of found) {
    if (!new RegExp(`^${kind}-[0-9a-f]{8,17}$`).test(id)) {
      throw new Error(`context \`${key}\` names \`${id}\`: give ids, \`${kind}-…\`, separated by commas`);
    }
  }
  return [...new Set(found)];
}

/** A private IPv4 block (RFC 1918, or RFC 6598's shared space) that begins where its size lets it; a VPC's is `/16` at most. */
function block(cidr: string): string {
  const wrong = new Error(
    `context \`cidr\` is \`${cidr}\`: give a private IPv4 block from \`/16\` to \`/26\`, such as \`10.0.0.0/20\``,
  );
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(cidr);
  if (match === null) throw wrong;
  const [a, b, c, d, bits] = match.slice(1).map(Number) as [number, number, number, number, number];
  if ([a, b, c, d].some((part) => part > 255) || bits < 16 || bits > 26) throw wrong;
  const isPrivate =
    a === 10 || (a === 172 && b >= 16 && b <= 31) || (a === 192 && b === 168) || (a === 100 && b >= 64 && b <= 127);
  const address = ((a * 256 + b) * 256 + c) * 256 + d;
  if (!isPrivate || address % 2 ** (32 - bits) !== 0) throw wrong;
  return cidr;
}
