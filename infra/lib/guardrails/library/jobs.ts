import { JOBS, MONITORING_DEFINITIONS } from './actions';
import { type Network, approved } from './domains';
import { type Statement, deny, missing } from './statement';

/**
 * Denies jobs and models outside a VPC, and jobs whose instances speak to each other in clear.
 *
 * Jobs do not inherit the domain's VPC settings. A transform job has none of its own: it takes its model's.
 */
export function jobNetwork(network: Network): Statement[] {
  const jobs = [...JOBS.filter((action) => action !== 'CreateTransformJob'), ...MONITORING_DEFINITIONS];
  const placed = [...jobs, 'CreateModel'];
  return [
    deny('JobSubnetsNamed', placed, missing('sagemaker:VpcSubnets')),
    deny('JobSecurityGroupsNamed', placed, missing('sagemaker:VpcSecurityGroupIds')),
    ...approved('Job', placed, network),
    // Missing counts as `false`, which is what SageMaker takes it for.
    deny('JobTrafficEncrypted', jobs, { BoolIfExists: { 'sagemaker:InterContainerTrafficEncryption': 'false' } }),
  ];
}
