/** SageMaker's AppType, as far as a domain file configures it. */
export type AppType = 'JupyterServer' | 'JupyterLab' | 'CodeEditor' | 'KernelGateway' | 'RSessionGateway';

/** A role, by exactly one of its name, its ARN or its id. */
export interface RoleRef {
  /** The name in this account, with its path if it has one (`team/analyst`), without a leading slash. */
  readonly name?: string;
  readonly arn?: string;
  /** IAM's unique id, `AROA…`. */
  readonly id?: string;
}

/** Why a reviewer accepts a finding of cdk-nag at the rule that carries this. */
export interface Suppression {
  readonly id: string;
  readonly reason: string;
}

export interface Rule {
  readonly cidr?: string;
  readonly sgId?: string;
  readonly prefixList?: string;
  /** `tcp`, `udp`, `icmp`, `icmpv6`, a protocol's number, or `-1` and `all` for every protocol. */
  readonly protocol: string;
  /** The first port, 0 to 65535; -1 with a protocol that has none. */
  readonly port?: number;
  /** The last port; absent: `port`. */
  readonly toPort?: number;
  readonly description?: string;
  readonly suppressions?: readonly Suppression[];
}

export interface Rules {
  readonly ipv4?: readonly Rule[];
  readonly sg?: readonly Rule[];
  readonly prefixList?: readonly Rule[];
}

export interface ResourceSpec {
  readonly instanceType?: string;
  readonly sageMakerImageArn?: string;
  readonly sageMakerImageVersionArn?: string;
  readonly lifecycleConfigArn?: string;
}

export interface CustomImage {
  readonly appImageConfigName: string;
  readonly imageName: string;
  readonly imageVersionNumber?: number;
}

export interface IdleSettings {
  readonly lifecycleManagement?: 'ENABLED' | 'DISABLED';
  /** Minutes, as the two bounds between which a user may choose. */
  readonly idleTimeoutInMinutes?: number;
  readonly minIdleTimeoutInMinutes?: number;
  readonly maxIdleTimeoutInMinutes?: number;
}

/** The settings of one kind of application; which of them exist depends on the kind, as the schema says. */
export interface AppSettings {
  readonly appLifecycleManagement?: { readonly idleSettings?: IdleSettings };
  readonly builtInLifecycleConfigArn?: string;
  readonly codeRepositories?: readonly { readonly repositoryUrl: string }[];
  readonly customImages?: readonly CustomImage[];
  readonly defaultResourceSpec?: ResourceSpec;
  readonly lifecycleConfigArns?: readonly string[];
}

/** Sizes in GiB, 5 to 16384. */
export interface SpaceStorageSettings {
  readonly defaultEbsStorageSettings?: {
    readonly defaultEbsVolumeSizeInGb: number;
    readonly maximumEbsVolumeSizeInGb: number;
  };
}

/** The defaults of shared spaces. */
export interface SpaceSettings {
  readonly jupyterServerAppSettings?: AppSettings;
  readonly jupyterLabAppSettings?: AppSettings;
  readonly kernelGatewayAppSettings?: AppSettings;
  readonly securityGroups?: readonly string[];
  readonly spaceStorageSettings?: SpaceStorageSettings;
}

/** The defaults of users: those of spaces, and more. */
export interface UserSettings extends SpaceSettings {
  readonly codeEditorAppSettings?: AppSettings;
  readonly rSessionAppSettings?: AppSettings;
  readonly rStudioServerProAppSettings?: { readonly accessStatus?: string; readonly userGroup?: string };
  readonly sharingSettings?: {
    readonly notebookOutputOption?: 'Allowed' | 'Disabled';
    readonly s3KmsKeyId?: string;
    readonly s3OutputPath?: string;
  };
  readonly defaultLandingUri?: string;
  readonly studioWebPortal?: 'ENABLED' | 'DISABLED';
  readonly studioWebPortalSettings?: {
    readonly hiddenAppTypes?: readonly string[];
    readonly hiddenInstanceTypes?: readonly string[];
    readonly hiddenMlTools?: readonly string[];
  };
}

/** The applications that can have a lifecycle script, by their keys in the file. */
export const SCRIPT_APPS = {
  jupyter: 'JupyterServer',
  jupyterLab: 'JupyterLab',
  codeEditor: 'CodeEditor',
  kernel: 'KernelGateway',
} as const satisfies Record<string, AppType>;

export type ScriptKey = keyof typeof SCRIPT_APPS;

export interface Asset {
  readonly name: string;
  /** Absolute; a file or a folder that exists. */
  readonly sourcePath: string;
  readonly exclude: readonly string[];
}

export interface LifecycleScript {
  readonly key: ScriptKey;
  readonly assets: readonly Asset[];
  readonly cmds: readonly string[];
}

export interface Profile {
  /** SageMaker's UserProfileName. */
  readonly name: string;
  /** As in the file: session name (IAM) or user name in Identity Center (SSO). */
  readonly key: string;
  readonly userRole?: RoleRef;
  readonly line: number;
}

export interface Backup {
  /** A schedule of AWS Backup: `cron(…)`, in UTC. */
  readonly schedule: string;
  /** Days, 1 to 36500. */
  readonly retentionDays: number;
}

/** What goes with the domain's stack, beside what CloudFormation has made: applications, spaces and profiles always. */
export interface Departure {
  /** The home folders, on their file system, and what leads to them. */
  readonly homes: 'keep' | 'delete';
  /** Whether they are backed up before; never, where they stay. */
  readonly finalBackup: boolean;
}

/**
 * One domain file, checked. Texts may still hold `{{partition}}`, `{{region}}`, `{{account}}`, and where the schema says
 * so be `ssm:/path`: the stack turns both into what CloudFormation resolves.
 */
export interface Domain {
  /** SageMaker's DomainName, at most 63 letters, digits and hyphens. */
  readonly name: string;
  /** As it was named. */
  readonly file: string;
  readonly authMode: 'IAM' | 'SSO';
  readonly vpcId: string;
  /** At least one; a single `ssm:/path` given as a text is a parameter that holds the whole list, see `subnetList`. */
  readonly subnetIds: readonly string[];
  /** True: `subnetIds` has one entry, the path of a parameter of type StringList. */
  readonly subnetList: boolean;
  readonly kmsKeyArn?: string;
  readonly securityGroupId?: string;
  readonly securityGroupIngress: Rules;
  readonly securityGroupEgress: Rules;
  readonly securityGroupPerProfile: boolean;
  readonly defaultExecutionRole?: RoleRef;
  readonly dataAdminRoles: readonly RoleRef[];
  readonly domainBucketName?: string;
  readonly assetDeploymentRole?: RoleRef;
  /** MB, 128 to 10240. */
  readonly assetDeploymentMemoryLimitMB: number;
  /** Without slashes at its ends. */
  readonly assetPrefix: string;
  /** Without slashes at its ends. */
  readonly notebookSharingPrefix: string;
  readonly profiles: readonly Profile[];
  readonly defaultUserSettings: UserSettings;
  readonly defaultSpaceSettings?: SpaceSettings;
  readonly scripts: readonly LifecycleScript[];
  /** Name a user's profile as the source identity of what the user's applications do. */
  readonly sourceIdentity: boolean;
  readonly backup?: Backup;
  /** Absent: nothing goes with the stack but what CloudFormation has made. */
  readonly departure?: Departure;
  readonly tags: Readonly<Record<string, string>>;
  readonly allowReplacement: boolean;
  /** For people: whole lines. */
  readonly warnings: readonly string[];
}
