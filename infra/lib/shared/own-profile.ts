import * as iam from 'aws-cdk-lib/aws-iam';

/**
 * Opens the Studio profile that carries the caller's own name, and no other.
 *
 * A caller without the tag opens none: a policy variable without a value matches nothing.
 *
 * @param tag key of the tag of profiles, and of the caller's session or role.
 * @param profiles ARNs of the profiles among which the own one is.
 */
export function opensOwnProfile(tag: string, profiles: readonly string[]): iam.PolicyStatement {
  return new iam.PolicyStatement({
    sid: 'OpensTheOwnProfile',
    actions: ['sagemaker:CreatePresignedDomainUrl', 'sagemaker:DescribeUserProfile'],
    resources: [...profiles],
    conditions: { StringEquals: { [`sagemaker:ResourceTag/${tag}`]: `\${aws:PrincipalTag/${tag}}` } },
  });
}
