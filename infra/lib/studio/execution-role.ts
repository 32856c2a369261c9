import { Aws, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { sagemakerOfThisAccount } from '../shared/confused-deputy';
import { SAGEMAKER_LOG_GROUPS } from '../shared/log-groups';
import type { AppSettings, Domain } from './config/domain';
import { KEY_USE } from '../shared/key-use';
import { FOR_AWS_RESOURCES } from './key';
import { READ, WRITE } from './sharing-bucket';

/** Replaced by IAM, in sessions that Studio starts, with the profile that the session is of. */
const OWN_PROFILE = '${sagemaker:UserProfileName}';

/** The role of the domain's applications, when the file names none: who it is, first without any right. */
export function executionRole(scope: Construct, id: string, domain: Domain): iam.Role {
  const sagemaker = sagemakerOfThisAccount(Stack.of(scope));
  const role = new iam.Role(scope, id, {
    assumedBy: sagemaker,
    description: `Taken by the applications of the Studio domain ${domain.name}`,
  });
  if (domain.sourceIdentity) {
    // SageMaker names the user's profile as the session's source identity; without this it could not start any.
    role.assumeRolePolicy?.addStatements(
      new iam.PolicyStatement({ principals: [sagemaker], actions: ['sts:SetSourceIdentity'] }),
    );
  }
  return role;
}

export interface ExecutionPolicyProps {
  readonly domain: Domain;
  readonly role: iam.Role;
  readonly domainId: string;
  readonly keyArn: string;
  readonly bucketArn: string;
  /** Whether the bucket is this stack's, and so admits the role itself. */
  readonly ownBucket: boolean;
  readonly lifecycleConfigArns: readonly string[];
}

/**
 * The least with which Studio works (https://docs.aws.amazon.com/sagemaker/latest/dg/studio-updated-jl-admin-guide-permissions.html):
 * applications and spaces of the user's own profile, the domain's key, what users share.
 *
 * No data, no jobs, no shared spaces of others: a team that needs them gives a role of its own (`defaultExecutionRole`).
 */
export function executionPolicy(scope: Construct, id: string, props: ExecutionPolicyProps): iam.Policy {
  const stack = Stack.of(scope);
  const sagemaker = (resource: string, ...names: string[]) =>
    stack.formatArn({ service: 'sagemaker', resource, resourceName: names.join('/') });
  const { domain, domainId, keyArn, bucketArn } = props;
  const own = { ArnEquals: { 'sagemaker:OwnerUserProfileArn': sagemaker('user-profile', domainId, OWN_PROFILE) } };
  const studioLogs = `arn:${Aws.PARTITION}:logs:${Aws.REGION}:${Aws.ACCOUNT_ID}:log-group:${SAGEMAKER_LOG_GROUPS.Studio}`;
  const policy = new iam.Policy(scope, id, { roles: [props.role] });
  const allow = (
    sid: string,
    actions: string[],
    resources: string[],
    conditions?: Record<string, Record<string, unknown>>,
  ) => policy.addStatements(new iam.PolicyStatement({ sid, actions, resources, conditions }));

  allow('SeeTheDomain', ['sagemaker:DescribeDomain'], [sagemaker('domain', domainId)]);
  allow(
    'OwnProfile',
    ['sagemaker:CreatePresignedDomainUrl', 'sagemaker:DescribeUserProfile'],
    [sagemaker('user-profile', domainId, OWN_PROFILE)],
  );
  // Applications of Studio Classic belong to a profile; those of Studio run in spaces, whose owner is a profile.
  allow(
    'OwnAppsInProfile',
    ['sagemaker:CreateApp', 'sagemaker:DeleteApp', 'sagemaker:DescribeApp'],
    [sagemaker('app', domainId, OWN_PROFILE, '*')],
    { Null: { 'sagemaker:OwnerUserProfileArn': 'true' } },
  );
  allow('OwnAppsInSpaces', ['sagemaker:CreateApp', 'sagemaker:DeleteApp'], [sagemaker('app', domainId, '*')], own);
  allow(
    'OwnSpaces',
    ['sagemaker:CreateSpace', 'sagemaker:DeleteSpace', 'sagemaker:UpdateSpace'],
    [sagemaker('space', domainId, '*')],
    own,
  );
  // Studio tags what it makes.
  allow('TagWhatIsNew', ['sagemaker:AddTags'], [sagemaker('app', domainId, '*'), sagemaker('space', domainId, '*')], {
    StringEquals: { 'sagemaker:TaggingAction': ['CreateApp', 'CreateSpace'] },
  });
  allow(
    'SeeAppsAndSpaces',
    ['sagemaker:DescribeApp', 'sagemaker:DescribeSpace'],
    [sagemaker('app', domainId, '*'), sagemaker('space', domainId, '*')],
  );
  allow(
    'FindAppsAndSpaces',
    [
      'sagemaker:ListApps',
      'sagemaker:ListDomains',
      'sagemaker:ListSpaces',
      'sagemaker:ListStudioLifecycleConfigs',
      'sagemaker:ListUserProfiles',
    ],
    ['*'],
  );
  if (props.lifecycleConfigArns.length > 0) {
    allow('SeeLifecycleConfigs', ['sagemaker:DescribeStudioLifecycleConfig'], [...props.lifecycleConfigArns]);
  }
  const images = customImages(domain);
  if (images.length > 0) {
    allow(
      'SeeImages',
      ['sagemaker:DescribeAppImageConfig', 'sagemaker:DescribeImage', 'sagemaker:DescribeImageVersion'],
      images.flatMap(({ appImageConfigName, imageName }) => [
        sagemaker('app-image-config', appImageConfigName.toLowerCase()),
        sagemaker('image', imageName.toLowerCase()),
        sagemaker('image-version', imageName.toLowerCase(), '*'),
      ]),
    );
  }
  allow('UseTheKey', KEY_USE, [keyArn]);
  allow('AttachVolumes', ['kms:CreateGrant'], [keyArn], FOR_AWS_RESOURCES);
  // SageMaker makes the group with this role, where nobody has made it.
  allow('MakeTheLogGroup', ['logs:CreateLogGroup'], [studioLogs]);
  allow('WriteLogs', ['logs:CreateLogStream', 'logs:PutLogEvents'], [`${studioLogs}:log-stream:${domainId}/*`]);
  if (!props.ownBucket) {
    const objects = (prefix: string) => `${bucketArn}/${prefix}/*`;
    allow('Share', [...READ, ...WRITE], [objects(domain.notebookSharingPrefix)]);
    allow('ReadAssets', READ, [objects(domain.assetPrefix)]);
    allow('ListShared', ['s3:ListBucket'], [bucketArn], {
      StringLike: {
        's3:prefix': [domain.notebookSharingPrefix, domain.assetPrefix].flatMap((prefix) => [
          `${prefix}/`,
          `${prefix}/*`,
        ]),
      },
    });
  }
  return policy;
}

function customImages(domain: Domain) {
  const settings = [domain.defaultUserSettings, domain.defaultSpaceSettings ?? {}].flatMap((all) => Object.values(all));
  const images = settings.flatMap((app: AppSettings) => (typeof app === 'object' && app.customImages) || []);
  return [...new Map(images.map((image) => [`${image.imageName} ${image.appImageConfigName}`, image])).values()];
}
