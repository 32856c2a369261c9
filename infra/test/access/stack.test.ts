import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { PROJECT_ROOT } from '../../lib/config';
import { normalise } from '../../lib/access/config/normalised';
import { readAccess } from '../../lib/access/config/read';
import { text } from '../policies';
import { makeApp } from '../stack';
import { BY_AWS, COGNITO, EXAMPLE, FEDERATED, SAML, accessFile } from './files';
import { entered, ofType, resources } from './synth';

const INSIDE = { network: 'new', functionsInVpc: true };
const saml = entered(SAML, INSIDE);
const cognito = entered(COGNITO);

/** Method and path of everything that the API answers, by the function behind it. */
function routes(synthesis: typeof saml): string[] {
  const all = resources(synthesis);
  const path = (id: string): string => {
    const { ParentId, PathPart } = all[id]!.Properties;
    return `${'Ref' in ParentId ? path(ParentId.Ref) : ''}/${PathPart}`;
  };
  return Object.values(all)
    .filter(({ Type }) => Type === 'AWS::ApiGateway::Method')
    .map(({ Properties }) => {
      const behind = /\$\{(\w+)Function\.Arn\}/.exec(text(Properties.Integration.Uri))?.[1];
      return `${Properties.HttpMethod} ${path(Properties.ResourceId.Ref)} ${behind} ${Properties.AuthorizationType}`;
    })
    .sort();
}

describe('the API', () => {
  it('C1 is private unless the file says regional', () => {
    const kind = (synthesis: typeof saml) => {
      const [api] = ofType(synthesis, 'AWS::ApiGateway::RestApi');
      return [api.EndpointConfiguration.Types, (api.EndpointConfiguration.VpcEndpointIds ?? []).map(text)];
    };
    assert.deepEqual(kind(saml), [['PRIVATE'], ['${EndpointsExecuteApi}']]);
    assert.deepEqual(kind(cognito), [['REGIONAL'], []]);
  });

  it('C1 D2 answers what is configured, and nothing else', () => {
    assert.deepEqual(routes(saml), [
      'GET /enter StudioAccess NONE',
      'GET /login StudioAccess NONE',
      'POST /saml StudioAccess NONE',
    ]);
    assert.deepEqual(routes(cognito), [
      'GET /callback StudioSignIn NONE',
      'GET /domainName/{name}/getPresignedUrl StudioAccess COGNITO_USER_POOLS',
      'GET /enter StudioAccess NONE',
      'GET /login StudioSignIn NONE',
    ]);
    assert.deepEqual(routes(entered(BY_AWS, INSIDE)), ['GET /enter StudioAccess NONE', 'POST /saml StudioAccess NONE']);
    assert.deepEqual(routes(entered(FEDERATED)), [
      'GET /callback StudioSignIn NONE',
      'GET /domainName/{name}/getPresignedUrl StudioAccess COGNITO_USER_POOLS',
      'GET /enter StudioAccess NONE',
      'GET /login StudioSignIn NONE',
      'POST /saml StudioAccess NONE',
    ]);
  });

  it('D3 asks for an access token with the scope, which is not remembered', () => {
    const method = ofType(cognito, 'AWS::ApiGateway::Method').find(
      ({ AuthorizationType }) => AuthorizationType === 'COGNITO_USER_POOLS',
    );
    assert.deepEqual(method.AuthorizationScopes, ['tidegate/studio.enter']);
    const [authorizer] = ofType(cognito, 'AWS::ApiGateway::Authorizer');
    assert.deepEqual(
      [authorizer.Type, authorizer.AuthorizerResultTtlInSeconds, authorizer.IdentitySource],
      ['COGNITO_USER_POOLS', 0, 'method.request.header.Authorization'],
    );
    assert.deepEqual(authorizer.ProviderARNs.map(text), ['${PeoplePool.Arn}']);
  });

  it('C2 logs who came when, and no query string, header, cookie, path or body', () => {
    for (const synthesis of [saml, cognito]) {
      const [stage] = ofType(synthesis, 'AWS::ApiGateway::Stage');
      const format = JSON.parse(stage.AccessLogSetting.Format) as Record<string, string>;
      assert.deepEqual(Object.values(format).sort(), [
        '$context.error.responseType',
        '$context.httpMethod',
        '$context.identity.sourceIp',
        '$context.identity.vpceId',
        '$context.integration.status',
        '$context.requestId',
        '$context.requestTime',
        '$context.resourcePath',
        '$context.responseLatency',
        '$context.responseLength',
        '$context.status',
      ]);
      const [settings] = stage.MethodSettings;
      assert.deepEqual(
        [settings.LoggingLevel, settings.DataTraceEnabled, settings.CachingEnabled, stage.TracingEnabled],
        ['OFF', false, false, false],
      );
      const [group] = ofType(synthesis, 'AWS::Logs::LogGroup').filter(({ LogGroupName }) =>
        LogGroupName.includes('apigateway'),
      );
      assert.equal(text(group.KmsKeyId), '${KeysLogs.Arn}');
    }
  });

  it('D2 lets through as many as people are', () => {
    const [stage] = ofType(saml, 'AWS::ApiGateway::Stage');
    const [settings] = stage.MethodSettings;
    assert.deepEqual([settings.ThrottlingRateLimit, settings.ThrottlingBurstLimit], [25, 50]);
  });

  it('C1 speaks TLS 1.2 at least', () => {
    for (const synthesis of [saml, cognito]) {
      const [api] = ofType(synthesis, 'AWS::ApiGateway::RestApi');
      assert.deepEqual(
        [api.SecurityPolicy, api.EndpointAccessMode],
        ['SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09', 'BASIC'],
      );
    }
  });

  it('D2 answers errors by itself in JSON, each status as it is meant, and repeats nothing', () => {
    const answers = ofType(cognito, 'AWS::ApiGateway::GatewayResponse');
    const statuses = Object.fromEntries(answers.map(({ ResponseType, StatusCode }) => [ResponseType, StatusCode]));
    assert.deepEqual(
      ['UNAUTHORIZED', 'EXPIRED_TOKEN', 'ACCESS_DENIED', 'MISSING_AUTHENTICATION_TOKEN', 'THROTTLED'].map(
        (type) => statuses[type],
      ),
      ['401', '401', '403', '404', '429'],
    );
    for (const { ResponseParameters, ResponseTemplates } of answers) {
      const { correlation, error, message, ...more } = JSON.parse(ResponseTemplates['application/json']);
      assert.deepEqual(more, {});
      assert.match(error, /^[a-z-]+$/);
      assert.ok(message.length > 10 && !message.includes('$'), message);
      assert.equal(correlation, '$context.requestId');
      assert.equal(ResponseParameters['gatewayresponse.header.Cache-Control'], "'no-store'");
      assert.equal(ResponseParameters['gatewayresponse.header.Referrer-Policy'], "'no-referrer'");
    }
  });

  it('C1 keeps the role for logs, which other APIs may use, and leaves it alone where there is one', () => {
    const account = Object.values(resources(saml)).find(({ Type }) => Type === 'AWS::ApiGateway::Account');
    assert.deepEqual([account?.DeletionPolicy, account?.UpdateReplacePolicy], ['Retain', 'Retain']);
    const present = entered(`accountLogRole: present\n${SAML}`, INSIDE);
    assert.deepEqual(ofType(present, 'AWS::ApiGateway::Account'), []);
    assert.equal(ofType(present, 'AWS::IAM::Role').length, ofType(saml, 'AWS::IAM::Role').length - 1);
  });

  it('C1 is known by its own address, or by the one that the file gives', () => {
    const [fn] = ofType(saml, 'AWS::Lambda::Function');
    const own = 'https://${ApiApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}/access';
    const [api] = Object.keys(resources(saml)).filter((id) => resources(saml)[id]!.Type === 'AWS::ApiGateway::RestApi');
    assert.equal(
      text(fn.Environment.Variables.TIDEGATE_ACCESS_URL),
      own.replace('ApiApi', api!.replace(/[0-9A-F]{8}$/, '')),
    );
    const theirs = entered(`url: https://studio.example.com\n${COGNITO}`);
    const outputs = theirs.template('TidegateAccess').toJSON()['Outputs'];
    assert.equal(outputs.Url.Value, 'https://studio.example.com');
    assert.deepEqual(ofType(theirs, 'AWS::Cognito::UserPoolClient')[0].CallbackURLs, [
      'https://studio.example.com/callback',
    ]);
    assert.equal(ofType(theirs, 'AWS::ApiGateway::RestApi')[0].DisableExecuteApiEndpoint, true);
    assert.equal(ofType(saml, 'AWS::ApiGateway::RestApi')[0].DisableExecuteApiEndpoint, false);
  });

  it('C1 stands behind the firewall that the file names', () => {
    const arn = 'arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/people/1';
    const behind = entered(`webAcl: ${arn}\n${COGNITO}`);
    assert.equal(ofType(behind, 'AWS::WAFv2::WebACLAssociation')[0].WebACLArn, arn);
    assert.deepEqual(ofType(cognito, 'AWS::WAFv2::WebACLAssociation'), []);
  });
});

describe('the functions', () => {
  const functions = (synthesis: typeof saml): Record<string, any> =>
    Object.fromEntries(ofType(synthesis, 'AWS::Lambda::Function').map((fn) => [fn.FunctionName, fn]));

  it('C6 the one that opens Studio runs in the VPC by the switch, the one that signs in never', () => {
    assert.ok(functions(saml)['tidegate-studio-access'].VpcConfig !== undefined);
    const both = functions(entered(COGNITO, INSIDE));
    assert.ok(both['tidegate-studio-access'].VpcConfig !== undefined);
    assert.equal(both['tidegate-studio-sign-in'].VpcConfig, undefined);
    assert.equal(functions(cognito)['tidegate-studio-access'].VpcConfig, undefined);
  });

  it('C1 answer before API Gateway gives up, are not retried, and have no queue', () => {
    for (const fn of Object.values(functions(cognito))) assert.deepEqual([fn.Timeout, fn.MemorySize], [28, 256]);
    assert.deepEqual(ofType(cognito, 'AWS::SQS::Queue'), []);
    assert.deepEqual(ofType(cognito, 'AWS::Lambda::EventInvokeConfig'), []);
  });

  it('C4 find access.json beside their binary, the same bytes at every synthesis', () => {
    const file = accessFile(FEDERATED);
    const made = [1, 2].map(() => {
      const { app, outdir } = makeApp({ access: file });
      app.synth();
      const { files } = JSON.parse(readFileSync(join(outdir, 'TidegateAccess.assets.json'), 'utf8')) as {
        files: Record<string, { source: { path: string; packaging: string } }>;
      };
      const zips = Object.values(files).filter(({ source }) => source.packaging === 'zip');
      return zips.map(({ source }) => {
        const read = (name: string) => readFileSync(join(outdir, source.path, name), 'utf8');
        return [source.path, read('bootstrap'), read('access.json')];
      });
    });
    assert.deepEqual(made[0], made[1]);
    assert.equal(made[0]!.length, 2);
    for (const [, bootstrap, json] of made[0]!) {
      assert.match(bootstrap!, /^not a program: studio-(access|sign-in)/);
      assert.deepEqual(JSON.parse(json!), normalise(readAccess(file)));
    }
  });

  it('C4 know where they are', () => {
    const { Variables } = functions(cognito)['tidegate-studio-sign-in'].Environment;
    assert.deepEqual(Object.keys(Variables).sort(), [
      'RUST_LOG',
      'TIDEGATE_ACCESS_CLIENT',
      'TIDEGATE_ACCESS_ISSUER',
      'TIDEGATE_ACCESS_PARAMETERS',
      'TIDEGATE_ACCESS_SCOPE',
      'TIDEGATE_ACCESS_SIGN_IN_URL',
      'TIDEGATE_ACCESS_TABLE',
      'TIDEGATE_ACCESS_URL',
      'TIDEGATE_ACCOUNT',
      'TIDEGATE_PARTITION',
    ]);
    assert.equal(Variables.TIDEGATE_ACCESS_PARAMETERS, '{}');
    assert.equal(text(Variables.TIDEGATE_ACCESS_ISSUER), '${PeoplePool.ProviderURL}');
    assert.equal(text(Variables.TIDEGATE_ACCESS_CLIENT), '${PeoplePoolClient}');
    assert.equal(
      text(Variables.TIDEGATE_ACCESS_SIGN_IN_URL),
      'https://tidegate-${AWS::AccountId}.auth.${AWS::Region}.amazoncognito.com',
    );
    assert.ok(!('TIDEGATE_ACCESS_CLIENT' in functions(saml)['tidegate-studio-access'].Environment.Variables));
  });

  it('C4 get the values of parameters that the file refers to, by their paths', () => {
    const { app, stacks } = makeApp({ ...INSIDE, domains: 'infra/studio/example.yaml', access: EXAMPLE });
    app.synth();
    const template = app.synth().getStackByName('TidegateAccess').template as { Resources: Record<string, any> };
    const fn: any = Object.values(template.Resources).find(({ Type }) => Type === 'AWS::Lambda::Function');
    const map = JSON.parse(text(fn.Properties.Environment.Variables.TIDEGATE_ACCESS_PARAMETERS));
    assert.match(map['/tidegate/studio/example/domain-id'], /^\$\{SsmParameterValuetidegatestudioexampledomainid/);
    assert.equal(Object.keys(map).length, 4);
    // What the domain's stack wrote is there before it is read.
    const before = stacks.access!.dependencies.map(({ stackName }) => stackName);
    assert.ok(before.includes('TidegateStudio-example'), before.join(' '));
  });
});

describe('the user pool', () => {
  const [pool] = ofType(cognito, 'AWS::Cognito::UserPool');
  const [client] = ofType(cognito, 'AWS::Cognito::UserPoolClient');

  it('D1 takes people by invitation only', () => {
    assert.equal(pool.AdminCreateUserConfig.AllowAdminCreateUserOnly, true);
    assert.deepEqual(pool.AccountRecoverySetting.RecoveryMechanisms, [{ Name: 'verified_email', Priority: 1 }]);
    assert.deepEqual(pool.EnabledMfas, ['SOFTWARE_TOKEN_MFA']);
    assert.equal(pool.MfaConfiguration, 'OPTIONAL');
    const [strict] = ofType(entered('cognito:\nnetwork: regional\ndomains: [{ name: a }]'), 'AWS::Cognito::UserPool');
    assert.equal(strict.MfaConfiguration, 'ON');
    assert.equal(pool.Policies.PasswordPolicy.MinimumLength, 14);
  });

  it('D1 has a public client with a code grant and no secret, back to exactly one address', () => {
    assert.equal(client.GenerateSecret, false);
    assert.deepEqual(
      [client.AllowedOAuthFlows, client.AllowedOAuthFlowsUserPoolClient, client.PreventUserExistenceErrors],
      [['code'], true, 'ENABLED'],
    );
    assert.deepEqual(client.AllowedOAuthScopes.map(text), ['openid', '${PeoplePoolServer}/studio.enter']);
    assert.equal(client.CallbackURLs.length, 1);
    assert.match(text(client.CallbackURLs[0]), /^https:\/\/\S+\/access\/callback$/);
    assert.deepEqual(
      [client.AccessTokenValidity, client.IdTokenValidity, client.RefreshTokenValidity, client.EnableTokenRevocation],
      [15, 15, 60, true],
    );
  });

  it('D3 has a group for each domain', () => {
    const groups = ofType(cognito, 'AWS::Cognito::UserPoolGroup').map(({ GroupName }) => GroupName);
    assert.deepEqual(groups.sort(), ['second', 'team1']);
  });

  it('D6 invites by mail, without a password anywhere', () => {
    const [user] = ofType(cognito, 'AWS::Cognito::UserPoolUser');
    assert.deepEqual([user.Username, user.DesiredDeliveryMediums, user.MessageAction], ['ann', ['EMAIL'], undefined]);
    const [membership] = ofType(cognito, 'AWS::Cognito::UserPoolUserToGroupAttachment');
    assert.equal(membership.GroupName, 'team1');
    const template = JSON.stringify(cognito.template('TidegateAccess').toJSON());
    for (const word of ['"TemporaryPassword"', 'ClientSecret', 'SecretString'])
      assert.ok(!template.includes(word), word);
  });

  it('D1 puts no secret into outputs', () => {
    const outputs = Object.keys(cognito.template('TidegateAccess').toJSON()['Outputs']).sort();
    assert.deepEqual(outputs, [
      'ApiId',
      'ClientId',
      'HostedUrl',
      'Scope',
      'SignInUrl',
      'TableName',
      'Url',
      'UserPoolId',
    ]);
  });

  it('D1 stays with `retain`, and cannot be deleted', () => {
    const kept = entered(COGNITO, { retain: true });
    const found = Object.values(resources(kept)).find(({ Type }) => Type === 'AWS::Cognito::UserPool');
    assert.deepEqual([found?.DeletionPolicy, found?.Properties.DeletionProtection], ['Retain', 'ACTIVE']);
    const gone = Object.values(resources(cognito)).find(({ Type }) => Type === 'AWS::Cognito::UserPool');
    assert.deepEqual([gone?.DeletionPolicy, gone?.Properties.DeletionProtection], ['Delete', 'INACTIVE']);
  });

  it('D1 takes people from an identity provider', () => {
    const federated = entered(FEDERATED);
    const [provider] = ofType(federated, 'AWS::Cognito::UserPoolIdentityProvider');
    assert.deepEqual([provider.ProviderType, provider.AttributeMapping], ['SAML', { email: 'mail' }]);
    assert.match(provider.ProviderDetails.MetadataFile, /<EntityDescriptor/);
    const [own] = ofType(federated, 'AWS::Cognito::UserPoolClient');
    assert.deepEqual(own.SupportedIdentityProviders, ['COGNITO', 'corporate']);
    const outputs = federated.template('TidegateAccess').toJSON()['Outputs'];
    assert.match(text(outputs.PoolAcsUrl.Value), /\.amazoncognito\.com\/saml2\/idpresponse$/);
    assert.equal(text(outputs.PoolAudience.Value), 'urn:amazon:cognito:sp:${PeoplePool}');
  });
});

describe('the table', () => {
  it('C3 is encrypted by the customer’s key, forgets by itself, and goes with the stack', () => {
    for (const synthesis of [saml, entered(COGNITO, { retain: true })]) {
      const [id, table] = Object.entries(resources(synthesis)).find(([, { Type }]) => Type === 'AWS::DynamoDB::Table')!;
      assert.equal(table.Properties.TableName, 'tidegate-access', id);
      assert.deepEqual(table.Properties.TimeToLiveSpecification, { AttributeName: 'expires', Enabled: true });
      assert.equal(text(table.Properties.SSESpecification.KMSMasterKeyId), '${KeysData.Arn}');
      assert.deepEqual(table.Properties.KeySchema, [{ AttributeName: 'pk', KeyType: 'HASH' }]);
      assert.equal(table.DeletionPolicy, 'Delete');
    }
  });
});

describe('the alarms', () => {
  const runbook = readFileSync(join(PROJECT_ROOT, 'docs', 'RUNBOOK.md'), 'utf8');

  it('E6 ring on errors, throttling and errors of the API, and point into the runbook', () => {
    const alarms = ofType(cognito, 'AWS::CloudWatch::Alarm');
    assert.deepEqual(alarms.map(({ AlarmName }) => AlarmName).sort(), [
      'tidegate-studio-access-api-broken',
      'tidegate-studio-access-errors',
      'tidegate-studio-access-throttles',
      'tidegate-studio-sign-in-errors',
      'tidegate-studio-sign-in-throttles',
    ]);
    for (const { AlarmActions, AlarmDescription } of alarms) {
      assert.deepEqual(AlarmActions.map(text), [
        'arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}:tidegate-alerts',
      ]);
      const [, anchor] = /docs\/RUNBOOK\.md#(\S+)$/.exec(AlarmDescription) ?? [];
      assert.ok(runbook.includes(`(#${anchor})`), AlarmDescription);
    }
    const broken = alarms.find(({ MetricName }) => MetricName === '5XXError');
    assert.deepEqual(
      broken.Dimensions.map(({ Name, Value }: any) => [Name, text(Value)]),
      [
        ['ApiName', 'tidegate-access'],
        ['Stage', '${ApiDeploymentStageaccess}'],
      ],
    );
  });
});

describe('IAM, where AWS verifies', () => {
  it('C7 gets a provider of the metadata, or uses one that there is', () => {
    const [made] = ofType(entered(BY_AWS, INSIDE), 'AWS::IAM::SAMLProvider');
    assert.equal(made.Name, 'tidegate-access');
    assert.match(made.SamlMetadataDocument, /<EntityDescriptor/);
    const arn = 'arn:aws:iam::111122223333:saml-provider/theirs';
    const theirs = entered(BY_AWS.replace('metadata: idp.xml', `provider: ${arn}`), INSIDE);
    assert.deepEqual(ofType(theirs, 'AWS::IAM::SAMLProvider'), []);
    const trusted = ofType(theirs, 'AWS::IAM::Role').flatMap(({ AssumeRolePolicyDocument }) =>
      AssumeRolePolicyDocument.Statement.map(({ Principal }: any) => Principal.Federated),
    );
    assert.deepEqual([...new Set(trusted.filter(Boolean))], [arn]);
  });

  it('C7 gets a role for each domain, or none where the file names them', () => {
    const names = (synthesis: typeof saml) =>
      ofType(synthesis, 'AWS::IAM::Role').flatMap(({ RoleName }) => (RoleName ? [RoleName] : []));
    assert.deepEqual(names(entered(BY_AWS, INSIDE)), ['tidegate-access-team1', 'tidegate-access-team2']);
    const given = BY_AWS.replace(
      'idp.xml',
      "idp.xml\n  roles: [{ arn: 'arn:aws:iam::111122223333:role/a', domain: team1 }]",
    );
    assert.deepEqual(names(entered(given, INSIDE)), []);
  });
});

describe('the network', () => {
  const endpoints = (synthesis: typeof saml) =>
    synthesis
      .ofType('AWS::EC2::VPCEndpoint')
      .map(([, { Properties }]) => text(Properties.ServiceName).split('${AWS::Region}.')[1])
      .sort();

  it('C1 has the endpoints that the way in needs, and no others', () => {
    assert.deepEqual(endpoints(saml), ['dynamodb', 'execute-api', 's3', 'sagemaker.api', 'scheduler', 'sns', 'studio']);
    assert.ok(endpoints(entered(BY_AWS, INSIDE)).includes('sts'));
    // Over the internet people need none.
    assert.deepEqual(endpoints(entered(COGNITO, INSIDE)), ['dynamodb', 's3', 'sagemaker.api', 'scheduler', 'sns']);
    assert.deepEqual(endpoints(entered(SAML, { network: 'new' })), ['dynamodb', 'execute-api', 's3', 'studio']);
  });

  it('C1 lets people in from where they are, to the endpoints that they call', () => {
    const vpn = entered(`addresses: [10.9.0.0/16]\n${SAML}`, INSIDE);
    const admits = (service: string) => {
      const [, endpoint] = vpn
        .ofType('AWS::EC2::VPCEndpoint')
        .find(([, { Properties }]) => text(Properties.ServiceName).endsWith(`.${service}`))!;
      const [group] = endpoint.Properties.SecurityGroupIds;
      return vpn.resources[group['Fn::GetAtt'][0]]!.Properties.SecurityGroupIngress.map(({ CidrIp }: any) => CidrIp);
    };
    assert.deepEqual(admits('execute-api'), ['10.0.0.0/20', '10.9.0.0/16']);
    assert.deepEqual(admits('studio'), ['10.0.0.0/20', '10.9.0.0/16']);
    assert.deepEqual(admits('sagemaker.api'), ['10.0.0.0/20']);
  });

  const existing = { network: 'vpc-0123456789abcdef0', subnets: 'subnet-0aaaaaaaaaaaaaaa0,subnet-0bbbbbbbbbbbbbbb0' };
  const ids = (names: string) => names.split(' ').map((name, at) => `${name}: [vpce-0aaaaaaaaaaaaaaa${at}]`);
  it('C1 that somebody else made is named in the file, or an error says what is missing', () => {
    assert.throws(
      () => makeApp({ ...existing, access: accessFile(SAML) }),
      /a private API is reached through an endpoint that is not known: .*`vpcEndpoints\.executeApi`/,
    );
    const partly = `vpcEndpoints: { ${ids('executeApi').join(', ')} }\n${SAML}`;
    const inside = { ...existing, functionsInVpc: true };
    assert.throws(
      () => makeApp({ ...inside, access: accessFile(partly) }),
      /through an endpoint that is not known: name it in `vpcEndpoints\.sagemaker`/,
    );
    const nearly = `vpcEndpoints: { ${ids('executeApi sagemaker').join(', ')} }\n${SAML}`;
    assert.throws(
      () => makeApp({ ...inside, access: accessFile(nearly) }),
      /people open Studio through an endpoint that is not known: name it in `vpcEndpoints\.studio`/,
    );
    const wholly = `vpcEndpoints: { ${ids('executeApi sagemaker studio').join(', ')} }\n${SAML}`;
    makeApp({ ...inside, access: accessFile(wholly) });
    makeApp({ ...inside, access: accessFile(`vpcs: [vpc-0123456789abcdef0]\n${SAML}`) });
  });

  it('C6 that bounds less than it seems is warned of', () => {
    const warned = (text: string, context: Record<string, unknown> = {}) =>
      Annotations.fromStack(makeApp({ ...context, access: accessFile(text) }).stacks.access!)
        .findWarning('*', Match.anyValue())
        .map(({ entry }) => String(entry.data).replace(/^\S+access\.yaml: /, ''));
    assert.deepEqual(warned(SAML, INSIDE), []);
    const [open, anywhere, ...more] = warned(FEDERATED);
    assert.match(open!, /the API is open to the internet: name `addresses`/);
    assert.deepEqual([anywhere, more], [undefined, []]);
    assert.match(warned(COGNITO)[0]!, /Studio's URL opens from anywhere, because the function has no address of yours/);
    assert.match(warned(SAML, { network: 'new' })[0]!, /the function is outside: the URL opens from anywhere/);
    assert.match(warned(FEDERATED, INSIDE)[1]!, /`regional` without `addresses`: Studio's URL opens from anywhere/);
  });
});
