/** A claim of a SAML assertion: the subject's name, or an attribute. */
export type Claim = { readonly nameId: true } | { readonly attribute: string };

/** SAML, checked by the function itself. */
export interface SamlHere {
  readonly verify: 'here';
  /** The identity provider's entity ID, exactly. */
  readonly issuer: string;
  /** Where people are sent to sign in; absent: only the identity provider's own portal begins a sign-in. */
  readonly signOnUrl?: string;
  /** Our entity ID; absent: the base URL. */
  readonly audience?: string;
  /** PEM, one certificate each, at least one. */
  readonly certificates: readonly string[];
  /** Whether a response that nobody asked for is accepted, as portals of identity providers send it. */
  readonly startedAtIdp: boolean;
  /** Seconds, 0 to 60. */
  readonly skewSeconds: number;
  /** Without `domain` everybody enters the only domain. */
  readonly claims: { readonly profile: Claim; readonly domain?: Claim; readonly role?: Claim };
}

/** SAML, verified by AWS: `sts:AssumeRoleWithSAML`. */
export interface SamlByAws {
  readonly verify: 'aws';
  readonly issuer: string;
  readonly audience: string;
  /** Where the assertion says that it is for: what IAM compares as `SAML:aud`. */
  readonly recipient: string;
  /** Seconds, 0 to 60. */
  readonly skewSeconds: number;
  /** The ARN of an identity provider in IAM that exists, or the metadata to make one from. */
  readonly provider: { readonly arn: string } | { readonly metadata: string };
  /** Roles that exist, each for a domain; empty: one is made for each. */
  readonly roles: readonly { readonly arn: string; readonly domain: string }[];
}

export interface Invitation {
  readonly name: string;
  readonly mail: string;
  /** The domain whose group the person is in. */
  readonly domain: string;
}

export interface Cognito {
  /** Another address of the hosted pages than the pool's own. */
  readonly signInUrl?: string;
  /** Before `.auth.<region>.amazoncognito.com`; absent: `<prefix>-<account>`. */
  readonly domainPrefix?: string;
  /** A custom domain of the hosted pages; `certificate` is the ARN of one in us-east-1. */
  readonly customDomain?: { readonly name: string; readonly certificate: string };
  readonly mfa: 'optional' | 'required';
  readonly invite?: Invitation;
  /** The pool takes people from a SAML identity provider. */
  readonly federation?: {
    readonly name: string;
    /** The provider's metadata, as XML. */
    readonly metadata: string;
    /** Of the pool's attributes, each from which of the assertion's. */
    readonly attributes: Readonly<Record<string, string>>;
  };
}

/** The applications that can have a lifecycle configuration of the profile's own. */
export const LIFECYCLE_APPS = ['JupyterLab', 'CodeEditor', 'JupyterServer', 'KernelGateway'] as const;

export interface AccessDomain {
  readonly name: string;
  /** `d-…` or `ssm:/path`; absent: found by its name. */
  readonly id?: string;
  /** The group of the user pool whose members enter. */
  readonly group: string;
  /** By the value of the claim `role`: ARNs, or `ssm:/path`. */
  readonly executionRoles: Readonly<Record<string, string>>;
  /** An ARN or `ssm:/path`; absent: the domain's own default. */
  readonly defaultExecutionRole?: string;
  readonly securityGroups: readonly string[];
  readonly lifecycleConfigs: Readonly<Partial<Record<(typeof LIFECYCLE_APPS)[number], string>>>;
  /** Of profiles that are made here, beside `studiouserid` and `DomainName`. */
  readonly tags: Readonly<Record<string, string>>;
  /** Its line in the file. */
  readonly line: number;
}

/**
 * The file `access`, checked. Texts may still hold `{{partition}}`, `{{region}}`, `{{account}}`, and where the schema says so
 * be `ssm:/path`.
 */
export interface Access {
  /** As it was named. */
  readonly file: string;
  /** Whether the API is reached through VPC endpoints only, or over the internet too. */
  readonly network: 'private' | 'regional';
  /** Endpoints that somebody else has made. */
  readonly vpcEndpoints: {
    readonly executeApi: readonly string[];
    readonly sagemaker: readonly string[];
    readonly studio: readonly string[];
    readonly sts: readonly string[];
  };
  readonly vpcs: readonly string[];
  /** IPv4 blocks that people come from; empty: any. */
  readonly addresses: readonly string[];
  /** The base URL that people see, without a slash at its end; absent: that of the stage. */
  readonly url?: string;
  /** Whether the API answers at the address that API Gateway gives it. */
  readonly defaultEndpoint: boolean;
  /** Whether the stack sets the role with which API Gateway writes the account's logs. */
  readonly setsLogRole: boolean;
  readonly webAcl?: string;
  readonly saml?: SamlHere | SamlByAws;
  readonly cognito?: Cognito;
  readonly profile: { readonly form: 'exact' | 'hashed'; readonly removeSuffix?: string };
  readonly landings: Readonly<Record<string, string>>;
  readonly urlSeconds: number;
  readonly sessionSeconds: number;
  readonly domains: readonly AccessDomain[];
  /** For people: whole lines. */
  readonly warnings: readonly string[];
}
