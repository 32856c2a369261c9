import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { statements } from '../policies';
import { BY_AWS, COGNITO, FEDERATED, SAML } from './files';
import {
  ACCOUNT,
  API_ENDPOINT,
  type Context,
  SAGEMAKER_ENDPOINT,
  STS_ENDPOINT,
  STUDIO_ENDPOINT,
  may,
  mayReach,
  trustOf,
} from './simulator';
import { entered, resources } from './synth';

const INSIDE = { network: 'new', functionsInVpc: true };
const arn = (rest: string) => `arn:aws:sagemaker:us-east-1:${ACCOUNT}:${rest}`;
const PROFILE = arn('user-profile/d-0team1/ann');
const through = (endpoint: string): Context => ({ 'aws:SourceVpce': endpoint });
const tagged = (domain: string, owner = 'ann@example.com'): Context => ({
  'sagemaker:ResourceTag/DomainName': domain,
  'sagemaker:ResourceTag/studiouserid': owner,
});
const newTags = (domain: string, owner: string | undefined = 'ann@example.com', more: string[] = []): Context => ({
  'aws:RequestTag/DomainName': domain,
  ...(owner !== '' && { 'aws:RequestTag/studiouserid': owner }),
  'aws:TagKeys': ['DomainName', ...(owner !== '' ? ['studiouserid'] : []), ...more],
});
const OPEN = 'sagemaker:CreatePresignedDomainUrl';

describe('the function that lets people in', () => {
  const access = may(entered(SAML, INSIDE), /^StudioAccessRole/);
  const open = (context: Context, profile = PROFILE) => access(OPEN, profile, context);

  it('C6 opens a profile of its domains through the endpoint', async () => {
    assert.ok(await open({ ...through(SAGEMAKER_ENDPOINT), ...tagged('team1') }));
  });

  it('C6 opens nothing from elsewhere: another endpoint, an address, nowhere', async () => {
    assert.ok(!(await open({ ...through('vpce-0bbbbbbbbbbbbbbb0'), ...tagged('team1') })));
    assert.ok(!(await open({ 'aws:SourceIp': '198.51.100.1', ...tagged('team1') })));
    assert.ok(!(await open(tagged('team1'))));
  });

  it('C6 lets the browser go on through the endpoint of Studio, which the same policy is asked about', async () => {
    assert.ok(await open({ ...through(STUDIO_ENDPOINT), ...tagged('team1') }));
    assert.ok(!(await open({ ...through(API_ENDPOINT), ...tagged('team1') })));
  });

  it('C6 is denied elsewhere whatever else would allow it', () => {
    const denials = statements(resources(entered(SAML, INSIDE))).filter(
      ({ effect, holder, actions }) =>
        effect === 'Deny' && holder === 'StudioAccessRoleDefaultPolicy' && actions.includes(OPEN),
    );
    assert.deepEqual(
      denials.map(({ conditions }) => conditions),
      [{ StringNotEquals: { 'aws:SourceVpce': ['${EndpointsSagemakerApi}', '${EndpointsStudio}'] } }],
    );
  });

  it('D5 opens no profile of another domain, and none without the tag', async () => {
    const here = through(SAGEMAKER_ENDPOINT);
    assert.ok(!(await open({ ...here, ...tagged('team3') })));
    assert.ok(!(await open({ ...here, ...tagged('TEAM1') })));
    assert.ok(!(await open(here)));
    assert.ok(!(await open({ ...here, ...tagged('team1') }, arn('user-profile/d-0team3/ann'))));
  });

  it('D5 makes profiles with the owner and the domain as tags, and with those of the file, and no others', async () => {
    const make = (context: Context, profile = PROFILE) => access('sagemaker:CreateUserProfile', profile, context);
    assert.ok(await make(newTags('team1')));
    assert.ok(await make(newTags('team2', undefined, ['costs'])));
    assert.ok(!(await make(newTags('team3'))));
    assert.ok(!(await make(newTags('team1', ''))));
    assert.ok(!(await make({ 'aws:TagKeys': [] })));
    assert.ok(!(await make({})));
    assert.ok(!(await make(newTags('team1', undefined, ['admin']))));
    assert.ok(!(await make(newTags('team1'), arn('user-profile/d-0team3/ann'))));
  });

  it('D5 tags only what it makes', async () => {
    const tag = (context: Context) => access('sagemaker:AddTags', PROFILE, context);
    assert.ok(await tag({ ...newTags('team1'), 'sagemaker:TaggingAction': 'CreateUserProfile' }));
    assert.ok(!(await tag({ ...newTags('team1'), ...tagged('team1') })));
    assert.ok(!(await tag({ ...newTags('team1'), 'sagemaker:TaggingAction': 'CreateApp' })));
    assert.ok(!(await access('sagemaker:DeleteTags', PROFILE, tagged('team1'))));
  });

  it('C5 changes the role of profiles of its domains, and of no others', async () => {
    const change = (context: Context) => access('sagemaker:UpdateUserProfile', PROFILE, context);
    assert.ok(await change(tagged('team1')));
    assert.ok(!(await change(tagged('team3'))));
    assert.ok(!(await change({})));
  });

  it('C5 passes the roles of the file to SageMaker, and no other role to anybody', async () => {
    const role = (name: string) => `arn:aws:iam::${ACCOUNT}:role/${name}`;
    const pass = (name: string, service = 'sagemaker.amazonaws.com') =>
      access('iam:PassRole', role(name), { 'iam:PassedToService': service });
    for (const name of ['team/analyst', 'engineer', 'analyst2']) assert.ok(await pass(name), name);
    for (const name of ['analyst', 'admin', 'engineer2', 'team/engineer']) assert.ok(!(await pass(name)), name);
    assert.ok(!(await pass('engineer', 'lambda.amazonaws.com')));
  });

  it('C5 looks at a profile that is not there yet, which has no tags', async () => {
    assert.ok(await access('sagemaker:DescribeUserProfile', PROFILE));
    assert.ok(await access('sagemaker:ListTags', PROFILE));
    assert.ok(!(await access('sagemaker:DeleteUserProfile', PROFILE, tagged('team1'))));
  });

  it('C2 has no right beyond these', () => {
    const actions = statements(resources(entered(SAML, INSIDE)))
      .filter(({ effect, holder }) => effect === 'Allow' && holder === 'StudioAccessRoleDefaultPolicy')
      .flatMap(({ actions }) => actions)
      .filter((action) => !/^(ec2|kms|logs):/.test(action));
    assert.deepEqual([...new Set(actions)].sort(), [
      'dynamodb:DeleteItem',
      'dynamodb:PutItem',
      'iam:PassRole',
      'sagemaker:AddTags',
      'sagemaker:CreatePresignedDomainUrl',
      'sagemaker:CreateUserProfile',
      'sagemaker:DescribeUserProfile',
      'sagemaker:ListTags',
      'sagemaker:UpdateUserProfile',
    ]);
  });
});

describe('the function, outside the VPC', () => {
  it('C6 lists domains where the file has no ids, and is bound by the tags', async () => {
    const access = may(entered(COGNITO), /^StudioAccessRole/);
    const anyProfile = arn('user-profile/d-0other/ann');
    assert.ok(await access('sagemaker:ListDomains', '*'));
    assert.ok(await access(OPEN, anyProfile, tagged('team2')));
    assert.ok(!(await access(OPEN, anyProfile, tagged('team3'))));
    assert.ok(!(await may(entered(SAML, INSIDE), /^StudioAccessRole/)('sagemaker:ListDomains', '*')));
  });

  it('C6 inside, with addresses, opens Studio to browsers at these addresses alone', async () => {
    const access = may(entered(COGNITO, INSIDE), /^StudioAccessRole/);
    const open = (context: Context) => access(OPEN, PROFILE, { ...tagged('team1'), ...context });
    assert.ok(await open(through(SAGEMAKER_ENDPOINT)));
    assert.ok(await open({ 'aws:SourceIp': '203.0.113.9' }));
    assert.ok(!(await open({ 'aws:SourceIp': '203.0.114.9' })));
    assert.ok(!(await open({})));
  });

  it('C6 private, with addresses, opens Studio to browsers at these through the endpoint', async () => {
    const access = may(entered(`addresses: [10.1.0.0/16]\n${SAML}`, INSIDE), /^StudioAccessRole/);
    const open = (endpoint: string, address: string) =>
      access(OPEN, PROFILE, { ...tagged('team1'), ...through(endpoint), 'aws:VpcSourceIp': address });
    assert.ok(await open(STUDIO_ENDPOINT, '10.1.2.3'));
    assert.ok(!(await open(STUDIO_ENDPOINT, '10.2.2.3')));
    // The function itself has an address of its subnets.
    assert.ok(await open(SAGEMAKER_ENDPOINT, '10.0.0.7'));
  });

  it('C6 takes any endpoint of VPCs that the file names', async () => {
    const access = may(entered(`vpcs: [vpc-0123456789abcdef0]\n${SAML}`, INSIDE), /^StudioAccessRole/);
    const open = (context: Context) => access(OPEN, PROFILE, { ...tagged('team1'), ...context });
    assert.ok(await open({ 'aws:SourceVpc': 'vpc-0123456789abcdef0', 'aws:SourceVpce': 'vpce-0bbbbbbbbbbbbbbb0' }));
    assert.ok(await open({ ...through(STUDIO_ENDPOINT), 'aws:SourceVpc': 'vpc-0bbbbbbbbbbbbbbb0' }));
    assert.ok(!(await open({ 'aws:SourceVpc': 'vpc-0bbbbbbbbbbbbbbb0', 'aws:SourceVpce': 'vpce-0bbbbbbbbbbbbbbb0' })));
  });
});

describe('the function that signs people in', () => {
  it('D1 remembers, and has no right to Studio', async () => {
    const signIn = may(entered(COGNITO), /^StudioSignInRole/);
    const table = `arn:aws:dynamodb:us-east-1:${ACCOUNT}:table/tidegate-access`;
    const actions = statements(resources(entered(COGNITO)))
      .filter(({ holder }) => holder === 'StudioSignInRoleDefaultPolicy')
      .flatMap(({ actions }) => actions)
      .filter((action) => !/^(kms|logs):/.test(action));
    assert.deepEqual(actions, ['dynamodb:DeleteItem', 'dynamodb:PutItem']);
    assert.ok(!(await signIn(OPEN, PROFILE, tagged('team1'))));
    assert.ok(!(await signIn('dynamodb:Scan', table)));
  });
});

describe('a session that AWS gives for an assertion', () => {
  const session = may(entered(BY_AWS, INSIDE), /^SamlRoleteam1/);
  const ann: Context = { 'aws:PrincipalTag/studiouserid': 'ann@example.com', ...through(SAGEMAKER_ENDPOINT) };

  it("C7 opens its person's own profile through the endpoint", async () => {
    assert.ok(await session(OPEN, PROFILE, { ...ann, ...tagged('team1') }));
    assert.ok(!(await session(OPEN, PROFILE, { ...ann, ...tagged('team1', 'bob@example.com') })));
    assert.ok(!(await session(OPEN, PROFILE, { ...through(SAGEMAKER_ENDPOINT), ...tagged('team1') })));
    assert.ok(!(await session(OPEN, PROFILE, { ...ann, ...tagged('team2') })));
    assert.ok(!(await session(OPEN, PROFILE, { ...ann, ...tagged('team1'), 'aws:SourceVpce': undefined })));
  });

  it("C7 makes its person's own profile, and nobody else's", async () => {
    const make = (context: Context) => session('sagemaker:CreateUserProfile', PROFILE, { ...ann, ...context });
    assert.ok(await make(newTags('team1')));
    assert.ok(!(await make(newTags('team1', 'bob@example.com'))));
    assert.ok(!(await make(newTags('team2'))));
  });

  it('C7 passes the default role of its domain, and changes its own profile to it', async () => {
    const pass = (role: RegExp, name: string) =>
      may(entered(BY_AWS, INSIDE), role)('iam:PassRole', `arn:aws:iam::${ACCOUNT}:role/${name}`, {
        'iam:PassedToService': 'sagemaker.amazonaws.com',
      });
    assert.ok(await pass(/^SamlRoleteam1/, 'analyst'));
    assert.ok(!(await pass(/^SamlRoleteam1/, 'admin')));
    assert.ok(!(await pass(/^SamlRoleteam2/, 'analyst')));
    const change = (owner: string) =>
      session('sagemaker:UpdateUserProfile', PROFILE, { ...ann, ...tagged('team1', owner) });
    assert.ok(await change('ann@example.com'));
    assert.ok(!(await change('bob@example.com')));
  });

  it('C7 is given by the provider, for the recipient, with the tag, through the endpoint of STS', () => {
    const { Statement } = trustOf(entered(BY_AWS, INSIDE), /^SamlRoleteam1/);
    const Principal = { Federated: `arn:aws:iam::${ACCOUNT}:saml-provider/tidegate-access` };
    const aud = { 'SAML:aud': 'https://signin.aws.amazon.com/saml' };
    assert.deepEqual(Statement, [
      {
        Action: 'sts:AssumeRoleWithSAML',
        Condition: {
          StringEquals: { 'aws:SourceVpce': [STS_ENDPOINT], ...aud },
          Null: { 'aws:RequestTag/studiouserid': 'false' },
        },
        Effect: 'Allow',
        Principal,
      },
      {
        Action: 'sts:TagSession',
        Condition: { StringEquals: aud, 'ForAllValues:StringEquals': { 'aws:TagKeys': ['studiouserid'] } },
        Effect: 'Allow',
        Principal,
      },
    ]);
  });

  it('C7 leaves the function itself without a right to Studio', () => {
    const actions = statements(resources(entered(BY_AWS, INSIDE)))
      .filter(({ holder }) => holder === 'StudioAccessRoleDefaultPolicy')
      .flatMap(({ actions }) => actions);
    assert.deepEqual(
      actions.filter((action) => /^(iam|sagemaker|sts):/.test(action)),
      [],
    );
  });
});

describe('the API', () => {
  it('C1 is reached through its endpoint, and by no other way', async () => {
    const reach = mayReach(entered(SAML, INSIDE));
    assert.ok(await reach(through(API_ENDPOINT)));
    assert.ok(!(await reach(through(SAGEMAKER_ENDPOINT))));
    assert.ok(!(await reach({ 'aws:SourceIp': '203.0.113.9' })));
  });

  it('C1 is reached from the addresses of the file, where it names some', async () => {
    const reach = mayReach(entered(`addresses: [10.1.0.0/16]\n${SAML}`, INSIDE));
    assert.ok(await reach({ ...through(API_ENDPOINT), 'aws:VpcSourceIp': '10.1.2.3' }));
    assert.ok(!(await reach({ ...through(API_ENDPOINT), 'aws:VpcSourceIp': '10.2.2.3' })));
  });

  it('C8 over the internet, is reached from the addresses of the file', async () => {
    const reach = mayReach(entered(COGNITO));
    assert.ok(await reach({ 'aws:SourceIp': '203.0.113.9' }));
    assert.ok(!(await reach({ 'aws:SourceIp': '203.0.114.9' })));
    assert.ok(!(await reach({})));
  });

  it('C8 over the internet without addresses, has no policy', () => {
    const [api] = Object.values(resources(entered(FEDERATED))).filter(
      ({ Type }) => Type === 'AWS::ApiGateway::RestApi',
    );
    assert.equal(api?.Properties.Policy, undefined);
  });
});
