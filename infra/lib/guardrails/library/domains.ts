import { type Statement, anyUnapproved, deny, missing } from './statement';

/** The only subnets and security groups; what is absent is not bound. */
export interface Network {
  readonly subnets?: readonly string[];
  readonly securityGroups?: readonly string[];
}

const PROFILES = ['CreateUserProfile', 'UpdateUserProfile'];

/**
 * Denies domains that reach the internet past the VPC: every one of network type, subnets and security groups is asked
 * for on its own. A domain without a network type is `PublicInternetOnly`, and denied. Where security groups are approved,
 * those that a user profile adds are bound too.
 *
 * Limit: whether the VPC itself has a way out is not for a policy on SageMaker to see.
 */
export function domainsInVpc(network: Network): Statement[] {
  return [
    deny('DomainVpcOnly', ['CreateDomain'], { StringNotEquals: { 'sagemaker:AppNetworkAccessType': 'VpcOnly' } }),
    // An update without the setting leaves it as it is: only one that sets it is asked.
    deny('DomainStaysVpcOnly', ['UpdateDomain'], {
      StringNotEquals: { 'sagemaker:AppNetworkAccessType': 'VpcOnly' },
      Null: { 'sagemaker:AppNetworkAccessType': 'false' },
    }),
    deny('DomainSubnetsNamed', ['CreateDomain'], missing('sagemaker:VpcSubnets')),
    deny('DomainSecurityGroupsNamed', ['CreateDomain'], missing('sagemaker:VpcSecurityGroupIds')),
    // A profile's security groups are added to the domain's.
    ...approved('Domain', network, ['CreateDomain', 'UpdateDomain'], PROFILES),
  ];
}

/**
 * Denies subnets and security groups that are not approved, where any list is given.
 *
 * @param placed actions that know both.
 * @param grouped actions that know security groups only.
 */
export function approved(
  subject: 'Domain' | 'Job' | 'Schedule' | 'NotebookInstance',
  { subnets, securityGroups }: Network,
  placed: readonly string[],
  grouped: readonly string[] = [],
): Statement[] {
  const bound = (what: string, actions: readonly string[], key: string, values: readonly string[] | undefined) =>
    values === undefined ? [] : [deny(`${subject}${what}Approved`, actions, anyUnapproved(key, values))];
  return [
    ...bound('Subnets', placed, 'sagemaker:VpcSubnets', subnets),
    ...bound('SecurityGroups', [...placed, ...grouped], 'sagemaker:VpcSecurityGroupIds', securityGroups),
  ];
}
