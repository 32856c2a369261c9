import { Annotations, CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import type { StackProps } from 'aws-cdk-lib';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as sns from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { removalPolicy } from '../config';
import type { Config } from '../config';
import type { Ground } from '../network/stack';
import { Alarms } from '../orchestrator/alarms';
import { alertsTopic } from '../orchestrator/alerts';
import { RustFunction } from '../shared/rust-function';
import type { StorageStack } from '../storage/stack';
import { Values } from '../studio/values';
import { Api } from './api';
import { ByAws } from './by-aws';
import type { Access } from './config/access';
import { normalise, parametersIn } from './config/normalised';
import { entry, remember } from './permissions';
import { apiPolicy, studioPlaces } from './places';
import { UserPool } from './user-pool';

/** API Gateway waits for 29 seconds; the function gives up before, and says so. */
const TIMEOUT = Duration.seconds(28);

export interface AccessStackProps extends StackProps {
  readonly config: Config;
  readonly access: Access;
  readonly storage: StorageStack;
  readonly ground?: Ground;
}

/** The way into Studio: an API, the functions that decide who enters, what they remember, and who people are. */
export class AccessStack extends Stack {
  constructor(scope: Construct, id: string, props: AccessStackProps) {
    super(scope, id, props);
    const { access, config, ground, storage } = props;
    const { prefix } = config;
    const kept = removalPolicy(config);
    const values = new Values(this);

    // Through what.
    const reached = apiPolicy(access, ground);
    const places = studioPlaces(access, config.functionsInVpc, ground);
    for (const [index, warning] of [...access.warnings, ...reached.warnings, ...places.warnings].entries()) {
      Annotations.of(this).addWarningV2(`tidegate:access-${index}`, warning);
    }
    const api = new Api(this, 'Api', {
      prefix,
      privately: access.network === 'private',
      policy: reached.policy,
      vpcEndpointIds: reached.vpcEndpointIds,
      defaultEndpoint: access.defaultEndpoint,
      setsLogRole: access.setsLogRole,
      webAclArn: access.webAcl && values.text(access.webAcl),
      logsKey: storage.logsKey,
      removalPolicy: kept,
    });
    const url = access.url ?? api.url;

    // Who.
    const pool =
      access.cognito &&
      new UserPool(this, 'People', {
        prefix,
        cognito: access.cognito,
        domains: access.domains,
        values,
        callbackUrl: `${url}/callback`,
        removalPolicy: kept,
        deletionProtection: config.retain,
      });
    const byAws =
      access.saml?.verify === 'aws'
        ? new ByAws(this, 'Saml', { prefix, access, saml: access.saml, values, places })
        : undefined;

    // What is remembered: for minutes, and for nobody to read later.
    const table = new dynamodb.Table(this, 'Table', {
      tableName: `${prefix}-access`,
      partitionKey: { name: 'pk', type: dynamodb.AttributeType.STRING },
      billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
      encryption: dynamodb.TableEncryption.CUSTOMER_MANAGED,
      encryptionKey: storage.dataKey,
      timeToLiveAttribute: 'expires',
      removalPolicy: removalPolicy({ retain: false }),
    });

    // What decides.
    const document = normalise(access, byAws?.made);
    const parameters = Object.fromEntries(parametersIn(document).map((path) => [path, values.text(`ssm:${path}`)]));
    const environment = {
      TIDEGATE_ACCESS_TABLE: table.tableName,
      TIDEGATE_ACCESS_URL: api.url,
      TIDEGATE_ACCESS_PARAMETERS: this.toJsonString(parameters),
      TIDEGATE_ACCOUNT: this.account,
      TIDEGATE_PARTITION: this.partition,
      ...(pool && {
        TIDEGATE_ACCESS_ISSUER: pool.pool.userPoolProviderUrl,
        TIDEGATE_ACCESS_CLIENT: pool.client.userPoolClientId,
        TIDEGATE_ACCESS_SIGN_IN_URL: pool.signInUrl,
        TIDEGATE_ACCESS_SCOPE: pool.scope,
      }),
    };
    const common = {
      prefix,
      binaries: config.binaries,
      timeout: TIMEOUT,
      environment,
      logsKey: storage.logsKey,
      removalPolicy: kept,
      files: { 'access.json': `${JSON.stringify(document, null, 2)}\n` },
    };
    // Who was verified here enters by the function's own right; for others it uses the session that AWS gave.
    const entersItself = access.saml?.verify === 'here' || access.cognito !== undefined;
    const roleByClaim = access.saml?.verify === 'here' && access.saml.claims.role !== undefined;
    const studioAccess = new RustFunction(this, 'StudioAccess', {
      ...common,
      binary: 'studio-access',
      description: 'Lets people into SageMaker Studio: verifies who they are, makes their profile, asks for its URL',
      permissions: [
        ...remember(table, storage.dataKey),
        ...(entersItself ? entry(this, { values, domains: access.domains, places, roleByClaim }) : []),
      ],
      place: config.functionsInVpc ? ground : undefined,
    });
    const signIn =
      pool &&
      new RustFunction(this, 'StudioSignIn', {
        ...common,
        binary: 'studio-sign-in',
        description: "Signs people in by Cognito's hosted pages; it has no right to Studio",
        permissions: remember(table, storage.dataKey),
      });

    // What answers.
    const enter = studioAccess.function;
    api.add({ method: 'GET', path: '/enter', handler: enter });
    if (access.saml !== undefined) {
      api.add({ method: 'POST', path: '/saml', handler: enter, needs: ['header.Content-Type'] });
    }
    if (access.saml?.verify === 'here' && access.saml.signOnUrl !== undefined) {
      api.add({ method: 'GET', path: '/login', handler: enter });
    }
    if (pool !== undefined && signIn !== undefined) {
      api.add({ method: 'GET', path: '/login', handler: signIn.function });
      api.add({ method: 'GET', path: '/callback', handler: signIn.function });
      api.add({
        method: 'GET',
        path: '/domainName/{name}/getPresignedUrl',
        handler: enter,
        tokens: { pool: pool.pool, scope: pool.scope },
        needs: ['path.name'],
      });
    }

    // Who is told when it does not work.
    const topicArn = this.formatArn({ service: 'sns', resource: alertsTopic(prefix) });
    const alarms = new Alarms(this, 'Alarms', { prefix, topic: sns.Topic.fromTopicArn(this, 'Alerts', topicArn) });
    alarms.answering('studio-access', enter);
    if (signIn !== undefined) alarms.answering('studio-sign-in', signIn.function);
    alarms.stage('studio-access-api', api.api.deploymentStage);

    // What people, and their identity provider, have to know.
    const output = (name: string, value: string, description: string) =>
      new CfnOutput(this, name, { value, description });
    output('Url', url, 'Where people enter');
    output('ApiId', api.api.restApiId, 'The API, for a domain of yours that is mapped to its stage');
    output('TableName', table.tableName, 'What the functions remember');
    if (access.saml !== undefined) {
      const { saml } = access;
      output('AcsUrl', `${url}/saml`, 'For the identity provider: the assertion consumer service (HTTP-POST)');
      output('Audience', saml.audience ?? url, 'For the identity provider: our entity ID');
      if (saml.verify === 'aws') output('Recipient', saml.recipient, 'For the identity provider: the recipient');
    }
    if (pool !== undefined) {
      output('SignInUrl', `${url}/login`, 'Where people begin to sign in');
      output('HostedUrl', access.cognito?.signInUrl ?? pool.signInUrl, "Cognito's hosted pages");
      output('UserPoolId', pool.pool.userPoolId, 'Where people are invited');
      output('ClientId', pool.client.userPoolClientId, 'The public client; it has no secret');
      output('Scope', pool.scope, 'What access tokens have to be for');
      if (access.cognito?.federation !== undefined) {
        output('PoolAcsUrl', `${pool.signInUrl}/saml2/idpresponse`, "For the identity provider: the pool's ACS");
        output('PoolAudience', `urn:amazon:cognito:sp:${pool.pool.userPoolId}`, "For it: the pool's entity ID");
      }
    }
  }
}
