import { join } from 'node:path';
import { DOMAIN_TAG, OWNER_TAG, SESSION_TAG } from '../tags';
import { settingsSchema, spaceSettingsSchema } from './schema-settings';
import { SSM, arn, array, choice, flag, name, object, text, whole } from '../../shared/yaml/schema-words';
import type { Schema } from '../../shared/yaml/schema-words';

/** Where the schema is published, for editors. */
export const SCHEMA_FILE = join(__dirname, '..', '..', '..', 'schema', 'studio-domain.schema.json');

const ROLE = object(
  {
    name: text(
      `^(${SSM}|/?([\\w+=,.@-]|\\{\\{(partition|region|account)\\}\\})+(/[\\w+=,.@-]+)*)$`,
      'the name of a role in this account, or `ssm:/path`',
    ),
    arn: arn('iam', 'role/', 'the ARN of a role'),
    id: text('^(ssm:/.+|[A-Za-z0-9_-]+)$', "a role's unique id as IAM shows it (`AROA…`)"),
    immutable: { ...flag("MDAA's: without effect, roles that are named here are never changed") },
    refId: { ...name("MDAA's: without effect") },
  },
  {
    description: 'A role, by exactly one of `name`, `arn` and `id`.',
    oneOf: [{ required: ['name'] }, { required: ['arn'] }, { required: ['id'] }],
    errorMessage: 'give exactly one of `name`, `arn`, `id`',
  },
);

const ROLE_REF: Schema = { $ref: '#/$defs/role' };

const SUPPRESSIONS = array(
  object(
    {
      id: text('^[A-Za-z0-9.]+-[A-Za-z0-9]+(\\[.+\\])?$', 'the id of a rule of cdk-nag, as `AwsSolutions-EC23`'),
      reason: text('\\S.{9}', 'a reason of at least ten characters that a reviewer would accept'),
    },
    { required: ['id', 'reason'], description: 'Findings of cdk-nag at this rule that are accepted, with the reason.' },
  ),
);

/** A rule of a security group; `peer` says what it lets talk. */
function rule(peer: Record<string, Schema>): Schema {
  return object(
    {
      ...peer,
      protocol: text(
        '^(tcp|udp|icmp|icmpv6|esp|all|-1|1?[0-9]{1,2}|2[0-4][0-9]|25[0-5])$',
        '`tcp`, `udp`, `icmp`, `icmpv6`, `esp`, a protocol number from 0 to 255, or `all`',
      ),
      port: whole(-1, 65535, 'The first port; -1 with a protocol that has none.'),
      toPort: whole(-1, 65535, 'The last port. Absent: `port`.'),
      description: text(
        '^[a-zA-Z0-9 ._:/()#,@\\[\\]+=&;{}!$*-]{0,255}$',
        'at most 255 characters out of a-z, A-Z, 0-9, spaces and ._-:/()#,@[]+=&;{}!$*, which is what EC2 takes',
      ),
      suppressions: SUPPRESSIONS,
    },
    { required: [...Object.keys(peer), 'protocol'] },
  );
}

const SG_ID = text(`^(${SSM}|sg-[-0-9a-zA-Z]+)$`, 'a security group, `sg-…`, or `ssm:/path`');
const RULES = object({
  // Four numbers up to 255 and a length up to 32; that no bit is set behind the length is checked beside the schema.
  ipv4: array(
    rule({
      cidr: text(
        '^((25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})\\.){3}(25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})/(3[0-2]|[12]?[0-9])$',
        'an IPv4 block as `10.0.0.0/24`',
      ),
    }),
  ),
  sg: array(rule({ sgId: SG_ID })),
  prefixList: array(rule({ prefixList: text(`^(${SSM}|pl-[-0-9a-zA-Z]+)$`, 'a prefix list, `pl-…`, or `ssm:/path`') })),
});

const SCRIPT = object(
  {
    assets: {
      type: 'object',
      description: 'Files that are there when the commands run, under $ASSETS_DIR/<name>/.',
      propertyNames: text('^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$', 'letters, digits, dots, underscores and hyphens'),
      additionalProperties: object(
        {
          sourcePath: name('A file or folder, relative to this file.'),
          exclude: array(name('A glob.'), { description: 'Globs of what is left out.' }),
        },
        { required: ['sourcePath'] },
      ),
    },
    cmds: array(name('A command of bash.'), { description: 'Run in order; the first that fails ends the script.' }),
  },
  { required: ['cmds'] },
);

const DOMAIN = object(
  {
    name: text(
      '^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$',
      '1 to 63 letters, digits and hyphens, beginning and ending with a letter or digit',
      "Tidegate's. The domain's name; absent: the file's name without its ending. Cannot be changed later.",
    ),
    authMode: choice(['IAM', 'SSO'], 'How users sign in. Cannot be changed later.'),
    vpcId: text(`^(${SSM}|vpc-[-0-9a-zA-Z]+)$`, '`vpc-…` or `ssm:/path`', 'Cannot be changed later.'),
    subnetIds: {
      description: 'The subnets of the applications: a list, or one `ssm:/path` of a parameter that holds a list.',
      if: { type: 'string' },
      then: text(`^${SSM}$`, 'a list of subnets, or `ssm:/path` of a parameter that holds one'),
      else: array(text(`^(${SSM}|subnet-[-0-9a-zA-Z]+)$`, '`subnet-…` or `ssm:/path`'), { minItems: 1, maxItems: 16 }),
    },
    kmsKeyArn: {
      ...arn('kms', 'key/', 'the ARN of a key'),
      description: 'The key of volumes and bucket; absent: a key of the domain’s own. Cannot be changed later.',
    },
    assetDeploymentMemoryLimitMB: whole(128, 10240, 'Memory of the function that copies assets, in MB (512).'),
    assetPrefix: text(
      '^/?[A-Za-z0-9][A-Za-z0-9_./-]{0,58}$',
      'at most 60 letters, digits, slashes and ._-',
      'Where assets lie (`lifecycle-assets`).',
    ),
    notebookSharingPrefix: text(
      '^/?[A-Za-z0-9][A-Za-z0-9_./-]{0,58}$',
      'at most 60 letters, digits, slashes and ._-',
      'Where users share (`sharing/`).',
    ),
    securityGroupId: { ...SG_ID, description: 'A security group that exists, instead of one of the domain’s own.' },
    securityGroupIngress: { ...RULES, description: 'What may come in, beside the group’s own members.' },
    securityGroupEgress: { ...RULES, description: 'What may go out; absent: everything that the network lets out.' },
    securityGroupPerProfile: flag("Tidegate's. A security group for each profile, closed to the others (false)."),
    defaultExecutionRole: { ...ROLE_REF, description: 'The role of applications; absent: one that can do little.' },
    dataAdminRoles: array(ROLE_REF, { description: 'Who administers bucket and key. Needed for a bucket of its own.' }),
    domainBucket: object({
      domainBucketName: text('^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$', 'the name of a bucket'),
      assetDeploymentRole: { ...ROLE_REF, description: 'A role of Lambda’s that may write under `assetPrefix`.' },
    }),
    userProfiles: {
      type: 'object',
      description: 'By session name (IAM) or by user name in Identity Center (SSO).',
      // It becomes a tag's value, so it may hold what a tag may.
      propertyNames: text(
        '^(?=.*[A-Za-z0-9])[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{1,128}$',
        'at most 128 letters, digits, spaces and _.:/=+-@, with a letter or digit among them',
      ),
      additionalProperties: object({ userRole: ROLE_REF }, { type: ['object', 'null'] }),
    },
    defaultUserSettings: settingsSchema(),
    defaultSpaceSettings: spaceSettingsSchema(),
    lifecycleConfigs: object({ jupyter: SCRIPT, jupyterLab: SCRIPT, codeEditor: SCRIPT, kernel: SCRIPT }),
    sourceIdentity: flag("Tidegate's. Name the user's profile in CloudTrail as source identity (true)."),
    backup: {
      description: "Tidegate's. Backups of the home folders by AWS Backup (daily, 35 days); `false`: none.",
      if: { type: 'boolean' },
      then: { type: 'boolean' },
      else: object({
        schedule: text('^cron\\(\\S+( \\S+){5}\\)$', '`cron(…)` with six fields, in UTC, as `cron(0 5 * * ? *)`'),
        retentionDays: whole(1, 36500, 'Days that a backup is kept (35).'),
      }),
    },
    departure: object(
      {
        homes: choice(['keep', 'delete'], 'The file system of the home folders, and what leads to it.'),
        finalBackup: flag('Back the home folders up before they are deleted, into a vault that stays (true).'),
      },
      {
        required: ['homes'],
        description:
          "Tidegate's. With the stack, all applications, spaces and profiles are deleted, and the home folders if it says so; absent: none of it.",
      },
    ),
    tags: {
      type: 'object',
      description: "Tidegate's. Tags of everything that belongs to the domain.",
      // With Tidegate's five and SageMaker's three, applications get at most 48; they take 50.
      maxProperties: 40,
      // Access is decided by the last three, and IAM does not tell letter case in keys.
      propertyNames: text(
        `^(?![aA][wW][sS]:|Project$|Environment$|(${[DOMAIN_TAG, OWNER_TAG, SESSION_TAG].map(anyCase).join('|')})$)[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{1,128}$`,
        `at most 128 letters, digits, spaces and _.:/=+-@, not beginning with \`aws:\`, and none of Tidegate’s own \`Project\`, \`Environment\`, \`${DOMAIN_TAG}\`, \`${OWNER_TAG}\`, \`${SESSION_TAG}\``,
      ),
      additionalProperties: text(
        '^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{1,128}$',
        '1 to 128 letters, digits, spaces and _.:/=+-@',
      ),
    },
    allowReplacement: flag("Tidegate's. Let a setting that cannot be changed in place replace the domain (false)."),
  },
  {
    required: ['authMode', 'vpcId', 'subnetIds'],
    allOf: [
      {
        // B9: with IAM each profile says whose role opens it.
        if: { properties: { authMode: { const: 'IAM' } }, required: ['authMode'] },
        then: {
          properties: {
            userProfiles: { additionalProperties: { type: 'object', required: ['userRole'] } },
          },
        },
      },
      {
        // A bucket of the domain's own has administrators.
        if: { not: { properties: { domainBucket: { required: ['domainBucketName'] } }, required: ['domainBucket'] } },
        then: { properties: { dataAdminRoles: { minItems: 1 } }, required: ['dataAdminRoles'] },
      },
      {
        // A final backup needs a vault.
        if: {
          properties: {
            departure: {
              properties: { homes: { const: 'delete' }, finalBackup: { const: true } },
              required: ['homes'],
            },
          },
          required: ['departure'],
        },
        then: { properties: { backup: { not: { const: false } } } },
      },
      {
        // Into somebody else's bucket assets are put by a role that they gave.
        if: {
          properties: {
            domainBucket: { required: ['domainBucketName'] },
            lifecycleConfigs: {
              anyOf: ['jupyter', 'jupyterLab', 'codeEditor', 'kernel'].map((key) => ({
                properties: { [key]: { properties: { assets: { minProperties: 1 } }, required: ['assets'] } },
                required: [key],
              })),
            },
          },
          required: ['domainBucket', 'lifecycleConfigs'],
        },
        then: { properties: { domainBucket: { required: ['assetDeploymentRole'] } } },
      },
    ],
  },
);

/**
 * The schema of a domain file: what the parser checks files by, and what is published for editors, byte for byte.
 *
 * Bounds and patterns are those of AWS::SageMaker::Domain's provider schema.
 */
export const SCHEMA: Schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'A SageMaker Studio domain',
  description: "The format of MDAA's module sm-studio-domain, with a few keys of Tidegate's own, each marked as such.",
  ...object({ domain: DOMAIN }, { required: ['domain'] }),
  $defs: { role: ROLE },
};

/** The schema as the published file holds it. */
export function schemaText(): string {
  return `${JSON.stringify(SCHEMA, null, 2)}\n`;
}

/** A pattern for this word in any letter case. */
function anyCase(word: string): string {
  return word.replace(/[a-z]/gi, (letter) => `[${letter.toLowerCase()}${letter.toUpperCase()}]`);
}
