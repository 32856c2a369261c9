import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { AddressRanges, Approved, VpcAddresses } from '../library/approved';
import { CATALOGUE } from '../library/catalogue';
import * as forms from './forms';
import { type Value, YamlFile } from '../../shared/yaml/values';

/** A file of guardrails, read and checked. */
export interface Guardrails {
  readonly approved: Approved;
  /** Ids of guardrails that are not applied. */
  readonly omit: readonly string[];
  /** Where the guardrails bind as SCPs; absent: nowhere, only in the account. */
  readonly organization?: {
    /** The organisation's own id, `o-…`; absent: nothing is said about who from outside takes roles. */
    readonly id?: string;
    /** Ids of roots, organisational units, accounts. */
    readonly targets: readonly string[];
    /** ARNs of roles that the SCPs leave alone; `*` allowed. */
    readonly exempt: readonly string[];
  };
  /** A permissions boundary to offer; absent: none. */
  readonly boundary?: {
    /** Prefixes of the services that a role under the boundary may have anything to do with. */
    readonly services: readonly string[];
    /** Ids of the guardrails in it; empty: every one that is applied and binds everyone. */
    readonly guardrails: readonly string[];
  };
  /** The roles of people; absent: none are made. */
  readonly personas?: Personas;
  readonly budget?: Budget;
}

/** Who takes a role. */
export interface Trust {
  readonly saml?: { readonly provider: string; readonly audience: string };
  /** ARNs of principals who must have come with MFA; empty: none. */
  readonly principals: readonly string[];
}

/** ARNs may hold `{{partition}}`, `{{region}}` and `{{account}}`, for the stack's own. */
export interface Personas {
  /** Who takes the administrator's role. */
  readonly administrators: Trust;
  /** Who takes the data scientist's role. Nobody is named in both: who retags a profile is not to open it. */
  readonly scientists: Trust;
  /** ARNs of the roles that the administrator may give to domains, profiles and images. */
  readonly executionRoles: readonly string[];
  /** ARNs of the keys that the administrator may give to domains. */
  readonly keys: readonly string[];
}

export interface Budget {
  /** US dollars a month. */
  readonly monthly: number;
  readonly emails: readonly string[];
  /** ARN of a topic that AWS Budgets may publish to. */
  readonly topic?: string;
}

/** The audience of sign-ins to AWS (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html). */
const AWS_SIGN_IN = 'https://signin.aws.amazon.com/saml';

/** The guardrails that close Studio to whoever comes over the internet, by their keys. */
const IN_VPC = {
  vpcEndpoints: 'studio-via-vpc-endpoints',
  vpcs: 'studio-via-vpcs',
  vpcAddresses: 'studio-from-vpc-addresses',
} as const;

/** @throws Error with every problem of the file, a line each: `file:line: what is wrong and what is accepted`. */
export function readGuardrails(file: string): Guardrails {
  return parseGuardrails(relative(process.cwd(), file) || file, readFileSync(file, 'utf8'));
}

/** @param name how errors call the file. */
export function parseGuardrails(name: string, text: string): Guardrails {
  const file = new YamlFile(name, text);
  const top = file
    .root()
    .map([
      'instanceTypes',
      'images',
      'access',
      'network',
      'identityTag',
      'domainTag',
      'domainAdministrators',
      'requiredTags',
      'imageAdministrators',
      'omit',
      'organization',
      'boundary',
      'personas',
      'budget',
    ]);
  const types = top.instanceTypes?.map(['notebooks', 'jobs', 'endpoints']) ?? {};
  const access = top.access?.map(['vpcEndpoints', 'vpcs', 'ranges', 'vpcAddresses', 'openers']) ?? {};
  const network = top.network?.map(['subnets', 'securityGroups', 'studioSecurityGroups']) ?? {};
  const tags = top.requiredTags?.map(['profiles', 'jobs']) ?? {};
  const identityTag = top.identityTag?.text(forms.TAG_KEY.form, forms.TAG_KEY.one) ?? 'studiouserid';
  const approved: Approved = {
    instanceTypes: {
      notebooks: texts(types.notebooks, forms.INSTANCE_TYPE),
      jobs: texts(types.jobs, forms.INSTANCE_TYPE),
      endpoints: texts(types.endpoints, forms.INSTANCE_TYPE),
    },
    images: texts(top.images, forms.IMAGE),
    access: {
      vpcEndpoints: texts(access.vpcEndpoints, forms.VPC_ENDPOINT),
      vpcs: texts(access.vpcs, forms.VPC),
      ranges: ranges(access.ranges),
      vpcAddresses: vpcAddresses(access.vpcAddresses),
      openers: texts(access.openers, forms.ROLE_PATTERN),
    },
    network: {
      subnets: texts(network.subnets, forms.SUBNET),
      securityGroups: texts(network.securityGroups, forms.SECURITY_GROUP),
      studioSecurityGroups: texts(network.studioSecurityGroups, forms.SECURITY_GROUP),
    },
    identityTag,
    domainTag: top.domainTag?.text(forms.TAG_KEY.form, forms.TAG_KEY.one),
    domainAdministrators: texts(top.domainAdministrators, forms.ROLE_PATTERN) ?? [],
    requiredTags: {
      profiles: (texts(tags.profiles, forms.TAG_KEY) ?? []).filter((key) => key !== identityTag),
      jobs: texts(tags.jobs, forms.TAG_KEY) ?? [],
    },
    imageAdministrators: texts(top.imageAdministrators, forms.ROLE_PATTERN) ?? [],
  };
  const omit = ids(top.omit);
  // A request over the internet has no VPC, one through an endpoint no public address: together nobody gets in.
  const inVpc = (['vpcEndpoints', 'vpcs', 'vpcAddresses'] as const).find(
    (key) => access[key] !== undefined && !omit.includes(IN_VPC[key]),
  );
  if (access.ranges && approved.access.ranges?.public.length && inVpc && !omit.includes('studio-from-ip-ranges')) {
    access.ranges.refuse(
      `\`access.${inVpc}\` closes Studio to these addresses: \`omit\` one of the guardrails, or remove a key`,
    );
  }
  if (top.domainAdministrators && !top.domainTag)
    top.domainAdministrators.refuse('give `domainTag` too: the tag of domains that these are not bound by');
  const organization = top.organization?.map(['id', 'targets', 'exempt']);
  const boundary = top.boundary?.map(['services', 'guardrails']);
  if (top.organization && !organization?.targets) top.organization.refuse(`give \`targets\`, ${forms.TARGET.many}`);
  if (organization?.id && !top.domainTag)
    organization.id.refuse('give `domainTag` too: the tag by which the roles of domains are known');
  if (top.boundary && !boundary?.services) top.boundary.refuse('give `services`, such as `[sagemaker, s3, logs]`');
  const read: Guardrails = {
    approved,
    omit,
    organization: organization && {
      id: organization.id?.text(forms.ORGANIZATION.form, forms.ORGANIZATION.one),
      targets: texts(organization.targets, forms.TARGET) ?? [],
      exempt: texts(organization.exempt, forms.ROLE_PATTERN) ?? [],
    },
    boundary: boundary && {
      services: texts(boundary.services, forms.SERVICE) ?? [],
      guardrails: ids(boundary.guardrails),
    },
    personas: top.personas && personas(top.personas),
    budget: top.budget && budget(top.budget),
  };
  file.finish();
  return read;
}

function texts(value: Value | undefined, { form, one, many }: forms.Form): string[] | undefined {
  return value?.texts(form, one, many);
}

function ids(value: Value | undefined): string[] {
  const known = CATALOGUE.map(({ id }) => id);
  const accepted = `the id of a guardrail: ${known.map((id) => `\`${id}\``).join(', ')}`;
  return value?.texts(new RegExp(`^(${known.join('|')})$`), accepted, 'ids of guardrails') ?? [];
}

function ranges(value: Value | undefined): AddressRanges | undefined {
  if (value === undefined) return undefined;
  const keys = value.map(['public', 'private', 'vpcs']);
  if (!keys.public && !keys.private) value.refuse('give `public` or `private` addresses');
  if (keys.private && !keys.vpcs) keys.private.refuse('give `vpcs` too: private addresses are the same in every VPC');
  if (keys.vpcs && !keys.private) keys.vpcs.refuse('give `private` addresses in them');
  return {
    public: blocks(keys.public),
    private: blocks(keys.private),
    vpcs: texts(keys.vpcs, forms.VPC) ?? [],
  };
}

function vpcAddresses(value: Value | undefined): VpcAddresses | undefined {
  if (value === undefined) return undefined;
  const keys = value.map(['ranges', 'vpcs']);
  if (!keys.ranges || !keys.vpcs) value.refuse('give `ranges` and `vpcs`: private addresses are the same in every VPC');
  return { ranges: blocks(keys.ranges), vpcs: texts(keys.vpcs, forms.VPC) ?? [] };
}

function blocks(list: Value | undefined): string[] {
  return (list?.list(forms.CIDR.many) ?? []).map((one) => {
    const text = one.text(forms.CIDR.form, forms.CIDR.one);
    if (text !== '' && !forms.isCidr(text)) one.refuse(`give ${forms.CIDR.one}, and not everybody's`);
    return text;
  });
}

function personas(value: Value): Personas {
  const keys = value.map(['administrators', 'scientists', 'executionRoles', 'keys'], ['saml', 'principals']);
  // One trust for both roles would let the same people retag a profile and open it.
  for (const common of ['saml', 'principals'] as const) {
    const advice = `give \`${common}\` under \`administrators\` and under \`scientists\`: who takes which role`;
    keys[common]?.refuse(advice);
  }
  for (const role of ['administrators', 'scientists'] as const)
    if (!keys[role] && !keys.saml && !keys.principals)
      value.refuse(`give \`${role}\`, with \`saml\`, \`principals\` or both: who takes the role`);
  const administrators = trust(keys.administrators);
  if (!keys.executionRoles) value.refuse('give `executionRoles`: which roles the administrator may give to domains');
  return {
    administrators,
    scientists: trust(keys.scientists, administrators.principals),
    executionRoles: texts(keys.executionRoles, forms.ROLE) ?? [],
    keys: texts(keys.keys, forms.KEY) ?? [],
  };
}

/** @param others who takes the other role already. */
function trust(value: Value | undefined, others: readonly string[] = []): Trust {
  const keys = value?.map(['saml', 'principals']) ?? {};
  const saml = keys.saml?.map(['provider', 'audience']);
  if (value && !keys.saml && !keys.principals) value.refuse('give `saml`, `principals` or both: who takes the role');
  if (keys.saml && !saml?.provider) keys.saml.refuse(`give \`provider\`, ${forms.SAML_PROVIDER.one}`);
  const principals = texts(keys.principals, forms.PRINCIPAL) ?? [];
  const both = principals.filter((arn) => arn !== '' && others.includes(arn));
  if (both.length > 0) {
    const who = both.map((arn) => `\`${arn}\``).join(', ');
    keys.principals?.refuse(`name ${who} for one of the two roles: who has both opens any profile`);
  }
  return {
    saml: saml && {
      provider: saml.provider?.text(forms.SAML_PROVIDER.form, forms.SAML_PROVIDER.one) ?? '',
      audience: saml.audience?.text(forms.HTTPS.form, forms.HTTPS.one) ?? AWS_SIGN_IN,
    },
    principals,
  };
}

function budget(value: Value): Budget {
  const keys = value.map(['monthly', 'emails', 'topic']);
  if (!keys.monthly) value.refuse('give `monthly`, US dollars a month');
  return {
    monthly: keys.monthly?.number(1, 1e9, 'US dollars a month, from 1') ?? 0,
    emails: texts(keys.emails, forms.EMAIL) ?? [],
    topic: keys.topic?.text(forms.TOPIC.form, forms.TOPIC.one),
  };
}
