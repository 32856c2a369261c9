import type { Access, Claim } from './access';

/**
 * `access.json`, version 1: what the functions `studio-access` and `studio-sign-in` read beside their binary, and parse into
 * types that hold no wrong value (`access::config` in Rust).
 *
 * Values are as the file has them: `{{partition}}`, `{{region}}`, `{{account}}` are replaced, and a value that is wholly
 * `ssm:/path` is looked up in `TIDEGATE_ACCESS_PARAMETERS`, by the function. A field that goes or changes its meaning makes
 * a new version.
 */
export interface AccessDocument {
  readonly version: 1;
  /** Null: `TIDEGATE_ACCESS_URL`. */
  readonly url: string | null;
  readonly urlSeconds: number;
  readonly sessionSeconds: number;
  readonly landings: Readonly<Record<string, string>>;
  readonly saml: SamlHereDocument | SamlByAwsDocument | null;
  readonly cognito: { readonly signInUrl: string | null; readonly federated: boolean } | null;
  readonly profile: { readonly form: 'exact' | 'hashed'; readonly removeSuffix: string | null };
  readonly domains: readonly {
    readonly name: string;
    readonly id: string | null;
    readonly group: string;
    readonly executionRoles: Readonly<Record<string, string>>;
    readonly defaultExecutionRole: string | null;
    readonly securityGroups: readonly string[];
    readonly lifecycleConfigs: Readonly<Record<string, string>>;
    readonly tags: Readonly<Record<string, string>>;
  }[];
}

interface SamlHereDocument {
  readonly verify: 'here';
  readonly issuer: string;
  readonly signOnUrl: string | null;
  readonly audience: string | null;
  readonly certificates: readonly string[];
  readonly startedAtIdp: boolean;
  readonly skewSeconds: number;
  readonly claims: { readonly profile: Claim; readonly domain: Claim | null; readonly role: Claim | null };
}

interface SamlByAwsDocument {
  readonly verify: 'aws';
  readonly issuer: string;
  readonly audience: string;
  readonly recipient: string;
  readonly provider: string;
  readonly skewSeconds: number;
  readonly roles: readonly { readonly arn: string; readonly domain: string }[];
}

/** What the stack makes for the way that AWS verifies, as texts that need no deployment. */
export interface MadeForAws {
  readonly provider: string;
  readonly roles: readonly { readonly arn: string; readonly domain: string }[];
}

/** The checked file in the shape for the functions. */
export function normalise(access: Access, aws?: MadeForAws): AccessDocument {
  return {
    version: 1,
    url: access.url ?? null,
    urlSeconds: access.urlSeconds,
    sessionSeconds: access.sessionSeconds,
    landings: sorted(access.landings),
    saml: saml(access, aws),
    cognito: access.cognito
      ? { signInUrl: access.cognito.signInUrl ?? null, federated: access.cognito.federation !== undefined }
      : null,
    profile: { form: access.profile.form, removeSuffix: access.profile.removeSuffix ?? null },
    domains: access.domains.map((domain) => ({
      name: domain.name,
      id: domain.id ?? null,
      group: domain.group,
      executionRoles: sorted(domain.executionRoles),
      defaultExecutionRole: domain.defaultExecutionRole ?? null,
      securityGroups: domain.securityGroups,
      lifecycleConfigs: sorted(domain.lifecycleConfigs as Record<string, string>),
      tags: sorted(domain.tags),
    })),
  };
}

function saml(access: Access, aws?: MadeForAws): AccessDocument['saml'] {
  const given = access.saml;
  if (given === undefined) return null;
  if (given.verify === 'aws') {
    const { issuer, audience, recipient, skewSeconds } = given;
    if (aws === undefined) throw new Error('no provider and no roles were made for `saml.verify: aws`');
    return { verify: 'aws', issuer, audience, recipient, provider: aws.provider, skewSeconds, roles: aws.roles };
  }
  return {
    verify: 'here',
    issuer: given.issuer,
    signOnUrl: given.signOnUrl ?? null,
    audience: given.audience ?? null,
    certificates: given.certificates,
    startedAtIdp: given.startedAtIdp,
    skewSeconds: given.skewSeconds,
    claims: {
      profile: given.claims.profile,
      domain: given.claims.domain ?? null,
      role: given.claims.role ?? null,
    },
  };
}

/** The same file in another order is the same document. */
function sorted<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The parameters that the document refers to, by their paths as they stand in it. */
export function parametersIn(document: AccessDocument): string[] {
  const found = new Set<string>();
  const look = (value: unknown): void => {
    if (typeof value === 'string') {
      if (value.startsWith('ssm:')) found.add(value.slice('ssm:'.length));
    } else if (typeof value === 'object' && value !== null) Object.values(value).forEach(look);
  };
  look(document);
  return [...found].sort();
}
