import { type Statement, anyUnapproved, deny, missing } from './statement';

/** The only subnets and security groups; what is absent is not bound. */
export interface Network {
  readonly subnets?: readonly string[];
  readonly securityGroups?: readonly string[];
}

/**
 * Denies domains that reach the internet past the VPC: every one of network type, subnets and security groups is asked
 * for on its own. A domain without a network type is `PublicInternetOnly`, and denied.
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
    ...approved('Domain', ['CreateDomain', 'UpdateDomain'], network),
  ];
}

/** Denies subnets and security groups that are not approved, where any list is given. */
export function approved(
  subject: 'Domain' | 'Job' | 'Schedule',
  actions: readonly string[],
  network: Network,
): Statement[] {
  const { subnets, securityGroups } = network;
  return [
    ...(subnets ? [deny(`${subject}SubnetsApproved`, actions, anyUnapproved('sagemaker:VpcSubnets', subnets))] : []),
    ...(securityGroups
      ? [
          deny(
            `${subject}SecurityGroupsApproved`,
            actions,
            anyUnapproved('sagemaker:VpcSecurityGroupIds', securityGroups),
          ),
        ]
      : []),
  ];
}
