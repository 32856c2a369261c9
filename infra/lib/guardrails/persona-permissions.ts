import { Aws, type Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { opensOwnProfile } from '../shared/own-profile';

const SAGEMAKER = 'sagemaker.amazonaws.com';

/** ARNs of everything of these kinds; SageMaker and people give the names later. */
function every(stack: Stack, kinds: readonly string[]): string[] {
  return kinds.map((resource) => stack.formatArn({ service: 'sagemaker', resource, resourceName: '*' }));
}

/** `sagemaker:CreateImage` and so on. */
function on(verbs: readonly string[], subject: string): string[] {
  return verbs.map((verb) => `sagemaker:${verb}${subject}`);
}

const WRITE = ['Create', 'Update', 'Delete', 'Describe'] as const;

/** What the ML administrator may do: the whitepaper's persona, with exact resources where there are names. */
export function administratorStatements(
  stack: Stack,
  props: { readonly executionRoles: readonly string[]; readonly keys: readonly string[]; readonly identityTag: string },
): iam.PolicyStatement[] {
  const managed = ['domain', 'user-profile', 'space', 'app', 'image', 'app-image-config', 'studio-lifecycle-config'];
  const statements = [
    new iam.PolicyStatement({
      sid: 'DomainsAndProfiles',
      actions: [
        ...on(WRITE, 'Domain'),
        ...on(WRITE, 'UserProfile'),
        ...on(['Describe', 'Delete'], 'Space'),
        ...on(['Describe', 'Delete'], 'App'),
      ],
      resources: every(stack, ['domain', 'user-profile', 'space', 'app']),
    }),
    new iam.PolicyStatement({
      sid: 'ImagesAndLifecycles',
      actions: [
        ...on(WRITE, 'Image'),
        ...on(WRITE, 'ImageVersion'),
        'sagemaker:ListImageVersions',
        ...on(WRITE, 'AppImageConfig'),
        ...on(['Create', 'Delete', 'Describe'], 'StudioLifecycleConfig'),
      ],
      resources: every(stack, ['image', 'image-version', 'app-image-config', 'studio-lifecycle-config']),
    }),
    new iam.PolicyStatement({
      sid: 'Tags',
      actions: ['sagemaker:AddTags', 'sagemaker:DeleteTags', 'sagemaker:ListTags'],
      resources: every(stack, managed),
    }),
    new iam.PolicyStatement({
      sid: 'Lists',
      actions: on(
        ['Domains', 'UserProfiles', 'Spaces', 'Apps', 'Images', 'AppImageConfigs', 'StudioLifecycleConfigs'],
        '',
      ).map((action) => action.replace('sagemaker:', 'sagemaker:List')),
      resources: ['*'], // The actions know no resources.
    }),
    new iam.PolicyStatement({
      sid: 'GivesExecutionRolesToSageMaker',
      actions: ['iam:PassRole'],
      resources: [...props.executionRoles],
      conditions: { StringEquals: { 'iam:PassedToService': SAGEMAKER } },
    }),
    new iam.PolicyStatement({
      sid: 'StudiosServiceLinkedRole',
      actions: ['iam:CreateServiceLinkedRole'],
      resources: [
        stack.formatArn({
          service: 'iam',
          region: '',
          resource: 'role',
          resourceName: `aws-service-role/${SAGEMAKER}/AWSServiceRoleForAmazonSageMakerNotebooks`,
        }),
      ],
      conditions: { StringEquals: { 'iam:AWSServiceName': SAGEMAKER } },
    }),
    new iam.PolicyStatement({
      sid: 'LooksAtTheNetwork',
      actions: ['ec2:DescribeSecurityGroups', 'ec2:DescribeSubnets', 'ec2:DescribeVpcs'],
      resources: ['*'], // The actions know no resources.
    }),
  ];
  if (props.keys.length > 0) {
    const viaSageMaker = { StringEquals: { 'kms:ViaService': `sagemaker.${Aws.REGION}.amazonaws.com` } };
    statements.push(
      new iam.PolicyStatement({ sid: 'LooksAtKeys', actions: ['kms:DescribeKey'], resources: [...props.keys] }),
      // A domain's file system keeps the grant for as long as it lives.
      new iam.PolicyStatement({
        sid: 'GivesKeysToDomains',
        actions: ['kms:CreateGrant'],
        resources: [...props.keys],
        conditions: { ...viaSageMaker, Bool: { 'kms:GrantIsForAWSResource': 'true' } },
      }),
    );
  }
  return statements;
}

/** What a data scientist may do: find the domain and open the own profile. */
export function dataScientistStatements(stack: Stack, identityTag: string): iam.PolicyStatement[] {
  return [
    new iam.PolicyStatement({
      sid: 'FindsTheDomain',
      actions: ['sagemaker:ListDomains'],
      resources: ['*'], // The action knows no resources.
    }),
    new iam.PolicyStatement({
      sid: 'LooksAtTheDomain',
      actions: ['sagemaker:DescribeDomain'],
      resources: every(stack, ['domain']),
    }),
    opensOwnProfile(identityTag, every(stack, ['user-profile'])),
  ];
}
