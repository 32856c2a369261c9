import { CUSTOMISATION, JOBS, MONITORING_DEFINITIONS, MONITORING_SCHEDULES } from './actions';
import { type Network, approved } from './domains';
import { type Statement, deny, missing } from './statement';

/**
 * Denies jobs and models outside a VPC, and jobs whose instances speak to each other in clear.
 *
 * Jobs do not inherit the domain's VPC settings. A transform job has none of its own: it takes its model's. So do the
 * variants of an endpoint configuration, except those for inference components: it is bound where it names a network.
 */
export function jobNetwork(network: Network): Statement[] {
  const jobs = [...JOBS.filter((action) => action !== 'CreateTransformJob'), ...MONITORING_DEFINITIONS];
  return inVpc('Job', network, {
    speaking: jobs,
    placed: [CUSTOMISATION, 'CreateModel'],
    perhaps: ['CreateEndpointConfig'],
  });
}

/**
 * Denies monitoring schedules outside a VPC, and those whose instances speak to each other in clear.
 *
 * Limit: a schedule that names a job definition carries no network itself and is denied; leave this one out where
 * definitions are used, which `jobNetwork` binds.
 */
export function monitoringScheduleNetwork(network: Network): Statement[] {
  return inVpc('Schedule', network, { speaking: MONITORING_SCHEDULES });
}

/** What a guardrail of jobs binds. */
interface Bound {
  /** Whose instances speak to each other; they are in a VPC too. */
  readonly speaking: readonly string[];
  /** What must be in a VPC besides. */
  readonly placed?: readonly string[];
  /** What may name no network, but no other than approved. */
  readonly perhaps?: readonly string[];
}

function inVpc(subject: 'Job' | 'Schedule', network: Network, bound: Bound): Statement[] {
  const { speaking, perhaps = [] } = bound;
  const placed = [...speaking, ...(bound.placed ?? [])];
  return [
    deny(`${subject}SubnetsNamed`, placed, missing('sagemaker:VpcSubnets')),
    deny(`${subject}SecurityGroupsNamed`, placed, missing('sagemaker:VpcSecurityGroupIds')),
    ...approved(subject, network, [...placed, ...perhaps]),
    // Missing counts as `false`, which is what SageMaker takes it for.
    deny(`${subject}TrafficEncrypted`, speaking, {
      BoolIfExists: { 'sagemaker:InterContainerTrafficEncryption': 'false' },
    }),
  ];
}
