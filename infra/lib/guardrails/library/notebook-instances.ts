import { type Network, approved } from './domains';
import { type Statement, deny, missing } from './statement';

/**
 * Denies notebook instances with a way to the internet past the VPC, and those outside the VPC or in another.
 *
 * Direct internet access is on unless it is said to be off; without security groups an instance takes the VPC's default
 * one. None of these can be changed later: UpdateNotebookInstance does not know them.
 */
export function notebookInstanceNetwork(network: Network): Statement[] {
  const actions = ['CreateNotebookInstance'];
  return [
    deny('NotebookInstanceOffInternet', actions, { StringNotEquals: { 'sagemaker:DirectInternetAccess': 'Disabled' } }),
    deny('NotebookInstanceSubnetNamed', actions, missing('sagemaker:VpcSubnets')),
    deny('NotebookInstanceSecurityGroupsNamed', actions, missing('sagemaker:VpcSecurityGroupIds')),
    ...approved('NotebookInstance', network, actions),
  ];
}
