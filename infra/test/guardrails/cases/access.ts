import { ACCOUNT, USER } from '../simulator';
import { type Case, allows, denies } from './case';

const OPEN = ['CreatePresignedDomainUrl', 'CreatePresignedNotebookInstanceUrl', 'StartSession'];
const OWN = ['CreatePresignedDomainUrl', 'StartSession'];
const OWNER = 'sagemaker:ResourceTag/studiouserid';
const WHO = 'aws:PrincipalTag/studiouserid';
const byUser = { principal: USER };
const inside = { 'aws:SourceIp': undefined };
const VPC = 'vpc-0aaa1111bbbb2222c';
const byEndpoint = (address: string, vpc = VPC) => ({ ...inside, 'aws:VpcSourceIp': address, 'aws:SourceVpc': vpc });
/** A role without a name in its tags. */
const as = (role: string) => ({ 'aws:PrincipalArn': `arn:aws:iam::${ACCOUNT}:role/${role}`, [WHO]: undefined });

/** Who opens Studio, from where. */
export const ACCESS: Case[] = [
  ...denies('StudioViaVpcEndpoints', 'over the internet, without the key', OPEN),
  ...denies('StudioViaVpcEndpoints', 'another endpoint', OPEN, { ...inside, 'aws:SourceVpce': 'vpce-999' }),
  ...denies('StudioViaVpcEndpoints', 'even a request that does not say for whom it comes', OPEN, {
    'aws:ViaAWSService': undefined,
  }),
  ...allows('StudioViaVpcEndpoints', 'an approved endpoint', OPEN, { ...inside, 'aws:SourceVpce': 'vpce-111bbddd' }),
  ...allows('StudioViaVpcEndpoints', 'the other approved endpoint', OPEN, {
    ...inside,
    'aws:SourceVpce': 'vpce-111bbccc',
  }),
  ...allows('StudioViaVpcEndpoints', 'a service on behalf of somebody', OPEN, { 'aws:ViaAWSService': 'true' }),
  ...allows('StudioViaVpcEndpoints', 'what opens nothing', 'DescribeUserProfile'),

  ...denies('StudioViaVpcs', 'over the internet, without the key', OPEN),
  ...denies('StudioViaVpcs', 'another VPC', OPEN, { ...inside, 'aws:SourceVpc': 'vpc-999' }),
  ...allows('StudioViaVpcs', 'an approved VPC', OPEN, { ...inside, 'aws:SourceVpc': VPC }),
  ...allows('StudioViaVpcs', 'a service on behalf of somebody', OPEN, { 'aws:ViaAWSService': 'true' }),

  ...denies('StudioFromIpRanges', 'another address', OPEN, { 'aws:SourceIp': '198.51.100.7' }),
  ...denies('StudioFromIpRanges', 'the address after the range', OPEN, { 'aws:SourceIp': '192.0.3.0' }),
  ...denies('StudioFromIpRanges', 'another private address', OPEN, {
    ...inside,
    'aws:VpcSourceIp': '10.2.0.1',
    'aws:SourceVpc': VPC,
  }),
  ...denies('StudioFromIpRanges', 'no address at all', OPEN, inside),
  ...denies('StudioFromIpRanges', 'a public address that is in the private range', OPEN, {
    'aws:SourceIp': '10.1.2.3',
  }),
  ...allows('StudioFromIpRanges', 'the last address of a range', OPEN, { 'aws:SourceIp': '203.0.113.255' }),
  ...allows('StudioFromIpRanges', 'the first address of the other range', OPEN, { 'aws:SourceIp': '192.0.2.0' }),
  ...allows('StudioFromIpRanges', 'a private address', OPEN, {
    ...inside,
    'aws:VpcSourceIp': '10.1.2.3',
    'aws:SourceVpc': VPC,
  }),
  ...allows('StudioFromIpRanges', 'a service on behalf of somebody', OPEN, { 'aws:ViaAWSService': 'true' }),
  ...denies('StudioFromIpRangesOfVpcs', "a private address of somebody else's VPC", OPEN, {
    ...inside,
    'aws:VpcSourceIp': '10.1.2.3',
    'aws:SourceVpc': 'vpc-999',
  }),
  ...denies('StudioFromIpRangesOfVpcs', 'a private address of no VPC', OPEN, {
    ...inside,
    'aws:VpcSourceIp': '10.1.2.3',
  }),
  ...allows('StudioFromIpRangesOfVpcs', 'a private address of our VPC', OPEN, {
    ...inside,
    'aws:VpcSourceIp': '10.1.2.3',
    'aws:SourceVpc': VPC,
  }),
  ...allows('StudioFromIpRangesOfVpcs', 'a service on behalf of somebody', OPEN, {
    ...inside,
    'aws:VpcSourceIp': '10.1.2.3',
    'aws:ViaAWSService': 'true',
  }),
  ...allows('StudioFromIpRangesOfVpcs', 'over the internet, which the other statement decides', OPEN),

  ...denies('StudioFromVpcAddresses', 'over the internet, without the key', OPEN),
  ...denies('StudioFromVpcAddresses', 'another private address', OPEN, byEndpoint('10.2.0.1')),
  ...denies('StudioFromVpcAddresses', 'the address after the range', OPEN, byEndpoint('10.9.9.0')),
  ...denies('StudioFromVpcAddresses', 'an approved address that is none of an endpoint', OPEN, {
    'aws:SourceIp': '10.1.2.3',
  }),
  ...allows('StudioFromVpcAddresses', 'an address of the functions', OPEN, byEndpoint('10.1.2.3')),
  ...allows('StudioFromVpcAddresses', 'an address of the browsers', OPEN, byEndpoint('10.9.8.255')),
  ...allows('StudioFromVpcAddresses', 'a service on behalf of somebody', OPEN, { 'aws:ViaAWSService': 'true' }),
  ...denies('StudioFromVpcAddressesOfVpcs', 'over the internet, without the key', OPEN),
  ...denies('StudioFromVpcAddressesOfVpcs', "somebody else's VPC", OPEN, byEndpoint('10.1.2.3', 'vpc-999')),
  ...allows('StudioFromVpcAddressesOfVpcs', 'our VPC', OPEN, byEndpoint('10.1.2.3')),
  ...allows('StudioFromVpcAddressesOfVpcs', 'our other VPC', OPEN, byEndpoint('10.1.2.3', 'vpc-0ddd3333eeee4444f')),
  ...allows('StudioFromVpcAddressesOfVpcs', 'a service on behalf of somebody', OPEN, { 'aws:ViaAWSService': 'true' }),

  ...denies('StudioByOpenersOnly', 'a person, as the console does it', OWN, { [OWNER]: 'alice' }),
  ...denies('StudioByOpenersOnly', 'an IAM user', OWN, { [OWNER]: 'alice' }, byUser),
  ...denies('StudioByOpenersOnly', 'a role whose name begins as one of them', OWN, as('studio-access-2')),
  ...allows('StudioByOpenersOnly', "the sign-in's function", OWN, as('studio-access')),
  ...allows('StudioByOpenersOnly', 'an application of a domain', OWN, as('execution-red')),
  ...allows('StudioByOpenersOnly', 'a person who opens a notebook instance', 'CreatePresignedNotebookInstanceUrl'),

  ...denies('OwnProfileOfUser', "somebody else's", OWN, { [OWNER]: 'bob' }, byUser),
  ...denies('OwnProfileOfUser', 'one without the tag', OWN, {}, byUser),
  ...denies('OwnProfileOfUser', 'the name in other letters', OWN, { [OWNER]: 'Alice' }, byUser),
  ...denies('OwnProfileOfUser', 'a pattern in the tag', OWN, { [OWNER]: '*' }, byUser),
  ...allows('OwnProfileOfUser', 'the own one', OWN, { [OWNER]: 'alice' }, byUser),
  ...allows('OwnProfileOfUser', 'federated: another statement decides', OWN, { [OWNER]: 'bob' }),
  ...denies('OwnProfileOfFederated', "somebody else's", OWN, { [OWNER]: 'bob' }),
  ...denies('OwnProfileOfFederated', 'one without the tag', OWN),
  ...denies('OwnProfileOfFederated', 'the name in other letters', OWN, { [OWNER]: 'Alice' }),
  ...denies('OwnProfileOfFederated', "somebody else's, by a session of the sign-in that has a name", OWN, {
    ...as('studio-access'),
    [WHO]: 'alice',
    [OWNER]: 'bob',
  }),
  ...allows('OwnProfileOfFederated', 'the own one', OWN, { [OWNER]: 'alice' }),
  ...allows('OwnProfileOfFederated', 'an IAM user: another statement decides', OWN, { [OWNER]: 'bob' }, byUser),
  ...denies('OwnProfileOfNobody', 'a principal without the tag', OWN, { [WHO]: undefined, [OWNER]: 'alice' }),
  ...denies('OwnProfileOfNobody', 'neither has the tag', OWN, { [WHO]: undefined }),
  ...denies('OwnProfileOfNobody', 'both tags are empty', OWN, { [WHO]: '', [OWNER]: '' }),
  ...denies('OwnProfileOfNobody', 'the variable itself as the tag', OWN, {
    [WHO]: undefined,
    [OWNER]: '${aws:PrincipalTag/studiouserid}',
  }),
  ...allows('OwnProfileOfNobody', "the sign-in's function", OWN, as('studio-access')),
  ...allows('OwnProfileOfNobody', 'an application of a domain', OWN, as('execution-red')),
  ...allows('OwnProfileOfNobody', 'a principal with the tag', OWN, { [OWNER]: 'alice' }),
  ...allows('OwnProfileOfNobody', 'an IAM user', OWN, { [OWNER]: 'alice' }, byUser),

  ...denies('OwnProfileTagKept', 'another owner', 'AddTags', { 'aws:TagKeys': ['studiouserid'] }),
  ...denies('OwnProfileTagKept', 'among other tags', 'AddTags', { 'aws:TagKeys': ['Owner', 'studiouserid'] }),
  ...denies('OwnProfileTagKept', 'in other letters', 'AddTags', { 'aws:TagKeys': ['StudioUserId'] }),
  ...denies(
    'OwnProfileTagKept',
    'of a space',
    'AddTags',
    { 'aws:TagKeys': ['studiouserid'] },
    {
      resource: 'arn:aws:sagemaker:us-east-1:111122223333:space/d-abcdefghijkl/notebooks',
    },
  ),
  ...allows('OwnProfileTagKept', 'another tag', 'AddTags', { 'aws:TagKeys': ['Owner'] }),
  ...allows('OwnProfileTagKept', 'while creating', 'AddTags', {
    'aws:TagKeys': ['studiouserid'],
    'sagemaker:TaggingAction': 'CreateUserProfile',
  }),
  ...denies('OwnProfileTagNotRemoved', 'of a profile', 'DeleteTags', { 'aws:TagKeys': ['studiouserid'] }),
  ...allows('OwnProfileTagNotRemoved', 'another tag', 'DeleteTags', { 'aws:TagKeys': ['Owner'] }),
];
