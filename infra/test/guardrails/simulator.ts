import { type Simulation, runSimulation } from '@cloud-copilot/iam-simulate';

/** A policy document, whoever wrote it. */
export type AnyPolicy = { Version: string; Statement: readonly unknown[] };

export const ACCOUNT = '111122223333';
const arn = (rest: string) => `arn:aws:sagemaker:us-east-1:${ACCOUNT}:${rest}`;

/** Something that is asked of SageMaker. */
export interface Request {
  /** Without the service. */
  readonly action: string;
  /** Condition keys; those of who asks, and from where, have usual values unless given. `undefined` removes one. */
  readonly context: Readonly<Record<string, string | string[] | undefined>>;
  /** Default: the federated role's session. */
  readonly principal?: string;
  /** Default: one of the kind that the action is about. */
  readonly resource?: string;
}

export const ROLE = `arn:aws:iam::${ACCOUNT}:role/people/data-scientist`;
export const FEDERATED = `arn:aws:sts::${ACCOUNT}:assumed-role/data-scientist/alice@example.com`;
export const USER = `arn:aws:iam::${ACCOUNT}:user/alice`;

const RESOURCES: Record<string, string> = {
  App: 'app/d-abcdefghijkl/alice/JupyterLab/default',
  Space: 'space/d-abcdefghijkl/notebooks',
  Session: 'space/d-abcdefghijkl/notebooks',
  Domain: 'domain/d-abcdefghijkl',
  UserProfile: 'user-profile/d-abcdefghijkl/alice',
  PresignedDomainUrl: 'user-profile/d-abcdefghijkl/alice',
  PresignedNotebookInstanceUrl: 'notebook-instance/alice',
  NotebookInstance: 'notebook-instance/alice',
  Tags: 'user-profile/d-abcdefghijkl/alice',
  Job: 'job/customization/one',
  LabelingJob: 'labeling-job/one',
  TrainingJob: 'training-job/one',
  ProcessingJob: 'processing-job/one',
  TransformJob: 'transform-job/one',
  HyperParameterTuningJob: 'hyper-parameter-tuning-job/one',
  AutoMLJob: 'automl-job/one',
  AutoMLJobV2: 'automl-job/one',
  Model: 'model/one',
  EndpointConfig: 'endpoint-config/one',
  MonitoringSchedule: 'monitoring-schedule/one',
  DataQualityJobDefinition: 'data-quality-job-definition/one',
  ModelQualityJobDefinition: 'model-quality-job-definition/one',
  ModelBiasJobDefinition: 'model-bias-job-definition/one',
  ModelExplainabilityJobDefinition: 'model-explainability-job-definition/one',
  AppImageConfig: 'app-image-config/one',
};

function resourceOf(action: string): string {
  const subject = action.replace(/^(Create|Update|Delete|Add|Start|Describe)/, '');
  const resource = RESOURCES[subject];
  if (resource === undefined) throw new Error(`${action}: no resource is known for it`);
  return arn(resource);
}

/** How a policy binds: through the organisation, attached to the principal, or as its boundary. */
export const KINDS = ['SCP', 'identity policy', 'permissions boundary'] as const;
/** `only policy` and `sole boundary`: nothing is allowed besides, so that what they allow is all that is allowed. */
export type Kind = (typeof KINDS)[number] | 'only policy' | 'sole boundary';

const EVERYTHING = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };
const SAGEMAKER = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'sagemaker:*', Resource: '*' }] };

/**
 * Whether a principal with everything allowed on SageMaker may still do this under the policies.
 *
 * The simulator is not ours (`@cloud-copilot/iam-simulate`); it drops condition keys that the action does not know, which
 * is an error here: a case must not pass because of a key that is never there.
 */
export async function decide(policies: readonly AnyPolicy[], kind: Kind, request: Request): Promise<string> {
  const named = policies.map((policy, index) => ({ name: `under-test-${index}`, policy }));
  const principal = request.principal ?? FEDERATED;
  const context = Object.fromEntries(
    Object.entries({ ...surroundings(principal), ...request.context }).filter(([, value]) => value !== undefined),
  ) as Record<string, string | string[]>;
  const simulation: Simulation = {
    request: {
      action: `sagemaker:${request.action}`,
      principal,
      resource: { accountId: ACCOUNT, resource: request.resource ?? resourceOf(request.action) },
      contextVariables: context,
    },
    identityPolicies: [
      ...(kind === 'only policy' ? [] : [{ name: 'sagemaker', policy: SAGEMAKER }]),
      ...(kind === 'identity policy' || kind === 'only policy' ? named : []),
    ],
    serviceControlPolicies: [
      {
        orgIdentifier: 'r-root',
        policies: [{ name: 'FullAWSAccess', policy: EVERYTHING }, ...(kind === 'SCP' ? named : [])],
      },
    ],
    resourceControlPolicies: [],
    ...(kind === 'sole boundary' && { permissionBoundaryPolicies: named }),
    ...(kind === 'permissions boundary' && {
      permissionBoundaryPolicies: [{ name: 'everything', policy: EVERYTHING }, ...named],
    }),
  };
  const result = await runSimulation(simulation, {});
  if (result.resultType !== 'single') throw new Error(`not simulated: ${JSON.stringify(result, null, 1)}`);
  const ignored = result.result.ignoredContextKeys ?? [];
  if (ignored.length > 0) throw new Error(`${request.action} knows no ${ignored.join(', ')}`);
  return result.overallResult === 'Allowed' ? 'allowed' : 'denied';
}

/** What every request carries. */
function surroundings(principal: string): Record<string, string> {
  const common = { 'aws:ViaAWSService': 'false', 'aws:SourceIp': '198.51.100.1' };
  return principal === USER
    ? { ...common, 'aws:PrincipalArn': USER, 'aws:username': 'alice' }
    : { ...common, 'aws:PrincipalArn': ROLE, 'aws:PrincipalTag/studiouserid': 'alice' };
}
