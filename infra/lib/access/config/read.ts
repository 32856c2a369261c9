import { Structure } from '../../shared/yaml/structure';
import { Source, line } from '../../shared/yaml/source';
import type { Path, Problem } from '../../shared/yaml/source';
import type { Access, AccessDomain, Claim, Cognito, SamlByAws, SamlHere } from './access';
import { anyValid, certificatesIn } from './certificates';
import { beside, pemOf, ruleProblems } from './rules';
import { SCHEMA } from './schema';

/** Where AWS's own sign-in takes assertions, and its entity ID. */
const AWS_SIGN_IN = 'https://signin.aws.amazon.com/saml';

const STRUCTURE = new Structure(SCHEMA);

/** Whether the published schema accepts this data; ajv's own answer, for comparison. */
export function accepts(data: unknown): boolean {
  return STRUCTURE.accepts(data);
}

/** What is wrong with the file `access`: every problem, a line each. */
export class AccessFileError extends Error {
  constructor(readonly problems: readonly Problem[]) {
    super(problems.map(line).join('\n'));
    this.name = 'AccessFileError';
  }
}

/** Reads and checks the file. `now` is what certificates are held against. Throws `AccessFileError`. */
export function readAccess(file: string, now = new Date()): Access {
  const source = open(file);
  const problems = check(source, now);
  if (problems.length > 0) throw new AccessFileError(problems);
  return toAccess(source, now);
}

function open(file: string): Source {
  try {
    return Source.read(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const message = `cannot be read (${code ?? String(error)}): give a YAML file that exists`;
    throw new AccessFileError([{ file, line: 1, message }]);
  }
}

/** Every problem, in the order of the file's lines. */
export function check(source: Source, now: Date): Problem[] {
  if (source.problems.length > 0) return [...source.problems];
  const problems = [...STRUCTURE.problems(source), ...ruleProblems(source, now)];
  const unique = new Map(problems.map((problem) => [line(problem), problem]));
  return [...unique.values()].sort((a, b) => a.line - b.line);
}

/** Checked data. */
function toAccess(source: Source, now: Date): Access {
  const data = source.data as any;
  const warnings: string[] = [];
  const warn = (path: Path, message: string) => warnings.push(line(source.problem(path, message)));
  const regional = data.network === 'regional';
  // An address of the API by way of an endpoint is API Gateway's own, too.
  const ownUrl = /^https:/.test(data.url ?? '') && !/\.execute-api\.[a-z0-9-]+\.amazonaws\./.test(data.url);
  return {
    file: source.file,
    network: regional ? 'regional' : 'private',
    vpcEndpoints: {
      executeApi: data.vpcEndpoints?.executeApi ?? [],
      sagemaker: data.vpcEndpoints?.sagemaker ?? [],
      studio: data.vpcEndpoints?.studio ?? [],
      sts: data.vpcEndpoints?.sts ?? [],
    },
    vpcs: data.vpcs ?? [],
    addresses: data.addresses ?? [],
    url: data.url,
    defaultEndpoint: data.defaultEndpoint ?? !ownUrl,
    setsLogRole: data.accountLogRole !== 'present',
    webAcl: data.webAcl,
    saml: data.saml && (data.saml.verify === 'aws' ? byAws(source, data.saml) : here(source, data.saml, now, warn)),
    ...('cognito' in data && { cognito: cognito(source, data.cognito ?? {}) }),
    profile: { form: data.profile?.form ?? 'exact', removeSuffix: data.profile?.removeSuffix },
    landings: data.landings ?? {},
    urlSeconds: data.urlSeconds ?? 20,
    sessionSeconds: (data.sessionMinutes ?? 480) * 60,
    domains: data.domains.map((domain: any, index: number): AccessDomain => ({
      name: domain.name,
      id: domain.id,
      group: domain.group ?? domain.name,
      executionRoles: Object.fromEntries(
        Object.entries(domain.executionRoles ?? {}).map(([value, role]) => [value, roleArn(role as string)]),
      ),
      ...(domain.defaultExecutionRole !== undefined && { defaultExecutionRole: roleArn(domain.defaultExecutionRole) }),
      securityGroups: domain.securityGroups ?? [],
      lifecycleConfigs: domain.lifecycleConfigs ?? {},
      tags: domain.tags ?? {},
      line: source.line(['domains', index]),
    })),
    warnings,
  };
}

/** A role's name in this account as its ARN; what is an ARN, or a parameter that holds one, stays. */
function roleArn(role: string): string {
  return /^(arn:|ssm:)/.test(role) ? role : `arn:{{partition}}:iam::{{account}}:role/${role}`;
}

function here(source: Source, data: any, now: Date, warn: (path: Path, message: string) => void): SamlHere {
  const certificates: string[] = data.certificates.flatMap((given: string, index: number) => {
    const found = certificatesIn(pemOf(source, given) ?? '', now);
    const path = ['saml', 'certificates', index];
    for (const warning of found.warnings) warn(path, `\`saml.certificates[${index}]\` holds ${warning}`);
    return found.pem;
  });
  if (!anyValid(certificates, now)) {
    warn(
      ['saml', 'certificates'],
      'no certificate of `saml.certificates` is valid today, so nobody can enter: give one that is',
    );
  }
  const claim = (given: any): Claim => (given === 'nameId' ? { nameId: true } : { attribute: given.attribute });
  const { profile, domain, role } = data.claims;
  return {
    verify: 'here',
    issuer: data.issuer,
    signOnUrl: data.signOnUrl,
    audience: data.audience,
    certificates: [...new Set(certificates)],
    startedAtIdp: data.startedAtIdp ?? false,
    skewSeconds: data.skewSeconds ?? 60,
    claims: {
      profile: claim(profile),
      ...(domain !== undefined && { domain: claim(domain) }),
      ...(role !== undefined && { role: claim(role) }),
    },
  };
}

function byAws(source: Source, data: any): SamlByAws {
  return {
    verify: 'aws',
    issuer: data.issuer,
    audience: data.audience ?? AWS_SIGN_IN,
    recipient: data.recipient ?? AWS_SIGN_IN,
    skewSeconds: data.skewSeconds ?? 60,
    provider: data.provider !== undefined ? { arn: data.provider } : { metadata: beside(source, data.metadata) ?? '' },
    roles: data.roles ?? [],
  };
}

function cognito(source: Source, data: any): Cognito {
  const { federation } = data;
  return {
    signInUrl: data.signInUrl,
    domainPrefix: data.domainPrefix,
    customDomain: data.customDomain,
    mfa: data.mfa ?? 'required',
    invite: data.invite,
    ...(federation !== undefined && {
      federation: {
        name: federation.name,
        metadata: beside(source, federation.metadata) ?? '',
        attributes: federation.attributes ?? {},
      },
    }),
  };
}
