import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { LARGEST_SCRIPT, scriptSize } from '../script';
import { LONGEST_NAME, profileName } from './names';
import { PLACEHOLDERS } from '../../shared/yaml/schema-words';
import { dotted } from '../../shared/yaml/source';
import type { Path, Problem, Source } from '../../shared/yaml/source';

/** Data that the schema has accepted up to its rules between keys: looked into, never trusted. */
type Data = any;

/**
 * What a schema cannot say, or says badly: rules between keys, between names, and between the file and its folder.
 * Those between keys stand in the schema too, for editors; `test/studio/schema.test.ts` holds the two against each other.
 */
export function ruleProblems(source: Source): Problem[] {
  const domain: Data = (source.data as Data)?.domain;
  if (typeof domain !== 'object' || domain === null || Array.isArray(domain)) return [];
  return [
    ...placeholders(source, source.data, []),
    ...roles(source, domain),
    ...bucket(source, domain),
    ...profiles(source, domain),
    ...securityRules(source, domain),
    ...settings(source, domain),
    ...scripts(source, domain),
    ...departure(source, domain),
  ];
}

function placeholders(source: Source, value: unknown, path: Path): Problem[] {
  if (typeof value === 'string') {
    return [...value.matchAll(/\{\{[^{}]*\}\}/g)]
      .filter(([text]) => !(PLACEHOLDERS as readonly string[]).includes(text))
      .map(([text]) =>
        source.problem(
          path,
          `\`${dotted(path)}\` holds \`${text}\`: use ${PLACEHOLDERS.map((p) => `\`${p}\``).join(', ')}, or the value itself`,
        ),
      );
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    placeholders(source, inner, [...path, Array.isArray(value) ? Number(key) : key]),
  );
}

/** Each reference to a role, with its place. */
export function roleRefs(domain: Data): [Path, Data][] {
  const found: [Path, Data][] = [
    [['domain', 'defaultExecutionRole'], domain.defaultExecutionRole],
    [['domain', 'domainBucket', 'assetDeploymentRole'], domain.domainBucket?.assetDeploymentRole],
    ...list(domain.dataAdminRoles).map(([index, role]): [Path, Data] => [['domain', 'dataAdminRoles', index], role]),
    ...entries(domain.userProfiles).map(([key, profile]): [Path, Data] => [
      ['domain', 'userProfiles', key, 'userRole'],
      profile?.userRole,
    ]),
  ];
  return found.filter(([, role]) => role !== undefined && role !== null);
}

function roles(source: Source, domain: Data): Problem[] {
  return roleRefs(domain)
    .filter(([, role]) => typeof role.id === 'string' && role.id.startsWith('generated-role-id:'))
    .map(([path, role]) =>
      source.problem(
        path,
        `\`${dotted(path)}.id\` is \`${role.id}\`, a role that another module of MDAA made: give its \`arn\`, or \`arn: ssm:/path\` with the parameter that the module wrote`,
      ),
    );
}

function bucket(source: Source, domain: Data): Problem[] {
  const problems: Problem[] = [];
  const given = domain.domainBucket?.domainBucketName !== undefined;
  if (!given && list(domain.dataAdminRoles).length === 0) {
    problems.push(
      source.problem(
        ['domain', 'dataAdminRoles'],
        '`domain.dataAdminRoles` is missing, and the domain gets a bucket of its own: give at least one role that administers bucket and key, or `domain.domainBucket.domainBucketName`',
      ),
    );
  }
  const withAssets = entries(domain.lifecycleConfigs).filter(([, script]) => entries(script?.assets).length > 0);
  if (given && withAssets.length > 0 && domain.domainBucket.assetDeploymentRole === undefined) {
    problems.push(
      source.problem(
        ['domain', 'domainBucket'],
        `\`domain.domainBucket.assetDeploymentRole\` is missing, and \`domain.lifecycleConfigs.${withAssets[0]?.[0]}.assets\` are to be put into a bucket that is not the domain's own: give a role of Lambda's that may write there`,
      ),
    );
  }
  return problems;
}

function profiles(source: Source, domain: Data): Problem[] {
  const problems: Problem[] = [];
  const seen = new Map<string, string>();
  for (const [key, profile] of entries(domain.userProfiles)) {
    const path = ['domain', 'userProfiles', key];
    if (domain.authMode === 'IAM' && (profile === null || profile?.userRole === undefined)) {
      problems.push(
        source.problem(
          path,
          `\`${dotted([...path, 'userRole'])}\` is missing, and \`domain.authMode\` is \`IAM\`: give the role from which the user opens the profile`,
        ),
      );
    }
    const name = profileName(key);
    if (name.length > LONGEST_NAME) {
      problems.push(
        source.problem(
          path,
          `\`${dotted(path)}\` becomes the profile \`${name}\` of ${name.length} characters: SageMaker takes ${LONGEST_NAME}`,
        ),
      );
    }
    const other = seen.get(name);
    if (other !== undefined && name !== '') {
      const line = source.line(['domain', 'userProfiles', other]);
      problems.push(
        source.problem(
          path,
          `\`${key}\` and \`${other}\` (line ${line}) both become the profile \`${name}\`: rename one of them`,
        ),
      );
    } else seen.set(name, key);
  }
  return problems;
}

/** Protocols without ports. */
const PORTLESS = new Set(['esp', '50', 'all', '-1']);

/** Every rule of the security groups, with its place. */
export function securityRuleList(domain: Data): [Path, Data][] {
  return ['securityGroupIngress', 'securityGroupEgress'].flatMap((direction) =>
    ['ipv4', 'sg', 'prefixList'].flatMap((kind) =>
      list(domain[direction]?.[kind]).map(([index, rule]): [Path, Data] => [['domain', direction, kind, index], rule]),
    ),
  );
}

function securityRules(source: Source, domain: Data): Problem[] {
  const seen = new Map<string, Path>();
  return securityRuleList(domain).flatMap(([path, rule]) => {
    if (typeof rule !== 'object' || rule === null) return [];
    const problems: Problem[] = [];
    const { description: _, suppressions: __, ...what } = rule;
    const same = JSON.stringify([path[1], Object.entries({ ...what, toPort: what.toPort ?? what.port }).sort()]);
    const other = seen.get(same);
    if (other === undefined) seen.set(same, path);
    else {
      const where = `\`${dotted(other)}\` (line ${source.line(other)})`;
      problems.push(source.problem(path, `\`${dotted(path)}\` says the same as ${where}: remove one of them`));
    }
    const say = (key: string, message: string) =>
      problems.push(source.problem([...path, key], `\`${dotted([...path, key])}\` ${message}`));
    const { cidr, protocol, port, toPort } = rule;
    if (typeof cidr === 'string') {
      const block = network(cidr);
      if (block !== undefined && block !== cidr)
        say('cidr', `is \`${cidr}\`, which has bits behind its length: give \`${block}\``);
    }
    const icmp = ['icmp', 'icmpv6', '1', '58'].includes(protocol);
    if (['tcp', 'udp', '6', '17'].includes(protocol)) {
      if (port === undefined)
        say('port', `is missing, and the protocol is \`${protocol}\`: give a port from 0 to 65535`);
      if (typeof port === 'number' && port < 0)
        say('port', `is \`${port}\`: give a port from 0 to 65535, or the protocol \`all\``);
      if (typeof toPort === 'number' && typeof port === 'number' && toPort < port)
        say('toPort', `is \`${toPort}\`, before \`port\` \`${port}\`: give one from ${port} to 65535`);
    } else if (PORTLESS.has(protocol) && typeof port === 'number' && port > 0) {
      say('port', `is \`${port}\`, and the protocol \`${protocol}\` has no ports: leave it out`);
    } else if (icmp && typeof port === 'number' && port > 255) {
      say('port', `is \`${port}\`, and with \`${protocol}\` it is a type: give one from -1 to 255`);
    }
    return problems;
  });
}

/** The block that this one lies in, with no bit behind its length. */
function network(cidr: string): string | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(cidr);
  if (match === null) return undefined;
  const [a, b, c, d, length] = match.slice(1).map(Number) as [number, number, number, number, number];
  if (Math.max(a, b, c, d) > 255 || length > 32) return undefined;
  const address = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
  const kept = length === 0 ? 0 : (address & (0xffffffff << (32 - length))) >>> 0;
  return `${[kept >>> 24, (kept >>> 16) & 255, (kept >>> 8) & 255, kept & 255].join('.')}/${length}`;
}

function settings(source: Source, domain: Data): Problem[] {
  const problems: Problem[] = [];
  for (const top of ['defaultUserSettings', 'defaultSpaceSettings']) {
    for (const app of ['jupyterLabAppSettings', 'codeEditorAppSettings']) {
      const path = ['domain', top, app, 'appLifecycleManagement', 'idleSettings'];
      const idle = domain[top]?.[app]?.appLifecycleManagement?.idleSettings ?? {};
      const order = ['minIdleTimeoutInMinutes', 'idleTimeoutInMinutes', 'maxIdleTimeoutInMinutes'].filter(
        (key) => typeof idle[key] === 'number',
      );
      for (const [index, key] of order.entries()) {
        const before = order[index - 1];
        if (before !== undefined && idle[before] > idle[key]) {
          problems.push(
            source.problem(
              [...path, key],
              `\`${dotted([...path, key])}\` is \`${idle[key]}\`, less than \`${before}\` \`${idle[before]}\`: give min <= idle <= max`,
            ),
          );
        }
      }
    }
    const path = ['domain', top, 'spaceStorageSettings', 'defaultEbsStorageSettings', 'defaultEbsVolumeSizeInGb'];
    const sizes = domain[top]?.spaceStorageSettings?.defaultEbsStorageSettings ?? {};
    if (sizes.defaultEbsVolumeSizeInGb > sizes.maximumEbsVolumeSizeInGb) {
      problems.push(
        source.problem(
          path,
          `\`${dotted(path)}\` is \`${sizes.defaultEbsVolumeSizeInGb}\`, more than \`maximumEbsVolumeSizeInGb\` \`${sizes.maximumEbsVolumeSizeInGb}\`: give at most that`,
        ),
      );
    }
  }
  return problems;
}

function scripts(source: Source, domain: Data): Problem[] {
  return entries(domain.lifecycleConfigs).flatMap(([key, script]) => {
    const path = ['domain', 'lifecycleConfigs', key];
    const missing = entries(script?.assets).flatMap(([name, asset]) => {
      const place = [...path, 'assets', name, 'sourcePath'];
      const given = asset?.sourcePath;
      if (typeof given !== 'string' || existsSync(resolve(dirname(source.file), given))) return [];
      const what = `\`${dotted(place)}\` is \`${given}\`, which does not exist`;
      return [source.problem(place, `${what}: give a file or folder, relative to the folder of \`${source.file}\``)];
    });
    const cmds = list(script?.cmds).map(([, command]) => String(command));
    const size = scriptSize(
      entries(script?.assets).map(([name]) => name),
      cmds,
    );
    if (size <= LARGEST_SCRIPT) return missing;
    const what = `\`${dotted(path)}\` becomes a script of ${size} characters in base64: SageMaker takes ${LARGEST_SCRIPT}`;
    return [...missing, source.problem(path, `${what}; put commands into a script among its assets`)];
  });
}

function departure(source: Source, { departure, backup }: Data): Problem[] {
  if (departure?.homes !== 'delete' || departure.finalBackup === false || backup !== false) return [];
  const what = '`domain.departure` backs the home folders up before it deletes them, and `domain.backup` is `false`';
  return [
    source.problem(
      ['domain', 'departure'],
      `${what}: take that away, or set \`domain.departure.finalBackup\` to \`false\``,
    ),
  ];
}

export function entries(value: Data): [string, Data][] {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
}

function list(value: Data): [number, Data][] {
  return Array.isArray(value) ? [...value.entries()] : [];
}
