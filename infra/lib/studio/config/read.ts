import { basename, dirname, extname, resolve } from 'node:path';
import { SCRIPT_APPS } from './domain';
import type {
  Backup,
  Departure,
  Domain,
  IdleSettings,
  LifecycleScript,
  Profile,
  Rules,
  ScriptKey,
  UserSettings,
} from './domain';
import { profileName } from './names';
import { entries, ruleProblems, securityRuleList } from './rules';
import { SCHEMA } from './schema';
import { Source, line } from '../../shared/yaml/source';
import type { Problem } from '../../shared/yaml/source';
import { Structure } from '../../shared/yaml/structure';

/** What a domain file may hold. */
const STRUCTURE = new Structure(SCHEMA);

/** What is wrong with domain files: every problem of every file, a line each. */
export class DomainFilesError extends Error {
  constructor(readonly problems: readonly Problem[]) {
    super(problems.map(line).join('\n'));
    this.name = 'DomainFilesError';
  }
}

/** Reads and checks domain files together: names must not collide between them. Throws `DomainFilesError`. */
export function readDomains(files: readonly string[]): Domain[] {
  const problems: Problem[] = [];
  const sources = files.flatMap((file) => {
    try {
      return [Source.read(file)];
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      problems.push({
        file,
        line: 1,
        message: `cannot be read (${code ?? String(error)}): give a YAML file that exists`,
      });
      return [];
    }
  });
  const good = sources.filter((source) => {
    const own = check(source);
    problems.push(...own);
    return own.length === 0;
  });
  const domains = good.map((source) => ({ source, domain: toDomain(source) }));
  for (const [index, { source, domain }] of domains.entries()) {
    const earlier = domains.slice(0, index).find((other) => other.domain.name === domain.name);
    if (earlier !== undefined) problems.push(...collisions(source, domain, earlier));
  }
  if (problems.length > 0) throw new DomainFilesError(problems);
  return domains.map(({ domain }) => domain);
}

/** Every problem of one file, in the order of its lines. */
export function check(source: Source): Problem[] {
  if (source.problems.length > 0) return [...source.problems];
  const problems = [...STRUCTURE.problems(source), ...ruleProblems(source)];
  if (problems.length === 0 && !NAME.test(nameOf(source))) {
    problems.push(
      source.problem(
        ['domain'],
        `\`domain.name\` is missing, and the file's name makes \`${nameOf(source)}\`: give 1 to 63 letters, digits and hyphens, beginning and ending with a letter or digit`,
      ),
    );
  }
  const unique = new Map(problems.map((problem) => [line(problem), problem]));
  return [...unique.values()].sort((a, b) => a.line - b.line);
}

const NAME = /^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$/;

function nameOf(source: Source): string {
  const given = (source.data as { domain: { name?: string } }).domain.name;
  return given ?? basename(source.file, extname(source.file));
}

function collisions(source: Source, domain: Domain, earlier: { source: Source; domain: Domain }): Problem[] {
  const place = ['domain', 'name'];
  const where = `${earlier.source.file}:${earlier.source.line(place)}`;
  return [
    source.problem(
      place,
      `the domain \`${domain.name}\` is also made by ${where}: give one of them another \`domain.name\``,
    ),
    ...domain.profiles.flatMap((profile) => {
      const other = earlier.domain.profiles.find(({ name }) => name === profile.name);
      if (other === undefined) return [];
      return [
        source.problem(
          ['domain', 'userProfiles', profile.key],
          `\`${profile.key}\` and \`${other.key}\` (${earlier.source.file}:${other.line}) both become the profile \`${profile.name}\` of the domain \`${domain.name}\`: rename one of them`,
        ),
      ];
    }),
  ];
}

const TOP = ['domain'];

/** The defaults of MDAA's module, and ours. */
const DEFAULTS = { assetPrefix: 'lifecycle-assets', notebookSharingPrefix: 'sharing', memory: 512 };
const BACKUP: Backup = { schedule: 'cron(0 5 * * ? *)', retentionDays: 35 };

/** Checked data as a domain. */
function toDomain(source: Source): Domain {
  const data = (source.data as any).domain;
  const warnings: string[] = [];
  const warn = (path: readonly (string | number)[], message: string) =>
    warnings.push(line(source.problem(path, message)));
  if (data.securityGroupId !== undefined) {
    for (const key of ['securityGroupIngress', 'securityGroupEgress']) {
      if (data[key] !== undefined && data.securityGroupPerProfile !== true) {
        warn(
          [...TOP, key],
          `\`domain.${key}\` is ignored: \`domain.securityGroupId\` names a group that exists, and its rules are its owner's`,
        );
      }
    }
  }
  for (const [path, rule] of securityRuleList(data)) {
    if (rule.toPort === undefined || rule.port !== undefined) continue;
    warn([...path, 'toPort'], '`toPort` is ignored: there is no `port`');
  }
  if (data.departure?.homes === 'keep' && data.departure.finalBackup === true) {
    warn([...TOP, 'departure', 'finalBackup'], '`finalBackup` is ignored: the home folders are kept');
  }
  const tidied = (app: any, path: string[]) => raiseIdle(app, path, warn);
  return {
    name: nameOf(source),
    file: source.file,
    authMode: data.authMode,
    vpcId: data.vpcId,
    subnetIds: [data.subnetIds].flat(),
    subnetList: typeof data.subnetIds === 'string',
    kmsKeyArn: data.kmsKeyArn,
    securityGroupId: data.securityGroupId,
    securityGroupIngress: (data.securityGroupIngress ?? {}) as Rules,
    securityGroupEgress: (data.securityGroupEgress ?? {}) as Rules,
    securityGroupPerProfile: data.securityGroupPerProfile ?? false,
    defaultExecutionRole: data.defaultExecutionRole,
    dataAdminRoles: data.dataAdminRoles ?? [],
    domainBucketName: data.domainBucket?.domainBucketName,
    assetDeploymentRole: data.domainBucket?.assetDeploymentRole,
    assetDeploymentMemoryLimitMB: data.assetDeploymentMemoryLimitMB ?? DEFAULTS.memory,
    assetPrefix: bare(data.assetPrefix ?? DEFAULTS.assetPrefix),
    notebookSharingPrefix: bare(data.notebookSharingPrefix ?? DEFAULTS.notebookSharingPrefix),
    profiles: entries(data.userProfiles).map(([key, profile]): Profile => ({
      name: profileName(key),
      key,
      ...(profile?.userRole !== undefined && { userRole: profile.userRole }),
      line: source.line([...TOP, 'userProfiles', key]),
    })),
    defaultUserSettings: userSettings(data.defaultUserSettings ?? {}, tidied),
    ...(data.defaultSpaceSettings !== undefined && {
      defaultSpaceSettings: {
        ...data.defaultSpaceSettings,
        ...lab(data.defaultSpaceSettings, ['defaultSpaceSettings'], tidied),
      },
    }),
    scripts: (Object.keys(SCRIPT_APPS) as ScriptKey[])
      .filter((key) => data.lifecycleConfigs?.[key] !== undefined)
      .map((key) => script(source, key, data.lifecycleConfigs[key])),
    sourceIdentity: data.sourceIdentity ?? true,
    ...(data.backup !== false && { backup: { ...BACKUP, ...(data.backup === true ? {} : data.backup) } }),
    ...(data.departure !== undefined && { departure: departure(data.departure) }),
    tags: data.tags ?? {},
    allowReplacement: data.allowReplacement ?? false,
    warnings,
  };
}

function departure({ homes, finalBackup }: any): Departure {
  return { homes, finalBackup: homes === 'delete' && (finalBackup ?? true) };
}

function bare(prefix: string): string {
  return prefix.replace(/^\/+|\/+$/g, '');
}

function script(source: Source, key: ScriptKey, data: any): LifecycleScript {
  return {
    key,
    assets: entries(data.assets).map(([name, asset]) => ({
      name,
      sourcePath: resolve(dirname(source.file), asset.sourcePath),
      exclude: asset.exclude ?? [],
    })),
    cmds: data.cmds,
  };
}

type Tidy = (app: any, path: string[]) => any;

function lab(settings: any, path: string[], tidied: Tidy): Record<string, unknown> {
  return Object.fromEntries(
    ['jupyterLabAppSettings', 'codeEditorAppSettings']
      .filter((key) => settings[key] !== undefined)
      .map((key) => [key, tidied(settings[key], [...path, key])]),
  );
}

/** MDAA's names of RStudio's groups are those of the console; the API has others. */
function userSettings(given: any, tidied: Tidy): UserSettings {
  const rStudio = given.rStudioServerProAppSettings;
  const groups: Record<string, string> = { Admin: 'R_STUDIO_ADMIN', User: 'R_STUDIO_USER' };
  return {
    ...given,
    ...lab(given, ['defaultUserSettings'], tidied),
    ...(rStudio !== undefined && {
      rStudioServerProAppSettings: {
        ...rStudio,
        ...(rStudio.userGroup !== undefined && { userGroup: groups[rStudio.userGroup] ?? rStudio.userGroup }),
      },
    }),
  };
}

/** SageMaker's least bound. */
const LEAST_IDLE = 60;

/** SageMaker refuses a bound below 60 minutes, MDAA's own sample has 30: the nearest that works, said. */
function raiseIdle(app: any, path: string[], warn: (path: string[], message: string) => void): any {
  const idle = app.appLifecycleManagement?.idleSettings as IdleSettings | undefined;
  const least = idle?.minIdleTimeoutInMinutes;
  if (least === undefined || least >= LEAST_IDLE) return app;
  const place = [...TOP, ...path, 'appLifecycleManagement', 'idleSettings', 'minIdleTimeoutInMinutes'];
  warn(place, `\`minIdleTimeoutInMinutes\` \`${least}\` is taken as ${LEAST_IDLE}: SageMaker takes no less`);
  return { ...app, appLifecycleManagement: { idleSettings: { ...idle, minIdleTimeoutInMinutes: LEAST_IDLE } } };
}
