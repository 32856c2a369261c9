import { Aws, CfnDeletionPolicy, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as sagemaker from 'aws-cdk-lib/aws-sagemaker';
import { Construct } from 'constructs';
import { opensOwnProfile } from '../shared/own-profile';
import type { Domain, Profile } from './config/domain';
import { digest } from './names';
import { StudioSecurityGroup } from './security-group';
import { OWNER_TAG, SESSION_TAG } from './tags';
import type { Values } from './values';

export { OWNER_TAG };

export interface ProfilesProps {
  readonly domain: Domain;
  readonly values: Values;
  readonly domainId: string;
  readonly vpcId: string;
  /** The domain's own group. */
  readonly securityGroupId: string;
  readonly removalPolicy: RemovalPolicy;
}

/** The users of the domain. */
export class Profiles extends Construct {
  constructor(
    scope: Construct,
    id: string,
    private readonly props: ProfilesProps,
  ) {
    super(scope, id);
    for (const profile of props.domain.profiles) this.add(profile);
  }

  private add(profile: Profile): void {
    const { domain, values } = this.props;
    const sso = domain.authMode === 'SSO';
    const resource = new sagemaker.CfnUserProfile(this, profile.name, {
      domainId: this.props.domainId,
      userProfileName: profile.name,
      ...(sso && { singleSignOnUserIdentifier: 'UserName', singleSignOnUserValue: profile.key }),
      // Said in either case: a group that is left out of an update would stay with the profile.
      userSettings: {
        securityGroups: [
          domain.securityGroupPerProfile ? this.ownGroup(profile) : this.props.securityGroupId,
          ...values.all(domain.defaultUserSettings.securityGroups ?? []),
        ],
      },
      tags: [
        { key: OWNER_TAG, value: profile.key },
        ...(!sso && profile.userRole?.id !== undefined
          ? [{ key: SESSION_TAG, value: `${values.text(profile.userRole.id)}:${profile.key}` }]
          : []),
      ],
    });
    resource.applyRemovalPolicy(this.props.removalPolicy, { applyToUpdateReplacePolicy: false });
    // A profile of a domain that was replaced stays with it: without the profile its home folder has no owner.
    resource.cfnOptions.updateReplacePolicy = CfnDeletionPolicy.RETAIN;
  }

  /** E9: members of a profile's group are its applications alone. */
  private ownGroup(profile: Profile): string {
    const { domain, values, vpcId } = this.props;
    return new StudioSecurityGroup(this, `Group${digest(profile.name, 8)}`, {
      description: `Studio domain ${domain.name}: the applications of ${profile.name}`,
      vpcId,
      ingress: domain.securityGroupIngress,
      egress: domain.securityGroupEgress,
      values,
    }).id;
  }
}

/**
 * What a user needs to come in: to open the profile that carries the user's own `studiouserid`, and no other.
 *
 * Not attached to anybody: whose role or permission set gets it is the account's decision (docs/STUDIO.md).
 */
export function openOwnProfile(scope: Construct, id: string, domainId: string): iam.ManagedPolicy {
  const profiles = Stack.of(scope).formatArn({
    service: 'sagemaker',
    resource: 'user-profile',
    resourceName: `${domainId}/*`,
  });
  return new iam.ManagedPolicy(scope, id, {
    description: 'Opens the Studio profile that is tagged with the studiouserid of the caller',
    statements: [
      opensOwnProfile(OWNER_TAG, [profiles]),
      new iam.PolicyStatement({
        sid: 'SeeTheDomain',
        actions: ['sagemaker:DescribeDomain'],
        resources: [`arn:${Aws.PARTITION}:sagemaker:${Aws.REGION}:${Aws.ACCOUNT_ID}:domain/${domainId}`],
      }),
      new iam.PolicyStatement({
        sid: 'FindDomainsAndProfiles',
        actions: ['sagemaker:ListDomains', 'sagemaker:ListUserProfiles'],
        resources: ['*'],
      }),
    ],
  });
}
