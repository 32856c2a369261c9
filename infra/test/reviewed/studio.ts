import type { Acknowledged, Reasons } from './kinds';

const SAGEMAKER = 'arn:${AWS::Partition}:sagemaker:${AWS::Region}:${AWS::AccountId}';

/** Wildcards of the stacks of Studio domains, and why no exact name can stand there. */
export const wildcards: Reasons = {
  'Allow action kms:*': 'the account itself administers its keys; IAM policies then decide who uses them',
  [`Allow condition ${SAGEMAKER}:*`]:
    "SageMaker takes the role for the domain's applications and spaces alike, of this account only; the domain comes after the role",
  'Allow condition lifecycle-assets/*': 'only what lies under the prefix of assets may be listed',
  'Allow condition sharing/*': 'only what lies under the prefix that users share may be listed',
  'Allow resource ${SharingBucket.Arn}/*': 'the data administrators administer whatever users share',
  'Allow resource ${SharingBucket.Arn}/lifecycle-assets/*': 'assets lie under the digest of their content',
  'Allow resource ${SharingBucket.Arn}/sharing/*': 'users name what they share',
  [`Allow resource ${SAGEMAKER}:app/\${Domain.DomainId}/\${sagemaker:UserProfileName}/*`]:
    "users name the applications of their own profile; IAM puts the session's profile into the name",
  [`Allow resource ${SAGEMAKER}:app/\${Domain.DomainId}/*`]:
    'users name their spaces, in which their applications run; a condition on the owner of the space bounds what may be made, and all go with the domain where its file says so',
  [`Allow resource ${SAGEMAKER}:space/\${Domain.DomainId}/*`]:
    'users name their spaces; a condition on the owner bounds which they may make, change or delete, and all go with the domain where its file says so',
  [`Allow resource ${SAGEMAKER}:user-profile/\${Domain.DomainId}/*`]:
    'a condition on the tag of the profile opens to each user the own profile only; all go with the domain where its file says so',
  'Allow resource arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/sagemaker/studio:log-stream:${Domain.DomainId}/*':
    'SageMaker names the streams after profile, space and application, behind the id of the domain',
  'Allow resource arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:network-interface/*':
    'EFS deletes the interfaces of mount targets for who deletes these; conditions bound it to what a service does in the VPC of the domain',
  'Allow resource arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:security-group/*':
    'SageMaker names its groups; tags bound it to those that it made for the domain, and then to those marked to go with the stack',
  'Allow resource arn:${AWS::Partition}:elasticfilesystem:${AWS::Region}:${AWS::AccountId}:file-system/*':
    'the domain that named its file system is gone; a tag bounds it to what was marked to go with the stack',
  'Deny action s3:*': 'nothing may be done without TLS',
  'Deny action s3:DeleteObject*': 'nobody who is not named may delete anything, whatever the action is called',
  'Deny action s3:GetObject*': 'nobody who is not named may read anything, whatever the action is called',
  'Deny action s3:ListBucket*': 'nobody who is not named may see names, whatever the action is called',
  'Deny action s3:PutObject*': 'nobody who is not named may write anything, whatever the action is called',
  'Deny action sqs:*': 'nothing may be done without TLS',
  'Deny principal AWS:*': 'nobody may come without TLS, and nobody who is not named at all',
  'Deny resource ${SharingBucket.Arn}/*': 'no object may be touched without TLS, or by anybody who is not named',
  'Deny resource ${SharingBucket.Arn}/lifecycle-assets/*': 'no asset may be changed but by who places them',
};

/** Actions that may stand beside the resource `*`, and why. */
export const anyResource: Reasons = {
  'backup:DescribeBackupJob': 'knows no resources; it shows how far a backup is',
  'ec2:DescribeSecurityGroups': 'knows no resources; it shows groups with their rules and tags',
  'elasticfilesystem:DescribeFileSystems':
    'a listing names none; it shows file systems with their tags, by which those of the domain are known',
  'sagemaker:ListApps': 'knows no resources; it shows names, as the pages of Studio do',
  'sagemaker:ListDomains': 'knows no resources; it shows names',
  'sagemaker:ListSpaces': 'knows no resources; it shows names, as the pages of Studio do',
  'sagemaker:ListStudioLifecycleConfigs': 'knows no resources; it shows names, and those of the domain can be read',
  'sagemaker:ListUserProfiles': 'knows no resources; it shows names',
  'tag:GetResources': 'knows no resources; AWS Backup looks up by it what a plan selects',
};

const CDK_HELPER = 'Custom::CDKBucketDeployment8693BB64968944B69AAFB0CC9EB8756C\\d+MiB';

/** Findings of the rule packs that stay, each with a reason. */
export const acknowledged: readonly Acknowledged[] = [
  {
    rule: 'AwsSolutions-L1',
    at: new RegExp(`^TidegateStudio-[\\w-]+/${CDK_HELPER}/Resource$`),
    reason: "CDK's own helper, which places assets: its runtime comes with the version of CDK, and is a supported one",
  },
  {
    rule: 'AwsSolutions-SQS3',
    at: /^TidegateStudio-[\w-]+\/StudioResource\/Failed\/Resource$/,
    reason: 'the queue is a dead-letter queue itself',
  },
  {
    rule: 'NIST.800.53.R5-IAMNoInlinePolicy',
    at: /^TidegateStudio-[\w-]+\/(AssetPolicy|Departure\/(Contents|Homes)Policy|ExecutionPolicy|Backup\/Policy|StudioResource\/Role\/DefaultPolicy)\/Resource$/,
    reason: 'each policy is the work of one role and of no other: a managed policy could be attached elsewhere',
  },
  {
    rule: 'NIST.800.53.R5-LambdaConcurrency',
    at: new RegExp(`^TidegateStudio-[\\w-]+/(StudioResource/Function|${CDK_HELPER})/Resource$`),
    reason:
      "the function runs while somebody deploys, once or twice; reserved concurrency would be taken from the account's pool for ever",
  },
  {
    rule: 'NIST.800.53.R5-LambdaDLQ',
    at: new RegExp(`^TidegateStudio-[\\w-]+/(StudioResource/Function|${CDK_HELPER})/Resource$`),
    reason: 'CloudFormation waits for the answer: a failure ends the deployment, before the eyes of who deploys',
  },
  {
    rule: 'NIST.800.53.R5-LambdaInsideVPC',
    at: new RegExp(`^TidegateStudio-[\\w-]+/(StudioResource/Function|${CDK_HELPER})/Resource$`),
    reason:
      'the function answers CloudFormation and copies assets within S3, under TLS; the VPC of a domain may be one without the ways to them',
  },
  {
    rule: 'NIST.800.53.R5-S3BucketReplicationEnabled',
    at: /^TidegateStudio-[\w-]+\/Sharing\/Bucket\/Resource$/,
    reason: 'what users share stays in the region of the domain; a copy elsewhere is a decision of its owner',
  },
];
