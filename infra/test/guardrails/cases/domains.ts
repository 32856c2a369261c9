import { type Case, allows, denies } from './case';

const ACCESS = 'sagemaker:AppNetworkAccessType';
const SUBNETS = 'sagemaker:VpcSubnets';
const GROUPS = 'sagemaker:VpcSecurityGroupIds';
const KEY = 'arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
const inVpc = { [SUBNETS]: ['subnet-aaaa1111'], [GROUPS]: ['sg-aaaa1111'] };

export const DOMAINS: Case[] = [
  ...denies('DomainVpcOnly', 'the internet, with subnets and groups', 'CreateDomain', {
    [ACCESS]: 'PublicInternetOnly',
    ...inVpc,
  }),
  ...denies('DomainVpcOnly', 'nothing said, which is the internet', 'CreateDomain', inVpc),
  ...denies('DomainVpcOnly', 'in other letters', 'CreateDomain', { [ACCESS]: 'vpconly', ...inVpc }),
  ...allows('DomainVpcOnly', 'the VPC', 'CreateDomain', { [ACCESS]: 'VpcOnly', ...inVpc }),
  ...denies('DomainStaysVpcOnly', 'out of the VPC', 'UpdateDomain', { [ACCESS]: 'PublicInternetOnly' }),
  ...allows('DomainStaysVpcOnly', 'into the VPC', 'UpdateDomain', { [ACCESS]: 'VpcOnly' }),
  ...allows('DomainStaysVpcOnly', 'another setting', 'UpdateDomain', { 'sagemaker:InstanceTypes': ['system'] }),
  ...denies('DomainSubnetsNamed', 'no subnets', 'CreateDomain', { [ACCESS]: 'VpcOnly', [GROUPS]: ['sg-aaaa1111'] }),
  ...allows('DomainSubnetsNamed', 'subnets', 'CreateDomain', { [ACCESS]: 'VpcOnly', ...inVpc }),
  ...denies('DomainSecurityGroupsNamed', 'no groups', 'CreateDomain', {
    [ACCESS]: 'VpcOnly',
    [SUBNETS]: ['subnet-aaaa1111'],
  }),
  ...allows('DomainSecurityGroupsNamed', 'groups', 'CreateDomain', { [ACCESS]: 'VpcOnly', ...inVpc }),
  ...denies('DomainSubnetsApproved', 'one of two is another', ['CreateDomain', 'UpdateDomain'], {
    [SUBNETS]: ['subnet-aaaa1111', 'subnet-cccc3333'],
  }),
  ...allows('DomainSubnetsApproved', 'both approved', ['CreateDomain', 'UpdateDomain'], {
    [SUBNETS]: ['subnet-aaaa1111', 'subnet-bbbb2222'],
  }),
  ...allows('DomainSubnetsApproved', 'not touched', 'UpdateDomain'),
  ...denies('DomainSecurityGroupsApproved', 'one of two is for jobs only', ['CreateDomain', 'UpdateDomain'], {
    [GROUPS]: ['sg-dddd1111', 'sg-aaaa1111'],
  }),
  ...allows('DomainSecurityGroupsApproved', 'both approved', ['CreateDomain', 'UpdateDomain'], {
    [GROUPS]: ['sg-dddd1111', 'sg-dddd2222'],
  }),
  ...allows('DomainSecurityGroupsApproved', 'not touched', 'UpdateDomain'),
  ...denies(
    'DomainSecurityGroupsApproved',
    'a profile adds one that is for jobs only',
    ['CreateUserProfile', 'UpdateUserProfile'],
    {
      [GROUPS]: ['sg-dddd1111', 'sg-aaaa1111'],
    },
  ),
  ...allows(
    'DomainSecurityGroupsApproved',
    'a profile adds approved ones',
    ['CreateUserProfile', 'UpdateUserProfile'],
    {
      [GROUPS]: ['sg-dddd1111', 'sg-dddd2222'],
    },
  ),
  ...allows('DomainSecurityGroupsApproved', "a profile has the domain's", ['CreateUserProfile', 'UpdateUserProfile']),

  ...denies('DomainVolumeKey', 'no key', 'CreateDomain'),
  ...denies('DomainVolumeKey', 'a key for sharing only', 'CreateDomain', {
    'sagemaker:DomainSharingOutputKmsKeyArn': KEY,
  }),
  ...allows('DomainVolumeKey', 'a key', 'CreateDomain', { 'sagemaker:VolumeKmsKeyArn': KEY }),
  ...denies('DomainSharingKey', 'no key', 'CreateDomain'),
  ...denies('DomainSharingKey', 'a key for volumes only', 'CreateDomain', { 'sagemaker:VolumeKmsKeyArn': KEY }),
  ...allows('DomainSharingKey', 'a key', 'CreateDomain', { 'sagemaker:DomainSharingOutputKmsKeyArn': KEY }),
  ...denies('DomainSharingKeyOnUpdate', 'no key, which may be sharing without one', 'UpdateDomain'),
  ...allows('DomainSharingKeyOnUpdate', 'the key repeated', 'UpdateDomain', {
    'sagemaker:DomainSharingOutputKmsKeyArn': KEY,
  }),
];
