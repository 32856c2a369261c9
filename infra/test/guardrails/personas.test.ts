import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Simulation, runSimulation } from '@cloud-copilot/iam-simulate';
import { text } from '../policies';
import { ACCOUNT } from './simulator';
import { EXAMPLE, makeGuardrails, resources } from './stacks';

/** The template in one account: nothing is left that CloudFormation would fill in. */
function inAccount(value: unknown): any {
  if (Array.isArray(value)) return value.map(inAccount);
  if (typeof value !== 'object' || value === null) return value;
  const keys = Object.keys(value);
  if (keys.length === 1 && /^(Ref|Fn::)/.test(keys[0]!)) {
    return text(value)
      .replaceAll('${AWS::Partition}', 'aws')
      .replaceAll('${AWS::Region}', 'us-east-1')
      .replaceAll('${AWS::AccountId}', ACCOUNT);
  }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, inAccount(inner)]));
}

const TEMPLATE = resources(makeGuardrails(EXAMPLE).account);
const role = (name: string) => {
  const [id, found] = Object.entries(TEMPLATE).find(([, { Properties }]) => Properties.RoleName === name)!;
  return { id, properties: found.Properties };
};

/** Every policy that the role has: those it names, and those that name it. */
function policiesOf(name: string): { name: string; policy: any }[] {
  const { id, properties } = role(name);
  const named = (properties.ManagedPolicyArns ?? []).map(({ Ref }: { Ref: string }) => Ref);
  return Object.entries(TEMPLATE)
    .filter(
      ([policyId, { Type, Properties }]) =>
        Type === 'AWS::IAM::ManagedPolicy' &&
        (named.includes(policyId) || (Properties.Roles ?? []).some(({ Ref }: { Ref: string }) => Ref === id)),
    )
    .map(([policyId, { Properties }]) => ({ name: policyId, policy: inAccount(Properties.PolicyDocument) }));
}

type Context = Record<string, string | string[]>;

async function run(simulation: Simulation): Promise<boolean> {
  const result = await runSimulation(simulation, {});
  if (result.resultType === 'error') throw new Error(JSON.stringify(result.errors));
  if (result.resultType === 'single') assert.deepEqual(result.result.ignoredContextKeys, []);
  return result.overallResult === 'Allowed';
}

/** Whether a session of the role may do this, with all its policies. */
const may =
  (name: string) =>
  (action: string, resource: string, context: Context = {}) =>
    run({
      request: {
        action,
        principal: `arn:aws:sts::${ACCOUNT}:assumed-role/${name}/alice`,
        resource: { accountId: ACCOUNT, resource },
        contextVariables: {
          'aws:PrincipalArn': `arn:aws:iam::${ACCOUNT}:role/${name}`,
          'aws:PrincipalTag/studiouserid': 'alice',
          'aws:ViaAWSService': 'false',
          'aws:SourceVpce': 'vpce-0123456789abcdef0',
          'aws:SourceVpc': 'vpc-0123456789abcdef0',
          'aws:VpcSourceIp': '10.42.7.9',
          ...context,
        },
      },
      identityPolicies: policiesOf(name),
      // A key's own policy leaves it to IAM policies of the account.
      ...(action.startsWith('kms:') && {
        resourcePolicy: {
          Version: '2012-10-17',
          Statement: [
            { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: 'kms:*', Resource: '*' },
          ],
        },
      }),
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    });

const sagemaker = (rest: string) => `arn:aws:sagemaker:us-east-1:${ACCOUNT}:${rest}`;
const KEY = `arn:aws:kms:us-east-1:${ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab`;
const EXECUTION = `arn:aws:iam::${ACCOUNT}:role/tidegate-studio-execution`;
const PROFILE = sagemaker('user-profile/d-abcdefghijkl/alice');
const DOMAIN = sagemaker('domain/d-abcdefghijkl');
const SOUND_DOMAIN: Context = {
  'sagemaker:AppNetworkAccessType': 'VpcOnly',
  'sagemaker:VpcSubnets': ['subnet-0aaaaaaaaaaaaaaaa'],
  'sagemaker:VpcSecurityGroupIds': ['sg-0aaaaaaaaaaaaaaaa'],
  'sagemaker:VolumeKmsKeyArn': KEY,
  'sagemaker:DomainSharingOutputKmsKeyArn': KEY,
  'sagemaker:InstanceTypes': ['system'],
};
const TAGS: Context = {
  'aws:RequestTag/studiouserid': 'alice',
  'aws:RequestTag/Project': 'tidegate',
  'aws:TagKeys': ['studiouserid', 'Project'],
};

describe('E2 the ML administrator', () => {
  const administrator = may('tidegate-ml-administrator');

  it('E2 makes domains within the guardrails, and none outside', async () => {
    assert.ok(await administrator('sagemaker:CreateDomain', DOMAIN, SOUND_DOMAIN));
    const open = { ...SOUND_DOMAIN, 'sagemaker:AppNetworkAccessType': 'PublicInternetOnly' };
    assert.ok(!(await administrator('sagemaker:CreateDomain', DOMAIN, open)));
    const { 'sagemaker:VolumeKmsKeyArn': _, ...unencrypted } = SOUND_DOMAIN;
    assert.ok(!(await administrator('sagemaker:CreateDomain', DOMAIN, unencrypted)));
  });

  it('E2 makes profiles with their tags, images and lifecycle configurations', async () => {
    assert.ok(await administrator('sagemaker:CreateUserProfile', PROFILE, TAGS));
    assert.ok(!(await administrator('sagemaker:CreateUserProfile', PROFILE)));
    assert.ok(await administrator('sagemaker:AddTags', PROFILE, { 'aws:TagKeys': ['studiouserid'] }));
    assert.ok(await administrator('sagemaker:CreateImage', sagemaker('image/tidegate-one')));
    assert.ok(await administrator('sagemaker:CreateAppImageConfig', sagemaker('app-image-config/one')));
    const lifecycle = sagemaker('studio-lifecycle-config/one');
    assert.ok(await administrator('sagemaker:CreateStudioLifecycleConfig', lifecycle));
  });

  it('E2 runs nothing and opens nothing', async () => {
    for (const [action, resource] of [
      ['CreateTrainingJob', 'training-job/one'],
      ['CreateProcessingJob', 'processing-job/one'],
      ['CreateTransformJob', 'transform-job/one'],
      ['CreateHyperParameterTuningJob', 'hyper-parameter-tuning-job/one'],
      ['CreatePipeline', 'pipeline/one'],
      ['StartPipelineExecution', 'pipeline/one'],
      ['CreateEndpoint', 'endpoint/one'],
      ['CreateApp', 'app/d-abcdefghijkl/alice/JupyterLab/default'],
      ['CreatePresignedDomainUrl', 'user-profile/d-abcdefghijkl/alice'],
    ] as const) {
      const granted = policiesOf('tidegate-ml-administrator').flatMap(({ policy }) =>
        [policy.Statement].flat().filter((one: any) => one.Effect === 'Allow'),
      );
      const actions = granted.flatMap((one: any) => [one.Action].flat());
      assert.ok(!actions.includes(`sagemaker:${action}`), action);
      assert.ok(!(await administrator(`sagemaker:${action}`, sagemaker(resource))), action);
    }
  });

  it('E2 gives the named execution roles to SageMaker, no other role and to no other service', async () => {
    const pass = (arn: string, service: string) =>
      administrator('iam:PassRole', arn, { 'iam:PassedToService': service });
    assert.ok(await pass(EXECUTION, 'sagemaker.amazonaws.com'));
    assert.ok(!(await pass(EXECUTION, 'lambda.amazonaws.com')));
    assert.ok(!(await pass(`${EXECUTION}-2`, 'sagemaker.amazonaws.com')));
    assert.ok(!(await administrator('iam:PassRole', EXECUTION)));
  });

  it("E2 makes Studio's service-linked role only", async () => {
    const linked = (service: string) =>
      administrator(
        'iam:CreateServiceLinkedRole',
        `arn:aws:iam::${ACCOUNT}:role/aws-service-role/${service}/AWSServiceRoleForAmazonSageMakerNotebooks`,
        { 'iam:AWSServiceName': service },
      );
    assert.ok(await linked('sagemaker.amazonaws.com'));
    assert.ok(!(await linked('ecs.amazonaws.com')));
  });

  it('E2 uses the named keys for domains, through SageMaker', async () => {
    const grant = (key: string, context: Context) => administrator('kms:CreateGrant', key, context);
    const forAws = { 'kms:GrantIsForAWSResource': 'true', 'kms:ViaService': 'sagemaker.us-east-1.amazonaws.com' };
    assert.ok(await grant(KEY, forAws));
    assert.ok(!(await grant(KEY, { ...forAws, 'kms:GrantIsForAWSResource': 'false' })));
    assert.ok(!(await grant(KEY, { ...forAws, 'kms:ViaService': 's3.us-east-1.amazonaws.com' })));
    assert.ok(!(await grant(`arn:aws:kms:us-east-1:${ACCOUNT}:key/9999abcd-12ab-34cd-56ef-1234567890ab`, forAws)));
    assert.ok(!(await administrator('kms:Decrypt', KEY)));
  });
});

describe('E2 the data scientist', () => {
  const scientist = may('tidegate-data-scientist');
  const OWNER = 'sagemaker:ResourceTag/studiouserid';

  it('E2 finds the domain and opens the own profile', async () => {
    assert.ok(await scientist('sagemaker:DescribeDomain', DOMAIN));
    assert.ok(await scientist('sagemaker:DescribeUserProfile', PROFILE, { [OWNER]: 'alice' }));
    assert.ok(await scientist('sagemaker:CreatePresignedDomainUrl', PROFILE, { [OWNER]: 'alice' }));
  });

  it("E2 opens nobody else's profile, and none from elsewhere", async () => {
    assert.ok(!(await scientist('sagemaker:CreatePresignedDomainUrl', PROFILE, { [OWNER]: 'bob' })));
    assert.ok(!(await scientist('sagemaker:CreatePresignedDomainUrl', PROFILE)));
    assert.ok(!(await scientist('sagemaker:DescribeUserProfile', PROFILE, { [OWNER]: 'bob' })));
    const elsewhere = { [OWNER]: 'alice', 'aws:SourceVpce': 'vpce-99999999999999999' };
    assert.ok(!(await scientist('sagemaker:CreatePresignedDomainUrl', PROFILE, elsewhere)));
  });

  it('E2 has no other right: the execution role does the rest', () => {
    const allowed = policiesOf('tidegate-data-scientist')
      .flatMap(({ policy }) => [policy.Statement].flat())
      .filter((one: any) => one.Effect === 'Allow')
      .flatMap((one: any) => [one.Action].flat());
    assert.deepEqual(allowed.sort(), [
      'sagemaker:CreatePresignedDomainUrl',
      'sagemaker:DescribeDomain',
      'sagemaker:DescribeUserProfile',
      'sagemaker:ListDomains',
    ]);
  });

  it('E2 is bound by the guardrails of everyone and of users; the administrator by those of everyone', () => {
    const bound = (name: string) =>
      (role(name).properties.ManagedPolicyArns as { Ref: string }[])
        .map(({ Ref }) => TEMPLATE[Ref].Properties.ManagedPolicyName)
        .sort();
    const everyone = ['tidegate-guardrails-everyone-1', 'tidegate-guardrails-everyone-2'];
    assert.deepEqual(bound('tidegate-data-scientist'), [...everyone, 'tidegate-guardrails-users-1']);
    assert.deepEqual(bound('tidegate-ml-administrator'), everyone);
  });
});

describe('E2 who takes the roles', () => {
  const PROVIDER = `arn:aws:iam::${ACCOUNT}:saml-provider/corporate`;
  /** The principals of the example for each role. */
  const COMES_FROM: Record<string, string> = {
    'tidegate-ml-administrator': 'platform-engineers',
    'tidegate-data-scientist': 'data-scientists',
  };
  const principal = (from: string) => `arn:aws:iam::${ACCOUNT}:role/${from}`;
  const trust = (name: string): any[] => inAccount(role(name).properties.AssumeRolePolicyDocument).Statement;

  /** The simulator knows no SAML principals: the statements of a provider are asked for their conditions only. */
  const takes = (
    name: string,
    action: string,
    federated: boolean,
    context: Context,
    from = COMES_FROM[name]!,
  ): Promise<boolean> => {
    const statements = trust(name)
      .filter(({ Principal }) => (federated ? Principal.Federated === PROVIDER : Principal.AWS !== undefined))
      .map((one) => (federated ? { ...one, Principal: { AWS: principal(from) } } : one));
    assert.ok(statements.length > 0);
    return run({
      request: {
        action,
        principal: `arn:aws:sts::${ACCOUNT}:assumed-role/${from}/alice`,
        resource: { accountId: ACCOUNT, resource: `arn:aws:iam::${ACCOUNT}:role/${name}` },
        contextVariables: { 'aws:PrincipalArn': principal(from), ...context },
      },
      identityPolicies: [],
      resourcePolicy: { Version: '2012-10-17', Statement: statements },
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    });
  };
  const ROLES = ['tidegate-ml-administrator', 'tidegate-data-scientist'];
  const aud = { 'saml:aud': 'https://signin.aws.amazon.com/saml' };
  const tag = (who: string): Context => ({ 'aws:RequestTag/studiouserid': who, 'aws:TagKeys': ['studiouserid'] });
  const mfa = { 'aws:MultiFactorAuthPresent': 'true' };

  it('E2 are the provider and the principals that were named, and no service and nobody else', () => {
    for (const name of ROLES) {
      const principals = trust(name).map(({ Principal }) => JSON.stringify(Principal));
      assert.deepEqual(
        [...new Set(principals)].sort(),
        [JSON.stringify({ AWS: principal(COMES_FROM[name]!) }), JSON.stringify({ Federated: PROVIDER })].sort(),
      );
      assert.deepEqual(
        trust(name).filter(({ Condition }) => Condition === undefined),
        [],
      );
    }
  });

  it('E2 by SAML come for AWS, the data scientist with a name', async () => {
    const by = (name: string, context: Context) => takes(name, 'sts:AssumeRoleWithSAML', true, context);
    for (const name of ROLES) {
      assert.ok(await by(name, { ...aud, ...tag('alice') }));
      assert.ok(!(await by(name, { 'saml:aud': 'https://elsewhere.example/saml', ...tag('alice') })));
      assert.ok(!(await by(name, tag('alice'))));
    }
    assert.ok(await by('tidegate-ml-administrator', aud));
    assert.ok(!(await by('tidegate-data-scientist', aud)));
    assert.ok(!(await by('tidegate-data-scientist', { ...aud, ...tag('') })));
  });

  it('E2 by SAML bring the identity tag and no other', async () => {
    for (const name of ROLES) {
      assert.ok(await takes(name, 'sts:TagSession', true, { ...aud, ...tag('alice') }));
      const more = { ...aud, ...tag('alice'), 'aws:TagKeys': ['studiouserid', 'Department'] };
      assert.ok(!(await takes(name, 'sts:TagSession', true, more)));
    }
  });

  it('E2 by principal come with MFA', async () => {
    for (const name of ROLES) {
      assert.ok(await takes(name, 'sts:AssumeRole', false, { ...mfa, ...tag('alice') }));
      assert.ok(
        !(await takes(name, 'sts:AssumeRole', false, { 'aws:MultiFactorAuthPresent': 'false', ...tag('alice') })),
      );
      assert.ok(!(await takes(name, 'sts:AssumeRole', false, tag('alice'))));
    }
    assert.ok(!(await takes('tidegate-data-scientist', 'sts:AssumeRole', false, mfa)));
  });

  it("E2 by principal bring their own name and nobody else's", async () => {
    const own = { ...mfa, 'aws:PrincipalTag/studiouserid': 'alice' };
    for (const name of ROLES) {
      assert.ok(await takes(name, 'sts:TagSession', false, { ...own, ...tag('alice') }));
      assert.ok(!(await takes(name, 'sts:TagSession', false, { ...own, ...tag('bob') })));
      assert.ok(await takes(name, 'sts:TagSession', false, { ...mfa, 'aws:username': 'alice', ...tag('alice') }));
      assert.ok(!(await takes(name, 'sts:TagSession', false, { ...mfa, 'aws:username': 'alice', ...tag('bob') })));
      assert.ok(!(await takes(name, 'sts:TagSession', false, { ...mfa, ...tag('alice') })));
      const without = { 'aws:PrincipalTag/studiouserid': 'alice', ...tag('alice') };
      assert.ok(!(await takes(name, 'sts:TagSession', false, without)), 'without MFA');
    }
  });

  it('E2 take one of the two: who retags profiles does not open them', async () => {
    const context = { ...mfa, ...tag('alice'), 'aws:PrincipalTag/studiouserid': 'alice' };
    for (const name of ROLES) {
      for (const [other, from] of Object.entries(COMES_FROM)) {
        for (const action of ['sts:AssumeRole', 'sts:TagSession'])
          assert.equal(
            await takes(name, action, false, context, from),
            name === other,
            `${from}: ${action} on ${name}`,
          );
      }
    }
    // What the administrator may do to another's profile, and why that must be all.
    const administrator = may('tidegate-ml-administrator');
    assert.ok(await administrator('sagemaker:AddTags', PROFILE, { 'aws:TagKeys': ['studiouserid'] }));
    const own = { 'sagemaker:ResourceTag/studiouserid': 'alice' };
    assert.ok(!(await administrator('sagemaker:CreatePresignedDomainUrl', PROFILE, own)));
    const scientist = may('tidegate-data-scientist');
    for (const action of ['AddTags', 'DeleteTags'])
      assert.ok(!(await scientist(`sagemaker:${action}`, PROFILE, { 'aws:TagKeys': ['studiouserid'] })), action);
  });

  it('E2 are not made unless the file names them', () => {
    const types = Object.values(resources(makeGuardrails('identityTag: who').account)).map(({ Type }) => Type);
    assert.ok(!types.includes('AWS::IAM::Role'));
  });
});
