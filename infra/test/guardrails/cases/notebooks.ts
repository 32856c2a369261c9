import { type Case, allows, denies } from './case';

const SETTINGS = [
  'CreateSpace',
  'UpdateSpace',
  'CreateUserProfile',
  'UpdateUserProfile',
  'CreateDomain',
  'UpdateDomain',
];
const TYPES = 'sagemaker:InstanceTypes';
const IMAGES = 'sagemaker:ImageArns';
const VERSIONS = 'sagemaker:ImageVersionArns';
const INSTANCE = 'CreateNotebookInstance';
const INTERNET = 'sagemaker:DirectInternetAccess';
const SUBNETS = 'sagemaker:VpcSubnets';
const GROUPS = 'sagemaker:VpcSecurityGroupIds';
const inVpc = { [SUBNETS]: ['subnet-aaaa1111'], [GROUPS]: ['sg-aaaa1111'] };
const image = (name: string, account = '111122223333', region = 'us-east-1') =>
  `arn:aws:sagemaker:${region}:${account}:image/${name}`;
const version = (name: string, account = '111122223333') =>
  `arn:aws:sagemaker:us-east-1:${account}:image-version/${name}`;

/** Apps, images, domains, profiles. */
export const NOTEBOOKS: Case[] = [
  ...denies('NotebookInstanceTypes', 'a large machine', ['CreateApp', ...SETTINGS], { [TYPES]: ['ml.p4d.24xlarge'] }),
  ...denies('NotebookInstanceTypes', 'a large machine', ['CreateNotebookInstance', 'UpdateNotebookInstance'], {
    [TYPES]: ['ml.p4d.24xlarge'],
  }),
  ...denies('NotebookInstanceTypes', 'one of two is not approved', SETTINGS, {
    [TYPES]: ['ml.t3.medium', 'ml.p3.2xlarge'],
  }),
  ...denies('NotebookInstanceTypes', 'an approved one in other letters', 'CreateApp', { [TYPES]: ['ML.T3.MEDIUM'] }),
  ...denies('NotebookInstanceTypes', 'one that begins like an approved one', 'CreateApp', {
    [TYPES]: ['ml.m5.large2'],
  }),
  ...allows('NotebookInstanceTypes', 'an approved one', ['CreateApp', ...SETTINGS], { [TYPES]: ['ml.t3.medium'] }),
  ...allows('NotebookInstanceTypes', 'the Jupyter server', 'CreateApp', { [TYPES]: ['system'] }),
  ...allows('NotebookInstanceTypes', 'several approved ones', 'UpdateDomain', {
    [TYPES]: ['ml.c5.large', 'ml.m5.large', 'system'],
  }),
  ...allows('NotebookInstanceTypes', 'the default of the profile', 'CreateApp'),

  ...denies('NotebookInstanceOffInternet', 'the internet, in the VPC too', INSTANCE, {
    [INTERNET]: 'Enabled',
    ...inVpc,
  }),
  ...denies('NotebookInstanceOffInternet', 'nothing said, which is the internet', INSTANCE, inVpc),
  ...allows('NotebookInstanceOffInternet', 'the VPC alone', INSTANCE, { [INTERNET]: 'Disabled', ...inVpc }),
  ...denies('NotebookInstanceSubnetNamed', 'no subnet', INSTANCE, { [GROUPS]: ['sg-aaaa1111'] }),
  ...allows('NotebookInstanceSubnetNamed', 'a subnet', INSTANCE, inVpc),
  ...denies('NotebookInstanceSecurityGroupsNamed', "no groups, which is the VPC's default", INSTANCE, {
    [SUBNETS]: ['subnet-aaaa1111'],
  }),
  ...allows('NotebookInstanceSecurityGroupsNamed', 'groups', INSTANCE, inVpc),
  ...denies('NotebookInstanceSubnetsApproved', 'another', INSTANCE, { [SUBNETS]: ['subnet-cccc3333'] }),
  ...['subnet-aaaa1111', 'subnet-bbbb2222'].flatMap((subnet) =>
    allows('NotebookInstanceSubnetsApproved', `approved: ${subnet}`, INSTANCE, { [SUBNETS]: [subnet] }),
  ),
  ...denies('NotebookInstanceSecurityGroupsApproved', 'one of two is another', INSTANCE, {
    [GROUPS]: ['sg-aaaa1111', 'sg-cccc3333'],
  }),
  ...allows('NotebookInstanceSecurityGroupsApproved', 'both approved', INSTANCE, {
    [GROUPS]: ['sg-aaaa1111', 'sg-bbbb2222'],
  }),
  ...denies('NotebookInstanceVolumeKey', 'no key', INSTANCE, inVpc),
  ...allows('NotebookInstanceVolumeKey', 'a key', INSTANCE, {
    'sagemaker:VolumeKmsKeyArn': 'arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
  }),

  ...denies('ApprovedImages', 'an image of somebody', ['CreateApp', ...SETTINGS], { [IMAGES]: [image('rogue')] }),
  ...denies('ApprovedImages', 'one of two is not approved', SETTINGS, {
    [IMAGES]: [image('approved'), image('rogue')],
  }),
  ...denies('ApprovedImages', 'the name in another account', 'CreateApp', {
    [IMAGES]: [image('approved', '444455556666')],
  }),
  ...denies('ApprovedImages', 'the name in other letters', 'CreateApp', { [IMAGES]: [image('Approved')] }),
  ...allows('ApprovedImages', 'an approved one', ['CreateApp', ...SETTINGS], { [IMAGES]: [image('approved')] }),
  ...allows('ApprovedImages', "AWS's own", 'CreateApp', {
    [IMAGES]: [image('sagemaker-distribution-cpu', '885854791233')],
  }),
  ...denies('ApprovedImages', "one of that account in another region, where AWS's own lie elsewhere", 'CreateApp', {
    [IMAGES]: [image('sagemaker-distribution-cpu', '885854791233', 'eu-west-1')],
  }),
  ...allows('ApprovedImages', 'no image of its own', 'CreateApp', { [TYPES]: ['system'] }),
  ...denies('ApprovedImageVersions', 'a version of another image', ['CreateApp', ...SETTINGS], {
    [VERSIONS]: [version('rogue/1')],
  }),
  ...denies('ApprovedImageVersions', 'one of two is not approved', SETTINGS, {
    [VERSIONS]: [version('approved/1'), version('rogue/1')],
  }),
  ...denies('ApprovedImageVersions', 'of an image that begins like an approved one', 'CreateApp', {
    [VERSIONS]: [version('approved-not/1')],
  }),
  ...allows('ApprovedImageVersions', 'a version of an approved image', ['CreateApp', ...SETTINGS], {
    [VERSIONS]: [version('approved/7')],
  }),
  ...allows('ApprovedImageVersions', "a version of AWS's own", 'CreateApp', {
    [VERSIONS]: [version('sagemaker-distribution-cpu/3', '885854791233')],
  }),
  ...allows('ApprovedImageVersions', 'no version', 'CreateApp', { [IMAGES]: [image('approved')] }),

  ...denies('AppImageConfigsAreKept', 'a data scientist', [
    'CreateAppImageConfig',
    'UpdateAppImageConfig',
    'DeleteAppImageConfig',
  ]),
  ...allows(
    'AppImageConfigsAreKept',
    'the administrator',
    ['CreateAppImageConfig', 'UpdateAppImageConfig', 'DeleteAppImageConfig'],
    { 'aws:PrincipalArn': 'arn:aws:iam::111122223333:role/ml-administrator' },
    { principal: 'arn:aws:sts::111122223333:assumed-role/ml-administrator/bob' },
  ),
  ...allows('AppImageConfigsAreKept', 'an image itself is another guardrail', 'CreateApp', {
    [IMAGES]: [image('rogue')],
  }),

  ...denies('ProfileTagStudiouserid', 'no tags', 'CreateUserProfile'),
  ...denies('ProfileTagStudiouserid', 'another tag', 'CreateUserProfile', {
    'aws:RequestTag/CostCenter': '42',
    'aws:TagKeys': ['CostCenter'],
  }),
  ...denies('ProfileTagStudiouserid', 'an empty tag', 'CreateUserProfile', {
    'aws:RequestTag/studiouserid': '',
    'aws:TagKeys': ['studiouserid'],
  }),
  ...allows('ProfileTagStudiouserid', 'the tag', 'CreateUserProfile', {
    'aws:RequestTag/studiouserid': 'alice',
    'aws:TagKeys': ['studiouserid'],
  }),
  ...denies('ProfileTagCostCenter', 'one of two tags', 'CreateUserProfile', {
    'aws:RequestTag/studiouserid': 'alice',
    'aws:TagKeys': ['studiouserid'],
  }),
  ...allows('ProfileTagCostCenter', 'both tags', 'CreateUserProfile', {
    'aws:RequestTag/studiouserid': 'alice',
    'aws:RequestTag/CostCenter': '42',
    'aws:TagKeys': ['studiouserid', 'CostCenter'],
  }),
];
