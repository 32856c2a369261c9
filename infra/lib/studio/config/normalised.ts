import type { AppType, Domain, RoleRef } from './domain';

/**
 * What `bin/studio-domain.ts FILE...` prints on stdout, as one JSON document.
 *
 * Values are as the file has them: `ssm:/path` and `{{partition}}`, `{{region}}`, `{{account}}` are not resolved, because
 * reading a file asks AWS nothing. Who compares with what is deployed resolves them first (`ssm:` by GetParameter).
 * A field may be added under the same version; one that goes or changes its meaning makes a new version.
 */
export interface NormalisedDocument {
  readonly version: 1;
  readonly domains: readonly NormalisedDomain[];
}

/** One domain, checked: no field holds a value that the parser would refuse. */
export interface NormalisedDomain {
  /** SageMaker's DomainName: `domain.name`, else the file's name without its ending. */
  readonly name: string;
  /** The file, as it was named on the command line. */
  readonly file: string;
  readonly authMode: 'IAM' | 'SSO';
  /** `vpc-…` or `ssm:/path`. */
  readonly vpcId: string;
  /** Each `subnet-…` or `ssm:/path`; one entry that is `ssm:/path` may stand for a parameter that holds a list. */
  readonly subnetIds: readonly string[];
  /** The key of the file; null: the stack makes a key of the domain's own. */
  readonly kmsKeyArn: string | null;
  /** True: the file says that settings which cannot be changed in place may replace the domain. */
  readonly allowReplacement: boolean;
  /** In the order of the file. */
  readonly profiles: readonly NormalisedProfile[];
  /** The applications that a user of the domain can start, in a fixed order. */
  readonly apps: readonly NormalisedApp[];
  /** Every setting of the domain that cannot be changed later. */
  readonly immutable: readonly ImmutableSetting[];
  /** What the file says and has no effect, or has another than a reader may think. Whole lines, with file and line. */
  readonly warnings: readonly string[];
}

export interface NormalisedProfile {
  /** SageMaker's UserProfileName: the key with everything but letters, digits and hyphens replaced. */
  readonly name: string;
  /** The key in `userProfiles`: a session name (IAM) or the user name of Identity Center (SSO). */
  readonly key: string;
  /** With IAM always there, with SSO null unless the file gives one. */
  readonly userRole: RoleRef | null;
  /** The line of the key in the file, from 1. */
  readonly line: number;
}

export interface NormalisedApp {
  /** SageMaker's AppType. */
  readonly type: AppType;
  /** The instance type that an app starts on by default; null: the file gives none, SageMaker chooses. */
  readonly defaultInstanceType: string | null;
}

export interface ImmutableSetting {
  /** The property of AWS::SageMaker::Domain: `AuthMode`, `DomainName`, `KmsKeyId`, `VpcId`. */
  readonly setting: string;
  /** The key in the file, from its top: `domain.authMode`. */
  readonly key: string;
  /** The value of the file; null: not given. A `KmsKeyId` of null is the key that the stack makes. */
  readonly value: string | null;
}

/** The order in which applications are listed. */
const APPS: readonly (readonly [AppType, string])[] = [
  ['JupyterLab', 'jupyterLabAppSettings'],
  ['CodeEditor', 'codeEditorAppSettings'],
  ['JupyterServer', 'jupyterServerAppSettings'],
  ['KernelGateway', 'kernelGatewayAppSettings'],
  ['RSessionGateway', 'rSessionAppSettings'],
];

/** The parsed domain in the shape for other programs. */
export function normalise(domain: Domain): NormalisedDomain {
  return {
    name: domain.name,
    file: domain.file,
    authMode: domain.authMode,
    vpcId: domain.vpcId,
    subnetIds: domain.subnetIds,
    kmsKeyArn: domain.kmsKeyArn ?? null,
    allowReplacement: domain.allowReplacement,
    profiles: domain.profiles.map(({ name, key, userRole, line }) => ({ name, key, userRole: userRole ?? null, line })),
    apps: apps(domain),
    immutable: immutableSettings(domain),
    warnings: domain.warnings,
  };
}

/** RSession runs only where RStudio does; the others are open in every domain. */
function apps(domain: Domain): NormalisedApp[] {
  const settings = domain.defaultUserSettings as Record<string, { defaultResourceSpec?: { instanceType?: string } }>;
  return APPS.filter(([type, key]) => type !== 'RSessionGateway' || settings[key] !== undefined).map(([type, key]) => ({
    type,
    defaultInstanceType: settings[key]?.defaultResourceSpec?.instanceType ?? null,
  }));
}

/**
 * What the file says about each property of AWS::SageMaker::Domain that cannot be changed later: those under
 * `createOnlyProperties` of its provider schema, as far as a file can say them, and the VPC, which UpdateDomain takes only
 * for a domain that has none. Subnets and tags can be changed.
 */
export function immutableSettings(domain: Domain): ImmutableSetting[] {
  return [
    { setting: 'AuthMode', key: 'domain.authMode', value: domain.authMode },
    { setting: 'DomainName', key: 'domain.name', value: domain.name },
    { setting: 'KmsKeyId', key: 'domain.kmsKeyArn', value: domain.kmsKeyArn ?? null },
    { setting: 'VpcId', key: 'domain.vpcId', value: domain.vpcId },
  ];
}
