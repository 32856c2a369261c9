import assert from 'node:assert/strict';
import { type Simulation, runSimulation } from '@cloud-copilot/iam-simulate';
import { text } from '../policies';
import type { Synthesized } from '../stack';
import { resources } from './synth';

export const ACCOUNT = '111122223333';

/** What is made when the stacks are deployed, as it is called here. */
const MADE: Record<string, string> = {
  '${EndpointsSagemakerApi}': 'vpce-0aaaaaaaaaaaaaaa1',
  '${EndpointsStudio}': 'vpce-0aaaaaaaaaaaaaaa2',
  '${EndpointsExecuteApi}': 'vpce-0aaaaaaaaaaaaaaa3',
  '${EndpointsSts}': 'vpce-0aaaaaaaaaaaaaaa4',
  '${AWS::Partition}': 'aws',
  '${AWS::Region}': 'us-east-1',
  '${AWS::AccountId}': ACCOUNT,
  '${SamlProvider}': `arn:aws:iam::${ACCOUNT}:saml-provider/tidegate-access`,
};
export const [SAGEMAKER_ENDPOINT, STUDIO_ENDPOINT, API_ENDPOINT, STS_ENDPOINT] = [
  'vpce-0aaaaaaaaaaaaaaa1',
  'vpce-0aaaaaaaaaaaaaaa2',
  'vpce-0aaaaaaaaaaaaaaa3',
  'vpce-0aaaaaaaaaaaaaaa4',
] as const;

/** A value as in one account: nothing is left that CloudFormation would fill in. */
export function inAccount(value: unknown): any {
  if (Array.isArray(value)) return value.map(inAccount);
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return value;
  const keys = Object.keys(value);
  if (keys.length === 1 && /^(Ref|Fn::)/.test(keys[0]!)) {
    return Object.entries(MADE).reduce((all, [from, to]) => all.replaceAll(from, to), text(value));
  }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, inAccount(inner)]));
}

export type Context = Record<string, string | string[] | undefined>;

async function decide(simulation: Simulation): Promise<boolean> {
  const result = await runSimulation(simulation, {});
  if (result.resultType !== 'single') throw new Error(JSON.stringify(result, null, 1));
  // A case must not pass because of a key that the action never has.
  assert.deepEqual(result.result.ignoredContextKeys ?? [], []);
  return result.overallResult === 'Allowed';
}

const given = (context: Context) =>
  Object.fromEntries(Object.entries(context).filter(([, value]) => value !== undefined)) as Record<
    string,
    string | string[]
  >;

/** Whether a session of this role may do something, with the policy that the stack gives it. */
export function may(synthesis: Synthesized, role: RegExp) {
  const policies = Object.entries(resources(synthesis))
    .filter(
      ([, { Type, Properties }]) =>
        Type === 'AWS::IAM::Policy' && Properties.Roles.some(({ Ref }: { Ref: string }) => role.test(Ref)),
    )
    .map(([name, { Properties }]) => ({ name, policy: inAccount(Properties.PolicyDocument) }));
  assert.equal(policies.length, 1, `${role}`);
  return (action: string, resource: string, context: Context = {}): Promise<boolean> =>
    decide({
      request: {
        action,
        principal: `arn:aws:sts::${ACCOUNT}:assumed-role/role/session`,
        resource: { accountId: ACCOUNT, resource },
        contextVariables: given({ 'aws:PrincipalArn': `arn:aws:iam::${ACCOUNT}:role/role`, ...context }),
      },
      identityPolicies: policies,
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    });
}

/** Whether anybody may reach the API, by its own policy. */
export function mayReach(synthesis: Synthesized) {
  const api = Object.values(resources(synthesis)).find(({ Type }) => Type === 'AWS::ApiGateway::RestApi');
  const api1 = `arn:aws:execute-api:us-east-1:${ACCOUNT}:api1`;
  const policy = JSON.parse(
    // Relative to the API, as API Gateway reads it.
    JSON.stringify(inAccount(api!.Properties.Policy)).replaceAll('"execute-api:/*"', `"${api1}/*"`),
  );
  return (context: Context): Promise<boolean> =>
    decide({
      request: {
        action: 'execute-api:Invoke',
        principal: `arn:aws:iam::${ACCOUNT}:user/anybody`,
        resource: { accountId: ACCOUNT, resource: `${api1}/access/POST/saml` },
        contextVariables: given(context),
      },
      identityPolicies: [],
      resourcePolicy: policy,
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    });
}

/** The policy that says who takes a role. */
export function trustOf(synthesis: Synthesized, role: RegExp): any {
  const [, found] = Object.entries(resources(synthesis)).find(
    ([id, { Type }]) => Type === 'AWS::IAM::Role' && role.test(id),
  )!;
  return inAccount(found.Properties.AssumeRolePolicyDocument);
}
