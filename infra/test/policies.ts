import type { Resource } from './stack';

/** One statement of any policy in the template. */
export interface Statement {
  /** The resource that holds the policy, without the hash of its logical id. */
  readonly holder: string;
  readonly type: string;
  readonly effect: string;
  readonly actions: string[];
  readonly resources: string[];
  /** `Service:…`, `AWS:…` or `*`. */
  readonly principals: string[];
  /** operator → key → values. */
  readonly conditions: Record<string, Record<string, string[]>>;
}

const POLICIES: Record<string, string> = {
  'AWS::ApiGateway::RestApi': 'Policy',
  'AWS::EC2::VPCEndpoint': 'PolicyDocument',
  'AWS::IAM::Policy': 'PolicyDocument',
  'AWS::IAM::ManagedPolicy': 'PolicyDocument',
  'AWS::IAM::Role': 'AssumeRolePolicyDocument',
  'AWS::KMS::Key': 'KeyPolicy',
  'AWS::Organizations::Policy': 'Content',
  'AWS::S3::BucketPolicy': 'PolicyDocument',
  'AWS::SNS::TopicPolicy': 'PolicyDocument',
  'AWS::SQS::QueuePolicy': 'PolicyDocument',
};

/** Every statement of every policy, so that nothing escapes a check by being written elsewhere. */
export function statements(resources: Record<string, Resource>): Statement[] {
  const found: Statement[] = [];
  for (const [id, { Type, Properties }] of Object.entries(resources)) {
    const field = POLICIES[Type];
    // An API over the internet may have none.
    if (field !== undefined && Properties[field] !== undefined)
      found.push(...fromDocument(id, Type, Properties[field]));
    // Those of a user pool are about passwords.
    if (!Array.isArray(Properties?.Policies)) continue;
    for (const inline of Properties.Policies) found.push(...fromDocument(id, Type, inline.PolicyDocument));
  }
  return found;
}

function fromDocument(id: string, type: string, document: any): Statement[] {
  return list(document.Statement).map((statement) => {
    for (const key of ['NotAction', 'NotResource', 'NotPrincipal']) {
      if (key in statement) throw new Error(`${id} uses ${key}, which the checks do not read`);
    }
    return {
      holder: name(id),
      type,
      effect: statement.Effect,
      actions: list(statement.Action).map(text),
      resources: list(statement.Resource).map(text),
      principals: principals(statement.Principal),
      conditions: Object.fromEntries(
        Object.entries(statement.Condition ?? {}).map(([operator, keys]) => [
          operator,
          Object.fromEntries(Object.entries(keys as object).map(([key, values]) => [key, list(values).map(text)])),
        ]),
      ),
    };
  });
}

function principals(principal: any): string[] {
  if (principal === undefined) return [];
  if (typeof principal === 'string') return [principal];
  return Object.entries(principal).flatMap(([kind, values]) => list(values).map((value) => `${kind}:${text(value)}`));
}

function list(value: any): any[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

/** A value with its intrinsics as `${Name}`, readable and stable. */
export function text(value: any): string {
  if (typeof value !== 'object' || value === null) return String(value);
  if ('Ref' in value) return `\${${name(value.Ref)}}`;
  if ('Fn::GetAtt' in value) return `\${${name(value['Fn::GetAtt'][0])}.${value['Fn::GetAtt'][1]}}`;
  if ('Fn::Join' in value) return list(value['Fn::Join'][1]).map(text).join(value['Fn::Join'][0]);
  if ('Fn::Split' in value) return text(value['Fn::Split'][1]).split(value['Fn::Split'][0]).join('');
  if ('Fn::ImportValue' in value) return exported(value['Fn::ImportValue']);
  if ('Fn::Sub' in value && typeof value['Fn::Sub'] === 'string') return value['Fn::Sub'];
  throw new Error(`the checks do not read ${JSON.stringify(value)}`);
}

/** A logical id without CDK's hash. */
export function name(logicalId: string): string {
  return logicalId.replace(/[0-9A-F]{8}$/, '');
}

/** What another stack exports, written as in that stack: CDK names an export after it. */
export function exported(value: unknown): string {
  const match = /^[\w-]+:ExportsOutput(Ref|FnGetAtt)(\w+?)[0-9A-F]{8}(\w*?)[0-9A-F]{8}$/.exec(String(value));
  if (match === null) throw new Error(`the checks do not read the export ${JSON.stringify(value)}`);
  const [, kind, id, attribute] = match;
  return kind === 'Ref' ? `\${${id}}` : `\${${id}.${attribute}}`;
}
