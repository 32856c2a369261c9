import { Aws, Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as apigateway from 'aws-cdk-lib/aws-apigateway';
import type * as cognito from 'aws-cdk-lib/aws-cognito';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as wafv2 from 'aws-cdk-lib/aws-wafv2';
import { Construct } from 'constructs';
import type { PolicyDocument } from 'aws-cdk-lib/aws-iam';
import { ACCESS_STAGE } from '../shared/access-stage';
import { accessLogsOf, logGroup } from '../shared/log-groups';
import { answers } from './answers';

/** Requests a second of everybody together, and at once: people who sign in, not programs. */
const RATE = 25;
const BURST = 50;

/**
 * What a line of the access log holds: no query string, no header, no cookie, no body, and of the path the template alone,
 * since the first hold codes, states and assertions, and the last a name. `userAgent` is a header too.
 */
const LOGGED = {
  requestId: '$context.requestId',
  time: '$context.requestTime',
  address: '$context.identity.sourceIp',
  endpoint: '$context.identity.vpceId',
  method: '$context.httpMethod',
  resource: '$context.resourcePath',
  status: '$context.status',
  answered: '$context.integration.status',
  refused: '$context.error.responseType',
  milliseconds: '$context.responseLatency',
  bytes: '$context.responseLength',
};

/** TLS 1.2 with forward secrecy, and 1.3. */
const TLS = 'SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09';

export interface ApiProps {
  readonly prefix: string;
  readonly privately: boolean;
  readonly policy?: PolicyDocument;
  /** Of a private API: names that resolve outside the VPC too lead to these. */
  readonly vpcEndpointIds: readonly string[];
  readonly defaultEndpoint: boolean;
  readonly setsLogRole: boolean;
  readonly webAclArn?: string;
  readonly logsKey: kms.IKey;
  readonly removalPolicy: RemovalPolicy;
}

/** What answers to a path. */
export interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly handler: lambda.IFunction;
  /** Who may call, where API Gateway is to decide; absent: the function decides, that is what it is for. */
  readonly tokens?: { readonly pool: cognito.IUserPool; readonly scope: string };
  /** What a request has to carry, or is refused before the function. */
  readonly needs?: readonly string[];
}

/** The API that people sign in at: one stage, no cache, no trace, no execution log. */
export class Api extends Construct {
  /** Without a slash at its end. Not by the stage, which comes after the functions that have to know it. */
  readonly url: string;
  readonly api: apigateway.RestApi;
  private readonly authorizers = new Map<string, apigateway.CognitoUserPoolsAuthorizer>();
  private readonly validator: apigateway.RequestValidator;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: ApiProps,
  ) {
    super(scope, id);
    const group = logGroup(this, 'Logs', {
      name: accessLogsOf(props.prefix),
      key: props.logsKey,
      removalPolicy: props.removalPolicy,
    });
    this.api = new apigateway.RestApi(this, 'Api', {
      restApiName: `${props.prefix}-access`,
      description: 'Lets people into SageMaker Studio',
      endpointTypes: [props.privately ? apigateway.EndpointType.PRIVATE : apigateway.EndpointType.REGIONAL],
      policy: props.policy,
      disableExecuteApiEndpoint: !props.defaultEndpoint,
      // One for the account and region: it stays, since other APIs may have come to need it.
      cloudWatchRole: props.setsLogRole,
      ...(props.setsLogRole && { cloudWatchRoleRemovalPolicy: RemovalPolicy.RETAIN }),
      deployOptions: {
        stageName: ACCESS_STAGE,
        accessLogDestination: new apigateway.LogGroupLogDestination(group),
        accessLogFormat: apigateway.AccessLogFormat.custom(JSON.stringify(LOGGED)),
        // Execution logs hold query strings and bodies, which here are codes and assertions; X-Ray records addresses.
        loggingLevel: apigateway.MethodLoggingLevel.OFF,
        dataTraceEnabled: false,
        tracingEnabled: false,
        metricsEnabled: true,
        cachingEnabled: false,
        throttlingRateLimit: RATE,
        throttlingBurstLimit: BURST,
      },
    });
    const resource = this.api.node.defaultChild as apigateway.CfnRestApi;
    if (props.vpcEndpointIds.length > 0) {
      resource.addPropertyOverride('EndpointConfiguration.VpcEndpointIds', [...props.vpcEndpointIds]);
    }
    // Without it a regional API speaks TLS 1.0, a private one 1.2. An enhanced policy wants an access mode; `STRICT` would
    // refuse names of VPC endpoints: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-security-policies.html
    resource.securityPolicy = TLS;
    resource.endpointAccessMode = 'BASIC';
    this.api.node.tryRemoveChild('Endpoint'); // An output of the library's own, beside ours.
    this.url = `https://${this.api.restApiId}.execute-api.${Aws.REGION}.${Aws.URL_SUFFIX}/${ACCESS_STAGE}`;
    this.validator = this.api.addRequestValidator('Validator', {
      requestValidatorName: 'parameters',
      validateRequestParameters: true,
      validateRequestBody: true,
    });
    answers(this.api);
    if (props.webAclArn !== undefined) {
      new wafv2.CfnWebACLAssociation(this, 'WebAcl', {
        resourceArn: this.api.deploymentStage.stageArn,
        webAclArn: props.webAclArn,
      });
    }
  }

  add({ handler, method, needs, path, tokens }: Route): void {
    const integration = new apigateway.LambdaIntegration(handler, {
      proxy: true,
      allowTestInvoke: false,
      timeout: Duration.seconds(29),
    });
    this.api.root.resourceForPath(path).addMethod(method, integration, {
      ...(needs !== undefined && {
        requestParameters: Object.fromEntries(needs.map((name) => [`method.request.${name}`, true])),
        requestValidator: this.validator,
      }),
      ...(tokens === undefined
        ? { authorizationType: apigateway.AuthorizationType.NONE }
        : {
            authorizationType: apigateway.AuthorizationType.COGNITO,
            authorizer: this.authorizer(tokens.pool),
            authorizationScopes: [tokens.scope],
          }),
    });
  }

  private authorizer(pool: cognito.IUserPool): apigateway.CognitoUserPoolsAuthorizer {
    const known = this.authorizers.get(pool.node.path);
    if (known !== undefined) return known;
    const made = new apigateway.CognitoUserPoolsAuthorizer(this, 'Authorizer', {
      authorizerName: `${this.props.prefix}-access`,
      cognitoUserPools: [pool],
      resultsCacheTtl: Duration.seconds(0),
    });
    this.authorizers.set(pool.node.path, made);
    return made;
  }
}
