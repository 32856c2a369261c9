import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { PLACEHOLDERS } from '../../shared/yaml/schema-words';
import { dotted } from '../../shared/yaml/source';
import type { Path, Problem, Source } from '../../shared/yaml/source';
import { certificatesIn } from './certificates';
import { ONLY_AWS, ONLY_HERE } from './schema';

/** Data that the schema has accepted up to its rules between keys: looked into, never trusted. */
type Data = any;

/** Of AWS::IAM::SAMLProvider. */
const LEAST_METADATA = 1000;

/** A file that the configuration names, beside it; `undefined` if it cannot be read. */
export function beside(source: Source, name: string): string | undefined {
  try {
    return readFileSync(resolve(dirname(source.file), name), 'utf8');
  } catch {
    return undefined;
  }
}

/** What stands in PEM, or in the file of this name. */
export function pemOf(source: Source, given: string): string | undefined {
  return given.includes('-----BEGIN') ? given : beside(source, given.trim());
}

/** What a schema cannot say, or says badly: rules between keys, between names, and between the file and its folder. */
export function ruleProblems(source: Source, now: Date): Problem[] {
  const data: Data = source.data;
  if (!isMap(data)) return [];
  return [
    ...placeholders(source, data, []),
    ...ways(source, data),
    ...saml(source, data, now),
    ...cognito(source, data),
    ...domains(source, data),
    ...network(source, data),
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

/** At least one way in, and one meaning of `/login`. */
function ways(source: Source, data: Data): Problem[] {
  const problems: Problem[] = [];
  if (!('saml' in data) && !('cognito' in data)) {
    problems.push(source.problem([], 'neither `saml` nor `cognito` is there, so nobody could enter: give one of them'));
  }
  if ('cognito' in data && data.saml?.signOnUrl !== undefined) {
    problems.push(
      source.problem(
        ['saml', 'signOnUrl'],
        "`saml.signOnUrl` and `cognito` both begin a sign-in at `/login`: take one of them out; with `cognito`, SAML's sign-in begins at the identity provider (`saml.startedAtIdp: true`)",
      ),
    );
  }
  if (isMap(data.saml) && 'cognito' in data) problems.push(...twoNamespaces(source, data));
  return problems;
}

/** Two issuers may call two people by one name; and what one of them gives a profile, the other would find there. */
function twoNamespaces(source: Source, data: Data): Problem[] {
  const problems: Problem[] = [];
  if (data.saml.verify === 'aws') {
    problems.push(
      source.problem(
        ['cognito'],
        '`cognito` beside `saml.verify: aws`: the session of AWS opens whatever profile has its name in the tag `studiouserid`, and the pool would make such profiles too; take one of them out',
      ),
    );
  } else if (data.profile?.form !== 'hashed') {
    problems.push(
      source.problem(
        ['cognito'],
        'both `saml` and `cognito` say who people are, and who has the same name in both would be the same person: set `profile.form: hashed`',
      ),
    );
  }
  for (const [index, domain] of list(data.domains)) {
    if (isMap(domain) && 'executionRoles' in domain && !('defaultExecutionRole' in domain)) {
      problems.push(
        source.problem(
          ['domains', index, 'executionRoles'],
          `\`domains[${index}].executionRoles\` is chosen from by SAML's claim, and people of \`cognito\` have none, so a profile would keep the role of another sign-in: give \`defaultExecutionRole\` too`,
        ),
      );
    }
  }
  return problems;
}

function saml(source: Source, data: Data, now: Date): Problem[] {
  const given = data.saml;
  if (!isMap(given)) return [];
  const problems: Problem[] = [];
  const say = (path: Path, message: string) => problems.push(source.problem(['saml', ...path], message));
  if (given.verify === 'here') {
    for (const key of ONLY_AWS.filter((key) => key in given)) {
      say([key], `\`saml.${key}\` is about \`verify: aws\`, and \`saml.verify\` is \`here\`: take it out`);
    }
    if (!('certificates' in given)) {
      say(
        [],
        "`saml.certificates` is missing: give the identity provider's signing certificates, PEM or files beside this one",
      );
    }
    if (!('claims' in given))
      say(
        [],
        '`saml.claims` is missing: give `profile` and, with several domains, `domain`, each `nameId` or `attribute: …`',
      );
    if (isMap(given.claims) && !('domain' in given.claims) && list(data.domains).length > 1) {
      say(
        ['claims'],
        '`saml.claims.domain` is missing, and there are several `domains`: give the claim that names one of them',
      );
    }
    if (given.startedAtIdp !== true && given.signOnUrl === undefined) {
      say(
        [],
        "no sign-in can begin: give `saml.signOnUrl`, the provider's address for sign-in, or `saml.startedAtIdp: true`, if its portal begins it",
      );
    }
    problems.push(...certificates(source, given, now));
  }
  if (given.verify === 'aws') {
    for (const key of ONLY_HERE.filter((key) => key in given)) {
      say(
        [key],
        `\`saml.${key}\` is about \`verify: here\`, and \`saml.verify\` is \`aws\`: take it out; IAM knows the provider by its metadata`,
      );
    }
    if ('provider' in given === 'metadata' in given) {
      say(
        [],
        '`saml` needs exactly one of `provider`, the ARN of one that exists, and `metadata`, a file to make one from',
      );
    }
    for (const [index, role] of list(given.roles)) {
      if (typeof role?.domain !== 'string' || names(data).includes(role.domain)) continue;
      say(['roles', index, 'domain'], unknownDomain(`saml.roles[${index}].domain`, role.domain, data));
    }
    problems.push(...metadata(source, ['saml', 'metadata'], given.metadata));
  }
  return problems;
}

function certificates(source: Source, given: Data, now: Date): Problem[] {
  return list(given.certificates).flatMap(([index, value]) => {
    if (typeof value !== 'string') return [];
    const path = ['saml', 'certificates', index];
    const text = pemOf(source, value);
    if (text === undefined) {
      return [
        source.problem(
          path,
          `\`${dotted(path)}\` is \`${value}\`, which is no file beside this one: give PEM, or a file that exists`,
        ),
      ];
    }
    return certificatesIn(text, now).problems.map((problem) =>
      source.problem(path, `\`${dotted(path)}\` holds ${problem}`),
    );
  });
}

function cognito(source: Source, data: Data): Problem[] {
  const given = data.cognito;
  if (!isMap(given)) return [];
  const problems: Problem[] = [];
  const domain = given.invite?.domain;
  if (typeof domain === 'string' && !names(data).includes(domain)) {
    problems.push(
      source.problem(['cognito', 'invite', 'domain'], unknownDomain('cognito.invite.domain', domain, data)),
    );
  }
  if ('customDomain' in given && 'domainPrefix' in given) {
    problems.push(
      source.problem(
        ['cognito', 'domainPrefix'],
        '`cognito.domainPrefix` and `cognito.customDomain` both name the hosted pages: take one of them out',
      ),
    );
  }
  if ('federation' in given && data.profile?.form !== 'hashed') {
    problems.push(
      source.problem(
        ['cognito', 'federation'],
        '`cognito.federation` gives people names such as `corporate_ann@example.com`, which no profile can have: set `profile.form: hashed`',
      ),
    );
  }
  problems.push(...metadata(source, ['cognito', 'federation', 'metadata'], given.federation?.metadata));
  return problems;
}

/** The metadata of an identity provider: read here, so that a wrong file is found before anything is deployed. */
function metadata(source: Source, path: Path, name: unknown): Problem[] {
  if (typeof name !== 'string') return [];
  const text = beside(source, name);
  const where = `\`${dotted(path)}\` is \`${name}\``;
  if (text === undefined)
    return [source.problem(path, `${where}, which is no file beside this one: give a file that exists`)];
  if (!/<([\w-]+:)?EntityDescriptor[\s>]/.test(text) || !/<([\w-]+:)?IDPSSODescriptor[\s>]/.test(text)) {
    return [
      source.problem(
        path,
        `${where}, which describes no identity provider: give SAML 2.0 metadata with an \`IDPSSODescriptor\``,
      ),
    ];
  }
  if (/<!DOCTYPE|<!ENTITY/i.test(text)) {
    return [source.problem(path, `${where}, which has a document type: metadata needs none, export it again`)];
  }
  if (text.length < LEAST_METADATA) {
    return [
      source.problem(
        path,
        `${where}, which has ${text.length} characters: IAM takes no less than ${LEAST_METADATA}, so something is missing in it`,
      ),
    ];
  }
  return [];
}

function domains(source: Source, data: Data): Problem[] {
  const problems: Problem[] = [];
  const once = (key: string, valueOf: (domain: Data) => unknown, what: string) => {
    const seen = new Map<unknown, number>();
    for (const [index, domain] of list(data.domains)) {
      const value = isMap(domain) ? valueOf(domain) : undefined;
      if (value === undefined) continue;
      const earlier = seen.get(value);
      if (earlier === undefined) seen.set(value, index);
      else {
        problems.push(
          source.problem(
            ['domains', index, key],
            `\`domains[${index}].${key}\` is \`${String(value)}\`, as is that of \`domains[${earlier}]\`: ${what}`,
          ),
        );
      }
    }
  };
  once('name', ({ name }) => name, 'name each domain once');
  once('id', ({ id }) => id, 'two names are not one domain');
  if ('cognito' in data) once('group', ({ group, name }) => group ?? name, 'a group has one domain, give each its own');
  const roleClaim = isMap(data.saml) && data.saml.claims?.role !== undefined;
  for (const [index, domain] of list(data.domains)) {
    const roles = isMap(domain) && isMap(domain.executionRoles) ? Object.keys(domain.executionRoles) : [];
    if (roles.length > 0 && !roleClaim) {
      problems.push(
        source.problem(
          ['domains', index, 'executionRoles'],
          `\`domains[${index}].executionRoles\` is chosen from by the claim \`saml.claims.role\`, which is not there: give it, or \`defaultExecutionRole\` instead`,
        ),
      );
    }
  }
  return problems;
}

function network(source: Source, data: Data): Problem[] {
  const problems: Problem[] = [];
  const given = isMap(data.vpcEndpoints) ? data.vpcEndpoints : {};
  if (data.network === 'regional' && 'executeApi' in given) {
    problems.push(
      source.problem(
        ['vpcEndpoints', 'executeApi'],
        '`vpcEndpoints.executeApi` is about a private API, and `network` is `regional`: take one of them out',
      ),
    );
  }
  if (data.defaultEndpoint === false && data.url === undefined) {
    problems.push(
      source.problem(
        ['defaultEndpoint'],
        '`defaultEndpoint` is `false`, and there is no `url`, so the API would have no address: give `url`, a domain of yours that is mapped to the stage',
      ),
    );
  }
  return problems;
}

function unknownDomain(path: string, name: string, data: Data): string {
  return `\`${path}\` is \`${name}\`, which is none of \`domains\`: give one of ${names(data)
    .map((known) => `\`${known}\``)
    .join(', ')}`;
}

function names(data: Data): string[] {
  return list(data.domains).flatMap(([, domain]) => (typeof domain?.name === 'string' ? [domain.name] : []));
}

function isMap(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function list(value: unknown): [number, Data][] {
  return Array.isArray(value) ? value.map((item, index) => [index, item]) : [];
}
