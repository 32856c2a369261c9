import { join } from 'node:path';
import { SSM, arn, array, choice, flag, object, text, whole } from '../../shared/yaml/schema-words';
import type { Schema } from '../../shared/yaml/schema-words';
import { LIFECYCLE_APPS } from './access';

/** Where the schema is published, for editors. */
export const SCHEMA_FILE = join(__dirname, '..', '..', '..', 'schema', 'studio-access.schema.json');

const PLACEHOLDER = '\\{\\{(partition|region|account)\\}\\}';

/** Of AWS::SageMaker::Domain and of user profiles. */
const NAME = '[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}';

const TAG = '[\\p{L}\\p{Z}\\p{N}_.:/=+@-]';

/** Keys of tags differ by capitals for some of AWS's services, and not for others. */
const anyCase = (word: string) => [...word].map((letter) => `[${letter}${letter.toUpperCase()}]`).join('');

const OCTET = '(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])';

const entity = (description: string) => text('^\\S{1,1024}$', 'a text without spaces', description);

/** Names under `.localhost` are this machine too (RFC 6761, section 6.3). */
const HOST = '(https://[A-Za-z0-9.-]+|http://(127\\.0\\.0\\.1|\\[::1\\]|([A-Za-z0-9-]+\\.)*localhost))(:[0-9]+)?';

const NOT_HERE = '(`http://` only on this machine: 127.0.0.1, ::1, localhost and names under it)';

const address = (description: string) => text(`^${HOST}(/\\S*)?$`, `an \`https://\` address ${NOT_HERE}`, description);

const CLAIM: Schema = {
  description: 'A claim: `nameId` is the subject of the assertion, `attribute` the name of one of its attributes.',
  if: { type: 'string' },
  then: { ...choice(['nameId'], ''), errorMessage: 'give `nameId`, or `attribute:` with the name of an attribute' },
  else: object(
    { attribute: text('^\\S(.{0,510}\\S)?$', 'the name of an attribute, as the assertion has it') },
    { required: ['attribute'] },
  ),
};

const CLAIMS = object(
  {
    profile: { ...CLAIM, description: 'Who somebody is: becomes the tag `studiouserid` and the name of the profile.' },
    domain: { ...CLAIM, description: 'Which domain somebody enters, by its name. Needed with several `domains`.' },
    role: { ...CLAIM, description: 'Which of `executionRoles` the profile has. Absent: `defaultExecutionRole`.' },
  },
  { required: ['profile'] },
);

const SAML_ROLES = array(
  object(
    { arn: arn('iam', 'role/', 'the ARN of a role'), domain: text(`^${NAME}$`, 'the name of one of `domains`') },
    {
      required: ['arn', 'domain'],
    },
  ),
  {
    minItems: 1,
    description: 'With `verify: aws`: roles that exist, each for a domain. Absent: one is made for each.',
  },
);

/** Keys that belong to one way of verifying; `rules.ts` says why the other refuses them. */
export const ONLY_HERE = ['signOnUrl', 'certificates', 'startedAtIdp', 'claims'] as const;
export const ONLY_AWS = ['recipient', 'provider', 'metadata', 'roles'] as const;

const absent = (keys: readonly string[]) => ({ properties: Object.fromEntries(keys.map((key) => [key, false])) });

const SAML = object(
  {
    verify: choice(['here', 'aws'], 'Who verifies the assertion: the function (`here`), or `sts:AssumeRoleWithSAML`.'),
    issuer: entity("The identity provider's entity ID, exactly as it stands in its assertions."),
    signOnUrl: address(
      'Where people are sent to sign in (HTTP-Redirect). Absent: sign-in begins at the provider only.',
    ),
    audience: entity('Our entity ID. Absent: the base URL; with `verify: aws` that of AWS.'),
    recipient: address('With `verify: aws`: `https://signin.aws.amazon.com/saml`, or a regional one.'),
    certificates: array(text('\\S', 'PEM, or a file that holds it'), {
      minItems: 1,
      maxItems: 8,
      description:
        "The provider's signing certificates: PEM, or files beside this one. Several, while one is replaced.",
    }),
    startedAtIdp: flag("Accept what nobody asked for, as the provider's own portal sends it (false)."),
    skewSeconds: whole(0, 60, 'How far clocks may differ, in seconds (60).'),
    claims: CLAIMS,
    provider: arn('iam', 'saml-provider/', 'the ARN of an identity provider in IAM'),
    metadata: text('\\S', "a file with the provider's metadata", "The provider's metadata: IAM gets a provider of it."),
    roles: SAML_ROLES,
  },
  {
    required: ['verify', 'issuer'],
    allOf: [
      {
        if: { properties: { verify: { const: 'here' } }, required: ['verify'] },
        then: { required: ['certificates', 'claims'], ...absent(ONLY_AWS) },
      },
      {
        if: { properties: { verify: { const: 'aws' } }, required: ['verify'] },
        then: { oneOf: [{ required: ['provider'] }, { required: ['metadata'] }], ...absent(ONLY_HERE) },
      },
    ],
  },
);

const COGNITO = object(
  {
    signInUrl: address('Another address of the hosted pages than the pool’s own.'),
    domainPrefix: text(
      '^(?!.*(aws|amazon|cognito))[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$',
      'at most 63 lower case letters, digits and hyphens, without `aws`, `amazon` and `cognito`',
      'The name of the hosted pages, one in all of AWS (`<prefix>-<account>`).',
    ),
    customDomain: object(
      {
        name: text('^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$', 'a domain name, such as `sign-in.example.com`'),
        certificate: arn('acm', 'certificate/', 'the ARN of a certificate in us-east-1'),
      },
      { required: ['name', 'certificate'], description: 'A domain of your own for the hosted pages.' },
    ),
    mfa: choice(['optional', 'required'], 'A second factor, by an app (`required`).'),
    invite: object(
      {
        name: text('^[\\p{L}\\p{N}_.+@-]{1,128}$', 'at most 128 letters, digits and _.+@-'),
        mail: text('^[^\\s@,]+@[^\\s@,]+$', 'one mail address'),
        domain: text(`^${NAME}$`, 'the name of one of `domains`'),
      },
      {
        required: ['name', 'mail', 'domain'],
        description: 'A first person, invited by mail: Cognito makes a password for once.',
      },
    ),
    federation: object(
      {
        name: text('^(?!Cognito$|_)[\\p{L}\\p{M}\\p{S}\\p{N}\\p{P}]{3,32}$', '3 to 32 characters without spaces'),
        metadata: text('\\S', "a file with the provider's metadata"),
        attributes: {
          type: 'object',
          description: "The pool's attributes, each from which of the assertion's.",
          propertyNames: text('^(custom:)?[a-z_]{1,32}$', 'an attribute of user pools, such as `email`'),
          additionalProperties: text('^\\S{1,255}$', 'the name of an attribute, as the assertion has it'),
        },
      },
      { required: ['name', 'metadata'], description: 'The pool takes people from a SAML identity provider.' },
    ),
  },
  { type: ['object', 'null'] },
);

const ROLE_ARN = (description: string): Schema => ({
  ...text(
    `^(${SSM}|arn:([a-z0-9-]*|${PLACEHOLDER}):iam::([0-9]*|${PLACEHOLDER}):role/[\\w+=,.@/-]+|[\\w+=,.@-]+(/[\\w+=,.@-]+)*)$`,
    'the name of a role in this account, its ARN, or `ssm:/path`',
  ),
  description,
});

const DOMAIN = object(
  {
    name: text(`^${NAME}$`, 'the name of a domain: 1 to 63 letters, digits and hyphens', "SageMaker's DomainName."),
    id: text(`^(${SSM}|d-[a-z0-9]{1,61})$`, '`d-…`, or `ssm:/path`', 'Absent: found by its name.'),
    group: text(
      '^[\\p{L}\\p{M}\\p{S}\\p{N}\\p{P}]{1,128}$',
      'at most 128 characters without spaces',
      "The user pool's group whose members enter. Absent: the domain's name.",
    ),
    executionRoles: {
      type: 'object',
      description: 'The roles that a profile may have, by the value of the claim `role`.',
      maxProperties: 50,
      propertyNames: text('^\\S(.{0,254}\\S)?$', 'a value of the claim, at most 256 characters'),
      additionalProperties: ROLE_ARN('A role that SageMaker may take.'),
    },
    defaultExecutionRole: ROLE_ARN("The profile's role where no claim names one. Absent: the domain's own."),
    securityGroups: array(text(`^(${SSM}|sg-[-0-9a-zA-Z]+)$`, 'a security group, `sg-…`, or `ssm:/path`'), {
      maxItems: 5,
      description: 'Groups of the profile’s applications.',
    }),
    lifecycleConfigs: object(
      Object.fromEntries(
        LIFECYCLE_APPS.map((app) => [
          app,
          arn('sagemaker', 'studio-lifecycle-config/', 'the ARN of a lifecycle configuration'),
        ]),
      ),
      { description: 'The script that runs when an application of the profile starts.' },
    ),
    tags: {
      type: 'object',
      description: 'Tags of profiles that are made here.',
      maxProperties: 40,
      propertyNames: text(
        `^(?!${anyCase('aws')}:|${anyCase('studiouserid')}$|${anyCase('domainname')}$)${TAG}{1,128}$`,
        'at most 128 letters, digits, spaces and _.:/=+-@, and none of `aws:…`, `studiouserid`, `DomainName`, which are not yours to set',
      ),
      additionalProperties: text(`^${TAG}{1,128}$`, '1 to 128 letters, digits, spaces and _.:/=+-@'),
    },
  },
  { required: ['name'] },
);

const endpoints = (what: string) =>
  array(text('^vpce-[0-9a-f]{8,17}$', 'a VPC endpoint, `vpce-…`'), {
    minItems: 1,
    uniqueItems: true,
    description: what,
  });

/**
 * The schema of the file `access`: what the parser checks it by, and what is published for editors, byte for byte.
 *
 * Bounds are those of the APIs: CreatePresignedDomainUrl, CreateUserProfile, CreateUserPoolDomain, CreateIdentityProvider.
 */
export const SCHEMA: Schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Who may enter Studio, and how',
  ...object(
    {
      network: choice(['private', 'regional'], 'Reached through VPC endpoints only, or over the internet (`private`).'),
      vpcEndpoints: object(
        {
          executeApi: endpoints('Of `execute-api`: how people reach the API.'),
          sagemaker: endpoints('Of `sagemaker.api`: how the function asks SageMaker.'),
          studio: endpoints('Of `aws.sagemaker.<region>.studio`: how people reach Studio.'),
          sts: endpoints('Of `sts`: how the function has an assertion verified.'),
        },
        { description: 'Endpoints that are there already, beside those that are made.' },
      ),
      vpcs: array(text('^vpc-[0-9a-f]{8,17}$', 'a VPC, `vpc-…`'), {
        minItems: 1,
        uniqueItems: true,
        description: 'Any endpoint of these VPCs.',
      }),
      addresses: array(
        text(
          `^(${OCTET}\\.){3}${OCTET}/([89]|[12][0-9]|3[0-2])$`,
          'an IPv4 block from `/8` to `/32`, such as `203.0.113.0/24`',
        ),
        { minItems: 1, maxItems: 50, uniqueItems: true, description: 'Where people come from. Absent: anywhere.' },
      ),
      url: text(
        `^${HOST}(/[A-Za-z0-9._~-]+)*$`,
        `an \`https://\` address without a slash at its end ${NOT_HERE}`,
        'The base URL that people see, where a domain of yours is mapped to the stage.',
      ),
      defaultEndpoint: flag('Answer at the address that API Gateway gives (true; false with an https `url`).'),
      accountLogRole: choice(
        ['set', 'present'],
        'API Gateway writes logs with one role for the account and region: `set` it here, or it is `present` (`set`).',
      ),
      webAcl: arn('wafv2', 'regional/webacl/', 'the ARN of a regional web ACL'),
      saml: SAML,
      cognito: COGNITO,
      profile: object({
        form: choice(['exact', 'hashed'], 'The claim itself is the name of the profile, or a digest makes it one.'),
        removeSuffix: text('^\\S{1,256}$', 'a text without spaces', 'What ends the claim and is left out of the name.'),
      }),
      landings: {
        type: 'object',
        description: 'Where people land in Studio, by the word that RelayState may say.',
        maxProperties: 50,
        propertyNames: text('^[a-z0-9][a-z0-9-]{0,62}$', 'at most 63 lower case letters, digits and hyphens'),
        additionalProperties: text(
          '^(studio::|app:(JupyterServer|JupyterLab|CodeEditor|RStudioServerPro|Canvas):)[^\\s?#]{0,900}$',
          '`studio::…` or `app:JupyterLab:…`, as CreatePresignedDomainUrl takes it',
        ),
      },
      urlSeconds: whole(5, 20, 'How long the URL may be opened, in seconds (20).'),
      sessionMinutes: whole(30, 720, 'How long a session of Studio lasts, in minutes (480).'),
      domains: array(DOMAIN, { minItems: 1, maxItems: 50, description: 'The domains that people enter.' }),
    },
    // Under `allOf`, as every rule between keys: `rules.ts` has better words for it.
    { required: ['domains'], allOf: [{ anyOf: [{ required: ['saml'] }, { required: ['cognito'] }] }] },
  ),
};

/** The schema as the published file holds it. */
export function schemaText(): string {
  return `${JSON.stringify(SCHEMA, null, 2)}\n`;
}
