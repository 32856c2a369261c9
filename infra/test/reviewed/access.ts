import type { Acknowledged, Reasons } from './kinds';

const SAGEMAKER = 'arn:${AWS::Partition}:sagemaker:${AWS::Region}:${AWS::AccountId}';
/** The example's domain, whose id is in a parameter. */
const EXAMPLE = '${SsmParameterValuetidegatestudioexampledomainidC96584B6F00A464EAD1953AFF4B05118Parameter}';

const PROFILES =
  'profiles are made as people come; conditions on their tags bound which are made, changed and opened, and from where';

/** Wildcards of the stack that lets people into Studio, and why no exact name can stand there. */
export const wildcards: Reasons = {
  'Allow resource arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:*/access/*':
    'a policy of an endpoint gives no right; the id of the API comes after the endpoint, its stage is named',
  'Allow resource execute-api:/*':
    'in the policy of an API this means the API itself; who is not denied has to sign in',
  'Deny resource execute-api:/*': 'nothing of the API is reached by another way',
  [`Allow resource ${SAGEMAKER}:user-profile/${EXAMPLE}/*`]: PROFILES,
  [`Allow resource ${SAGEMAKER}:user-profile/*/*`]: `the file names the domains without their ids; ${PROFILES}`,
  [`Allow resource ${SAGEMAKER}:user-profile/d-0team1/*`]: PROFILES,
  [`Allow resource ${SAGEMAKER}:user-profile/d-0team2/*`]: PROFILES,
  [`Deny resource ${SAGEMAKER}:user-profile/${EXAMPLE}/*`]: 'no profile is opened from elsewhere',
  [`Deny resource ${SAGEMAKER}:user-profile/d-0team1/*`]: 'no profile is opened from elsewhere',
  [`Deny resource ${SAGEMAKER}:user-profile/d-0team2/*`]: 'no profile is opened from elsewhere',
};

/** Actions that may stand beside the resource `*`, and why. */
export const anyResource: Reasons = {};

const STAGE = /^TidegateAccess\/Api\/Api\/DeploymentStage\.access\/Resource$/;
/** Not the method that an access token opens. */
const SIGN_IN = /^TidegateAccess\/Api\/Api\/Default\/(callback|enter|login|saml)\/(GET|POST)\/Resource$/;
const FUNCTIONS = /^TidegateAccess\/Studio(Access|SignIn)\/Function\/Resource$/;
const TABLE = /^TidegateAccess\/Table\/Resource$/;
const POOL = /^TidegateAccess\/People\/Pool\/Resource$/;

const MINUTES =
  'the table holds pending sign-ins, tickets and replays for minutes: restored ones would be past their time, or let in what was used';

/** Findings of the rule packs that stay, each with a reason. */
export const acknowledged: readonly Acknowledged[] = [
  {
    rule: 'AwsSolutions-APIG3',
    at: STAGE,
    reason:
      'a firewall is a choice of the account: `webAcl` names one; without it addresses, endpoints and throttling bound who asks',
  },
  {
    rule: 'NIST.800.53.R5-APIGWAssociatedWithWAF',
    at: STAGE,
    reason:
      'a firewall is a choice of the account: `webAcl` names one; without it addresses, endpoints and throttling bound who asks',
  },
  {
    rule: 'AwsSolutions-APIG4',
    at: SIGN_IN,
    reason: 'who signs in has no authorization yet: the function behind the address decides whether there is to be one',
  },
  {
    rule: 'AwsSolutions-COG4',
    at: SIGN_IN,
    reason: 'who signs in has no token yet: the function behind the address decides whether there is to be one',
  },
  {
    rule: 'AwsSolutions-APIG6',
    at: STAGE,
    reason: 'execution logs hold query strings and bodies, which here are codes and assertions; access logs are on',
  },
  {
    rule: 'NIST.800.53.R5-APIGWExecutionLoggingEnabled',
    at: STAGE,
    reason: 'execution logs hold query strings and bodies, which here are codes and assertions; access logs are on',
  },
  {
    rule: 'NIST.800.53.R5-APIGWCacheEnabledAndEncrypted',
    at: STAGE,
    reason: 'every answer is for one person and one time: nothing may be cached',
  },
  {
    rule: 'NIST.800.53.R5-APIGWSSLEnabled',
    at: STAGE,
    reason: 'a client certificate shows API Gateway to servers; functions know it by its right to invoke them',
  },
  {
    rule: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]',
    at: /^TidegateAccess\/Api\/Api\/CloudWatchRole\/Resource$/,
    reason: 'the account has one such role for all APIs, and API Gateway takes it only with these rights',
  },
  {
    rule: 'AwsSolutions-COG2',
    at: POOL,
    reason:
      'a second factor is the default; a file that says `mfa: optional` leaves it to people, a federated pool to their provider',
  },
  {
    rule: 'AwsSolutions-COG8',
    at: POOL,
    reason:
      'threat protection is a plan that costs for each person; people come by invitation, from addresses that are named',
  },
  { rule: 'AwsSolutions-DDB3', at: TABLE, reason: MINUTES },
  { rule: 'NIST.800.53.R5-DynamoDBPITREnabled', at: TABLE, reason: MINUTES },
  { rule: 'NIST.800.53.R5-DynamoDBInBackupPlan', at: TABLE, reason: MINUTES },
  {
    rule: 'NIST.800.53.R5-IAMNoInlinePolicy',
    at: /^TidegateAccess\/(Studio(Access|SignIn)\/Role|Saml\/Role-[\w-]+)\/DefaultPolicy\/Resource$/,
    reason: 'each policy is the work of one role and of no other: a managed policy could be attached elsewhere',
  },
  {
    rule: 'NIST.800.53.R5-LambdaConcurrency',
    at: FUNCTIONS,
    reason:
      "reserved concurrency is taken from the account's pool for ever, and refused where the pool is small; the stage lets through 25 requests a second, 50 at once",
  },
  {
    rule: 'NIST.800.53.R5-LambdaDLQ',
    at: FUNCTIONS,
    reason: 'API Gateway waits for the answer: a failure is told to the person, and nothing is left to be retried',
  },
  {
    rule: 'NIST.800.53.R5-LambdaInsideVPC',
    at: FUNCTIONS,
    reason:
      "a switch puts the function that opens Studio into isolated subnets (`functionsInVpc`); the one that signs in calls Cognito's hosted pages, which have no endpoint",
  },
];
