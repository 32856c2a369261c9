import type { Acknowledged, Reasons } from './kinds';

/** Wildcards of the storage stack, and why no exact name can stand there. */
export const wildcards: Reasons = {
  'Allow action kms:*': 'the account itself administers its keys; IAM policies then decide who uses them',
  'Allow condition arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:tidegate-*':
    'the alarms come after the key, which can therefore name them by their prefix only',
  'Allow condition arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/lambda/tidegate-*':
    'the log groups refer to their key, which can therefore name them by their prefix only',
  'Allow action s3:DeleteObject*': "CDK's helper that empties a sandbox's buckets deletes objects and versions",
  'Allow action s3:GetBucket*': "CDK's helper that empties a sandbox's buckets looks at them",
  'Allow action s3:List*': "CDK's helper that empties a sandbox's buckets lists objects and versions",
  'Allow resource ${BucketAccessLogs.Arn}/*': "CDK's helper that empties a sandbox's buckets empties all of them",
  'Allow resource ${BucketData.Arn}/*': "CDK's helper that empties a sandbox's buckets empties all of them",
  'Allow resource ${BucketAccessLogs.Arn}/s3-access-logs/*': 'S3 names the log objects',
  'Allow resource ${BucketAccessLogs.Arn}/s3-access-logs/studio/*': 'S3 names the log objects',
  'Allow condition arn:${AWS::Partition}:s3:::tidegatestudio-*':
    "the buckets of Studio domains come after this one; CloudFormation begins their names with their stack's",
  'Deny action s3:*': 'nothing may be done without TLS',
  'Deny principal AWS:*': 'nobody may come without TLS',
  'Deny resource ${BucketAccessLogs.Arn}/*': 'no object may be touched without TLS',
  'Deny resource ${BucketData.Arn}/*': 'no object may be touched without TLS',
};

/** Actions that may stand beside the resource `*`, and why. */
export const anyResource: Reasons = {};

/** Findings of the rule packs that stay, each with a reason. */
export const acknowledged: readonly Acknowledged[] = [
  {
    rule: 'NIST.800.53.R5-S3BucketReplicationEnabled',
    at: /^TidegateStorage\/Bucket\/(Data|AccessLogs)\/Resource$/,
    reason:
      'data stays in the region that was chosen for it; a copy elsewhere is a decision of its owner, not of this app',
  },
  {
    rule: 'NIST.800.53.R5-S3DefaultEncryptionKMS',
    at: /^TidegateStorage\/Bucket\/AccessLogs\/Resource$/,
    reason: 'S3 cannot deliver access logs into a bucket under a KMS key; it is encrypted with keys that S3 manages',
  },
];
