import type { Acknowledged, Reasons } from './kinds';

/** Wildcards of the network stack, and why no exact name can stand there. */
export const wildcards: Reasons = {
  'Allow action *': 'a policy of an endpoint gives no right; whose requests pass, and to whose resources, it bounds',
  'Allow principal AWS:*': 'a policy of an endpoint gives no right; its condition names the account',
  'Allow condition arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:vpc-flow-log/*':
    'the flow log refers to its role, which can therefore not name it',
  'Allow resource arn:${AWS::Partition}:sagemaker:${AWS::Region}:${AWS::AccountId}:user-profile/*':
    'a policy of an endpoint gives no right; domains and their profiles come and go',
  'Allow resource arn:${AWS::Partition}:iam::${AWS::AccountId}:role/*':
    'a policy of an endpoint gives no right; the trust policy of a role names the provider whose assertions take it',
  'Allow resource arn:${AWS::Partition}:s3:::cloudformation-custom-resource-response-${AWS::Region}/*':
    'CloudFormation names the object that takes the answer',
  'Allow resource arn:${AWS::Partition}:s3:::prod-${AWS::Region}-starport-layer-bucket/*':
    'ECR names the objects that hold layers of images',
};

/** Actions that may stand beside the resource `*`, and why. */
export const anyResource: Reasons = {};

/** Findings of the rule packs that stay, each with a reason. */
export const acknowledged: readonly Acknowledged[] = [
  {
    rule: 'NIST.800.53.R5-EC2RestrictedCommonPorts',
    at: /^TidegateNetwork\/Groups\/Jobs\/from /,
    reason: 'only members of the group itself come in, containers of one job, which choose their own ports',
  },
  {
    rule: 'NIST.800.53.R5-IAMNoInlinePolicy',
    at: /^TidegateNetwork\/FlowLogs\/Role\/DefaultPolicy\/Resource$/,
    reason: 'the policy is the work of one role and of no other: a managed policy could be attached elsewhere',
  },
];
