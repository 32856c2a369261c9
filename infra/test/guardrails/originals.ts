import { type Request, USER } from './simulator';

type Statement = Record<string, unknown>;
const KEY = 'arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
const IMAGE = (name: string) => `arn:aws:sagemaker:us-east-1:111122223333:image/${name}`;

/** A policy as AWS's whitepaper on Studio administration prints it, and what it lets through. */
export interface Original {
  readonly name: string;
  /** The statement, as printed; names in braces are filled in. */
  readonly statement: Statement;
  /** Requests that the text above the policy says it prevents. */
  readonly letsThrough: readonly { readonly what: string; readonly request: Request }[];
  /** With the policy as the only one, the opposite of what its text says: image lists. */
  readonly alone?: { readonly allows: Request; readonly denies: Request };
}

/** An allow denies nothing: beside any policy that allows the action, it has no effect. */
const allow = (Sid: string, Action: string | string[], Condition: Statement): Statement => ({
  Sid,
  Effect: 'Allow',
  Action,
  Resource: '*',
  Condition,
});

export const ORIGINALS: readonly Original[] = [
  {
    name: 'LimitInstanceTypesforNotebooks',
    statement: {
      Sid: 'LimitInstanceTypesforNotebooks',
      Effect: 'Deny',
      Action: ['sagemaker:CreateApp'],
      Resource: '*',
      Condition: {
        'ForAnyValue:StringNotLike': {
          'sagemaker:InstanceTypes': ['ml.c5.large', 'ml.m5.large', 'ml.t3.medium', 'system'],
        },
      },
    },
    letsThrough: [
      {
        what: 'a default of the profile, which an app without a type then runs on',
        request: { action: 'UpdateUserProfile', context: { 'sagemaker:InstanceTypes': ['ml.p4d.24xlarge'] } },
      },
      {
        what: 'a space',
        request: { action: 'CreateSpace', context: { 'sagemaker:InstanceTypes': ['ml.p4d.24xlarge'] } },
      },
    ],
  },
  {
    name: 'LockDownStudioDomain',
    statement: {
      Sid: 'LockDownStudioDomain',
      Effect: 'Deny',
      Action: ['sagemaker:CreateDomain'],
      Resource: '*',
      Condition: {
        StringNotEquals: { 'sagemaker:AppNetworkAccessType': 'VpcOnly' },
        Null: { 'sagemaker:VpcSubnets': 'true', 'sagemaker:VpcSecurityGroupIds': 'true' },
      },
    },
    letsThrough: [
      {
        what: 'a domain on the internet that names subnets, as every domain does',
        request: {
          action: 'CreateDomain',
          context: {
            'sagemaker:AppNetworkAccessType': 'PublicInternetOnly',
            'sagemaker:VpcSubnets': ['subnet-aaaa1111'],
            'sagemaker:VpcSecurityGroupIds': ['sg-aaaa1111'],
          },
        },
      },
      {
        what: 'a domain in the VPC without subnets and groups',
        request: { action: 'CreateDomain', context: { 'sagemaker:AppNetworkAccessType': 'VpcOnly' } },
      },
      {
        what: 'a domain without a network type, which is on the internet',
        request: { action: 'CreateDomain', context: { 'sagemaker:VpcSubnets': ['subnet-aaaa1111'] } },
      },
      {
        what: 'a domain that goes to the internet later',
        request: { action: 'UpdateDomain', context: { 'sagemaker:AppNetworkAccessType': 'PublicInternetOnly' } },
      },
    ],
  },
  {
    name: 'unauthorized images',
    statement: {
      Action: ['sagemaker:CreateApp'],
      Effect: 'Allow',
      Resource: '*',
      Condition: {
        'ForAllValues:StringNotLike': { 'sagemaker:ImageArns': ['arn:aws:sagemaker:*:*:image/approved'] },
      },
    },
    letsThrough: [
      {
        what: 'an unauthorized image',
        request: { action: 'CreateApp', context: { 'sagemaker:ImageArns': [IMAGE('rogue')] } },
      },
      {
        what: 'an unauthorized image by its version',
        request: {
          action: 'CreateApp',
          context: { 'sagemaker:ImageVersionArns': [`${IMAGE('rogue').replace('image/', 'image-version/')}/1`] },
        },
      },
    ],
    alone: {
      allows: { action: 'CreateApp', context: { 'sagemaker:ImageArns': [IMAGE('rogue')] } },
      denies: { action: 'CreateApp', context: { 'sagemaker:ImageArns': [IMAGE('approved')] } },
    },
  },
  {
    name: 'EnableSageMakerStudioAccessviaVPCEndpoint',
    statement: allow(
      'EnableSageMakerStudioAccessviaVPCEndpoint',
      ['sagemaker:CreatePresignedDomainUrl', 'sagemaker:DescribeUserProfile'],
      { 'ForAnyValue:StringEquals': { 'aws:sourceVpce': ['vpce-111bbccc', 'vpce-111bbddd'] } },
    ),
    letsThrough: [
      { what: 'Studio over the internet', request: { action: 'CreatePresignedDomainUrl', context: {} } },
      {
        what: 'another endpoint',
        request: { action: 'CreatePresignedDomainUrl', context: { 'aws:SourceVpce': 'vpce-999' } },
      },
    ],
  },
  {
    name: 'EnableSageMakerStudioAccess (IP ranges)',
    statement: allow(
      'EnableSageMakerStudioAccess',
      ['sagemaker:CreatePresignedDomainUrl', 'sagemaker:DescribeUserProfile'],
      { IpAddress: { 'aws:SourceIp': ['192.0.2.0/24', '203.0.113.0/24'] } },
    ),
    letsThrough: [
      {
        what: 'another address',
        request: { action: 'CreatePresignedDomainUrl', context: { 'aws:SourceIp': '198.51.100.7' } },
      },
    ],
  },
  {
    name: 'AmazonSageMakerPresignedUrlPolicy (IAM users)',
    statement: allow('AmazonSageMakerPresignedUrlPolicy', ['sagemaker:CreatePresignedDomainUrl'], {
      StringEquals: { 'sagemaker:ResourceTag/studiouserid': '${aws:username}' },
    }),
    letsThrough: [
      {
        what: "somebody else's profile",
        request: {
          action: 'CreatePresignedDomainUrl',
          context: { 'sagemaker:ResourceTag/studiouserid': 'bob' },
          principal: USER,
        },
      },
    ],
  },
  {
    name: 'AmazonSageMakerPresignedUrlPolicy (federated)',
    statement: allow('AmazonSageMakerPresignedUrlPolicy', ['sagemaker:CreatePresignedDomainUrl'], {
      StringEquals: { 'sagemaker:ResourceTag/studiouserid': '${aws:PrincipalTag/studiouserid}' },
    }),
    letsThrough: [
      {
        what: "somebody else's profile",
        request: {
          action: 'CreatePresignedDomainUrl',
          context: { 'sagemaker:ResourceTag/studiouserid': 'bob' },
        },
      },
      {
        what: 'a principal without the tag',
        request: {
          action: 'CreatePresignedDomainUrl',
          context: { 'sagemaker:ResourceTag/studiouserid': 'bob', 'aws:PrincipalTag/studiouserid': undefined },
        },
      },
    ],
  },
  {
    name: 'EnforceUserProfileTags',
    statement: allow('EnforceUserProfileTags', 'sagemaker:CreateUserProfile', {
      'ForAnyValue:StringEquals': { 'aws:TagKeys': ['studiouserid'] },
    }),
    letsThrough: [{ what: 'a profile without tags', request: { action: 'CreateUserProfile', context: {} } }],
  },
  {
    name: 'EnforceTagsForJobs',
    statement: allow('EnforceTagsForJobs', ['sagemaker:CreateTrainingJob', 'sagemaker:CreateProcessingJob'], {
      'ForAnyValue:StringEquals': { 'aws:TagKeys': ['studiouserid'] },
    }),
    letsThrough: ['CreateTrainingJob', 'CreateProcessingJob'].map((action) => ({
      what: 'a job without tags',
      request: { action, context: {} },
    })),
  },
  {
    name: 'Encryption (endpoints)',
    statement: allow('Encryption', ['sagemaker:CreateEndpointConfig'], { Null: { 'sagemaker:VolumeKmsKey': 'false' } }),
    letsThrough: [{ what: 'no key', request: { action: 'CreateEndpointConfig', context: {} } }],
  },
  {
    name: 'Encryption (monitoring)',
    statement: allow('Encryption', ['sagemaker:CreateMonitoringSchedule', 'sagemaker:UpdateMonitoringSchedule'], {
      Null: { 'sagemaker:VolumeKmsKey': 'false', 'sagemaker:OutputKmsKey': 'false' },
    }),
    letsThrough: [
      { what: 'no key', request: { action: 'CreateMonitoringSchedule', context: {} } },
      {
        what: 'no key for the output',
        request: { action: 'UpdateMonitoringSchedule', context: { 'sagemaker:VolumeKmsKeyArn': KEY } },
      },
    ],
  },
  {
    name: 'EncryptDomainStorage',
    statement: allow('EncryptDomainStorage', ['sagemaker:CreateDomain'], {
      Null: { 'sagemaker:VolumeKmsKey': 'false' },
    }),
    letsThrough: [{ what: 'no key', request: { action: 'CreateDomain', context: {} } }],
  },
  {
    name: 'EncryptDomainSharingS3Bucket',
    statement: allow('EncryptDomainSharingS3Bucket', ['sagemaker:CreateDomain', 'sagemaker:UpdateDomain'], {
      Null: { 'sagemaker:DomainSharingOutputKmsKey': 'false' },
    }),
    letsThrough: ['CreateDomain', 'UpdateDomain'].map((action) => ({
      what: 'no key',
      request: { action, context: { 'sagemaker:AppNetworkAccessType': 'VpcOnly' } },
    })),
  },
];
