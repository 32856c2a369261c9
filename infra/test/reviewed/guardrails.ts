import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseGuardrails } from '../../lib/guardrails/config/guardrails';
import { applied, statementsOf } from '../../lib/guardrails/library/compose';
import type { Acknowledged, Reasons } from './kinds';

const example = join(__dirname, '..', '..', 'guardrails', 'example.yaml');
const { approved, omit } = parseGuardrails(example, readFileSync(example, 'utf8'));

const NAMED_LATER = 'the administrator makes and names these';
const CAP = 'a permissions boundary gives no right; it says which services others may give one for';
const LIST = 'the action knows no resources';
const sagemaker = (kind: string) =>
  `Allow resource arn:\${AWS::Partition}:sagemaker:\${AWS::Region}:\${AWS::AccountId}:${kind}/*`;

/**
 * Who owns the images of SageMaker Distribution, by region: an account of AWS in each
 * (https://docs.aws.amazon.com/sagemaker/latest/dg/notebooks-available-images.html).
 */
const DISTRIBUTION = [
  'us-east-1:885854791233',
  'us-east-2:137914896644',
  'us-west-1:053634841547',
  'us-west-2:542918446943',
  'eu-central-1:545423591354',
  'eu-west-1:819792524951',
];

/** Wildcards of the guardrails' stacks with the example's choices, and why no exact name can stand there. */
export const wildcards: Reasons = {
  [sagemaker('domain')]: 'SageMaker makes the ids of domains',
  [sagemaker('user-profile')]: 'SageMaker makes the ids of domains; which profile is whose, the tag says',
  [sagemaker('space')]: 'SageMaker makes the ids of domains',
  [sagemaker('app')]: 'SageMaker makes the ids of domains',
  [sagemaker('image')]: NAMED_LATER,
  [sagemaker('image-version')]: NAMED_LATER,
  [sagemaker('app-image-config')]: NAMED_LATER,
  [sagemaker('studio-lifecycle-config')]: NAMED_LATER,
  'Allow action sagemaker:*': CAP,
  'Allow action s3:*': CAP,
  'Allow action kms:*': CAP,
  'Allow action ecr:*': CAP,
  'Allow action logs:*': CAP,
  'Allow action cloudwatch:*': CAP,
  'Allow condition ?*': 'any name but the empty one: the tag must be there',

  'Deny condition ?*': 'denies a tag that is missing or empty',
  'Deny condition ml.m5.*': 'families of instance types that are approved as a whole',
  'Deny condition ml.c5.*': 'families of instance types that are approved as a whole',
  'Deny condition ml.c6i.*': 'families of instance types that are approved as a whole',
  'Deny condition arn:aws:sagemaker:*:111122223333:image/tidegate-*': 'approved images, in every region',
  'Deny condition arn:aws:sagemaker:*:111122223333:image-version/tidegate-*/*': 'any version of an approved image',
  ...Object.fromEntries(
    DISTRIBUTION.flatMap((owner) => [
      [`Deny condition arn:aws:sagemaker:${owner}:image/sagemaker-distribution-*`, "AWS's own images of one region"],
      [`Deny condition arn:aws:sagemaker:${owner}:image-version/sagemaker-distribution-*/*`, 'any version of these'],
    ]),
  ),
  'Deny condition arn:aws:iam::*:role/tidegate-ml-administrator':
    'an SCP speaks to every account of the organisation, and the role has the same name in each',
  'Deny condition arn:aws:iam::*:role/break-glass':
    'an SCP speaks to every account of the organisation, and the role has the same name in each',
  'Deny condition arn:aws:iam::*:role/TidegateAccess-*': 'CloudFormation names the roles of the sign-in',
  'Deny condition arn:aws:iam::*:role/TidegateStudio-*-ExecutionRole*':
    'CloudFormation names the execution roles of domains',
  'Deny condition arn:aws:iam::*:role/cdk-*-cfn-exec-role-*':
    'the CDK names the roles that deploy, by account and region',
  'Deny principal *': 'a resource control policy denies whoever comes from outside, whoever that is',
};

/** Actions that may stand beside the resource `*`, and why. */
export const anyResource: Reasons = {
  // What a guardrail denies, it denies everywhere.
  ...Object.fromEntries(
    statementsOf(applied(omit), approved).flatMap(({ Sid, Action }) =>
      Action.map((action) => [action, `denied everywhere, by ${Sid}`]),
    ),
  ),
  'sts:AssumeRole': 'denied to whoever comes from outside, on every role that carries the tag of domains',
  'sagemaker:*': CAP,
  's3:*': CAP,
  'kms:*': CAP,
  'ecr:*': CAP,
  'logs:*': CAP,
  'cloudwatch:*': CAP,
  'ec2:DescribeSecurityGroups': LIST,
  'ec2:DescribeSubnets': LIST,
  'ec2:DescribeVpcs': LIST,
  'sagemaker:ListAppImageConfigs': LIST,
  'sagemaker:ListApps': LIST,
  'sagemaker:ListDomains': LIST,
  'sagemaker:ListImages': LIST,
  'sagemaker:ListSpaces': LIST,
  'sagemaker:ListStudioLifecycleConfigs': LIST,
  'sagemaker:ListUserProfiles': LIST,
};

/** Findings of the rule packs that stay, each with a reason. */
export const acknowledged: readonly Acknowledged[] = [
  {
    rule: 'NIST.800.53.R5-IAMPolicyNoStatementsWithFullAccess',
    at: /^TidegateGuardrails\/Guardrails\/Boundary\/Resource$/,
    reason: CAP,
  },
];
