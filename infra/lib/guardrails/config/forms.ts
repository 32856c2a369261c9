/** What texts of the configuration must look like, and how an error says it. */
export interface Form {
  readonly form: RegExp;
  readonly one: string;
  readonly many: string;
}

const PARTITION = '(aws|aws-cn|aws-us-gov|\\{\\{partition\\}\\})';
const ACCOUNT = '(\\d{12}|\\{\\{account\\}\\})';

/** The ARN of something in an account, where `{{partition}}`, `{{region}}` and `{{account}}` stand for the stack's own. */
function arn(service: 'iam' | 'kms' | 'sns', rest: string, one: string, example: string, many: string): Form {
  // IAM knows no regions.
  const [region, shown] = service === 'iam' ? ['', ''] : ['([a-z0-9-]+|\\{\\{region\\}\\})', '{{region}}'];
  return {
    form: new RegExp(`^arn:${PARTITION}:${service}:${region}:${ACCOUNT}:${rest}$`),
    one: `the ARN of ${one}, \`arn:{{partition}}:${service}:${shown}:{{account}}:${example}\``,
    many: `ARNs of ${many}`,
  };
}

export const INSTANCE_TYPE: Form = {
  form: /^(system|ml\.[a-z0-9*?-]+\.[a-z0-9*?-]+)$/,
  one: 'an instance type such as `ml.m5.large`, a family such as `ml.m5.*`, or `system`',
  many: 'instance types',
};
export const IMAGE: Form = {
  form: /^arn:[a-z-]+:sagemaker:[a-z0-9*?-]+:[0-9*?]+:image\/[A-Za-z0-9*?-]+$/,
  one: 'the ARN of an image, `arn:aws:sagemaker:<region>:<account>:image/<name>`, with `*` where anything may stand',
  many: 'ARNs of images',
};
export const VPC_ENDPOINT: Form = {
  form: /^vpce-[0-9a-z]+$/,
  one: 'the id of a VPC endpoint, `vpce-…`',
  many: 'VPC endpoints',
};
export const VPC: Form = { form: /^vpc-[0-9a-z]+$/, one: 'the id of a VPC, `vpc-…`', many: 'VPCs' };
export const SUBNET: Form = { form: /^subnet-[0-9a-z]+$/, one: 'the id of a subnet, `subnet-…`', many: 'subnets' };
export const SECURITY_GROUP: Form = {
  form: /^sg-[0-9a-z]+$/,
  one: 'the id of a security group, `sg-…`',
  many: 'security groups',
};
export const CIDR: Form = {
  // Whether octets and prefix are in their bounds, `isCidr` decides.
  form: /^(\d{1,3}(\.\d{1,3}){3}|[0-9a-f:]*:[0-9a-f:]*)\/\d{1,3}$/i,
  one: 'a CIDR block such as `203.0.113.0/24`',
  many: 'CIDR blocks',
};
export const TAG_KEY: Form = {
  form: /^(?!aws:)[A-Za-z0-9+\-=._:@]{1,128}$/i,
  one: 'a tag key of 1 to 128 letters, digits and `+-=._:@`, not beginning with `aws:`',
  many: 'tag keys',
};
/** As `aws:PrincipalArn` shows it: of the role, not of its session. */
export const ROLE_PATTERN: Form = {
  form: /^arn:[a-z*-]+:iam::[0-9*]+:role\/[\w+=,.@*?/-]*[\w+=,.@-][\w+=,.@*?/-]*$/,
  one: 'the ARN of a role, `arn:aws:iam::<account>:role/<name>`, with `*` where anything may stand, but not for the whole name',
  many: 'ARNs of roles',
};
export const ROLE = arn('iam', 'role/[\\w+=,.@/-]+', 'one role', 'role/<name>', 'roles');
export const PRINCIPAL = arn(
  'iam',
  '(root|(role|user)/[\\w+=,.@/-]+)',
  'a role, a user or an account',
  'root',
  'principals',
);
export const SAML_PROVIDER = arn(
  'iam',
  'saml-provider/[\\w._-]+',
  'a SAML provider',
  'saml-provider/<name>',
  'SAML providers',
);
export const KEY = arn('kms', 'key/[0-9a-z-]+', 'a key (not of an alias)', 'key/<id>', 'keys');
/** As AWS Organizations makes them (https://docs.aws.amazon.com/organizations/latest/APIReference/API_Organization.html). */
export const ORGANIZATION: Form = {
  form: /^o-[a-z0-9]{10,32}$/,
  one: "the organisation's id, `o-…`",
  many: 'organisations',
};
export const TARGET: Form = {
  form: /^(r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}|\d{12})$/,
  one: 'a root `r-…`, an organisational unit `ou-…-…` or an account of 12 digits, in quotes',
  many: 'targets in the organisation',
};
export const SERVICE: Form = {
  form: /^[a-z][a-z0-9-]*$/,
  one: 'the prefix of a service in IAM, such as `sagemaker`',
  many: 'services',
};
export const EMAIL: Form = { form: /^[^\s@,]+@[^\s@,]+$/, one: 'one mail address', many: 'mail addresses' };
export const HTTPS: Form = { form: /^https:\/\/\S+$/, one: 'an `https://` address', many: '`https://` addresses' };
export const TOPIC = arn('sns', '[\\w-]+', 'a topic', '<name>', 'topics');

/** Whether this is a block of addresses, and not of nobody or everybody. */
export function isCidr(text: string): boolean {
  const [address = '', length = ''] = text.split('/');
  const bits = Number(length);
  if (address.includes(':')) return bits >= 1 && bits <= 128;
  return bits >= 1 && bits <= 32 && address.split('.').every((octet) => Number(octet) <= 255);
}
