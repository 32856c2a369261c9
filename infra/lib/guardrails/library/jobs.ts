import { JOBS, MONITORING_DEFINITIONS, MONITORING_SCHEDULES } from './actions';
import { type Network, approved } from './domains';
import { type Statement, deny, missing } from './statement';

/**
 * Denies jobs and models outside a VPC, and jobs whose instances speak to each other in clear.
 *
 * Jobs do not inherit the domain's VPC settings. A transform job has none of its own: it takes its model's.
 */
export function jobNetwork(network: Network): Statement[] {
  const jobs = [...JOBS.filter((action) => action !== 'CreateTransformJob'), ...MONITORING_DEFINITIONS];
  return inVpc('Job', [...jobs, 'CreateModel'], jobs, network);
}

/**
 * Denies monitoring schedules outside a VPC, and those whose instances speak to each other in clear.
 *
 * Limit: a schedule that names a job definition carries no network itself and is denied; leave this one out where
 * definitions are used, which `jobNetwork` binds.
 */
export function monitoringScheduleNetwork(network: Network): Statement[] {
  return inVpc('Schedule', MONITORING_SCHEDULES, MONITORING_SCHEDULES, network);
}

function inVpc(
  subject: 'Job' | 'Schedule',
  placed: readonly string[],
  speaking: readonly string[],
  network: Network,
): Statement[] {
  return [
    deny(`${subject}SubnetsNamed`, placed, missing('sagemaker:VpcSubnets')),
    deny(`${subject}SecurityGroupsNamed`, placed, missing('sagemaker:VpcSecurityGroupIds')),
    ...approved(subject, placed, network),
    // Missing counts as `false`, which is what SageMaker takes it for.
    deny(`${subject}TrafficEncrypted`, speaking, {
      BoolIfExists: { 'sagemaker:InterContainerTrafficEncryption': 'false' },
    }),
  ];
}
