import { type Case, allows, denies } from './case';

const TYPES = 'sagemaker:InstanceTypes';
const SUBNETS = 'sagemaker:VpcSubnets';
const GROUPS = 'sagemaker:VpcSecurityGroupIds';
const ENCRYPTED = 'sagemaker:InterContainerTrafficEncryption';
const VOLUME = 'sagemaker:VolumeKmsKeyArn';
const OUTPUT = 'sagemaker:OutputKmsKeyArn';
const KEY = 'arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';

const DEFINITIONS = ['DataQuality', 'ModelQuality', 'ModelBias', 'ModelExplainability'].map(
  (name) => `Create${name}JobDefinition`,
);
const SCHEDULES = ['CreateMonitoringSchedule', 'UpdateMonitoringSchedule'];
const TRANSFORM = 'CreateTransformJob';
const SIZED = ['CreateTrainingJob', 'CreateProcessingJob', 'CreateHyperParameterTuningJob'];
const PLACED = [...SIZED, 'CreateAutoMLJob', 'CreateAutoMLJobV2'];
const TYPED = [...SIZED, 'UpdateTrainingJob', TRANSFORM, ...SCHEDULES, ...DEFINITIONS];
const JOBS = [...PLACED, TRANSFORM];
const IN_VPC = [...PLACED, 'CreateJob', 'CreateModel', ...DEFINITIONS];
const NAMED = [...IN_VPC, 'CreateEndpointConfig'];
const ONE = ['CreateTrainingJob', 'CreateProcessingJob', TRANSFORM];

export const JOB_CASES: Case[] = [
  ...denies('JobInstanceTypes', 'a large machine', TYPED, {
    [TYPES]: ['ml.p4d.24xlarge'],
  }),
  ...denies('JobInstanceTypes', 'one of two is not approved', 'CreateTrainingJob', {
    [TYPES]: ['ml.m5.large', 'ml.p3.2xlarge'],
  }),
  ...allows('JobInstanceTypes', 'an approved family', TYPED, {
    [TYPES]: ['ml.m5.4xlarge'],
  }),
  ...allows('JobInstanceTypes', 'an approved type', 'CreateTrainingJob', { [TYPES]: ['ml.g5.xlarge'] }),
  ...allows('JobInstanceTypes', 'an update that names none', 'UpdateTrainingJob'),
  ...allows('JobInstanceTypes', 'a schedule that names a definition', SCHEDULES),
  ...denies('JobInstanceTypeNamed', 'no type', ONE),
  ...allows('JobInstanceTypeNamed', 'a type', ONE, { [TYPES]: ['ml.m5.large'] }),

  ...denies('EndpointInstanceTypes', 'a large machine', 'CreateEndpointConfig', { [TYPES]: ['ml.p4d.24xlarge'] }),
  ...denies('EndpointInstanceTypes', 'one of two variants', 'CreateEndpointConfig', {
    [TYPES]: ['ml.m5.large', 'ml.m5.xlarge'],
  }),
  ...allows('EndpointInstanceTypes', 'approved variants', 'CreateEndpointConfig', {
    [TYPES]: ['ml.m5.large', 'ml.c6i.xlarge'],
  }),
  ...allows('EndpointInstanceTypes', 'a serverless variant', 'CreateEndpointConfig', {
    'sagemaker:ServerlessMemorySize': '2048',
  }),

  ...denies('JobSubnetsNamed', 'no subnets', IN_VPC, { [GROUPS]: ['sg-aaaa1111'] }),
  ...allows('JobSubnetsNamed', 'subnets', IN_VPC, {
    [SUBNETS]: ['subnet-aaaa1111'],
  }),
  ...allows('JobSubnetsNamed', "its model's", TRANSFORM),
  ...denies('JobSecurityGroupsNamed', 'no groups', IN_VPC, {
    [SUBNETS]: ['subnet-aaaa1111'],
  }),
  ...allows('JobSecurityGroupsNamed', 'groups', IN_VPC, {
    [GROUPS]: ['sg-aaaa1111'],
  }),
  ...denies('JobSubnetsApproved', 'one of two is another', NAMED, {
    [SUBNETS]: ['subnet-aaaa1111', 'subnet-cccc3333'],
  }),
  ...allows('JobSubnetsApproved', 'both approved', NAMED, {
    [SUBNETS]: ['subnet-aaaa1111', 'subnet-bbbb2222'],
  }),
  ...allows('JobSubnetsApproved', "its model's", 'CreateEndpointConfig'),
  ...denies('JobSecurityGroupsApproved', 'one of two is another', NAMED, {
    [GROUPS]: ['sg-aaaa1111', 'sg-cccc3333'],
  }),
  ...allows('JobSecurityGroupsApproved', 'both approved', NAMED, {
    [GROUPS]: ['sg-aaaa1111', 'sg-bbbb2222'],
  }),
  ...denies('JobTrafficEncrypted', 'in clear', [...PLACED, ...DEFINITIONS], { [ENCRYPTED]: 'false' }),
  ...denies('JobTrafficEncrypted', 'nothing said, which is in clear', [...PLACED, ...DEFINITIONS]),
  ...allows('JobTrafficEncrypted', 'encrypted', [...PLACED, ...DEFINITIONS], { [ENCRYPTED]: 'true' }),

  ...denies('ScheduleSubnetsNamed', 'no subnets', SCHEDULES, { [GROUPS]: ['sg-aaaa1111'] }),
  ...denies('ScheduleSubnetsNamed', 'only the name of a definition, which carries its own', SCHEDULES),
  ...allows('ScheduleSubnetsNamed', 'subnets', SCHEDULES, { [SUBNETS]: ['subnet-aaaa1111'] }),
  ...denies('ScheduleSecurityGroupsNamed', 'no groups', SCHEDULES, { [SUBNETS]: ['subnet-aaaa1111'] }),
  ...allows('ScheduleSecurityGroupsNamed', 'groups', SCHEDULES, { [GROUPS]: ['sg-aaaa1111'] }),
  ...denies('ScheduleSubnetsApproved', 'one of two is another', SCHEDULES, {
    [SUBNETS]: ['subnet-aaaa1111', 'subnet-cccc3333'],
  }),
  ...allows('ScheduleSubnetsApproved', 'both approved', SCHEDULES, {
    [SUBNETS]: ['subnet-aaaa1111', 'subnet-bbbb2222'],
  }),
  ...denies('ScheduleSecurityGroupsApproved', 'one of two is another', SCHEDULES, {
    [GROUPS]: ['sg-aaaa1111', 'sg-cccc3333'],
  }),
  ...allows('ScheduleSecurityGroupsApproved', 'both approved', SCHEDULES, { [GROUPS]: ['sg-aaaa1111', 'sg-bbbb2222'] }),
  ...denies('ScheduleTrafficEncrypted', 'in clear', SCHEDULES, { [ENCRYPTED]: 'false' }),
  ...denies('ScheduleTrafficEncrypted', 'nothing said, which is in clear', SCHEDULES),
  ...allows('ScheduleTrafficEncrypted', 'encrypted', SCHEDULES, { [ENCRYPTED]: 'true' }),

  ...[
    { subject: 'Job', actions: JOBS },
    { subject: 'Schedule', actions: SCHEDULES },
    { subject: 'Definition', actions: DEFINITIONS },
  ].flatMap(({ subject, actions }) => [
    ...denies(`${subject}VolumeKey`, 'no key', actions),
    ...denies(`${subject}VolumeKey`, 'a key for output only', actions, { [OUTPUT]: KEY }),
    ...allows(`${subject}VolumeKey`, 'a key', actions, { [VOLUME]: KEY }),
    ...denies(`${subject}OutputKey`, 'no key', actions),
    ...denies(`${subject}OutputKey`, 'a key for volumes only', actions, { [VOLUME]: KEY }),
    ...allows(`${subject}OutputKey`, 'a key', actions, { [OUTPUT]: KEY }),
  ]),
  ...denies('JobOutputKey', 'no key', ['CreateJob', 'CreateLabelingJob']),
  ...denies('JobOutputKey', 'a key for volumes only', 'CreateLabelingJob', { [VOLUME]: KEY }),
  ...allows('JobOutputKey', 'a key', ['CreateJob', 'CreateLabelingJob'], { [OUTPUT]: KEY }),
  ...denies('EndpointVolumeKey', 'no key', 'CreateEndpointConfig'),
  ...allows('EndpointVolumeKey', 'a key', 'CreateEndpointConfig', { [VOLUME]: KEY }),

  ...['Project', 'Environment'].flatMap((tag) => [
    ...denies(`JobTag${tag}`, 'no tags', JOBS),
    ...denies(`JobTag${tag}`, 'another tag', JOBS, { 'aws:RequestTag/Owner': 'alice', 'aws:TagKeys': ['Owner'] }),
    ...denies(`JobTag${tag}`, 'an empty tag', JOBS, { [`aws:RequestTag/${tag}`]: '', 'aws:TagKeys': [tag] }),
    ...allows(`JobTag${tag}`, 'the tag', JOBS, { [`aws:RequestTag/${tag}`]: 'one', 'aws:TagKeys': [tag] }),
  ]),
];
