import { Duration } from 'aws-cdk-lib';
import type { RemovalPolicy } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { KEY_USE } from '../shared/key-use';

/** Administration of a key, without creating others. */
const KEY_ADMINISTRATION = [
  'kms:CancelKeyDeletion',
  'kms:CreateAlias',
  'kms:DeleteAlias',
  'kms:DisableKey',
  'kms:DisableKeyRotation',
  'kms:EnableKey',
  'kms:EnableKeyRotation',
  'kms:GetKeyPolicy',
  'kms:GetKeyRotationStatus',
  'kms:ListGrants',
  'kms:ListKeyPolicies',
  'kms:ListResourceTags',
  'kms:PutKeyPolicy',
  'kms:RevokeGrant',
  'kms:ScheduleKeyDeletion',
  'kms:TagResource',
  'kms:UntagResource',
  'kms:UpdateAlias',
  'kms:UpdateKeyDescription',
];

export interface DomainKeyProps {
  readonly alias: string;
  readonly domain: string;
  /** ARNs of the data administrators. */
  readonly admins: readonly string[];
  /** ARNs of roles that are not this stack's, and so get the use of the key from its policy. */
  readonly users: readonly string[];
  /** Those of them whose applications have volumes. */
  readonly volumeUsers: readonly string[];
  readonly removalPolicy: RemovalPolicy;
}

/**
 * The domain's own key: home folders, volumes of spaces, the bucket, backups.
 *
 * Its first statement hands the decision to the account's IAM policies (AWS's default); roles of this stack have theirs.
 */
export function domainKey(scope: Construct, id: string, props: DomainKeyProps): kms.Key {
  const key = new kms.Key(scope, id, {
    alias: props.alias,
    description: `Studio domain ${props.domain}: home folders, volumes, shared notebooks, backups`,
    enableKeyRotation: true,
    pendingWindow: Duration.days(7),
    removalPolicy: props.removalPolicy,
  });
  const itself = ['*']; // In a key's policy this means the key itself.
  const allow = (sid: string, arns: readonly string[], actions: string[], conditions?: typeof FOR_AWS_RESOURCES) => {
    if (arns.length === 0) return;
    const principals = arns.map((arn) => new iam.ArnPrincipal(arn));
    key.addToResourcePolicy(new iam.PolicyStatement({ sid, principals, actions, resources: itself, conditions }));
  };
  allow('DataAdministrators', props.admins, [...KEY_ADMINISTRATION, ...KEY_USE]);
  allow('UsersOfTheDomain', props.users, KEY_USE);
  allow('VolumesOfTheDomain', props.volumeUsers, ['kms:CreateGrant'], FOR_AWS_RESOURCES);
  return key;
}

/** A grant may be made for a service that attaches a volume, and for nobody else. */
export const FOR_AWS_RESOURCES = { Bool: { 'kms:GrantIsForAWSResource': 'true' } };
