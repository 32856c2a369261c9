/**
 * What is approved: the parameters of the guardrails. A guardrail whose parameter is absent is not made.
 *
 * Where a text may hold `*` and `?`, they match as in IAM.
 */
export interface Approved {
  readonly instanceTypes: {
    /** For apps, spaces and notebook instances; `*` allowed. Holds `system`, or nobody opens Studio. */
    readonly notebooks?: readonly string[];
    /** For training, processing, transform, tuning and monitoring; `*` allowed. */
    readonly jobs?: readonly string[];
    /** For endpoints; `*` allowed. */
    readonly endpoints?: readonly string[];
  };
  /** ARNs of images that apps may run, AWS's own among them; `*` allowed. */
  readonly images?: readonly string[];
  /** How Studio may be opened. */
  readonly access: {
    /**
     * Interface endpoints (`vpce-…`): those of the SageMaker API and those of Studio, which have ids of their own. The
     * policies decide about opening Studio, and then about every request and frame through the endpoint of Studio
     * (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreatePresignedDomainUrl.html).
     */
    readonly vpcEndpoints?: readonly string[];
    /** VPCs (`vpc-…`) with such endpoints. */
    readonly vpcs?: readonly string[];
    readonly ranges?: AddressRanges;
    readonly vpcAddresses?: VpcAddresses;
    /**
     * ARNs of the roles that open Studio for somebody: of the sign-in's function, and of domains' applications; `*`
     * allowed. Without an identity tag, `own-profile` leaves them to what their own policies allow.
     */
    readonly openers?: readonly string[];
  };
  readonly network: {
    /** The only subnets for domains, jobs and notebook instances; absent: any that are named. */
    readonly subnets?: readonly string[];
    /** The only security groups for jobs, models and notebook instances; absent: any that are named. */
    readonly securityGroups?: readonly string[];
    /**
     * The only security groups for domains and user profiles; absent: any that are named. A stack that makes a group
     * and the domain together cannot name a group that is approved already.
     */
    readonly studioSecurityGroups?: readonly string[];
  };
  /** The tag of a user profile, and of a federated principal, that says whose it is. */
  readonly identityTag: string;
  /** The tag of principals, and of all that a domain holds, whose value is the domain's name. */
  readonly domainTag?: string;
  /** ARNs of the roles that work for every domain and carry no such tag; `*` allowed. */
  readonly domainAdministrators: readonly string[];
  readonly requiredTags: {
    /** On user profiles, besides the identity tag. */
    readonly profiles: readonly string[];
    /** On training, processing, transform, tuning and AutoML jobs. */
    readonly jobs: readonly string[];
  };
  /** ARNs of the roles that maintain images, who may write AppImageConfigs where a policy binds everybody; `*` allowed. */
  readonly imageAdministrators: readonly string[];
}

/** Where requests through VPC endpoints may come from. */
export interface VpcAddresses {
  /** CIDR blocks, of the functions that ask for URLs and of the browsers that open them. */
  readonly ranges: readonly string[];
  /** The VPCs (`vpc-…`) whose endpoints they come through. */
  readonly vpcs: readonly string[];
}

/** CIDR blocks that requests may come from. */
export interface AddressRanges {
  /** Of requests over the internet. */
  readonly public: readonly string[];
  /** Of requests through VPC endpoints. Private ranges are anybody's, hence `vpcs`. */
  readonly private: readonly string[];
  /** The VPCs in which the private ranges count. */
  readonly vpcs: readonly string[];
}
